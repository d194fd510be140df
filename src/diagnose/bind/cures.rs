//! What helps against a verdict: commands to copy, the most harmless first.

use std::net::{IpAddr, Ipv4Addr};

use crate::model::Protocol;

use super::diagnose::diagnose;
use super::errors::Refusal;
use super::existing::Existing;
use super::report::{Holders, Report};
use super::role::Role;
use super::verdict::{Code, Effect, Outcome, Verdict};
use crate::model::bind::BindAttempt;

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cure {
    /// What to type; `None` for advice that is no command.
    pub command: Option<String>,
    /// What it does.
    pub sentence: String,
    /// What it costs.
    pub harm: Harm,
}

/// What a cure costs, in rising order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Harm {
    /// Nothing.
    None,
    /// The machine is configured otherwise afterwards.
    Configures,
    /// A program ends.
    EndsProgram,
}

impl Harm {
    /// The word in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Configures => "configures",
            Self::EndsProgram => "ends-program",
        }
    }
}

fn advice(sentence: impl Into<String>) -> Cure {
    Cure {
        command: None,
        sentence: sentence.into(),
        harm: Harm::None,
    }
}

fn command(command: impl Into<String>, sentence: impl Into<String>, harm: Harm) -> Cure {
    Cure {
        command: Some(command.into()),
        sentence: sentence.into(),
        harm,
    }
}

/// The cures for one attempt of a report.
pub fn cures(report: &Report, attempt: &BindAttempt, verdict: &Verdict) -> Vec<Cure> {
    if verdict.bind == Outcome::Ok {
        return Vec::new();
    }
    let mut cures = Vec::new();
    match verdict.code {
        Code::Refused(refusal) => against_refusal(report, attempt, refusal, &mut cures),
        Code::RangeExhausted => cures.push(command(
            "sysctl -w net.ipv4.ip_local_port_range='15000 65000'",
            "widens the range that ports are chosen from",
            Harm::Configures,
        )),
        _ => against_holders(report, attempt, verdict, &mut cures),
    }
    cures.sort_by_key(|cure| cure.harm);
    cures.dedup();
    cures
}

fn against_refusal(report: &Report, attempt: &BindAttempt, refusal: Refusal, cures: &mut Vec<Cure>) {
    let port = attempt.port;
    match refusal {
        Refusal::PrivilegedPort => {
            let first = report.system.unprivileged_port_start;
            cures.push(advice(format!("bind a port from {first} up")));
            cures.push(command(
                "setcap cap_net_bind_service=+ep PROGRAM",
                "lets that one program bind low ports",
                Harm::Configures,
            ));
            cures.push(command(
                format!("sysctl -w net.ipv4.ip_unprivileged_port_start={port}"),
                format!("lets every program bind ports from {port} up"),
                Harm::Configures,
            ));
        }
        Refusal::NotLocal => {
            let any = if attempt.address.is_ipv4() {
                "0.0.0.0"
            } else {
                "[::]"
            };
            cures.push(advice(format!("bind {any}, or an address of this machine")));
            let family = if attempt.address.is_ipv4() { "ipv4" } else { "ipv6" };
            cures.push(command(
                format!("sysctl -w net.{family}.ip_nonlocal_bind=1"),
                "lets programs bind addresses that come and go",
                Harm::Configures,
            ));
        }
        Refusal::NoScope => cures.push(advice("name the interface: [ADDRESS%INTERFACE]:PORT")),
        Refusal::MappedV6only => cures.push(advice("leave IPV6_V6ONLY off, or bind the IPv4 address itself")),
        Refusal::NoIpv6 => cures.push(advice("bind an IPv4 address")),
        Refusal::MulticastStream | Refusal::NoDevice => {}
    }
}

fn against_holders(report: &Report, attempt: &BindAttempt, verdict: &Verdict, cures: &mut Vec<Cure>) {
    let blocking = verdict
        .findings
        .iter()
        .filter(|finding| !matches!(finding.effect, Effect::Shares { .. }));
    let mut longest_ms = None;
    let mut only_resting = true;
    for finding in blocking {
        let Some(one) = report.existing.get(finding.socket) else {
            continue;
        };
        match finding.role {
            Role::TimeWait | Role::Orphan if one.is_stub() => {
                longest_ms = longest_ms.max(time_left_ms(one));
            }
            role => {
                only_resting = false;
                if let Some(holders) = report
                    .holders
                    .get(finding.socket)
                    .filter(|_| role != Role::Orphan)
                {
                    let option = if attempt.protocol == Protocol::Udp {
                        "-u "
                    } else {
                        ""
                    };
                    let place = (role <= Role::Bound).then(|| format!("{option}:{}", attempt.port));
                    end_holders(holders, place, cures);
                }
                if role == Role::Ephemeral {
                    cures.push(reserve(report, attempt.port));
                }
            }
        }
    }
    if let (true, Some(ms)) = (only_resting, longest_ms) {
        let seconds = ms.div_ceil(1000);
        cures.push(command(
            format!("sleep {seconds}"),
            "after that the port is free",
            Harm::None,
        ));
        if !attempt.reuseaddr {
            cures.push(advice("set SO_REUSEADDR in the server, for the next time"));
        }
    }
    if let Some(port) = report.free_port {
        cures.push(advice(format!("bind another port: {port} is free")));
    }
    if let Some(address) = other_loopback(report, attempt) {
        cures.push(advice(format!("bind {address}:{}, which is free", attempt.port)));
    }
}

/// How long a closed connection still rests.
pub fn time_left_ms(existing: &Existing) -> Option<u32> {
    existing.socket.timer.and_then(|timer| timer.expires_ms)
}

/// `place` is what `sockstat kill` calls a socket that waits there; connections are no targets of it.
pub(super) fn end_holders(holders: &Holders, place: Option<String>, cures: &mut Vec<Cure>) {
    if let Some(unit) = &holders.socket_unit {
        cures.push(command(
            format!("systemctl disable --now {unit}"),
            format!("{unit} asks systemd to listen there"),
            Harm::EndsProgram,
        ));
        return;
    }
    if holders.by_systemd {
        cures.push(command(
            "systemctl list-sockets",
            "shows for which socket unit systemd listens; systemctl disable --now UNIT ends that",
            Harm::None,
        ));
        return;
    }
    let Some(owner) = holders.owners.first() else {
        return;
    };
    let program = crate::render::escape::text(&owner.program);
    if let Some(container) = owner.container.as_ref() {
        cures.push(command(
            format!("{} stop {container}", owner.container_tool),
            format!("{program} belongs to the container {container}"),
            Harm::EndsProgram,
        ));
        return;
    }
    if owner.forwards_for_container {
        cures.push(command(
            format!("{} ps", owner.container_tool),
            format!(
                "shows the container that {program} forwards to; {} stop ends both",
                owner.container_tool
            ),
            Harm::None,
        ));
        return;
    }
    if let Some(unit) = owner
        .unit
        .as_ref()
        .filter(|unit| !unit.starts_with("session-") && !unit.starts_with("user@"))
    {
        cures.push(command(
            format!("systemctl stop {unit}"),
            format!("{program} runs in {unit}, which may start it again"),
            Harm::EndsProgram,
        ));
        return;
    }
    if owner.pid > 1 {
        let sentence = format!("TERM to {program} {}", owner.pid);
        if cures.iter().any(|cure| cure.sentence.starts_with(&sentence)) {
            return;
        }
        cures.push(match place {
            Some(place) => command(
                format!("sockstat kill {place}"),
                format!("{sentence}, then checks"),
                Harm::EndsProgram,
            ),
            None => command(format!("kill {}", owner.pid), sentence, Harm::EndsProgram),
        });
    }
}

/// Keeps the kernel from choosing the port again; what is reserved already stays so.
fn reserve(report: &Report, port: u16) -> Cure {
    let ranges = report.system.reserved_ports.iter();
    let mut words: Vec<String> = ranges
        .map(|range| match (range.start(), range.end()) {
            (from, to) if from == to => from.to_string(),
            (from, to) => format!("{from}-{to}"),
        })
        .collect();
    words.push(port.to_string());
    command(
        format!("sysctl -w net.ipv4.ip_local_reserved_ports={}", words.join(",")),
        "keeps the kernel from choosing the port for a client again",
        Harm::Configures,
    )
}

/// Another loopback address on which the port is free; only for who wants one loopback address.
fn other_loopback(report: &Report, attempt: &BindAttempt) -> Option<Ipv4Addr> {
    let other = Ipv4Addr::new(127, 0, 0, 2);
    let wanted = matches!(attempt.address, IpAddr::V4(address) if address.is_loopback() && address != other);
    let there = BindAttempt {
        address: other.into(),
        ..attempt.clone()
    };
    let verdict = wanted.then(|| diagnose(&report.existing, &there, &report.system, None))?;
    (verdict.bind == Outcome::Ok).then_some(other)
}
