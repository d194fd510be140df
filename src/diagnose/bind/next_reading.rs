//! Which further reads could change an answer. Later ones cost more, so each is made only if it may make a difference.

use super::diagnose::diagnose;
use super::existing::Existing;
use super::role::Role;
use super::verdict::{Effect, Finding, Outcome, Verdict};
use crate::model::bind::BindAttempt;
use crate::model::system::SystemFacts;
use crate::model::{State, StateSet};

/// The verdicts on all attempts.
pub fn diagnose_all(existing: &[Existing], attempts: &[BindAttempt], system: &SystemFacts) -> Vec<Verdict> {
    attempts
        .iter()
        .map(|attempt| diagnose(existing, attempt, system, None))
        .collect()
}

fn findings(verdicts: &[Verdict]) -> impl Iterator<Item = &Finding> {
    verdicts.iter().flat_map(|verdict| &verdict.findings)
}

/// Whether owners matter: some socket blocks or shares the port.
pub fn needs_owners(verdicts: &[Verdict]) -> bool {
    findings(verdicts).next().is_some()
}

/// Whether it matters which sockets chose their port and which were assigned one.
pub fn needs_given_ports(verdicts: &[Verdict]) -> bool {
    findings(verdicts).any(|finding| matches!(finding.role, Role::Ephemeral | Role::Connected))
}

/// The states of the sockets whose options matter; `None` if no options do.
pub fn needs_options(
    verdicts: &[Verdict],
    attempts: &[BindAttempt],
    existing: &[Existing],
    system: &SystemFacts,
) -> Option<StateSet> {
    let undecided = |verdict: &Verdict| verdict.bind == Outcome::Undecidable;
    let as_root = || {
        attempts
            .iter()
            .any(|attempt| undecided(&diagnose(existing, &as_root(attempt), system, None)))
    };
    if verdicts.iter().any(undecided) || as_root() {
        return Some(StateSet::ALL);
    }
    // They decide nothing any more, but the options of a connection are inferred from its listener.
    findings(verdicts)
        .any(|finding| matches!(finding.effect, Effect::MayBlock { .. }))
        .then(|| StateSet::of(State::Listen))
}

/// The same attempt, made by root.
pub(super) fn as_root(attempt: &BindAttempt) -> BindAttempt {
    BindAttempt {
        uid: 0,
        net_bind_service: true,
        ..attempt.clone()
    }
}

/// The sockets named in the findings, each once, the most important first, at most `most`.
pub fn named(verdicts: &[Verdict], most: usize) -> Vec<usize> {
    let mut named = Vec::new();
    for finding in findings(verdicts) {
        if !named.contains(&finding.socket) && named.len() < most {
            named.push(finding.socket);
        }
    }
    named
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::bind::question::Question;
    use crate::diagnose::bind::samples::{question, socket, system};

    fn verdicts(existing: &[Existing], question: &Question) -> (Vec<Verdict>, Vec<BindAttempt>) {
        let (attempts, _) = question.attempts(&system()).unwrap();
        (diagnose_all(existing, &attempts, &system()), attempts)
    }

    #[test]
    fn a_free_port_needs_nothing() {
        let existing = [socket(State::Listen, "0.0.0.0", 4000)];
        let (verdicts, attempts) = verdicts(&existing, &question());
        assert!(!needs_owners(&verdicts) && !needs_given_ports(&verdicts));
        assert_eq!(needs_options(&verdicts, &attempts, &existing, &system()), None);
        assert!(named(&verdicts, 8).is_empty());
    }

    #[test]
    fn a_listener_needs_its_owner_and_nothing_else() {
        let existing = [socket(State::Listen, "0.0.0.0", 3000)];
        let (verdicts, attempts) = verdicts(&existing, &question());
        assert!(needs_owners(&verdicts) && !needs_given_ports(&verdicts));
        assert_eq!(needs_options(&verdicts, &attempts, &existing, &system()), None);
        assert_eq!(named(&verdicts, 8), [0]);
        assert!(named(&verdicts, 0).is_empty());
    }

    #[test]
    fn a_connection_needs_to_know_how_it_got_its_port() {
        let existing = [socket(State::Established, "127.0.0.1", 3000)];
        let (verdicts, _) = verdicts(&existing, &question());
        assert!(needs_given_ports(&verdicts));
    }

    #[test]
    fn options_matter_where_they_decide_for_the_user_or_for_root() {
        let unknown = |uid| {
            let mut one = socket(State::Listen, "0.0.0.0", 3000);
            (one.reuseaddr, one.reuseport, one.socket.uid) = (None, None, Some(uid));
            one
        };
        let reuseport = Question {
            reuseport: true,
            ..question()
        };
        // When user 1000 asks, only root's answer depends on the options of root's socket.
        for existing in [[unknown(1000)], [unknown(0)]] {
            let (verdicts, attempts) = verdicts(&existing, &reuseport);
            assert_eq!(
                needs_options(&verdicts, &attempts, &existing, &system()),
                Some(StateSet::ALL)
            );
        }
    }

    #[test]
    fn with_a_listener_only_the_options_of_the_listener_are_read() {
        let unknown = |state, address| Existing {
            reuseaddr: None,
            reuseport: None,
            ..socket(state, address, 3000)
        };
        let existing = [
            unknown(State::Listen, "0.0.0.0"),
            unknown(State::Established, "127.0.0.1"),
        ];
        let (verdicts, attempts) = verdicts(&existing, &question());
        assert_eq!(
            needs_options(&verdicts, &attempts, &existing, &system()),
            Some(StateSet::of(State::Listen))
        );
    }
}
