//! Assigns holders to the TCP sockets inside SMC sockets. Each SMC socket contains a TCP socket with the same ends, to
//! which no descriptor refers.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::ops::ControlFlow;

use super::namespaces::read;
use super::tables::is_loaded;
use crate::model::request::Dump;
use crate::model::{Holder, HolderTable, InetPair, Protocol, Socket, Stash, StateSet};
use crate::source::netns::Views;
use crate::source::proc::ProcRoot;
use crate::source::proc::holders::{Look, walk};

/// Both ends, with the network namespace. A wildcard is the same in both families.
type Key = (u32, u16, u16, Option<IpAddr>, Option<IpAddr>);

fn key(socket: &Socket, pair: &InetPair) -> Key {
    let specified = |address: IpAddr| Some(address).filter(|address| !address.is_unspecified());
    (
        socket.netns,
        pair.local_port,
        pair.peer_port,
        specified(pair.local_address),
        specified(pair.peer_address),
    )
}

/// Assigns the holders of SMC sockets to the TCP sockets inside, and removes the inodes of these from `left_over`.
/// Where the kernel has no SMC, this costs one read in /proc.
pub(super) fn name_holders(
    root: &ProcRoot,
    views: &Views,
    stash: &Stash,
    table: HolderTable,
    left_over: &mut BTreeSet<u32>,
) -> HolderTable {
    if !is_loaded(root, Protocol::Smc) {
        return table;
    }
    let mut inside: BTreeMap<Key, u32> = BTreeMap::new();
    let mut reader = stash.reader();
    let mut slot = Socket::BLANK;
    while reader.next_into(&mut slot) {
        if let (Protocol::Tcp, Some(inode), Some(pair)) = (slot.protocol, slot.inode, slot.inet())
            && pair.local_port != 0
            && left_over.contains(&inode.get())
        {
            inside.insert(key(&slot, pair), inode.get());
        }
    }
    if inside.is_empty() {
        return table;
    }
    let dump = Dump::new(Protocol::Smc, StateSet::ALL);
    let mut inner: BTreeMap<u32, u32> = BTreeMap::new();
    read(views, root, &[dump], &mut |sockets| {
        for socket in &*sockets {
            let found = socket.inet().and_then(|pair| inside.get(&key(socket, pair)));
            match (socket.inode, found) {
                (Some(inode), Some(tcp)) => {
                    inner.insert(inode.get(), *tcp);
                }
                // It waits to be accepted: no process holds it yet, and it is not a kernel socket.
                (None, Some(tcp)) => {
                    left_over.remove(tcp);
                }
                (_, None) => {}
            }
        }
        ControlFlow::Continue(())
    });
    if inner.is_empty() {
        return table;
    }
    let wanted: Vec<u32> = inner.keys().copied().collect();
    let look = Look {
        wanted: Some(&wanted),
        thorough: None,
    };
    let Ok(walked) = walk(root, look) else {
        return table;
    };
    let mut holders = table.all().to_vec();
    for holder in walked.holders {
        if let Some(tcp) = inner.get(&holder.inode) {
            left_over.remove(tcp);
            holders.push(Holder {
                inode: *tcp,
                ..holder
            });
        }
    }
    HolderTable::new(holders)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::super::read_tables;
    use super::super::samples::{file, recorded_dump};
    use super::*;
    use crate::model::{Family, State};
    use crate::query::samples::tcp;
    use crate::source::netlink::request::Table;
    use crate::source::proc::holders::Walk;
    use crate::source::tape::format::{Kind, Record};
    use crate::source::tape::testing::{record, replaying};

    /// A machine with SMC: a dump from Linux 6.1, and these holders.
    fn machine(holders: &[(u32, u32)]) -> Vec<Record> {
        let holder = |(inode, pid): &(u32, u32)| Holder {
            inode: *inode,
            pid: *pid,
            fd: 3,
            tid: 0,
        };
        let walk: std::io::Result<Walk> = Ok(Walk {
            holders: holders.iter().map(holder).collect(),
            processes: 1,
            ..Walk::default()
        });
        vec![
            file(
                "/proc/thread-self/net/protocols",
                "protocol size sockets\nSMC 9 8\n",
            ),
            recorded_dump(
                Table::Smc,
                include_bytes!("../../tests/data/kernels/smc-6.1.dump"),
            ),
            record(Kind::Walk, "any", &walk),
        ]
    }

    #[test]
    fn a_recorded_dump_is_split_into_its_families() {
        let count = |v4, v6| {
            let dump = Dump {
                v4,
                v6,
                ..Dump::new(Protocol::Smc, StateSet::ALL)
            };
            let mut found = Vec::new();
            replaying(machine(&[]), || {
                read_tables(&[dump], &mut |sockets| {
                    found.extend(sockets.iter().map(|socket| (socket.family, socket.state)));
                    ControlFlow::Continue(())
                });
            });
            found
        };
        assert_eq!(count(true, true).len(), 11);
        assert_eq!(count(true, false).len(), 8);
        let v6 = [State::Established, State::Established, State::Listen];
        assert_eq!(count(false, true), v6.map(|state| (Family::Inet6, state)));
    }

    #[test]
    fn the_tcp_socket_inside_is_held_by_whoever_holds_the_smc_socket() {
        let with_inode = |inode, socket: Socket| Socket {
            inode: NonZeroU32::new(inode),
            ..socket
        };
        let mut stash = Stash::default();
        for socket in [
            with_inode(281, tcp("127.0.0.1", 5101, "0.0.0.0", 0, State::Listen)),
            with_inode(292, tcp("::", 5102, "::", 0, State::Listen)),
            with_inode(300, tcp("127.0.0.1", 5100, "0.0.0.0", 0, State::Listen)),
            with_inode(11104, tcp("::1", 5102, "::1", 56102, State::Established)),
        ] {
            stash.push(&socket);
        }
        let mut left_over = BTreeSet::from([281, 292, 300, 11104]);
        let root = ProcRoot::default();
        let table = replaying(machine(&[(249, 117), (291, 118), (300, 119)]), || {
            let table = HolderTable::new(Vec::new());
            name_holders(&root, &Views::default(), &stash, table, &mut left_over)
        });
        let pids = |inode| {
            table
                .of(inode)
                .iter()
                .map(|holder| holder.pid)
                .collect::<Vec<_>>()
        };
        assert_eq!((pids(281), pids(292), pids(300)), (vec![117], vec![118], vec![]));
        assert_eq!(left_over, BTreeSet::from([300]), "11104 waits to be accepted");
        assert_eq!(pids(11104), [0; 0]);
        let without = replaying(Vec::new(), || {
            let table = HolderTable::new(Vec::new());
            name_holders(&root, &Views::default(), &stash, table, &mut left_over)
        });
        assert!(without.all().is_empty());
    }
}
