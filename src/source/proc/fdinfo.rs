//! Parses `/proc/PID/fdinfo/N` (proc_pid_fdinfo(5); io_uring: linux 6.18 io_uring/fdinfo.c). Pure: bytes in.

/// What an fdinfo file says about sockets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FdInfo {
    /// The inode, since Linux 5.14.
    pub inode: Option<u64>,
    /// Whether exec closes the descriptor (`O_CLOEXEC` among the flags).
    pub close_on_exec: Option<bool>,
    /// The mount that the file is on; all sockets of a machine are on the same one.
    pub mount_id: Option<u32>,
    /// Unix sockets: descriptors in flight in its receive queue.
    pub descriptors_in_flight: u32,
    /// io_uring: inodes of registered sockets.
    pub registered_sockets: Vec<u32>,
    /// io_uring: whether the list of registered files was present, with a path or inode for each. The kernel omits it
    /// while the ring is busy. Up to some version after 6.12, it has only names, and that of a socket is its protocol
    /// (linux 5.10 fs/io_uring.c, 6.12 io_uring/fdinfo.c).
    pub has_registered_files: bool,
}

/// Parses an fdinfo file. Unknown lines are skipped.
pub fn parse(text: &[u8]) -> FdInfo {
    let mut info = FdInfo::default();
    let mut in_files = false;
    for line in text.split(|byte| *byte == b'\n') {
        let Some((key, value)) = split_key(line) else {
            continue;
        };
        match key {
            b"ino" => info.inode = number(value),
            b"flags" => info.close_on_exec = closes_on_exec(value),
            b"mnt_id" => info.mount_id = number(value).and_then(|id| u32::try_from(id).ok()),
            b"scm_fds" => {
                info.descriptors_in_flight = number(value).and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
            }
            b"UserFiles" => info.has_registered_files = true,
            _ if key.iter().all(u8::is_ascii_digit) => {
                if in_files && is_mere_name(value) {
                    info.has_registered_files = false;
                }
                info.registered_sockets.extend(socket_inode(value));
                continue;
            }
            _ => {}
        }
        in_files = key == b"UserFiles";
    }
    info
}

/// Whether the entry of a registered file exists but has neither a path (`/etc/passwd`) nor a kind and a number
/// (`socket:[7]`).
fn is_mere_name(entry: &[u8]) -> bool {
    entry != b"<none>" && !entry.contains(&b'/') && memchr::memmem::find(entry, b":[").is_none()
}

/// The inode in a link text `socket:[N]`.
pub fn socket_inode(link: &[u8]) -> Option<u32> {
    let digits = link.strip_prefix(b"socket:[")?.strip_suffix(b"]")?;
    number(digits).and_then(|inode| u32::try_from(inode).ok())
}

/// A decimal number that takes up all of `text`.
pub fn number(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0u64, |sum, byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit <= 9)?;
        sum.checked_mul(10)?.checked_add(digit.into())
    })
}

/// A hexadecimal number that takes up all of `text`.
pub(super) fn hex(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 16 {
        return None;
    }
    text.iter().try_fold(0u64, |sum, byte| {
        Some(sum << 4 | u64::from(char::from(*byte).to_digit(16)?))
    })
}

/// The flags are in octal.
fn closes_on_exec(flags: &[u8]) -> Option<bool> {
    let flags = libc::c_int::from_str_radix(std::str::from_utf8(flags).ok()?, 8).ok()?;
    Some(flags & libc::O_CLOEXEC != 0)
}

fn split_key(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = memchr::memchr(b':', line)?;
    let (key, value) = line.split_at_checked(colon)?;
    Some((key.trim_ascii(), value.get(1..)?.trim_ascii()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_has_inode_mount_and_descriptors_in_flight() {
        let info = parse(b"pos:\t0\nflags:\t02000002\nmnt_id:\t10\nino:\t4711\nscm_fds: 2\n");
        assert_eq!(
            (info.inode, info.mount_id, info.descriptors_in_flight),
            (Some(4711), Some(10), 2)
        );
        assert_eq!(info.close_on_exec, Some(true));
        assert_eq!(parse(b"flags:\t04002\n").close_on_exec, Some(false));
        assert_eq!(parse(b"flags:\t9\n").close_on_exec, None);
        assert!(!info.has_registered_files);
    }

    #[test]
    fn registered_sockets_of_a_ring_are_read() {
        let text = b"pos:\t0\nSqThread:\t-1\nUserFiles:\t3\n    0: socket:[15840]\n    1: /etc/passwd\n    2: <none>\nUserBufs:\t0\n";
        let info = parse(text);
        assert!(info.has_registered_files);
        assert_eq!(info.registered_sockets, [15840]);
    }

    #[test]
    fn a_ring_that_lists_only_names_may_hold_any_socket() {
        let told = |files: &str| {
            parse(
                format!("SqMask:\t0x7\nUserFiles:\t2\n{files}UserBufs:\t1\n    0: 0x7f00/4096\n").as_bytes(),
            )
            .has_registered_files
        };
        assert!(!told("    0: TCP\n    1: <none>\n"));
        assert!(!told("    0: passwd\n"), "a socket has such a name too");
        assert!(told("    0: <none>\n    1: <none>\n"));
        assert!(told("    0: /etc/passwd\n    1: anon_inode:[eventfd]\n"));
        // Lines before the list are not part of it.
        let busy = b"SQEs:\t1\n    0: opcode:NOP, fd:0\nUserFiles:\t0\nUserBufs:\t0\n";
        assert!(parse(busy).has_registered_files);
    }

    #[test]
    fn only_a_whole_link_text_is_a_socket() {
        assert_eq!(socket_inode(b"socket:[7]"), Some(7));
        for wrong in [
            "socket:[]",
            "socket:[7",
            "socket:[7]x",
            "socket:[-7]",
            "socket:[99999999999]",
            "pipe:[7]",
        ] {
            assert_eq!(socket_inode(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
