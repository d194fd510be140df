//! The tokens of `ss -i` for the upper-layer protocol of TCP: kernel TLS, or a subflow of multipath TCP.

use super::escape;
use super::text::{push_hex, push_number};
use super::token::token;
use crate::model::details::Details;
use crate::query::field::words::CIPHERS;
use crate::query::field::{Field, Struct, Value, part_value};

/// Appends ` tcp-ulp-NAME` and what the protocol reports.
pub fn push_ulp(out: &mut Vec<u8>, details: &Details) {
    let Some(ulp) = details.ulp() else { return };
    out.extend_from_slice(token!(Ulp));
    escape::push_also(out, ulp.name, |c| c == ' ');
    if let Some(attributes) = ulp.tls {
        push_tls(out, &Struct::nested(Field::Tls, attributes));
    }
    if let Some(attributes) = ulp.subflow {
        push_subflow(out, &Struct::nested(Field::Subflow, attributes));
    }
}

fn number(structure: &Struct<'_>, field: Field) -> Option<u64> {
    structure.value(field.info())
}

fn push_tls(out: &mut Vec<u8>, tls: &Struct<'_>) {
    push_word(out, token!(TlsVersion), tls, Field::TlsVersion);
    // ss prints nothing for unknown ciphers, and knows fewer than the table here.
    let cipher = number(tls, Field::TlsCipher);
    if CIPHERS.iter().any(|(known, _)| Some(*known) == cipher) {
        push_word(out, token!(TlsCipher), tls, Field::TlsCipher);
    }
    push_word(out, token!(TlsRxconf), tls, Field::TlsRxconf);
    push_word(out, token!(TlsTxconf), tls, Field::TlsTxconf);
    for flag in [Field::TlsZcRoTx, Field::TlsRxNoPad] {
        if number(tls, flag) == Some(1) {
            out.push(b' ');
            out.extend_from_slice(flag.token().as_bytes());
        }
    }
}

fn push_word(out: &mut Vec<u8>, token: &[u8], structure: &Struct<'_>, field: Field) {
    let Some(number) = number(structure, field) else {
        return;
    };
    out.extend_from_slice(token);
    match part_value(field.info(), structure) {
        Value::Word(word) => out.extend_from_slice(word.as_bytes()),
        _ => {
            out.extend_from_slice(b"unknown(");
            push_number(out, number);
            out.push(b')');
        }
    }
}

/// The letters of flags, by bit.
const FLAGS: &[u8; 9] = b"MmJjBbecv";

fn push_subflow(out: &mut Vec<u8>, subflow: &Struct<'_>) {
    if let Some(flags) = number(subflow, Field::SubflowFlags) {
        out.extend_from_slice(token!(SubflowFlags));
        for (bit, letter) in FLAGS.iter().enumerate() {
            if flags & (1 << bit) != 0 {
                out.push(*letter);
            }
        }
    }
    let remote = number(subflow, Field::SubflowTokenRem);
    let local = number(subflow, Field::SubflowTokenLoc);
    if let (Some(remote), Some(local)) = (remote, local) {
        out.extend_from_slice(token!(SubflowTokenRem));
        push_token(out, remote, number(subflow, Field::SubflowIdRem).unwrap_or(0));
        out.extend_from_slice(token!("" SubflowTokenLoc));
        push_token(out, local, number(subflow, Field::SubflowIdLoc).unwrap_or(0));
    }
    for field in [
        Field::SubflowMapSeq,
        Field::SubflowMapSfseq,
        Field::SubflowSsnOffset,
        Field::SubflowMapDatalen,
    ] {
        if let Some(number) = number(subflow, field) {
            out.push(b' ');
            out.extend_from_slice(field.token().as_bytes());
            push_number(out, number);
        }
    }
}

/// Appends a token, zero-padded to at least four digits, and the address id.
fn push_token(out: &mut Vec<u8>, token: u64, id: u64) {
    for digit in [12_u32, 8, 4] {
        if token >> digit != 0 {
            break;
        }
        out.push(b'0');
    }
    push_hex(out, token);
    out.extend_from_slice(token!("" SubflowIdLoc));
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
        // A nested attribute has a flag in its type.
        ulp.push(nest | 0x8000, inner.as_bytes());
        details.push(kind::ULP_INFO, ulp.as_bytes());
        let mut out = Vec::new();
        push_ulp(&mut out, &details);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn tls_has_version_cipher_and_offload() {
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
            "ss has no name for an unknown cipher, and a truncated number is ignored"
        );
    }

    #[test]
    fn a_subflow_has_flags_tokens_and_its_mapping() {
        let number = u32::to_ne_bytes;
        let with_rights: &[(u16, &[u8])] = &[
            (1, &number(0xab)),
            (2, &number(0x1234_5678)),
            (4, &1u64.to_ne_bytes()),
            (5, &number(2)),
            (6, &number(3)),
            (7, &4u16.to_ne_bytes()),
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
