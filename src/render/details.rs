//! The ss tokens for memory (`-m`), type of service and socket options, as iproute2 7.1 prints them.

use super::text::{push_each, push_hex, push_number};
use super::token::token;
use crate::model::details::{Details, kind};
use crate::query::field::{Field, FieldInfo, socket_option_words};

/// The four memory counters of kernels before 3.5, in the kernel's order.
const MEM: [Field; 4] = [
    Field::RmemAlloc,
    Field::WmemQueued,
    Field::FwdAlloc,
    Field::WmemAlloc,
];

/// ` skmem:(rR,rbRB,tT,tbTB,fF,wW,oO,blBL,dD)`, without the counters that a short attribute lacks; ` mem:(…)` from
/// kernels that report only that.
pub fn push_memory(out: &mut Vec<u8>, details: &Details) {
    if let Some(counters) = details.get(kind::SKMEMINFO) {
        out.extend_from_slice(token!(Memory));
        let tokens = Field::Memory.parts().iter().map(FieldInfo::token);
        push_counters(out, tokens.zip(numbers(counters)));
    } else if let Some(counters) = details.get(kind::MEMINFO) {
        out.extend_from_slice(b" mem:(");
        push_counters(out, MEM.map(Field::token).into_iter().zip(numbers(counters)));
    }
}

fn push_counters(out: &mut Vec<u8>, counters: impl Iterator<Item = (&'static str, u32)>) {
    push_each(out, b',', counters, |out, (token, counter)| {
        out.extend_from_slice(token.as_bytes());
        push_number(out, counter);
    });
    out.push(b')');
}

/// ` tos:0xN tclass:0xN class_id:0xN`; zero has no `0x`, as with C's `%#x`.
pub fn push_tos(out: &mut Vec<u8>, details: &Details) {
    for (token, kind) in [
        (&token!(Tos)[..], kind::TOS),
        (token!(Tclass), kind::TCLASS),
        (token!(ClassId), kind::CLASS_ID),
    ] {
        if let Some(number) = details.number(kind) {
            out.extend_from_slice(token);
            if number != 0 {
                out.extend_from_slice(b"0x");
            }
            push_hex(out, number);
        }
    }
}

/// ` inet-sockopt: ( NAME …)` with the names of the options that are set.
pub fn push_socket_options(out: &mut Vec<u8>, options: Option<u16>) {
    let Some(options) = options else { return };
    out.extend_from_slice(token!(SocketOptions));
    for word in socket_option_words(options) {
        out.push(b' ');
        out.extend_from_slice(word.as_bytes());
    }
    out.push(b')');
}

fn numbers(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes
        .chunks_exact(4)
        .filter_map(|bytes| bytes.first_chunk())
        .map(|bytes| u32::from_ne_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(kind: u16, counters: &[u32]) -> String {
        let mut details = Details::default();
        let bytes: Vec<u8> = counters.iter().flat_map(|it| it.to_ne_bytes()).collect();
        details.push(kind, &bytes);
        let mut out = Vec::new();
        push_memory(&mut out, &details);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_memory_counters_in_the_attribute_are_written() {
        let all = [0, 131_072, 1, 87_040, 2, 3, 4, 5, 6];
        assert_eq!(
            shown(kind::SKMEMINFO, &all),
            " skmem:(r0,rb131072,t1,tb87040,f2,w3,o4,bl5,d6)"
        );
        assert_eq!(
            shown(kind::SKMEMINFO, &all[..7]),
            " skmem:(r0,rb131072,t1,tb87040,f2,w3,o4)"
        );
        assert_eq!(shown(kind::MEMINFO, &[1, 2, 3, 4]), " mem:(r1,w2,f3,t4)");
        assert_eq!(shown(kind::TOS, &[1]), "");
    }
}
