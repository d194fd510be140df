//! The kinds of socket that can be requested, and their keys.

use std::io::{self, Write};

use anyhow::{Context as _, Result};
use rustix::net::SocketType;

use crate::made::Made;
use crate::spec::Spec;
use crate::state::State;
use crate::{datagram, holders, link, tcp, teardown, unix, vxlan};

/// One kind: a row of the table below.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// Separated by blanks.
    pub(crate) keys: &'static str,
    pub(crate) make: fn(&Spec, &mut Made) -> Result<()>,
}

const fn kind(name: &'static str, keys: &'static str, make: fn(&Spec, &mut Made) -> Result<()>) -> Kind {
    Kind { name, keys, make }
}

const LISTENER: &str = "addr port v6only reuseaddr reuseport device backlog";
const TEARDOWN: &str = "addr port mapped reuseaddr side";
const UDP: &str = "addr port v6only reuseaddr reuseport device unread overflow";

const KINDS: &[Kind] = &[
    kind(
        "tcp-listen",
        "addr port v6only reuseaddr reuseport device backlog queued full mapped",
        tcp::listening,
    ),
    kind(
        "tcp-bound",
        "addr port v6only reuseaddr reuseport device",
        tcp::bound,
    ),
    kind(
        "tcp-pair",
        "addr port mapped reuseaddr device keepalive unread unacked persist listener \
         congestion ulp tos priority mark pacing sack wscale timestamps ecn fastopen",
        tcp::pair,
    ),
    kind("syn-sent", LISTENER, tcp::syn_sent),
    kind("syn-recv", "addr port mapped defer count", tcp::syn_recv),
    kind("fin-wait-1", TEARDOWN, |spec, made| {
        teardown::held(spec, made, State::FinWait1)
    }),
    kind("fin-wait-2", TEARDOWN, |spec, made| {
        teardown::held(spec, made, State::FinWait2)
    }),
    kind("close-wait", TEARDOWN, |spec, made| {
        teardown::held(spec, made, State::CloseWait)
    }),
    kind("last-ack", TEARDOWN, |spec, made| {
        teardown::held(spec, made, State::LastAck)
    }),
    kind("closing", TEARDOWN, |spec, made| {
        teardown::held(spec, made, State::Closing)
    }),
    kind("time-wait", TEARDOWN, teardown::time_wait),
    kind(
        "orphan",
        "addr port mapped reuseaddr side state linger2",
        teardown::orphan,
    ),
    kind("mptcp-listen", LISTENER, tcp::mptcp_listening),
    kind("mptcp-pair", "addr port mapped", tcp::mptcp_pair),
    kind("udp", UDP, |spec, made| {
        datagram::bound(spec, made, libc::IPPROTO_UDP)
    }),
    kind("udp-connected", UDP, datagram::connected),
    kind("udplite", UDP, |spec, made| {
        datagram::bound(spec, made, libc::IPPROTO_UDPLITE)
    }),
    kind("raw", "addr proto", datagram::raw),
    kind("icmp", "addr port", datagram::ping),
    kind(
        "unix-listen",
        "path abstract long type backlog queued",
        |spec, made| unix::listening(spec, made, SocketType::STREAM),
    ),
    kind(
        "unix-seqpacket",
        "path abstract long backlog queued",
        |spec, made| unix::listening(spec, made, SocketType::SEQPACKET),
    ),
    kind("unix-dgram", "path abstract long", |spec, made| {
        unix::unconnected(spec, made, SocketType::DGRAM)
    }),
    kind("unix-stream", "path abstract long", |spec, made| {
        unix::unconnected(spec, made, SocketType::STREAM)
    }),
    kind("unix-senders", "path abstract long count", unix::senders),
    kind("unix-pair", "type unread", unix::pair),
    kind(
        "unix-stream-client",
        "path abstract long type backlog unread",
        unix::stream_client,
    ),
    kind(
        "shared-fork",
        "addr port backlog children",
        holders::shared_by_fork,
    ),
    kind(
        "shared-scm",
        "addr port backlog close",
        holders::shared_by_message,
    ),
    kind("in-flight", "addr port backlog", holders::in_flight),
    kind("io-uring", "addr port backlog", holders::registered),
    kind("thread-table", "addr port backlog", holders::own_table),
    kind("leader-exited", "addr port backlog", holders::exited_leader),
    kind(
        "thread-shared",
        "addr port backlog threads",
        holders::shared_by_threads,
    ),
    kind("comm", "addr port backlog name", holders::named_child),
    kind("nondumpable", "addr port backlog", holders::nondumpable_child),
    kind("uid", "addr port backlog uid", holders::child_of_user),
    kind("packet", "proto type device filter ring fanout", link::packet),
    kind("netlink", "proto bind portid group peer_group", link::netlink),
    kind("bare", "family type proto", link::bare),
    kind("vsock", "port", link::vsock),
    kind("xdp", "", link::xdp),
    kind("vxlan", "port", vxlan::kernel_socket),
];

/// The meaning of the keys, for any kind.
const KEYS: &[(&str, &str)] = &[
    (
        "addr",
        "address to bind to (127.0.0.1); an IPv6 one makes an IPv6 socket",
    ),
    (
        "port",
        "port to bind to, 0 for one that the kernel chooses (0); of icmp the identifier",
    ),
    (
        "v6only reuseaddr reuseport",
        "0 or 1: the socket option of that name",
    ),
    ("device", "interface to bind to (SO_BINDTODEVICE)"),
    ("backlog", "argument of listen() (128)"),
    ("queued", "clients that are connected and not accepted (0)"),
    (
        "full",
        "1: fill the accept queue, and let one more client hang in SYN-SENT",
    ),
    ("mapped", "1: an IPv4 client of a dual-stack listener"),
    ("keepalive", "1: the client's keepalive timer runs"),
    (
        "unread",
        "bytes that the server, the first of a pair or the socket has not read (0)",
    ),
    (
        "overflow",
        "1: more datagrams than the smallest receive buffer takes are sent to the socket",
    ),
    (
        "unacked",
        "bytes of the client that the server never acknowledges (0)",
    ),
    (
        "persist",
        "1: the client sends until the server's window is closed",
    ),
    (
        "congestion ulp",
        "names for TCP_CONGESTION and TCP_ULP on both ends",
    ),
    ("tos priority mark", "the socket option of that name on both ends"),
    ("pacing", "SO_MAX_PACING_RATE in bytes/s"),
    (
        "sack wscale timestamps ecn",
        "the namespace's tcp_* setting while the connection is made",
    ),
    ("fastopen", "1: the first byte goes with the SYN"),
    ("listener", "1: the listener stays open beside the pair"),
    (
        "defer",
        "1: TCP_DEFER_ACCEPT waits for data; else the client does not hear the answer",
    ),
    ("side", "server or client: the end that is in the state (server)"),
    (
        "state",
        "fin-wait-1, fin-wait-2, last-ack or closing (fin-wait-2)",
    ),
    (
        "linger2",
        "TCP_LINGER2 in seconds; above 60 an orphan in FIN-WAIT-2 stays a full socket",
    ),
    (
        "proto",
        "protocol number of a raw (253), packet (3), netlink (0) or bare (0) socket",
    ),
    (
        "ring",
        "rx or tx: a ring that a packet socket shares with the kernel",
    ),
    (
        "fanout",
        "kind of a fan-out group that a packet socket on a device makes (PACKET_FANOUT)",
    ),
    ("filter", "1: attach a filter program that drops everything"),
    ("bind", "0: leave the netlink socket without an address"),
    (
        "portid",
        "address of a netlink socket, 0 for one that the kernel chooses (0)",
    ),
    (
        "group peer_group",
        "multicast group that a netlink socket joins, and is connected to",
    ),
    (
        "path abstract",
        "name of a unix socket; without one it is unnamed, or a listener's is chosen",
    ),
    (
        "long",
        "pad the name with `x` to this many bytes; 108 fill the address without a terminator",
    ),
    ("family", "address family of a bare socket, by number (2)"),
    (
        "type",
        "stream, dgram or seqpacket; of a bare socket a number (1)",
    ),
    ("children threads", "how many (1)"),
    (
        "count",
        "datagram sockets that are connected to the one (0); half-open connections of one listener (1)",
    ),
    ("close", "1: only the child keeps the listener"),
    ("name", "thread name of the child (PR_SET_NAME: 15 bytes)"),
    ("uid", "user of the child (65534)"),
];

pub(crate) fn find(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}

/// Prints the kinds and the keys.
pub(crate) fn print_list(out: &mut impl Write) -> Result<()> {
    write_list(out).context("writing to standard output")
}

fn write_list(out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "mksock [--netns new|keep] KIND[:KEY=VALUE[,KEY=VALUE]...]...\n"
    )?;
    for kind in KINDS {
        writeln!(out, "{:<19} {}", kind.name, kind.keys)?;
    }
    writeln!(out, "\nkeys (a byte of a value can be written \\xHH)")?;
    for (key, meaning) in KEYS {
        writeln!(out, "{key:<27} {meaning}")?;
    }
    Ok(())
}
