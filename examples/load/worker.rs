//! One process of the load: opens its share of the connections and holds them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::net::sockopt::{set_ipv6_v6only, set_socket_linger, set_socket_reuseaddr};
use rustix::net::{
    AddressFamily, SocketFlags, SocketType, accept_with, bind, connect, listen, socket_with, socketpair,
};

use crate::plan::{Kind, Load, server_address, share};
use crate::{Args, die_with_parent};

const BACKLOG: i32 = 4096;

/// A listening socket that exists only while connections to one address are made.
struct Door {
    kind: Kind,
    address: SocketAddr,
    socket: OwnedFd,
}

/// Opens the sockets of process number `worker`; they live as long as what is returned.
pub(crate) fn hold(args: &Args, worker: u32) -> Result<Vec<OwnedFd>> {
    die_with_parent()?;
    let load = args.load();
    let pairs = share(load.tcp_pairs, load.processes, u64::from(worker));
    let unix_pairs = share(load.unix_pairs, load.processes, u64::from(worker));
    let mut held = hold_tcp(&load, pairs, worker, args.server_port(worker))?;
    for _ in unix_pairs {
        let (one, other) = socketpair(
            AddressFamily::UNIX,
            SocketType::STREAM,
            SocketFlags::CLOEXEC,
            None,
        )
        .context("cannot open a pair of unix sockets")?;
        held.extend([one, other]);
    }
    Ok(held)
}

fn hold_tcp(load: &Load, pairs: std::ops::Range<u64>, worker: u32, port: u16) -> Result<Vec<OwnedFd>> {
    let first = pairs.start;
    let mut held = Vec::new();
    let mut doors: Vec<Door> = Vec::new();
    for pair in pairs {
        let kind = load.kind(pair);
        let address = SocketAddr::new(server_address(kind, worker, pair - first), port);
        let door = match doors.iter().position(|door| door.kind == kind) {
            Some(at) if doors.get(at).is_some_and(|door| door.address == address) => at,
            stale => {
                if let Some(at) = stale {
                    doors.swap_remove(at);
                }
                let socket =
                    listener(kind, address).with_context(|| format!("cannot listen on {address}"))?;
                doors.push(Door {
                    kind,
                    address,
                    socket,
                });
                doors.len() - 1
            }
        };
        if let Some(door) = doors.get(door) {
            let ends = connection(door).with_context(|| format!("connection number {pair}, to {address}"))?;
            held.extend(ends);
        }
    }
    Ok(held)
}

/// One connection to a listener: client end, server end. On loopback `connect()` ends only when the handshake is over,
/// so the connection is already there to be accepted.
fn connection(door: &Door) -> Result<[OwnedFd; 2]> {
    let client = tcp(door.kind).context("cannot open a socket")?;
    // Without lingering, close() resets the connection: a load that ends leaves no TIME-WAIT sockets and is gone at
    // once.
    set_socket_linger(&client, Some(Duration::ZERO))?;
    if door.kind == Kind::V6 {
        // If it had to choose a source, the kernel would search all addresses of the device for each connection.
        bind(&client, &SocketAddr::new(door.address.ip(), 0)).context("cannot bind the client end")?;
    }
    connect(&client, &door.address).context("cannot connect")?;
    let server = accept_with(&door.socket, SocketFlags::CLOEXEC).context("cannot accept")?;
    Ok([client, server])
}

/// A listening socket whose accepted sockets are reset by close(), an option that they inherit.
pub(crate) fn listener(kind: Kind, address: SocketAddr) -> Result<OwnedFd> {
    let socket = tcp(kind)?;
    set_socket_reuseaddr(&socket, true)?;
    set_socket_linger(&socket, Some(Duration::ZERO))?;
    if kind != Kind::V4 {
        set_ipv6_v6only(&socket, false)?;
    }
    bind(&socket, &address)?;
    listen(&socket, BACKLOG)?;
    Ok(socket)
}

/// The wildcard address of a kind.
pub(crate) fn wildcard(kind: Kind, port: u16) -> SocketAddr {
    let address = match kind {
        Kind::V4 => IpAddr::from(Ipv4Addr::UNSPECIFIED),
        Kind::V6 | Kind::Mapped => IpAddr::from(Ipv6Addr::UNSPECIFIED),
    };
    SocketAddr::new(address, port)
}

fn tcp(kind: Kind) -> rustix::io::Result<OwnedFd> {
    let family = if kind == Kind::V4 {
        AddressFamily::INET
    } else {
        AddressFamily::INET6
    };
    socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None)
}
