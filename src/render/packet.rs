//! The tokens of ss for packet sockets: `-e` and `-b`, as iproute2 7.1 prints them in one line.

use super::text::{push_hex, push_number};
use crate::model::details::{Details, kind};

/// Names of the flags of `struct packet_diag_info`, lowest bit first (linux 6.18 include/uapi/linux/packet_diag.h).
const FLAGS: [&str; 5] = ["running", "auxdata", "origdev", "vnethdr", "loss"];

/// ` ver:V cpy_thresh:N flags( running … )`, `0` in the place of no flag.
pub fn push_info(out: &mut Vec<u8>, details: &Details) {
    let word = |bytes: &[u8], at: usize| {
        let bytes = bytes.get(at..)?.first_chunk()?;
        Some(u32::from_ne_bytes(*bytes))
    };
    let Some(info) = details.get(kind::PACKET_INFO) else {
        return;
    };
    let (Some(version), Some(threshold), Some(flags)) = (word(info, 4), word(info, 12), word(info, 20))
    else {
        return;
    };
    out.extend_from_slice(b" ver:");
    push_number(out, version);
    out.extend_from_slice(b" cpy_thresh:");
    push_number(out, threshold);
    out.extend_from_slice(b" flags(");
    for (bit, name) in FLAGS.iter().enumerate() {
        if flags >> bit & 1 != 0 {
            out.push(b' ');
            out.extend_from_slice(name.as_bytes());
        }
    }
    if flags == 0 {
        out.extend_from_slice(b" 0");
    }
    out.extend_from_slice(b" )");
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
}
