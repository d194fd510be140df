//! Connections that the kernel completes but no process answers, because all holders are stopped.

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
    // The kernel distributes traffic among sockets with SO_REUSEPORT.
    let place = |socket: &Socket| {
        let pair = socket.inet()?;
        Some((pair.local_address, pair.interface))
    };
    let own = here.sockets.get(at).and_then(place);
    let shares =
        |(other, socket): (usize, &Socket)| other != at && takes_traffic(socket) && place(socket) == own;
    Some(if here.sockets.iter().enumerate().any(shares) {
        format!(
            "{}: this is one of several sockets, and whatever the kernel assigns to it gets no answer until {}",
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
