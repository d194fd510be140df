//! The namespaces of this process.

use super::proc::ProcRoot;
use crate::model::Namespace;
use crate::source::disk;
use crate::source::tape;

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
    let stat = disk::stat(root.join(path));
    Namespace {
        inode: stat.ok().map(|stat| stat.ino),
        name: None,
    }
}

/// Returns whether /proc shows the initial pid namespace, and so every process of the machine.
pub fn shows_all_processes(root: &ProcRoot) -> bool {
    let link = disk::read_link(root.join("1/ns/pid")).or_else(|_| disk::read_link(root.join("self/ns/pid")));
    link.is_ok_and(|link| link.as_os_str() == INITIAL_PID)
}

/// Returns whether the pids in /proc are those of our own pid namespace.
pub fn proc_is_ours() -> bool {
    let own = rustix::process::getpid().as_raw_nonzero().to_string();
    tape::fact("/proc is ours", || {
        std::fs::read_link("/proc/self").is_ok_and(|link| link.as_os_str() == own.as_str())
    })
}

/// Returns whether we are in the initial user namespace.
pub fn in_initial_user_namespace() -> bool {
    disk::read_link("/proc/self/ns/user").is_ok_and(|link| link.as_os_str() == INITIAL_USER)
}
