//! What explains a verdict beside the sockets themselves: who is behind them, and what else there is on the port.

use crate::model::OwnerStatus;
use crate::render::escape;

use super::describe;
use super::existing::How;
use super::report::{Answer, Holders, Report};
use super::role::Role;
use super::verdict::Code;

/// One circumstance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circumstance {
    /// The word in JSON.
    pub code: &'static str,
    /// How it is known.
    pub how: How,
    /// What it is, in a sentence.
    pub sentence: String,
    /// The socket it is about, by its index in the report.
    pub socket: Option<usize>,
}

/// Every code there is.
pub const CODES: [&str; 12] = [
    "kernel-socket",
    "hidden-owner",
    "other-pid-namespace",
    "several-holders",
    "inherited-descriptor",
    "systemd-socket",
    "container-proxy",
    "container",
    "service",
    "deleted-binary",
    "elsewhere",
    "reserved-port",
];

/// The circumstances of one answer: of its sockets in their order, then of the port.
pub fn circumstances(report: &Report, answer: &Answer) -> Vec<Circumstance> {
    let mut found = Vec::new();
    for finding in &answer.verdict.findings {
        let socket = Some(finding.socket);
        if let Some(holders) = report.holders.get(finding.socket)
            && finding.role != Role::TimeWait
        {
            found.extend(
                of_holders(holders)
                    .into_iter()
                    .map(|one| Circumstance { socket, ..one }),
            );
        }
    }
    if answer.verdict.code == Code::Free {
        found.extend(report.elsewhere.iter().map(|owner| {
            let who = describe::name(&owner.program, owner.pid);
            let sentence = format!("{who} uses the port in its own network namespace: no conflict.");
            circumstance("elsewhere", How::Observed, sentence)
        }));
    }
    if report.port != 0 && report.system.is_reserved(report.port) {
        let sentence = format!(
            "{} is in ip_local_reserved_ports: never chosen for a client, free to bind.",
            report.port
        );
        found.push(circumstance("reserved-port", How::Observed, sentence));
    }
    found
}

/// What is to be said of those who hold a socket.
pub fn of_holders(holders: &Holders) -> Vec<Circumstance> {
    let mut found = Vec::new();
    let mut say = |code, how, sentence| found.push(circumstance(code, how, sentence));
    let user = holders.user.as_deref().unwrap_or("?");
    match holders.status {
        OwnerStatus::Kernel => say(
            "kernel-socket",
            How::Observed,
            "The kernel itself holds it: there is no program to end.".to_owned(),
        ),
        OwnerStatus::Hidden => say(
            "hidden-owner",
            How::Observed,
            format!("Its process is hidden; it belongs to user {user}."),
        ),
        OwnerStatus::Elsewhere => say(
            "other-pid-namespace",
            How::Observed,
            format!("Its process is in another pid namespace; it belongs to user {user}."),
        ),
        _ => {}
    }
    if let Some(others) = describe::others(holders) {
        say(
            "several-holders",
            How::Observed,
            format!("It is also held by {others}: the port is free only when all have closed it."),
        );
    }
    for inherited in &holders.inherited {
        let how = if inherited.sure {
            How::Observed
        } else {
            How::Inferred
        };
        say("inherited-descriptor", how, format!("{}.", inherited.sentence));
    }
    if holders.by_systemd {
        let sentence = match &holders.socket_unit {
            Some(unit) => format!(
                "systemd holds it for {}, by that unit's file.",
                escape::text(unit.as_bytes())
            ),
            None => "systemd holds it, for a unit that its files do not tell.".to_owned(),
        };
        say("systemd-socket", How::Inferred, sentence);
        return found;
    }
    let Some(owner) = holders.owners.first() else {
        return found;
    };
    let program = escape::text(&owner.program);
    match (&owner.container, &owner.unit) {
        (Some(container), _) if owner.forwards_for_container => say(
            "container-proxy",
            How::Observed,
            format!("{program} forwards the port to the container {container}."),
        ),
        (None, _) if owner.forwards_for_container => say(
            "container-proxy",
            How::Observed,
            format!("{program} forwards ports to containers."),
        ),
        (Some(container), _) => say(
            "container",
            How::Observed,
            format!("{program} runs in the container {container}."),
        ),
        (None, Some(unit)) if unit.rsplit_once('.').is_some_and(|(_, kind)| kind == "service") => say(
            "service",
            How::Observed,
            format!(
                "{program} runs in {}, which may start it again.",
                escape::text(unit.as_bytes())
            ),
        ),
        _ => {}
    }
    if owner.binary_deleted {
        say(
            "deleted-binary",
            How::Observed,
            format!("The file that {program} runs was deleted or replaced since it was started."),
        );
    }
    found
}

fn circumstance(code: &'static str, how: How, sentence: String) -> Circumstance {
    Circumstance {
        code,
        how,
        sentence,
        socket: None,
    }
}
