//! Counts of sockets, and the kernel's totals: memory, limits, overflows of queues.

use std::collections::BTreeMap;

use super::{Family, Protocol, Socket, State};

/// Counts by protocol, family and state, and the kernel's own figures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Sockets that were read.
    pub counts: BTreeMap<(Protocol, Family, State), u64>,
    /// The figures that this kernel and namespace report.
    figures: BTreeMap<Figure, u64>,
}

impl Summary {
    /// Counts a socket.
    pub fn add(&mut self, socket: &Socket) {
        let key = (socket.protocol, socket.family, socket.state);
        *self.counts.entry(key).or_default() += 1;
    }

    /// Returns a figure, if the kernel reports it.
    pub fn get(&self, figure: Figure) -> Option<u64> {
        self.figures.get(&figure).copied()
    }

    /// Stores a figure.
    pub fn set(&mut self, figure: Figure, value: u64) {
        self.figures.insert(figure, value);
    }
}

macro_rules! figures {
    ($($variant:ident, $name:literal, $meaning:literal;)*) => {
        /// A figure that the kernel keeps. Figures "of the machine" are the same in every network namespace.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[allow(missing_docs, reason = "`Figure::meaning` says it")]
        pub enum Figure { $($variant,)* }

        impl Figure {
            /// Every figure, in the order of JSON.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its key in JSON.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Returns its meaning, in one line.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }
        }
    };
}

figures! {
    SocketsUsed, "sockets_used", "sockets of every family opened in this namespace";
    TcpInUse, "tcp_in_use", "IPv4 TCP sockets with a port, without time-wait";
    Tcp6InUse, "tcp6_in_use", "the same for IPv6";
    TcpEstablished, "tcp_established", "TCP sockets in established or close-wait";
    TcpAllocated, "tcp_allocated", "TCP sockets of the machine, including those without a port";
    TcpOrphans, "tcp_orphans", "TCP sockets of the machine that no program holds any more, but that still send";
    TcpOrphansMax, "tcp_orphans_max", "limit above which orphans are reset (tcp_max_orphans)";
    TcpTimeWait, "tcp_time_wait", "sockets in time-wait";
    TcpTimeWaitMax, "tcp_time_wait_max", "limit above which connections skip time-wait (tcp_max_tw_buckets)";
    TcpMemoryBytes, "tcp_memory_bytes", "memory in the queues of all TCP sockets of the machine";
    TcpMemoryPressureBytes, "tcp_memory_pressure_bytes", "limit above which buffers stop growing (tcp_mem)";
    TcpMemoryMaxBytes, "tcp_memory_max_bytes", "limit above which packets are dropped (tcp_mem)";
    UdpInUse, "udp_in_use", "IPv4 UDP sockets with a port";
    Udp6InUse, "udp6_in_use", "the same for IPv6";
    UdpMemoryBytes, "udp_memory_bytes", "memory in the queues of all UDP sockets of the machine";
    UdpMemoryPressureBytes, "udp_memory_pressure_bytes", "limit above which buffers stop growing (udp_mem)";
    UdpMemoryMaxBytes, "udp_memory_max_bytes", "limit above which packets are dropped (udp_mem)";
    UdpliteInUse, "udplite_in_use", "IPv4 UDP-Lite sockets with a port";
    Udplite6InUse, "udplite6_in_use", "the same for IPv6";
    RawInUse, "raw_in_use", "raw IPv4 sockets";
    Raw6InUse, "raw6_in_use", "the same for IPv6";
    Fragments, "fragment_queues", "IPv4 packets that wait for further fragments";
    Fragments6, "fragment6_queues", "the same for IPv6";
    FragmentMemoryBytes, "fragment_memory_bytes", "memory of IPv4 packets that wait for further fragments";
    Fragment6MemoryBytes, "fragment6_memory_bytes", "the same for IPv6";
    ListenOverflows, "listen_overflows", "connections dropped because an accept queue was full (ListenOverflows)";
    ListenDrops, "listen_drops", "connections dropped at listeners for any reason (ListenDrops)";
    SynQueueCookies, "syn_queue_cookies", "SYNs answered with a cookie because the SYN queue was full (TCPReqQFullDoCookies)";
    SynQueueDrops, "syn_queue_drops", "SYNs dropped because the SYN queue was full (TCPReqQFullDrop)";
    BacklogDrops, "tcp_backlog_drops", "packets dropped while a program was busy with the socket (TCPBacklogDrop)";
    ReceiveQueueDrops, "tcp_receive_queue_drops", "packets dropped because a receive queue was full (TCPRcvQDrop)";
    MemoryAborts, "tcp_memory_aborts", "orphans reset because of their number or a lack of memory (TCPAbortOnMemory)";
    TimeWaitOverflows, "tcp_time_wait_overflows", "connections that skipped time-wait because there were too many (TCPTimeWaitOverflow)";
    UdpReceiveDrops, "udp_receive_buffer_drops", "IPv4 datagrams dropped because a receive buffer was full (RcvbufErrors)";
    Udp6ReceiveDrops, "udp6_receive_buffer_drops", "the same for IPv6 (Udp6RcvbufErrors)";
    UdpSendDrops, "udp_send_buffer_drops", "IPv4 datagrams dropped because a send buffer was full (SndbufErrors)";
    Udp6SendDrops, "udp6_send_buffer_drops", "the same for IPv6 (Udp6SndbufErrors)";
}

impl Figure {
    /// The counters of losses since the namespace was created (for the initial one, since boot).
    pub const LOSSES: &'static [Self] = &[
        Self::ListenOverflows,
        Self::ListenDrops,
        Self::SynQueueCookies,
        Self::SynQueueDrops,
        Self::BacklogDrops,
        Self::ReceiveQueueDrops,
        Self::MemoryAborts,
        Self::TimeWaitOverflows,
        Self::UdpReceiveDrops,
        Self::Udp6ReceiveDrops,
        Self::UdpSendDrops,
        Self::Udp6SendDrops,
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_figures_are_stored_separately() {
        let mut summary = Summary::default();
        for (index, figure) in Figure::ALL.iter().enumerate() {
            assert_eq!(*figure as usize, index);
            assert_eq!(summary.get(*figure), None);
            summary.set(*figure, index as u64);
            let same = Figure::ALL.iter().filter(|other| other.name() == figure.name());
            assert_eq!(same.count(), 1, "{}", figure.name());
        }
        assert!(
            Figure::ALL
                .iter()
                .enumerate()
                .all(|(index, figure)| summary.get(*figure) == Some(index as u64))
        );
    }
}
