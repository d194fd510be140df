//! Whether a connection to an address of this machine would be accepted, and if not, why.

use std::net::IpAddr;

use super::special::Special;
use crate::diagnose::bind::cover::Cover;
use crate::model::{Protocol, Socket, State};

/// The verdict on an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathVerdict {
    /// The address belongs to this machine, and this is what happens to a connection there.
    Local(Reach),
    /// There is no route to the address.
    NoRoute,
    /// The address belongs to another machine, which cannot be examined.
    AnotherMachine,
    /// The address is not that of a single machine.
    Special(Special),
}

impl PathVerdict {
    /// The code in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Local(reach) => reach.name(),
            Self::NoRoute => "no-route",
            Self::AnotherMachine => "another-machine",
            Self::Special(special) => special.name(),
        }
    }
}

/// The result of a connection. Sockets are given by their index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// This socket accepts it.
    Accepted(usize),
    /// The accept queue of this listener is full: the connection hangs.
    QueueFull(usize),
    /// Nothing accepts it.
    Refused(Why),
    /// The sockets on the port could not be read.
    Unknown,
}

/// The result of the kernel's own lookup of the socket that receives a packet.
#[derive(Clone, Copy, Debug)]
pub enum LookUp<'a> {
    /// This socket.
    Found(&'a Socket),
    /// None.
    Nothing,
    /// The kernel could not be queried, or a recording lacks its answer.
    Unanswered,
}

/// Why nothing accepts a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// No socket is on that port.
    Nothing,
    /// A TCP socket is bound to it but does not listen.
    NotListening(usize),
    /// A socket listens on loopback only, and another address was requested.
    OnlyLoopback(usize),
    /// A socket listens on addresses of the other family only.
    OtherFamily(usize),
    /// A socket listens on every IPv6 address, but not on IPv4.
    V6only(usize),
    /// A socket listens on another address only.
    OtherAddress(usize),
    /// A socket receives only what arrives on one interface.
    OtherDevice(usize),
}

impl Reach {
    /// The code in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accepted(_) => "accepted",
            Self::QueueFull(_) => "queue-full",
            Self::Unknown => "undecidable",
            Self::Refused(Why::Nothing) => "nothing-listens",
            Self::Refused(Why::NotListening(_)) => "not-listening",
            Self::Refused(Why::OnlyLoopback(_)) => "only-loopback",
            Self::Refused(Why::OtherFamily(_)) => "other-family",
            Self::Refused(Why::V6only(_)) => "v6only",
            Self::Refused(Why::OtherAddress(_)) => "other-address",
            Self::Refused(Why::OtherDevice(_)) => "other-device",
        }
    }

    /// The socket that it concerns.
    pub const fn socket(self) -> Option<usize> {
        match self {
            Self::Accepted(socket)
            | Self::QueueFull(socket)
            | Self::Refused(
                Why::NotListening(socket)
                | Why::OnlyLoopback(socket)
                | Why::OtherFamily(socket)
                | Why::V6only(socket)
                | Why::OtherAddress(socket)
                | Why::OtherDevice(socket),
            ) => Some(socket),
            Self::Refused(Why::Nothing) | Self::Unknown => None,
        }
    }
}

/// Judges a connection (for UDP, a datagram) to `address`, given the sockets that are bound to the port. `are_all` says
/// whether these are all of them.
pub fn judge(sockets: &[Socket], are_all: bool, picked: LookUp<'_>, address: IpAddr) -> Reach {
    let covers = |one: &Socket| cover(one).is_some_and(|cover| cover.overlaps(Cover::of(address, true)));
    let takes = |one: &Socket| match picked {
        LookUp::Found(picked) => picked.cookie.is_some() && picked.cookie == one.cookie,
        LookUp::Nothing => false,
        LookUp::Unanswered => {
            takes_traffic(one) && covers(one) && one.inet().is_some_and(|pair| pair.interface.is_none())
        }
    };
    if let Some(at) = sockets.iter().position(takes) {
        let full = sockets.get(at).is_some_and(Socket::accept_queue_is_full);
        return if full {
            Reach::QueueFull(at)
        } else {
            Reach::Accepted(at)
        };
    }
    if matches!(picked, LookUp::Unanswered) && !are_all {
        return Reach::Unknown;
    }
    let of = |test: &dyn Fn(&Socket) -> bool| sockets.iter().position(|one| takes_traffic(one) && test(one));
    let local = |one: &Socket| one.inet().map(|pair| pair.local_address);
    let wanted_v4 = is_v4(address);
    // The first reason that applies is the best explanation.
    let found = None
        .or_else(|| of(&|one| covers(one)).map(Why::OtherDevice))
        .or_else(|| of(&|one| wanted_v4 && cover(one) == Some(Cover::AllV6)).map(Why::V6only))
        .or_else(|| {
            of(&|one| local(one).is_some_and(is_loopback) && !is_loopback(address)).map(Why::OnlyLoopback)
        })
        .or_else(|| {
            of(&|one| local(one).is_some_and(|local| is_v4(local) != wanted_v4)).map(Why::OtherFamily)
        })
        .or_else(|| of(&|_| true).map(Why::OtherAddress));
    let bound = || {
        let at = sockets
            .iter()
            .position(|one| one.state == State::Bound && covers(one));
        at.map(Why::NotListening)
    };
    Reach::Refused(bound().or(found).unwrap_or(Why::Nothing))
}

/// Whether the socket accepts connections (for UDP, receives datagrams) at all.
pub fn takes_traffic(socket: &Socket) -> bool {
    match socket.protocol {
        Protocol::Udp => socket.state == State::Unconnected,
        _ => socket.state == State::Listen,
    }
}

/// The addresses at which a socket receives traffic.
pub fn cover(socket: &Socket) -> Option<Cover> {
    let pair = socket.inet()?;
    Some(Cover::of(pair.local_address, pair.v6only == Some(true)))
}

fn is_v4(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => true,
        IpAddr::V6(address) => address.to_ipv4_mapped().is_some(),
    }
}

fn is_loopback(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_loopback(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.to_ipv4_mapped().is_some_and(|v4| v4.is_loopback()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Endpoints, InetPair};
    use std::num::{NonZeroU32, NonZeroU64};

    fn listener(address: &str, cookie: u64) -> Socket {
        let pair = InetPair {
            local_address: address.parse().unwrap(),
            local_port: 80,
            v6only: Some(false),
            ..InetPair::UNSPECIFIED
        };
        Socket {
            state: State::Listen,
            endpoints: Endpoints::Inet(pair),
            cookie: NonZeroU64::new(cookie),
            rqueue: Some(0),
            wqueue: Some(5),
            ..Socket::BLANK
        }
    }

    fn why(sockets: &[Socket], address: &str) -> &'static str {
        judge(sockets, true, LookUp::Nothing, address.parse().unwrap()).name()
    }

    #[test]
    fn the_socket_picked_by_the_kernel_decides() {
        let mut one = listener("0.0.0.0", 1);
        let address = "10.0.0.1".parse().unwrap();
        let of = |one: &Socket| judge(std::slice::from_ref(one), true, LookUp::Found(one), address);
        assert_eq!(of(&one), Reach::Accepted(0));
        one.rqueue = Some(6);
        assert_eq!(of(&one), Reach::QueueFull(0));
    }

    #[test]
    fn without_the_kernels_answer_the_tables_decide() {
        let of = |sockets: &[Socket], are_all| {
            judge(sockets, are_all, LookUp::Unanswered, "10.0.0.1".parse().unwrap())
        };
        let [any, loopback] = ["0.0.0.0", "127.0.0.1"].map(|address| [listener(address, 0)]);
        assert_eq!(of(&any, false), Reach::Accepted(0));
        assert_eq!(of(&loopback, true).name(), "only-loopback");
        assert_eq!(of(&[], true).name(), "nothing-listens");
        assert_eq!([of(&[], false), of(&loopback, false)], [Reach::Unknown; 2]);
    }

    #[test]
    fn every_reason_to_be_refused() {
        assert_eq!(why(&[], "10.0.0.1"), "nothing-listens");
        assert_eq!(why(&[listener("127.0.0.1", 1)], "10.0.0.1"), "only-loopback");
        assert_eq!(why(&[listener("127.0.0.1", 1)], "::1"), "other-family");
        assert_eq!(why(&[listener("10.0.0.2", 1)], "10.0.0.1"), "other-address");
        let change = |change: fn(&mut InetPair)| {
            let mut socket = listener("::", 1);
            if let Endpoints::Inet(pair) = &mut socket.endpoints {
                change(pair);
            }
            [socket]
        };
        assert_eq!(
            why(&change(|pair| pair.v6only = Some(true)), "10.0.0.1"),
            "v6only"
        );
        assert_eq!(
            why(&change(|pair| pair.interface = NonZeroU32::new(2)), "10.0.0.1"),
            "other-device"
        );
        let bound = Socket {
            state: State::Bound,
            ..listener("0.0.0.0", 1)
        };
        assert_eq!(why(&[bound], "10.0.0.1"), "not-listening");
    }
}
