//! What was found out about addresses, as text.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

use super::client::{self, Arrival};
use super::found::{Answer, Away, Found, Here, Zone, destination, interface_of};
use super::judge::{Reach, Why, cover, takes_traffic};
use crate::diagnose::bind::cover::Cover;
use crate::diagnose::bind::holders::Holders;
use crate::diagnose::bind::owner::Owner;
use crate::model::system::{SystemFacts, V6Address};
use crate::model::{Protocol, Socket};
use crate::render::name::Name;
use crate::render::page::Page;

/// Writes the text, ending in a newline: the answer, and the addresses if they differ. `host` is what was typed, `None`
/// for this machine; `width` is that of the terminal, if it goes to one.
pub fn render(answers: &[Answer], host: Option<&str>, system: &SystemFacts, width: Option<usize>) -> String {
    let mut page = Page::new(width, 15);
    let headline = client::headline(answers, host, system);
    page.prose(&headline);
    page.gap();
    match answers {
        [one] => tell_trial(&mut page, one, system),
        _ if answers.iter().all(|one| client::of_one(one, system) == headline) => {
            let places: Vec<_> = answers.iter().map(Answer::place).collect();
            page.row("at", &places.join("  "));
        }
        _ => {
            for one in answers {
                page.item(&format!("{}: {}", one.place(), client::of_one(one, system)));
                tell_trial(&mut page, one, system);
            }
        }
    }
    if client::at_any(answers) != Arrival::Yes {
        tell_fixes(&mut page, answers, system);
    }
    page.prose("(packet filters not examined: nft list ruleset)");
    page.finish()
}

/// What the headline leaves out of a trial connection and of what was expected of it.
fn tell_trial(page: &mut Page, answer: &Answer, system: &SystemFacts) {
    match &answer.tried {
        None => {}
        Some((_, meaning)) if client::is_as_predicted(answer) => page.row("tried", meaning),
        Some(_) => page.row("expected", &sentence(answer, system)),
    }
}

fn tell_fixes(page: &mut Page, answers: &[Answer], system: &SystemFacts) {
    let refused = |one: &'_ &Answer| match &one.found {
        Found::Here(here) => !matches!(here.reach, Reach::Accepted(_)),
        Found::Away(_) | Found::Special(_) | Found::Unrecorded => false,
    };
    let Some((one, Found::Here(here))) = answers.iter().find(refused).map(|one| (one, &one.found)) else {
        return;
    };
    let places = reachable_at(here, one.port, answers, system);
    page.gap();
    if !places.is_empty() {
        page.row("reachable at", &places.join("  "));
    }
    if let Reach::Refused(Why::OnlyLoopback(_)) = here.reach {
        page.row("to fix", "have it bind 0.0.0.0 or [::]");
    }
}

/// One line about one address.
pub(super) fn sentence(answer: &Answer, system: &SystemFacts) -> String {
    match &answer.found {
        Found::Here(here) => of_here(answer, here, system),
        Found::Away(away) => of_away(answer, away, system),
        Found::Special(special) => {
            special.sentence(answer.address, answer.zone.as_ref(), answer.port, answer.protocol)
        }
        Found::Unrecorded => format!("Cannot tell: the recording has no route to {}.", answer.address),
    }
}

fn of_here(answer: &Answer, here: &Here, system: &SystemFacts) -> String {
    let who = Holders {
        status: here.owner_status,
        owners: here.owners.clone(),
        user: here.user.clone(),
        ..Holders::default()
    }
    .subject();
    let port = answer.port;
    let at = here.reach.socket().and_then(|at| here.sockets.get(at));
    let place = at.and_then(Socket::inet).map_or_else(String::new, |pair| {
        SocketAddr::new(pair.local_address, pair.local_port).to_string()
    });
    match here.reach {
        Reach::Accepted(_) if answer.protocol == Protocol::Udp => {
            format!("Yes: {who} takes datagrams there (bound to {place}).")
        }
        Reach::Accepted(_) => format!("Yes: {who} would accept it (listens on {place})."),
        Reach::QueueFull(_) => {
            let (waiting, limit) = at.map_or((0, 0), |at| {
                (at.accept_q().unwrap_or(0), at.backlog().unwrap_or(0))
            });
            format!(
                "No: it would hang. {who} listens on {place}, but does not accept: {waiting} wait, the limit is {limit}."
            )
        }
        Reach::Unknown => format!("Cannot tell: the sockets on port {port} could not be read."),
        Reach::Refused(why) => {
            let reason = match why {
                Why::Nothing => match here.elsewhere.first() {
                    Some(other) => format!(
                        "Nothing listens on port {port} here; {} does in another network namespace",
                        owner(std::slice::from_ref(other))
                    ),
                    None => format!("Nothing listens on port {port}"),
                },
                Why::NotListening(_) => format!("{who} has bound {place} and does not listen"),
                Why::OnlyLoopback(_) => {
                    format!("{who} listens on {place} only; from elsewhere nothing answers on that port")
                }
                Why::OtherFamily(_) => {
                    format!("{who} listens on {place} only, which is the other address family")
                }
                Why::V6only(_) => format!("{who} listens on {place} with IPV6_V6ONLY, which keeps IPv4 out"),
                Why::OtherAddress(_) => format!("{who} listens on {place} only"),
                Why::OtherDevice(_) => {
                    let device = at.and_then(Socket::inet).and_then(|pair| pair.interface);
                    let name = device.map_or_else(Name::default, |device| link_name(device.get(), system));
                    format!("{who} listens on {place}, but only for what comes in by {name}")
                }
            };
            let refused = if answer.protocol == Protocol::Udp {
                "not taken"
            } else {
                "refused"
            };
            format!("No: {refused}. {reason}.")
        }
    }
}

fn of_away(answer: &Answer, away: &Away, system: &SystemFacts) -> String {
    let Some(source) = away.source else {
        return format!("No: there is no route to {}.", answer.address);
    };
    let device = away
        .device
        .as_ref()
        .map_or_else(String::new, |name| format!(" ({name})"));
    let mut text = format!(
        "Cannot tell from here: {} is another machine. Packets leave from {source}{device}.",
        answer.address
    );
    let own = |local: &&V6Address| IpAddr::V6(local.address) == answer.address;
    if let (Some(zone), Some(local)) = (&answer.zone, system.local_v6.iter().find(own)) {
        let name = link_name(local.interface, system);
        let _ = write!(
            text,
            " This machine has that address on {name}, not on {}.",
            zone.name
        );
    }
    if let Some(first) = away.unanswered.first() {
        let retries = first.timer.map_or(0, |timer| timer.retransmits);
        let count = away.unanswered.len();
        let of = match away.owners.as_slice() {
            [] => String::new(),
            owners => format!(" of {}", owner(owners)),
        };
        let times = if retries == 1 { "time" } else { "times" };
        let _ = write!(
            text,
            " {count} unanswered (SYN-SENT){of}, tried again {retries} {times}: dropped on the way."
        );
    }
    if answer.protocol == Protocol::Tcp {
        let range = system.local_port_range.clone();
        let _ = write!(
            text,
            " {} of {} local ports are in use towards it.",
            away.ports_used,
            range.count()
        );
    }
    if answer.tried.is_none() && answer.protocol == Protocol::Tcp {
        text.push_str(" --try makes one connection.");
    }
    text
}

fn owner(owners: &[Owner]) -> String {
    match owners {
        [] => "a process that you may not look into".to_owned(),
        [one] => one.title(),
        [one, rest @ ..] => format!("{} +{}", one.title(), rest.len()),
    }
}

fn link_name(index: u32, system: &SystemFacts) -> Name {
    let name = system.interfaces.get(&index).cloned();
    name.unwrap_or_else(|| index.to_string()).into()
}

/// The places where something takes traffic on that port, without those that were just said not to.
pub(super) fn reachable_at(here: &Here, port: u16, answers: &[Answer], system: &SystemFacts) -> Vec<String> {
    let v4 = system.local_v4.iter().filter(|network| network.prefix == 32);
    let v4 = v4
        .filter(|network| !system.is_broadcast(network.address))
        .map(|network| (IpAddr::V4(network.address), None));
    let v6 = system
        .local_v6
        .iter()
        .filter(|local| !local.tentative)
        .map(|local| (IpAddr::V6(local.address), Some(local.interface)));
    let own = v4.chain(v6).map(|(address, interface)| Answer {
        address,
        zone: interface
            .filter(|_| matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local()))
            .map(|index| Zone {
                name: link_name(index, system),
                index: Some(index),
            }),
        port,
        protocol: Protocol::Tcp,
        found: Found::Unrecorded,
        tried: None,
    });
    let waits = |place: &Answer| {
        let wanted = Cover::of(place.address, true);
        let interface = interface_of(destination(place.address, port, place.zone.as_ref()), system);
        here.sockets
            .iter()
            .filter(|socket| takes_traffic(socket) && !socket.accept_queue_is_full())
            .filter(|socket| {
                let bound_to = socket.inet().and_then(|pair| pair.interface);
                bound_to.is_none_or(|bound_to| Some(bound_to.get()) == interface)
            })
            .any(|socket| cover(socket).is_some_and(|cover| cover.overlaps(wanted)))
    };
    let is_refused = |place: &Answer| {
        answers.iter().any(|one| {
            (one.address, one.zone.as_ref().and_then(|zone| zone.index))
                == (place.address, place.zone.as_ref().and_then(|zone| zone.index))
                && client::at(one) != Arrival::Yes
        })
    };
    let mut places: Vec<_> = own
        .filter(|place| !is_refused(place) && waits(place))
        .map(|place| place.place())
        .collect();
    places.dedup();
    places
}
