//! Asks the kernel for one socket: the one that would receive a packet, or one that was seen before. The kernel's own
//! lookup includes reuseport groups and BPF programs (linux 6.18 net/ipv4/inet_diag.c, inet_diag_find_one_icsk;
//! net/ipv4/udp_diag.c).

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::ops::ControlFlow;

use netlink_packet_core::NLM_F_ACK;
use netlink_packet_sock_diag::inet::SocketId;

use super::channel::{Channel, DumpError};
use super::destroy::halves;
use super::inet;
use super::request::{about_one, serialize};
use crate::model::request::{Parts, Wanted};
use crate::model::{Protocol, Socket};

/// Returns the socket that would receive a packet from `remote` to `local` on `interface` (0 for none, which excludes
/// sockets bound to an interface); `None` if there is none. Both addresses must be of the same family.
///
/// # Errors
/// If the kernel cannot be queried.
pub fn look_up(
    protocol: Protocol,
    local: SocketAddr,
    remote: SocketAddr,
    interface: u32,
) -> Result<Option<Socket>, DumpError> {
    let mut found = None;
    let take = |payload: &[u8]| {
        let mut slot = Socket::BLANK;
        if inet::decode(payload, protocol, Wanted::Row, &mut slot) {
            found = Some(slot);
        }
    };
    let mut request = encode(protocol, local, remote, interface);
    match Channel::open()?.dump(&mut request, take, || ControlFlow::Continue(())) {
        Ok(()) => Ok(found),
        Err(DumpError::Kernel(libc::ENOENT)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads a connected TCP socket again, with these parts; `None` if it is gone. The cookie must match, so another
/// connection with the same ends is not taken for it.
///
/// # Errors
/// If the kernel cannot be queried.
pub fn again(
    channel: &mut Channel,
    socket: &Socket,
    parts: Parts,
    wanted: Wanted,
) -> Result<Option<Socket>, DumpError> {
    let Some((pair, cookie)) = socket.inet().zip(socket.cookie) else {
        return Ok(None);
    };
    let mut found = None;
    let take = |payload: &[u8]| {
        let mut slot = Socket::BLANK;
        if inet::decode(payload, socket.protocol, wanted, &mut slot) && slot.cookie == Some(cookie) {
            found = Some(slot);
        }
    };
    let local = SocketAddr::new(pair.local_address, pair.local_port);
    let remote = SocketAddr::new(pair.peer_address, pair.peer_port);
    let interface = pair.interface.map_or(0, NonZeroU32::get);
    let mut request = encode(socket.protocol, local, remote, interface);
    if let Some(place) = request.get_mut(EXTENSIONS) {
        *place = parts.attributes();
    }
    if let Some(place) = request.get_mut(COOKIE) {
        place.copy_from_slice(&halves(cookie));
    }
    match channel.dump(&mut request, take, || ControlFlow::Continue(())) {
        Ok(()) => Ok(found),
        // The kernel finds no socket, or another one, at these addresses.
        Err(DumpError::Kernel(libc::ENOENT | libc::ESTALE)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Where the extension bits and the cookie of `struct inet_diag_req_v2` are in a message.
const EXTENSIONS: usize = size_of::<libc::nlmsghdr>() + 2;
const COOKIE: std::ops::Range<usize> = 64..72;

/// `struct inet_diag_req_v2`. For UDP the kernel swaps source and destination.
fn encode(protocol: Protocol, local: SocketAddr, remote: SocketAddr, interface: u32) -> Vec<u8> {
    let (source, destination) = match protocol {
        Protocol::Udp => (remote, local),
        _ => (local, remote),
    };
    let socket_id = SocketId {
        source_port: source.port(),
        destination_port: destination.port(),
        source_address: source.ip(),
        destination_address: destination.ip(),
        interface_id: interface,
        cookie: [0xff; 8],
    };
    serialize(about_one(protocol, socket_id), NLM_F_ACK)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::details::kind;

    #[test]
    fn a_request_is_laid_out_as_the_kernel_reads_it() {
        let header = [
            &72u32.to_ne_bytes()[..],
            &20u16.to_ne_bytes(),
            &5u16.to_ne_bytes(),
            &[0; 8],
        ]
        .concat();
        let [here, there] = ["10.0.0.1:8080", "10.0.0.2:80"].map(|text| text.parse().unwrap());
        let expected = [
            &header[..],
            &[2, 6, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x1f, 0x90, 0, 0x50],
            &[10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            &[10, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            &3u32.to_ne_bytes(),
            &[0xff; 8],
        ];
        assert_eq!(encode(Protocol::Tcp, here, there, 3), expected.concat());
        let [here, there] = ["[::1]:8080", "[fe80::2]:80"].map(|text| text.parse().unwrap());
        let expected = [
            &header[..],
            &[10, 17, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0x50, 0x1f, 0x90],
            &[0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2],
            &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
            &[0; 4],
            &[0xff; 8],
        ];
        assert_eq!(encode(Protocol::Udp, here, there, 0), expected.concat());
    }

    #[test]
    fn a_listener_of_this_process_is_found_and_nothing_else_is() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let local = listener.local_addr().unwrap();
        let remote = "127.0.0.1:1".parse().unwrap();
        assert_eq!(encode(Protocol::Tcp, local, remote, 0).len(), 72);
        let found = look_up(Protocol::Tcp, local, remote, 0).unwrap().unwrap();
        assert_eq!(found.inet().unwrap().local_port, local.port());
        drop(listener);
        assert_eq!(look_up(Protocol::Tcp, local, remote, 0), Ok(None));
        let udp = std::net::UdpSocket::bind("[::1]:0").unwrap();
        let local = udp.local_addr().unwrap();
        let found = look_up(Protocol::Udp, local, "[::1]:1".parse().unwrap(), 0).unwrap();
        assert_eq!(found.unwrap().inet().unwrap().local_port, local.port());
    }

    #[test]
    fn a_connection_is_read_again_and_no_other_is_taken_for_it() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let local = listener.local_addr().unwrap();
        let client = std::net::TcpStream::connect(local).unwrap();
        let peer = client.local_addr().unwrap();
        let seen = look_up(Protocol::Tcp, local, peer, 0).unwrap().unwrap();
        assert_eq!(seen.inet().unwrap().peer_port, peer.port());
        let mut channel = Channel::open().unwrap();
        let mut read = |socket: &Socket| {
            again(
                &mut channel,
                socket,
                Parts::attribute(kind::INFO),
                Wanted::Details,
            )
            .unwrap()
        };
        let found = read(&seen).unwrap();
        assert_eq!(found.cookie, seen.cookie);
        assert!(found.details.get(kind::INFO).is_some());
        let other = Socket {
            cookie: seen.cookie.and_then(|cookie| cookie.checked_add(1 << 40)),
            ..seen
        };
        assert_eq!(read(&other), None);
    }
}
