//! Tests with valid and invalid type information that is built here.

use proptest::prelude::*;

use super::types::{ITERATOR, MAGIC, STRUCTS, VERSION, name_offset};
use super::*;

/// A member: name, offset in bits, width in bits.
type RawMember = (&'static str, u32, u32);

/// Type information as the kernel would give it, with the structs of [`sound`].
struct Builder {
    types: Vec<u8>,
    strings: Vec<u8>,
}

impl Builder {
    fn new() -> Self {
        Self {
            types: Vec::new(),
            strings: vec![0],
        }
    }

    fn name(&mut self, name: &'static str) -> u32 {
        if let Some(offset) = name_offset(&self.strings, name) {
            return offset;
        }
        let offset = self.strings.len();
        self.strings.extend_from_slice(name.as_bytes());
        self.strings.push(0);
        u32::try_from(offset).unwrap()
    }

    fn words(&mut self, words: &[u32]) {
        self.types
            .extend(words.iter().flat_map(|word| word.to_ne_bytes()));
    }

    fn structure(&mut self, name: &'static str, size_bytes: u32, members: &[RawMember]) {
        let name = self.name(name);
        let has_bitfields = members.iter().any(|(_, _, width)| *width > 0);
        let info = u32::from(has_bitfields) << 31 | 4 << 24 | u32::try_from(members.len()).unwrap();
        self.words(&[name, info, size_bytes]);
        for (member, bit_offset, bit_width) in members {
            let member = self.name(member);
            self.words(&[member, 1, bit_width << 24 | bit_offset]);
        }
    }

    fn function(&mut self, name: &'static str) {
        let name = self.name(name);
        self.words(&[name, 12 << 24, 1]);
    }

    fn bytes(&self) -> Vec<u8> {
        let (types, strings) = (
            u32::try_from(self.types.len()).unwrap(),
            u32::try_from(self.strings.len()).unwrap(),
        );
        let mut bytes = MAGIC.to_ne_bytes().to_vec();
        bytes.extend([VERSION, 0]);
        bytes.extend(
            [24, 0, types, types, strings]
                .iter()
                .flat_map(|word: &u32| word.to_ne_bytes()),
        );
        bytes.extend(&self.types);
        bytes.extend(&self.strings);
        bytes
    }
}

const TASK: &[RawMember] = &[
    ("pid", 80, 0),
    ("tgid", 112, 0),
    ("thread_pid", 320, 0),
    ("signal", 384, 0),
];
const SOCK_COMMON: &[RawMember] = &[
    ("skc_state", 144, 0),
    ("skc_reuse", 152, 4),
    ("skc_reuseport", 156, 1),
    ("skc_ipv6only", 157, 1),
    ("skc_net", 384, 0),
];

/// Everything wanted, after one type of every other kind and structs with other names.
fn sound() -> Builder {
    with_structs(TASK, SOCK_COMMON)
}

fn with_structs(task: &[RawMember], sock_common: &[RawMember]) -> Builder {
    let mut b = Builder::new();
    b.words(&[0, 1 << 24, 4, 32]);
    b.words(&[0, 2 << 24, 1]);
    b.words(&[0, 3 << 24, 0, 1, 1, 7]);
    b.words(&[0, 5 << 24 | 1, 8, 0, 1, 0]);
    b.words(&[0, 6 << 24 | 2, 4, 0, 0, 0, 1]);
    b.words(&[0, 13 << 24 | 1, 0, 0, 1]);
    b.words(&[0, 14 << 24, 1, 0]);
    b.words(&[0, 15 << 24 | 1, 8, 1, 0, 8]);
    b.words(&[0, 17 << 24, 1, 0]);
    b.words(&[0, 19 << 24 | 1, 8, 0, 1, 0]);
    b.structure("task_struct_of_another_name", 8, &[("pid", 8, 0)]);
    b.structure("task_struct", 3000, task);
    b.structure("task_struct", 8, &[]);
    b.structure("signal_struct", 500, &[("pids", 2880, 0)]);
    b.structure("pid", 100, &[("level", 32, 0), ("numbers", 1152, 0)]);
    b.structure("upid", 16, &[("nr", 0, 0), ("ns", 64, 0)]);
    b.structure("file", 100, &[("f_inode", 256, 0)]);
    b.structure("inode", 100, &[("i_ino", 512, 0)]);
    b.structure(
        "socket",
        100,
        &[("state", 0, 0), ("type", 32, 0), ("sk", 192, 0), ("ops", 256, 0)],
    );
    b.structure("proto_ops", 100, &[("family", 0, 0)]);
    b.structure("sock", 100, &[("__sk_common", 64, 0)]);
    b.structure("sock_common", 100, sock_common);
    b.structure("net", 100, &[("ns", 1216, 0)]);
    b.structure("ns_common", 100, &[("inum", 192, 0)]);
    b.function("bpf_iter_task");
    b.function(ITERATOR);
    b
}

#[test]
fn offsets_are_found_after_types_of_every_kind() {
    let layout = layout(&sound().bytes()).unwrap();
    let expected = Layout {
        // Ten other kinds, fourteen structs, one other function; ids begin at 1.
        iterator_id: 26,
        task_pid: 10,
        task_tgid: 14,
        task_thread_pid: 40,
        task_signal: 48,
        signal_pids: 360,
        pid_level: 4,
        pid_number: 144,
        pid_number_step: 16,
        file_inode: 32,
        inode_number: 64,
        socket_state: 0,
        socket_type: 4,
        socket_ops: 32,
        ops_family: 0,
        socket_sk: 24,
        // struct sock_common is 8 bytes into struct sock here.
        sk_state: 8 + 18,
        sk_net: 8 + 48,
        sk_flags: 8 + 19,
        flags: if cfg!(target_endian = "little") {
            FlagMasks {
                reuseaddr: 0x0f,
                reuseport: 0x10,
                v6only: 0x20,
            }
        } else {
            FlagMasks {
                reuseaddr: 0xf0,
                reuseport: 0x08,
                v6only: 0x04,
            }
        },
        net_inum: 152 + 24,
    };
    assert_eq!(layout, expected);
}

#[test]
fn types_after_the_last_wanted_one_are_not_read() {
    let mut b = sound();
    b.words(&[0, 31 << 24, 0]);
    assert!(layout(&b.bytes()).is_ok());
}

#[test]
fn an_unknown_kind_of_type_cannot_be_skipped() {
    let mut b = Builder::new();
    b.words(&[0, 20 << 24, 0]);
    let sound = sound();
    b.types.extend(&sound.types);
    b.strings.clone_from(&sound.strings);
    assert_eq!(layout(&b.bytes()), Err(BtfError::UnknownKind(20)));
}

#[test]
fn missing_types_and_members_are_named() {
    let mut without_iterator = Builder::new();
    without_iterator.name(ITERATOR);
    for name in STRUCTS {
        without_iterator.structure(name, 8, &[]);
    }
    assert_eq!(
        layout(&without_iterator.bytes()),
        Err(BtfError::MissingType(ITERATOR))
    );

    let mut without_structs = Builder::new();
    without_structs.function(ITERATOR);
    assert_eq!(
        layout(&without_structs.bytes()),
        Err(BtfError::MissingType("task_struct"))
    );
    for name in STRUCTS {
        without_structs.name(name);
    }
    assert!(matches!(
        layout(&without_structs.bytes()),
        Err(BtfError::MissingType(_))
    ));

    let error = layout(&with_structs(&TASK[1..], SOCK_COMMON).bytes()).unwrap_err();
    assert_eq!(error, BtfError::MissingMember("task_struct", "pid"));
    assert_eq!(error.to_string(), "the kernel's struct task_struct has no pid");
}

#[test]
fn members_out_of_an_instructions_reach_are_rejected() {
    let misplaced = |task: &[RawMember]| layout(&with_structs(task, SOCK_COMMON).bytes());
    let far: Vec<_> = [("pid", 8 * 32_768, 0)]
        .into_iter()
        .chain(TASK[1..].iter().copied())
        .collect();
    assert_eq!(
        misplaced(&far),
        Err(BtfError::MisplacedMember("task_struct", "pid"))
    );
    let odd: Vec<_> = [("pid", 81, 0)]
        .into_iter()
        .chain(TASK[1..].iter().copied())
        .collect();
    assert_eq!(
        misplaced(&odd),
        Err(BtfError::MisplacedMember("task_struct", "pid"))
    );
}

#[test]
fn flags_must_be_bits_of_one_byte() {
    let with_v6only = |v6only: RawMember| {
        let members: Vec<_> = SOCK_COMMON
            .iter()
            .map(|m| if m.0 == v6only.0 { v6only } else { *m })
            .collect();
        layout(&with_structs(TASK, &members).bytes()).map(|layout| layout.flags.v6only)
    };
    let misplaced = Err(BtfError::MisplacedMember("sock_common", "skc_ipv6only"));
    assert_eq!(with_v6only(("skc_ipv6only", 160, 1)), misplaced);
    assert_eq!(with_v6only(("skc_ipv6only", 158, 4)), misplaced);
    assert_eq!(with_v6only(("skc_ipv6only", 157, 0)), misplaced);
    assert_eq!(with_v6only(("skc_ipv6only", 152, 8)), Ok(0xff));
}

#[test]
fn no_truncation_is_accepted_or_panics() {
    let whole = sound().bytes();
    for length in 0..whole.len() {
        assert!(layout(&whole[..length]).is_err(), "cut to {length} bytes");
    }
}

#[test]
fn lengths_that_overflow_are_truncations() {
    for field in [4, 8, 12, 16, 20] {
        let mut bytes = sound().bytes();
        bytes[field..field + 4].copy_from_slice(&u32::MAX.to_ne_bytes());
        assert_eq!(layout(&bytes), Err(BtfError::Truncated), "field at {field}");
    }
}

#[test]
fn other_files_are_not_btf() {
    let not_btf = Err(BtfError::NotBtf);
    assert_eq!(layout(b""), not_btf);
    assert_eq!(layout(b"\x7fELF\x02\x01\x01\0"), not_btf);
    let mut bytes = sound().bytes();
    bytes[2] = 2;
    assert_eq!(layout(&bytes), not_btf);
    bytes[2] = 1;
    bytes.swap(0, 1);
    assert_eq!(layout(&bytes), not_btf, "the other byte order");
}

proptest! {
    /// Any change to valid bytes gives a layout or an error, and offsets that an instruction can use.
    #[test]
    fn hostile_bytes_do_no_harm(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20)) {
        let mut bytes = sound().bytes();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Ok(layout) = layout(&bytes) {
            prop_assert!(layout.task_pid >= 0 && layout.sk_flags >= 0 && layout.net_inum >= 0);
        }
    }
}
