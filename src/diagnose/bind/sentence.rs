//! One sentence about one socket.

use std::net::IpAddr;

use crate::model::Protocol;

use super::address;
use super::existing::Existing;
use super::infer::listener_of;
use super::report::Report;
use super::role::Role;
use super::verdict::Finding;

/// Describes one socket.
pub(super) fn sentence(report: &Report, finding: &Finding) -> String {
    let Some(one) = report.existing.get(finding.socket) else {
        return String::new();
    };
    let Some(pair) = one.socket.inet() else {
        return String::new();
    };
    let holders = report.holders.get(finding.socket);
    let who = match holders {
        Some(holders) => holders
            .owner_name()
            .unwrap_or_else(|| holders.nobody(report.sudo.is_some())),
        None => "A socket".to_owned(),
    };
    let local = format!("{}:{}", address::text(pair.local_address), pair.local_port);
    let peer = format!("{}:{}", address::text(pair.peer_address), pair.peer_port);
    let wildcard = pair.local_address.is_unspecified();
    let both = match (pair.local_address, one.effective_v6only().map(|flag| flag.set)) {
        (IpAddr::V6(_), Some(false)) if wildcard => ", which takes IPv4 as well (dual-stack)",
        _ => "",
    };
    match finding.role {
        Role::Listener => format!("{who} listens on {local}{both}."),
        Role::Bound if report.protocol == Protocol::Tcp => {
            format!("{who} has bound {local}{both} and neither listens nor connects.")
        }
        Role::Bound => format!("{who} has bound {local}{both}."),
        Role::Ephemeral => format!(
            "{who} has a connection {local} -> {peer}, from a port {}.",
            chosen(report, one)
        ),
        Role::Queued => format!("A connection {local} <- {peer} waits to be accepted."),
        Role::Accepted => format!("{who} has a connection {local} <- {peer}."),
        Role::Connected => format!("{who} has a connection {local} - {peer}."),
        Role::Orphan => format!(
            "A connection {local} - {peer} was closed by its program and is still winding down ({}{}). {}",
            one.socket.state.name(),
            still(one),
            whose(report, one)
        ),
        Role::TimeWait => format!(
            "A closed connection {local} - {peer} is in TIME-WAIT. {}",
            whose(report, one)
        ),
    }
}

/// A phrase about how a connection got its port.
fn chosen(report: &Report, one: &Existing) -> String {
    let range = &report.system.local_port_range;
    let (first, last) = (range.start(), range.end());
    match one.port_was_given {
        Some(true) => format!("that the kernel chose (ip_local_port_range is {first}-{last})"),
        _ => format!("in the range that the kernel chooses from ({first}-{last})"),
    }
}

/// The remaining time, rounded up to whole seconds.
pub(super) fn whole_seconds(ms: u32) -> String {
    format!("{} s", ms.div_ceil(1000))
}

/// How much longer the kernel keeps a closed connection, if that is known.
fn still(one: &Existing) -> String {
    match one.time_left_ms().filter(|_| one.is_stub()) {
        Some(ms) => format!(", for another {} at most", whole_seconds(ms)),
        None => String::new(),
    }
}

/// A sentence about the former owner of a closed connection, which the kernel does not record.
fn whose(report: &Report, one: &Existing) -> String {
    let listener = listener_of(one, &report.existing);
    match listener.and_then(|(at, _)| report.holders.get(at)?.owner_name()) {
        Some(name) => format!("It most likely belonged to {name}, inferred from its listener on that port."),
        None => "Its owner is unknown.".to_owned(),
    }
}
