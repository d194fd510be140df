//! The kernel's own figures.

use super::page::{Kind, Page};
use crate::model::summary::{Figure, Summary};

/// A family: name, type, help text, and its figures, each with the value of the family's label.
struct Listed {
    name: &'static str,
    kind: Kind,
    help: &'static str,
    label: &'static str,
    figures: &'static [(&'static str, Figure)],
}

const fn listed(
    name: &'static str,
    kind: Kind,
    help: &'static str,
    label: &'static str,
    figures: &'static [(&'static str, Figure)],
) -> Listed {
    Listed {
        name,
        kind,
        help,
        label,
        figures,
    }
}

#[rustfmt::skip]
const FAMILIES: &[Listed] = &[
    listed("memory_bytes", Kind::Gauge, "Memory in the queues of all sockets of the machine", "protocol",
        &[("tcp", Figure::TcpMemoryBytes), ("udp", Figure::UdpMemoryBytes)]),
    listed("memory_pressure_bytes", Kind::Gauge, "Memory use above which buffers stop growing", "protocol",
        &[("tcp", Figure::TcpMemoryPressureBytes), ("udp", Figure::UdpMemoryPressureBytes)]),
    listed("memory_limit_bytes", Kind::Gauge, "Memory use above which packets are dropped", "protocol",
        &[("tcp", Figure::TcpMemoryMaxBytes), ("udp", Figure::UdpMemoryMaxBytes)]),
    listed("tcp_orphans", Kind::Gauge, "TCP sockets that no program holds and that the kernel is still closing", "",
        &[("", Figure::TcpOrphans)]),
    listed("tcp_orphans_limit", Kind::Gauge, "Number of orphans above which the kernel resets them", "",
        &[("", Figure::TcpOrphansMax)]),
    listed("tcp_time_wait", Kind::Gauge, "Sockets in time_wait", "",
        &[("", Figure::TcpTimeWait)]),
    listed("tcp_time_wait_limit", Kind::Gauge, "Limit of sockets in time_wait", "",
        &[("", Figure::TcpTimeWaitMax)]),
    listed("listen_overflows_total", Kind::Counter, "Connections that found an accept queue full", "",
        &[("", Figure::ListenOverflows)]),
    listed("listen_drops_total", Kind::Counter, "Connections that listeners dropped for any reason", "",
        &[("", Figure::ListenDrops)]),
    listed("syn_queue_cookies_total", Kind::Counter, "SYNs answered with a cookie because the queue was full", "",
        &[("", Figure::SynQueueCookies)]),
    listed("syn_queue_drops_total", Kind::Counter, "SYNs dropped because the queue was full", "",
        &[("", Figure::SynQueueDrops)]),
    listed("tcp_backlog_drops_total", Kind::Counter, "Segments dropped because a socket's backlog was full", "",
        &[("", Figure::BacklogDrops)]),
    listed("tcp_receive_queue_drops_total", Kind::Counter, "Segments dropped because a receive queue was full", "",
        &[("", Figure::ReceiveQueueDrops)]),
    listed("tcp_memory_aborts_total", Kind::Counter, "Connections reset for lack of memory", "",
        &[("", Figure::MemoryAborts)]),
    listed("tcp_time_wait_overflows_total", Kind::Counter, "Connections that skipped time_wait because of its limit", "",
        &[("", Figure::TimeWaitOverflows)]),
    listed("udp_receive_buffer_drops_total", Kind::Counter, "UDP packets dropped because a receive buffer was full", "family",
        &[("inet", Figure::UdpReceiveDrops), ("inet6", Figure::Udp6ReceiveDrops)]),
    listed("udp_send_buffer_drops_total", Kind::Counter, "UDP packets not sent because a buffer was full", "family",
        &[("inet", Figure::UdpSendDrops), ("inet6", Figure::Udp6SendDrops)]),
];

pub(super) fn write(page: &mut Page, summary: &Summary) {
    for listed in FAMILIES {
        page.family(listed.name, listed.kind, listed.help);
        for (value, figure) in listed.figures {
            let label = [(listed.label, *value)];
            let labels = if listed.label.is_empty() { &[][..] } else { &label };
            if let Some(number) = summary.get(*figure) {
                page.sample(labels, number);
            }
        }
    }
}
