//! The kernel's counters of connections that it dropped because a queue or table was full, since the network namespace
//! was created: /proc/net/netstat and /proc/net/stat/nf_conntrack.

use super::disk;

/// A counter: its name in the kernel, and its value.
pub type Counter = (&'static str, u64);

/// The counters in `TcpExt:` (linux 6.18 include/uapi/linux/snmp.h) of accept queues and SYN queues.
const OF_TCP: [&str; 4] = [
    "ListenOverflows",
    "ListenDrops",
    "TCPReqQFullDrop",
    "TCPReqQFullDoCookies",
];

/// Columns of connection tracking: our name and the kernel's.
const OF_TRACKING: [(&str, &str); 2] = [("conntrack drop", "drop"), ("conntrack early_drop", "early_drop")];

/// Reads the counters, without those that this kernel lacks.
pub fn read() -> Vec<Counter> {
    let text = |path: &str| disk::read_to_string(path).unwrap_or_default();
    let mut counters = of_tcp(&text("/proc/net/netstat"));
    counters.extend(of_tracking(&text("/proc/net/stat/nf_conntrack")));
    counters
}

/// Parses a line of names and a line of values.
fn of_tcp(netstat: &str) -> Vec<Counter> {
    let mut lines = netstat.lines().filter_map(|line| line.strip_prefix("TcpExt:"));
    let (Some(names), Some(values)) = (lines.next(), lines.next()) else {
        return Vec::new();
    };
    let pairs = || names.split_whitespace().zip(values.split_whitespace());
    let value = |wanted: &str| {
        let (_, value) = pairs().find(|(name, _)| *name == wanted)?;
        value.parse().ok()
    };
    OF_TCP
        .iter()
        .filter_map(|name| Some((*name, value(name)?)))
        .collect()
}

/// Parses a line of names and, for each processor, a line of hexadecimal values.
fn of_tracking(stat: &str) -> Vec<Counter> {
    let mut lines = stat.lines();
    let names: Vec<&str> = lines.next().unwrap_or_default().split_whitespace().collect();
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split_whitespace().collect()).collect();
    let sum = |wanted: &str| -> Option<u64> {
        let at = names.iter().position(|name| *name == wanted)?;
        let values = rows
            .iter()
            .filter_map(|row| u64::from_str_radix(row.get(at)?, 16).ok());
        Some(values.fold(0, u64::saturating_add))
    };
    OF_TRACKING
        .iter()
        .filter_map(|(name, column)| Some((*name, sum(column)?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_found_by_name_and_summed_over_processors() {
        let netstat = "TcpExt: A ListenDrops ListenOverflows\nTcpExt: 1 7 5\nIpExt: B\nIpExt: 2\n";
        assert_eq!(of_tcp(netstat), [("ListenOverflows", 5), ("ListenDrops", 7)]);
        let stat = "entries  drop early_drop\n00000001 0000000a 00000001\n00000001 00000010 00000000\n";
        let found = of_tracking(stat);
        assert_eq!(found, [("conntrack drop", 26), ("conntrack early_drop", 1)]);
        for text in ["", "TcpExt:", "entries drop\nzz\n"] {
            let _ = (of_tcp(text), of_tracking(text));
        }
    }
}
