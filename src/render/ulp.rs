//! The tokens of `ss -i` for the protocol on top of TCP: TLS in the kernel, a subflow of multipath TCP.

use super::escape;
use super::text::{push_hex, push_number};
use crate::model::details::Details;
use crate::model::details::layout::{Form, Part, Struct};
use crate::model::details::ulp::{SUBFLOW, TLS};

/// Appends ` tcp-ulp-NAME` and what the protocol tells.
pub fn push_ulp(out: &mut Vec<u8>, details: &Details) {
    let Some(ulp) = details.ulp() else { return };
    out.extend_from_slice(b" tcp-ulp-");
    escape::push_also(out, ulp.name, |c| c == ' ');
    if let Some(tls) = ulp.tls {
        push_tls(out, &tls);
    }
    if let Some(subflow) = ulp.subflow {
        push_subflow(out, &subflow);
    }
}

fn push_tls(out: &mut Vec<u8>, tls: &Struct<'_>) {
    let [version, cipher, txconf, rxconf, zc_ro_tx, rx_no_pad] = &TLS;
    push_word(out, b" version: ", tls, version);
    // ss says nothing of ciphers that it does not know, which are more there than here.
    if tls
        .value(cipher)
        .is_some_and(|number| named(cipher, number).is_some())
    {
        push_word(out, b" cipher: ", tls, cipher);
    }
    push_word(out, b" rxconf: ", tls, rxconf);
    push_word(out, b" txconf: ", tls, txconf);
    for (flag, token) in [(zc_ro_tx, &b" zc_ro_tx"[..]), (rx_no_pad, b" no_pad_rx")] {
        if tls.value(flag) == Some(1) {
            out.extend_from_slice(token);
        }
    }
}

fn named(part: &Part, number: u64) -> Option<&'static str> {
    match part.form {
        Form::Word(words) => words
            .iter()
            .find(|(own, _)| *own == number)
            .map(|(_, word)| *word),
        _ => None,
    }
}

fn push_word(out: &mut Vec<u8>, label: &[u8], structure: &Struct<'_>, part: &Part) {
    let Some(number) = structure.value(part) else {
        return;
    };
    out.extend_from_slice(label);
    match named(part, number) {
        Some(word) => out.extend_from_slice(word.as_bytes()),
        None => {
            out.extend_from_slice(b"unknown(");
            push_number(out, number);
            out.push(b')');
        }
    }
}

/// Letters of the flags, by bit.
const FLAGS: &[u8; 9] = b"MmJjBbecv";

fn push_subflow(out: &mut Vec<u8>, subflow: &Struct<'_>) {
    let [
        token_rem,
        token_loc,
        _,
        map_seq,
        map_sfseq,
        ssn_offset,
        map_datalen,
        flags,
        id_rem,
        id_loc,
    ] = &SUBFLOW;
    let number = |part| subflow.value(part).unwrap_or(0);
    if let Some(flags) = subflow.value(flags) {
        out.extend_from_slice(b" flags:");
        for (bit, letter) in FLAGS.iter().enumerate() {
            if flags & (1 << bit) != 0 {
                out.push(*letter);
            }
        }
    }
    if subflow.value(token_rem).is_some() && subflow.value(token_loc).is_some() {
        out.extend_from_slice(b" token:");
        push_token(out, number(token_rem), number(id_rem));
        out.push(b'/');
        push_token(out, number(token_loc), number(id_loc));
    }
    for (label, part) in [
        (&b" seq:"[..], map_seq),
        (b" sfseq:", map_sfseq),
        (b" ssnoff:", ssn_offset),
        (b" maplen:", map_datalen),
    ] {
        if let Some(number) = subflow.value(part) {
            out.extend_from_slice(label);
            push_number(out, number);
        }
    }
}

/// A token, in four digits at least, and the address id behind it.
fn push_token(out: &mut Vec<u8>, token: u64, id: u64) {
    for digit in [12_u32, 8, 4] {
        if token >> digit != 0 {
            break;
        }
        out.push(b'0');
    }
    push_hex(out, token);
    out.extend_from_slice(b"(id:");
    push_number(out, id);
    out.push(b')');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::details::kind;

    fn shown(name: &[u8], nest: u16, attributes: &[(u16, &[u8])]) -> String {
        let (mut inner, mut ulp, mut details) = (Details::default(), Details::default(), Details::default());
        for (kind, value) in attributes {
            inner.push(*kind, value);
        }
        ulp.push(1, name);
        // A nest has a flag in its kind.
        ulp.push(nest | 0x8000, inner.as_bytes());
        details.push(kind::ULP_INFO, ulp.as_bytes());
        let mut out = Vec::new();
        push_ulp(&mut out, &details);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn tls_tells_version_cipher_and_who_encrypts() {
        let number = u16::to_ne_bytes;
        assert_eq!(
            shown(
                b"tls\0",
                2,
                &[
                    (1, &number(0x304)),
                    (2, &number(52)),
                    (3, &number(2)),
                    (4, &number(1)),
                    (5, &[]),
                    (6, &[])
                ]
            ),
            " tcp-ulp-tls version: 1.3 cipher: aes-gcm-256 rxconf: none txconf: sw zc_ro_tx no_pad_rx"
        );
        assert_eq!(
            shown(b"tls\0", 2, &[(1, &number(9)), (2, &number(99)), (3, &[1])]),
            " tcp-ulp-tls version: unknown(9)",
            "ss has no word for an unknown cipher, and a number cut short is none"
        );
    }

    #[test]
    fn a_subflow_tells_flags_tokens_and_its_mapping() {
        let number = u32::to_ne_bytes;
        let with_rights: &[(u16, &[u8])] = &[
            (1, &number(0xab)),
            (2, &number(0x1234_5678)),
            (4, &[1, 0, 0, 0, 0, 0, 0, 0]),
            (5, &number(2)),
            (6, &number(3)),
            (7, &[4, 0]),
            (8, &number(0b1_1100_0001)),
            (9, &[1]),
            (10, &[0]),
        ];
        assert_eq!(
            shown(b"mptcp\0", 3, with_rights),
            " tcp-ulp-mptcp flags:Mecv token:00ab(id:1)/12345678(id:0) seq:1 sfseq:2 ssnoff:3 maplen:4"
        );
        assert_eq!(shown(b"mptcp\0", 3, &[(8, &number(0))]), " tcp-ulp-mptcp flags:");
    }
}
