//! From a question to a report: what is read, in the order in which it is needed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, ToSocketAddrs};
use std::num::NonZeroU32;

use rustix::thread::CapabilitySet;

use super::snapshot::{self, Snapshot};
use super::{caveats, elsewhere, inherited, process, systemd};
use crate::diagnose::bind::cures::cures;
use crate::diagnose::bind::errors::Errno;
use crate::diagnose::bind::report::{Answer, Holders, Report};
use crate::diagnose::bind::role::Role;
use crate::diagnose::bind::verdict::{Code, Effect, Finding, Outcome};
use crate::diagnose::bind::{Existing, Verdict, diagnose};
use crate::diagnose::place::{Host, PortPlace, of_families};
use crate::model::Context;
use crate::model::bind::BindAttempt;
use crate::model::request::OwnersBy;
use crate::model::system::SystemFacts;
use crate::model::{Protocol, State, StateSet};
use crate::source::containers::docker::Docker;
use crate::source::{system, tape, trial_bind};

/// How many sockets are described with their processes.
const DESCRIBED_MAX: usize = 8;
/// How far a free port is looked for.
const NEAR: u16 = 20;
/// How many of them are looked at with all their connections, which costs milliseconds each.
const LOOKED_AT_CLOSELY: usize = 2;

/// What somebody wants to know.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is an option of the command")]
pub struct Question {
    /// Where.
    pub place: PortPlace,
    /// TCP or UDP.
    pub protocol: Protocol,
    /// IPv4 only; with `ipv6`, or without both: both.
    pub ipv4: bool,
    /// IPv6 only.
    pub ipv6: bool,
    /// `IPV6_V6ONLY`, else what the machine gives to new sockets.
    pub v6only: bool,
    /// `SO_REUSEADDR`; both ways if `None`.
    pub reuseaddr: Option<bool>,
    /// `SO_REUSEPORT`.
    pub reuseport: bool,
    /// `SO_BINDTODEVICE`.
    pub device: Option<String>,
    /// For whom.
    pub uid: u32,
    /// Whether listen follows bind.
    pub listen: bool,
    /// Whether a trial bind may be made.
    pub probe: bool,
    /// How owners are found.
    pub owners_by: OwnersBy,
    /// How to run this with more rights; `None` for one who has them.
    pub sudo: Option<String>,
}

/// A report, with what its rows need.
#[derive(Debug)]
pub struct Answered {
    /// The report.
    pub report: Report,
    /// The sockets' owners.
    pub snapshot: Snapshot,
    /// Processes and names.
    pub context: Context,
}

/// Answers the question.
///
/// # Errors
/// One line, if the question names a host that does not exist.
pub fn ask(question: &Question) -> Result<Answered, String> {
    let system = system::read();
    let (attempts, mut notes) = attempts(question, &system)?;
    let port = question.place.port;
    let (from, to) = if port == 0 {
        (*system.local_port_range.start(), *system.local_port_range.end())
    } else {
        (port, port)
    };
    let mut snapshot = snapshot::read(question.protocol, from, to);
    let verdicts = verdicts(&attempts, &mut snapshot, &system, question);
    let context = context(&snapshot, &verdicts, question.uid);
    let holders = holders(&snapshot, &verdicts, &context, question);
    notes.extend(root_note(&attempts, &verdicts, &snapshot, &system));
    if port != 0 && system.is_reserved(port) {
        notes.push(format!(
            "{port} is in ip_local_reserved_ports: never chosen for a client, free to bind"
        ));
    }
    let (caveats, unseen) = caveats::read(port, question.protocol == Protocol::Udp);
    notes.extend(caveats);
    let blocked = verdicts
        .iter()
        .zip(&attempts)
        .find(|(verdict, _)| verdict.bind != Outcome::Ok);
    let free_port = blocked
        .filter(|(verdict, _)| port != 0 && !matches!(verdict.code, Code::Refused(_)))
        .and_then(|(_, attempt)| free_port_near(attempt, &system));
    let all_free = verdicts.iter().all(|verdict| verdict.code == Code::Free);
    let mut gaps = std::mem::take(&mut snapshot.gaps);
    gaps.extend(unseen);
    let mut report = Report {
        protocol: question.protocol,
        port,
        device: question.device.clone(),
        answers: Vec::new(),
        existing: snapshot.existing.clone(),
        holders,
        elsewhere: if all_free && port != 0 {
            elsewhere::owners(question.protocol, port, question.owners_by)
        } else {
            Vec::new()
        },
        system,
        user: process::user_name(&context, question.uid),
        free_port,
        notes,
        gaps,
        taken_at: tape::now(),
        sudo: question.sudo.clone(),
    };
    let answer = |(attempt, verdict): (BindAttempt, Verdict)| Answer {
        cures: cures(&report, &attempt, &verdict),
        attempt,
        verdict,
    };
    report.answers = attempts.into_iter().zip(verdicts).map(answer).collect();
    Ok(Answered {
        report,
        snapshot,
        context,
    })
}

/// The sockets that the question means, and notes about what was left out.
fn attempts(question: &Question, system: &SystemFacts) -> Result<(Vec<BindAttempt>, Vec<String>), String> {
    let mut notes = Vec::new();
    let addresses: Vec<IpAddr> = match &question.place.host {
        Host::Address(address) => vec![*address],
        Host::Any => {
            if !system.ipv6 {
                notes.push("there is no IPv6 here, so only 0.0.0.0 was looked at".to_owned());
            }
            let v6 = system.ipv6.then_some(Ipv6Addr::UNSPECIFIED.into());
            [Some(Ipv4Addr::UNSPECIFIED.into()), v6]
                .into_iter()
                .flatten()
                .collect()
        }
        Host::Name(name) => addresses_of(name)?,
    };
    let addresses = of_families(addresses, question.ipv4, question.ipv6)?;
    // An interface that does not exist has the highest number, which none has: the verdict says that it is not there.
    let index = |name: &str| {
        let mut known = system.interfaces.iter();
        let index = known.find(|(_, known)| known.as_str() == name);
        let number = index.map(|(index, _)| *index).or_else(|| name.parse().ok());
        number.and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MAX)
    };
    let device = question.device.as_deref().map(index);
    let scope_id = question.place.scope.as_deref().map(index);
    let reuse = match question.reuseaddr {
        Some(set) => vec![set],
        None => vec![false, true],
    };
    let mut attempts = Vec::new();
    for address in addresses {
        let mapped = matches!(address, IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some());
        for reuseaddr in &reuse {
            attempts.push(BindAttempt {
                v6only: question.v6only || (system.bindv6only && !mapped),
                reuseaddr: *reuseaddr,
                reuseport: question.reuseport,
                device,
                scope_id,
                uid: question.uid,
                net_bind_service: question.uid == 0 && may_bind_low_ports(),
                listen: question.listen && question.protocol == Protocol::Tcp,
                ..BindAttempt::new(question.protocol, address, question.place.port)
            });
        }
    }
    Ok((attempts, notes))
}

/// The addresses of a host name.
///
/// # Errors
/// One line, if it has none.
pub fn addresses_of(name: &str) -> Result<Vec<IpAddr>, String> {
    let (addresses, error) = tape::fact(&format!("addresses of {name}"), || {
        let found = (name, 0).to_socket_addrs();
        let error = found.as_ref().err().map(ToString::to_string);
        let mut addresses: Vec<_> = found.into_iter().flatten().map(|found| found.ip()).collect();
        addresses.dedup();
        (addresses, error)
    });
    match error {
        Some(error) => Err(format!("cannot look up '{name}': {error}")),
        None => Ok(addresses),
    }
}

/// Whether root here is root indeed: a container's may lack the capability.
fn may_bind_low_ports() -> bool {
    tape::fact("may bind low ports", || {
        rustix::process::getuid().as_raw() != 0
            || rustix::thread::capabilities(None)
                .is_ok_and(|sets| sets.effective.contains(CapabilitySet::NET_BIND_SERVICE))
    })
}

/// Diagnoses, and reads as much more as is needed to be sure: owners, then options, then a trial.
fn verdicts(
    attempts: &[BindAttempt],
    snapshot: &mut Snapshot,
    system: &SystemFacts,
    question: &Question,
) -> Vec<Verdict> {
    let all = |snapshot: &Snapshot| -> Vec<Verdict> {
        attempts
            .iter()
            .map(|attempt| diagnose(&snapshot.existing, attempt, system, None))
            .collect()
    };
    let mut verdicts = all(snapshot);
    if verdicts.iter().all(|verdict| verdict.findings.is_empty()) {
        return verdicts;
    }
    let connected = |finding: &Finding| matches!(finding.role, Role::Ephemeral | Role::Connected);
    if verdicts
        .iter()
        .flat_map(|verdict| &verdict.findings)
        .any(connected)
    {
        snapshot.read_given_ports();
        verdicts = all(snapshot);
    }
    snapshot.find_owners(question.owners_by);
    if verdicts
        .iter()
        .all(|verdict| verdict.bind != Outcome::Undecidable)
    {
        let unknown = |verdict: &Verdict| {
            let may_block = |finding: &Finding| matches!(finding.effect, Effect::MayBlock { .. });
            verdict.findings.iter().any(may_block)
        };
        let root_undecided = |attempt: &BindAttempt| {
            let of_root = diagnose(&snapshot.existing, &as_root(attempt), system, None);
            attempt.uid != 0 && of_root.bind == Outcome::Undecidable
        };
        if attempts.iter().any(root_undecided) {
            snapshot.read_options(StateSet::ALL);
            return all(snapshot);
        }
        if !verdicts.iter().any(unknown) {
            return verdicts;
        }
        // Nothing hangs on them any more, but from a listener the options of its connections are inferred.
        snapshot.read_options(StateSet::of(State::Listen));
        return all(snapshot);
    }
    snapshot.read_options(StateSet::ALL);
    let mut verdicts = all(snapshot);
    for (verdict, attempt) in verdicts.iter_mut().zip(attempts) {
        if question.probe && verdict.bind == Outcome::Undecidable {
            let trial = trial_bind::bind_once(attempt).map(|free| {
                if free {
                    Outcome::Ok
                } else {
                    Outcome::Fails(Errno::Eaddrinuse)
                }
            });
            *verdict = diagnose(&snapshot.existing, attempt, system, trial);
        }
    }
    verdicts
}

/// The sockets that findings name, each once, the weightiest first.
fn named(verdicts: &[Verdict]) -> Vec<usize> {
    let mut named = Vec::new();
    for finding in verdicts.iter().flat_map(|verdict| &verdict.findings) {
        if !named.contains(&finding.socket) && named.len() < DESCRIBED_MAX {
            named.push(finding.socket);
        }
    }
    named
}

fn context(snapshot: &Snapshot, verdicts: &[Verdict], uid: u32) -> Context {
    let (mut pids, mut uids) = (Vec::new(), vec![uid]);
    for one in named(verdicts)
        .into_iter()
        .filter_map(|at| snapshot.existing.get(at))
    {
        pids.extend(
            snapshot
                .owners
                .of(&one.socket)
                .holders
                .iter()
                .map(|holder| holder.pid),
        );
        uids.extend(one.socket.uid);
    }
    process::read(&pids, &uids)
}

fn holders(
    snapshot: &Snapshot,
    verdicts: &[Verdict],
    context: &Context,
    question: &Question,
) -> Vec<Holders> {
    let mut all = vec![Holders::default(); snapshot.existing.len()];
    for at in named(verdicts) {
        let (Some(one), Some(slot)) = (snapshot.existing.get(at), all.get_mut(at)) else {
            continue;
        };
        let ownership = snapshot.owners.of(&one.socket);
        let mut pids: Vec<u32> = ownership.holders.iter().map(|holder| holder.pid).collect();
        pids.dedup();
        // Who made the socket was there before those who inherited it; pids are used again and tell nothing.
        pids.sort_by_key(|pid| context.processes.get(pid).and_then(|process| process.started_at));
        let mut owners = process::describe(&pids, context);
        for owner in owners.iter_mut().filter(|owner| owner.program == b"dockerd") {
            owner.container =
                Docker::default().published_by(question.place.port, question.protocol == Protocol::Udp);
        }
        let systemd = systemd::among(&owners);
        *slot = Holders {
            status: ownership.status,
            inherited: inherited::read(&one.socket, ownership.holders, &owners, context),
            owners,
            by_systemd: systemd.is_some(),
            socket_unit: systemd.and_then(|who| {
                let port = systemd::Listen::Port(question.place.port, question.protocol == Protocol::Udp);
                systemd::socket_unit(who, port)
            }),
            user: one.socket.uid.map(|uid| process::user_name(context, uid)),
        };
    }
    all
}

/// The same attempt by root.
fn as_root(attempt: &BindAttempt) -> BindAttempt {
    BindAttempt {
        uid: 0,
        net_bind_service: true,
        ..attempt.clone()
    }
}

/// One line where root would be answered otherwise.
fn root_note(
    attempts: &[BindAttempt],
    verdicts: &[Verdict],
    snapshot: &Snapshot,
    system: &SystemFacts,
) -> Option<String> {
    attempts.iter().zip(verdicts).find_map(|(attempt, verdict)| {
        let of_root = diagnose(&snapshot.existing, &as_root(attempt), system, None).bind;
        (of_root != verdict.bind && of_root != Outcome::Undecidable && verdict.bind != Outcome::Undecidable)
            .then(|| format!("for root bind would say: {}", of_root.name()))
    })
}

/// The next port that the attempt could have: one without a listener, looked at closely.
fn free_port_near(attempt: &BindAttempt, system: &SystemFacts) -> Option<u16> {
    let from = attempt.port.checked_add(1)?;
    let to = from.saturating_add(NEAR);
    let states = match attempt.protocol {
        Protocol::Udp => StateSet::ALL,
        _ => StateSet::of(State::Listen),
    };
    let near = snapshot::read_states(attempt.protocol, from, to, states);
    let works = |port: u16, existing: &[Existing]| {
        let there = BindAttempt {
            port,
            ..attempt.clone()
        };
        diagnose(existing, &there, system, None).bind == Outcome::Ok
    };
    (from..=to)
        .filter(|port| works(*port, &near.existing))
        .take(LOOKED_AT_CLOSELY)
        .find(|port| works(*port, &snapshot::read(attempt.protocol, *port, *port).existing))
}
