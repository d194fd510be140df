//! Queues in front of a program: connections to be accepted, incomplete handshakes, and unanswered connection attempts.

use super::way::Step;
use crate::model::Socket;

/// The incomplete handshakes of a listener, and what limits their number. `None` stands for what could not be read.
pub struct SynQueue {
    /// Incomplete handshakes of all listeners on the port.
    pub waiting: Option<u64>,
    /// The backlog of the listener.
    pub backlog: Option<u32>,
    /// `net.ipv4.tcp_max_syn_backlog`.
    pub max_syn_backlog: Option<u64>,
    /// Whether `net.ipv4.tcp_syncookies` is not 0: a handshake without room in the queue is then answered with a
    /// cookie.
    pub has_cookies: Option<bool>,
}

impl SynQueue {
    /// How many handshakes fit. Without cookies, the kernel keeps a quarter of `tcp_max_syn_backlog` for known peers,
    /// so some peers may still be admitted (linux 6.18 net/ipv4/tcp_input.c, `tcp_conn_request`; the backlog:
    /// include/net/inet_connection_sock.h, `inet_csk_reqsk_queue_is_full`).
    fn limit(&self) -> Option<u64> {
        let most = self.max_syn_backlog?;
        let of_system = most - (most >> 2) + 1;
        Some(of_system.min(self.backlog.map_or(u64::MAX, u64::from)))
    }

    /// Whether there is no room for another handshake; `None` if unknown.
    fn is_full(&self) -> Option<bool> {
        match (self.has_cookies, self.waiting, self.limit()) {
            (Some(true), ..) => Some(false),
            (Some(false), Some(waiting), Some(limit)) => Some(waiting >= limit),
            _ => None,
        }
    }

    /// What a connection depends on; `None` if there certainly is room for it.
    pub fn may_lack_room(&self) -> Option<String> {
        match (self.is_full(), self.waiting) {
            (Some(false), _) => None,
            (Some(true), Some(waiting)) => Some(format!(
                "room in the SYN queue, which is full ({waiting}, and tcp_syncookies is 0)"
            )),
            _ => Some("room in the SYN queue, which could not be read".to_owned()),
        }
    }

    /// The step that `--steps` shows.
    pub fn step(&self) -> Step {
        let waiting = match self.waiting {
            Some(waiting) => format!("{waiting} half open"),
            None => "half open connections could not be read".to_owned(),
        };
        let limit = match (self.has_cookies, self.limit()) {
            (Some(true), _) => "SYN cookies are on".to_owned(),
            (Some(false), Some(limit)) => format!("the limit is {limit}, SYN cookies are off"),
            _ => "the limit could not be read".to_owned(),
        };
        Step {
            step: "SYN queue",
            ok: self.is_full().map(|is_full| !is_full),
            sentence: format!("{waiting}, {limit}"),
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

/// The step about connections in SYN-SENT, if there are any.
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

/// The step about connections in SYN-SENT if they could not be read.
pub fn unanswered_unread() -> Step {
    Step {
        step: "unanswered",
        ok: None,
        sentence: "connections in SYN-SENT could not be read".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// tests/reach/causes.rs produces this case with a real queue.
    #[test]
    fn the_syn_queue_is_full_without_cookies_at_the_smaller_limit() {
        let queue = |waiting, backlog, max_syn_backlog, has_cookies| SynQueue {
            waiting: Some(waiting),
            backlog,
            max_syn_backlog: Some(max_syn_backlog),
            has_cookies: Some(has_cookies),
        };
        let full = |queue: SynQueue| {
            let step = queue.step();
            assert_eq!(
                step.ok,
                Some(queue.may_lack_room().is_none()),
                "{}",
                step.sentence
            );
            queue.may_lack_room().is_some()
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

    #[test]
    fn an_unread_queue_may_lack_room() {
        let queue = |waiting, max_syn_backlog, has_cookies| {
            let queue = SynQueue {
                waiting,
                backlog: Some(128),
                max_syn_backlog,
                has_cookies,
            };
            (queue.step().ok, queue.may_lack_room().is_some())
        };
        assert_eq!(queue(None, Some(4096), Some(false)), (None, true));
        assert_eq!(queue(Some(0), None, Some(false)), (None, true));
        assert_eq!(queue(Some(0), Some(4096), None), (None, true));
        assert_eq!(
            queue(None, None, Some(true)),
            (Some(true), false),
            "cookies need no room"
        );
    }
}
