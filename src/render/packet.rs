//! The ss tokens for packet and XDP sockets: `-e` and `-b`, as iproute2 7.1 prints them on one line.

use super::text::{push_each, push_hex, push_number};
use super::token::token;
use crate::model::details::{Details, kind};
use crate::query::field::words::FANOUTS;
use crate::query::field::{Field, FieldInfo, Form, Struct};

/// What `-e` shows for a packet socket: ` ver:V cpy_thresh:N flags( running … )`, with `0` if no flag is set, then
/// rings and fanout group.
pub fn push_info(out: &mut Vec<u8>, details: &Details) {
    if let Some(bytes) = details.get(kind::PACKET_INFO) {
        push_flags(out, &Struct::new(Field::Packet, bytes));
    }
    push_labelled(out, token!(RxRing), details, kind::PACKET_RX_RING, Field::RxRing);
    push_labelled(out, token!(TxRing), details, kind::PACKET_TX_RING, Field::TxRing);
    push_fanout(out, details);
}

/// A truncated structure is not printed.
fn push_flags(out: &mut Vec<u8>, info: &Struct<'_>) {
    let flags = || info.parts().iter().filter(|part| is_flag(part));
    let number = |field: Field| info.value(field.info());
    let whole = flags().all(|flag| info.value(flag).is_some());
    let (Some(version), Some(threshold), true) = (
        number(Field::PacketVersion),
        number(Field::PacketCopyThresh),
        whole,
    ) else {
        return;
    };
    out.extend_from_slice(token!(PacketVersion));
    push_number(out, version);
    out.extend_from_slice(token!(PacketCopyThresh));
    push_number(out, threshold);
    out.extend_from_slice(b" flags(");
    let mut any = false;
    for flag in flags().filter(|flag| info.value(flag) == Some(1)) {
        out.push(b' ');
        out.extend_from_slice(flag.token().as_bytes());
        any = true;
    }
    if !any {
        out.extend_from_slice(b" 0");
    }
    out.extend_from_slice(b" )");
}

fn is_flag(part: &FieldInfo) -> bool {
    part.part.is_some_and(|place| place.form == Form::Flag)
}

/// What `-e` shows for an XDP socket: rings, frame memory and counters.
pub fn push_xdp(out: &mut Vec<u8>, details: &Details) {
    push_ring(out, token!(XdpRxEntries), details, kind::XDP_RX_RING);
    push_ring(out, token!(XdpTxEntries), details, kind::XDP_TX_RING);
    if let Some(bytes) = details.get(kind::XDP_UMEM) {
        push_umem(out, &Struct::new(Field::XdpUmem, bytes));
        push_ring(out, token!(XdpFillEntries), details, kind::XDP_FILL_RING);
        push_ring(
            out,
            token!(XdpCompletionEntries),
            details,
            kind::XDP_COMPLETION_RING,
        );
    }
    push_labelled(out, token!(XdpStats), details, kind::XDP_STATS, Field::XdpStats);
}

fn push_ring(out: &mut Vec<u8>, token: &[u8], details: &Details, kind: u16) {
    if let Some(entries) = details.get(kind).and_then(|bytes| bytes.first_chunk()) {
        out.extend_from_slice(token);
        push_number(out, u32::from_ne_bytes(*entries));
        out.push(b')');
    }
}

/// The frame memory, in the order of ss: the number before the length.
fn push_umem(out: &mut Vec<u8>, memory: &Struct<'_>) {
    let [size, id, rest @ ..] = memory.parts() else {
        return;
    };
    out.extend_from_slice(token!(XdpUmem));
    push_parts(out, memory, [id, size].into_iter().chain(rest));
}

/// The parts of a structure after their tokens.
fn push_labelled(out: &mut Vec<u8>, token: &[u8], details: &Details, kind: u16, object: Field) {
    let Some(bytes) = details.get(kind) else { return };
    let structure = Struct::new(object, bytes);
    out.extend_from_slice(token);
    push_parts(out, &structure, structure.parts().iter());
}

/// Appends parts separated by commas, and the closing bracket. Parts that the structure lacks are 0, as in ss.
fn push_parts<'a>(out: &mut Vec<u8>, structure: &Struct<'_>, parts: impl Iterator<Item = &'a FieldInfo>) {
    push_each(out, b',', parts, |out, part| {
        out.extend_from_slice(part.token().as_bytes());
        let number = structure.value(part).unwrap_or(0);
        match part.part {
            Some(place) if place.form == Form::Hex => push_hex(out, number),
            _ => push_number(out, number),
        }
    });
    out.push(b')');
}

/// The number of fanout types that ss has names for; it prints the others as numbers.
const FANOUTS_OF_SS: u64 = 6;

fn push_fanout(out: &mut Vec<u8>, details: &Details) {
    let Some(bytes) = details.get(kind::PACKET_FANOUT) else {
        return;
    };
    let number = |field: Field| field.place().raw(bytes);
    let (Some(id), Some(kind)) = (number(Field::FanoutId), number(Field::FanoutType)) else {
        return;
    };
    out.extend_from_slice(token!(Fanout));
    out.extend_from_slice(token!("" FanoutId));
    push_number(out, id);
    out.extend_from_slice(token!("," FanoutType));
    match FANOUTS.iter().find(|(number, _)| *number == kind) {
        Some((_, word)) if kind < FANOUTS_OF_SS => out.extend_from_slice(word.as_bytes()),
        _ => {
            out.extend_from_slice(b"0x");
            push_hex(out, kind);
        }
    }
    out.push(b')');
}

/// ` bpf filter (N): ` and ` 0xCC jt jf k,` for each instruction; empty without a program.
pub fn push_filter(out: &mut Vec<u8>, details: &Details) {
    let Some(program) = details.get(kind::PACKET_FILTER) else {
        return;
    };
    out.extend_from_slice(token!(FilterProgram));
    push_number(out, u32::try_from(program.len() / 8).unwrap_or(u32::MAX));
    out.extend_from_slice(b"): ");
    for instruction in program.chunks_exact(8) {
        let &[c0, c1, jt, jf, k0, k1, k2, k3] = instruction else {
            break;
        };
        let code = u16::from_ne_bytes([c0, c1]);
        out.extend_from_slice(if code < 16 { b" 0x0" } else { b" 0x" });
        push_hex(out, code);
        for number in [jt.into(), jf.into(), u32::from_ne_bytes([k0, k1, k2, k3])] {
            out.push(b' ');
            push_number(out, number);
        }
        out.push(b',');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn details(kind: u16, bytes: &[u8]) -> Details {
        let mut details = Details::default();
        details.push(kind, bytes);
        details
    }

    #[test]
    fn a_program_is_written_as_numbers() {
        let mut program = Vec::new();
        for (code, jt, jf, k) in [
            (0x28u16, 0u8, 0u8, 12u32),
            (0x15, 0, 1, 0x806),
            (0x06, 0, 0, 0x40000),
        ] {
            program.extend(code.to_ne_bytes());
            program.extend([jt, jf]);
            program.extend(k.to_ne_bytes());
        }
        let mut out = Vec::new();
        push_filter(&mut out, &details(kind::PACKET_FILTER, &program));
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text,
            " bpf filter (3):  0x28 0 0 12, 0x15 0 1 2054, 0x06 0 0 262144,"
        );
    }

    #[test]
    fn flags_have_names_and_no_flags_are_a_zero() {
        let shown = |flags: u32, length: usize| {
            let mut info: Vec<u8> = [1, 2, 0, 7, 0, flags]
                .iter()
                .flat_map(|it: &u32| it.to_ne_bytes())
                .collect();
            info.truncate(length);
            let mut out = Vec::new();
            push_info(&mut out, &details(kind::PACKET_INFO, &info));
            String::from_utf8(out).unwrap()
        };
        assert_eq!(shown(0x11, 24), " ver:2 cpy_thresh:7 flags( running loss )");
        assert_eq!(shown(0, 24), " ver:2 cpy_thresh:7 flags( 0 )");
        assert_eq!(shown(1, 23), "", "truncated");
    }
    fn numbers(numbers: &[u32]) -> Vec<u8> {
        numbers.iter().flat_map(|number| number.to_ne_bytes()).collect()
    }

    #[test]
    fn rings_and_fanout_of_packet_sockets_are_written() {
        let mut details = Details::default();
        details.push(kind::PACKET_INFO, &numbers(&[1, 2, 0, 0, 0, 1]));
        details.push(kind::PACKET_RX_RING, &numbers(&[16384, 4, 2048, 32, 60, 9, 0x1a]));
        details.push(kind::PACKET_TX_RING, &numbers(&[4096, 2, 2048, 4]));
        details.push(kind::PACKET_FANOUT, &numbers(&[1 << 16 | 7]));
        let mut out = Vec::new();
        push_info(&mut out, &details);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            " ver:2 cpy_thresh:0 flags( running ) ring_rx(blk_size:16384,blk_nr:4,frm_size:2048,frm_nr:32,tmo:60,\
             features:0x1a) ring_tx(blk_size:4096,blk_nr:2,frm_size:2048,frm_nr:4,tmo:0,features:0x0) \
             fanout(id:7,type:lb)"
        );
        let shown = |fanout: u32| {
            let mut out = Vec::new();
            push_info(
                &mut out,
                &super::tests::details(kind::PACKET_FANOUT, &numbers(&[fanout])),
            );
            String::from_utf8(out).unwrap()
        };
        assert_eq!(shown(6 << 16 | 0xffff), " fanout(id:65535,type:0x6)");
        assert_eq!(shown(99 << 16), " fanout(id:0,type:0x63)");
    }

    #[test]
    fn rings_memory_and_counters_of_xdp_sockets_are_written() {
        let mut details = Details::default();
        details.push(kind::XDP_RX_RING, &numbers(&[2048]));
        details.push(kind::XDP_TX_RING, &numbers(&[1024]));
        let memory = [
            &16_777_216u64.to_ne_bytes()[..],
            &numbers(&[3, 4096, 2048, 0, 2, 1, 1, 2]),
        ]
        .concat();
        details.push(kind::XDP_UMEM, &memory);
        details.push(kind::XDP_FILL_RING, &numbers(&[512]));
        details.push(kind::XDP_COMPLETION_RING, &numbers(&[256]));
        let counters: Vec<u8> = (1u64..7).flat_map(u64::to_ne_bytes).collect();
        details.push(kind::XDP_STATS, &counters);
        let mut out = Vec::new();
        push_xdp(&mut out, &details);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            " rx(entries:2048) tx(entries:1024) umem(id:3,size:16777216,num_pages:4096,chunk_size:2048,headroom:0,\
             ifindex:2,qid:1,zc:1,refs:2) fr(entries:512) cr(entries:256) stats(rx dropped:1,rx invalid:2,\
             rx queue full:3,rx fill ring empty:4,tx invalid:5,tx ring empty:6)"
        );
        let mut out = Vec::new();
        push_xdp(
            &mut out,
            &super::tests::details(kind::XDP_FILL_RING, &numbers(&[512])),
        );
        assert!(out.is_empty(), "without memory, there are no rings to fill");
    }
}
