//! The other ends of rows, and their owners.

use std::num::NonZeroU32;

use crate::model::ends::{Ends, InetEnd};
use crate::model::{Endpoints, Holder, HolderTable, OwnerStatus, Owners, Peers, Socket, Stash};

/// The sockets at the other ends of rows. Their holders are needed too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Others {
    /// Their inodes, sorted.
    pub inodes: Vec<u32>,
    /// Whether some connection among them waits at a listener.
    pub queued: bool,
}

impl Others {
    /// The other ends of all rows.
    pub fn of(ends: &Ends, rows: &Stash) -> Self {
        let mut others = Self::default();
        if !ends.is_asked() {
            return others;
        }
        let mut slot = Socket::BLANK;
        let mut reader = rows.reader();
        while reader.next_into(&mut slot) {
            match &slot.endpoints {
                Endpoints::Unix(_) => {
                    let inode = slot.inode.map_or(0, NonZeroU32::get);
                    others.inodes.extend(ends.unix_others(inode));
                }
                Endpoints::Inet(pair) => match ends.inet_other(&slot, pair) {
                    Some(InetEnd {
                        inode: Some(inode), ..
                    }) => others.inodes.push(inode.get()),
                    Some(_) => others.queued = true,
                    None => {}
                },
                _ => {}
            }
        }
        others.inodes.sort_unstable();
        others.inodes.dedup();
        others
    }
}

/// Completes the ends with their owners.
pub(super) fn peers(ends: Ends, owners: &Owners, rows: &Stash) -> Peers {
    if !ends.is_asked() {
        return Peers::default();
    }
    let mut gathered = Vec::new();
    for head in rows.heads() {
        let Some(own) = head.inode.map(NonZeroU32::get) else {
            continue;
        };
        if ends.unix_others(own).nth(1).is_none() {
            continue;
        }
        for other in ends.unix_others(own) {
            let holders = owners.holders().of(other).iter();
            gathered.extend(holders.map(|holder| Holder {
                inode: own,
                ..*holder
            }));
        }
    }
    let mut peers = Peers {
        ends,
        owners: owners.clone(),
        gathered: HolderTable::new(gathered),
        ..Peers::default()
    };
    look(&mut peers, rows);
    peers
}

/// Looks up the other end of each row, once.
fn look(peers: &mut Peers, rows: &Stash) {
    let (mut pids, mut hidden) = (Vec::new(), 0);
    let mut slot = Socket::BLANK;
    let mut reader = rows.reader();
    while reader.next_into(&mut slot) {
        let Some(peer) = peers.of(&slot) else { continue };
        pids.extend(peer.ownership.holders.iter().map(|holder| holder.pid));
        hidden += u64::from(peer.ownership.status == OwnerStatus::Hidden);
    }
    pids.sort_unstable();
    pids.dedup();
    (peers.pids, peers.hidden) = (pids, hidden);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::ends::EndsBuilder;
    use super::*;
    use crate::model::Listener;
    use crate::model::request::PeerKinds;
    use crate::model::{Family, Protocol, SocketType, State, UnixPair};
    use crate::query::samples::tcp;

    fn unix(
        kind: SocketType,
        state: State,
        inode: u32,
        peer: u32,
        name: Option<&[u8]>,
        pending: &[u32],
    ) -> Socket {
        Socket {
            protocol: Protocol::Unix,
            family: Family::Unix,
            kind: Some(kind),
            state,
            inode: NonZeroU32::new(inode),
            endpoints: Endpoints::Unix(UnixPair {
                name: name.map(Into::into),
                peer_inode: NonZeroU32::new(peer),
                pending: pending.to_vec(),
                file: None,
            }),
            ..Socket::BLANK
        }
    }

    fn with_inode(socket: Socket, inode: u32) -> Socket {
        Socket {
            inode: NonZeroU32::new(inode),
            ..socket
        }
    }

    /// Every inode is held by the process with ten times its number, as descriptor 3.
    fn peers(sockets: &[Socket]) -> Peers {
        let mut ends = EndsBuilder::of(PeerKinds {
            unix: true,
            inet: true,
        });
        let mut stash = Stash::default();
        for socket in sockets {
            ends.add(socket);
            stash.push(socket);
        }
        let ends = ends.finish();
        let holders = sockets
            .iter()
            .filter_map(|socket| socket.inode)
            .map(|inode| Holder {
                inode: inode.get(),
                pid: inode.get() * 10,
                fd: 3,
                tid: 0,
            });
        let owners = Owners::new(
            HolderTable::new(holders.collect()),
            BTreeMap::new(),
            sockets.iter().filter_map(Listener::of).collect(),
        );
        let others = Others::of(&ends, &stash);
        assert!(others.inodes.iter().all(|inode| {
            sockets
                .iter()
                .any(|it| it.inode.map(NonZeroU32::get) == Some(*inode))
        }));
        super::peers(ends, &owners, &stash)
    }

    fn pids(peers: &Peers, socket: &Socket) -> Vec<u32> {
        let peer = peers.of(socket);
        peer.map_or(Vec::new(), |peer| {
            peer.ownership.holders.iter().map(|holder| holder.pid).collect()
        })
    }

    #[test]
    fn both_ends_of_a_unix_connection_name_each_other() {
        let server = unix(SocketType::Stream, State::Established, 1, 2, Some(b"/run/x"), &[]);
        let client = unix(SocketType::Stream, State::Established, 2, 1, None, &[]);
        let peers = peers(&[server.clone(), client.clone()]);
        let of_client = peers.of(&client).unwrap();
        assert_eq!(
            (of_client.name, of_client.inode),
            (Some(&b"/run/x"[..]), NonZeroU32::new(1))
        );
        assert_eq!(pids(&peers, &client), [10]);
        assert_eq!(peers.of(&server).unwrap().name, None);
        assert_eq!(pids(&peers, &server), [20]);
    }

    #[test]
    fn all_senders_of_a_datagram_socket_are_named() {
        let receiver = unix(SocketType::Dgram, State::Unconnected, 9, 0, Some(b"\0log"), &[]);
        let mut sockets = vec![receiver.clone()];
        sockets
            .extend([1, 2, 3].map(|inode| unix(SocketType::Dgram, State::Established, inode, 9, None, &[])));
        let peers = peers(&sockets);
        let peer = peers.of(&receiver).unwrap();
        assert_eq!(
            (peer.inode, peer.name),
            (None, None),
            "it is connected to none of them"
        );
        assert_eq!(pids(&peers, &receiver), [10, 20, 30]);
        assert_eq!(peers.of(&sockets[2]).unwrap().name, Some(&b"\0log"[..]));
        assert_eq!(pids(&peers, &sockets[2]), [90]);
    }

    #[test]
    fn a_listener_and_the_clients_that_wait_name_each_other() {
        let listener = unix(SocketType::Stream, State::Listen, 5, 0, Some(b"/run/l"), &[6, 7]);
        let clients = [6, 7].map(|inode| unix(SocketType::Stream, State::Established, inode, 0, None, &[]));
        let peers = peers(&[listener.clone(), clients[0].clone(), clients[1].clone()]);
        assert_eq!(pids(&peers, &listener), [60, 70]);
        let peer = peers.of(&clients[1]).unwrap();
        assert_eq!((peer.name, peer.inode), (Some(&b"/run/l"[..]), None));
        assert_eq!(pids(&peers, &clients[1]), [50]);
        let alone = unix(SocketType::Stream, State::Established, 8, 0, None, &[]);
        assert_eq!(peers.of(&alone), None);
    }

    #[test]
    fn tcp_connections_on_this_machine_name_both_ends_and_others_none() {
        let client = with_inode(tcp("127.0.0.1", 40000, "127.0.0.1", 80, State::Established), 1);
        let server = with_inode(
            tcp(
                "::ffff:127.0.0.1",
                80,
                "::ffff:127.0.0.1",
                40000,
                State::CloseWait,
            ),
            2,
        );
        let abroad = with_inode(tcp("10.0.0.1", 40000, "192.0.2.1", 80, State::Established), 3);
        let old = tcp("127.0.0.1", 80, "127.0.0.1", 39999, State::TimeWait);
        let peers = peers(&[client.clone(), server.clone(), abroad.clone(), old.clone()]);
        assert_eq!(pids(&peers, &client), [20]);
        assert_eq!(pids(&peers, &server), [10]);
        assert_eq!((peers.of(&abroad), peers.of(&old)), (None, None));
    }

    #[test]
    fn an_end_in_another_network_namespace_is_found_unless_it_is_ambiguous() {
        let at = |netns, socket| Socket { netns, ..socket };
        let client = with_inode(tcp("10.0.0.1", 40000, "10.0.0.2", 80, State::Established), 1);
        let server = with_inode(tcp("10.0.0.2", 80, "10.0.0.1", 40000, State::Established), 2);
        let twin = at(3, with_inode(server.clone(), 3));
        let server = at(2, server);
        assert_eq!(pids(&peers(&[client.clone(), server.clone()]), &client), [20]);
        assert_eq!(pids(&peers(&[client.clone(), server.clone()]), &server), [10]);
        let of_several = peers(&[client.clone(), server, twin]);
        assert_eq!(of_several.of(&client), None);
        let client = with_inode(tcp("127.0.0.1", 40000, "127.0.0.1", 80, State::Established), 1);
        let server = with_inode(tcp("127.0.0.1", 80, "127.0.0.1", 40000, State::Established), 2);
        assert_eq!(peers(&[client.clone(), at(1, server)]).of(&client), None);
    }

    #[test]
    fn ends_with_a_hidden_owner_are_counted() {
        let client = with_inode(tcp("127.0.0.1", 40000, "127.0.0.1", 80, State::Established), 1);
        let server = with_inode(tcp("127.0.0.1", 80, "127.0.0.1", 40000, State::Established), 2);
        let mut ends = EndsBuilder::of(PeerKinds {
            unix: false,
            inet: true,
        });
        ends.add(&client);
        ends.add(&server);
        let ends = ends.finish();
        let holder = Holder {
            inode: 1,
            pid: 10,
            fd: 3,
            tid: 0,
        };
        let why = BTreeMap::from([(2, OwnerStatus::Hidden)]);
        let owners = Owners::new(HolderTable::new(vec![holder]), why, Vec::new());
        // The row is the client's; the filter excludes the server's.
        let mut rows = Stash::default();
        rows.push(&client);
        let peers = super::peers(ends, &owners, &rows);
        assert_eq!((peers.hidden, &peers.pids[..]), (1, &[][..]));
        assert_eq!(peers.of(&client).unwrap().ownership.status, OwnerStatus::Hidden);
    }

    #[test]
    fn the_end_that_waits_in_an_accept_queue_is_the_listeners() {
        let client = with_inode(tcp("10.0.0.1", 40000, "10.0.0.1", 80, State::Established), 1);
        let waiting = tcp("10.0.0.1", 80, "10.0.0.1", 40000, State::Established);
        let listener = with_inode(tcp("0.0.0.0", 80, "0.0.0.0", 0, State::Listen), 4);
        let peers = peers(&[client.clone(), waiting, listener]);
        let peer = peers.of(&client).unwrap();
        assert_eq!(peer.ownership.status, OwnerStatus::Queued);
        assert_eq!(pids(&peers, &client), [40]);
    }

    #[test]
    fn an_unconnected_udp_server_is_found_unless_it_is_ambiguous() {
        let udp = |local: &str, local_port, peer: &str, peer_port, state, inode| Socket {
            protocol: Protocol::Udp,
            kind: Some(SocketType::Dgram),
            ..with_inode(tcp(local, local_port, peer, peer_port, state), inode)
        };
        let client = udp("127.0.0.1", 40000, "127.0.0.1", 53, State::Established, 1);
        let wildcard = udp("::", 53, "::", 0, State::Unconnected, 2);
        let exact = udp("127.0.0.1", 53, "0.0.0.0", 0, State::Unconnected, 3);
        let twin = udp("127.0.0.1", 53, "0.0.0.0", 0, State::Unconnected, 4);
        let abroad = udp("10.0.0.1", 40000, "192.0.2.1", 53, State::Established, 5);
        assert_eq!(pids(&peers(&[client.clone(), wildcard.clone()]), &client), [20]);
        assert_eq!(
            pids(
                &peers(&[client.clone(), wildcard.clone(), exact.clone()]),
                &client
            ),
            [30]
        );
        assert_eq!(peers(&[client.clone(), exact, twin]).of(&client), None);
        assert_eq!(peers(&[abroad.clone(), wildcard]).of(&abroad), None);
    }
}
