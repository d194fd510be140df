//! What explains a verdict besides the sockets themselves: their owners, and other facts about the port.

use crate::model::OwnerStatus;
use crate::model::named::named;
use crate::render::escape;

use super::existing::How;
use super::holders::Holders;
use super::report::{Answer, Report};
use super::role::Role;
use super::verdict::Code;

named! {
    /// The kind of circumstance.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Kind {
        /// The kernel itself holds the socket.
        KernelSocket => "kernel-socket",
        /// The caller may not inspect the process that holds it.
        HiddenOwner => "hidden-owner",
        /// The process that holds it is in another pid namespace.
        OtherPidNamespace => "other-pid-namespace",
        /// More than one process holds it.
        SeveralHolders => "several-holders",
        /// A process that holds it is stopped: it does not answer, and reacts to no signal but KILL.
        StoppedHolder => "stopped-holder",
        /// A process inherited it from another one.
        InheritedDescriptor => "inherited-descriptor",
        /// systemd holds it for a unit.
        SystemdSocket => "systemd-socket",
        /// A proxy holds it for a container.
        ContainerProxy => "container-proxy",
        /// Its owner runs in a container.
        Container => "container",
        /// Its owner runs in a service.
        Service => "service",
        /// The executable of its owner was deleted or replaced.
        DeletedBinary => "deleted-binary",
        /// The port is in use in another network namespace.
        Elsewhere => "elsewhere",
        /// The kernel never chooses the port automatically.
        ReservedPort => "reserved-port",
    }
}

/// One circumstance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circumstance {
    /// What it is.
    pub kind: Kind,
    /// How it is known.
    pub how: How,
    /// The circumstance in a sentence.
    pub sentence: String,
    /// The socket in question, by its index in the report.
    pub socket: Option<usize>,
}

/// Returns the circumstances of one answer: those of its sockets in order, then those of the port.
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
            let who = owner.title();
            let sentence = format!("{who} uses the port in its own network namespace: no conflict.");
            circumstance(Kind::Elsewhere, How::Observed, sentence)
        }));
    }
    if report.port != 0 && report.system.is_reserved(report.port) {
        let sentence = format!(
            "{} is in ip_local_reserved_ports: never chosen for a client, free to bind.",
            report.port
        );
        found.push(circumstance(Kind::ReservedPort, How::Observed, sentence));
    }
    found
}

/// The circumstances of the holders of a socket.
pub fn of_holders(holders: &Holders) -> Vec<Circumstance> {
    let mut found = Vec::new();
    let mut say = |kind, how, sentence| found.push(circumstance(kind, how, sentence));
    let user = holders.user_shown();
    match holders.status {
        OwnerStatus::Kernel => say(
            Kind::KernelSocket,
            How::Observed,
            "The kernel itself holds it: there is no program to end.".to_owned(),
        ),
        OwnerStatus::Hidden => say(
            Kind::HiddenOwner,
            How::Observed,
            format!("Its process is hidden; it belongs to user {user}."),
        ),
        OwnerStatus::Elsewhere => say(
            Kind::OtherPidNamespace,
            How::Observed,
            format!("Its process is in another pid namespace; it belongs to user {user}."),
        ),
        _ => {}
    }
    if let Some(others) = holders.others() {
        say(
            Kind::SeveralHolders,
            How::Observed,
            format!("It is also held by {others}: the port is free only when all have closed the socket."),
        );
    }
    if let Some(stopped) = &holders.stopped {
        let sentence = format!("{}.", stopped.for_clients());
        say(Kind::StoppedHolder, How::Observed, sentence);
    }
    for inherited in &holders.inherited {
        let sentence = format!("{}.", inherited.sentence);
        say(Kind::InheritedDescriptor, How::Observed, sentence);
    }
    if holders.by_systemd {
        let sentence = match &holders.socket_unit {
            Some(unit) => format!("systemd holds it for {unit}, according to that unit's file."),
            None => "systemd holds it, but no unit file says for which unit.".to_owned(),
        };
        say(Kind::SystemdSocket, How::Inferred, sentence);
        return found;
    }
    let Some(owner) = holders.owners.first() else {
        return found;
    };
    let program = escape::text(&owner.program);
    match (&owner.container, &owner.unit) {
        (Some(container), _) if owner.forwards_for_container => say(
            Kind::ContainerProxy,
            How::Observed,
            format!("{program} forwards the port to the container {container}."),
        ),
        (None, _) if owner.forwards_for_container => say(
            Kind::ContainerProxy,
            How::Observed,
            format!("{program} forwards ports to containers."),
        ),
        (Some(container), _) => say(
            Kind::Container,
            How::Observed,
            format!("{program} runs in the container {container}."),
        ),
        (None, Some(unit)) if unit.as_bytes().ends_with(b".service") => say(
            Kind::Service,
            How::Observed,
            format!("{program} runs in {unit}, which may start it again."),
        ),
        _ => {}
    }
    if owner.binary_deleted {
        say(
            Kind::DeletedBinary,
            How::Observed,
            format!("The file that {program} runs has been deleted or replaced since it was started."),
        );
    }
    found
}

fn circumstance(kind: Kind, how: How, sentence: String) -> Circumstance {
    Circumstance {
        kind,
        how,
        sentence,
        socket: None,
    }
}
