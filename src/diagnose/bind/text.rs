//! A report in a person's words: the answer, then the evidence, then what helps.

use std::net::IpAddr;
use std::time::SystemTime;

use crate::model::{OwnerStatus, Protocol};
use crate::render::page::Page;
use crate::render::{escape, human};

use super::cures::{Cure, time_left_ms};
use super::describe::{self, Clients};
use super::existing::Existing;
use super::headline::{headline, human_address};
use super::infer::listener_of;
use super::report::{Answer, Holders, Report};
use super::role::Role;
use super::unix::{UnixFacts, UnixVerdict};
use super::verdict::{Effect, Finding, Outcome};

/// How wide the labels of rows are.
const LABELS: usize = 10;

/// The whole text, ending in a newline; `width` is that of the terminal, if it goes to one.
pub fn render(report: &Report, width: Option<usize>) -> String {
    let mut page = Page::new(width, LABELS);
    page.prose(&headline(report));
    if let Some(answer) = worst(report) {
        evidence(&mut page, report, answer);
        cures(&mut page, &answer.cures);
    }
    if !report.notes.is_empty() && report.answers.iter().any(|answer| !answer.cures.is_empty()) {
        page.gap();
    }
    for note in &report.notes {
        page.prose(&format!("({note})"));
    }
    page.finish()
}

/// The text about a unix name.
pub fn render_unix(
    facts: &UnixFacts,
    verdict: &UnixVerdict,
    now: SystemTime,
    sudo: Option<&str>,
    width: Option<usize>,
) -> String {
    let mut page = Page::new(width, LABELS);
    page.prose(&verdict.sentence);
    if let Some((_, holders)) = verdict.socket.and_then(|at| facts.sockets.get(at)) {
        page.prose(&hidden(holders, sudo));
        describe::rows(&mut page, holders, now, Clients::default());
    }
    cures(&mut page, &verdict.cures);
    page.finish()
}

/// What helps, the first first.
pub(super) fn cures(page: &mut Page, cures: &[Cure]) {
    if !cures.is_empty() {
        page.gap();
    }
    for (at, cure) in cures.iter().enumerate() {
        let label = if at == 0 { "to fix" } else { "or" };
        match &cure.command {
            Some(command) => page.command(label, command, &cure.sentence),
            None => page.row(label, &cure.sentence),
        }
    }
}

/// The answer that the text is about: the first that fails, else the first that nobody can tell, else the first.
fn worst(report: &Report) -> Option<&Answer> {
    let rank = |answer: &&Answer| match answer.verdict.bind {
        Outcome::Fails(_) => 0,
        Outcome::Undecidable => 1,
        Outcome::Ok => 2,
    };
    report.answers.iter().min_by_key(rank)
}

pub(super) fn owner_name(holders: &Holders) -> Option<String> {
    let first = holders.owners.first()?;
    let more = holders.owners.len() - 1;
    let name = format!("{} {}", escape::text(&first.program), first.pid);
    Some(if more > 0 { format!("{name} +{more}") } else { name })
}

/// The sockets that block, the weightiest first, and who the first one belongs to.
fn evidence(page: &mut Page, report: &Report, answer: &Answer) {
    let mut blocking =
        answer.verdict.findings.iter().filter(|finding| {
            !matches!(finding.effect, Effect::Shares { .. }) && finding.role != Role::TimeWait
        });
    let Some(first) = blocking.next() else { return };
    page.gap();
    page.prose(&sentence(report, first));
    let rest: Vec<_> = blocking.collect();
    for finding in rest
        .iter()
        .filter(|finding| finding.role <= Role::Ephemeral)
        .take(3)
    {
        page.prose(&sentence(report, finding));
    }
    if let Some(holders) = report.holders.get(first.socket) {
        page.prose(&hidden(holders, report.sudo.as_deref()));
        let count = |test: fn(Role) -> bool| rest.iter().filter(|finding| test(finding.role)).count();
        let clients = Clients {
            queued: count(|role| role == Role::Queued),
            accepted: count(|role| role > Role::Queued),
        };
        describe::rows(page, holders, report.taken_at, clients);
    }
}

/// What one socket is and does, in a sentence.
pub fn sentence(report: &Report, finding: &Finding) -> String {
    let Some(one) = report.existing.get(finding.socket) else {
        return String::new();
    };
    let Some(pair) = one.socket.inet() else {
        return String::new();
    };
    let holders = report.holders.get(finding.socket);
    let who = match holders {
        Some(holders) => owner_name(holders).unwrap_or_else(|| nobody(holders, report.sudo.is_some())),
        None => "A socket".to_owned(),
    };
    let local = format!("{}:{}", human_address(pair.local_address), pair.local_port);
    let peer = format!("{}:{}", human_address(pair.peer_address), pair.peer_port);
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

/// How a connection came to its port.
fn chosen(report: &Report, one: &Existing) -> String {
    let range = &report.system.local_port_range;
    let (first, last) = (range.start(), range.end());
    match one.port_was_given {
        Some(true) => format!("that the kernel chose (ip_local_port_range is {first}-{last})"),
        _ => format!("in the range that the kernel chooses from ({first}-{last})"),
    }
}

/// How long the kernel keeps what is left of a connection, where it tells.
fn still(one: &Existing) -> String {
    match time_left_ms(one).filter(|_| one.is_stub()) {
        Some(ms) => format!(", for another {} at most", human::duration_ms(ms.into())),
        None => String::new(),
    }
}

/// Whose a closed connection was: the kernel does not tell.
fn whose(report: &Report, one: &Existing) -> String {
    let listener = listener_of(one, &report.existing);
    match listener.and_then(|(at, _)| owner_name(report.holders.get(at)?)) {
        Some(name) => format!("It was most likely of {name}, inferred from its listener on that port."),
        None => "Whose it was is not known.".to_owned(),
    }
}

/// What names a hidden owner.
pub(super) fn hidden(holders: &Holders, sudo: Option<&str>) -> String {
    match (holders.status, sudo) {
        (OwnerStatus::Hidden, Some(sudo)) => format!("It is hidden from you: {sudo} names it."),
        (OwnerStatus::Hidden, None) => {
            "You may not look into it (needs CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH, unless a security module forbids it).".to_owned()
        }
        _ => String::new(),
    }
}

/// Whom to name where no process can be named.
pub(super) fn nobody(holders: &Holders, may_be_more: bool) -> String {
    let user = holders.user.as_deref().unwrap_or("?");
    match holders.status {
        OwnerStatus::Hidden if may_be_more => format!("A process of user {user}"),
        OwnerStatus::Hidden => format!("A process of user {user}, or the kernel,"),
        OwnerStatus::Kernel => "The kernel itself".to_owned(),
        OwnerStatus::InFlight => format!("A socket of user {user}, in flight between processes,"),
        OwnerStatus::Elsewhere => format!("A process of user {user} in another pid namespace"),
        _ => format!("A socket of user {user}"),
    }
}
