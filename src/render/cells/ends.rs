//! The local and the peer end of a socket.

use crate::model::Row;
use crate::model::{Endpoints, InetPair, Protocol, SocketType};
use crate::render::escape;
use crate::render::other_ends::{self, Form};
use crate::render::span::{Cut, Span};
use crate::render::text::{push_address, push_ip_protocol, written};

pub(super) fn local(row: &Row<'_>, names: bool) -> Vec<Span> {
    match &row.socket.endpoints {
        Endpoints::Inet(pair) => {
            let mut spans = endpoint(row, pair, pair.local_address, pair.local_port, names);
            if let Some(index) = pair.interface {
                spans.push(Span::fixed(match row.interface(index) {
                    Some(name) => format!("%{name}"),
                    None => format!("%if{index}"),
                }));
            }
            spans
        }
        Endpoints::Unix(pair) => match &pair.name {
            Some(name) => unix_name(name),
            None => vec![Span::fixed("(unnamed)")],
        },
        _ => middle(|out| {
            other_ends::push_local(out, row, Form::Names);
            out.push(b':');
            other_ends::push_local_port(out, row, Form::Names);
        }),
    }
}

pub(super) fn peer(row: &Row<'_>, names: bool) -> Vec<Span> {
    match &row.socket.endpoints {
        Endpoints::Inet(pair) if pair.peer_address.is_unspecified() && pair.peer_port == 0 => Vec::new(),
        Endpoints::Inet(pair) => endpoint(row, pair, pair.peer_address, pair.peer_port, names),
        Endpoints::Unix(pair) => match row.peer().and_then(|peer| peer.name) {
            Some(name) => unix_name(name),
            None => match pair.peer_inode {
                Some(inode) => vec![Span::fixed(format!("#{inode}"))],
                None => Vec::new(),
            },
        },
        Endpoints::Vsock(pair) if pair.peer_cid == u32::MAX => Vec::new(),
        _ => middle(|out| {
            other_ends::push_peer(out, row, Form::Names);
        }),
    }
}

/// Text that is truncated in the middle, because the two ends of a path or an address are the informative parts.
fn middle(push: impl FnOnce(&mut Vec<u8>)) -> Vec<Span> {
    vec![Span::new(written(push), Cut::Middle, 1)]
}

fn unix_name(name: &[u8]) -> Vec<Span> {
    middle(|out| escape::push_unix_name(out, name, |_| false))
}

fn endpoint(row: &Row<'_>, pair: &InetPair, address: std::net::IpAddr, port: u16, names: bool) -> Vec<Span> {
    let name = row.context.names.hosts.get(&address).filter(|_| names);
    let host = if let Some(name) = name {
        name.to_string()
    } else if address.is_ipv6() && address.is_unspecified() && pair.v6only != Some(true) {
        "*".to_owned()
    } else {
        let text = written(|out| push_address(out, address));
        if address.is_ipv6() {
            format!("[{text}]")
        } else {
            text
        }
    };
    vec![
        Span::new(host, Cut::Middle, 1),
        Span::fixed(format!(":{}", port_text(row, port, names))),
    ]
}

fn port_text(row: &Row<'_>, port: u16, names: bool) -> String {
    if row.socket.protocol == Protocol::Raw && port != 0 {
        return written(|out| push_ip_protocol(out, port));
    }
    let key = (port, row.socket.kind == Some(SocketType::Dgram));
    match row.context.names.services.get(&key).filter(|_| names) {
        Some(service) => service.to_string(),
        None if port == 0 => "*".to_owned(),
        None => port.to_string(),
    }
}
