//! The findings about addresses, as text.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

use super::client::{self, Arrival};
use super::found::{Answer, Away, Found, Here, destination, interface_of};
use super::judge::{PathVerdict, Reach, Why, cover, takes_traffic};
use super::special::Zone;
use super::stall::{arrives_as, stall};
use super::way::Way;
use super::way_text;
use crate::diagnose::bind::cover::Cover;
use crate::diagnose::bind::holders::Holders;
use crate::diagnose::bind::owner::Owner;
use crate::model::Name;
use crate::model::system::{SystemFacts, V6Address};
use crate::model::{Protocol, Socket};
use crate::render::page::Page;

/// Renders the text, ending in a newline: the answer, and the addresses if they differ. `host` is what was typed,
/// `None` for this machine; `width` is that of the terminal, if there is one.
pub fn render(
    answers: &[Answer],
    host: Option<&str>,
    system: &SystemFacts,
    all_steps: bool,
    width: Option<usize>,
) -> String {
    let mut page = Page::new(width, 15);
    let headline = headline(answers, host, system);
    page.prose(&headline);
    page.gap();
    match answers {
        [one] => tell_more(&mut page, one, system),
        _ if answers.iter().all(|one| of_one(one, system) == headline) => {
            let places: Vec<_> = answers.iter().map(Answer::place).collect();
            page.row("at", &places.join("  "));
        }
        _ => {
            for one in answers {
                page.item(&format!("{}: {}", one.place(), of_one(one, system)));
                tell_more(&mut page, one, system);
            }
        }
    }
    if client::at_any(answers) != Arrival::Yes {
        tell_fixes(&mut page, answers, system);
    }
    page.gap();
    for one in answers {
        let Some(way) = &one.way else { continue };
        if answers.len() > 1 && (way.culprit.is_some() || all_steps) {
            page.item(&one.place());
        }
        way_text::tell(&mut page, one, way, all_steps);
    }
    let not_examined = answers.iter().find_map(|one| one.way.as_ref()?.not_examined);
    if let Some(why) = not_examined {
        let untried = answers
            .iter()
            .all(|one| one.tried.is_none() && one.protocol == Protocol::Tcp);
        let trial = if untried {
            "; --try makes one connection"
        } else {
            ""
        };
        page.prose(&format!("(packet filters not examined: {why}{trial})"));
    }
    let mut text = page.finish();
    while text.ends_with("\n\n") {
        text.pop();
    }
    text
}

/// Writes what the first line leaves out: a trial connection and its prediction, and stopped holders.
fn tell_more(page: &mut Page, answer: &Answer, system: &SystemFacts) {
    if let Found::Here(here) = &answer.found
        && let Some(some) = here.stopped.as_ref().filter(|stopped| !stopped.are_all())
    {
        page.row("stopped", &some.for_clients());
    }
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

/// The answer in one line. `host` is what was typed, `None` for this machine.
pub fn headline(answers: &[Answer], host: Option<&str>, system: &SystemFacts) -> String {
    let Some(first) = answers.first() else {
        return format!("No: {} has no address.", host.unwrap_or("this machine"));
    };
    let of_first = of_one(first, system);
    if answers.iter().all(|one| of_one(one, system) == of_first) {
        return of_first;
    }
    let host = host.unwrap_or("this machine");
    let port = first.port;
    let is_udp = first.protocol == Protocol::Udp;
    let what = if is_udp { "datagrams" } else { "connections" };
    match client::at_any(answers) {
        Arrival::Unknown => {
            format!("Cannot tell from here whether {host} accepts {what} on port {port}.")
        }
        Arrival::No => format!("No: no address of {host} accepts {what} on port {port}."),
        Arrival::Yes => {
            let arrives = |one: &&Answer| client::at(one) == Arrival::Yes;
            let before: Vec<_> = answers.iter().take_while(|one| !arrives(one)).collect();
            let Some(taking) = answers.get(before.len()) else {
                return of_first;
            };
            let place = taking.place();
            if let Some(stall) = stall(taking) {
                return format!("Yes, at {place}, {}, but {stall}.", arrives_as(taking));
            }
            if answers.iter().all(|one| arrives(&one)) {
                format!("Yes: every address of {host} accepts {what} on port {port}.")
            } else if is_udp {
                format!("Yes, at {place}: a client that uses another address of {host} gets no answer.")
            } else if before.iter().any(|one| hangs(one)) {
                format!("Yes, at {place}: a client tries {host}'s other addresses first, and waits there.")
            } else {
                format!("Yes, at {place}: a client that tries each address of {host} in turn connects.")
            }
        }
    }
}

/// The answer for one address in one line: the result of the trial if it differs from the prediction.
fn of_one(answer: &Answer, system: &SystemFacts) -> String {
    match &answer.tried {
        Some((made, meaning)) if !client::is_as_predicted(answer) => {
            let word = if *made { "Yes" } else { "No" };
            match stall(answer).filter(|_| *made) {
                Some(stall) => format!("{word}: {meaning} (tried), but {stall}."),
                None => format!("{word}: {meaning} (tried)."),
            }
        }
        _ => sentence(answer, system),
    }
}

/// Whether a connection to the address is known to get no answer rather than a refusal.
fn hangs(answer: &Answer) -> bool {
    answer.way.as_ref().is_some_and(Way::times_out)
        || matches!(
            answer.found.verdict(),
            PathVerdict::Local(Reach::QueueFull(_)) | PathVerdict::AnotherMachine
        )
}

/// One line about one address.
pub(super) fn sentence(answer: &Answer, system: &SystemFacts) -> String {
    if let Some(text) = answer
        .way
        .as_ref()
        .and_then(|way| way_text::sentence(answer, way))
    {
        return match &answer.found {
            // Observed connections to it still count.
            Found::Away(away) if away.source.is_some() => {
                let seen = of_away(answer, away, system);
                let (_, seen) = seen.split_once("another machine. ").unwrap_or_default();
                format!("{text} {seen}")
            }
            _ => text,
        };
    }
    match &answer.found {
        Found::Here(here) => {
            let said = of_here(answer, here, system);
            let doubt = answer.way.as_ref().and_then(way_text::doubt);
            match (said.strip_prefix("Yes: "), doubt) {
                (Some(accepts), Some(doubt)) => {
                    let accepts = accepts.trim_end_matches('.');
                    let stall = stall(answer).map_or_else(String::new, |stall| format!("; besides, {stall}"));
                    format!("Cannot tell: {accepts}, but {doubt}{stall}.")
                }
                (Some(_), None) => match stall(answer) {
                    Some(stall) => format!("Yes, {}, but {stall}.", arrives_as(answer)),
                    None => said,
                },
                (None, _) => said,
            }
        }
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
            format!("Yes: {who} receives datagrams there (bound to {place}).")
        }
        Reach::Accepted(_) if matches!(answer.tried, Some((true, _))) && client::is_as_predicted(answer) => {
            format!("Yes: {who} accepted the connection (listens on {place}).")
        }
        Reach::Accepted(_) => format!("Yes: {who} would accept the connection (listens on {place})."),
        Reach::QueueFull(_) => {
            let (waiting, limit) = at.map_or((0, 0), |at| {
                (at.accept_q().unwrap_or(0), at.backlog().unwrap_or(0))
            });
            format!(
                "No: it would hang. {who} listens on {place}, but does not accept: {waiting} waiting, the limit is {limit}{}.",
                stall(answer).map_or_else(String::new, |stall| format!("; {stall}"))
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
                    None => {
                        let other = here.other_protocol.as_ref();
                        let other = other.map_or_else(String::new, |other| format!("; {other}"));
                        format!("Nothing listens on port {port}{other}")
                    }
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
                    format!("{who} listens on {place}, but only for what arrives on {name}")
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
            " {count} unanswered (SYN-SENT){of}, retried {retries} {times}: dropped on the way."
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
        [] => "a process that you may not inspect".to_owned(),
        [one] => one.title(),
        [one, rest @ ..] => format!("{} +{}", one.title(), rest.len()),
    }
}

fn link_name(index: u32, system: &SystemFacts) -> Name {
    let name = system.interfaces.get(&index).cloned();
    name.unwrap_or_else(|| index.to_string().into())
}

/// The places where something receives traffic on that port, except those that the answer has just ruled out.
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
        way: None,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::path::client::{at_any, is_as_predicted};
    use crate::model::OwnerStatus;
    use crate::model::ownership::Unseen;

    fn system() -> SystemFacts {
        crate::diagnose::bind::samples::system()
    }

    fn here(address: &str, reach: Reach) -> Answer {
        let found = Found::Here(Here {
            reach,
            sockets: Vec::new(),
            owners: Vec::new(),
            stopped: None,
            unseen: Unseen::default(),
            owner_status: OwnerStatus::Kernel,
            user: None,
            elsewhere: Vec::new(),
            other_protocol: None,
            gaps: Vec::new(),
        });
        Answer {
            address: address.parse().unwrap(),
            zone: None,
            port: 80,
            protocol: Protocol::Tcp,
            found,
            way: None,
            tried: None,
        }
    }

    fn away(address: &str) -> Answer {
        let source = Some("10.0.0.5".parse().unwrap());
        Answer {
            found: Found::Away(Away {
                source,
                ..Away::default()
            }),
            ..here(address, Reach::Refused(Why::Nothing))
        }
    }

    fn tried(answer: Answer, made: bool) -> Answer {
        let meaning = if made {
            "a connection was accepted"
        } else {
            "refused"
        };
        Answer {
            tried: Some((made, meaning.to_owned())),
            ..answer
        }
    }

    fn said(answers: &[Answer]) -> String {
        headline(answers, Some("db"), &system())
    }

    #[test]
    fn one_address_that_accepts_is_enough() {
        let (refuses, takes) = (
            here("::1", Reach::Refused(Why::OtherFamily(0))),
            here("127.0.0.1", Reach::Accepted(0)),
        );
        let both = [refuses.clone(), takes.clone()];
        assert_eq!(at_any(&both), Arrival::Yes);
        assert_eq!(
            said(&both),
            "Yes, at 127.0.0.1:80: a client that tries each address of db in turn connects."
        );
        let hanging = [here("::1", Reach::QueueFull(0)), takes.clone()];
        assert_eq!(at_any(&hanging), Arrival::Yes);
        assert!(said(&hanging).contains("waits there"));
        assert_eq!(at_any(std::slice::from_ref(&refuses)), Arrival::No);
        assert_eq!(at_any(&[refuses.clone(), away("10.9.9.9")]), Arrival::Unknown);
        assert_eq!(at_any(&[away("10.9.9.9"), takes]), Arrival::Yes);
    }

    #[test]
    fn addresses_that_are_alike_share_one_sentence() {
        let nothing = |address| here(address, Reach::Refused(Why::Nothing));
        assert_eq!(
            said(&[nothing("::1"), nothing("127.0.0.1")]),
            "No: refused. Nothing listens on port 80."
        );
        let other = here("127.0.0.1", Reach::Refused(Why::OtherFamily(0)));
        assert_eq!(
            said(&[nothing("::1"), other]),
            "No: no address of db accepts connections on port 80."
        );
    }

    #[test]
    fn the_trial_decides() {
        let made = tried(away("10.9.9.9"), true);
        assert_eq!(at_any(std::slice::from_ref(&made)), Arrival::Yes);
        assert_eq!(said(&[made]), "Yes: a connection was accepted (tried).");
        let refused = tried(here("127.0.0.1", Reach::Accepted(0)), false);
        assert_eq!(at_any(std::slice::from_ref(&refused)), Arrival::No);
        assert_eq!(said(&[refused]), "No: refused (tried).");
        let agrees = tried(here("127.0.0.1", Reach::Accepted(0)), true);
        assert!(is_as_predicted(&agrees) && said(&[agrees]).starts_with("Yes: The kernel itself"));
    }
}
