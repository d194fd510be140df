//! The worst problem on the screen, and what is missing from it.

use std::collections::BTreeMap;

use super::data::Data;
use super::ports::Port;
use crate::model::{GapLevel, OwnerStatus, Protocol, State};
use crate::render::owner;

/// From this number on, connections that their program does not close are reported.
const FORGOTTEN: usize = 100;
/// The fill level of a receive buffer, in percent, at which packets are about to be lost.
const NEARLY_FULL: u64 = 90;

/// The problems, a line for each, the worst first.
pub(super) fn findings(data: &Data, ports: &[Port]) -> Vec<String> {
    let found = [accept_queues(data, ports), buffers(data, ports), forgotten(data)];
    found.into_iter().flatten().collect()
}

/// An accept queue that is or was full.
fn accept_queues(data: &Data, ports: &[Port]) -> Option<String> {
    let minute = data.last_minute();
    if let Some(port) = ports.iter().find(|port| port.is_full()) {
        let (waiting, limit) = port.accept.unwrap_or_default();
        let lost = match minute.listen_overflows {
            0 => String::new(),
            lost => format!(", {lost} connections dropped in the last minute"),
        };
        return Some(format!(
            "{}: accept queue full ({waiting}/{limit}){lost}",
            port.port
        ));
    }
    if minute.listen_overflows > 0 {
        return Some(format!(
            "{} connections dropped in the last minute: an accept queue was full",
            minute.listen_overflows
        ));
    }
    None
}

/// A receive buffer that is or was nearly full.
fn buffers(data: &Data, ports: &[Port]) -> Option<String> {
    let minute = data.last_minute();
    if let Some(port) = ports
        .iter()
        .find(|port| port.queue_percent.is_some_and(|percent| percent >= NEARLY_FULL))
    {
        let percent = port.queue_percent.unwrap_or(0);
        return Some(format!(
            "{}/{}: receive buffer {percent}% full, {} packets dropped so far",
            port.port,
            port.protocol.name(),
            port.drops
        ));
    }
    if minute.udp_drops > 0 {
        return Some(format!(
            "{} UDP packets dropped in the last minute: a receive buffer was full",
            minute.udp_drops
        ));
    }
    None
}

/// The program that keeps most connections in CLOSE-WAIT.
fn forgotten(data: &Data) -> Option<String> {
    let known = data.followed.known();
    let forgotten: Vec<_> = known
        .keys()
        .filter(|((protocol, _), state)| *protocol == Protocol::Tcp && *state == State::CloseWait)
        .map(|(key, _)| key)
        .collect();
    if forgotten.len() < FORGOTTEN {
        return None;
    }
    let mut by_owner: BTreeMap<String, usize> = BTreeMap::new();
    for key in forgotten {
        if let Some(mut socket) = known.get(key) {
            // Shows only the holder, not the other end.
            socket.timer = None;
            *by_owner.entry(owner::text(&data.row(&socket))).or_default() += 1;
        }
    }
    let (owner, count) = by_owner.into_iter().max_by_key(|(_, count)| *count)?;
    (count >= FORGOTTEN)
        .then(|| format!("{owner}: {count} connections in CLOSE-WAIT: it does not close them"))
}

/// What is missing from the screen, and how to see it; `None` if nothing is missing.
pub(super) fn loss(data: &Data, sudo: Option<&str>) -> Option<String> {
    let owners = &data.around.owners;
    let mut hidden = 0;
    if owners.may_be_hidden() {
        data.followed.known().each(|socket| {
            hidden += usize::from(owners.of(socket).status == OwnerStatus::Hidden);
        });
    }
    let mut losses = Vec::new();
    if hidden > 0 {
        let remedy = match sudo {
            Some(command) => format!("{command} shows {}", if hidden == 1 { "it" } else { "them" }),
            None => "needs CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH".to_owned(),
        };
        let owners = if hidden == 1 { "owner" } else { "owners" };
        losses.push(format!("{hidden} {owners} hidden: {remedy}"));
    }
    if data.undecided > 0 {
        losses.push(format!(
            "{} left out: the filter needs their owner",
            data.undecided
        ));
    }
    let lost = data.gaps.iter().filter(|gap| gap.level == GapLevel::Loss);
    losses.extend(lost.map(|gap| crate::render::escape::sentence(&gap.message)));
    (!losses.is_empty()).then(|| losses.join("; "))
}
