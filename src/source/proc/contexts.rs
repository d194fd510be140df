//! Security contexts of processes and sockets.
//!
//! For processes, this is the label of whichever security module is active, as `ps -Z` shows it. For sockets, it is an
//! extended attribute, which only SELinux provides (source/proc/attributes.rs,
//! docs/decisions/0006-contexts-of-sockets.md).

use std::collections::BTreeMap;

use super::{ProcRoot, attributes};
use crate::model::{Gap, Holder, Processes};
use crate::source::deadline::Answers;
use crate::source::disk;

/// Contexts by inode.
pub type SocketContexts = BTreeMap<u32, Box<[u8]>>;

/// Returns the context of a process; `None` without a security module that reports one (the kernel returns EINVAL
/// then), or if it is not readable.
pub fn of_process(root: &ProcRoot, pid: u32) -> Option<Box<[u8]>> {
    attributes::context_text(disk::read(root.join(format!("{pid}/attr/current"))).ok()?)
}

/// Returns the contexts of sockets with these holders, and how many could not be read in time.
pub fn of_sockets<'a>(
    root: &ProcRoot,
    sockets: impl Iterator<Item = &'a [Holder]>,
) -> Answers<u32, Box<[u8]>> {
    let by_inode = sockets.filter_map(|holders| Some((holders.first()?.inode, holders.to_vec())));
    attributes::contexts(root, by_inode.collect())
}

/// The gap if contexts of these processes or sockets were requested but none could be read.
pub fn missing(processes: &Processes, sockets: Option<&SocketContexts>) -> Option<Gap> {
    if processes.is_empty() {
        return None;
    }
    if processes
        .values()
        .all(|process| process.security_context.is_none())
    {
        let message = "no security contexts: no module that assigns them (SELinux, AppArmor, Smack) is active, or reading them is denied";
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
    fn missing_contexts_are_reported_once_and_only_if_all_are_missing() {
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
