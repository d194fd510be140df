//! The tokens of ss for packet and XDP sockets: `-e` and `-b`, as iproute2 7.1 prints them in one line.

use super::text::{push_hex, push_number};
use crate::model::details::layout::{Form, Struct};
use crate::model::details::link::{FANOUT, FANOUTS, PACKET, XDP_RINGS};
use crate::model::details::{Details, kind};

/// What `-e` shows of a packet socket: ` ver:V cpy_thresh:N flags( running … )`, with `0` in the place of no flag,
/// then rings and fan-out group.
pub fn push_info(out: &mut Vec<u8>, details: &Details) {
    let [version, threshold, _, flags @ ..] = &PACKET;
    if let Some(info) = details.packet()
        && let (Some(version), Some(threshold)) = (info.value(version), info.value(threshold))
        && flags.iter().all(|flag| info.value(flag).is_some())
    {
        out.extend_from_slice(b" ver:");
        push_number(out, version);
        out.extend_from_slice(b" cpy_thresh:");
        push_number(out, threshold);
        out.extend_from_slice(b" flags(");
        let mut any = false;
        for flag in flags.iter().filter(|flag| info.value(flag) == Some(1)) {
            out.push(b' ');
            out.extend_from_slice(flag.key.as_bytes());
            any = true;
        }
        if !any {
            out.extend_from_slice(b" 0");
        }
        out.extend_from_slice(b" )");
    }
    push_labelled(out, b" ring_rx(", &RING, details.rx_ring());
    push_labelled(out, b" ring_tx(", &RING, details.tx_ring());
    push_fanout(out, details);
}

/// ss's labels for the parts of a ring, in their order.
const RING: [&str; 6] = [
    "blk_size:",
    ",blk_nr:",
    ",frm_size:",
    ",frm_nr:",
    ",tmo:",
    ",features:0x",
];

/// What `-e` shows of an XDP socket: rings, frame memory and counters.
pub fn push_xdp(out: &mut Vec<u8>, details: &Details) {
    let rings = details.xdp_rings();
    let [rx, tx, fill, completion] = &XDP_RINGS;
    let ring = |out: &mut Vec<u8>, label: &[u8], part| {
        if let Some(entries) = rings.and_then(|rings| rings.value(part)) {
            out.extend_from_slice(label);
            push_number(out, entries);
            out.push(b')');
        }
    };
    ring(out, b" rx(entries:", rx);
    ring(out, b" tx(entries:", tx);
    let memory = details.xdp_umem();
    push_umem(out, memory);
    if memory.is_some() {
        ring(out, b" fr(entries:", fill);
        ring(out, b" cr(entries:", completion);
    }
    push_labelled(out, b" stats(", &STATS, details.xdp_stats());
}

/// ss's labels for the counters, in their order.
const STATS: [&str; 6] = [
    "rx dropped:",
    ",rx invalid:",
    ",rx queue full:",
    ",rx fill ring empty:",
    ",tx invalid:",
    ",tx ring empty:",
];

/// ss's labels for the frame memory, in its order: the number comes before the length.
const UMEM: [&str; 9] = [
    ",size:",
    "id:",
    ",num_pages:",
    ",chunk_size:",
    ",headroom:",
    ",ifindex:",
    ",qid:",
    ",zc:",
    ",refs:",
];

fn push_umem(out: &mut Vec<u8>, memory: Option<Struct<'_>>) {
    let Some(memory) = memory else { return };
    out.extend_from_slice(b" umem(");
    let mut labelled: Vec<_> = UMEM.iter().zip(memory.parts).collect();
    labelled.swap(0, 1);
    for (label, part) in labelled {
        out.extend_from_slice(label.as_bytes());
        push_number(out, memory.value(part).unwrap_or(0));
    }
    out.push(b')');
}

/// The parts of a structure behind their labels; what it lacks is 0, as in ss.
fn push_labelled(out: &mut Vec<u8>, start: &[u8], labels: &[&str; 6], structure: Option<Struct<'_>>) {
    let Some(structure) = structure else { return };
    out.extend_from_slice(start);
    for (label, part) in labels.iter().zip(structure.parts) {
        out.extend_from_slice(label.as_bytes());
        let number = structure.value(part).unwrap_or(0);
        if part.form == Form::Hex {
            push_hex(out, number);
        } else {
            push_number(out, number);
        }
    }
    out.push(b')');
}

/// How many of the words for fan-outs ss has; it writes the others as numbers.
const FANOUTS_OF_SS: u64 = 6;

fn push_fanout(out: &mut Vec<u8>, details: &Details) {
    let [id, kind] = &FANOUT;
    let Some(fanout) = details.fanout() else { return };
    let (Some(id), Some(kind)) = (fanout.value(id), fanout.value(kind)) else {
        return;
    };
    out.extend_from_slice(b" fanout(id:");
    push_number(out, id);
    out.extend_from_slice(b",type:");
    match FANOUTS.iter().find(|(number, _)| *number == kind) {
        Some((_, word)) if kind < FANOUTS_OF_SS => out.extend_from_slice(word.as_bytes()),
        _ => {
            out.extend_from_slice(b"0x");
            push_hex(out, kind);
        }
    }
    out.push(b')');
}

/// ` bpf filter (N): ` and ` 0xCC jt jf k,` for each instruction; nothing without a program.
pub fn push_filter(out: &mut Vec<u8>, details: &Details) {
    let Some(program) = details.get(kind::PACKET_FILTER) else {
        return;
    };
    out.extend_from_slice(b" bpf filter (");
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
    fn flags_have_names_and_none_is_a_zero() {
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
        assert_eq!(shown(1, 23), "", "cut short");
    }
    fn numbers(numbers: &[u32]) -> Vec<u8> {
        numbers.iter().flat_map(|number| number.to_ne_bytes()).collect()
    }

    #[test]
    fn rings_and_groups_of_packet_sockets_are_told() {
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
    fn rings_memory_and_counters_of_xdp_sockets_are_told() {
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
        assert!(out.is_empty(), "without memory there is nothing to fill");
    }
}
