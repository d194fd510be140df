//! Sentences in addition to a verdict: what else may affect the port.

use super::diagnose::diagnose;
use super::existing::Existing;
use super::next_reading::as_root;
use super::role::Role;
use super::verdict::{Code, Effect, Outcome, Verdict};
use crate::model::Gap;
use crate::model::Name;
use crate::model::bind::BindAttempt;
use crate::model::security::{BindHooks, BindSecurity};
use crate::model::system::SystemFacts;

/// A sentence for the case that root would get another answer.
pub fn of_root(
    attempts: &[BindAttempt],
    verdicts: &[Verdict],
    existing: &[Existing],
    system: &SystemFacts,
) -> Option<String> {
    attempts.iter().zip(verdicts).find_map(|(attempt, verdict)| {
        let of_root = diagnose(existing, &as_root(attempt), system, None).bind;
        (of_root != verdict.bind && of_root != Outcome::Undecidable && verdict.bind != Outcome::Undecidable)
            .then(|| match of_root {
                Outcome::Ok => "as root, bind would succeed".to_owned(),
                _ => format!("as root, bind would fail with {}", of_root.name()),
            })
    })
}

/// A sentence for the case that a trial bind met a socket that the kernel does not list.
pub fn of_unlisted(verdicts: &[Verdict]) -> Option<String> {
    let met = |verdict: &Verdict| {
        verdict.code == Code::Taken(Role::Bound)
            && verdict
                .findings
                .iter()
                .all(|finding| matches!(finding.effect, Effect::Shares { .. }))
    };
    verdicts.iter().any(met).then(|| {
        "a trial bind failed: a socket that is bound but not listening has the port, and this kernel does not list it"
            .to_owned()
    })
}

/// A sentence for a port that the kernel never chooses automatically.
pub fn of_reserved_port(port: u16, system: &SystemFacts) -> Option<String> {
    (port != 0 && system.is_reserved(port))
        .then(|| format!("{port} is in ip_local_reserved_ports: never chosen for a client, free to bind"))
}

/// A sentence about the container that docker forwards the port to.
pub fn of_publisher(container: &Name, port: u16) -> String {
    format!(
        "docker's state says that the container {container} publishes port {port}: its NAT rules come before any socket"
    )
}

/// A sentence about who uses the port number with another protocol.
pub fn of_other_protocol(clause: &str) -> String {
    format!("{clause}: ports of different protocols do not conflict")
}

/// A sentence about a listener that the packet filter hides from other machines.
pub fn of_closed_port(stopped: &str) -> String {
    format!("reachable from this machine only: {stopped}")
}

/// Sentences about security modules and BPF programs, and what could not be examined.
pub fn of_security(security: &BindSecurity) -> (Vec<String>, Option<Gap>) {
    let mut notes = Vec::new();
    let restricting = restricting(security);
    if !restricting.is_empty() {
        notes.push(format!(
            "{} may refuse a bind with EACCES; that was not examined",
            restricting.join(" and ")
        ));
    }
    let gap = match security.bind_hooks {
        BindHooks::Absent => None,
        BindHooks::Attached => {
            notes.push(
                "a BPF program of this cgroup, or of one above it, runs on every bind, and may refuse it or change the address"
                    .to_owned(),
            );
            None
        }
        BindHooks::Unreadable => Some(
            Gap::note(
                "bind-hooks-unseen",
                "it is unknown whether a BPF program of this cgroup, or of one above it, runs on bind",
            )
            .with_remedy("needs CAP_NET_ADMIN"),
        ),
    };
    (notes, gap)
}

/// The security modules that may refuse a bind. Landlock is active nearly everywhere, but restricts only programs that
/// restricted themselves or were restricted by a parent. Those have `no_new_privs` set, unless they are root.
fn restricting(security: &BindSecurity) -> Vec<&'static str> {
    let active = |name: &str| security.modules.iter().any(|module| module == name);
    [
        ("SELinux (name_bind)", security.selinux_enforcing),
        ("Smack", active("smack")),
        ("TOMOYO", active("tomoyo") && security.tomoyo_enforcing),
        (
            "Landlock (inherited from the caller)",
            active("landlock") && security.no_new_privileges,
        ),
    ]
    .into_iter()
    .filter_map(|(name, restricts)| restricts.then_some(name))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::bind::existing::Flag;
    use crate::diagnose::bind::next_reading::diagnose_all;
    use crate::diagnose::bind::question::Question;
    use crate::diagnose::bind::samples::{question, socket, system};
    use crate::model::State;

    #[test]
    fn a_socket_found_only_by_a_trial_is_reported() {
        let free = Verdict {
            bind: Outcome::Ok,
            listen: None,
            code: Code::Free,
            findings: Vec::new(),
            ports_left: None,
        };
        let tried = |is_free| free.clone().with_trial(is_free);
        assert_eq!(tried(true), free);
        assert_eq!(of_unlisted(&[tried(true)]), None);
        let met = tried(false);
        assert_eq!((met.bind.name(), met.code.name()), ("EADDRINUSE", "bound"));
        assert!(of_unlisted(&[free, met]).is_some());
    }

    fn security(modules: &str, no_new_privileges: bool, selinux_enforcing: bool) -> BindSecurity {
        BindSecurity {
            modules: modules.split(',').map(str::to_owned).collect(),
            selinux_enforcing,
            no_new_privileges,
            bind_hooks: BindHooks::Absent,
            ..BindSecurity::default()
        }
    }

    #[test]
    fn modules_count_where_they_may_restrict_a_bind() {
        let list = "capability,landlock,yama,apparmor,bpf";
        assert!(restricting(&security(list, false, false)).is_empty());
        assert_eq!(
            restricting(&security(list, true, false)),
            ["Landlock (inherited from the caller)"]
        );
        assert_eq!(
            restricting(&security("capability,tomoyo", false, true)),
            ["SELinux (name_bind)"],
            "TOMOYO enforces no policy"
        );
        let tomoyo = BindSecurity {
            tomoyo_enforcing: true,
            ..security("capability,tomoyo", false, false)
        };
        assert_eq!(restricting(&tomoyo), ["TOMOYO"]);
        let (notes, gap) = of_security(&security("smack", false, false));
        assert!(notes[0].starts_with("Smack may refuse") && gap.is_none());
    }

    #[test]
    fn bpf_hooks_on_bind_are_a_note_or_a_gap() {
        let of = |bind_hooks| {
            let (notes, gap) = of_security(&BindSecurity {
                bind_hooks,
                ..BindSecurity::default()
            });
            (notes.len(), gap.is_some())
        };
        assert_eq!(of(BindHooks::Absent), (0, false));
        assert_eq!(of(BindHooks::Attached), (1, false));
        assert_eq!(of(BindHooks::Unreadable), (0, true));
    }

    #[test]
    fn root_may_share_what_a_user_may_not() {
        let shared = Existing {
            reuseport: Some(Flag::observed(true)),
            ..socket(State::Listen, "0.0.0.0", 3000)
        };
        let note = |question: &Question| {
            let existing = [shared.clone()];
            let (attempts, _) = question.attempts(&system()).unwrap();
            let verdicts = diagnose_all(&existing, &attempts, &system());
            of_root(&attempts, &verdicts, &existing, &system())
        };
        assert_eq!(note(&question()), None);
        let reuseport = Question {
            reuseport: true,
            addresses: Some(vec!["0.0.0.0".parse().unwrap()]),
            reuseaddr: Some(false),
            ..question()
        };
        // The kernel may remember another socket of root's that it admitted, so its answer to root is not certain.
        assert_eq!(note(&reuseport), Some("as root, bind would succeed".to_owned()));
        let low_port = Question {
            port: 80,
            ..question()
        };
        assert_eq!(note(&low_port), Some("as root, bind would succeed".to_owned()));
    }

    #[test]
    fn reserved_ports_and_publishers() {
        let system = SystemFacts {
            reserved_ports: vec![3000..=3001],
            ..system()
        };
        assert!(of_reserved_port(3000, &system).is_some());
        assert_eq!(
            (of_reserved_port(3002, &system), of_reserved_port(0, &system)),
            (None, None)
        );
        assert!(of_publisher(&"web-1".into(), 80).contains("container web-1 publishes port 80"));
    }
}
