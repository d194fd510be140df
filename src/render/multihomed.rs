//! The tokens of `ss -i` for multipath TCP and SCTP, in the order of iproute2 7.1 (`-n`). As in ss, zeros are omitted.

use super::text::{push_address, push_each, push_hex, push_number};
use super::token::token;
use crate::model::details::sctp::Association;
use crate::model::details::{Details, kind};
use crate::query::field::{Field, FieldInfo, Form, Struct};

/// Appends what `-i` shows for a multipath TCP connection, each token preceded by a blank.
pub fn push_mptcp(out: &mut Vec<u8>, details: &Details) {
    if let Some(bytes) = details.get(kind::INFO) {
        push_tokens(out, &Struct::new(Field::Mptcp, bytes));
    }
}

/// Appends what `-i` shows for SCTP: the addresses of both ends, then the numbers.
pub fn push_sctp(out: &mut Vec<u8>, details: &Details) {
    push_addresses(out, token!(LocalAddresses), details, kind::LOCALS);
    push_addresses(out, token!(PeerAddresses), details, kind::PEERS);
    if let Some(bytes) = details.get(kind::INFO) {
        // ss uses the same structure for both kinds of rows.
        push_tokens(out, &Struct::new(Field::Sctp, bytes));
        push_tokens(out, &Struct::new(Field::SctpSettings, bytes));
    }
}

/// Appends the parts that ss has a token for, unless they are 0.
fn push_tokens(out: &mut Vec<u8>, structure: &Struct<'_>) {
    for part in structure.parts() {
        let number = structure.value(part).filter(|number| *number > 0);
        if let Some(number) = number
            && !part.token().is_empty()
        {
            push_token(out, part, number);
        }
    }
}

fn push_token(out: &mut Vec<u8>, part: &FieldInfo, number: u64) {
    out.push(b' ');
    out.extend_from_slice(part.token().as_bytes());
    let state = match part.field {
        Field::SctpState => u8::try_from(number).ok().and_then(Association::from_kernel),
        _ => None,
    };
    let form = part.part.map(|place| place.form);
    if let Some(state) = state {
        out.extend_from_slice(state.ss_name().as_bytes());
    } else if form == Some(Form::Hex) {
        push_hex(out, number);
    } else if part.token().ends_with(':') {
        push_number(out, number);
    }
}

fn push_addresses(out: &mut Vec<u8>, token: &[u8], details: &Details, kind: u16) {
    let Some(addresses) = details.addresses(kind) else {
        return;
    };
    out.extend_from_slice(token);
    push_each(out, b',', addresses.iter(), push_address);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(push: fn(&mut Vec<u8>, &Details), attributes: &[(u16, &[u8])]) -> String {
        let mut details = Details::default();
        for (kind, value) in attributes {
            details.push(*kind, value);
        }
        let mut out = Vec::new();
        push(&mut out, &details);
        String::from_utf8(out).unwrap()
    }

    fn put(bytes: &mut [u8], offset: usize, value: &[u8]) {
        bytes[offset..offset + value.len()].copy_from_slice(value);
    }

    #[test]
    fn mptcp_tokens_are_complete_and_in_order() {
        let mut info = vec![0; 96];
        for (offset, value) in [
            (0, 1),
            (1, 2),
            (2, 3),
            (3, 4),
            (4, 5),
            (5, 6),
            (40, 7),
            (41, 8),
            (42, 1),
            (80, 2),
            (81, 9),
            (82, 9),
        ] {
            info[offset] = value;
        }
        put(&mut info, 8, &3u32.to_ne_bytes());
        put(&mut info, 12, &0xab12_u32.to_ne_bytes());
        for (offset, value) in [
            (16, u64::MAX),
            (24, 11),
            (32, 12),
            (48, 13),
            (56, 14),
            (64, 15),
            (72, 16),
        ] {
            put(&mut info, offset, &value.to_ne_bytes());
        }
        for (offset, value) in [(44, 17u32), (84, 18), (88, 19), (92, 20)] {
            put(&mut info, offset, &value.to_ne_bytes());
        }
        assert_eq!(
            shown(push_mptcp, &[(kind::INFO, &info)]),
            " subflows:1 add_addr_signal:2 add_addr_accepted:3 subflows_max:4 add_addr_signal_max:5 \
             add_addr_accepted_max:6 fallback remote_key token:ab12 write_seq:18446744073709551615 snd_una:11 \
             rcv_nxt:12 local_addr_used:7 local_addr_max:8 csum_enabled:1 retransmits:17 bytes_retrans:13 \
             bytes_sent:14 bytes_received:15 bytes_acked:16 subflows_total:2 endp_laminar_max:9 last_data_sent:18 \
             last_data_recv:19 last_ack_recv:20"
        );
        // The structure of older kernels is shorter.
        assert!(shown(push_mptcp, &[(kind::INFO, &info[..43])]).ends_with(" csum_enabled:1"));
        assert_eq!(shown(push_mptcp, &[]), "");
    }

    #[test]
    fn an_association_has_addresses_and_numbers() {
        let mut info = vec![0; 368];
        for (offset, value) in [
            (0, 0xbeef_u32),
            (4, 3),
            (8, 1000),
            (24, 1),
            (28, 2),
            (32, 3),
            (36, 4),
            (40, 1452),
            (44, 2000),
            (48, 0xcafe),
            (344, 5),
            (348, 6),
            (352, 7),
        ] {
            put(&mut info, offset, &value.to_ne_bytes());
        }
        for (offset, value) in [(12, 8u16), (14, 9), (16, 10), (18, 11)] {
            put(&mut info, offset, &value.to_ne_bytes());
        }
        for (offset, value) in [(52, 12), (53, 13), (356, 1), (357, 1), (358, 1), (359, 2)] {
            info[offset] = value;
        }
        let address = |last: u8| {
            let mut storage = [&2u16.to_ne_bytes()[..], &[0x1f, 0x90, 10, 0, 0, last]].concat();
            storage.resize(128, 0);
            storage
        };
        assert_eq!(
            shown(
                push_sctp,
                &[
                    (kind::LOCALS, &[address(1), address(2)].concat()),
                    (kind::INFO, &info),
                    (kind::PEERS, &address(3)),
                ]
            ),
            " locals:10.0.0.1,10.0.0.2 peers:10.0.0.3 tag:beef state:ESTAB rwnd:1000 unackdata:8 penddata:9 instrms:10 \
             outstrms:11 inqueue:1 outqueue:2 overerr:3 maxburst:4 maxseg:1452 prwnd:2000 ptag:cafe pcapable:12 psack:13 \
             autoclose:5 adapind:6 pdpoint:7 nodelay:1 nofrag:1 v4mapped:1 fraginl:2"
        );
    }
}
