//! `reach`: would a connection arrive, and if not, why. It sends nothing, unless `--try` is given.

pub mod look;

use std::net::IpAddr;

use super::caller::Caller;
use super::why::look::{ask::addresses_of, unix as look_unix};
use super::{losses, out};
use crate::cli::{ListArgs, ReachArgs, UsageError};
use crate::diagnose::bind::unix::{printable, who};
use crate::diagnose::path::found::Found;
use crate::diagnose::path::judge::Reach;
use crate::diagnose::path::text::{self, Told};
use crate::diagnose::place::{Host, Place, PortPlace, of_families, parse};
use crate::exit::Exit;
use crate::model::{OwnerStatus, Protocol, Socket, SocketType};
use crate::source::system;

use look::{look, try_once};

/// Answers for every address of the host: exit 0 if all would be taken, 1 if one would not, 3 if one cannot be
/// told from here.
///
/// # Errors
/// If the output cannot be written.
pub fn run(args: &ReachArgs, global: &ListArgs, caller: &Caller) -> anyhow::Result<Exit> {
    match parse(&args.place) {
        Ok(Place::Unix(name)) => unix(&name, args.json, global, caller),
        Ok(Place::Port(place)) if place.port != 0 && place.host != Host::Any => {
            inet(args, &place, global, caller)
        }
        Ok(_) => usage(format!("'{}' names no host and port: HOST:PORT", args.place)),
        Err(reason) => usage(reason),
    }
}

#[allow(
    clippy::unnecessary_wraps,
    reason = "every way out of the command has this type"
)]
fn usage(reason: impl Into<String>) -> anyhow::Result<Exit> {
    out::complain(&UsageError::new(reason).to_string());
    Ok(Exit::Usage)
}

fn inet(args: &ReachArgs, place: &PortPlace, global: &ListArgs, caller: &Caller) -> anyhow::Result<Exit> {
    let udp = args.kind.udp || place.protocol == Some(Protocol::Udp);
    if udp && args.try_it {
        return usage("--try makes a TCP connection: a UDP datagram need not be answered");
    }
    let protocol = if udp { Protocol::Udp } else { Protocol::Tcp };
    let addresses: Vec<IpAddr> = match &place.host {
        Host::Address(address) => vec![*address],
        Host::Name(name) => match addresses_of(name) {
            Ok(addresses) => addresses,
            Err(reason) => return usage(reason),
        },
        Host::Any => Vec::new(),
    };
    let addresses = match of_families(addresses, args.kind.ipv4, args.kind.ipv6) {
        Ok(addresses) => addresses,
        Err(reason) => return usage(reason),
    };
    let system = system::read();
    let told: Vec<Told> = addresses
        .into_iter()
        .map(|address| Told {
            address,
            port: place.port,
            protocol,
            found: look(protocol, address, place.port, &system, global.owners.into()),
            tried: args.try_it.then(|| try_once(address, place.port)),
        })
        .collect();
    // Every address is looked at by the same means, so the first one's losses are everybody's.
    let mut gaps = told.first().map_or(&[][..], |one| one.found.gaps()).to_vec();
    let count = |status| {
        told.iter()
            .filter(|one| one.found.owner_status() == status)
            .count() as u64
    };
    gaps.extend(losses::of_unseen(
        count(OwnerStatus::Hidden),
        count(OwnerStatus::Elsewhere),
        caller,
    ));
    if !global.quiet {
        out::complain(&losses::lines(&gaps));
    }
    let json = args.json || global.json;
    let document = if json {
        text::json(&told, &system, &gaps)
    } else {
        text::render(&told, &system, caller.text_width())
    };
    out::print(document.as_bytes())?;
    Ok(told
        .iter()
        .map(exit_of)
        .max_by_key(|exit| (*exit == Exit::Failed, *exit == Exit::Incomplete))
        .unwrap_or(Exit::Done))
}

fn exit_of(told: &Told) -> Exit {
    match (&told.tried, &told.found) {
        (Some((true, _)), _) => Exit::Done,
        (None, Found::Here(here)) if matches!(here.reach, Reach::Accepted(_)) => Exit::Done,
        (None, Found::Away(away)) if away.source.is_some() => Exit::Incomplete,
        _ => Exit::Failed,
    }
}

/// A unix socket: a listener that has room, and whose file we may write to.
fn unix(name: &[u8], json: bool, global: &ListArgs, caller: &Caller) -> anyhow::Result<Exit> {
    let (json, quiet) = (json || global.json, global.quiet);
    let (snapshot, _, sockets) = look_unix::with_owners(name, global.owners.into());
    let listener = sockets
        .iter()
        .find(|(socket, _)| socket.is_listener() || socket.kind == Some(SocketType::Dgram));
    let shown = printable(name);
    let (verdict, sentence) = match listener {
        None if name.first() == Some(&0) || look_unix::is_socket_file(name) => {
            ("refused", format!("No: refused. Nobody listens on {shown}."))
        }
        None => ("missing", format!("No: there is no socket {shown} (ENOENT).")),
        Some(_) if !look_unix::may_connect(name) => {
            ("forbidden", format!("No: you may not write to {shown} (EACCES)."))
        }
        Some((socket, _)) if socket.accept_queue_is_full() => (
            "queue-full",
            format!("No: the accept queue of {shown} is full ({}).", queue(socket)),
        ),
        Some((_, holders)) => (
            "accepted",
            format!("Yes: {} takes connections on {shown}.", who(holders)),
        ),
    };
    let is = |status| u64::from(listener.is_some_and(|(_, holders)| holders.status == status));
    let mut gaps = snapshot.gaps;
    gaps.extend(losses::of_unseen(
        is(OwnerStatus::Hidden),
        is(OwnerStatus::Elsewhere),
        caller,
    ));
    if !quiet {
        out::complain(&losses::lines(&gaps));
    }
    let text = if json {
        text::unix_json(name, verdict, &sentence, &gaps)
    } else {
        format!("{sentence}\n")
    };
    out::print(text.as_bytes())?;
    Ok(if verdict == "accepted" {
        Exit::Done
    } else {
        Exit::Failed
    })
}

fn queue(socket: &Socket) -> String {
    match (socket.accept_q(), socket.backlog()) {
        (Some(waiting), Some(limit)) => format!("{waiting} wait, the limit is {limit}"),
        _ => "its length is not known".to_owned(),
    }
}
