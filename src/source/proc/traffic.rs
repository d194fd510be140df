//! Counters that show whether anything changed since the last look: /proc/net/snmp and /proc/net/netstat (linux 6.18
//! net/ipv4/proc.c). Each file has the keys on one line and the values on the next.

use super::ProcRoot;
use crate::source::disk;

/// Counters since boot, of the network namespace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// TCP connections opened from here.
    pub active_opens: u64,
    /// TCP connections accepted.
    pub passive_opens: u64,
    /// TCP connections in the states established and close-wait.
    pub established: u64,
    /// TCP segments received and sent.
    pub segments: u64,
    /// TCP segments retransmitted.
    pub retransmits: u64,
    /// Connections lost because an accept queue was full.
    pub listen_overflows: u64,
    /// UDP packets lost because a receive buffer was full.
    pub udp_drops: u64,
}

impl Traffic {
    /// Reads the counters. Those that cannot be read are 0.
    pub fn read(root: &ProcRoot) -> Self {
        let text = |name: &str| disk::read_to_string(root.net(name)).unwrap_or_default();
        Self::parse(&text("snmp"), &text("netstat"))
    }

    fn parse(snmp: &str, netstat: &str) -> Self {
        let tcp = |key| value(snmp, "Tcp:", key);
        Self {
            active_opens: tcp("ActiveOpens"),
            passive_opens: tcp("PassiveOpens"),
            established: tcp("CurrEstab"),
            segments: tcp("InSegs").wrapping_add(tcp("OutSegs")),
            retransmits: tcp("RetransSegs"),
            listen_overflows: value(netstat, "TcpExt:", "ListenOverflows"),
            udp_drops: value(snmp, "Udp:", "RcvbufErrors"),
        }
    }

    /// Returns whether a connection was opened or ended in between.
    pub fn has_new_connections(&self, before: &Self) -> bool {
        let of = |one: &Self| (one.active_opens, one.passive_opens, one.established);
        of(self) != of(before)
    }
}

/// The value for a key, from two lines that begin with `line`: the first has the keys, the second the values. 0 if
/// there is none.
fn value(text: &str, line: &str, key: &str) -> u64 {
    let mut lines = text.lines().filter(|one| one.split(' ').next() == Some(line));
    let (Some(keys), Some(values)) = (lines.next(), lines.next()) else {
        return 0;
    };
    let mut both = keys.split_whitespace().zip(values.split_whitespace());
    let found = both.find(|(found, _)| *found == key);
    found.and_then(|(_, value)| value.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_found_by_name_and_missing_ones_are_0() {
        let snmp = "Tcp: MaxConn ActiveOpens PassiveOpens CurrEstab InSegs OutSegs RetransSegs\n\
                    Tcp: -1 5 6 7 100 20 3\n\
                    Udp: InDatagrams RcvbufErrors\nUdp: 9 4\n";
        let netstat = "TcpExt: SyncookiesSent ListenOverflows\nTcpExt: 0 8\n";
        let expected = Traffic {
            active_opens: 5,
            passive_opens: 6,
            established: 7,
            segments: 120,
            retransmits: 3,
            listen_overflows: 8,
            udp_drops: 4,
        };
        let found = Traffic::parse(snmp, netstat);
        assert_eq!(found, expected);
        assert_eq!(Traffic::parse("Tcp: ActiveOpens\n", "x"), Traffic::default());
        let moved = |change: fn(&mut Traffic)| {
            let mut now = found;
            change(&mut now);
            now.has_new_connections(&found)
        };
        assert!(moved(|now| now.established -= 1) && moved(|now| now.active_opens += 1));
        assert!(!moved(|now| now.segments += 1));
    }
}
