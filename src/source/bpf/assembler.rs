//! A small assembler for BPF: named registers, named operations, forward jumps to labels.
//!
//! Pure. It has only the instructions that [`super::program`] needs, and no backward jumps: a label can be bound once,
//! after all jumps to it.
//!
//! Encoding: RFC 9669 and linux 6.18 include/uapi/linux/bpf.h (`struct bpf_insn`): operation, two
//! registers of four bits, 16-bit offset, 32-bit constant, each in the byte order of the machine.

/// A register. After a call, `R0` holds the result, `R1` to `R5` are undefined, and the others are unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Register {
    /// Result of a call or of the program.
    R0 = 0,
    /// First argument; holds the context at the start.
    R1 = 1,
    R2 = 2,
    R3 = 3,
    R6 = 6,
    R7 = 7,
    R8 = 8,
    R9 = 9,
    /// End of the stack frame, which grows downwards from here; read-only.
    Frame = 10,
}

/// Width of a load or store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Width {
    U8,
    U16,
    U32,
    U64,
}

impl Width {
    fn bits(self) -> u8 {
        match self {
            Self::U32 => 0x00,
            Self::U16 => 0x08,
            Self::U8 => 0x10,
            Self::U64 => 0x18,
        }
    }
}

/// Kernel functions that a program may call, as numbered in include/uapi/linux/bpf.h.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Helper {
    /// () → address of the current task: the one that reads the iterator.
    CurrentTask = 35,
    /// (destination on the stack, size, kernel address): copies from any address; fails on an invalid one.
    ProbeReadKernel = 113,
    /// (seq file, bytes on the stack, length): appends them to the output of the iterator. Only for GPL programs.
    SeqWrite = 127,
    /// (file) → its `struct socket *`, or null if it is not a socket. Linux 5.11.
    SocketFromFile = 162,
}

/// A jump target.
#[derive(Debug, Clone, Copy)]
pub(super) struct Label(usize);

/// A program under construction.
#[derive(Debug, Default)]
pub(super) struct Assembler {
    code: Vec<u64>,
    /// The position of each label, once bound.
    labels: Vec<Option<usize>>,
    /// Jumps whose offset is not known yet: (index in the code, label).
    jumps: Vec<(usize, Label)>,
}

impl Assembler {
    /// Creates a label, to be bound later.
    pub(super) fn label(&mut self) -> Label {
        self.labels.push(None);
        Label(self.labels.len() - 1)
    }

    /// Binds the label to the next instruction.
    pub(super) fn bind(&mut self, label: Label) {
        if let Some(place) = self.labels.get_mut(label.0) {
            *place = Some(self.code.len());
        }
    }

    /// `to = *(width *)(base + offset)`
    pub(super) fn load(&mut self, width: Width, to: Register, base: Register, offset: i16) {
        self.push(0x61 | width.bits(), to, base, offset, 0);
    }

    /// `*(width *)(base + offset) = from`
    pub(super) fn store(&mut self, width: Width, base: Register, offset: i16, from: Register) {
        self.push(0x63 | width.bits(), base, from, offset, 0);
    }

    /// `*(width *)(base + offset) = value`
    pub(super) fn store_value(&mut self, width: Width, base: Register, offset: i16, value: i32) {
        self.push(0x62 | width.bits(), base, Register::R0, offset, value);
    }

    /// `to = from`
    pub(super) fn copy(&mut self, to: Register, from: Register) {
        self.push(0xbf, to, from, 0, 0);
    }

    /// `to = value`
    pub(super) fn set(&mut self, to: Register, value: i32) {
        self.push(0xb7, to, Register::R0, 0, value);
    }

    /// `to += value`
    pub(super) fn add(&mut self, to: Register, value: i32) {
        self.push(0x07, to, Register::R0, 0, value);
    }

    /// Jumps if the 64-bit register equals the constant.
    pub(super) fn jump_if_equal(&mut self, register: Register, value: i32, label: Label) {
        self.push_jump(0x15, register, Register::R0, value, label);
    }

    /// Jumps if the 64-bit register differs from the constant.
    pub(super) fn jump_unless_equal(&mut self, register: Register, value: i32, label: Label) {
        self.push_jump(0x55, register, Register::R0, value, label);
    }

    /// Jumps if both 64-bit registers are equal.
    pub(super) fn jump_if_same(&mut self, one: Register, other: Register, label: Label) {
        self.push_jump(0x1d, one, other, 0, label);
    }

    /// Calls a kernel function.
    pub(super) fn call(&mut self, helper: Helper) {
        self.push(0x85, Register::R0, Register::R0, 0, helper as i32);
    }

    /// Ends the program with the result in `R0`.
    pub(super) fn exit(&mut self) {
        self.push(0x95, Register::R0, Register::R0, 0, 0);
    }

    /// Returns the instructions. A jump to a label that was never bound, or was bound before the jump, jumps to the
    /// next instruction.
    pub(super) fn finish(mut self) -> Vec<u64> {
        for (at, label) in self.jumps {
            let target = self.labels.get(label.0).copied().flatten();
            let skipped = target.and_then(|target| target.checked_sub(at + 1));
            if let (Some(skipped), Some(jump)) =
                (skipped.and_then(|n| i16::try_from(n).ok()), self.code.get_mut(at))
            {
                let mut bytes = jump.to_ne_bytes();
                if let Some(offset) = bytes.get_mut(2..4) {
                    offset.copy_from_slice(&skipped.to_ne_bytes());
                }
                *jump = u64::from_ne_bytes(bytes);
            }
        }
        self.code
    }

    fn push_jump(&mut self, operation: u8, register: Register, other: Register, value: i32, label: Label) {
        self.jumps.push((self.code.len(), label));
        self.push(operation, register, other, 0, value);
    }

    fn push(&mut self, operation: u8, destination: Register, source: Register, offset: i16, value: i32) {
        let (destination, source) = (destination as u8, source as u8);
        let registers = if cfg!(target_endian = "little") {
            source << 4 | destination
        } else {
            destination << 4 | source
        };
        let [o0, o1] = offset.to_ne_bytes();
        let [v0, v1, v2, v3] = value.to_ne_bytes();
        self.code
            .push(u64::from_ne_bytes([operation, registers, o0, o1, v0, v1, v2, v3]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Assembles instructions that can be checked by hand. The expected words are for a little-endian machine.
    fn assembled(build: impl FnOnce(&mut Assembler)) -> Vec<[u8; 8]> {
        let mut assembler = Assembler::default();
        build(&mut assembler);
        assembler.finish().into_iter().map(u64::to_ne_bytes).collect()
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn every_instruction_has_its_encoding() {
        use Register::{Frame, R0, R1, R2, R6, R7};
        let code = assembled(|a| {
            a.load(Width::U64, R7, R6, 24);
            a.load(Width::U32, R1, R6, 0x0102);
            a.load(Width::U16, R1, R6, 16);
            a.load(Width::U8, R1, R6, 18);
            a.store(Width::U32, Frame, -8, R1);
            a.store_value(Width::U32, Frame, -4, 0);
            a.copy(R2, Frame);
            a.add(R2, -24);
            a.set(R0, 1);
            a.call(Helper::SocketFromFile);
            a.exit();
        });
        let expected: [[u8; 8]; 11] = [
            [0x79, 0x67, 24, 0, 0, 0, 0, 0],
            [0x61, 0x61, 2, 1, 0, 0, 0, 0],
            [0x69, 0x61, 16, 0, 0, 0, 0, 0],
            [0x71, 0x61, 18, 0, 0, 0, 0, 0],
            [0x63, 0x1a, 0xf8, 0xff, 0, 0, 0, 0],
            [0x62, 0x0a, 0xfc, 0xff, 0, 0, 0, 0],
            [0xbf, 0xa2, 0, 0, 0, 0, 0, 0],
            [0x07, 0x02, 0, 0, 0xe8, 0xff, 0xff, 0xff],
            [0xb7, 0x00, 0, 0, 1, 0, 0, 0],
            [0x85, 0x00, 0, 0, 162, 0, 0, 0],
            [0x95, 0x00, 0, 0, 0, 0, 0, 0],
        ];
        assert_eq!(code, expected);
    }

    #[test]
    fn a_jump_counts_the_instructions_it_skips() {
        let code = assembled(|a| {
            let (near, far) = (a.label(), a.label());
            a.jump_if_equal(Register::R0, 0, far);
            a.jump_unless_equal(Register::R1, 7, near);
            a.jump_if_same(Register::R1, Register::R2, near);
            a.set(Register::R1, 0);
            a.bind(near);
            a.set(Register::R1, 1);
            a.bind(far);
            a.exit();
        });
        let offset = |at: usize| i16::from_ne_bytes([code[at][2], code[at][3]]);
        assert_eq!((offset(0), offset(1), offset(2)), (4, 2, 1));
        assert_eq!((code[0][0], code[1][0], code[2][0]), (0x15, 0x55, 0x1d));
    }

    #[test]
    fn a_jump_to_the_next_instruction_skips_none() {
        let code = assembled(|a| {
            let here = a.label();
            a.jump_if_equal(Register::R0, 0, here);
            a.bind(here);
            a.exit();
        });
        assert_eq!(code[0][2..4], [0, 0]);
    }
}
