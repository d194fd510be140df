//! Appends numbers and addresses to a byte buffer without the formatting machinery: the kernel produces rows so fast
//! that only a few hundred nanoseconds remain for each.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::model::numbers::ip_protocol_name;

/// Appends the first `length` of these bytes. Copying a constant number of bytes takes a store or two; copying a
/// variable number is a call, and a row has dozens of them.
pub fn push_start<const N: usize>(out: &mut Vec<u8>, bytes: &[u8; N], length: usize) {
    let end = out.len() + length.min(N);
    out.extend_from_slice(bytes);
    out.truncate(end);
}

/// Appends a number in decimal.
pub fn push_number(out: &mut Vec<u8>, number: impl Into<u64>) {
    const MOST: usize = 20;
    let mut number: u64 = number.into();
    // Twice the maximum length, so that a constant number of bytes can be copied from the first digit of any number.
    let mut digits = [0; MOST * 2];
    let mut start = MOST;
    loop {
        start -= 1;
        digits[start] = b'0' + (number % 10).to_le_bytes()[0];
        number /= 10;
        if number == 0 {
            break;
        }
    }
    if let Some(from_first) = digits.get(start..).and_then(<[u8]>::first_chunk::<MOST>) {
        push_start(out, from_first, MOST - start);
    }
}

/// Appends numbers in decimal, separated by commas.
pub fn push_list(out: &mut Vec<u8>, numbers: &[u32]) {
    push_each(out, b',', numbers, |out, number| push_number(out, *number));
}

/// Appends each of these, separated by a byte.
#[inline]
pub fn push_each<T>(
    out: &mut Vec<u8>,
    separator: u8,
    all: impl IntoIterator<Item = T>,
    mut push: impl FnMut(&mut Vec<u8>, T),
) {
    for (index, one) in all.into_iter().enumerate() {
        if index > 0 {
            out.push(separator);
        }
        push(out, one);
    }
}

/// Returns what `push` appends, as text.
pub fn written(push: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    push(&mut out);
    String::from_utf8(out).unwrap_or_default()
}

/// Appends a number in hexadecimal, without leading zeros.
pub fn push_hex(out: &mut Vec<u8>, number: impl Into<u64>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let number: u64 = number.into();
    let digits = (64 - number.leading_zeros()).div_ceil(4).max(1);
    for digit in (0..digits).rev() {
        out.push(DIGITS[usize::from((number >> (digit * 4)).to_le_bytes()[0] & 15)]);
    }
}

/// Appends the name of the IP protocol that takes the place of a raw socket's port; `ipproto-` and the number if it
/// has no name, as in ss.
pub fn push_ip_protocol(out: &mut Vec<u8>, number: u16) {
    if let Some(name) = u8::try_from(number).ok().and_then(ip_protocol_name) {
        out.extend_from_slice(name.as_bytes());
    } else {
        out.extend_from_slice(b"ipproto-");
        push_number(out, number);
    }
}

/// Appends an address in its canonical form (RFC 5952 for IPv6), without brackets.
pub fn push_address(out: &mut Vec<u8>, address: IpAddr) {
    match address {
        IpAddr::V4(address) => push_v4(out, address),
        IpAddr::V6(address) => push_v6(out, address),
    }
}

/// Every octet in decimal, followed by a dot, with the length of the text.
static OCTETS: [([u8; 4], u8); 256] = octets();

const fn octets() -> [([u8; 4], u8); 256] {
    let mut all = [([b'.'; 4], 0); 256];
    let mut octet: u8 = 0;
    loop {
        let digits = [b'0' + octet / 100, b'0' + octet / 10 % 10, b'0' + octet % 10];
        let (text, length) = &mut all[octet as usize];
        let mut skipped = if octet >= 100 {
            0
        } else if octet >= 10 {
            1
        } else {
            2
        };
        while skipped < digits.len() {
            text[*length as usize] = digits[skipped];
            *length += 1;
            skipped += 1;
        }
        *length += 1;
        if octet == u8::MAX {
            return all;
        }
        octet += 1;
    }
}

fn push_v4(out: &mut Vec<u8>, address: Ipv4Addr) {
    for octet in address.octets() {
        let (text, length) = &OCTETS[usize::from(octet)];
        push_start(out, text, usize::from(*length));
    }
    // Removes the last dot.
    out.pop();
}

fn push_v6(out: &mut Vec<u8>, address: Ipv6Addr) {
    if let Some(v4) = address.to_ipv4_mapped() {
        out.extend_from_slice(b"::ffff:");
        push_v4(out, v4);
        return;
    }
    let segments = address.segments();
    let (gap_start, gap_length) = longest_zeros(&segments);
    let mut index = 0;
    let mut separate = false;
    while let Some(segment) = segments.get(index) {
        if index == gap_start && gap_length > 1 {
            out.extend_from_slice(b"::");
            index += gap_length;
            separate = false;
            continue;
        }
        if separate {
            out.push(b':');
        }
        push_hex(out, *segment);
        separate = true;
        index += 1;
    }
}

/// Returns the position and length of the longest run of zero segments, the first of several.
fn longest_zeros(segments: &[u16; 8]) -> (usize, usize) {
    let (mut best, mut best_length, mut length) = (0, 0, 0);
    for (index, segment) in segments.iter().enumerate() {
        length = if *segment == 0 { length + 1 } else { 0 };
        if length > best_length {
            (best, best_length) = (index + 1 - length, length);
        }
    }
    (best, best_length)
}

/// The width of most columns.
const WIDE: usize = 32;

/// Pads with blanks up to `width` bytes after `start`.
pub fn pad_to(out: &mut Vec<u8>, start: usize, width: usize) {
    let written = out.len() - start;
    let missing = width.saturating_sub(written);
    if missing <= WIDE {
        push_start(out, &[b' '; WIDE], missing);
    } else {
        out.resize(out.len() + missing, b' ');
    }
}

/// Right-aligns what was written since `start` in a column of `width` bytes.
pub fn align_right(out: &mut Vec<u8>, start: usize, width: usize) {
    let written = out.len() - start;
    let missing = width.saturating_sub(written);
    if missing == 0 {
        return;
    }
    // A constant number of bytes is copied: the text, and whatever follows it.
    out.extend_from_slice(&[0; WIDE]);
    match out.get(start..).and_then(<[u8]>::first_chunk::<WIDE>).copied() {
        Some(text) if width <= WIDE => {
            out.truncate(start);
            push_start(out, &[b' '; WIDE], missing);
            push_start(out, &text, written);
        }
        _ => {
            out.truncate(start + written);
            pad_to(out, start, width);
            if let Some(column) = out.get_mut(start..) {
                column.rotate_right(missing);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(write: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    proptest! {
        #[test]
        fn numbers_and_addresses_equal_those_of_the_standard_library(number: u64, v4: u32, v6: [u16; 8], zeros: u8) {
            prop_assert_eq!(written(|out| push_number(out, number)), number.to_string());
            prop_assert_eq!(written(|out| push_hex(out, number)), format!("{number:x}"));
            let v4 = Ipv4Addr::from(v4);
            prop_assert_eq!(written(|out| push_address(out, v4.into())), v4.to_string());
            let mut segments = v6;
            for (index, segment) in segments.iter_mut().enumerate() {
                if zeros & (1 << index) != 0 {
                    *segment = 0;
                }
            }
            let v6 = Ipv6Addr::from(segments);
            // The standard library also writes deprecated IPv4-compatible addresses (::a.b.c.d) in hexadecimal.
            prop_assert_eq!(written(|out| push_address(out, v6.into())), v6.to_string());
        }
    }

    #[test]
    fn every_octet_equals_that_of_the_standard_library() {
        for octet in 0..=u8::MAX {
            let address = Ipv4Addr::new(octet, 0, 255, octet);
            assert_eq!(
                written(|out| push_address(out, address.into())),
                address.to_string()
            );
        }
    }

    #[test]
    fn wide_columns_are_padded_too() {
        for width in [31, 32, 33, 80] {
            assert_eq!(
                written(|out| {
                    out.extend(b"ab");
                    align_right(out, 0, width);
                }),
                format!("{:>width$}", "ab")
            );
            assert_eq!(written(|out| pad_to(out, 0, width)), " ".repeat(width));
        }
    }

    #[test]
    fn columns_are_padded_on_either_side() {
        assert_eq!(
            written(|out| {
                out.push(b'a');
                pad_to(out, 0, 3);
            }),
            "a  "
        );
        assert_eq!(
            written(|out| {
                out.extend(b"xab");
                align_right(out, 1, 4);
            }),
            "x  ab"
        );
        assert_eq!(
            written(|out| {
                out.extend(b"abc");
                align_right(out, 0, 2);
            }),
            "abc"
        );
    }
}
