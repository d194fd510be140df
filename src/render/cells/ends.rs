//! Both ends of a socket.

use std::fmt::Write as _;

use crate::model::Row;
use crate::model::{Endpoints, InetPair, Protocol, SocketType};
use crate::render::escape;
use crate::render::other_ends::{self, Form};
use crate::render::text::{push_address, push_ip_protocol};

pub(super) fn local(row: &Row<'_>, names: bool) -> String {
    match &row.socket.endpoints {
        Endpoints::Inet(pair) => {
            let mut text = endpoint(row, pair, pair.local_address, pair.local_port, names);
            if let Some(index) = pair.interface {
                match row.interface(index) {
                    Some(name) => {
                        let _ = write!(text, "%{}", escape::text(name.as_bytes()));
                    }
                    None => {
                        let _ = write!(text, "%if{index}");
                    }
                }
            }
            text
        }
        Endpoints::Unix(pair) => match &pair.name {
            Some(name) => {
                let mut text = Vec::new();
                escape::push_unix_name(&mut text, name, |_| false);
                String::from_utf8(text).unwrap_or_default()
            }
            None => "(unnamed)".to_owned(),
        },
        _ => {
            let mut text = Vec::new();
            other_ends::push_local(&mut text, row, Form::Names);
            text.push(b':');
            other_ends::push_local_port(&mut text, row, Form::Names);
            String::from_utf8(text).unwrap_or_default()
        }
    }
}

pub(super) fn peer(row: &Row<'_>, names: bool) -> String {
    match &row.socket.endpoints {
        Endpoints::Inet(pair) if pair.peer_address.is_unspecified() && pair.peer_port == 0 => String::new(),
        Endpoints::Inet(pair) => endpoint(row, pair, pair.peer_address, pair.peer_port, names),
        Endpoints::Unix(pair) => match row.peer().and_then(|peer| peer.name) {
            Some(name) => {
                let mut text = Vec::new();
                escape::push_unix_name(&mut text, name, |_| false);
                String::from_utf8(text).unwrap_or_default()
            }
            None => pair
                .peer_inode
                .map_or_else(String::new, |inode| format!("#{inode}")),
        },
        Endpoints::Vsock(pair) if pair.peer_cid == u32::MAX => String::new(),
        _ => {
            let mut text = Vec::new();
            other_ends::push_peer(&mut text, row, Form::Names);
            String::from_utf8(text).unwrap_or_default()
        }
    }
}

fn endpoint(row: &Row<'_>, pair: &InetPair, address: std::net::IpAddr, port: u16, names: bool) -> String {
    let name = row.context.names.hosts.get(&address).filter(|_| names);
    let host = if let Some(name) = name {
        escape::text(name.as_bytes())
    } else if address.is_ipv6() && address.is_unspecified() && pair.v6only != Some(true) {
        "*".to_owned()
    } else {
        let mut text = Vec::new();
        push_address(&mut text, address);
        let text = String::from_utf8(text).unwrap_or_default();
        if address.is_ipv6() {
            format!("[{text}]")
        } else {
            text
        }
    };
    if row.socket.protocol == Protocol::Raw && port != 0 {
        let mut text = format!("{host}:").into_bytes();
        push_ip_protocol(&mut text, port);
        return String::from_utf8(text).unwrap_or_default();
    }
    let key = (port, row.socket.kind == Some(SocketType::Dgram));
    match row.context.names.services.get(&key).filter(|_| names) {
        Some(service) => format!("{host}:{}", escape::text(service.as_bytes())),
        None if port == 0 => format!("{host}:*"),
        None => format!("{host}:{port}"),
    }
}
