//! After the walk: determines why sockets have no holder, and assigns queued connections to the owners of their
//! listeners.
//!
//! A socket gets the status `kernel` only if a second dump still lists it and a second, thorough walk finds no holder.
//! This happens only if there are sockets without a holder and every process could be read.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::ops::ControlFlow;

use super::join::{Evidence, Others};
use super::namespaces::read;
use super::smc;
use crate::model::ownership::Unseen;
use crate::model::request::Dump;
use crate::model::{HolderTable, OwnerStatus, Protocol, Stash, State, StateSet};
use crate::model::{Listener, Owners};
use crate::source::netns::Views;
use crate::source::proc::holders::{Look, Walk, walk};
use crate::source::proc::{ProcRoot, mounts::Mounts};
use crate::source::{disk, namespaces};

/// Joins the holders that a walk found with the sockets in the stash, which belong to the namespaces `views`, and with
/// the `others` whose owners are wanted.
pub fn resolve_owners(
    root: &ProcRoot,
    views: &Views,
    dumps: &[Dump],
    stash: &Stash,
    others: &Others,
    table: HolderTable,
    walked: &Walk,
) -> Owners {
    let listeners = if others.queued || has_queued(stash) {
        listeners(root, views)
    } else {
        Vec::new()
    };
    let mut left_over = without_holder(stash, others, &table);
    let table = smc::name_holders(root, views, stash, table, &mut left_over);
    let mut unseen = unseen(root, walked);
    if left_over.is_empty() {
        return Owners::new(table, BTreeMap::new(), listeners).with_unseen(unseen);
    }
    let mut evidence = Evidence {
        processes_refused: walked.refused,
        hidepid: unseen.processes_hidden || hides_processes(root),
        io_uring_read: !walked.io_uring_unread,
        initial_pid_namespace: namespaces::shows_all_processes(root),
        initial_user_namespace: namespaces::in_initial_user_namespace(),
        still_there: true,
        ..Evidence::default()
    };
    // If many processes could not be read, any of them may hold the rest. If only a few could not, most of the rest has
    // been closed meanwhile, as a second dump shows. If the walk began after the sockets were read, a second one would
    // find the same, so there is none.
    let mostly_shut = evidence.hidepid || is_mostly_shut(walked.refused, walked.processes);
    let walked_last = dumps.iter().all(Dump::is_small);
    if evidence.status() == OwnerStatus::Hidden && (mostly_shut || walked_last) {
        let still_there = if mostly_shut {
            left_over.clone()
        } else {
            look_again(root, views, dumps, &left_over)
        };
        let why = reasons(left_over, &still_there, evidence);
        return Owners::new(table, why, listeners).with_unseen(unseen);
    }
    let second = second_walk(root, stash, &left_over);
    let still_there = look_again(root, views, dumps, &left_over);
    evidence.walked_again = second.is_some();
    let second = second.unwrap_or_default();
    evidence.processes_refused = evidence.processes_refused.max(second.refused);
    evidence.proc_is_empty = walked.processes == 0 && second.processes == 0;
    unseen.proc_is_empty = evidence.proc_is_empty;
    unseen.out_of_descriptors |= second.out_of_descriptors;
    evidence.descriptors_in_flight = second.descriptors_in_flight;
    evidence.io_uring_read &= !second.io_uring_unread;
    let why = reasons(left_over, &still_there, evidence);
    let mut holders = table.all().to_vec();
    holders.extend(second.holders);
    Owners::new(HolderTable::new(holders), why, listeners).with_unseen(unseen)
}

/// Whether more than a quarter of the processes could not be read.
fn is_mostly_shut(refused: u32, processes: u32) -> bool {
    refused * 4 > processes
}

/// What may have hidden holders from this walk: nothing if the BPF iterator found them (no process was visited in
/// /proc).
pub(super) fn unseen(root: &ProcRoot, walked: &Walk) -> Unseen {
    if walked.processes == 0 {
        return Unseen::default();
    }
    Unseen {
        processes_refused: walked.refused,
        processes_hidden: hides_processes(root),
        out_of_descriptors: walked.out_of_descriptors,
        proc_is_empty: false,
    }
}

/// The inodes of rows and other ends without a known holder, except the kernel's own sockets.
fn without_holder(stash: &Stash, others: &Others, table: &HolderTable) -> BTreeSet<u32> {
    stash
        .heads()
        .filter(|head| !head.of_kernel)
        .filter_map(|head| head.inode)
        .map(NonZeroU32::get)
        .chain(others.inodes.iter().copied())
        .filter(|inode| table.of(*inode).is_empty())
        .collect()
}

/// The status of each socket without a holder, which depends on whether it still exists.
fn reasons(
    left_over: BTreeSet<u32>,
    still_there: &BTreeSet<u32>,
    evidence: Evidence,
) -> BTreeMap<u32, OwnerStatus> {
    left_over
        .into_iter()
        .map(|inode| {
            let of_socket = Evidence {
                still_there: still_there.contains(&inode),
                ..evidence
            };
            (inode, of_socket.status())
        })
        .collect()
}

fn has_queued(stash: &Stash) -> bool {
    let queued = [State::SynRecv, State::Established, State::CloseWait];
    stash
        .heads()
        .any(|head| head.inode.is_none() && queued.contains(&head.state) && head.protocol != Protocol::Unix)
}

/// The dumps of all listeners of the protocols that have accept queues. None of them is named: that may make the kernel
/// load a module.
fn dumps_of_listeners() -> [Dump; 4] {
    let protocols = [Protocol::Tcp, Protocol::Mptcp, Protocol::Dccp, Protocol::Smc];
    protocols.map(|protocol| Dump {
        named: false,
        ..Dump::new(protocol, StateSet::of(State::Listen))
    })
}

/// Reads all listeners of the protocols that have accept queues, which takes microseconds.
pub fn listeners(root: &ProcRoot, views: &Views) -> Vec<Listener> {
    let dumps = dumps_of_listeners();
    let mut listeners = Vec::new();
    read(views, root, &dumps, &mut |sockets| {
        listeners.extend(sockets.iter().filter_map(Listener::of));
        ControlFlow::Continue(())
    });
    listeners
}

/// Whether /proc hides processes from us (`hidepid`). Root and members of the group given by `gid=` see all of them.
pub(super) fn hides_processes(root: &ProcRoot) -> bool {
    if disk::stat(root.join("1")).is_ok() {
        return false;
    }
    let mountinfo = disk::read_to_string(root.join("self/mountinfo")).unwrap_or_default();
    Mounts::parse(&mountinfo, &root.path().to_string_lossy()).hides_processes
}

/// Walks again for the remaining sockets, through every thread and including descriptors in flight.
fn second_walk(root: &ProcRoot, stash: &Stash, left_over: &BTreeSet<u32>) -> Option<Walk> {
    let wanted: Vec<u32> = left_over.iter().copied().collect();
    let mut not_unix: Vec<u32> = stash
        .heads()
        .filter(|head| head.protocol != Protocol::Unix)
        .filter_map(|head| head.inode)
        .map(NonZeroU32::get)
        .collect();
    not_unix.sort_unstable();
    walk(
        root,
        Look {
            wanted: Some(&wanted),
            thorough: Some(&not_unix),
        },
    )
    .ok()
}

/// Returns which of the remaining sockets still exist.
pub(super) fn look_again(
    root: &ProcRoot,
    views: &Views,
    dumps: &[Dump],
    left_over: &BTreeSet<u32>,
) -> BTreeSet<u32> {
    let mut there = BTreeSet::new();
    read(views, root, dumps, &mut |sockets| {
        let inodes = sockets
            .iter()
            .filter_map(|socket| socket.inode)
            .map(NonZeroU32::get);
        there.extend(inodes.filter(|inode| left_over.contains(inode)));
        ControlFlow::Continue(())
    });
    there
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Holder, Socket};
    use crate::query::samples::{tcp, unix};

    fn with_inode(socket: Socket, inode: u32) -> Socket {
        Socket {
            inode: NonZeroU32::new(inode),
            ..socket
        }
    }

    #[test]
    fn a_search_for_listeners_makes_the_kernel_load_no_module() {
        let dumps = dumps_of_listeners();
        assert!(dumps.iter().all(|dump| !dump.named));
        assert!(
            dumps
                .iter()
                .all(|dump| dump.states == StateSet::of(State::Listen))
        );
    }

    #[test]
    fn a_few_refused_processes_are_not_most() {
        assert!(!is_mostly_shut(0, 0) && !is_mostly_shut(1, 4));
        assert!(is_mostly_shut(2, 4) && is_mostly_shut(1, 1));
    }

    fn stash(sockets: &[Socket]) -> Stash {
        let mut stash = Stash::default();
        for socket in sockets {
            stash.push(socket);
        }
        stash
    }

    #[test]
    fn sockets_without_a_holder_are_left_over() {
        let listener = |inode| with_inode(tcp("::", 80, "::", 0, State::Listen), inode);
        let closed = tcp("::1", 80, "::1", 9, State::TimeWait);
        let holder = Holder {
            inode: 1,
            pid: 7,
            fd: 3,
            tid: 0,
        };
        let others = Others {
            inodes: vec![1, 5],
            queued: false,
        };
        let table = HolderTable::new(vec![holder]);
        let left = without_holder(&stash(&[listener(1), listener(2), closed]), &others, &table);
        assert_eq!(left, BTreeSet::from([2, 5]));
    }

    #[test]
    fn only_connections_without_an_inode_wait_for_a_listener() {
        let connection = |state| tcp("::1", 80, "::1", 9, state);
        assert!(has_queued(&stash(&[connection(State::Established)])));
        assert!(has_queued(&stash(&[connection(State::SynRecv)])));
        assert!(!has_queued(&stash(&[with_inode(
            connection(State::Established),
            4
        )])));
        assert!(!has_queued(&stash(&[connection(State::TimeWait)])));
        let of_unix = Socket {
            state: State::Established,
            ..unix(b"/run/x")
        };
        assert!(!has_queued(&stash(&[of_unix])));
    }

    #[test]
    fn a_socket_that_is_gone_is_unknown_and_one_that_still_exists_has_a_reason() {
        let evidence = Evidence {
            still_there: true,
            processes_refused: 1,
            ..Evidence::default()
        };
        let reasons = reasons(BTreeSet::from([1, 2]), &BTreeSet::from([2]), evidence);
        let expected = [(1, OwnerStatus::Unknown), (2, OwnerStatus::Hidden)];
        assert_eq!(reasons, BTreeMap::from(expected));
    }
}
