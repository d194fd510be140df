//! Runs the programs in an interpreter for the few instructions they use, on a toy kernel with a handful of addresses.

use std::collections::HashMap;

use super::super::btf::FlagMasks;
use super::*;

/// All offsets differ, so that a mix-up is noticed.
const LAYOUT: Layout = Layout {
    iterator_id: 1,
    task_pid: 101,
    task_tgid: 102,
    task_thread_pid: 103,
    task_signal: 104,
    signal_pids: 110,
    pid_level: 120,
    pid_number: 130,
    pid_number_step: 16,
    file_inode: 201,
    inode_number: 202,
    socket_state: 301,
    socket_type: 302,
    socket_ops: 303,
    ops_family: 304,
    socket_sk: 305,
    sk_state: 401,
    sk_net: 402,
    sk_flags: 403,
    flags: FlagMasks {
        reuseaddr: 0x0f,
        reuseport: 0x10,
        v6only: 0x20,
    },
    net_inum: 404,
};

// Objects of the toy kernel, far apart.
const CONTEXT: u64 = 0x1000;
const META: u64 = 0x2000;
const SEQ: u64 = 0x3000;
const TASK: u64 = 0x4000;
const FILE: u64 = 0x5000;
const INODE: u64 = 0x6000;
const SOCKET: u64 = 0x7000;
const OPS: u64 = 0x8000;
const SOCK: u64 = 0x9000;
const NET: u64 = 0xa000;
const SIGNAL: u64 = 0xb000;
const PROCESS_PID: u64 = 0xc000;
const THREAD_PID: u64 = 0xd000;
const STACK_END: u64 = 0xf000;

/// A value at each address that holds one, whatever its width.
struct Kernel {
    memory: HashMap<u64, u64>,
    /// Whether struct sock was read.
    touched_sock: bool,
    written: Vec<u32>,
}

fn at(base: u64, offset: i16) -> u64 {
    base.wrapping_add_signed(offset.into())
}

/// Descriptor 5 of process 700 (its number in the namespace at level 1: 70), a TCP listener with
/// inode 900 in namespace 800.
fn kernel() -> Kernel {
    let l = LAYOUT;
    let memory = [
        (at(CONTEXT, context::META), META),
        (at(CONTEXT, context::TASK), TASK),
        (at(CONTEXT, context::FD), 5),
        (at(CONTEXT, context::FILE), FILE),
        (META, SEQ),
        (at(FILE, l.file_inode), INODE),
        (at(INODE, l.inode_number), 900),
        (at(SOCKET, l.socket_state), 1),
        (at(SOCKET, l.socket_type), 1),
        (at(SOCKET, l.socket_ops), OPS),
        (at(OPS, l.ops_family), 2),
        (at(SOCKET, l.socket_sk), SOCK),
        (at(SOCK, l.sk_state), 10),
        (at(SOCK, l.sk_flags), 0x31),
        (at(SOCK, l.sk_net), NET),
        (at(NET, l.net_inum), 800),
        (at(TASK, l.task_pid), 700),
        (at(TASK, l.task_tgid), 700),
        (at(TASK, l.task_signal), SIGNAL),
        (at(TASK, l.task_thread_pid), THREAD_PID),
        (at(SIGNAL, l.signal_pids + 8), PROCESS_PID),
        (at(PROCESS_PID, l.pid_number), 700),
        (at(PROCESS_PID, l.pid_number + 16), 70),
        (at(THREAD_PID, l.pid_number), 701),
        (at(THREAD_PID, l.pid_number + 16), 71),
        (at(THREAD_PID, l.pid_level), 1),
    ];
    Kernel {
        memory: memory.into(),
        touched_sock: false,
        written: Vec::new(),
    }
}

impl Kernel {
    fn with(mut self, base: u64, offset: i16, value: u64) -> Self {
        self.memory.insert(at(base, offset), value);
        self
    }

    fn run(mut self, code: &[u64]) -> Self {
        let mut registers = [0_u64; 11];
        (registers[1], registers[10]) = (CONTEXT, STACK_END);
        let mut next = 0;
        loop {
            let [operation, pair, o0, o1, v @ ..] = code[next].to_ne_bytes();
            let (low, high) = (usize::from(pair & 0xf), usize::from(pair >> 4));
            let (to, from) = if cfg!(target_endian = "little") {
                (low, high)
            } else {
                (high, low)
            };
            let offset = i16::from_ne_bytes([o0, o1]);
            let value = i64::from(i32::from_ne_bytes(v)).cast_unsigned();
            let target = next + 1 + usize::try_from(offset).unwrap_or_default();
            next += 1;
            match operation {
                0x61 | 0x69 | 0x71 | 0x79 => registers[to] = self.load(at(registers[from], offset)),
                0x62 => self.store(at(registers[to], offset), value),
                0x63 => self.store(at(registers[to], offset), registers[from]),
                0xbf => registers[to] = registers[from],
                0xb7 => registers[to] = value,
                0x07 => registers[to] = registers[to].wrapping_add(value),
                0x15 if registers[to] == value => next = target,
                0x55 if registers[to] != value => next = target,
                0x1d if registers[to] == registers[from] => next = target,
                0x15 | 0x55 | 0x1d => {}
                0x85 => registers[0] = self.call(value, &registers),
                0x95 => break,
                other => panic!("operation {other:#x}"),
            }
        }
        assert_eq!(registers[0], 0, "anything else would repeat the visit");
        self
    }

    fn load(&mut self, address: u64) -> u64 {
        self.touched_sock |= (SOCK..SOCK + 0x1000).contains(&address);
        *self
            .memory
            .get(&address)
            .unwrap_or_else(|| panic!("nothing is at {address:#x}"))
    }

    fn store(&mut self, address: u64, value: u64) {
        assert!((STACK_END - 512..STACK_END).contains(&address));
        self.memory.insert(address, value);
    }

    fn call(&mut self, helper: u64, registers: &[u64; 11]) -> u64 {
        match helper {
            35 => TASK,
            113 => {
                let value = self.load(registers[3]);
                self.store(registers[1], value);
                0
            }
            127 => {
                assert_eq!(registers[1], SEQ);
                for address in (registers[2]..registers[2] + registers[3]).step_by(4) {
                    let word = self.load(address);
                    self.written.push(word.try_into().unwrap());
                }
                0
            }
            162 => self
                .memory
                .get(&registers[1].wrapping_add(8))
                .copied()
                .unwrap_or(SOCKET),
            other => panic!("helper {other}"),
        }
    }
}

const ALL: Wanted = Wanted {
    listeners_only: false,
    narrow: Narrow::Any,
    facts: true,
};

fn written(kernel: Kernel, wanted: Wanted) -> Vec<u32> {
    kernel.run(&holders(&LAYOUT, wanted, 0).unwrap()).written
}

fn is_written(kernel: Kernel, wanted: Wanted) -> bool {
    !written(kernel, wanted).is_empty()
}

#[test]
fn a_record_has_all_facts_in_order() {
    assert_eq!(written(kernel(), ALL), [700, 0, 5, 900, 800, 0x31]);
}

#[test]
fn without_facts_struct_sock_is_left_alone() {
    for narrow in [Narrow::Any, Narrow::Inet, Narrow::Tcp] {
        let kernel = kernel().run(
            &holders(
                &LAYOUT,
                Wanted {
                    facts: false,
                    narrow,
                    ..ALL
                },
                0,
            )
            .unwrap(),
        );
        assert_eq!(kernel.written, [700, 0, 5, 900, 0, 0]);
        assert!(!kernel.touched_sock);
    }
}

#[test]
fn a_thread_with_its_own_table_has_its_number_too() {
    let thread = || kernel().with(TASK, LAYOUT.task_pid, 701);
    assert_eq!(written(thread(), ALL)[..2], [700, 701]);
    let nested = thread().run(&holders(&LAYOUT, ALL, 1).unwrap());
    assert_eq!(nested.written, [70, 71, 5, 900, 800, 0x31]);
}

#[test]
fn other_files_and_the_last_visit_write_nothing() {
    assert!(!is_written(kernel().with(FILE, 8, 0), ALL));
    assert!(!is_written(kernel().with(CONTEXT, context::FILE, 0), ALL));
    assert!(!is_written(kernel().with(CONTEXT, context::TASK, 0), ALL));
}

#[test]
fn listeners_are_recognised_by_both_states() {
    let listeners = Wanted {
        listeners_only: true,
        ..ALL
    };
    let with_state = |state| kernel().with(SOCK, LAYOUT.sk_state, state);
    for state in 0..16 {
        assert_eq!(
            is_written(with_state(state), listeners),
            [7, 10].contains(&state),
            "state {state}"
        );
        assert!(is_written(with_state(state), ALL));
    }
    // Connected, like nearly all sockets, so decided without struct sock.
    let connected = kernel()
        .with(SOCKET, LAYOUT.socket_state, 3)
        .run(&holders(&LAYOUT, listeners, 0).unwrap());
    assert!(connected.written.is_empty() && !connected.touched_sock);
}

#[test]
fn kinds_are_recognised_by_family_and_type() {
    let narrows = [Narrow::Any, Narrow::Inet, Narrow::Tcp, Narrow::Udp, Narrow::Unix];
    let seen = |family, socket_type| {
        narrows.map(|narrow| {
            let socket =
                kernel()
                    .with(OPS, LAYOUT.ops_family, family)
                    .with(SOCKET, LAYOUT.socket_type, socket_type);
            is_written(socket, Wanted { narrow, ..ALL })
        })
    };
    assert_eq!(seen(2, 1), [true, true, true, false, false]);
    assert_eq!(seen(10, 1), [true, true, true, false, false]);
    assert_eq!(seen(2, 2), [true, true, false, true, false]);
    assert_eq!(seen(10, 3), [true, true, false, false, false]);
    assert_eq!(seen(1, 1), [true, false, false, false, true]);
    assert_eq!(seen(1, 2), [true, false, false, false, true]);
    assert_eq!(seen(16, 3), [true, false, false, false, false]);
}

#[test]
fn the_readers_level_is_read_through_its_own_pid() {
    assert_eq!(kernel().run(&reader_level(&LAYOUT)).written, [1]);
}

#[test]
fn an_offset_out_of_reach_is_rejected() {
    let far = Layout {
        pid_number: i16::MAX - 20,
        ..LAYOUT
    };
    assert!(holders(&far, ALL, 1).is_some());
    assert!(holders(&far, ALL, 2).is_none());
    assert!(holders(&LAYOUT, ALL, DEEPEST_LEVEL).is_some());
}
