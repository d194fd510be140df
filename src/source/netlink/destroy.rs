//! Asks the kernel to close one socket: `SOCK_DESTROY` (linux 6.18 net/core/sock_diag.c, net/ipv4/tcp_diag.c,
//! net/ipv4/udp_diag.c; needs CONFIG_INET_DIAG_DESTROY and CAP_NET_ADMIN).
//!
//! The request always carries the cookie. Without one, if the connection is gone, the kernel would find the listener on
//! the port and close that. Sockets without a cookie are rejected here.

use std::num::{NonZeroU32, NonZeroU64};
use std::ops::ControlFlow;

use netlink_packet_core::NLM_F_ACK;
use netlink_packet_sock_diag::SockDiagDestroy;
use netlink_packet_sock_diag::inet::SocketId;

use super::channel::{Channel, DumpError};
use super::request::{about_one, serialize};
use crate::model::{Protocol, Socket};

/// Where the padding of `struct inet_diag_req_v2` is in a message.
const PAD: usize = size_of::<libc::nlmsghdr>() + 3;

/// The result of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destroyed {
    /// It closed the socket. Its program reads ECONNABORTED, the peer ECONNRESET.
    Closed,
    /// The kernel finds no socket with these addresses and this cookie: the socket is gone, or is not in the tables
    /// that the lookup reads (a TCP socket that is only bound; a member of a reuseport group that currently gets no
    /// packets).
    NotFound,
    /// `CAP_NET_ADMIN` is missing.
    NotPermitted,
    /// The kernel, or the protocol, has no such operation.
    NotSupported,
    /// Another errno.
    Failed(i32),
}

/// Closes `socket` and waits for the reply. The channel must be in the network namespace of the socket, with no dump in
/// progress.
pub fn destroy(channel: &mut Channel, socket: &Socket) -> Destroyed {
    let Some(mut request) = encode(socket) else {
        return Destroyed::NotSupported;
    };
    match channel.dump(&mut request, |_| {}, || ControlFlow::Continue(())) {
        Ok(()) => Destroyed::Closed,
        Err(DumpError::Kernel(libc::ENOENT)) => Destroyed::NotFound,
        Err(DumpError::Kernel(libc::EPERM | libc::EACCES)) => Destroyed::NotPermitted,
        Err(DumpError::Kernel(libc::EOPNOTSUPP)) => Destroyed::NotSupported,
        Err(DumpError::Kernel(errno) | DumpError::Channel(errno)) => Destroyed::Failed(errno),
        Err(DumpError::Lost | DumpError::Stopped | DumpError::NotRecorded) => {
            Destroyed::Failed(libc::ENOBUFS)
        }
    }
}

/// `struct inet_diag_req_v2`; source is our side, also for UDP. `None` for sockets that cannot be closed this way.
fn encode(socket: &Socket) -> Option<Vec<u8>> {
    let pair = socket.inet()?;
    // All ones mean "no cookie" (INET_DIAG_NOCOOKIE).
    let cookie = socket.cookie.filter(|cookie| *cookie != NonZeroU64::MAX)?;
    // An MPTCP socket cannot be closed as a whole (EOPNOTSUPP); its subflows are TCP sockets, as is the socket inside
    // an SMC socket.
    if matches!(socket.protocol, Protocol::Mptcp | Protocol::Icmp | Protocol::Smc)
        || !socket.protocol.is_inet()
    {
        return None;
    }
    let socket_id = SocketId {
        source_port: pair.local_port,
        destination_port: pair.peer_port,
        source_address: pair.local_address,
        destination_address: pair.peer_address,
        interface_id: pair.interface.map_or(0, NonZeroU32::get),
        cookie: halves(cookie),
    };
    let request = SockDiagDestroy::new(about_one(socket.protocol, socket_id));
    let mut message = serialize(request, NLM_F_ACK);
    // For a raw socket, the kernel reads the IP protocol from the padding, which the crate sets to 0.
    if socket.protocol == Protocol::Raw
        && let (Some(pad), Some(protocol)) = (message.get_mut(PAD), socket.ip_protocol)
    {
        *pad = protocol;
    }
    Some(message)
}

/// The cookie as two numbers, the low half first, on machines of either byte order.
pub(super) fn halves(cookie: NonZeroU64) -> [u8; 8] {
    let mut bytes = [0; 8];
    let halves = [cookie.get() & 0xffff_ffff, cookie.get() >> 32];
    for (place, half) in bytes.chunks_exact_mut(4).zip(halves) {
        place.copy_from_slice(&u32::try_from(half).unwrap_or(u32::MAX).to_ne_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use netlink_packet_sock_diag::SOCK_DESTROY;

    use super::*;
    use crate::model::{Endpoints, InetPair, State};
    use crate::source::uapi::AF_INET;

    fn socket() -> Socket {
        let pair = InetPair {
            local_address: "10.0.0.1".parse().unwrap(),
            local_port: 0x1f90,
            peer_address: "10.0.0.2".parse().unwrap(),
            peer_port: 0x50,
            interface: NonZeroU32::new(3),
            v6only: None,
        };
        Socket {
            protocol: Protocol::Udp,
            state: State::Established,
            endpoints: Endpoints::Inet(pair),
            cookie: NonZeroU64::new(0x2_0000_0001),
            ..Socket::BLANK
        }
    }

    #[test]
    fn a_request_has_our_side_first_and_the_cookie() {
        let bytes = encode(&socket()).unwrap();
        assert_eq!(bytes.len(), 72);
        assert_eq!(bytes[..4], 72u32.to_ne_bytes());
        assert_eq!(bytes[4..6], SOCK_DESTROY.to_ne_bytes());
        assert_eq!(bytes[6..8], 5u16.to_ne_bytes(), "an acknowledgement is requested");
        assert_eq!(bytes[16..20], [AF_INET, 17, 0, 0]);
        assert_eq!(bytes[24..28], [0x1f, 0x90, 0, 0x50]);
        assert_eq!(bytes[28..32], [10, 0, 0, 1]);
        assert_eq!(bytes[44..48], [10, 0, 0, 2]);
        assert_eq!(bytes[60..64], 3u32.to_ne_bytes());
        let cookie = [1u32.to_ne_bytes(), 2u32.to_ne_bytes()].concat();
        assert_eq!(bytes[64..], cookie);
        let raw = Socket {
            protocol: Protocol::Raw,
            ip_protocol: Some(89),
            ..socket()
        };
        assert_eq!(encode(&raw).unwrap()[16..20], [AF_INET, 255, 0, 89]);
    }

    #[test]
    fn without_a_cookie_nothing_is_sent() {
        for cookie in [None, Some(NonZeroU64::MAX)] {
            assert_eq!(encode(&Socket { cookie, ..socket() }), None);
        }
        let mptcp = Socket {
            protocol: Protocol::Mptcp,
            ..socket()
        };
        assert_eq!(encode(&mptcp), None);
    }

    #[test]
    fn an_unknown_cookie_closes_nothing() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let pair = InetPair {
            local_address: "127.0.0.1".parse().unwrap(),
            local_port: listener.local_addr().unwrap().port(),
            peer_address: "127.0.0.1".parse().unwrap(),
            peer_port: 1,
            ..InetPair::UNSPECIFIED
        };
        let nobody = Socket {
            protocol: Protocol::Tcp,
            endpoints: Endpoints::Inet(pair),
            cookie: NonZeroU64::new(u64::MAX - 1),
            ..socket()
        };
        let answer = destroy(&mut Channel::open().unwrap(), &nobody);
        // A kernel without the operation reports that before it looks up the socket.
        assert!(
            matches!(answer, Destroyed::NotFound | Destroyed::NotSupported),
            "{answer:?}"
        );
        std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    }
}
