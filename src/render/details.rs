//! The tokens of ss for what the kernel tells beyond a row: memory (`-m`), as iproute2 7.1 prints them.

use super::text::push_number;
use crate::model::details::{Details, kind};

/// Labels of the nine counters of memory, in the order of the kernel.
const SKMEM: [&[u8]; 9] = [b"r", b",rb", b",t", b",tb", b",f", b",w", b",o", b",bl", b",d"];

/// Labels of the four old ones.
const MEM: [&[u8]; 4] = [b"r", b",w", b",f", b",t"];

/// ` skmem:(rR,rbRB,tT,tbTB,fF,wW,oO,blBL,dD)`, without the counters that a short attribute lacks; ` mem:(…)` from
/// kernels that have only that.
pub fn push_memory(out: &mut Vec<u8>, details: &Details) {
    if let Some(counters) = details.get(kind::SKMEMINFO) {
        out.extend_from_slice(b" skmem:(");
        for (label, counter) in SKMEM.into_iter().zip(numbers(counters)) {
            out.extend_from_slice(label);
            push_number(out, counter);
        }
        out.push(b')');
    } else if let Some(counters) = details.get(kind::MEMINFO) {
        out.extend_from_slice(b" mem:(");
        for (label, counter) in MEM.into_iter().zip(numbers(counters)) {
            out.extend_from_slice(label);
            push_number(out, counter);
        }
        out.push(b')');
    }
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
    fn all_counters_of_memory_are_written_as_far_as_they_came() {
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
