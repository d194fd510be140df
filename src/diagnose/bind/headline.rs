//! The answer itself: the first line, which is all that most readers need.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::IpAddr;

use crate::model::Protocol;
use crate::render::escape;

use super::address;
use super::errors::Refusal;
use super::existing::{Existing, How};
use super::missing::Missing;
use super::owner::Owner;
use super::report::{Answer, Report};
use super::role::Role;
use super::rules::Sharing;
use super::sentence::whole_seconds;
use super::verdict::{Code, Effect, Finding, Outcome};
use crate::model::bind::BindAttempt;

/// The first line, or one for each group of attempts with the same result.
pub(super) fn headline(report: &Report) -> String {
    let mut groups: Vec<(Outcome, Code, Vec<&Answer>)> = Vec::new();
    for answer in &report.answers {
        let (bind, code) = (answer.verdict.bind, answer.verdict.code);
        match groups
            .iter_mut()
            .find(|group| group.0 == bind && can_share_a_line(group.1, code))
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
    groups.sort_by_key(|(bind, ..)| match bind {
        Outcome::Fails(_) => 0,
        Outcome::Undecidable => 1,
        Outcome::Ok => 2,
    });
    let lines: Vec<_> = groups
        .iter()
        .map(|(bind, code, answers)| {
            limited(&single(report, *bind, *code, answers), &limits(report, answers))
        })
        .collect();
    lines.join("\n")
}

/// A headline that applies only to some attempts: `No on [::]: 80/tcp is taken.`
fn limited(sentence: &str, limits: &str) -> String {
    let words = ["Cannot tell", "Yes", "No"];
    match words
        .iter()
        .find_map(|word| Some((word, sentence.strip_prefix(word)?)))
    {
        Some((word, rest)) => format!("{word}{limits}{rest}"),
        None => sentence.to_owned(),
    }
}

/// What distinguishes some of the attempts from the others: the address, `SO_REUSEADDR`, or both.
fn limits(report: &Report, answers: &[&Answer]) -> String {
    let addresses = |answers: &mut dyn Iterator<Item = &Answer>| -> BTreeSet<IpAddr> {
        answers.map(|answer| answer.attempt.address).collect()
    };
    let reuse = |answers: &mut dyn Iterator<Item = &Answer>| -> BTreeSet<bool> {
        answers.map(|answer| answer.attempt.reuseaddr).collect()
    };
    let own = addresses(&mut answers.iter().copied());
    let mut text = String::new();
    if own != addresses(&mut report.answers.iter()) {
        let names: Vec<_> = own.into_iter().map(address::text).collect();
        let _ = write!(text, " on {}", names.join(" and "));
    }
    let own = reuse(&mut answers.iter().copied());
    if own != reuse(&mut report.answers.iter()) {
        let with = own.contains(&true);
        text.push_str(if with {
            " with SO_REUSEADDR"
        } else {
            " without SO_REUSEADDR"
        });
    }
    text
}

/// Whether two verdicts can share a line.
fn can_share_a_line(a: Code, b: Code) -> bool {
    let free = |code| matches!(code, Code::Free | Code::Shared(_));
    a == b || (free(a) && free(b)) || matches!((a, b), (Code::Taken(_), Code::Taken(_)))
}

/// The usual case: on every address, a socket without options fails and one with `SO_REUSEADDR` works.
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
                "No, but with SO_REUSEADDR it works now: {place} is in TIME-WAIT{left}, and the old server had set it{}.",
                proof(shared_how)
            )
        }
        _ => format!(
            "No, but with SO_REUSEADDR it works now: {place} is taken by a socket that has it too{}.",
            proof(shared_how)
        ),
    })
}

fn proof(how: Option<How>) -> &'static str {
    match how {
        Some(How::Proven) => " (proven by a trial bind)",
        Some(How::Inferred) => " (inferred from the listener on that port)",
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
        ", even with SO_REUSEADDR"
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
                "Yes, alongside another socket (--reuseport): {place} is shared with {who}. You would get a share of its {part}."
            )
        }
        (Outcome::Ok, _) => free_line(report, answer),
        (_, Code::Refused(Refusal::PrivilegedPort)) if !answer.verdict.findings.is_empty() => format!(
            "No: {place} is taken, and needs CAP_NET_BIND_SERVICE (EACCES) for user {}.",
            report.user
        ),
        (_, Code::Refused(refusal)) => refused(report, attempt, refusal),
        (_, Code::RangeExhausted) => format!(
            "No: no port of the range {}-{} is left on {}. bind fails with EADDRINUSE.",
            report.system.local_port_range.start(),
            report.system.local_port_range.end(),
            address::text(attempt.address),
        ),
        (Outcome::Undecidable, Code::OrderDependent) => format!(
            "Cannot tell: sockets with different reuse flags are on {place}; the kernel's answer depends on the order in which they were bound."
        ),
        (Outcome::Undecidable, Code::Unreadable(Missing::Socket)) => {
            format!("Cannot tell: the sockets on {place} could not be read.")
        }
        (Outcome::Undecidable, Code::Unreadable(Missing::Kernel)) => format!(
            "Cannot tell: builds of this kernel differ in whether a socket on ::ffff:0.0.0.0 blocks {place}."
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
        let (ports, are) = if left == 1 {
            ("port", "is")
        } else {
            ("ports", "are")
        };
        return format!(
            "Yes: {left} {ports} of the range {}-{} {are} left on {}.",
            range.start(),
            range.end(),
            address::text(answer.attempt.address)
        );
    }
    let mut line = match answer.verdict.code {
        Code::Shared(_) => {
            let who = first_owner(report, answer).unwrap_or_else(|| "another socket".to_owned());
            format!("Yes. {place} can be bound alongside {who}: both have SO_REUSEADDR.")
        }
        _ => format!("Yes. {place} is free here."),
    };
    line.push_str(&elsewhere(&report.elsewhere));
    line
}

/// A sentence about who uses the port in other network namespaces.
fn elsewhere(owners: &[Owner]) -> String {
    const NAMED: usize = 3;
    let name = |owner: &Owner| match &owner.container {
        Some(container) => format!("{} (container {container})", escape::text(&owner.program)),
        None => owner.title(),
    };
    let names: Vec<_> = owners.iter().take(NAMED).map(name).collect();
    let more = owners.len().saturating_sub(NAMED);
    match (names.as_slice(), more) {
        ([], _) => String::new(),
        ([one], _) => format!(" {one} uses it in its own network namespace: no conflict."),
        (several, 0) => format!(
            " {} use it in network namespaces of their own: no conflict.",
            several.join(", ")
        ),
        (several, more) => format!(
            " {} and {more} more use it in network namespaces of their own: no conflict.",
            several.join(", ")
        ),
    }
}

fn refused(report: &Report, attempt: &BindAttempt, refusal: Refusal) -> String {
    let place = place(report);
    let wanted = address::text(attempt.address);
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
            format!("No: {wanted} is not an address of this machine (EADDRNOTAVAIL). It has {list}.")
        }
        Refusal::NoIpv6 => "No: there is no IPv6 here (EAFNOSUPPORT).".to_owned(),
        Refusal::MulticastStream => {
            format!("No: {wanted} is a multicast address, and TCP cannot be bound to one (EINVAL).")
        }
        Refusal::MappedV6only => format!(
            "No: {wanted} is an IPv4 address, which a socket with IPV6_V6ONLY does not accept (EINVAL)."
        ),
        Refusal::NoScope => format!(
            "No: {wanted} is link-local and needs an interface (EINVAL): [{}%INTERFACE]:{}.",
            attempt.address, attempt.port
        ),
        Refusal::NoDevice => match &report.device {
            Some(name) => format!("No: there is no interface {name} here (ENODEV)."),
            None => "No: there is no such interface here (ENODEV).".to_owned(),
        },
    }
}

/// Whether no program holds the socket in doubt any more.
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
        .filter_map(|finding| {
            report
                .existing
                .get(finding.socket)
                .and_then(Existing::time_left_ms)
        })
        .max();
    left.map_or_else(String::new, |ms| format!(" for another {}", whole_seconds(ms)))
}

/// `3000/tcp`, with the address if the question names one.
fn place(report: &Report) -> String {
    let protocol = report.protocol.name();
    let mut addresses = report.answers.iter().map(|answer| answer.attempt.address);
    match addresses.next() {
        Some(first) if !first.is_unspecified() && addresses.all(|address| address == first) => {
            format!("{}:{}/{protocol}", address::text(first), report.port)
        }
        _ => format!("{}/{protocol}", report.port),
    }
}

fn first_owner(report: &Report, answer: &Answer) -> Option<String> {
    let finding = answer.verdict.findings.first()?;
    report.holders.get(finding.socket)?.owner_name()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_verdicts_and_those_of_one_kind_share_a_line() {
        let refused = Code::Refused(Refusal::PrivilegedPort);
        let (shared, listener) = (Code::Shared(Sharing::ReusePort), Code::Taken(Role::Listener));
        for (a, b, expected) in [
            (refused, refused, true),
            (refused, Code::Refused(Refusal::NoDevice), false),
            (refused, listener, false),
            (listener, Code::Taken(Role::TimeWait), true),
            (shared, Code::Free, true),
            (shared, listener, false),
        ] {
            assert_eq!(can_share_a_line(a, b), expected, "{a:?} {b:?}");
            assert_eq!(can_share_a_line(b, a), expected, "{b:?} {a:?}");
        }
    }
}
