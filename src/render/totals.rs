//! The line of totals below the table.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::model::{Protocol, Socket};

/// Counts of the rows that were shown, and of those omitted on purpose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    listening: BTreeMap<Protocol, u64>,
    others: BTreeMap<Protocol, u64>,
    full: Vec<u16>,
    /// Sockets in time-wait that were counted but not shown.
    pub time_wait_hidden: u64,
    /// All rows, including those beyond `--limit`.
    pub of: u64,
}

impl Totals {
    /// Counts a row.
    pub fn add(&mut self, socket: &Socket) {
        let counts = if socket.is_listener() {
            &mut self.listening
        } else {
            &mut self.others
        };
        *counts.entry(socket.protocol).or_default() += 1;
        if socket.accept_queue_is_full()
            && let Some(pair) = socket.inet()
        {
            self.full.push(pair.local_port);
        }
    }

    /// The line, without a newline: `7 sockets · 5 tcp listening, 2 udp · accept queue full: 8080`.
    pub fn line(&self) -> String {
        let total: u64 = self.listening.values().chain(self.others.values()).sum();
        let all = self.of.max(total);
        let plural = if all == 1 { "" } else { "s" };
        let mut line = if all > total {
            format!("{total} of {all} socket{plural}")
        } else {
            format!("{total} socket{plural}")
        };
        let mut parts = Vec::new();
        for protocol in Protocol::ALL {
            if let Some(count) = self.listening.get(&protocol) {
                parts.push(format!("{count} {} listening", protocol.name()));
            }
            if let Some(count) = self.others.get(&protocol) {
                parts.push(format!("{count} {}", protocol.name()));
            }
        }
        if !parts.is_empty() {
            let _ = write!(line, " \u{b7} {}", parts.join(", "));
        }
        if self.time_wait_hidden > 0 {
            let _ = write!(line, " \u{b7} {} in time-wait not shown", self.time_wait_hidden);
        }
        if !self.full.is_empty() {
            let mut ports = self.full.clone();
            ports.sort_unstable();
            ports.dedup();
            let ports: Vec<_> = ports.iter().map(u16::to_string).collect();
            let _ = write!(line, " \u{b7} accept queue full: {}", ports.join(", "));
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Endpoints, InetPair, State};

    #[test]
    fn the_line_has_counts_and_full_queues() {
        let listener = |port, waiting| Socket {
            state: State::Listen,
            rqueue: Some(waiting),
            wqueue: Some(128),
            endpoints: Endpoints::Inet(InetPair {
                local_port: port,
                ..InetPair::UNSPECIFIED
            }),
            ..Socket::BLANK
        };
        let mut totals = Totals::default();
        assert_eq!(totals.line(), "0 sockets");
        totals.add(&listener(22, 0));
        assert_eq!(totals.line(), "1 socket \u{b7} 1 tcp listening");
        totals.add(&listener(8080, 129));
        totals.add(&Socket {
            protocol: Protocol::Udp,
            ..Socket::BLANK
        });
        totals.time_wait_hidden = 3;
        assert_eq!(
            totals.line(),
            "3 sockets \u{b7} 2 tcp listening, 1 udp \u{b7} 3 in time-wait not shown \u{b7} accept queue full: 8080"
        );
    }
}
