//! The remedies for a verdict: commands to copy, the least harmful first.

use std::net::{IpAddr, Ipv4Addr};

use crate::model::{Protocol, State, StateSet};

use super::address;
use super::cure::{Cure, Harm, Rights};
use super::diagnose::diagnose;
use super::end_holders::end_holders;
use super::errors::Refusal;
use super::missing::Missing;
use super::report::{Answer, Report};
use super::role::Role;
use super::verdict::{Code, Effect, Outcome};
use crate::model::bind::BindAttempt;

/// Returns the remedies for one answer of a report.
pub fn cures(report: &Report, answer: &Answer) -> Vec<Cure> {
    let Answer { attempt, verdict, .. } = answer;
    if verdict.bind == Outcome::Ok {
        return Vec::new();
    }
    let mut cures = Vec::new();
    match verdict.code {
        Code::Refused(refusal) => {
            against_refusal(report, attempt, refusal, &mut cures);
            if !verdict.findings.is_empty() {
                against_holders(report, answer, &mut cures);
            }
        }
        Code::Unreadable(Missing::Socket) => {}
        Code::RangeExhausted => cures.push(
            Cure::command(
                "sysctl -w net.ipv4.ip_local_port_range='15000 65000'",
                "widens the range that ports are chosen from",
                Harm::Configures,
            )
            .with_rights(Rights::Root),
        ),
        _ => against_holders(report, answer, &mut cures),
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
            cures.push(Cure::advice(format!("bind a port from {first} up")));
            cures.push(
                Cure::command(
                    "setcap cap_net_bind_service=+ep PROGRAM",
                    "lets that one program bind low ports",
                    Harm::Configures,
                )
                .with_rights(Rights::Root),
            );
            cures.push(
                Cure::command(
                    format!("sysctl -w net.ipv4.ip_unprivileged_port_start={port}"),
                    format!("lets every program bind ports from {port} up"),
                    Harm::Configures,
                )
                .with_rights(Rights::Root),
            );
        }
        Refusal::NotLocal => {
            let any = if attempt.address.is_ipv4() {
                "0.0.0.0"
            } else {
                "[::]"
            };
            cures.push(Cure::advice(format!("bind {any}, or an address of this machine")));
            let family = if attempt.address.is_ipv4() { "ipv4" } else { "ipv6" };
            cures.push(
                Cure::command(
                    format!("sysctl -w net.{family}.ip_nonlocal_bind=1"),
                    "lets programs bind addresses that this machine does not have",
                    Harm::Configures,
                )
                .with_rights(Rights::Root),
            );
        }
        Refusal::NoScope => cures.push(Cure::advice("name the interface: [ADDRESS%INTERFACE]:PORT")),
        Refusal::MappedV6only => cures.push(Cure::advice(
            "leave IPV6_V6ONLY off, or bind the IPv4 address itself",
        )),
        Refusal::NoIpv6 => cures.push(Cure::advice("bind an IPv4 address")),
        Refusal::MulticastStream | Refusal::NoDevice => {}
    }
}

fn against_holders(report: &Report, answer: &Answer, cures: &mut Vec<Cure>) {
    let Answer { attempt, verdict, .. } = answer;
    let blocking = verdict
        .findings
        .iter()
        .filter(|finding| !matches!(finding.effect, Effect::Shares { .. }));
    let mut longest_ms = None;
    let mut only_resting = true;
    let mut resting = StateSet::NONE;
    for finding in blocking {
        let Some(one) = report.existing.get(finding.socket) else {
            continue;
        };
        match finding.role {
            Role::TimeWait | Role::Orphan if one.is_stub() => {
                longest_ms = longest_ms.max(one.time_left_ms());
                resting = resting.union(StateSet::of(one.socket.state));
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
        if works_with_reuseaddr(report, attempt) {
            cures.push(Cure::advice("set SO_REUSEADDR in the server: then it binds now"));
        }
        let seconds = ms.div_ceil(1000);
        cures.push(Cure::command(
            format!("sleep {seconds}"),
            "after that the port is free",
            Harm::None,
        ));
        if !attempt.reuseaddr && !works_with_reuseaddr(report, attempt) {
            cures.push(Cure::advice("set SO_REUSEADDR in the server, for the next time"));
        }
        cures.push(forget(resting, attempt.port));
    }
    if let Some(port) = report.free_port {
        let place = match attempt.address {
            address if address.is_unspecified() => port.to_string(),
            address => format!("{}:{port}", address::text(address)),
        };
        cures.push(Cure::advice(format!("bind another port: {place} is free")));
    }
    if let Some(address) = other_loopback(report, attempt) {
        cures.push(Cure::advice(format!(
            "bind {address}:{}, which is free",
            attempt.port
        )));
    }
}

/// Whether the same attempt works with `SO_REUSEADDR`, as the report says.
fn works_with_reuseaddr(report: &Report, attempt: &BindAttempt) -> bool {
    let with = BindAttempt {
        reuseaddr: true,
        ..attempt.clone()
    };
    let mut answers = report.answers.iter();
    !attempt.reuseaddr && answers.any(|other| other.attempt == with && other.verdict.bind == Outcome::Ok)
}

/// The command that makes the kernel forget closed connections at once.
fn forget(states: StateSet, port: u16) -> Cure {
    let states = State::ALL.into_iter().filter(|state| states.contains(*state));
    let words: Vec<_> = states.map(|state| format!("state {}", state.name())).collect();
    Cure::command(
        format!("sockstat -K {} sport = :{port}", words.join(" ")),
        "frees the port at once: the kernel forgets what is left of these connections",
        Harm::ClosesConnection,
    )
    .with_rights(Rights::Root)
}

/// The command that keeps the kernel from choosing the port again, and keeps the ports that are already reserved.
fn reserve(report: &Report, port: u16) -> Cure {
    let ranges = report.system.reserved_ports.iter();
    let mut words: Vec<String> = ranges
        .map(|range| match (range.start(), range.end()) {
            (from, to) if from == to => from.to_string(),
            (from, to) => format!("{from}-{to}"),
        })
        .collect();
    words.push(port.to_string());
    Cure::command(
        format!("sysctl -w net.ipv4.ip_local_reserved_ports={}", words.join(",")),
        "frees nothing now; keeps the kernel from choosing the port for a client again",
        Harm::Configures,
    )
    .with_rights(Rights::Root)
}

/// Another loopback address on which the port is free; only for an attempt on one loopback address.
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
