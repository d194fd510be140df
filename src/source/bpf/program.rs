//! The programs that run in the kernel, once for every open file of every task: that of [`holders`] writes a
//! [`super::record::Record`] for each file that is a wanted socket; that of [`reader_level`] determines which pid
//! namespace we are in.
//!
//! Pure: takes offsets and options, returns instructions. Both follow pointers only with loads that the kernel makes
//! safe (an invalid pointer reads as zero), so a task that ends meanwhile causes at worst a record with pid 0, which
//! the reader drops.
//!
//! Sources: linux 6.18 `kernel/bpf/task_iter.c` (the context and the tasks that are visited), `include/linux/net.h`,
//! `include/linux/pid.h`.

use netlink_packet_sock_diag::constants::{TCP_CLOSE, TCP_LISTEN};

use super::assembler::{Assembler, Helper, Label, Register, Width};
use super::btf::Layout;
use super::{Narrow, Wanted};
use crate::source::uapi::SS_UNCONNECTED;
use Register::{Frame, R0, R1, R2, R3, R6, R7, R8, R9};
use Width::{U8, U16, U32, U64};

/// Members of `struct bpf_iter__task_file`, the context: fixed since 5.8, eight bytes each.
mod context {
    pub(super) const META: i16 = 0;
    pub(super) const TASK: i16 = 8;
    pub(super) const FD: i16 = 16;
    pub(super) const FILE: i16 = 24;
}
/// `bpf_iter_meta.seq`, its first member.
const META_SEQ: i16 = 0;
/// `signal_struct.pids[PIDTYPE_TGID]`: the second pointer.
const PIDS_TGID: i16 = 8;

/// Offsets of a record's fields below the end of the stack frame, in the order of
/// [`super::record::Record::from_bytes`].
mod slot {
    pub(super) const PID: i16 = -24;
    pub(super) const TID: i16 = -20;
    pub(super) const FD: i16 = -16;
    pub(super) const INODE: i16 = -12;
    pub(super) const NETNS: i16 = -8;
    pub(super) const FLAGS: i16 = -4;
}
/// Size of a record: all of these slots.
const RECORD_BYTES: i32 = -(slot::PID as i32);

/// Deepest nesting of pid namespaces (`MAX_PID_NS_LEVEL`, `include/linux/pid_namespace.h`).
pub(super) const DEEPEST_LEVEL: u32 = 32;
/// Number of bytes that the program of [`reader_level`] writes for every file: the level, a 32-bit number.
const LEVEL_BYTES: i32 = 4;

/// Returns a program that writes a record for every wanted socket, with pids as seen in a pid namespace at the given
/// depth (0 is the initial one). `None` if the offset of such a pid does not fit into an instruction.
pub(super) fn holders(layout: &Layout, wanted: Wanted, level: u32) -> Option<Vec<u64>> {
    let number = i16::try_from(level.min(DEEPEST_LEVEL))
        .ok()
        .and_then(|level| layout.pid_number_step.checked_mul(level))
        .and_then(|steps| layout.pid_number.checked_add(steps))?;
    let thread_group = layout.signal_pids.checked_add(PIDS_TGID)?;
    let number = Number {
        offset: number,
        is_nested: level > 0,
    };

    let mut a = Assembler::default();
    let out = a.label();
    a.copy(R6, R1);
    a.load(U64, R7, R6, context::FILE);
    a.jump_if_equal(R7, 0, out);
    a.copy(R1, R7);
    a.call(Helper::SocketFromFile);
    a.jump_if_equal(R0, 0, out);
    a.copy(R8, R0);
    narrow(&mut a, layout, wanted, out);

    facts(&mut a, layout, wanted);
    a.load(U64, R1, R7, layout.file_inode);
    // The whole 64-bit member is loaded, so that its low half is right in either byte order.
    a.load(U64, R1, R1, layout.inode_number);
    a.store(U32, Frame, slot::INODE, R1);
    a.load(U32, R1, R6, context::FD);
    a.store(U32, Frame, slot::FD, R1);

    a.load(U64, R8, R6, context::TASK);
    a.jump_if_equal(R8, 0, out);
    a.load(U64, R1, R8, layout.task_signal);
    a.load(U64, R1, R1, thread_group);
    number.store(&mut a, slot::PID);
    // A thread other than the leader is visited only if it does not share the leader's file table.
    let leader = a.label();
    a.store_value(U32, Frame, slot::TID, 0);
    a.load(U32, R1, R8, layout.task_pid);
    a.load(U32, R2, R8, layout.task_tgid);
    a.jump_if_same(R1, R2, leader);
    a.load(U64, R1, R8, layout.task_thread_pid);
    number.store(&mut a, slot::TID);
    a.bind(leader);

    write(&mut a, RECORD_BYTES);
    a.bind(out);
    a.set(R0, 0);
    a.exit();
    Some(a.finish())
}

/// Returns a program that writes, at the first file it visits, the depth of the reading task's pid namespace.
///
/// It copies instead of loading: for a load through a trusted task pointer, the verifier searches all kernel types for
/// one that does not exist, which takes longer than everything else here together (measured on 6.18).
pub(super) fn reader_level(layout: &Layout) -> Vec<u64> {
    const POINTER: i16 = -8;
    const LEVEL: i16 = -4;
    let mut a = Assembler::default();
    a.copy(R6, R1);
    a.call(Helper::CurrentTask);
    a.copy(R3, R0);
    read_kernel(&mut a, layout.task_thread_pid, POINTER, 8);
    a.load(U64, R3, Frame, POINTER);
    read_kernel(&mut a, layout.pid_level, LEVEL, LEVEL_BYTES);
    write(&mut a, LEVEL_BYTES);
    a.set(R0, 0);
    a.exit();
    a.finish()
}

/// The shortest valid program, which does nothing.
pub(super) fn idle() -> Vec<u64> {
    let mut a = Assembler::default();
    a.set(R0, 0);
    a.exit();
    a.finish()
}

/// Continues only with wanted sockets; R8 points to the `struct socket`. That struct is nearly always enough to decide;
/// `struct sock`, another cache miss, is read last and only if necessary, with its address in R9.
fn narrow(a: &mut Assembler, layout: &Layout, wanted: Wanted, out: Label) {
    let (families, socket_type) = match wanted.narrow {
        Narrow::Any => (None, None),
        Narrow::Inet => (Some([libc::AF_INET, libc::AF_INET6]), None),
        Narrow::Tcp => (Some([libc::AF_INET, libc::AF_INET6]), Some(libc::SOCK_STREAM)),
        Narrow::Udp => (Some([libc::AF_INET, libc::AF_INET6]), Some(libc::SOCK_DGRAM)),
        Narrow::Unix => (Some([libc::AF_UNIX; 2]), None),
    };
    if wanted.listeners_only {
        a.load(U32, R1, R8, layout.socket_state);
        a.jump_unless_equal(R1, SS_UNCONNECTED, out);
    }
    if let Some(socket_type) = socket_type {
        a.load(U16, R1, R8, layout.socket_type);
        a.jump_unless_equal(R1, socket_type, out);
    }
    if let Some(families) = families {
        // There is one such struct per protocol, so it is always cached.
        a.load(U64, R1, R8, layout.socket_ops);
        a.load(U32, R1, R1, layout.ops_family);
        one_of(a, families, out);
    }
    if wanted.listeners_only || wanted.facts {
        a.load(U64, R9, R8, layout.socket_sk);
    }
    if wanted.listeners_only {
        a.load(U8, R1, R9, layout.sk_state);
        one_of(a, [TCP_LISTEN.into(), TCP_CLOSE.into()], out);
    }
}

/// Continues only if R1 has one of two values.
fn one_of(a: &mut Assembler, [one, other]: [i32; 2], out: Label) {
    let found = a.label();
    a.jump_if_equal(R1, one, found);
    a.jump_unless_equal(R1, other, out);
    a.bind(found);
}

/// Stores the flag byte and the network namespace of the `struct sock` in R9, or zeroes if they were not requested.
fn facts(a: &mut Assembler, layout: &Layout, wanted: Wanted) {
    if wanted.facts {
        a.load(U8, R1, R9, layout.sk_flags);
        a.store(U32, Frame, slot::FLAGS, R1);
        a.load(U64, R1, R9, layout.sk_net);
        a.load(U32, R1, R1, layout.net_inum);
        a.store(U32, Frame, slot::NETNS, R1);
    } else {
        a.store_value(U32, Frame, slot::FLAGS, 0);
        a.store_value(U32, Frame, slot::NETNS, 0);
    }
}

/// The offset in a `struct pid` of the id in the wanted pid namespace.
struct Number {
    offset: i16,
    /// Outside the initial namespace. Kernels before 6.6 declare `pid.numbers` with one element and reject loads past
    /// it, so a helper copies the number.
    is_nested: bool,
}

impl Number {
    /// Stores the number of the `struct pid` in R1 into the record.
    fn store(&self, a: &mut Assembler, slot: i16) {
        if self.is_nested {
            a.copy(R3, R1);
            read_kernel(a, self.offset, slot, 4);
        } else {
            a.load(U32, R1, R1, self.offset);
            a.store(U32, Frame, slot, R1);
        }
    }
}

/// Copies bytes at an offset of the address in R3 to the stack; zeroes if they cannot be read.
fn read_kernel(a: &mut Assembler, offset: i16, slot: i16, length_bytes: i32) {
    a.add(R3, offset.into());
    a.copy(R1, Frame);
    a.add(R1, slot.into());
    a.set(R2, length_bytes);
    a.call(Helper::ProbeReadKernel);
}

/// Passes the lowest bytes of the used part of the stack to the reader.
fn write(a: &mut Assembler, length_bytes: i32) {
    a.load(U64, R1, R6, context::META);
    a.load(U64, R1, R1, META_SEQ);
    a.copy(R2, Frame);
    a.add(R2, -length_bytes);
    a.set(R3, length_bytes);
    a.call(Helper::SeqWrite);
}

#[cfg(test)]
mod tests;
