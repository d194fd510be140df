//! Packed storage for sockets that wait for their owners.
//!
//! A full [`Socket`] takes about 200 bytes, too much for a million of them while the search for owners runs. A record
//! contains only the facts that a socket has: an idle IPv4 connection takes about 40 bytes, an IPv6 one about 64.
//! Records are read back in order.

mod bytes;
mod ends;
mod store;

use std::num::{NonZeroU32, NonZeroU64};

use bytes::{put_count, put32, take, take_count, take32, take64};
use ends::{put_inet, put_other, put_unix, take_inet, take_other, take_unix};

pub use store::{Key, Store};

use super::{Backend, Endpoints, Family, Protocol, Shutdown, Socket, SocketType, State, Timer, TimerKind};

/// Packed sockets, in order.
#[derive(Clone, Debug, Default)]
pub struct Stash {
    bytes: Vec<u8>,
    count: usize,
}

/// The head of a record, for passes that need no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The socket's inode.
    pub inode: Option<NonZeroU32>,
    /// Its protocol.
    pub protocol: Protocol,
    /// Its state.
    pub state: State,
    /// Whether the kernel made it for its own use ([`Socket::is_of_kernel`]).
    pub of_kernel: bool,
}

// Which optional parts follow the head, in this order.
const COOKIE: u32 = 1;
const RQUEUE: u32 = 1 << 1;
const RQUEUE_ZERO: u32 = 1 << 2;
const WQUEUE: u32 = 1 << 3;
const WQUEUE_ZERO: u32 = 1 << 4;
const UID: u32 = 1 << 5;
const UID_ZERO: u32 = 1 << 6;
const TIMER: u32 = 1 << 7;
const TIMER_EXPIRES: u32 = 1 << 8;
const MARK: u32 = 1 << 9;
const CGROUP: u32 = 1 << 10;
const SHUTDOWN: u32 = 1 << 11;
const SOCKET_OPTIONS: u32 = 1 << 12;
const IP_PROTOCOL: u32 = 1 << 13;
const DROPS: u32 = 1 << 14;
const PROC: u32 = 1 << 15;
const INTERFACE: u32 = 1 << 16;
const V6ONLY: u32 = 1 << 17;
const V6ONLY_SET: u32 = 1 << 18;
const V4_LOCAL: u32 = 1 << 19;
const V4_PEER: u32 = 1 << 20;
const UNIX: u32 = 1 << 21;
const NAME: u32 = 1 << 22;
const PEER_INODE: u32 = 1 << 23;
const PENDING: u32 = 1 << 24;
const FILE: u32 = 1 << 25;
const DETAILS: u32 = 1 << 26;
const NETNS: u32 = 1 << 27;
const DESCRIPTOR: u32 = 1 << 28;
/// The record was removed (from a [`Store`]).
const DEAD: u32 = 1 << 29;
const OTHER_ENDS: u32 = 1 << 30;
const OF_KERNEL: u32 = 1 << 31;

impl Stash {
    /// Returns the number of sockets.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Returns whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Appends a socket.
    pub fn push(&mut self, socket: &Socket) {
        let start = self.bytes.len();
        let mut flags = 0;
        let out = &mut self.bytes;
        out.extend_from_slice(&[0; 4]); // length, known at the end
        put32(out, socket.inode.map_or(0, NonZeroU32::get));
        out.extend_from_slice(&[
            socket.protocol as u8,
            socket.state as u8,
            socket.family as u8,
            socket.kind.map_or(0, |kind| kind as u8 + 1),
        ]);
        let flags_at = out.len();
        out.extend_from_slice(&[0; 4]);
        if let Some(cookie) = socket.cookie {
            flags |= COOKIE;
            out.extend_from_slice(&cookie.get().to_ne_bytes());
        }
        flags |= put_count(out, socket.rqueue, RQUEUE, RQUEUE_ZERO);
        flags |= put_count(out, socket.wqueue, WQUEUE, WQUEUE_ZERO);
        flags |= put_count(out, socket.uid, UID, UID_ZERO);
        if let Some(timer) = socket.timer {
            flags |= TIMER;
            out.extend_from_slice(&[timer.kind as u8, timer.retransmits]);
            if let Some(expires_ms) = timer.expires_ms {
                flags |= TIMER_EXPIRES;
                put32(out, expires_ms);
            }
        }
        if let Some(mark) = socket.mark {
            flags |= MARK;
            put32(out, mark);
        }
        if let Some(cgroup) = socket.cgroup_id {
            flags |= CGROUP;
            out.extend_from_slice(&cgroup.get().to_ne_bytes());
        }
        if let Some(Shutdown(bits)) = socket.shutdown {
            flags |= SHUTDOWN;
            out.push(bits);
        }
        if let Some(options) = socket.socket_options {
            flags |= SOCKET_OPTIONS;
            out.extend_from_slice(&options.to_ne_bytes());
        }
        if let Some(protocol) = socket.ip_protocol {
            flags |= IP_PROTOCOL;
            out.push(protocol);
        }
        if let Some(drops) = socket.drops {
            flags |= DROPS;
            out.extend_from_slice(&drops.to_ne_bytes());
        }
        flags |= match socket.backend {
            Backend::SockDiag => 0,
            Backend::ProcNet => PROC,
            Backend::Descriptor => DESCRIPTOR,
        };
        if socket.netns != 0 {
            flags |= NETNS;
            put32(out, socket.netns);
        }
        flags |= match &socket.endpoints {
            Endpoints::Inet(pair) => put_inet(out, pair),
            Endpoints::Unix(pair) => put_unix(out, pair),
            other => {
                put_other(out, other);
                OTHER_ENDS
            }
        };
        if socket.is_of_kernel() {
            flags |= OF_KERNEL;
        }
        if !socket.details.is_empty() {
            flags |= DETAILS;
            let details = socket.details.as_bytes();
            put32(out, u32::try_from(details.len()).unwrap_or(u32::MAX));
            out.extend_from_slice(details);
        }
        let length = u32::try_from(out.len() - start).unwrap_or(u32::MAX);
        if let Some(slot) = out.get_mut(start..start + 4) {
            slot.copy_from_slice(&length.to_ne_bytes());
        }
        if let Some(slot) = out.get_mut(flags_at..flags_at + 4) {
            slot.copy_from_slice(&flags.to_ne_bytes());
        }
        self.count += 1;
    }

    /// Returns the heads of all records, in order.
    pub fn heads(&self) -> impl Iterator<Item = Head> + '_ {
        let mut rest = self.bytes.as_slice();
        std::iter::from_fn(move || {
            let mut record = rest;
            let length = take32(&mut record) as usize;
            let (inode, [protocol, state, ..]) = (take32(&mut record), take::<4>(&mut record));
            let flags = take32(&mut record);
            rest = rest.get(length..)?;
            (length > 0).then_some(Head {
                inode: NonZeroU32::new(inode),
                protocol: protocol_of(protocol),
                state: state_of(state),
                of_kernel: flags & OF_KERNEL != 0,
            })
        })
    }

    /// Returns the position after the last record.
    pub fn end(&self) -> Position {
        Position(self.bytes.len())
    }

    /// Returns a reader over all records, in order.
    pub fn reader(&self) -> Reader<'_> {
        self.reader_from(Position::default())
    }

    /// Returns a reader over the records after those that another one has read.
    pub fn reader_from(&self, position: Position) -> Reader<'_> {
        let rest = self.bytes.get(position.0..).unwrap_or_default();
        Reader {
            stash_bytes: self.bytes.len(),
            rest,
        }
    }
}

/// The position of a reader; it stays valid while the stash grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position(usize);

/// Reads the records of a [`Stash`] one by one into a caller's slot.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    stash_bytes: usize,
    rest: &'a [u8],
}

impl Reader<'_> {
    /// Its position.
    pub fn position(&self) -> Position {
        Position(self.stash_bytes - self.rest.len())
    }

    /// Returns the inode of the next socket; `None` at the end and for a socket without one.
    pub fn next_inode(&self) -> Option<NonZeroU32> {
        let mut record = self.rest;
        take32(&mut record);
        NonZeroU32::new(take32(&mut record))
    }

    /// Unpacks the next socket into `slot`; returns false at the end. Allocates only for names of unix sockets, and for
    /// details if the slot has no memory for them yet.
    pub fn next_into(&mut self, slot: &mut Socket) -> bool {
        if self.rest.is_empty() {
            return false;
        }
        let input = &mut self.rest;
        take32(input);
        let inode = take32(input);
        let [protocol, state, family, kind] = take::<4>(input);
        let flags = take32(input);
        let has = |bit: u32| flags & bit != 0;
        let mut details = std::mem::take(&mut slot.details);
        details.clear();
        *slot = Socket {
            protocol: protocol_of(protocol),
            family: Family::ALL
                .get(usize::from(family))
                .copied()
                .unwrap_or(Family::Inet),
            kind: usize::from(kind)
                .checked_sub(1)
                .and_then(|kind| SocketType::ALL.get(kind).copied()),
            state: state_of(state),
            inode: NonZeroU32::new(inode),
            cookie: has(COOKIE).then(|| take64(input)).and_then(NonZeroU64::new),
            rqueue: take_count(input, flags, RQUEUE, RQUEUE_ZERO),
            wqueue: take_count(input, flags, WQUEUE, WQUEUE_ZERO),
            uid: take_count(input, flags, UID, UID_ZERO),
            timer: has(TIMER).then(|| {
                let [code, retransmits] = take::<2>(input);
                let expires_ms = has(TIMER_EXPIRES).then(|| take32(input));
                Timer {
                    kind: timer_kind(code),
                    expires_ms,
                    retransmits,
                }
            }),
            mark: has(MARK).then(|| take32(input)),
            cgroup_id: has(CGROUP).then(|| take64(input)).and_then(NonZeroU64::new),
            shutdown: has(SHUTDOWN).then(|| Shutdown(take::<1>(input)[0])),
            socket_options: has(SOCKET_OPTIONS).then(|| u16::from_ne_bytes(take(input))),
            ip_protocol: has(IP_PROTOCOL).then(|| take::<1>(input)[0]),
            drops: has(DROPS).then(|| take64(input)),
            backend: if has(PROC) {
                Backend::ProcNet
            } else if has(DESCRIPTOR) {
                Backend::Descriptor
            } else {
                Backend::SockDiag
            },
            netns: if has(NETNS) { take32(input) } else { 0 },
            endpoints: if has(UNIX) {
                Endpoints::Unix(take_unix(input, flags))
            } else if has(OTHER_ENDS) {
                take_other(input)
            } else {
                Endpoints::Inet(take_inet(input, flags))
            },
            details,
        };
        if has(DETAILS) {
            let length = take32(input) as usize;
            let (details, rest) = input.split_at_checked(length).unwrap_or_default();
            slot.details.set_bytes(details);
            *input = rest;
        }
        true
    }
}

fn protocol_of(number: u8) -> Protocol {
    Protocol::ALL
        .get(usize::from(number))
        .copied()
        .unwrap_or(Protocol::Tcp)
}

fn state_of(number: u8) -> State {
    // `number` is `State as u8`, where 13 is bound and 7 unconnected.
    State::from_kernel(number, false).unwrap_or(State::Unconnected)
}

fn timer_kind(number: u8) -> TimerKind {
    TimerKind::ALL
        .get(usize::from(number))
        .copied()
        .unwrap_or(TimerKind::Unknown)
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv6Addr};

    use super::*;
    use crate::model::details::Details;
    use crate::model::endpoint::UnixFile;
    use crate::model::other_ends::{NetlinkPair, PacketEnd, TipcEnd, TipcPair, VsockPair, XdpEnd};
    use crate::model::{InetPair, UnixPair};
    use proptest::option::of;
    use proptest::prelude::*;

    fn address() -> impl Strategy<Value = IpAddr> {
        prop_oneof![
            any::<[u8; 4]>().prop_map(|a| IpAddr::V4(a.into())),
            any::<[u8; 16]>().prop_map(|a| IpAddr::V6(a.into()))
        ]
    }

    fn endpoints() -> impl Strategy<Value = Endpoints> {
        let inet = (
            address(),
            any::<u16>(),
            address(),
            any::<u16>(),
            any::<u32>(),
            any::<Option<bool>>(),
        )
            .prop_map(
                |(local_address, local_port, peer_address, peer_port, interface, v6only)| {
                    let interface = NonZeroU32::new(interface);
                    Endpoints::Inet(InetPair {
                        local_address,
                        local_port,
                        peer_address,
                        peer_port,
                        interface,
                        v6only,
                    })
                },
            );
        let unix = (
            of(any::<Vec<u8>>()),
            any::<u32>(),
            any::<Vec<u32>>(),
            of(any::<(u32, u32)>()),
        )
            .prop_map(|(name, peer, pending, file)| {
                Endpoints::Unix(UnixPair {
                    name: name.map(Into::into),
                    peer_inode: NonZeroU32::new(peer),
                    pending,
                    file: file.map(|(inode, device)| UnixFile { inode, device }),
                })
            });
        let packet = any::<(u16, u32)>().prop_map(|(ethertype, interface)| {
            let interface = NonZeroU32::new(interface);
            Endpoints::Packet(PacketEnd { ethertype, interface })
        });
        let netlink = any::<(u8, [u32; 3], Vec<u32>)>().prop_map(|(protocol, numbers, groups)| {
            let [portid, peer_portid, peer_group] = numbers;
            let groups = groups.into();
            Endpoints::Netlink(NetlinkPair {
                protocol,
                portid,
                peer_portid,
                peer_group,
                groups,
            })
        });
        let vsock = any::<[u32; 4]>().prop_map(|[local_cid, local_port, peer_cid, peer_port]| {
            Endpoints::Vsock(VsockPair {
                local_cid,
                local_port,
                peer_cid,
                peer_port,
            })
        });
        let xdp = any::<(u32, u32)>().prop_map(|(interface, queue_id)| {
            let interface = NonZeroU32::new(interface);
            Endpoints::Xdp(XdpEnd { interface, queue_id })
        });
        let numbers = any::<([u32; 2], Option<[u32; 2]>, Option<[u32; 2]>, [bool; 3])>();
        let tipc = numbers.prop_map(|(local, peer, service, flags)| {
            let end = |[node, reference]: [u32; 2]| TipcEnd { node, reference };
            let [is_published, is_link_congested, is_connection_congested] = flags;
            Endpoints::Tipc(TipcPair {
                local: end(local),
                peer: peer.map(end),
                service,
                is_published,
                is_link_congested,
                is_connection_congested,
            })
        });
        let protocol_only = "[A-Z_0-9]{0,12}".prop_map(|name| Endpoints::ProtocolOnly(name.into()));
        prop_oneof![inet, unix, packet, netlink, vsock, xdp, tipc, protocol_only]
    }

    prop_compose! {
        fn socket()(
            endpoints in endpoints(),
            (protocol, family, kind, state) in (0..Protocol::ALL.len(), 0..Family::ALL.len(), of(0..SocketType::ALL.len()), 0usize..12),
            (inode, cookie, rqueue, wqueue, uid) in any::<(u32, u64, Option<u32>, Option<u32>, Option<u32>)>(),
            timer in of((1u8..8, any::<Option<u32>>(), any::<u8>())),
            (mark, cgroup, shutdown, options, ip, drops) in any::<(Option<u32>, u64, Option<u8>, Option<u16>, Option<u8>, Option<u64>)>(),
            ((proc, netns), attributes) in (any::<(Option<bool>, u32)>(), proptest::collection::vec((0u16..32, any::<Vec<u8>>()), 0..4)),
        ) -> Socket {
            let mut details = Details::default();
            for (kind, value) in &attributes {
                details.push(*kind, value);
            }
            Socket {
                protocol: Protocol::ALL[protocol],
                family: Family::ALL[family],
                kind: kind.map(|kind| SocketType::ALL[kind]),
                state: State::ALL[state],
                endpoints,
                inode: NonZeroU32::new(inode),
                cookie: NonZeroU64::new(cookie),
                rqueue, wqueue, uid,
                timer: timer.and_then(|(code, expires_ms, retransmits)| {
                    Some(Timer { kind: TimerKind::from_kernel(code)?, expires_ms, retransmits })
                }),
                mark,
                cgroup_id: NonZeroU64::new(cgroup),
                shutdown: shutdown.map(Shutdown),
                socket_options: options,
                ip_protocol: ip,
                drops,
                details,
                backend: match proc {
                    None => Backend::SockDiag,
                    Some(true) => Backend::ProcNet,
                    Some(false) => Backend::Descriptor,
                },
                netns,
            }
        }
    }

    proptest! {
        #[test]
        fn sockets_are_unpacked_as_packed_and_in_order(sockets in proptest::collection::vec(socket(), 0..8)) {
            let mut stash = Stash::default();
            for socket in &sockets {
                stash.push(socket);
            }
            let mut reader = stash.reader();
            let mut slot = Socket::BLANK;
            let mut read = Vec::new();
            while reader.next_into(&mut slot) {
                read.push(slot.clone());
            }
            let heads: Vec<_> = stash.heads().collect();
            let expected: Vec<_> = sockets.iter().map(|s| Head { inode: s.inode, protocol: s.protocol, state: s.state, of_kernel: s.is_of_kernel() }).collect();
            prop_assert_eq!(heads, expected);
            prop_assert_eq!(stash.len(), read.len());
            prop_assert_eq!(read, sockets);
        }
    }

    #[test]
    fn an_idle_connection_takes_at_most_64_bytes() {
        let pair = InetPair {
            local_address: IpAddr::V6(Ipv6Addr::LOCALHOST),
            peer_address: IpAddr::V6(Ipv6Addr::LOCALHOST),
            ..InetPair::UNSPECIFIED
        };
        let mut stash = Stash::default();
        stash.push(&Socket {
            endpoints: Endpoints::Inet(pair),
            inode: NonZeroU32::new(1),
            cookie: NonZeroU64::new(1),
            rqueue: Some(0),
            wqueue: Some(0),
            uid: Some(1000),
            ..Socket::BLANK
        });
        assert!(stash.bytes.len() <= 64, "{}", stash.bytes.len());
    }
}
