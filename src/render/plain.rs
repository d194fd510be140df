//! Plain columns: the fields of `ss -n` in the order of iproute2 7.1, for pipes. Rows are written as they arrive.
//!
//! Columns have fixed widths, which longer cells exceed; only the blanks between fields are significant. A blank in a
//! unix name is written `\x20`, so that it does not split the field.

use super::other_ends::{self, Form};
use super::packet;
use super::text::{align_right, pad_to, push_address, push_ip_protocol, push_number};
use super::tokens::{self, Users};
use super::{details, escape, multihomed, tcp, tipc};
use crate::model::Row;
use crate::model::{Endpoints, InetPair, Protocol, Socket, SocketType, UnixPair};

/// The columns and tokens that the options select.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is an option of ss, independent of the others"
)]
pub struct Plain {
    /// The header line.
    pub header: bool,
    /// The Netid column, omitted if a single table was selected.
    pub netid: bool,
    /// The State column, omitted if a single state was selected.
    pub state: bool,
    /// The Recv-Q and Send-Q columns (`-Q` drops them).
    pub queues: bool,
    /// `users:(…)` (`-p`).
    pub processes: bool,
    /// Additional facts in it (`-T`, `-Z`, `-z`).
    pub users: Users,
    /// The timer (`-o`).
    pub timer: bool,
    /// uid, inode, cookie and so on (`-e`).
    pub extended: bool,
    /// Type of service, traffic class and class (`--tos`).
    pub tos: bool,
    /// What TIPC sockets are connected to and wait for (`--tipcinfo`).
    pub tipc: bool,
    /// The cgroup (`--cgroup`).
    pub cgroup: bool,
    /// Socket options (`--inet-sockopt`).
    pub socket_options: bool,
    /// Memory (`-m`).
    pub memory: bool,
    /// Socket filter programs of packet sockets (`-b`).
    pub filters: bool,
    /// TCP internals (`-i`).
    pub info: bool,
    /// Names of hosts and services if they were found (`-r`).
    pub names: bool,
    /// `netns:` with the name or number of the network namespace, if there are several (`-N`).
    pub netns: bool,
}

const NETID: usize = 5;
const STATE: usize = 10;
const QUEUE: usize = 6;
const ADDRESS: usize = 22;
const PORT: usize = 6;

impl Plain {
    /// Appends the header line.
    pub fn push_header(&self, out: &mut Vec<u8>) {
        if !self.header {
            return;
        }
        if self.netid {
            push_column(out, b"Netid", NETID);
        }
        if self.state {
            push_column(out, b"State", STATE);
        }
        if self.queues {
            push_column(out, b"Recv-Q", QUEUE);
            push_column(out, b"Send-Q", QUEUE);
        }
        for (address, last) in [(&b"Local Address:"[..], false), (b"Peer Address:", true)] {
            let start = out.len();
            out.extend_from_slice(address);
            align_right(out, start, ADDRESS);
            out.extend_from_slice(b"Port");
            if !last || self.processes {
                let missing = PORT - 4;
                out.resize(out.len() + missing + 1, b' ');
            }
        }
        if self.processes {
            out.extend_from_slice(b"Process");
        }
        out.push(b'\n');
    }

    /// Appends one row.
    pub fn push_row(&self, out: &mut Vec<u8>, row: &Row<'_>) {
        let socket = row.socket;
        if self.netid {
            push_column(out, netid(socket).as_bytes(), NETID);
        }
        if self.state {
            push_column(out, state(socket).as_bytes(), STATE);
        }
        if self.queues {
            for queue in [socket.rqueue, socket.wqueue] {
                let start = out.len();
                push_number(out, queue.unwrap_or(0));
                pad_to(out, start, QUEUE);
                out.push(b' ');
            }
        }
        match &socket.endpoints {
            Endpoints::Inet(pair) => self.push_inet(out, row, pair),
            Endpoints::Unix(pair) => push_unix(out, socket, pair),
            _ => self.push_other(out, row),
        }
        if self.processes {
            tokens::push_users(out, row, self.users);
        }
        if self.timer {
            tokens::push_timer(out, socket.timer);
        }
        if self.extended {
            tokens::push_extended(out, row);
        }
        if self.tos {
            details::push_tos(out, &socket.details);
        }
        if self.tipc {
            tipc::push_info(out, socket);
        }
        if self.cgroup {
            tokens::push_cgroup(out, row);
        }
        if self.socket_options {
            details::push_socket_options(out, socket.socket_options);
        }
        if self.filters {
            packet::push_filter(out, &socket.details);
        }
        if self.memory {
            details::push_memory(out, &socket.details);
        }
        match socket.protocol {
            Protocol::Tcp | Protocol::Dccp if self.info => tcp::push_info(out, socket, self.timer),
            Protocol::Mptcp if self.info => multihomed::push_mptcp(out, &socket.details),
            // `-m` shows the addresses too.
            Protocol::Sctp if self.info || self.memory => multihomed::push_sctp(out, &socket.details),
            _ => {}
        }
        if self.netns {
            tokens::push_netns(out, row);
        }
        while out.last() == Some(&b' ') {
            out.pop();
        }
        out.push(b'\n');
    }

    fn push_inet(&self, out: &mut Vec<u8>, row: &Row<'_>, pair: &InetPair) {
        let start = out.len();
        self.push_host(out, row, pair, pair.local_address);
        if let Some(index) = pair.interface {
            out.push(b'%');
            match row.interface(index) {
                Some(name) => escape::push_also(out, name.as_bytes(), |c| c == ' '),
                None => {
                    out.extend_from_slice(b"if");
                    push_number(out, index.get());
                }
            }
        }
        out.push(b':');
        align_right(out, start, ADDRESS);
        self.push_port(out, row, pair.local_port);
        out.push(b' ');
        let start = out.len();
        self.push_host(out, row, pair, pair.peer_address);
        out.push(b':');
        align_right(out, start, ADDRESS);
        self.push_port(out, row, pair.peer_port);
    }

    fn push_other(&self, out: &mut Vec<u8>, row: &Row<'_>) {
        let form = if self.names { Form::Names } else { Form::Numbers };
        let start = out.len();
        other_ends::push_local(out, row, form);
        out.push(b':');
        align_right(out, start, ADDRESS);
        let start = out.len();
        other_ends::push_local_port(out, row, form);
        pad_to(out, start, PORT);
        out.push(b' ');
        let start = out.len();
        if !other_ends::push_peer(out, row, form) {
            out.push(if row.socket.protocol == Protocol::Tipc {
                b'-'
            } else {
                b'*'
            });
        }
        align_right(out, start, ADDRESS + PORT);
    }

    /// An address as ss writes it: brackets around IPv6, and `*` for the IPv6 wildcard that also accepts IPv4.
    fn push_host(&self, out: &mut Vec<u8>, row: &Row<'_>, pair: &InetPair, address: std::net::IpAddr) {
        if self.names
            && let Some(name) = row.context.names.hosts.get(&address)
        {
            escape::push_also(out, name.as_bytes(), |c| c == ' ' || c == ':');
        } else if address.is_ipv4() {
            push_address(out, address);
        } else if address.is_unspecified() && pair.v6only != Some(true) {
            out.push(b'*');
        } else {
            out.push(b'[');
            push_address(out, address);
            out.push(b']');
        }
    }

    fn push_port(&self, out: &mut Vec<u8>, row: &Row<'_>, port: u16) {
        let start = out.len();
        let key = (port, row.socket.kind == Some(SocketType::Dgram));
        if port == 0 {
            out.push(b'*');
        } else if self.names && row.socket.protocol == Protocol::Raw {
            push_ip_protocol(out, port);
        } else if self.names
            && let Some(name) = row.context.names.services.get(&key)
        {
            escape::push_also(out, name.as_bytes(), |c| c == ' ');
        } else {
            push_number(out, port);
        }
        pad_to(out, start, PORT);
    }
}

fn push_unix(out: &mut Vec<u8>, socket: &Socket, pair: &UnixPair) {
    let start = out.len();
    match &pair.name {
        Some(name) => escape::push_unix_name(out, name, |c| c == ' '),
        None => out.push(b'*'),
    }
    align_right(out, start, ADDRESS);
    out.push(b' ');
    let start = out.len();
    push_number(out, socket.inode.map_or(0, std::num::NonZeroU32::get));
    pad_to(out, start, PORT);
    out.extend_from_slice(b" * ");
    let start = out.len();
    push_number(out, pair.peer_inode.map_or(0, std::num::NonZeroU32::get));
    pad_to(out, start, PORT);
}

fn push_column(out: &mut Vec<u8>, text: &[u8], width: usize) {
    let start = out.len();
    out.extend_from_slice(text);
    pad_to(out, start, width);
    out.push(b' ');
}

/// ss's word for the state; SCTP associations have their own.
fn state(socket: &Socket) -> &'static str {
    match socket.details.association() {
        Some(association) if socket.protocol == Protocol::Sctp => association.ss_name(),
        _ => socket.state.ss_name(),
    }
}

/// ss's word for the socket's table.
pub fn netid(socket: &Socket) -> &'static str {
    match (socket.protocol, socket.kind) {
        (Protocol::Unix, Some(SocketType::Stream)) => "u_str",
        (Protocol::Unix, Some(SocketType::Dgram)) => "u_dgr",
        (Protocol::Unix, Some(SocketType::Seqpacket)) => "u_seq",
        (Protocol::Packet, Some(SocketType::Raw)) => "p_raw",
        (Protocol::Packet, _) => "p_dgr",
        (Protocol::Netlink, _) => "nl",
        (Protocol::Vsock, Some(SocketType::Stream)) => "v_str",
        (Protocol::Vsock, Some(SocketType::Dgram)) => "v_dgr",
        (Protocol::Vsock, _) => "v_seq",
        (Protocol::Tipc, Some(SocketType::Stream)) => "ti_st",
        (Protocol::Tipc, Some(SocketType::Dgram)) => "ti_dg",
        (Protocol::Tipc, Some(SocketType::Rdm)) => "ti_rd",
        (Protocol::Tipc, Some(SocketType::Seqpacket)) => "ti_sq",
        (protocol, _) => protocol.name(),
    }
}
