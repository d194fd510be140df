//! The layout of kernel structures: member offsets, read from the kernel's BTF.
//!
//! [`layout`] is pure and accepts any bytes: it never panics or allocates, and returns a [`BtfError`] if the bytes are
//! truncated or lack a wanted member. It reads no more than necessary: every wanted name is looked up once in the
//! string table (each string occurs once), and then one pass over the types compares name offsets and stops once all
//! are found.
//!
//! It does not look inside anonymous members. No wanted member is inside one unless the kernel was built with
//! randomised structures; such a kernel gets an error.
//!
//! Format: linux 6.18 Documentation/bpf/btf.rst and include/uapi/linux/btf.h.

mod types;

use std::fmt;

use types::{Found, find};

/// Byte offsets of the wanted members in this kernel's structs; each fits the 16-bit offset of an instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Type id of the function `bpf_iter_task_file`, to which the program attaches.
    pub iterator_id: u32,
    /// `task_struct.pid`: the thread id in the initial pid namespace.
    pub task_pid: i16,
    /// `task_struct.tgid`: the process id in the initial pid namespace.
    pub task_tgid: i16,
    /// `task_struct.thread_pid`, a `struct pid *`.
    pub task_thread_pid: i16,
    /// `task_struct.signal`, a `struct signal_struct *`.
    pub task_signal: i16,
    /// `signal_struct.pids`, an array of `struct pid *`.
    pub signal_pids: i16,
    /// `pid.level`: depth of the pid namespace in which the task was created.
    pub pid_level: i16,
    /// `pid.numbers[0].nr`: the id in the initial pid namespace.
    pub pid_number: i16,
    /// Distance between `numbers[n].nr` and `numbers[n + 1].nr`.
    pub pid_number_step: i16,
    /// `file.f_inode`, a `struct inode *`.
    pub file_inode: i16,
    /// `inode.i_ino`, a 64-bit number.
    pub inode_number: i16,
    /// `socket.state`, a 32-bit enumeration.
    pub socket_state: i16,
    /// `socket.type`, a 16-bit number.
    pub socket_type: i16,
    /// `socket.ops`, a `struct proto_ops *`.
    pub socket_ops: i16,
    /// `proto_ops.family`, a 32-bit number.
    pub ops_family: i16,
    /// `socket.sk`, a `struct sock *`.
    pub socket_sk: i16,
    /// `sock.__sk_common.skc_state`, a byte.
    pub sk_state: i16,
    /// `sock.__sk_common.skc_net`, a `struct net *`.
    pub sk_net: i16,
    /// The byte that holds the three flags.
    pub sk_flags: i16,
    /// The bits of that byte for each flag.
    pub flags: FlagMasks,
    /// `net.ns.inum`, a 32-bit number.
    pub net_inum: i16,
}

/// Bits of the flag byte of `struct sock_common`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlagMasks {
    /// `skc_reuse`: `SO_REUSEADDR`; four bits, as the kernel also keeps "forced" there.
    pub reuseaddr: u8,
    /// `skc_reuseport`: `SO_REUSEPORT`.
    pub reuseport: u8,
    /// `skc_ipv6only`: `IPV6_V6ONLY`.
    pub v6only: u8,
}

/// Why the layout could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BtfError {
    /// Not BTF of version 1 in this machine's byte order.
    NotBtf,
    /// A length or offset points past the end.
    Truncated,
    /// A kind of type that this reader does not know, and so cannot skip.
    UnknownKind(usize),
    /// The function or struct of this name is missing.
    MissingType(&'static str),
    /// The struct lacks such a direct member.
    MissingMember(&'static str, &'static str),
    /// The member has an unexpected layout: its offset is too large for an instruction, or it does not begin at a
    /// byte.
    MisplacedMember(&'static str, &'static str),
}

impl fmt::Display for BtfError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotBtf => write!(f, "the type information is not BTF version 1"),
            Self::Truncated => write!(f, "the type information is truncated"),
            Self::UnknownKind(kind) => {
                write!(f, "the type information has types of unknown kind {kind}")
            }
            Self::MissingType(name) => write!(f, "the kernel has no {name}"),
            Self::MissingMember(owner, member) => {
                write!(f, "the kernel's struct {owner} has no {member}")
            }
            Self::MisplacedMember(owner, member) => {
                write!(
                    f,
                    "the kernel's struct {owner} has {member} at an unusable offset"
                )
            }
        }
    }
}

impl std::error::Error for BtfError {}

/// Finds the iterator and the wanted members in the BTF of a kernel.
///
/// # Errors
/// [`BtfError`] if the bytes are not BTF, are truncated before everything was found, or lack a wanted type or member.
pub fn layout(btf: &[u8]) -> Result<Layout, BtfError> {
    let found = find(btf)?;
    let at = |owner, member| found.member(owner, member)?.byte_offset(owner, member);
    let sock_common = at("sock", "__sk_common")?;
    let in_sock = |member| {
        let offset = at("sock_common", member)?;
        sock_common
            .checked_add(offset)
            .ok_or(BtfError::MisplacedMember("sock", member))
    };
    let (flag_byte, flags) = flags(&found)?;
    let number = at("upid", "nr")?;
    Ok(Layout {
        iterator_id: found.iterator_id,
        task_pid: at("task_struct", "pid")?,
        task_tgid: at("task_struct", "tgid")?,
        task_thread_pid: at("task_struct", "thread_pid")?,
        task_signal: at("task_struct", "signal")?,
        signal_pids: at("signal_struct", "pids")?,
        pid_level: at("pid", "level")?,
        pid_number: at("pid", "numbers")?
            .checked_add(number)
            .ok_or(BtfError::MisplacedMember("pid", "numbers"))?,
        pid_number_step: i16::try_from(found.definition("upid")?.size_bytes)
            .map_err(|_| BtfError::MisplacedMember("upid", "nr"))?,
        file_inode: at("file", "f_inode")?,
        inode_number: at("inode", "i_ino")?,
        socket_state: at("socket", "state")?,
        socket_type: at("socket", "type")?,
        socket_ops: at("socket", "ops")?,
        ops_family: at("proto_ops", "family")?,
        socket_sk: at("socket", "sk")?,
        sk_state: in_sock("skc_state")?,
        sk_net: in_sock("skc_net")?,
        sk_flags: sock_common
            .checked_add(flag_byte)
            .ok_or(BtfError::MisplacedMember("sock_common", "skc_reuse"))?,
        flags,
        net_inum: at("net", "ns")?
            .checked_add(at("ns_common", "inum")?)
            .ok_or(BtfError::MisplacedMember("net", "ns"))?,
    })
}

/// The byte in `struct sock_common` that holds the three flags, and the bits of each. They have
/// shared one since 3.9.
fn flags(found: &Found<'_>) -> Result<(i16, FlagMasks), BtfError> {
    let bits = |member| -> Result<(i16, u8), BtfError> {
        found
            .member("sock_common", member)?
            .bits()
            .ok_or(BtfError::MisplacedMember("sock_common", member))
    };
    let (byte, reuseaddr) = bits("skc_reuse")?;
    let same_byte = |member| match bits(member)? {
        (other, mask) if other == byte => Ok(mask),
        _ => Err(BtfError::MisplacedMember("sock_common", member)),
    };
    let masks = FlagMasks {
        reuseaddr,
        reuseport: same_byte("skc_reuseport")?,
        v6only: same_byte("skc_ipv6only")?,
    };
    Ok((byte, masks))
}

#[cfg(test)]
mod tests;
