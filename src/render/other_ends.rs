//! The ends of packet, netlink, VM, XDP and TIPC sockets as text, with one part before and one after the colon, as in
//! ss.

use super::escape;
use super::text::push_number;
use crate::model::Row;
use crate::model::numbers::{ethertype_name, netlink_protocol_name};
use crate::model::other_ends::{NetlinkPair, TipcPair, vsock_number};
use crate::model::{Endpoints, Protocol};

/// `ETH_P_ALL`: every packet.
const ALL: u16 = 3;

/// How numbers are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As `ss -n`: `[2054]`, `16`, `0`.
    Numbers,
    /// By name: `arp`, `genl`, `kernel`.
    Names,
}

/// Appends the part of the local end before the colon.
pub fn push_local(out: &mut Vec<u8>, row: &Row<'_>, form: Form) {
    match &row.socket.endpoints {
        Endpoints::Packet(end) => match (end.ethertype, ethertype_name(end.ethertype), form) {
            (ALL, ..) => out.push(b'*'),
            (_, Some(name), Form::Names) => out.extend_from_slice(name.as_bytes()),
            (number, ..) => {
                out.push(b'[');
                push_number(out, number);
                out.push(b']');
            }
        },
        Endpoints::Netlink(pair) => match (netlink_protocol_name(pair.protocol), form) {
            (Some(name), Form::Names) => out.extend_from_slice(name.as_bytes()),
            _ => push_number(out, pair.protocol),
        },
        Endpoints::Vsock(pair) => push_or_any(out, vsock_number(pair.local_cid)),
        Endpoints::Tipc(pair) => push_number(out, pair.local.node),
        Endpoints::Xdp(end) if end.interface.is_some() => push_interface(out, row),
        // The protocol column has no name for it.
        Endpoints::ProtocolOnly(name) if row.socket.protocol == Protocol::Other => {
            escape::push_also(out, name.as_bytes(), |c| c == ' ' || c == ':');
        }
        _ => out.push(b'*'),
    }
}

/// Appends the part of the local end after the colon.
pub fn push_local_port(out: &mut Vec<u8>, row: &Row<'_>, form: Form) {
    match &row.socket.endpoints {
        Endpoints::Packet(_) => push_interface(out, row),
        Endpoints::Netlink(pair) => push_portid(out, pair.portid, form),
        Endpoints::Vsock(pair) => push_or_any(out, vsock_number(pair.local_port)),
        Endpoints::Tipc(pair) => push_number(out, pair.local.reference),
        Endpoints::Xdp(end) if end.interface.is_some() => {
            out.push(b'q');
            push_number(out, end.queue_id);
        }
        _ => out.push(b'*'),
    }
}

/// Appends both parts of the peer; returns false if there is none.
pub fn push_peer(out: &mut Vec<u8>, row: &Row<'_>, form: Form) -> bool {
    match &row.socket.endpoints {
        Endpoints::Netlink(pair) if pair.is_connected() => push_netlink_peer(out, pair, form),
        Endpoints::Vsock(pair) => {
            push_or_any(out, vsock_number(pair.peer_cid));
            out.push(b':');
            push_or_any(out, vsock_number(pair.peer_port));
        }
        Endpoints::Tipc(TipcPair { peer: Some(peer), .. }) => {
            push_number(out, peer.node);
            out.push(b':');
            push_number(out, peer.reference);
        }
        _ => return false,
    }
    true
}

fn push_netlink_peer(out: &mut Vec<u8>, pair: &NetlinkPair, form: Form) {
    push_number(out, pair.peer_group);
    out.push(b':');
    push_portid(out, pair.peer_portid, form);
}

/// ss prints numbers above all process ids as negative; the largest means any.
fn push_portid(out: &mut Vec<u8>, portid: u32, form: Form) {
    match (portid, portid.cast_signed()) {
        (0, _) if form == Form::Names => out.extend_from_slice(b"kernel"),
        (_, -1) => out.push(b'*'),
        (_, number) => {
            if number < 0 {
                out.push(b'-');
            }
            push_number(out, number.unsigned_abs());
        }
    }
}

fn push_interface(out: &mut Vec<u8>, row: &Row<'_>) {
    match row.socket.interface() {
        None => out.push(b'*'),
        Some(index) => match row.interface(index) {
            Some(name) => escape::push_also(out, name.as_bytes(), |c| c == ' '),
            None => {
                out.extend_from_slice(b"if");
                push_number(out, index.get());
            }
        },
    }
}

fn push_or_any(out: &mut Vec<u8>, number: Option<u32>) {
    match number {
        Some(number) => push_number(out, number),
        None => out.push(b'*'),
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use crate::model::Socket;
    use crate::model::other_ends::{PacketEnd, VsockPair, XdpEnd};
    use crate::query::samples;

    /// Local and peer end, as numbers and as names.
    fn shown(endpoints: Endpoints) -> [String; 2] {
        let socket = Socket {
            endpoints,
            ..Socket::BLANK
        };
        [Form::Numbers, Form::Names].map(|form| {
            samples::with_row(&socket, |row| {
                let mut out = Vec::new();
                push_local(&mut out, row, form);
                out.push(b':');
                push_local_port(&mut out, row, form);
                out.push(b' ');
                push_peer(&mut out, row, form);
                String::from_utf8(out).unwrap()
            })
        })
    }

    #[test]
    fn packet_sockets_show_a_protocol_and_an_interface() {
        let packet = |ethertype, index| {
            let interface = NonZeroU32::new(index);
            shown(Endpoints::Packet(PacketEnd { ethertype, interface }))
        };
        assert_eq!(packet(3, 0), ["*:* ", "*:* "]);
        assert_eq!(packet(0x806, 99), ["[2054]:if99 ", "arp:if99 "]);
        assert_eq!(packet(0, 0), ["[0]:* ", "[0]:* "]);
    }

    #[test]
    fn netlink_sockets_show_a_family_and_port_ids() {
        let netlink = |protocol, portid, peer_portid, peer_group| {
            shown(Endpoints::Netlink(NetlinkPair {
                protocol,
                portid,
                peer_portid,
                peer_group,
                groups: Box::default(),
            }))
        };
        assert_eq!(netlink(0, 0, 0, 0), ["0:0 ", "rtnl:kernel "]);
        assert_eq!(netlink(15, 812, 0, 2), ["15:812 2:0", "uevent:812 2:kernel"]);
        assert_eq!(netlink(77, 4_294_967_000, 0, 0), ["77:-296 ", "77:-296 "]);
        assert_eq!(netlink(16, u32::MAX, 0, 0), ["16:* ", "genl:* "]);
    }

    #[test]
    fn vm_and_xdp_sockets_show_what_they_are_bound_to() {
        let vsock = |local_cid, local_port, peer_cid, peer_port| {
            let [numbers, _] = shown(Endpoints::Vsock(VsockPair {
                local_cid,
                local_port,
                peer_cid,
                peer_port,
            }));
            numbers
        };
        assert_eq!(vsock(u32::MAX, 1024, u32::MAX, u32::MAX), "*:1024 *:*");
        assert_eq!(vsock(3, 1024, 2, 50_000), "3:1024 2:50000");
        let xdp = |index| {
            let interface = NonZeroU32::new(index);
            let [numbers, _] = shown(Endpoints::Xdp(XdpEnd {
                interface,
                queue_id: 4,
            }));
            numbers
        };
        assert_eq!(xdp(99), "if99:q4 ");
        assert_eq!(xdp(0), "*:* ");
    }
}
