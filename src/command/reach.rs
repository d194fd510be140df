//! `reach`: whether a connection would arrive, and if not, why. It sends nothing, unless `--try` is given.

mod address;
mod queues;
mod steps;
mod way;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::caller::Caller;
use super::read::network::{Predictor, facts};
use super::why::sockets_of;
use super::{losses, out};
use crate::cli::ReachArgs;
use crate::diagnose::path::client::{self, Arrival};
use crate::diagnose::path::found::{Answer, Found, destination, is_local};
use crate::diagnose::path::name::Lookup;
use crate::diagnose::path::special::{Special, Zone};
use crate::diagnose::path::unix::{UnixName, UnixReach, judge};
use crate::diagnose::path::{json, text};
use crate::diagnose::place::{Host, Place, PortPlace, of_families};
use crate::diagnose::typed_place::{NameAlone, TypedPlace, parse_all};
use crate::exit::Exit;
use crate::model::ownership::Unseen;
use crate::model::packet_filter::{PacketFilter, Reading};
use crate::model::system::SystemFacts;
use crate::model::{Gap, Protocol};
use crate::plan::Common;
use crate::source::{disk, hosts, network, packet_filter, pressure, system, trial_connect, unix_paths};

/// Answers for a client that tries each address of the host in turn. Exits with 0 if it connects, 1 if it does not, 3
/// if this cannot be determined from here.
///
/// # Errors
/// If the output cannot be written.
pub fn run(args: &ReachArgs, global: Common, caller: &Caller) -> anyhow::Result<Exit> {
    let typed = match typed(args) {
        Ok(typed) => typed,
        Err(reason) => return out::usage(reason),
    };
    match typed.place {
        Place::Unix(name) => unix(name, args.json, global, caller),
        Place::Port(place) if place.port != 0 => inet(args, &place, global, caller),
        _ if typed.text == "-" => out::usage(
            "invalid destination '-': expected HOST:PORT; 'sockstat why -' explains what a program printed",
        ),
        _ => out::usage(format!(
            "invalid destination '{}': expected HOST:PORT",
            typed.text
        )),
    }
}

/// Combines the typed words into one place.
fn typed(args: &ReachArgs) -> Result<TypedPlace, String> {
    let port = args
        .port
        .as_ref()
        .map(|port| format!(":{}", port.trim_start_matches(':')));
    let words: Vec<String> = args.place.iter().cloned().chain(port).collect();
    let mut places = parse_all(&words, NameAlone::Host, &hosts::port_of)?.into_iter();
    match (places.next(), places.next()) {
        (Some(typed), None) => Ok(typed),
        (Some(typed), Some(_)) if args.port.is_some() => {
            Err(format!("'{}' already names a port", typed.text))
        }
        (_, Some(surplus)) => Err(format!(
            "unexpected word '{}': one destination at a time",
            surplus.text
        )),
        (None, _) => Err("missing destination: expected HOST:PORT".to_owned()),
    }
}

fn inet(args: &ReachArgs, place: &PortPlace, global: Common, caller: &Caller) -> anyhow::Result<Exit> {
    let udp = args.kind.udp || place.protocol == Some(Protocol::Udp);
    if udp && args.try_it {
        return out::usage("--try works only with TCP: a UDP datagram need not be answered");
    }
    let protocol = if udp { Protocol::Udp } else { Protocol::Tcp };
    let counters = pressure::read();
    let system = system::read();
    let addresses = match addresses(&place.host, args, &system) {
        Ok(addresses) => addresses,
        Err(reason) => return out::usage(reason),
    };
    let reading = packet_filter::read();
    let none = PacketFilter::default();
    let (filter, unread) = match &reading {
        Reading::Examined(filter) => (filter, None),
        Reading::NotExamined(unread) => (&none, Some(*unread)),
    };
    let mut predictor = Predictor::new(filter, facts(&system));
    let from = match args
        .from
        .as_ref()
        .map(|from| way::client(from, &predictor))
        .transpose()
    {
        Ok(from) => from,
        Err(reason) => return out::usage(reason),
    };
    let circumstances = way::Circumstances {
        unread,
        system: &system,
        by: global.owners_by,
        neighbours: network::neighbours().unwrap_or_default(),
    };
    let zone = place.scope.as_ref().map(|name| Zone {
        name: name.as_str().into(),
        index: system.interface_index(name),
    });
    if zone.is_some() && addresses.iter().any(IpAddr::is_ipv4) {
        return out::usage("only an IPv6 address takes an interface");
    }
    let may_try = args.try_it && zone.as_ref().is_none_or(|zone| zone.index.is_some());
    let mut answers: Vec<Answer> = addresses
        .into_iter()
        .map(|address| {
            let destination = destination(address, place.port, zone.as_ref());
            Answer {
                address,
                zone: zone.clone(),
                port: place.port,
                protocol,
                found: match Special::of(address, zone.as_ref(), &system) {
                    Some(special) => Found::Special(special),
                    None => address::read(protocol, destination, from, &system, global.owners_by),
                },
                way: None,
                tried: may_try
                    .then(|| trial_connect::connect_once(destination))
                    .flatten(),
            }
        })
        .collect();
    for answer in &mut answers {
        answer.way = way::read(&mut predictor, &circumstances, answer, from);
    }
    let more = queues::More {
        lookup: lookup(&place.host, &answers),
        counters,
        watches: args.steps || args.try_it,
    };
    more.add(&mut answers, &system);
    // Every address is read in the same way, so the gaps of the first are those of all.
    let mut gaps = answers.first().map_or(&[][..], |one| one.found.gaps()).to_vec();
    if may_try && answers.iter().any(|one| one.tried.is_none()) {
        gaps.push(Gap::loss("not-recorded", "the recording has no trial connection"));
    }
    let statuses = answers.iter().map(|one| one.found.owner_status());
    let unseen = answers.iter().map(|one| one.found.unseen());
    let unseen = unseen.max_by_key(Unseen::is_any).unwrap_or_default();
    gaps.extend(losses::of_sockets(statuses, unseen, caller));
    if !global.quiet {
        out::complain(&losses::lines(&gaps));
    }
    let host = match &place.host {
        Host::Any => None,
        Host::Name(name) => Some(name.clone()),
        Host::Address(address) => Some(address.to_string()),
    };
    if args.json || global.json {
        out::print(&json::render(&answers, host.as_deref(), &system, &gaps))?;
    } else {
        let width = caller.text_width();
        out::print(text::render(&answers, host.as_deref(), &system, args.steps, width).as_bytes())?;
    }
    Ok(match client::at_any(&answers) {
        Arrival::Yes => Exit::Done,
        Arrival::No => Exit::Failed,
        Arrival::Unknown => Exit::Incomplete,
    })
}

/// What is known about the name that was typed.
fn lookup(host: &Host, answers: &[Answer]) -> Option<Lookup> {
    let Host::Name(name) = host else { return None };
    Some(Lookup {
        name: name.clone(),
        addresses: answers.iter().map(|answer| answer.address).collect(),
        hosts: disk::read_to_string("/etc/hosts").ok(),
        nsswitch: disk::read_to_string("/etc/nsswitch.conf").ok(),
    })
}

fn addresses(host: &Host, args: &ReachArgs, system: &SystemFacts) -> Result<Vec<IpAddr>, String> {
    let addresses = match host {
        // The kernel connects to loopback if the address is unspecified.
        Host::Address(address) if address.to_canonical() == IpAddr::V4(Ipv4Addr::UNSPECIFIED) => {
            vec![Ipv4Addr::LOCALHOST.into()]
        }
        Host::Address(IpAddr::V6(address)) if address.is_unspecified() => vec![Ipv6Addr::LOCALHOST.into()],
        Host::Address(address) => vec![*address],
        Host::Name(name) => hosts::addresses_of(name)?,
        // This machine, as local clients reach it.
        Host::Any => {
            let mut own = vec![IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
            let is_own = |address: &IpAddr| is_local(SocketAddr::new(*address, 0), system);
            let has_one = own.iter().any(is_own);
            own.retain(|address| !has_one || is_own(address));
            own
        }
    };
    of_families(addresses, args.kind.ipv4, args.kind.ipv6)
}

/// Answers for a unix socket, which needs a listener with room in its queue and a file that this process may write to.
fn unix(name: Vec<u8>, json: bool, global: Common, caller: &Caller) -> anyhow::Result<Exit> {
    let (snapshot, _, sockets) = sockets_of(&name, global.owners_by);
    let facts = UnixName {
        is_socket_file: unix_paths::is_socket_file(&name),
        may_connect: unix_paths::may_connect(&name),
        is_bound: sockets.is_empty().then(|| unix_paths::is_bound(&name)).flatten(),
        sockets,
        name,
    };
    let answer = judge(&facts);
    let holders = answer.socket.and_then(|at| facts.sockets.get(at));
    let status = holders.map(|(_, holders)| holders.status);
    let unseen = snapshot.owners.unseen();
    let mut gaps = snapshot.gaps;
    gaps.extend(losses::of_sockets(status, unseen, caller));
    if !global.quiet {
        out::complain(&losses::lines(&gaps));
    }
    if json || global.json {
        out::print(&json::render_unix(&facts.name, &answer, &gaps))?;
    } else {
        out::print(format!("{}\n", answer.sentence).as_bytes())?;
    }
    Ok(match answer.verdict {
        UnixReach::Accepted => Exit::Done,
        UnixReach::Unseen => Exit::Incomplete,
        _ => Exit::Failed,
    })
}
