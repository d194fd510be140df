//! Builds netlink replies byte by byte, as linux 6.18 sends them (include/uapi/linux/inet_diag.h, unix_diag.h).

use std::net::{IpAddr, SocketAddr};

/// The sequence number of the request that is answered.
pub(super) const SEQUENCE: u32 = 7;

/// A netlink message, padded.
pub(super) fn message(kind: u16, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(16 + payload.len()).unwrap();
    let mut bytes = length.to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    // NLM_F_MULTI
    bytes.extend(2u16.to_ne_bytes());
    bytes.extend(SEQUENCE.to_ne_bytes());
    bytes.extend(0u32.to_ne_bytes());
    bytes.extend(payload);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// NLMSG_DONE with the errno that a dump ends with.
pub(super) fn done(errno: i32) -> Vec<u8> {
    message(3, &(-errno).to_ne_bytes())
}

/// An attribute, padded.
pub(super) fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let mut bytes = u16::try_from(4 + value.len()).unwrap().to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// `struct inet_diag_msg` in the kernel's words.
#[derive(Clone, Copy)]
pub(super) struct Inet {
    pub(super) state: u8,
    pub(super) timer: u8,
    pub(super) retrans: u8,
    pub(super) local: SocketAddr,
    pub(super) peer: SocketAddr,
    pub(super) interface: u32,
    pub(super) cookie: u64,
    pub(super) expires: u32,
    pub(super) rqueue: u32,
    pub(super) wqueue: u32,
    pub(super) uid: u32,
    pub(super) inode: u32,
}

impl Inet {
    /// A socket between two addresses, without anything else.
    pub(super) fn between(local: &str, peer: &str, state: u8, inode: u32) -> Self {
        Self {
            state,
            timer: 0,
            retrans: 0,
            local: local.parse().unwrap(),
            peer: peer.parse().unwrap(),
            interface: 0,
            cookie: u64::from(inode) + 0x1000,
            expires: 0,
            rqueue: 0,
            wqueue: 0,
            uid: 0,
            inode,
        }
    }

    /// The answer with these attributes.
    pub(super) fn message(&self, attributes: &[Vec<u8>]) -> Vec<u8> {
        let family = if self.local.is_ipv4() { 2 } else { 10 };
        let mut bytes = vec![family, self.state, self.timer, self.retrans];
        bytes.extend(self.local.port().to_be_bytes());
        bytes.extend(self.peer.port().to_be_bytes());
        for address in [self.local.ip(), self.peer.ip()] {
            match address {
                IpAddr::V4(v4) => bytes.extend([&v4.octets()[..], &[0; 12]].concat()),
                IpAddr::V6(v6) => bytes.extend(v6.octets()),
            }
        }
        bytes.extend(self.interface.to_ne_bytes());
        // Two words, the low one first.
        bytes.extend(
            [self.cookie & 0xffff_ffff, self.cookie >> 32]
                .into_iter()
                .flat_map(|word| u32::try_from(word).unwrap().to_ne_bytes()),
        );
        for word in [self.expires, self.rqueue, self.wqueue, self.uid, self.inode] {
            bytes.extend(word.to_ne_bytes());
        }
        assert_eq!(bytes.len(), 72);
        bytes.extend(attributes.concat());
        message(20, &bytes)
    }
}

/// An answer with `struct unix_diag_msg`.
pub(super) fn unix(kind: u8, state: u8, inode: u32, attributes: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = vec![1, kind, state, 0];
    bytes.extend(inode.to_ne_bytes());
    bytes.extend((inode + 0x1000).to_ne_bytes());
    bytes.extend(0u32.to_ne_bytes());
    bytes.extend(attributes.concat());
    message(20, &bytes)
}
