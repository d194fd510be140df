//! Requests to sock_diag.
//!
//! netlink-packet-sock-diag encodes every request that it can express: inet and unix, including extensions and states
//! unknown to it. The rest is encoded here: attributes (a protocol above 255, a filter program), the legacy request
//! that dumps TCP of both families in one walk of the hash table, and the families without IP addresses.

use netlink_packet_core::{
    NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload, NetlinkSerializable,
};
use netlink_packet_sock_diag::inet::{ExtensionFlags, InetRequest, SocketId, StateFlags};
use netlink_packet_sock_diag::unix;
use netlink_packet_sock_diag::{SOCK_DIAG_BY_FAMILY, SockDiagMessage};

use super::{netlinks, packet, smc, xdp};
use crate::model::request::Parts;
use crate::model::{Family, Protocol, StateSet};
use crate::source::uapi::netlink::ALL_PROTOCOLS;
use crate::source::uapi::{
    self, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_SMC, AF_TIPC, AF_VSOCK, AF_XDP,
    INET_DIAG_REQ_BYTECODE, INET_DIAG_REQ_PROTOCOL, IPPROTO_DCCP, IPPROTO_RAW, IPPROTO_SCTP, IPPROTO_TCP,
    IPPROTO_UDP, IPPROTO_UDPLITE, TCPDIAG_GETSOCK,
};

/// The kernel table that a request reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// TCP over IPv4 and IPv6 together.
    TcpBoth,
    /// One protocol over one of the two IP families.
    Inet(Protocol, Family),
    /// All unix sockets.
    Unix,
    /// All packet sockets.
    Packet,
    /// All netlink sockets.
    Netlink,
    /// All VM sockets.
    Vsock,
    /// All XDP sockets.
    Xdp,
    /// All TIPC sockets.
    Tipc,
    /// All SMC sockets.
    Smc,
}

/// A dump request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Which table.
    pub table: Table,
    /// Which states. Raw, packet, netlink and XDP sockets ignore it in the kernel.
    pub states: StateSet,
    /// What is reported in addition to the row.
    pub parts: Parts,
    /// Only sockets with this local port, in host byte order; 0 for all. IP tables only.
    pub local_port: u16,
    /// Only sockets with this peer port; 0 for all.
    pub peer_port: u16,
    /// A filter program for `INET_DIAG_REQ_BYTECODE`; IP tables only.
    pub bytecode: Option<Vec<u8>>,
}

/// The bits of a family for these parts.
fn show(parts: Parts, bits: &[(Parts, u32)]) -> u32 {
    let wanted = bits.iter().filter(|(part, _)| parts.has(*part));
    wanted.fold(0, |all, (_, bits)| all | bits)
}

/// Returns the kernel's number of a protocol with an inet diag table.
fn ip_number(protocol: Protocol) -> u16 {
    match protocol {
        Protocol::Udp => IPPROTO_UDP.into(),
        Protocol::Udplite => IPPROTO_UDPLITE.into(),
        Protocol::Raw => IPPROTO_RAW.into(),
        Protocol::Mptcp => uapi::short(libc::IPPROTO_MPTCP),
        Protocol::Sctp => IPPROTO_SCTP.into(),
        Protocol::Dccp => IPPROTO_DCCP.into(),
        _ => IPPROTO_TCP.into(),
    }
}

/// `struct inet_diag_req_v2` for the single socket with these ends. The protocol must have a number that fits into it.
pub(super) fn about_one(protocol: Protocol, socket_id: SocketId) -> SockDiagMessage {
    SockDiagMessage::InetRequest(InetRequest {
        family: if socket_id.source_address.is_ipv4() {
            AF_INET
        } else {
            AF_INET6
        },
        protocol: u8::try_from(ip_number(protocol)).unwrap_or(0),
        extensions: ExtensionFlags::empty(),
        states: StateFlags::from_bits_retain(u32::MAX),
        socket_id,
    })
}

impl Request {
    /// Returns the whole netlink message, with the sequence number 0.
    pub fn encode(&self) -> Vec<u8> {
        let mut message = match self.table {
            Table::TcpBoth => self.legacy_tcp(),
            Table::Inet(protocol, family) => self.inet(protocol, family),
            Table::Unix => self.unix(),
            Table::Packet => dump_message(
                AF_PACKET,
                0,
                &[0, packet::SHOW_BASIC | show(self.parts, packet::SHOW)],
            ),
            Table::Netlink => dump_message(AF_NETLINK, ALL_PROTOCOLS, &[0, netlinks::SHOW_BASIC]),
            Table::Vsock => dump_message(AF_VSOCK, 0, &[self.states.bits(), 0, 0]),
            // `struct tipc_sock_diag_req` ends before the cookie, which is ignored.
            Table::Tipc => dump_message(AF_TIPC, 0, &[self.states.bits()]),
            Table::Smc => smc_message(),
            Table::Xdp => dump_message(AF_XDP, 0, &[0, xdp::SHOW_BASIC | show(self.parts, xdp::SHOW)]),
        };
        if let Some(bytecode) = &self.bytecode {
            append_attribute(&mut message, INET_DIAG_REQ_BYTECODE, bytecode);
        }
        message
    }

    /// The `INET_DIAG_*` extensions, bit = 1 << (attribute - 1).
    fn attributes(&self) -> u8 {
        let parts = self.parts.and_if(self.parts.has(Parts::DROPS), Parts::MEMORY);
        parts.attributes()
    }

    fn inet(&self, protocol: Protocol, family: Family) -> Vec<u8> {
        let number = ip_number(protocol);
        let mut socket_id = if family == Family::Inet6 {
            SocketId::new_v6()
        } else {
            SocketId::new_v4()
        };
        socket_id.cookie = [0xff; 8];
        socket_id.source_port = self.local_port;
        socket_id.destination_port = self.peer_port;
        let request = SockDiagMessage::InetRequest(InetRequest {
            family: if family == Family::Inet6 {
                AF_INET6
            } else {
                AF_INET
            },
            // A number above 255 goes into an attribute; the kernel then ignores this byte.
            protocol: u8::try_from(number).unwrap_or(0),
            extensions: ExtensionFlags::from_bits_retain(self.attributes()),
            states: StateFlags::from_bits_retain(match protocol {
                Protocol::Dccp => super::dccp::requested(self.states),
                _ => self.states.bits(),
            }),
            socket_id,
        });
        let mut message = serialize(request, NLM_F_DUMP);
        if number > 255 {
            append_attribute(
                &mut message,
                INET_DIAG_REQ_PROTOCOL,
                &u32::from(number).to_ne_bytes(),
            );
        }
        message
    }

    fn unix(&self) -> Vec<u8> {
        let request = SockDiagMessage::UnixRequest(unix::UnixRequest {
            state_flags: unix::StateFlags::from_bits_retain(self.states.bits()),
            inode: 0,
            show_flags: unix::ShowFlags::from_bits_retain(show(self.parts, super::unix::SHOW)),
            cookie: [0xff; 8],
        });
        serialize(request, NLM_F_DUMP)
    }

    /// `struct inet_diag_req` (linux 6.18 include/uapi/linux/inet_diag.h): family, two prefix lengths,
    /// extensions, socket id, states, dbs. A dump ignores the family.
    fn legacy_tcp(&self) -> Vec<u8> {
        let mut message = Vec::with_capacity(16 + 60);
        message.extend_from_slice(&76u32.to_ne_bytes());
        message.extend_from_slice(&TCPDIAG_GETSOCK.to_ne_bytes());
        message.extend_from_slice(&(NLM_F_REQUEST | NLM_F_DUMP).to_ne_bytes());
        message.extend_from_slice(&[0; 8]);
        message.extend_from_slice(&[AF_INET, 0, 0, self.attributes()]);
        message.extend_from_slice(&self.local_port.to_be_bytes());
        message.extend_from_slice(&self.peer_port.to_be_bytes());
        message.extend_from_slice(&[0; 44]);
        message.extend_from_slice(&self.states.bits().to_ne_bytes());
        message.extend_from_slice(&[0; 4]);
        message
    }
}

/// Sets the sequence number of an encoded message.
pub fn set_sequence(message: &mut [u8], sequence: u32) {
    if let Some(field) = message.get_mut(8..12) {
        field.copy_from_slice(&sequence.to_ne_bytes());
    }
}

/// Returns the whole message of a request, with additional flags and the sequence number 0.
pub(super) fn serialize<T>(payload: T, flags: u16) -> Vec<u8>
where
    T: NetlinkSerializable + Into<NetlinkPayload<T>>,
{
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST | flags;
    let mut message = NetlinkMessage::new(header, payload.into());
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    bytes
}

/// Returns a dump request whose body is a family, a protocol, two bytes of padding, these numbers, and a cookie of
/// all ones (`struct packet_diag_req`, `netlink_diag_req`, `vsock_diag_req`, `xdp_diag_req`; linux 6.18
/// include/uapi/linux).
fn dump_message(family: u8, protocol: u8, numbers: &[u32]) -> Vec<u8> {
    let mut message = vec![0; 4];
    message.extend_from_slice(&SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    message.extend_from_slice(&(NLM_F_REQUEST | NLM_F_DUMP).to_ne_bytes());
    message.extend_from_slice(&[0; 8]);
    message.extend_from_slice(&[family, protocol, 0, 0]);
    for number in numbers {
        message.extend_from_slice(&number.to_ne_bytes());
    }
    message.extend_from_slice(&[0xff; 8]);
    finish(&mut message);
    message
}

/// `struct smc_diag_req`: family, padding, extensions, and the id of a socket, which a dump ignores.
fn smc_message() -> Vec<u8> {
    let mut message = dump_message(AF_SMC, 0, &[0; 10]);
    if let Some(extensions) = message.get_mut(19) {
        *extensions = smc::EXTENSIONS;
    }
    message
}

fn append_attribute(message: &mut Vec<u8>, kind: u16, value: &[u8]) {
    message.resize(message.len().next_multiple_of(4), 0);
    let length = u16::try_from(4 + value.len()).unwrap_or(u16::MAX);
    message.extend_from_slice(&length.to_ne_bytes());
    message.extend_from_slice(&kind.to_ne_bytes());
    message.extend_from_slice(value);
    message.resize(message.len().next_multiple_of(4), 0);
    finish(message);
}

/// Sets the length.
fn finish(message: &mut [u8]) {
    let total = u32::try_from(message.len()).unwrap_or(u32::MAX);
    if let Some(field) = message.get_mut(..4) {
        field.copy_from_slice(&total.to_ne_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(table: Table) -> Request {
        Request {
            table,
            states: StateSet::ALL,
            parts: [
                Parts::MEMORY,
                Parts::FILTERS,
                Parts::RINGS,
                Parts::UNIX_NAMES,
                Parts::UNIX_FILES,
            ]
            .into_iter()
            .fold(Parts::attribute(1), Parts::and),
            local_port: 0x1f90,
            peer_port: 0x50,
            bytecode: None,
        }
    }

    #[test]
    fn an_inet_request_is_laid_out_as_the_kernel_reads_it() {
        let bytes = request(Table::Inet(Protocol::Udp, Family::Inet6)).encode();
        assert_eq!(bytes.len(), 72);
        assert_eq!(bytes[..4], 72u32.to_ne_bytes());
        assert_eq!(bytes[4..6], 20u16.to_ne_bytes());
        assert_eq!(bytes[6..8], 0x301u16.to_ne_bytes());
        assert_eq!(bytes[16..20], [10, 17, 0x41, 0]);
        assert_eq!(
            bytes[24..28],
            [0x1f, 0x90, 0, 0x50],
            "ports in network byte order"
        );
        assert_eq!(
            bytes[20..24],
            0x3ffeu32.to_ne_bytes(),
            "states above 11 must survive"
        );
    }

    #[test]
    fn mptcp_is_requested_by_attribute() {
        let bytes = request(Table::Inet(Protocol::Mptcp, Family::Inet)).encode();
        assert_eq!(bytes.len(), 80);
        assert_eq!(bytes[..4], 80u32.to_ne_bytes());
        assert_eq!(bytes[72..], [&[8, 0, 3, 0][..], &262u32.to_ne_bytes()].concat());
    }

    #[test]
    fn the_legacy_request_has_its_own_layout() {
        let mut bytes = request(Table::TcpBoth).encode();
        set_sequence(&mut bytes, 9);
        assert_eq!(bytes.len(), 76);
        assert_eq!(bytes[4..6], 18u16.to_ne_bytes());
        assert_eq!(bytes[8..12], 9u32.to_ne_bytes());
        assert_eq!(bytes[16..20], [2, 0, 0, 0x41]);
        assert_eq!(
            bytes[20..24],
            [0x1f, 0x90, 0, 0x50],
            "ports in network byte order"
        );
        assert_eq!(bytes[68..72], 0x3ffeu32.to_ne_bytes());
    }

    #[test]
    fn the_other_families_have_their_own_bodies() {
        let body = |table, length| {
            let bytes = request(table).encode();
            assert_eq!(bytes.len(), length);
            assert_eq!(bytes[..4], u32::try_from(length).unwrap().to_ne_bytes());
            assert_eq!(
                bytes[4..8],
                [20u16.to_ne_bytes(), 0x301u16.to_ne_bytes()].concat()
            );
            assert_eq!(bytes[length - 8..], [0xff; 8]);
            bytes[16..length - 8].to_vec()
        };
        let show = |bits: u32| bits.to_ne_bytes();
        assert_eq!(
            body(Table::Packet, 36),
            [&[17, 0, 0, 0, 0, 0, 0, 0][..], &show(0x3d)].concat()
        );
        assert_eq!(
            body(Table::Netlink, 36),
            [&[16, 255, 0, 0, 0, 0, 0, 0][..], &show(0x03)].concat()
        );
        assert_eq!(
            body(Table::Xdp, 36),
            [&[44, 0, 0, 0, 0, 0, 0, 0][..], &show(0x1f)].concat()
        );
        let tipc = body(Table::Tipc, 32);
        assert_eq!(tipc[..4], [30, 0, 0, 0]);
        assert_eq!(tipc[4..8], 0x3ffeu32.to_ne_bytes());
        assert_eq!(body(Table::Smc, 68)[..4], [43, 0, 0, 0x0b]);
        let vsock = body(Table::Vsock, 40);
        assert_eq!(vsock[..4], [40, 0, 0, 0]);
        assert_eq!(vsock[4..8], 0x3ffeu32.to_ne_bytes());
    }

    #[test]
    fn a_unix_request_includes_unconnected_sockets() {
        let bytes = request(Table::Unix).encode();
        assert_eq!(bytes.len(), 40);
        assert_eq!(bytes[16], 1);
        assert_eq!(bytes[20..24], 0x3ffeu32.to_ne_bytes());
        assert_eq!(
            bytes[28..32],
            0x73u32.to_ne_bytes(),
            "names, files, queues, memory and uids"
        );
    }
}
