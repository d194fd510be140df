//! `kill`: which owners to terminate, and how.

use std::time::Duration;

use crate::cli::{KillArgs, ListArgs, UsageError};
use crate::engine::Request;
use crate::model::request::{Dump, Facts, Parts};
use crate::model::{End, Protocol, State, StateSet};
use crate::query::field::Field;
use crate::query::{Expr, Parsed, Predicate};

/// The default time that a program may take to terminate.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The caller's goal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// To free the port that the filter names: a process that releases it may keep running.
    Port,
    /// To end the process.
    Process,
}

/// A request to terminate owners.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "options of their own")]
pub struct KillPlan {
    /// The sockets whose owners are terminated.
    pub capture: Request,
    /// What the filter targets.
    pub goal: Goal,
    /// `-4`: sockets that accept IPv4.
    pub ipv4: bool,
    /// `-6`: sockets that accept IPv6.
    pub ipv6: bool,
    /// The name of the signal, as typed.
    pub signal: String,
    /// How long to wait for termination.
    pub timeout: Duration,
    /// `--dry-run`.
    pub dry_run: bool,
    /// `-n`, which means a dry run in some programs.
    pub numeric: bool,
    /// `--yes`.
    pub yes: bool,
    /// `--all`.
    pub all: bool,
    /// `--json`.
    pub json: bool,
    /// The filter, if it is a single number: a port, although it may have been meant as a pid.
    pub number: Option<u32>,
}

impl KillPlan {
    /// The plan for these options, with the filter already parsed.
    ///
    /// # Errors
    /// For a filter by a field that only the listing can fill.
    pub fn new(args: &KillArgs, global: &ListArgs, parsed: Parsed) -> Result<Self, UsageError> {
        let fields = parsed.expr.as_ref().map(Expr::fields).unwrap_or_default();
        if fields.contains(&Field::Reachable) {
            return Err(UsageError::new("'reachable' works only in the listing"));
        }
        let number = match args.filter.as_slice() {
            [word] => word.parse().ok(),
            _ => None,
        };
        Ok(Self {
            goal: goal(parsed.expr.as_ref()),
            capture: Request {
                dumps: dumps(&parsed, args.tcp, args.udp),
                filter: parsed.expr,
                owners: true,
                owners_by: global.owners.into(),
                facts: Facts::Full,
                ..Request::default()
            },
            ipv4: args.ipv4,
            ipv6: args.ipv6,
            signal: args.signal.clone(),
            timeout: args.timeout.unwrap_or(TIMEOUT),
            dry_run: args.dry_run,
            numeric: args.numeric,
            yes: args.yes,
            all: args.all,
            json: args.json || global.json,
            number,
        })
    }
}

/// A filter that names a local port is meant to free it; any other is meant to end the process.
fn goal(filter: Option<&Expr>) -> Goal {
    let names_a_port = |predicate: &Predicate| match predicate {
        Predicate::End(end) => end.end == End::Local && end.ports.is_some(),
        Predicate::Number(field, _) => *field == Field::LocalPort,
        _ => false,
    };
    match filter {
        Some(filter) if filter.any(names_a_port) => Goal::Port,
        _ => Goal::Process,
    }
}

/// The owners of a port are those that receive there: listeners, bound TCP sockets, UDP sockets without a peer. A
/// state word in the filter selects others.
fn dumps(parsed: &Parsed, tcp: bool, udp: bool) -> Vec<Dump> {
    let waits = StateSet::LISTENING.union(StateSet::of(State::Bound));
    let protocols = parsed.protocols;
    let may_be = |protocol| protocols.is_none_or(|protocols| protocols.contains(protocol));
    let says_unix = protocols.is_some_and(|protocols| protocols.contains(Protocol::Unix));
    let all = !tcp && !udp;
    [
        (Protocol::Tcp, tcp || all),
        (Protocol::Udp, udp || all),
        (Protocol::Unix, says_unix),
    ]
    .into_iter()
    .filter(|(protocol, wanted)| *wanted && may_be(*protocol))
    .map(|(protocol, _)| Dump {
        parts: Parts::UNIX_NAMES
            .and(Parts::UNIX_PEERS)
            .and(Parts::UNIX_FILES)
            .and(Parts::UNIX_CLIENTS),
        ..Dump::new(protocol, parsed.states.unwrap_or(waits))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::{Mode, parse};

    fn parsed(filter: &str) -> Parsed {
        let words: Vec<_> = filter.split_whitespace().map(str::to_owned).collect();
        parse(&words, Mode::Kill).unwrap()
    }

    #[test]
    fn the_port_is_the_goal_if_the_filter_names_a_local_port() {
        let goal = |filter| goal(parsed(filter).expr.as_ref());
        for port in ["80", ":80", "sport = :80", "local_port in (80, 443)"] {
            assert_eq!(goal(port), Goal::Port, "{port}");
        }
        for process in ["nginx", "pid = 7", "dport = :80"] {
            assert_eq!(goal(process), Goal::Process, "{process}");
        }
    }

    #[test]
    fn waiting_sockets_are_selected_unless_the_filter_names_a_state() {
        let of = |filter, tcp, udp| dumps(&parsed(filter), tcp, udp);
        let protocols = |dumps: &[Dump]| dumps.iter().map(|dump| dump.protocol).collect::<Vec<_>>();
        let usual = of("80", false, false);
        assert_eq!(protocols(&usual), [Protocol::Tcp, Protocol::Udp]);
        assert!(usual[0].states.contains(State::Listen) && !usual[0].states.contains(State::Established));
        assert_eq!(protocols(&of("80", false, true)), [Protocol::Udp]);
        let named = of("state established sport = :80", true, false);
        assert_eq!(named[0].states, StateSet::of(State::Established));
        assert_eq!(protocols(&of("/run/x.sock", false, false)), [Protocol::Unix]);
    }
}
