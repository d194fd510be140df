//! What waits in front of a program: connections to be accepted, those whose handshake is not complete, those without
//! an answer yet.

use super::way::Step;
use crate::model::Socket;

/// The handshakes that a listener has begun, and what limits their number.
pub struct SynQueue {
    /// Handshakes that are not complete, of every listener on the port.
    pub waiting: u64,
    /// The backlog of the listener, if the kernel reported it.
    pub backlog: Option<u32>,
    /// `net.ipv4.tcp_max_syn_backlog`.
    pub max_syn_backlog: u64,
    /// Whether `net.ipv4.tcp_syncookies` is not 0: a handshake is then answered even if there is no room for it.
    pub has_cookies: bool,
}

impl SynQueue {
    /// How many fit. Without cookies the kernel keeps a quarter of `tcp_max_syn_backlog` for peers that it has measured
    /// before, so a peer may fit even then (linux 6.18 net/ipv4/tcp_input.c, `tcp_conn_request`; the backlog:
    /// include/net/inet_connection_sock.h, `inet_csk_reqsk_queue_is_full`).
    fn limit(&self) -> u64 {
        let of_system = self.max_syn_backlog - (self.max_syn_backlog >> 2) + 1;
        of_system.min(self.backlog.map_or(u64::MAX, u64::from))
    }

    fn is_full(&self) -> bool {
        !self.has_cookies && self.waiting >= self.limit()
    }

    /// What a connection depends on, if there may be no room for it.
    pub fn lacks_room(&self) -> Option<String> {
        self.is_full().then(|| {
            let waiting = self.waiting;
            format!("room in the SYN queue, which is full ({waiting}, and tcp_syncookies is 0)")
        })
    }

    /// What `--steps` shows.
    pub fn step(&self) -> Step {
        let waiting = self.waiting;
        Step {
            step: "SYN queue",
            ok: Some(!self.is_full()),
            sentence: if self.has_cookies {
                format!("{waiting} half open, SYN cookies are on")
            } else {
                format!(
                    "{waiting} half open, the limit is {}, SYN cookies are off",
                    self.limit()
                )
            },
        }
    }
}

/// Connections that wait to be accepted by this listener.
pub fn accept_queue(listener: &Socket) -> Option<Step> {
    let (waiting, limit) = (listener.accept_q()?, listener.backlog()?);
    Some(Step {
        step: "accept queue",
        ok: Some(!listener.accept_queue_is_full()),
        sentence: format!("{waiting} waiting, the limit is {limit}"),
    })
}

/// Connections in SYN-SENT.
pub fn unanswered(waiting: &[Socket]) -> Option<Step> {
    let most = waiting
        .iter()
        .map(|socket| socket.timer.map_or(0, |timer| timer.retransmits))
        .max()?;
    let count = waiting.len();
    let again = match most {
        0 => "not retried yet".to_owned(),
        1 => "retried at most once".to_owned(),
        _ => format!("retried up to {most} times"),
    };
    Some(Step {
        step: "unanswered",
        ok: None,
        sentence: format!("{count} in SYN-SENT to it, {again}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The case that tests/reach/causes.rs produces with a real queue.
    #[test]
    fn the_syn_queue_is_full_without_cookies_at_the_smaller_limit() {
        let queue = |waiting, backlog, max_syn_backlog, has_cookies| SynQueue {
            waiting,
            backlog,
            max_syn_backlog,
            has_cookies,
        };
        let full = |queue: SynQueue| {
            let step = queue.step();
            assert_eq!(step.ok, Some(queue.lacks_room().is_none()), "{}", step.sentence);
            queue.lacks_room().is_some()
        };
        assert!(!full(queue(3, Some(128), 4, false)), "the fourth is accepted");
        assert!(full(queue(4, Some(128), 4, false)));
        assert!(!full(queue(1, Some(2), 4096, false)));
        assert!(full(queue(2, Some(2), 4096, false)));
        assert!(!full(queue(1_000, Some(2), 4, true)), "cookies need no room");
        assert!(full(queue(4, None, 4, false)));
        assert!(full(queue(1, None, 0, false)));
        let sentence = queue(4, Some(128), 4, false).step().sentence;
        assert_eq!(sentence, "4 half open, the limit is 4, SYN cookies are off");
    }
}
