//! Numbers and addresses into a byte buffer, without the formatting machinery: a row is written in some hundred
//! nanoseconds, which is what the kernel leaves us.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Appends a number in decimal.
pub fn push_number(out: &mut Vec<u8>, number: impl Into<u64>) {
    let mut number: u64 = number.into();
    let mut digits = [0; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (number % 10).to_le_bytes()[0];
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}

/// Appends numbers in decimal with commas between.
pub fn push_list(out: &mut Vec<u8>, numbers: &[u32]) {
    for (index, number) in numbers.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        push_number(out, *number);
    }
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

/// Appends an address in its canonical form (RFC 5952 for IPv6), without brackets.
pub fn push_address(out: &mut Vec<u8>, address: IpAddr) {
    match address {
        IpAddr::V4(address) => push_v4(out, address),
        IpAddr::V6(address) => push_v6(out, address),
    }
}

fn push_v4(out: &mut Vec<u8>, address: Ipv4Addr) {
    for (index, octet) in address.octets().into_iter().enumerate() {
        if index > 0 {
            out.push(b'.');
        }
        push_number(out, octet);
    }
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

/// The first longest run of zero segments: where, and how long.
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

/// Pads with blanks until `width` bytes were written since `start`.
pub fn pad_to(out: &mut Vec<u8>, start: usize, width: usize) {
    let written = out.len() - start;
    out.resize(out.len() + width.saturating_sub(written), b' ');
}

/// Moves what was written since `start` to the right end of a column of `width` bytes.
pub fn align_right(out: &mut Vec<u8>, start: usize, width: usize) {
    let missing = width.saturating_sub(out.len() - start);
    if missing > 0 {
        pad_to(out, start, width);
        if let Some(column) = out.get_mut(start..) {
            column.rotate_right(missing);
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
        fn numbers_and_addresses_look_as_the_standard_library_writes_them(number: u64, v4: u32, v6: [u16; 8], zeros: u8) {
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
            // The standard library writes ::a.b.c.d for deprecated IPv4-compatible addresses in hexadecimal too.
            prop_assert_eq!(written(|out| push_address(out, v6.into())), v6.to_string());
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
