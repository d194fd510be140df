//! What `reach` found, for people and for programs.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

use super::found::{Away, Found, Here};
use super::judge::{Reach, Why, cover, takes_traffic};
use crate::diagnose::bind::cover::Cover;
use crate::diagnose::bind::owner::Owner;
use crate::model::system::SystemFacts;
use crate::model::{Gap, OwnerStatus, Protocol, Socket};
use crate::render::escape;
use crate::render::json::{push_gap, push_string};
use crate::render::page::Page;

/// The version of the document's shape. Within it keys are only ever added.
const SCHEMA: &str = "sockstat-reach/1";

/// One address, and what was found.
#[derive(Clone, Debug)]
pub struct Told {
    /// The address.
    pub address: IpAddr,
    /// The port.
    pub port: u16,
    /// TCP or UDP.
    pub protocol: Protocol,
    /// What was found.
    pub found: Found,
    /// With `--try`: whether a connection was made, and what that means.
    pub tried: Option<(bool, String)>,
}

/// The text for people, ending in a newline.
pub fn render(told: &[Told], system: &SystemFacts, width: Option<usize>) -> String {
    let mut page = Page::new(width, 15);
    for one in told {
        let place = SocketAddr::new(one.address, one.port);
        let sentence = sentence(one, system);
        page.prose(&if told.len() > 1 {
            format!("{place}: {sentence}")
        } else {
            sentence
        });
        if let Some((_, meaning)) = &one.tried {
            page.row("tried", meaning);
        }
    }
    let here = told.iter().filter_map(|one| match &one.found {
        Found::Here(here) if !matches!(here.reach, Reach::Accepted(_)) => Some((here, one.port)),
        _ => None,
    });
    if let Some((here, port)) = here.into_iter().next() {
        let places = reachable_at(here, port, system);
        page.gap();
        if !places.is_empty() {
            page.row("reachable at", &places.join("  "));
        }
        if let Reach::Refused(Why::OnlyLoopback(_)) = here.reach {
            page.row("to fix", "have it bind 0.0.0.0 or [::]");
        }
    }
    page.prose("(packet filters not examined: nft list ruleset)");
    page.finish()
}

/// One line about one address.
fn sentence(told: &Told, system: &SystemFacts) -> String {
    match &told.found {
        Found::Here(here) => of_here(told, here, system),
        Found::Away(away) => of_away(told, away, system),
    }
}

fn of_here(told: &Told, here: &Here, system: &SystemFacts) -> String {
    let who = match (here.owner_status, &here.user) {
        (OwnerStatus::Kernel, _) => "The kernel itself".to_owned(),
        (OwnerStatus::Hidden, Some(user)) => format!("A process of user {user}"),
        _ => owner(&here.owners),
    };
    let port = told.port;
    let at = here.reach.socket().and_then(|at| here.sockets.get(at));
    let place = at.and_then(Socket::inet).map_or_else(String::new, |pair| {
        SocketAddr::new(pair.local_address, pair.local_port).to_string()
    });
    match here.reach {
        Reach::Accepted(_) if told.protocol == Protocol::Udp => {
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
                    let name = device.map_or_else(String::new, |device| {
                        system
                            .interfaces
                            .get(&device.get())
                            .cloned()
                            .unwrap_or_else(|| device.to_string())
                    });
                    format!("{who} listens on {place}, but only for what comes in by {name}")
                }
            };
            let refused = if told.protocol == Protocol::Udp {
                "not taken"
            } else {
                "refused"
            };
            format!("No: {refused}. {reason}.")
        }
    }
}

fn of_away(told: &Told, away: &Away, system: &SystemFacts) -> String {
    let Some(source) = away.source else {
        return format!("No: there is no route to {}.", told.address);
    };
    let device = away
        .device
        .as_deref()
        .map_or_else(String::new, |name| format!(" ({name})"));
    let mut text = format!(
        "Cannot tell from here: {} is another machine. Packets leave from {source}{device}.",
        told.address
    );
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
    if told.protocol == Protocol::Tcp {
        let range = system.local_port_range.clone();
        let _ = write!(
            text,
            " {} of {} local ports are in use towards it.",
            away.ports_used,
            range.count()
        );
    }
    if told.tried.is_none() && told.protocol == Protocol::Tcp {
        text.push_str(" --try makes one connection.");
    }
    text
}

fn owner(owners: &[Owner]) -> String {
    match owners {
        [] => "a process that you may not look into".to_owned(),
        [one] => format!("{} {}", escape::text(&one.program), one.pid),
        [one, rest @ ..] => format!("{} {} +{}", escape::text(&one.program), one.pid, rest.len()),
    }
}

/// The places where something waits on that port.
fn reachable_at(here: &Here, port: u16, system: &SystemFacts) -> Vec<String> {
    let mut own: Vec<IpAddr> = system
        .local_v4
        .iter()
        .filter(|network| {
            network.prefix == 32
                && system
                    .v4_links
                    .iter()
                    .all(|(link, _)| !link.is_broadcast(network.address))
        })
        .map(|network| IpAddr::V4(network.address))
        .filter(|address| *address != IpAddr::V4(std::net::Ipv4Addr::new(127, 255, 255, 255)))
        .collect();
    own.extend(system.local_v6.iter().map(|local| IpAddr::V6(local.address)));
    let waits = |address: &IpAddr| {
        let wanted = Cover::of(*address, true);
        here.sockets
            .iter()
            .any(|socket| takes_traffic(socket) && cover(socket).is_some_and(|cover| cover.overlaps(wanted)))
    };
    let mut places: Vec<_> = own
        .into_iter()
        .filter(waits)
        .map(|address| SocketAddr::new(address, port).to_string())
        .collect();
    places.dedup();
    places
}

/// The document for programs.
pub fn json(told: &[Told], system: &SystemFacts, gaps: &[Gap]) -> String {
    let mut out = head(gaps);
    for (index, one) in told.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        let (verdict, reachable) = match &one.found {
            Found::Here(here) => (here.reach.name(), reachable_at(here, one.port, system)),
            Found::Away(away) if away.source.is_none() => ("no-route", Vec::new()),
            Found::Away(_) => ("another-machine", Vec::new()),
        };
        let mut field = |name: &str, value: &str| {
            let begin = if name == "address" { '{' } else { ',' };
            out.extend_from_slice(format!("{begin}\"{name}\":").as_bytes());
            push_string(&mut out, value.as_bytes());
        };
        field("address", &one.address.to_string());
        field("protocol", one.protocol.name());
        field("verdict", verdict);
        field("sentence", &sentence(one, system));
        let pids: Vec<_> = match &one.found {
            Found::Here(here) => here.owners.iter().map(|owner| owner.pid.to_string()).collect(),
            Found::Away(_) => Vec::new(),
        };
        let tried = one
            .tried
            .as_ref()
            .map_or("null".to_owned(), |(made, _)| made.to_string());
        let reachable: Vec<_> = reachable.iter().map(|place| format!("\"{place}\"")).collect();
        out.extend_from_slice(
            format!(
                ",\"port\":{},\"pids\":[{}],\"reachable_at\":[{}],\"tried\":{tried}}}",
                one.port,
                pids.join(","),
                reachable.join(",")
            )
            .as_bytes(),
        );
    }
    out.extend_from_slice(b"]}\n");
    String::from_utf8(out).unwrap_or_default()
}

/// The document up to its answers.
fn head(gaps: &[Gap]) -> Vec<u8> {
    let mut out = format!("{{\"schema\":\"{SCHEMA}\",\"gaps\":[").into_bytes();
    for (index, gap) in gaps.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        push_gap(&mut out, gap);
    }
    out.extend_from_slice(b"],\"answers\":[");
    out
}

/// The document for a unix socket.
pub fn unix_json(name: &[u8], verdict: &str, sentence: &str, gaps: &[Gap]) -> String {
    let mut out = head(gaps);
    out.extend_from_slice(b"{\"path\":");
    crate::render::json::push_quoted(&mut out, |out| escape::push_unix_name(out, name, |_| false));
    out.extend_from_slice(format!(",\"verdict\":\"{verdict}\",\"sentence\":").as_bytes());
    push_string(&mut out, sentence.as_bytes());
    out.extend_from_slice(b"}]}\n");
    String::from_utf8(out).unwrap_or_default()
}
