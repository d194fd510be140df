//! Security contexts: what SELinux calls processes and sockets.
//!
//! For processes the label of whatever module there is, as `ps -Z` shows it. Those of sockets only by one extended
//! attribute, asked for through a descriptor's link: nothing is opened, and no other file's answer is taken for the
//! socket's (docs/decisions/0006-contexts-of-sockets.md).

use std::collections::BTreeMap;
use std::path::Path;

use rustix::fs::getxattr;

use super::ProcRoot;
use crate::model::{Gap, Holder, Processes};
use crate::source::{disk, tape};

/// The attribute by which SELinux tells the context of any inode, from its memory (linux 6.18 fs/xattr.c,
/// `xattr_getsecurity`).
const SELINUX: &str = "security.selinux";

/// Contexts by inode.
pub type SocketContexts = BTreeMap<u32, Box<[u8]>>;

/// The context of a process; `None` without a security module that tells one (the kernel says EINVAL then), or if it
/// may not be read.
pub fn of_process(root: &ProcRoot, pid: u32) -> Option<Box<[u8]>> {
    text(disk::read(root.join(format!("{pid}/attr/current"))).ok()?)
}

/// The contexts of sockets that have these holders, by way of the first whose descriptor can be asked.
pub fn of_sockets<'a>(root: &ProcRoot, sockets: impl Iterator<Item = &'a [Holder]>) -> SocketContexts {
    let mut contexts = SocketContexts::new();
    for holders in sockets {
        let Some(first) = holders.first() else { continue };
        let context = tape::fact(&format!("socket context {}", first.inode), || {
            holders.iter().find_map(|holder| of_descriptor(root, holder))
        });
        contexts.extend(context.map(|context| (first.inode, context)));
    }
    contexts
}

/// The context behind a descriptor that was the socket's before the question and still is after it.
fn of_descriptor(root: &ProcRoot, holder: &Holder) -> Option<Box<[u8]>> {
    let Holder { inode, pid, fd, tid } = holder;
    let link = root.join(match tid {
        0 => format!("{pid}/fd/{fd}"),
        tid => format!("{pid}/task/{tid}/fd/{fd}"),
    });
    let is_socket = || disk::read_link(&link).is_ok_and(|to| to == Path::new(&format!("socket:[{inode}]")));
    if !is_socket() {
        return None;
    }
    let mut buffer = vec![0; 4096];
    let length = getxattr(&link, SELINUX, &mut buffer).ok()?;
    buffer.truncate(length);
    text(buffer).filter(|_| is_socket())
}

/// A context as it is shown: the kernel ends it with a NUL or a newline, depending on the module.
fn text(mut bytes: Vec<u8>) -> Option<Box<[u8]>> {
    while matches!(bytes.last(), Some(b'\0' | b'\n')) {
        bytes.pop();
    }
    (!bytes.is_empty()).then(|| bytes.into())
}

/// What to say where contexts were asked for and there is none at all, of these processes or of these sockets.
pub fn missing(processes: &Processes, sockets: Option<&SocketContexts>) -> Option<Gap> {
    if processes.is_empty() {
        return None;
    }
    if processes
        .values()
        .all(|process| process.security_context.is_none())
    {
        let message = "no security contexts: SELinux is disabled, or denies reading them";
        return Some(Gap::loss("contexts-unavailable", message));
    }
    sockets.filter(|sockets| sockets.is_empty()).map(|_| {
        let message =
            "no socket contexts: only SELinux has them, and reading them needs access to the owners";
        Gap::loss("socket-contexts-unavailable", message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Process;

    #[test]
    fn contexts_are_cut_at_their_end_alone() {
        let shown = |bytes: &[u8]| text(bytes.to_vec()).map(|it| String::from_utf8(it.into()).unwrap());
        assert_eq!(
            shown(b"system_u:system_r:httpd_t:s0\0").as_deref(),
            Some("system_u:system_r:httpd_t:s0")
        );
        assert_eq!(
            shown(b"/usr/sbin/ntpd (enforce)\n").as_deref(),
            Some("/usr/sbin/ntpd (enforce)")
        );
        assert_eq!(shown(b"\0\n"), None);
        assert_eq!(shown(b""), None);
    }

    #[test]
    fn a_descriptor_that_became_another_file_is_not_asked() {
        let file = std::fs::File::open("/proc/self/status").unwrap();
        let holder = Holder {
            inode: 1,
            pid: std::process::id(),
            fd: std::os::fd::AsRawFd::as_raw_fd(&file).try_into().unwrap(),
            tid: 0,
        };
        assert_eq!(of_descriptor(&ProcRoot::default(), &holder), None);
    }

    #[test]
    fn what_is_missing_is_said_once_and_only_if_all_is() {
        let process = |context: Option<&str>| Process {
            security_context: context.map(|context| context.as_bytes().into()),
            ..Process::default()
        };
        let none = Processes::from([(1, process(None))]);
        let some = Processes::from([(1, process(None)), (2, process(Some("a_t")))]);
        let (nothing, one) = (
            SocketContexts::new(),
            SocketContexts::from([(7, b"b_t".as_slice().into())]),
        );
        let code = |processes, sockets| missing(processes, sockets).map(|gap| gap.code);
        assert_eq!(code(&none, Some(&nothing)), Some("contexts-unavailable"));
        assert_eq!(code(&some, Some(&nothing)), Some("socket-contexts-unavailable"));
        assert_eq!(code(&some, None), None);
        assert_eq!(code(&some, Some(&one)), None);
        assert_eq!(code(&Processes::new(), Some(&nothing)), None);
    }
}
