//! A report in a person's words: the answer, then the evidence, then what helps.

use std::fmt::Write as _;
use std::net::IpAddr;

use crate::model::{OwnerStatus, Protocol};
use crate::render::{escape, human};

use super::cures::time_left_ms;
use super::existing::Existing;
use super::headline::{headline, human_address};
use super::infer::listener_of;
use super::report::{Answer, Holders, Report};
use super::role::Role;
use super::verdict::{Effect, Finding, Outcome};

/// The whole text, ending in a newline.
pub fn render(report: &Report) -> String {
    let mut out = headline(report);
    out.push('\n');
    if let Some(answer) = worst(report) {
        evidence(&mut out, report, answer);
        let cures: Vec<_> = answer
            .cures
            .iter()
            .map(|cure| (cure.command.as_deref(), cure.sentence.as_str()))
            .collect();
        if !cures.is_empty() {
            out.push('\n');
        }
        for (command, sentence) in cures {
            let _ = match command {
                Some(command) => writeln!(out, "  {command:<40}  {sentence}"),
                None => writeln!(out, "  {sentence}"),
            };
        }
    }
    for note in &report.notes {
        let _ = writeln!(out, "({note})");
    }
    out
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
fn evidence(out: &mut String, report: &Report, answer: &Answer) {
    let mut blocking =
        answer.verdict.findings.iter().filter(|finding| {
            !matches!(finding.effect, Effect::Shares { .. }) && finding.role != Role::TimeWait
        });
    let Some(first) = blocking.next() else { return };
    let _ = writeln!(out, "\n{}", sentence(report, first));
    let rest: Vec<_> = blocking.collect();
    for finding in rest
        .iter()
        .filter(|finding| finding.role <= Role::Ephemeral)
        .take(3)
    {
        let _ = writeln!(out, "{}", sentence(report, finding));
    }
    if let Some(holders) = report.holders.get(first.socket) {
        out.push_str(&hidden(report, holders));
        let connections = rest
            .iter()
            .filter(|finding| finding.role > Role::Ephemeral)
            .count();
        rows(out, report, holders, connections);
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
        Some(holders) => owner_name(holders).unwrap_or_else(|| nobody(report, holders)),
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
fn hidden(report: &Report, holders: &Holders) -> String {
    match (holders.status, &report.sudo) {
        (OwnerStatus::Hidden, Some(sudo)) => format!("It is hidden from you: {sudo} names it.\n"),
        (OwnerStatus::Hidden, None) => {
            "You may not look into it (needs CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH, unless a security module forbids it).\n".to_owned()
        }
        _ => String::new(),
    }
}

/// Whom to name where no process can be named.
fn nobody(report: &Report, holders: &Holders) -> String {
    let user = holders.user.as_deref().unwrap_or("?");
    match holders.status {
        OwnerStatus::Hidden if report.sudo.is_some() => format!("A process of user {user}"),
        OwnerStatus::Hidden => format!("A process of user {user}, or the kernel,"),
        OwnerStatus::Kernel => "The kernel itself".to_owned(),
        OwnerStatus::InFlight => format!("A socket of user {user}, in flight between processes,"),
        OwnerStatus::Elsewhere => format!("A process of user {user} in another pid namespace"),
        _ => format!("A socket of user {user}"),
    }
}

fn rows(out: &mut String, report: &Report, holders: &Holders, connections: usize) {
    let Some(owner) = holders.owners.first() else {
        return;
    };
    out.push('\n');
    let mut row = |name: &str, value: &str| {
        let _ = writeln!(out, "  {name:<10}{value}");
    };
    if let Some(command) = owner.command_line() {
        row("command", &command);
    }
    let mut user = owner.user.clone().unwrap_or_else(|| "?".to_owned());
    if let Some(age) = owner
        .started_at
        .and_then(|at| report.taken_at.duration_since(at).ok())
    {
        let ms = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
        let _ = write!(user, ", started {} ago", human::duration_ms(ms));
    }
    if let Some(directory) = &owner.directory {
        let _ = write!(user, " in {}", escape::text(directory));
    }
    row("user", &user);
    if !owner.parents.is_empty() {
        let chain: Vec<_> = owner
            .parents
            .iter()
            .map(|(comm, pid)| format!("{} {pid}", escape::text(comm)))
            .collect();
        row("parents", &chain.join(" < "));
    }
    if let Some(unit) = &holders.socket_unit {
        row("unit", &escape::text(unit.as_bytes()));
    } else if let Some(unit) = &owner.unit {
        row("unit", &escape::text(unit.as_bytes()));
    }
    if let Some(container) = &owner.container {
        row("container", &escape::text(container.as_bytes()));
    }
    if owner.binary_deleted {
        row("binary", "its file was deleted or replaced since it was started");
    }
    let others: Vec<_> = holders
        .owners
        .iter()
        .skip(1)
        .take(4)
        .map(|other| format!("{} {}", escape::text(&other.program), other.pid))
        .collect();
    if !others.is_empty() {
        row(
            "also held",
            &format!(
                "by {}: the port is free only when all have closed it",
                others.join(", ")
            ),
        );
    }
    for inherited in holders.inherited.iter().take(2) {
        row("inherited", inherited);
    }
    if connections > 0 {
        let program = escape::text(&owner.program);
        let these = if connections == 1 {
            "1 connection".to_owned()
        } else {
            format!("{connections} connections")
        };
        row(
            "clients",
            &format!(
                "{these}: after {program} ends, a server without SO_REUSEADDR waits up to 60 s for them"
            ),
        );
    }
}
