//! Reads what is needed to judge one address.

use std::net::SocketAddr;
use std::ops::ControlFlow;

use crate::command::read::{elsewhere, other_protocol, processes, snapshot};
use crate::diagnose::path::filter::journey::Client;
use crate::diagnose::path::found::{Away, Found, Here, interface_of, is_local};
use crate::diagnose::path::judge::{LookUp, Reach, Why, judge, takes_traffic};
use crate::diagnose::stopped::Stopped;
use crate::engine::read_tables;
use crate::engine::snapshot::inodes;
use crate::model::gap::lacks_sockets;
use crate::model::request::{Dump, OwnersBy};
use crate::model::system::SystemFacts;
use crate::model::{OwnerStatus, Protocol, Row, Socket, State, StateSet};
use crate::source::netlink::exact;
use crate::source::{route, tape};

/// Reads what is known about one address, for a client on this machine or on another.
pub(super) fn read(
    protocol: Protocol,
    destination: SocketAddr,
    from: Option<Client>,
    system: &SystemFacts,
    by: OwnersBy,
) -> Found {
    if is_local(destination, system) {
        Found::Here(here(protocol, destination, from, system, by))
    } else if route::is_unrecorded(destination) {
        Found::Unrecorded
    } else {
        Found::Away(away(protocol, destination, system, by))
    }
}

fn here(
    protocol: Protocol,
    destination: SocketAddr,
    from: Option<Client>,
    system: &SystemFacts,
    by: OwnersBy,
) -> Here {
    let port = destination.port();
    let states = StateSet::LISTENING.union(StateSet::of(State::Bound));
    let mut snapshot = snapshot::read_states(protocol, port, port, states);
    let sockets: Vec<Socket> = snapshot.existing.iter().map(|one| one.socket.clone()).collect();
    let are_all = !lacks_sockets(&snapshot.gaps);
    let reach = reach_of(protocol, destination, from, &sockets, are_all, system);
    let about = reach.socket().and_then(|at| sockets.get(at));
    let (mut owner_status, mut owners, mut user) = (OwnerStatus::NotAsked, Vec::new(), None);
    let mut creator_is_unseen = false;
    if let Some(socket) = about {
        snapshot.find_owners(by);
        let ownership = snapshot.owners.of(socket);
        let mut pids: Vec<u32> = ownership.holders.iter().map(|holder| holder.pid).collect();
        pids.dedup();
        let context = processes::read(&pids, socket.uid.as_slice());
        owner_status = ownership.status;
        owners = processes::describe(&pids, &context);
        let row = Row {
            socket,
            ownership,
            context: &context,
        };
        creator_is_unseen = row.creator_is_unseen();
        user = socket.uid.map(|uid| processes::user_name(&context, uid));
    }
    Here {
        reach,
        stopped: Stopped::among(&owners, tape::euid(), creator_is_unseen),
        owners,
        owner_status,
        unseen: snapshot.owners.unseen(),
        user,
        elsewhere: match reach {
            Reach::Refused(_) => elsewhere::owners(protocol, port, by),
            _ => Vec::new(),
        },
        other_protocol: match reach {
            Reach::Refused(Why::Nothing) => other_protocol::clause(protocol, port, by),
            _ => None,
        },
        sockets,
        gaps: snapshot.gaps,
    }
}

/// Returns what happens to a client that connects to an address of this machine, given the sockets on the port.
pub(super) fn reach_of(
    protocol: Protocol,
    destination: SocketAddr,
    from: Option<Client>,
    sockets: &[Socket],
    are_all: bool,
    system: &SystemFacts,
) -> Reach {
    let address = destination.ip();
    // The client's port does not matter. A local client connects from the same address.
    let (remote, interface) = match from {
        Some(Client::From { address, interface }) => (address, interface),
        Some(Client::Here) | None => (address, interface_of(destination, system).unwrap_or(0)),
    };
    let local = SocketAddr::new(address, destination.port());
    let picked = exact::look_up(protocol, local, SocketAddr::new(remote, 1), interface);
    let picked = picked.map(|picked| picked.filter(takes_traffic));
    let picked = match &picked {
        Ok(Some(picked)) => LookUp::Found(picked),
        Ok(None) => LookUp::Nothing,
        Err(_) => LookUp::Unanswered,
    };
    judge(sockets, are_all, picked, address)
}

fn away(protocol: Protocol, destination: SocketAddr, system: &SystemFacts, by: OwnersBy) -> Away {
    let (address, port) = (destination.ip(), destination.port());
    let source = route::source_address(destination);
    let device = source
        .and_then(|source| interface_of(source, system))
        .and_then(|index| system.interfaces.get(&index).cloned());
    let mut found = Away {
        source: source.map(|source| source.ip()),
        device,
        ..Away::default()
    };
    let dump = Dump::new(protocol, StateSet::ALL.without(StateSet::LISTENING));
    let gaps = read_tables(&[dump], &mut |sockets| {
        for socket in &*sockets {
            let Some(pair) = socket.inet() else { continue };
            if (pair.peer_address.to_canonical(), pair.peer_port) != (address.to_canonical(), port) {
                continue;
            }
            // On another link, the same link-local address is another machine.
            let is_zone = |index| pair.interface.is_none_or(|bound| bound.get() == index);
            if matches!(destination, SocketAddr::V6(v6) if v6.scope_id() != 0 && !is_zone(v6.scope_id())) {
                continue;
            }
            found.ports_used += usize::from(system.is_automatic(pair.local_port));
            if socket.state == State::SynSent {
                found.unanswered.push(socket.clone());
            }
        }
        ControlFlow::Continue(())
    });
    found.gaps = gaps;
    found.owners = processes::owners_of(inodes(&found.unanswered), by);
    found
}
