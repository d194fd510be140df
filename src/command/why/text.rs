//! A report in a person's words: the answer, then the evidence, then what helps.

use std::fmt::Write as _;
use std::net::IpAddr;

use crate::model::{OwnerStatus, Protocol};
use crate::render::{escape, human};

use super::attempt::BindAttempt;
use super::cures::time_left_ms;
use super::errors::Refusal;
use super::existing::How;
use super::report::{Answer, Holders, Report};
use super::role::Role;
use super::rules::{Missing, Sharing};
use super::verdict::{Code, Effect, Finding, Outcome};

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

/// The first line, or one for each group of attempts that come to the same.
fn headline(report: &Report) -> String {
    let mut groups: Vec<(Outcome, Code, Vec<&Answer>)> = Vec::new();
    for answer in &report.answers {
        let (bind, code) = (answer.verdict.bind, answer.verdict.code);
        match groups
            .iter_mut()
            .find(|group| group.0 == bind && same_story(group.1, code))
        {
            Some(group) => group.2.push(answer),
            None => groups.push((bind, code, vec![answer])),
        }
    }
    if let [(bind, code, answers)] = groups.as_slice() {
        return single(report, *bind, *code, answers);
    }
    if let Some(line) = plain_and_reuse(report) {
        return line;
    }
    let lines: Vec<_> = groups
        .iter()
        .map(|(bind, code, answers)| {
            let who: Vec<_> = answers.iter().map(|answer| name_of(&answer.attempt)).collect();
            format!("{}: {}", who.join(", "), single(report, *bind, *code, answers))
        })
        .collect();
    lines.join("\n")
}

/// Verdicts that need no line of their own beside each other.
fn same_story(a: Code, b: Code) -> bool {
    let free = |code| matches!(code, Code::Free | Code::Shared(_));
    a == b || (free(a) && free(b)) || matches!((a, b), (Code::Taken(_), Code::Taken(_)))
}

/// The usual case: whatever the address, the plain socket fails and the one with `SO_REUSEADDR` works.
fn plain_and_reuse(report: &Report) -> Option<String> {
    let (with, plain): (Vec<_>, Vec<_>) = report.answers.iter().partition(|answer| answer.attempt.reuseaddr);
    let all_work = with.iter().all(|answer| answer.verdict.bind == Outcome::Ok);
    let failed = plain
        .iter()
        .find(|answer| matches!(answer.verdict.bind, Outcome::Fails(_)))?;
    let no_doubt = plain
        .iter()
        .all(|answer| answer.verdict.bind != Outcome::Undecidable);
    if with.is_empty() || !all_work || !no_doubt {
        return None;
    }
    let place = place(report);
    let shared_how =
        with.iter()
            .flat_map(|answer| &answer.verdict.findings)
            .find_map(|finding| match finding.effect {
                Effect::Shares { how, .. } => Some(how),
                _ => None,
            });
    Some(match failed.verdict.code {
        Code::Taken(Role::TimeWait) => {
            let left = time_left(report, failed);
            format!(
                "No, but with SO_REUSEADDR yes: {place} is in TIME-WAIT{left}, and the old server had set it{}.",
                proof(shared_how)
            )
        }
        _ => format!(
            "No, but with SO_REUSEADDR yes: {place} is taken by a socket that has it too{}.",
            proof(shared_how)
        ),
    })
}

fn proof(how: Option<How>) -> &'static str {
    match how {
        Some(How::Proven) => " (proven by a trial bind)",
        Some(How::Observed) | None => "",
    }
}

fn single(report: &Report, bind: Outcome, code: Code, answers: &[&Answer]) -> String {
    let place = place(report);
    let Some(answer) = answers.first() else {
        return String::new();
    };
    let attempt = &answer.attempt;
    let too = if answers.iter().any(|answer| answer.attempt.reuseaddr)
        && answers.iter().any(|answer| !answer.attempt.reuseaddr)
    {
        ", with SO_REUSEADDR too"
    } else {
        ""
    };
    match (bind, code) {
        (Outcome::Ok, Code::Shared(Sharing::ReusePort)) => {
            let who = first_owner(report, answer).unwrap_or_else(|| "another".to_owned());
            let part = if report.protocol == Protocol::Tcp {
                "connections"
            } else {
                "datagrams"
            };
            format!(
                "Yes, beside another (--reuseport): {place} is shared with {who}. You would get a part of its {part}."
            )
        }
        (Outcome::Ok, _) => free_line(report, answer),
        (_, Code::Refused(refusal)) => refused(report, attempt, refusal),
        (_, Code::RangeExhausted) => format!(
            "No: no port of the range {}-{} is left on {}. bind fails with EADDRINUSE.",
            report.system.local_port_range.start(),
            report.system.local_port_range.end(),
            human_address(attempt.address),
        ),
        (Outcome::Undecidable, Code::OrderDependent) => format!(
            "Cannot tell: sockets with different reuse flags are on {place}; the kernel's answer depends on the order in which they came."
        ),
        (Outcome::Undecidable, Code::Unreadable(missing)) => {
            let what = missing_name(missing);
            match (closed(answer), &report.sudo) {
                (false, Some(sudo)) => format!(
                    "Cannot tell: {place} is held by a socket whose {what} you may not read ({sudo} can)."
                ),
                (true, _) => format!(
                    "Cannot tell: {place} is held by a closed connection, whose {what} cannot be read; a trial bind would show it."
                ),
                (false, None) => {
                    format!("Cannot tell: {place} is held by a socket whose {what} cannot be read.")
                }
            }
        }
        (_, Code::ReuseportMismatch) => {
            format!(
                "No: {place} is taken, and cannot be shared{too}: SO_REUSEPORT must be set on both sockets, by the same user."
            )
        }
        (_, Code::Taken(Role::TimeWait)) => {
            let left = time_left(report, answer);
            let help = if too.is_empty() {
                ""
            } else {
                " SO_REUSEADDR would not help: the old server had not set it"
            };
            let how = answers
                .iter()
                .flat_map(|answer| &answer.verdict.findings)
                .find_map(blocked_how)
                .filter(|_| !help.is_empty());
            let stop = if help.is_empty() { "" } else { "." };
            format!(
                "No{}: {place} is in TIME-WAIT.{help}{}{stop}",
                left.replace(" for another", ", for another"),
                proof(how)
            )
        }
        _ => format!("No: {place} is taken. bind fails with EADDRINUSE{too}."),
    }
}

fn blocked_how(finding: &Finding) -> Option<How> {
    match finding.effect {
        Effect::Blocks { how, .. } if how != How::Observed => Some(how),
        _ => None,
    }
}

fn free_line(report: &Report, answer: &Answer) -> String {
    let place = place(report);
    if report.port == 0 {
        let left = answer.verdict.ports_left.unwrap_or(0);
        let range = &report.system.local_port_range;
        return format!(
            "Yes: {left} ports of the range {}-{} are left on {}.",
            range.start(),
            range.end(),
            human_address(answer.attempt.address)
        );
    }
    let mut line = match answer.verdict.code {
        Code::Shared(_) => format!("Yes. {place} can be bound beside what is there."),
        _ => format!("Yes. {place} is free here."),
    };
    if let Some(owner) = report.elsewhere.first() {
        let who = match &owner.container {
            Some(container) => format!("{} (container {container})", escape::text(&owner.program)),
            None => format!("{} {}", escape::text(&owner.program), owner.pid),
        };
        let _ = write!(line, " {who} uses it in its own network namespace: no conflict.");
    }
    line
}

fn refused(report: &Report, attempt: &BindAttempt, refusal: Refusal) -> String {
    let place = place(report);
    let address = human_address(attempt.address);
    match refusal {
        Refusal::PrivilegedPort => format!(
            "No: {place} needs CAP_NET_BIND_SERVICE (EACCES) for user {}; ports from {} up do not.",
            report.user, report.system.unprivileged_port_start
        ),
        Refusal::NotLocal => {
            let own = report.system.own_addresses();
            let more = own.len().saturating_sub(8);
            let mut list = own.into_iter().take(8).collect::<Vec<_>>().join(", ");
            if more > 0 {
                let _ = write!(list, " and {more} more");
            }
            format!("No: {address} is not an address of this machine (EADDRNOTAVAIL). It has {list}.")
        }
        Refusal::NoIpv6 => "No: there is no IPv6 here (EAFNOSUPPORT).".to_owned(),
        Refusal::MulticastStream => {
            format!("No: {address} is a multicast address, and TCP cannot be bound to one (EINVAL).")
        }
        Refusal::MappedV6only => format!(
            "No: {address} is an IPv4 address, which a socket with IPV6_V6ONLY does not take (EINVAL)."
        ),
        Refusal::NoScope => format!(
            "No: {address} is link-local and needs an interface (EINVAL): [{}%INTERFACE]:{}.",
            attempt.address, attempt.port
        ),
        Refusal::NoDevice => "No: there is no such interface (ENODEV).".to_owned(),
    }
}

/// Whether the socket in doubt is one that no program holds any more.
fn closed(answer: &Answer) -> bool {
    let doubtful = answer
        .verdict
        .findings
        .iter()
        .find(|finding| matches!(finding.effect, Effect::MayBlock { .. }));
    doubtful.is_some_and(|finding| matches!(finding.role, Role::TimeWait | Role::Orphan | Role::Queued))
}

fn missing_name(missing: Missing) -> &'static str {
    match missing {
        Missing::ReuseAddr | Missing::ReusePort | Missing::ReuseFlags => "reuse flags",
        other => other.name(),
    }
}

fn time_left(report: &Report, answer: &Answer) -> String {
    let left = answer
        .verdict
        .findings
        .iter()
        .filter_map(|finding| report.existing.get(finding.socket).and_then(time_left_ms))
        .max();
    left.map_or_else(String::new, |ms| {
        format!(" for another {}", human::duration_ms(ms.into()))
    })
}

/// `3000/tcp`, with the address if one was asked about.
fn place(report: &Report) -> String {
    let protocol = report.protocol.name();
    let mut addresses = report.answers.iter().map(|answer| answer.attempt.address);
    match addresses.next() {
        Some(first) if !first.is_unspecified() && addresses.all(|address| address == first) => {
            format!("{}:{}/{protocol}", human_address(first), report.port)
        }
        _ => format!("{}/{protocol}", report.port),
    }
}

/// `0.0.0.0:80`, `[::]:80 with SO_REUSEADDR`.
fn name_of(attempt: &BindAttempt) -> String {
    let options = [
        (attempt.reuseaddr, "SO_REUSEADDR"),
        (attempt.reuseport, "SO_REUSEPORT"),
    ];
    let set: Vec<_> = options
        .into_iter()
        .filter_map(|(set, name)| set.then_some(name))
        .collect();
    let mut text = format!("{}:{}", human_address(attempt.address), attempt.port);
    if !set.is_empty() {
        let _ = write!(text, " with {}", set.join(" and "));
    }
    text
}

fn human_address(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    }
}

fn first_owner(report: &Report, answer: &Answer) -> Option<String> {
    let finding = answer.verdict.findings.first()?;
    owner_name(report.holders.get(finding.socket)?)
}

fn owner_name(holders: &Holders) -> Option<String> {
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
            "{who} has a connection {local} -> {peer}, from a port in the range that the kernel chooses from."
        ),
        Role::Queued => format!("A connection {local} <- {peer} waits to be accepted."),
        Role::Accepted => format!("{who} has a connection {local} <- {peer}."),
        Role::Connected => format!("{who} has a connection {local} - {peer}."),
        Role::Orphan => format!(
            "A connection {local} - {peer} was closed by its program and is still winding down ({}).",
            one.socket.state.name()
        ),
        Role::TimeWait => format!("A closed connection {local} - {peer} is in TIME-WAIT."),
    }
}

/// Whom to name where no process can be named.
fn nobody(report: &Report, holders: &Holders) -> String {
    let user = holders.user.as_deref().unwrap_or("?");
    match holders.status {
        OwnerStatus::Hidden => match &report.sudo {
            Some(sudo) => format!("A process of user {user}, hidden from you ({sudo} names it),"),
            None => format!(
                "A process of user {user} that you may not look into (needs CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH)"
            ),
        },
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
    if let Some(command) = &owner.command {
        let text: String = escape::text(command).chars().take(200).collect();
        row("command", &text);
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
