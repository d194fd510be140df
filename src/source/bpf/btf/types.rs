//! Makes one pass over a kernel's types and records the wanted ones.
//!
//! It checks every length before using it. Of a struct it records only where the members are; they are parsed on
//! demand.

use memchr::memmem;

use super::BtfError;

/// Kinds of types that are wanted, as numbered in include/uapi/linux/btf.h.
const KIND_STRUCT: usize = 4;
const KIND_FUNC: usize = 12;

/// How many bytes follow a type of each kind: once, and per member, value or parameter. It is a table, because branches
/// would be mispredicted while skipping 60,000 types of mixed kinds.
const APPENDED_BYTES: [(usize, usize); 20] = [
    (0, 0),  // no type
    (4, 0),  // integer
    (0, 0),  // pointer
    (12, 0), // array
    (0, 12), // struct
    (0, 12), // union
    (0, 8),  // enumeration
    (0, 0),  // forward declaration
    (0, 0),  // typedef
    (0, 0),  // volatile
    (0, 0),  // const
    (0, 0),  // restrict
    (0, 0),  // function
    (0, 8),  // function prototype
    (4, 0),  // variable
    (0, 12), // section
    (0, 0),  // float
    (4, 0),  // tag of a declaration
    (0, 0),  // tag of a type
    (0, 12), // 64-bit enumeration
];

pub(super) const MAGIC: u16 = 0xeb9f;
pub(super) const VERSION: u8 = 1;
/// Size of a type before the part that depends on its kind.
const TYPE_BYTES: usize = 12;
/// Size of a struct member.
const MEMBER_BYTES: usize = 12;
/// The kernel function to which a program attaches in order to see every open file of every task.
pub(super) const ITERATOR: &str = "bpf_iter_task_file";

/// Structs that hold a wanted member.
pub(super) const STRUCTS: [&str; 12] = [
    "task_struct",
    "signal_struct",
    "pid",
    "upid",
    "file",
    "inode",
    "socket",
    "proto_ops",
    "sock",
    "sock_common",
    "net",
    "ns_common",
];

struct Sections<'a> {
    types: &'a [u8],
    strings: &'a [u8],
}

/// Checks the header and splits off the two sections.
fn sections(btf: &[u8]) -> Result<Sections<'_>, BtfError> {
    let magic = btf.first_chunk::<2>().map(|bytes| u16::from_ne_bytes(*bytes));
    if magic != Some(MAGIC) || btf.get(2) != Some(&VERSION) {
        return Err(BtfError::NotBtf);
    }
    let header_bytes = word(btf, 4).ok_or(BtfError::Truncated)?;
    let section = |offset_at, length_at| {
        let begin = header_bytes.checked_add(word(btf, offset_at)?)?;
        let end = begin.checked_add(word(btf, length_at)?)?;
        btf.get(usize::try_from(begin).ok()?..usize::try_from(end).ok()?)
    };
    Ok(Sections {
        types: section(8, 12).ok_or(BtfError::Truncated)?,
        strings: section(16, 20).ok_or(BtfError::Truncated)?,
    })
}

/// The result of the pass over the types.
pub(super) struct Found<'a> {
    /// Type id of the iterator function.
    pub(super) iterator_id: u32,
    structs: [Option<Struct<'a>>; STRUCTS.len()],
    strings: &'a [u8],
}

#[derive(Clone, Copy)]
pub(super) struct Struct<'a> {
    pub(super) size_bytes: u32,
    members: &'a [u8],
    /// Whether the offsets of members carry a bit width in their upper byte.
    has_bitfields: bool,
}

/// Skips over the types until all wanted ones have been found.
pub(super) fn find(btf: &[u8]) -> Result<Found<'_>, BtfError> {
    let Sections { types, strings } = sections(btf)?;
    let iterator_name = name_offset(strings, ITERATOR).ok_or(BtfError::MissingType(ITERATOR))?;
    let mut names = [0; STRUCTS.len()];
    for (slot, name) in names.iter_mut().zip(STRUCTS) {
        *slot = name_offset(strings, name).ok_or(BtfError::MissingType(name))?;
    }
    let mut structs = [None; STRUCTS.len()];
    let mut structs_left = structs.len();
    let mut iterator_id = None;

    let mut rest = types;
    // Id 0 is "void" and has no entry.
    for id in 1_u32.. {
        let Some((head, tail)) = rest.split_first_chunk::<TYPE_BYTES>() else {
            break;
        };
        let [name, info, size] = words(head);
        let kind = (info >> 24 & 0x1f) as usize;
        let &(once, each) = APPENDED_BYTES.get(kind).ok_or(BtfError::UnknownKind(kind))?;
        let appended = once + each * (info & 0xffff) as usize;
        let (body, next) = tail.split_at_checked(appended).ok_or(BtfError::Truncated)?;
        rest = next;
        if name == iterator_name && kind == KIND_FUNC {
            iterator_id = Some(id);
        } else if structs_left > 0
            && kind == KIND_STRUCT
            && let Some(at) = names.iter().position(|&wanted| wanted == name)
            && let Some(slot @ None) = structs.get_mut(at)
        {
            // Among structs with one name, the first counts: the core kernel comes before its drivers.
            *slot = Some(Struct {
                size_bytes: size,
                members: body,
                has_bitfields: info >> 31 == 1,
            });
            structs_left -= 1;
        }
        if structs_left == 0 && iterator_id.is_some() {
            break;
        }
    }
    let iterator_id = iterator_id.ok_or(BtfError::MissingType(ITERATOR))?;
    Ok(Found {
        iterator_id,
        structs,
        strings,
    })
}

/// Offset of a name in the string table, which holds every string once, after the empty one.
pub(super) fn name_offset(strings: &[u8], name: &'static str) -> Option<u32> {
    let mut needle = [0; 32];
    needle.get_mut(1..=name.len())?.copy_from_slice(name.as_bytes());
    let before = memmem::find(strings, needle.get(..name.len() + 2)?)?;
    u32::try_from(before + 1).ok()
}

impl<'a> Found<'a> {
    pub(super) fn definition(&self, owner: &'static str) -> Result<Struct<'a>, BtfError> {
        let at = STRUCTS.iter().position(|&name| name == owner);
        at.and_then(|at| *self.structs.get(at)?)
            .ok_or(BtfError::MissingType(owner))
    }

    pub(super) fn member(&self, owner: &'static str, member: &'static str) -> Result<Member, BtfError> {
        let found = self.definition(owner)?;
        for raw in found.members.chunks_exact(MEMBER_BYTES) {
            let Some(raw) = raw.first_chunk() else { break };
            let [name, _, place] = words(raw);
            if self.is_named(name, member) {
                return Ok(if found.has_bitfields {
                    Member {
                        bit_offset: place & 0x00ff_ffff,
                        bit_width: place >> 24,
                    }
                } else {
                    Member {
                        bit_offset: place,
                        bit_width: 0,
                    }
                });
            }
        }
        Err(BtfError::MissingMember(owner, member))
    }

    fn is_named(&self, offset: u32, name: &str) -> bool {
        let text = usize::try_from(offset).ok().and_then(|at| self.strings.get(at..));
        text.and_then(|text| text.strip_prefix(name.as_bytes()))
            .is_some_and(|after| after.first() == Some(&0))
    }
}

/// Position of a member in its struct. A width of 0 bits is a whole member.
pub(super) struct Member {
    bit_offset: u32,
    bit_width: u32,
}

impl Member {
    pub(super) fn byte_offset(&self, owner: &'static str, member: &'static str) -> Result<i16, BtfError> {
        let misplaced = BtfError::MisplacedMember(owner, member);
        if !self.bit_offset.is_multiple_of(8) {
            return Err(misplaced);
        }
        i16::try_from(self.bit_offset / 8).map_err(|_| misplaced)
    }

    /// The byte that holds all bits of a bit-field, and their mask.
    pub(super) fn bits(&self) -> Option<(i16, u8)> {
        let byte = i16::try_from(self.bit_offset / 8).ok()?;
        let first = self.bit_offset % 8;
        let after = 8_u32.checked_sub(first.checked_add(self.bit_width)?)?;
        if self.bit_width == 0 {
            return None;
        }
        // Bits are counted from the end that comes first in memory.
        let shift = if cfg!(target_endian = "little") {
            first
        } else {
            after
        };
        let mask = u8::MAX.checked_shr(8 - self.bit_width)?.checked_shl(shift)?;
        Some((byte, mask))
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes
        .get(at..)?
        .first_chunk()
        .map(|word| u32::from_ne_bytes(*word))
}

/// The three words that both types and members consist of.
fn words(bytes: &[u8; TYPE_BYTES]) -> [u32; 3] {
    let mut words = [0; 3];
    for (word, bytes) in words.iter_mut().zip(bytes.as_chunks().0) {
        *word = u32::from_ne_bytes(*bytes);
    }
    words
}
