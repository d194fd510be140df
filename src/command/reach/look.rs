//! Reads what a judgement needs.

use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::ops::ControlFlow;
use std::time::Duration;

use crate::command::why::look::{elsewhere, process, snapshot};
use crate::diagnose::path::found::{Away, Found, Here};
use crate::diagnose::path::judge::{Reach, judge, takes_traffic};
use crate::engine::snapshot::inodes;
use crate::engine::tables::Tables;
use crate::model::request::{Dump, OwnersBy};
use crate::model::system::SystemFacts;
use crate::model::{OwnerStatus, Protocol, Socket, State, StateSet};
use crate::source::netlink::exact;
use crate::source::proc::ProcRoot;
use crate::source::tape;

/// Looks at one address.
pub fn look(protocol: Protocol, address: IpAddr, port: u16, system: &SystemFacts, by: OwnersBy) -> Found {
    let local = match address {
        IpAddr::V4(address) => system.is_local_v4(address),
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(address) => system.is_local_v4(address),
            None => system.is_local_v6(v6, None),
        },
    };
    if local {
        Found::Here(here(protocol, address, port, system, by))
    } else {
        Found::Away(away(protocol, address, port, system, by))
    }
}

fn here(protocol: Protocol, address: IpAddr, port: u16, system: &SystemFacts, by: OwnersBy) -> Here {
    let states = StateSet::LISTENING.union(StateSet::of(State::Bound));
    let mut snapshot = snapshot::read_states(protocol, port, port, states);
    let sockets: Vec<Socket> = snapshot.existing.iter().map(|one| one.socket.clone()).collect();
    // From the address to itself, as any program here would come; the port means nothing.
    let remote = SocketAddr::new(address, 1);
    let interface = interface_of(address, system).unwrap_or(0);
    let picked = exact::look_up(protocol, SocketAddr::new(address, port), remote, interface);
    let picked = picked.ok().flatten().filter(takes_traffic);
    let reach = judge(&sockets, picked.as_ref(), address);
    let about = reach.socket().and_then(|at| sockets.get(at));
    let (mut owner_status, mut owners, mut user) = (OwnerStatus::NotAsked, Vec::new(), None);
    if let Some(socket) = about {
        snapshot.find_owners(by);
        let ownership = snapshot.owners.of(socket);
        let mut pids: Vec<u32> = ownership.holders.iter().map(|holder| holder.pid).collect();
        pids.dedup();
        let context = process::read(&pids, socket.uid.as_slice());
        owner_status = ownership.status;
        owners = process::describe(&pids, &context);
        user = socket.uid.map(|uid| process::user_name(&context, uid));
    }
    Here {
        reach,
        owners,
        owner_status,
        user,
        elsewhere: match reach {
            Reach::Refused(_) => elsewhere::owners(protocol, port, by),
            _ => Vec::new(),
        },
        sockets,
        gaps: snapshot.gaps,
    }
}

/// The interface that has the address: what comes from this machine itself counts as coming in by it.
fn interface_of(address: IpAddr, system: &SystemFacts) -> Option<u32> {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let (_, name) = system.v4_links.iter().find(|(link, _)| link.contains(address))?;
            let known = system.interfaces.iter().find(|(_, known)| *known == name);
            known.map(|(index, _)| *index)
        }
        IpAddr::V6(address) => {
            let local = system.local_v6.iter().find(|local| local.address == address);
            local.map(|local| local.interface)
        }
    }
}

fn away(protocol: Protocol, address: IpAddr, port: u16, system: &SystemFacts, by: OwnersBy) -> Away {
    let source = source_towards(address, port);
    let device = source
        .and_then(|source| interface_of(source, system))
        .and_then(|index| system.interfaces.get(&index).cloned());
    let mut found = Away {
        source,
        device,
        ..Away::default()
    };
    let dump = Dump::new(protocol, StateSet::ALL.without(StateSet::LISTENING));
    let mut tables = Tables::open(&ProcRoot::default());
    tables.read(&[dump], &mut |sockets| {
        for socket in &*sockets {
            let Some(pair) = socket.inet() else { continue };
            if (pair.peer_address.to_canonical(), pair.peer_port) != (address.to_canonical(), port) {
                continue;
            }
            found.ports_used += usize::from(system.is_automatic(pair.local_port));
            if socket.state == State::SynSent {
                found.unanswered.push(socket.clone());
            }
        }
        ControlFlow::Continue(())
    });
    found.gaps = tables.gaps;
    found.owners = process::owners_of(inodes(&found.unanswered), by);
    found
}

/// The address that packets to there would leave from. Connecting a UDP socket looks up the route and sends
/// nothing.
fn source_towards(address: IpAddr, port: u16) -> Option<IpAddr> {
    let any: SocketAddr = if address.is_ipv4() {
        (std::net::Ipv4Addr::UNSPECIFIED, 0).into()
    } else {
        (std::net::Ipv6Addr::UNSPECIFIED, 0).into()
    };
    tape::fact(&format!("source towards {address} {port}"), || {
        let socket = UdpSocket::bind(any).ok()?;
        socket.connect((address, port)).ok()?;
        socket.local_addr().ok().map(|local| local.ip())
    })
}

/// Makes one TCP connection and closes it again: what came of it, in words.
pub fn try_once(address: IpAddr, port: u16) -> (bool, String) {
    let tried = tape::fact(&format!("connection to {address} {port}"), || {
        Some(connect(address, port))
    });
    tried.unwrap_or_else(|| (false, "not tried in the run that was recorded".to_owned()))
}

fn connect(address: IpAddr, port: u16) -> (bool, String) {
    const PATIENCE: Duration = Duration::from_secs(3);
    match TcpStream::connect_timeout(&(address, port).into(), PATIENCE) {
        Ok(_) => (true, "a connection was accepted".to_owned()),
        Err(error) => {
            let meaning = match error.raw_os_error() {
                Some(libc::ECONNREFUSED) => {
                    "refused: the machine answers, and nothing listens there".to_owned()
                }
                Some(libc::EHOSTUNREACH) => {
                    "no host: nobody on the way or there answers for that address".to_owned()
                }
                Some(libc::ENETUNREACH) => "no route to that network".to_owned(),
                Some(libc::EADDRNOTAVAIL) => "no local port is left for that address and port".to_owned(),
                Some(libc::EACCES | libc::EPERM) => {
                    "forbidden here, by a packet filter or a security module".to_owned()
                }
                _ if error.kind() == std::io::ErrorKind::TimedOut => {
                    "no answer within 3 s: dropped on the way".to_owned()
                }
                _ => error.to_string(),
            };
            (false, meaning)
        }
    }
}
