//! Identifies network namespaces whose inode numbers cannot be read by the kernel's own netlink sockets. Every
//! namespace has some, and each has a unique inode number.

use crate::source::disk;

/// Returns the smallest inode number of the kernel's sockets (port id 0) in the text of /proc/PID/net/netlink: `sk Eth
/// Pid Groups Rmem Wmem Dump Locks Drops Inode` (linux 6.18 net/netlink/af_netlink.c, netlink_native_seq_show). `None`
/// if there is none, or the text has another format.
pub(super) fn of_text(text: &str) -> Option<u64> {
    let inode = |line: &str| {
        let mut words = line.split_ascii_whitespace().skip(2);
        let port = words.next()?;
        let inode = words.nth(6)?.parse().ok()?;
        (port == "0" && inode != 0).then_some(inode)
    };
    text.lines().skip(1).filter_map(inode).min()
}

/// The fingerprint of the namespace of a process, or of a thread (`PID/task/TID`).
pub(super) fn of(process: &str) -> Option<u64> {
    of_text(&disk::read_to_string(format!("/proc/{process}/net/netlink")).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_inode_of_the_kernel_counts() {
        let text = "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n\
            0000000000000000 0   812        00000000 0        0        0     2        0        5\n\
            0000000000000000 0   0          00000000 0        0        0     2        0        21\n\
            0000000000000000 16  0          00000000 0        0        0     2        0        20\n\
            0000000000000000 4   0          00000000 0        0        0     2        0        0\n";
        assert_eq!(of_text(text), Some(20));
        assert_eq!(of_text("sk Eth\nx\n"), None);
    }

    #[test]
    fn a_namespace_agrees_with_itself() {
        let own = of("self");
        assert!(own.is_some());
        assert_eq!(own, of("thread-self"));
    }
}
