//! Lists of texts that the kernel reports as bytes: socket filter programs and SCTP addresses.

use crate::model::details::sctp::Addresses;

/// Several texts, formatted only on demand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List<'a> {
    /// Instructions of a classic BPF program (`struct sock_filter`, linux 6.18 include/uapi/linux/filter.h).
    Program(&'a [u8]),
    /// IP addresses.
    Addresses(Addresses<'a>),
}

impl List<'_> {
    /// Returns the texts. An instruction is code, two jumps and operand: `0x15 0 1 2054`.
    pub fn texts(&self) -> Vec<String> {
        match self {
            Self::Program(program) => program.chunks_exact(8).filter_map(instruction).collect(),
            Self::Addresses(addresses) => addresses.iter().map(|address| address.to_string()).collect(),
        }
    }
}

fn instruction(bytes: &[u8]) -> Option<String> {
    let &[c0, c1, jump_true, jump_false, k0, k1, k2, k3] = bytes else {
        return None;
    };
    let code = u16::from_ne_bytes([c0, c1]);
    let operand = u32::from_ne_bytes([k0, k1, k2, k3]);
    Some(format!("{code:#04x} {jump_true} {jump_false} {operand}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_are_texts_and_a_partial_one_is_ignored() {
        let program = [
            &0x06_u16.to_ne_bytes()[..],
            &[0, 1],
            &65_535_u32.to_ne_bytes(),
            &[1, 2],
        ]
        .concat();
        assert_eq!(List::Program(&program).texts(), ["0x06 0 1 65535"]);
    }
}
