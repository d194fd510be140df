//! Finds, by their descriptors, TCP sockets that are bound but not listening, for kernels whose dumps leave them out
//! (before Linux 6.8).
//!
//! Every TCP socket that a process holds but no dump lists is asked for its address. The list is complete only if no
//! process could hide a descriptor, the same condition as for reporting that a socket has no owner.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::ops::ControlFlow;

use super::join::Evidence;
use super::resolve::hides_processes;
use super::tables::read_tables;
use crate::model::bind::SocketOptions;
use crate::model::request::Dump;
use crate::model::{Holder, OwnerStatus, Protocol, Socket, State, StateSet};
use crate::source::bound_sockets::{self, Answer};
use crate::source::namespaces;
use crate::source::proc::held::{Held, held};
use crate::source::proc::holders::{Look, Walk, walk};
use crate::source::proc::{self, ProcRoot};

/// What was found.
#[derive(Debug, Default)]
pub struct Unlisted {
    /// Sockets, with their options.
    pub sockets: Vec<(Socket, SocketOptions)>,
    /// How many were once connected. Such a socket may or may not still hold its port.
    pub maybe_bound: u64,
    /// Whether the list is complete.
    pub is_complete: bool,
}

/// Finds the bound sockets of our network namespace that are `wanted`.
pub fn unlisted(wanted: impl Fn(&Socket) -> bool) -> Unlisted {
    let root = ProcRoot::default();
    let listed = listed();
    let not_unix: Vec<u32> = listed.iter().copied().collect();
    let look = Look {
        wanted: None,
        thorough: Some(&not_unix),
    };
    let Ok(walk) = walk(&root, look) else {
        return Unlisted::default();
    };
    let mut holders: BTreeMap<u32, Vec<Holder>> = BTreeMap::new();
    for holder in walk
        .holders
        .iter()
        .filter(|holder| !listed.contains(&holder.inode))
    {
        holders.entry(holder.inode).or_default().push(*holder);
    }
    let names = proc::protocols(&root, holders.clone());
    let mut found = Unlisted {
        sockets: Vec::new(),
        maybe_bound: 0,
        is_complete: names.late == 0 && shows_every_holder(&root, &walk),
    };
    let still_held = |holders: &[Holder]| holders.iter().any(|holder| held(holder) != Held::No);
    let unnamed = holders
        .iter()
        .filter(|(inode, _)| !names.found.contains_key(inode));
    found.is_complete = found.is_complete && !unnamed.into_iter().any(|(_, holders)| still_held(holders));
    let of_tcp = names
        .found
        .iter()
        .filter_map(|(inode, name)| Some((NonZeroU32::new(*inode)?, protocol(name)?)));
    for (inode, protocol) in of_tcp {
        let holders = holders.get(&inode.get()).map_or(&[][..], Vec::as_slice);
        match bound_sockets::ask(inode, protocol, holders) {
            Answer::Bound(socket, options) if wanted(&socket) => found.sockets.push((*socket, options)),
            Answer::MaybeBound(socket) => found.maybe_bound += u64::from(wanted(&socket)),
            // If it has been closed since, it holds no port.
            Answer::Unreadable => found.is_complete &= !still_held(holders),
            Answer::Bound(..) | Answer::NotBound => {}
        }
    }
    found
}

/// The inodes of the TCP sockets that the dumps list.
fn listed() -> BTreeSet<u32> {
    let dumps = [Protocol::Tcp, Protocol::Mptcp].map(|protocol| Dump {
        named: false,
        ..Dump::new(protocol, StateSet::ALL.without(StateSet::of(State::Bound)))
    });
    let mut inodes = BTreeSet::new();
    // A socket missing from a dump costs only one more query; its own state then decides.
    read_tables(&dumps, &mut |sockets| {
        inodes.extend(
            sockets
                .iter()
                .filter_map(|socket| socket.inode)
                .map(NonZeroU32::get),
        );
        ControlFlow::Continue(())
    });
    inodes
}

/// The protocol of a socket that can hold a TCP port. An SMC socket contains a TCP socket with the same address.
fn protocol(name: &str) -> Option<Protocol> {
    match name {
        "TCP" | "TCPv6" | "SMC" | "SMC6" => Some(Protocol::Tcp),
        "MPTCP" | "MPTCPv6" => Some(Protocol::Mptcp),
        _ => None,
    }
}

/// Whether a socket that this thorough walk did not find is certain to have no holder.
fn shows_every_holder(root: &ProcRoot, walk: &Walk) -> bool {
    let evidence = Evidence {
        still_there: true,
        walked_again: true,
        processes_refused: walk.refused,
        hidepid: hides_processes(root),
        descriptors_in_flight: walk.descriptors_in_flight,
        io_uring_read: !walk.io_uring_unread,
        proc_is_empty: walk.processes == 0,
        initial_pid_namespace: namespaces::shows_all_processes(root),
        initial_user_namespace: namespaces::in_initial_user_namespace(),
    };
    evidence.status() == OwnerStatus::Kernel
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddr;

    #[test]
    fn our_own_bound_socket_is_found_by_its_descriptor_where_no_dump_has_it() {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let kind = rustix::net::SocketType::STREAM;
        let fd = rustix::net::socket(rustix::net::AddressFamily::INET, kind, None).unwrap();
        rustix::net::bind(&fd, &any).unwrap();
        let local = SocketAddr::try_from(rustix::net::getsockname(&fd).unwrap()).unwrap();
        let found = unlisted(|socket| socket.inet().is_some_and(|pair| pair.local_port == local.port()));
        let addresses: Vec<_> = found
            .sockets
            .iter()
            .filter_map(|(socket, _)| Some(socket.inet()?.local_address))
            .collect();
        assert_eq!(addresses, [local.ip()]);
    }

    #[test]
    fn only_a_walk_that_saw_everything_shows_that_there_are_no_others() {
        let all = Walk {
            processes: 3,
            ..Walk::default()
        };
        let root = ProcRoot::default();
        let sees_all = namespaces::shows_all_processes(&root) && namespaces::in_initial_user_namespace();
        assert_eq!(
            shows_every_holder(&root, &all),
            sees_all && !hides_processes(&root)
        );
        for doubt in [
            Walk {
                refused: 1,
                ..all.clone()
            },
            Walk {
                io_uring_unread: true,
                ..all.clone()
            },
            Walk {
                descriptors_in_flight: true,
                ..all.clone()
            },
            Walk::default(),
        ] {
            assert!(!shows_every_holder(&root, &doubt), "{doubt:?}");
        }
    }

    #[test]
    fn protocols_with_tcp_ports_are_asked() {
        assert_eq!(protocol("TCPv6"), Some(Protocol::Tcp));
        assert_eq!(protocol("SMC"), Some(Protocol::Tcp));
        assert_eq!(protocol("MPTCP"), Some(Protocol::Mptcp));
        assert_eq!(protocol("UDP"), None);
    }
}
