//! The verdict on one attempt.

use std::collections::BTreeMap;

use crate::model::Protocol;

use super::errors::{Errno, Refusal, refusal};
use super::existing::{Existing, How};
use super::infer::with_options_of_listener;
use super::missing::Missing;
use super::role::Role;
use super::rules::{Conflict, Sharing, conflict, keeps_automatic_choice_away};
use super::rules_by_kernel::KernelRules;
use super::verdict::{Code, Effect, Finding, Mismatch, Outcome, Verdict};
use crate::model::bind::BindAttempt;
use crate::model::system::SystemFacts;

/// Returns what the kernel would answer to `attempt`, given the `existing` sockets.
///
/// `existing` may contain any sockets of the network namespace; the relevant ones are selected here. An unknown fact
/// about them makes the answer undecidable only if the answer depends on it. `trial` is the kernel's own answer to a
/// bind with the same options, if one was made; it settles what could not be read.
pub fn diagnose(
    existing: &[Existing],
    attempt: &BindAttempt,
    system: &SystemFacts,
    trial: Option<Outcome>,
) -> Verdict {
    if let Some(refusal) = refusal(attempt, system) {
        // The kernel refuses before it checks the port, but with the privilege it would get there.
        let mut findings = match refusal {
            Refusal::PrivilegedPort if attempt.port != 0 => findings(existing, attempt, system),
            _ => Vec::new(),
        };
        findings.retain(|finding| matches!(finding.effect, Effect::Blocks { .. }));
        return Verdict {
            bind: Outcome::Fails(refusal.errno()),
            listen: None,
            code: Code::Refused(refusal),
            findings,
            ports_left: None,
        };
    }
    if attempt.port == 0 {
        return automatic(existing, attempt, system);
    }
    let mut findings = findings(existing, attempt, system);
    let (mut bind, mut code) = decide(&findings, attempt);
    if bind != Outcome::Ok && tcp_may_admit(existing, attempt) {
        (bind, code) = (Outcome::Undecidable, Code::OrderDependent);
    }
    if let (Outcome::Undecidable, Some(proof)) = (bind, trial) {
        code = apply_trial(&mut findings, proof, attempt).unwrap_or(code);
        bind = proof;
    }
    if bind != Outcome::Undecidable {
        infer_the_rest(&mut findings, existing, attempt, KernelRules::of(system.kernel));
    }
    Verdict {
        bind,
        listen: listen_after(bind, attempt),
        code,
        findings,
        ports_left: None,
    }
}

/// listen checks for conflicts by the same rule as bind (linux 6.18 net/ipv4/inet_connection_sock.c,
/// inet_csk_listen_start), so with the same sockets it succeeds if bind did.
fn listen_after(bind: Outcome, attempt: &BindAttempt) -> Option<Outcome> {
    match bind {
        Outcome::Fails(_) => None,
        outcome => (attempt.listen && attempt.protocol == Protocol::Tcp).then_some(outcome),
    }
}

fn findings(existing: &[Existing], attempt: &BindAttempt, system: &SystemFacts) -> Vec<Finding> {
    let rules = KernelRules::of(system.kernel);
    let effect = |existing: &Existing| match conflict(existing, attempt, rules) {
        Conflict::Apart => None,
        Conflict::Shares { by, how } => Some(Effect::Shares { by, how }),
        Conflict::Blocks { how } => Some(Effect::Blocks {
            how,
            mismatch: mismatch(existing, attempt),
        }),
        Conflict::Undecided { missing } => Some(Effect::MayBlock { missing }),
    };
    let mut findings: Vec<_> = existing
        .iter()
        .enumerate()
        .filter_map(|(socket, one)| {
            effect(one).map(|effect| Finding {
                effect,
                role: Role::of(one, existing, system),
                socket,
            })
        })
        .collect();
    findings.sort_by_key(|finding| (weight(finding.effect), finding.role));
    findings
}

const fn weight(effect: Effect) -> u8 {
    match effect {
        Effect::Blocks { .. } => 0,
        Effect::MayBlock { .. } => 1,
        Effect::Shares { .. } => 2,
    }
}

fn mismatch(existing: &Existing, attempt: &BindAttempt) -> Option<Mismatch> {
    let other_owner = existing.socket.uid.is_some_and(|uid| uid != attempt.uid);
    attempt.reuseport.then_some(if other_owner {
        Mismatch::Uid
    } else {
        Mismatch::Flag
    })
}

/// Combines the findings. They are sorted by weight.
fn decide(findings: &[Finding], attempt: &BindAttempt) -> (Outcome, Code) {
    let taken = Outcome::Fails(Errno::Eaddrinuse);
    let Some(first) = findings.first() else {
        return (Outcome::Ok, Code::Free);
    };
    match first.effect {
        Effect::Blocks { .. } if udp_may_admit(findings, attempt) => {
            (Outcome::Undecidable, Code::OrderDependent)
        }
        Effect::Blocks {
            mismatch: Some(_), ..
        } if first.role <= Role::Bound => (taken, Code::ReuseportMismatch),
        Effect::Blocks { .. } => (taken, Code::Taken(first.role)),
        Effect::MayBlock { missing } => (Outcome::Undecidable, Code::Unreadable(missing)),
        Effect::Shares { by, .. } => (Outcome::Ok, Code::Shared(by)),
    }
}

/// Whether the kernel may admit a TCP attempt with `SO_REUSEPORT` although another socket conflicts.
///
/// It remembers uid and address of a `SO_REUSEPORT` socket that it admitted to the port, and admits the next one with
/// the same properties without checking the others (linux 6.18 net/ipv4/inet_connection_sock.c, sk_reuseport_match).
/// What it remembers cannot be read, but whether such a socket exists, or a connection that inherited the option from
/// one, can.
fn tcp_may_admit(existing: &[Existing], attempt: &BindAttempt) -> bool {
    let remembered = |one: &Existing| {
        one.shares_ports_with(attempt.protocol)
            && one.holds_port()
            && one
                .socket
                .inet()
                .is_some_and(|pair| pair.local_port == attempt.port)
            && one.reuseport.is_none_or(|flag| flag.set)
            && (one.is_connected() || one.socket.uid.is_none_or(|uid| uid == attempt.uid))
    };
    attempt.protocol == Protocol::Tcp && attempt.reuseport && existing.iter().any(remembered)
}

/// For UDP, the kernel checks the sockets on the port from the newest to the oldest, and admits the attempt at the
/// first that shares by `SO_REUSEPORT`, even if an older one conflicts (linux 6.18 net/ipv4/udp.c,
/// udp_lib_lport_inuse).
fn udp_may_admit(findings: &[Finding], attempt: &BindAttempt) -> bool {
    let lets_in = |finding: &Finding| {
        matches!(
            finding.effect,
            Effect::Shares {
                by: Sharing::ReusePort,
                ..
            } | Effect::MayBlock {
                missing: Missing::ReusePort | Missing::ReuseFlags | Missing::Uid | Missing::V6only,
            }
        )
    };
    attempt.protocol == Protocol::Udp && attempt.reuseport && findings.iter().any(lets_in)
}

/// Fills in facts by inference where they do not change the answer; the findings then say that they are inferred.
fn infer_the_rest(
    findings: &mut [Finding],
    existing: &[Existing],
    attempt: &BindAttempt,
    rules: KernelRules,
) {
    for finding in findings {
        let Some(one) = existing
            .get(finding.socket)
            .filter(|_| matches!(finding.effect, Effect::MayBlock { .. }))
        else {
            continue;
        };
        let Some(inferred) = with_options_of_listener(one, existing) else {
            continue;
        };
        match conflict(&inferred, attempt, rules) {
            Conflict::Shares { by, how } => finding.effect = Effect::Shares { by, how },
            Conflict::Blocks { how } => {
                finding.effect = Effect::Blocks {
                    how,
                    mismatch: mismatch(one, attempt),
                };
            }
            Conflict::Apart | Conflict::Undecided { .. } => {}
        }
    }
}

/// Applies the result of a trial bind to the findings and returns the reason. If the trial succeeded, every socket
/// admits the attempt. If it failed and only one socket is in doubt, that one blocks; if several are, the findings stay
/// as they are.
fn apply_trial(findings: &mut [Finding], proof: Outcome, attempt: &BindAttempt) -> Option<Code> {
    let how = How::Proven;
    let by = if attempt.reuseaddr {
        Sharing::ReuseAddr
    } else {
        Sharing::ReusePort
    };
    let effect = match proof {
        Outcome::Ok => Effect::Shares { by, how },
        Outcome::Fails(_) => Effect::Blocks { how, mismatch: None },
        Outcome::Undecidable => return None,
    };
    let role = findings.first()?.role;
    let mut doubtful: Vec<_> = findings
        .iter_mut()
        .filter(|finding| matches!(finding.effect, Effect::MayBlock { .. }))
        .collect();
    if proof == Outcome::Ok || doubtful.len() == 1 {
        for finding in &mut doubtful {
            finding.effect = effect;
        }
    }
    Some(match proof {
        Outcome::Ok => Code::Shared(by),
        _ => Code::Taken(role),
    })
}

/// Port 0: counts the ports that the kernel may still choose.
fn automatic(existing: &[Existing], attempt: &BindAttempt, system: &SystemFacts) -> Verdict {
    let rules = KernelRules::of(system.kernel);
    let range = system.local_port_range.clone();
    let wanted: Vec<u16> = range.filter(|port| !system.is_reserved(*port)).collect();
    // Ports that are or may be taken.
    let mut gone = BTreeMap::new();
    for one in existing {
        let Some(pair) = one.socket.inet() else { continue };
        let surely = match keeps_automatic_choice_away(one, attempt, rules) {
            Some(false) => continue,
            Some(true) => true,
            None => false,
        };
        if system.is_automatic(pair.local_port) {
            *gone.entry(pair.local_port).or_insert(false) |= surely;
        }
    }
    let left = wanted.len().saturating_sub(gone.len());
    let doubtful = gone.values().any(|surely| !surely);
    let reusable = system.autobind_reuse && attempt.reuseaddr && attempt.protocol == Protocol::Tcp;
    let (bind, code) = if left > 0 {
        (Outcome::Ok, Code::Free)
    } else if doubtful {
        (Outcome::Undecidable, Code::Unreadable(Missing::ReuseFlags))
    } else if reusable {
        shared_automatic(existing, attempt, &wanted, rules)
    } else {
        (Outcome::Fails(Errno::Eaddrinuse), Code::RangeExhausted)
    };
    Verdict {
        bind,
        listen: listen_after(bind, attempt),
        code,
        findings: Vec::new(),
        ports_left: Some(left),
    }
}

/// With ip_autobind_reuse, the kernel searches again for a port that `SO_REUSEADDR` lets it share.
fn shared_automatic(
    existing: &[Existing],
    attempt: &BindAttempt,
    wanted: &[u16],
    rules: KernelRules,
) -> (Outcome, Code) {
    let mut undecided = false;
    for port in wanted {
        let alone = BindAttempt {
            port: *port,
            reuseport: false,
            ..attempt.clone()
        };
        let conflicts = existing.iter().map(|one| conflict(one, &alone, rules));
        let worst = conflicts.fold(Outcome::Ok, |worst, conflict| match (worst, conflict) {
            (Outcome::Fails(errno), _) => Outcome::Fails(errno),
            (_, Conflict::Blocks { .. }) => Outcome::Fails(Errno::Eaddrinuse),
            (_, Conflict::Undecided { .. }) => Outcome::Undecidable,
            (worst, _) => worst,
        });
        match worst {
            Outcome::Ok => return (Outcome::Ok, Code::Shared(Sharing::ReuseAddr)),
            Outcome::Undecidable => undecided = true,
            Outcome::Fails(_) => {}
        }
    }
    if undecided {
        (Outcome::Undecidable, Code::Unreadable(Missing::ReuseAddr))
    } else {
        (Outcome::Fails(Errno::Eaddrinuse), Code::RangeExhausted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_that_works_settles_every_doubt_and_one_that_fails_only_a_single_doubt() {
        let in_doubt = Effect::MayBlock {
            missing: Missing::ReuseAddr,
        };
        let attempt = BindAttempt {
            reuseaddr: true,
            ..BindAttempt::new(Protocol::Tcp, "0.0.0.0".parse().unwrap(), 80)
        };
        let effects = |count: usize, proof: Outcome| {
            let finding = |socket| Finding {
                effect: in_doubt,
                role: Role::Bound,
                socket,
            };
            let mut findings: Vec<_> = (0..count).map(finding).collect();
            let code = apply_trial(&mut findings, proof, &attempt);
            (
                code,
                findings.iter().map(|finding| finding.effect).collect::<Vec<_>>(),
            )
        };
        let how = How::Proven;
        let shares = Effect::Shares {
            by: Sharing::ReuseAddr,
            how,
        };
        let blocks = Effect::Blocks { how, mismatch: None };
        let fails = Outcome::Fails(Errno::Eaddrinuse);
        let (shared, taken) = (
            Some(Code::Shared(Sharing::ReuseAddr)),
            Some(Code::Taken(Role::Bound)),
        );
        assert_eq!(effects(2, Outcome::Ok), (shared, vec![shares; 2]));
        assert_eq!(effects(1, fails), (taken, vec![blocks]));
        assert_eq!(effects(2, fails), (taken, vec![in_doubt; 2]));
        assert_eq!(effects(1, Outcome::Undecidable), (None, vec![in_doubt]));
    }
}
