//! In which namespaces we are.

use std::os::unix::fs::MetadataExt;

use super::proc::ProcRoot;
use crate::model::Namespace;

/// The initial namespaces have fixed inode numbers (linux 6.18 include/uapi/linux/nsfs.h, unchanged since 3.8).
const INITIAL_USER: &str = "user:[4026531837]";
const INITIAL_PID: &str = "pid:[4026531836]";

/// Our network namespace, without its name.
pub fn own_netns(root: &ProcRoot) -> Namespace {
    let path = if root.is_given() {
        "1/ns/net"
    } else {
        "thread-self/ns/net"
    };
    let metadata = std::fs::metadata(root.join(path));
    Namespace {
        inode: metadata.ok().map(|metadata| metadata.ino()),
        name: None,
    }
}

/// Whether /proc shows the initial pid namespace, that is every process of the machine.
pub fn shows_all_processes(root: &ProcRoot) -> bool {
    let link =
        std::fs::read_link(root.join("1/ns/pid")).or_else(|_| std::fs::read_link(root.join("self/ns/pid")));
    link.is_ok_and(|link| link.as_os_str() == INITIAL_PID)
}

/// Whether the pids in /proc are those of our own pid namespace.
pub fn proc_is_ours() -> bool {
    let own = rustix::process::getpid().as_raw_nonzero().to_string();
    std::fs::read_link("/proc/self").is_ok_and(|link| link.as_os_str() == own.as_str())
}

/// Whether we are in the initial user namespace.
pub fn in_initial_user_namespace() -> bool {
    std::fs::read_link("/proc/self/ns/user").is_ok_and(|link| link.as_os_str() == INITIAL_USER)
}
