//! Connections that the kernel completes and no process answers, because all of them are stopped.

use super::found::{Answer, Found};
use super::judge::{Reach, takes_traffic};
use crate::model::{Protocol, Socket};

/// Why nothing answers although the kernel accepts the connection or datagram: every holder of the socket is stopped.
pub(super) fn stall(answer: &Answer) -> Option<String> {
    let Found::Here(here) = &answer.found else {
        return None;
    };
    let (Reach::Accepted(at) | Reach::QueueFull(at)) = here.reach else {
        return None;
    };
    let stopped = here.stopped.as_ref().filter(|stopped| stopped.are_all())?;
    // Sockets with SO_REUSEPORT: the kernel distributes what arrives among them.
    let place = |socket: &Socket| {
        let pair = socket.inet()?;
        Some((pair.local_address, pair.interface))
    };
    let own = here.sockets.get(at).and_then(place);
    let shares =
        |(other, socket): (usize, &Socket)| other != at && takes_traffic(socket) && place(socket) == own;
    Some(if here.sockets.iter().enumerate().any(shares) {
        format!(
            "{}: this is one of several sockets, and what the kernel gives to it gets no answer until {}",
            stopped.clause(),
            stopped.end()
        )
    } else {
        stopped.for_clients()
    })
}

/// A clause saying that the kernel accepts what is sent to the socket.
pub(super) fn arrives_as(answer: &Answer) -> &'static str {
    if answer.protocol == Protocol::Udp {
        "it arrives"
    } else {
        "it connects"
    }
}
