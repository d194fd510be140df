//! A target that is fixed before the user decides what to do with it: its processes are pinned, and its sockets are
//! identified by cookie. Used by the live screen, where rows move while the user reads.

use std::num::NonZeroU32;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::end::{Progress, Target};
use super::find::{self, Found, Victim, find};
use super::ports;
use super::{Ending, PORTS_WITHIN, ms, name_of, refusal, refusal_of_signal, shown, unrelated};
use crate::command::caller::Caller;
use crate::command::destroy::act::{Fate, close};
use crate::engine::{Request, read_tables};
use crate::model::request::{Dump, Facts, OwnersBy};
use crate::model::{Socket, State, StateSet};
use crate::plan::KillPlan;
use crate::plan::kill::Goal;
use crate::query::{Mode, parse};

/// How long a program may take to end before KILL is offered.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A fixed target.
#[derive(Debug)]
pub(in crate::command) struct Fixed {
    /// Who holds it, if that is known.
    victim: Option<Victim>,
    target: Option<Target>,
    /// Why it must not be signalled.
    pub(in crate::command) refused: Option<String>,
    socket: Socket,
    /// The socket itself, and the connections on its port if it listens.
    pub(in crate::command) closable: Vec<Socket>,
}

/// The outcome of a signal.
#[derive(Debug)]
pub(in crate::command) enum Became {
    /// It ended, or failed for good.
    Done(String),
    /// It still runs.
    StillRuns(String),
}

impl Fixed {
    /// Finds who holds this socket, by its inode, checks its cookie, and pins the processes.
    ///
    /// # Errors
    /// Why there is no target.
    pub(in crate::command) fn new(socket: &Socket, by: OwnersBy, caller: &Caller) -> Result<Self, String> {
        let connections = connections(socket);
        let Some(inode) = socket.inode else {
            return Ok(Self::without_owner(socket, connections));
        };
        let plan = plan(socket, inode, by);
        let found = find(&plan, caller.reader()).map_err(|error| format!("{error:#}"))?;
        let same = |victim: &Victim| {
            victim
                .sockets
                .iter()
                .any(|one| one.identity() == socket.identity())
        };
        if !found.victims.is_empty() && !found.victims.iter().any(same) {
            return Err("this socket is gone".to_owned());
        }
        let refused = refusal(&plan, &found, caller).or_else(|| several(&found.victims));
        let Found { victims, goal, .. } = found;
        let Some(victim) = victims.into_iter().next() else {
            let refused = refused.unwrap_or_else(|| "nobody holds it".to_owned());
            return Ok(Self {
                refused: Some(refused),
                ..Self::without_owner(socket, connections)
            });
        };
        let refused = refused.or_else(|| {
            serves_logins(&victim.program).then(|| format!("{}: a login may depend on it", name_of(&victim)))
        });
        let mut fixed = Self {
            target: None,
            refused,
            socket: socket.clone(),
            closable: connections,
            victim: None,
        };
        if fixed.refused.is_none() {
            match Target::pin(&victim.pids, &find::same_sockets(&victim), goal) {
                Ok(target) => fixed.target = Some(target.of_siblings(victim.master.is_some())),
                Err(refused) => {
                    let why = refusal_of_signal(&name_of(&victim), &victim, refused, caller);
                    fixed.refused = Some(why.trim_end().to_owned());
                }
            }
        }
        fixed.victim = Some(victim);
        Ok(fixed)
    }

    fn without_owner(socket: &Socket, closable: Vec<Socket>) -> Self {
        Self {
            victim: None,
            target: None,
            refused: Some("no program holds it".to_owned()),
            socket: socket.clone(),
            closable,
        }
    }

    /// The name of the processes.
    pub(in crate::command) fn name(&self) -> String {
        self.victim
            .as_ref()
            .map_or_else(|| "this socket".to_owned(), name_of)
    }

    /// What is known about the target, line by line.
    pub(in crate::command) fn lines(&self) -> Vec<String> {
        let shown = self.victim.as_ref().map(shown).unwrap_or_default();
        shown.lines().map(str::to_owned).collect()
    }

    /// Why its sockets are not closed: the kernel cannot, or this session may depend on them.
    pub(in crate::command) fn protected(&self) -> Option<String> {
        if !self.socket.protocol.is_inet() {
            let protocol = self.socket.protocol.name();
            return Some(format!(
                "the kernel cannot close a {protocol} socket of a program"
            ));
        }
        match &self.victim {
            Some(victim) if victim.is_one_of_us || serves_logins(&victim.program) => Some(format!(
                "{} holds it, and this session may depend on it",
                self.name()
            )),
            Some(_) => None,
            None => self
                .socket
                .inode
                .map(|_| "its owner cannot be seen, and this session may depend on it".to_owned()),
        }
    }

    /// Signals the processes that still hold the sockets, and waits for them to end.
    pub(in crate::command) fn signal(&mut self, signal: Signal, caller: &Caller) -> Became {
        let name = self.name();
        let begun = Instant::now();
        let (Some(target), Some(victim)) = (&mut self.target, &self.victim) else {
            return Became::Done(format!("{name} was not signalled"));
        };
        let progress = target.signal(signal, begun + TIMEOUT);
        let mut ending = Ending {
            signalled: target.signalled(),
            ..Ending::default()
        };
        match progress {
            Err(refused) => {
                let why = refusal_of_signal(&name, victim, refused, caller);
                Became::Done(why.trim_end().to_owned())
            }
            Ok(Progress::Running) => {
                let stopped = find::stopped(&victim.pids, &victim.program)
                    .map_or_else(String::new, |stopped| format!(": {}", stopped.for_signals()));
                Became::StillRuns(format!(
                    "{name} still runs after {} s{stopped}",
                    TIMEOUT.as_secs()
                ))
            }
            Ok(progress) => {
                if progress == Progress::Ended {
                    ending.ended_after_ms = Some(ms(begun.elapsed()));
                }
                let (_, words) = ports::check(victim, Instant::now() + PORTS_WITHIN);
                Became::Done(format!("{}; {words}", ending.words(&name)))
            }
        }
    }

    /// Closes the socket, or all that were found with it.
    pub(in crate::command) fn close(&self, all: bool) -> String {
        let own = [self.socket.clone()];
        let sockets: Vec<&Socket> = if all { self.closable.iter() } else { own.iter() }.collect();
        let dumps = [Dump::new(self.socket.protocol, StateSet::ALL)];
        let fates = close(&sockets, &dumps);
        let closed = fates.iter().filter(|fate| fate.is_done()).count();
        match fates.iter().find(|fate| !fate.is_done()) {
            None if closed == 1 => "closed; the program stays".to_owned(),
            None => format!("{closed} sockets closed; the program stays"),
            Some(Fate::NotPermitted) => "not closed: needs CAP_NET_ADMIN".to_owned(),
            Some(fate) => format!("{closed} of {} closed ({})", fates.len(), fate.name()),
        }
    }
}

/// Why several targets cannot be signalled from the screen, and the command that ends them.
fn several(victims: &[Victim]) -> Option<String> {
    let pids: Vec<_> = victims
        .iter()
        .filter_map(|victim| victim.pids.first())
        .copied()
        .collect();
    Some(none_ended(&unrelated(victims)?, &pids))
}

fn none_ended(targets: &str, pids: &[u32]) -> String {
    let pids: Vec<_> = pids.iter().map(ToString::to_string).collect();
    format!(
        "{targets}. They cannot be ended from here; in a shell: kill {}",
        pids.join(" ")
    )
}

/// OpenSSH's server: `sshd`, and since 9.8 `sshd-session` and `sshd-auth`.
fn serves_logins(program: &[u8]) -> bool {
    program == b"sshd" || program.starts_with(b"sshd-")
}

/// A plan that finds the holders of exactly this socket.
fn plan(socket: &Socket, inode: NonZeroU32, by: OwnersBy) -> KillPlan {
    let filter = parse(&[format!("inode = {inode}")], Mode::Kill).ok();
    let port = socket
        .inet()
        .map(|pair| pair.local_port)
        .filter(|port| *port != 0);
    KillPlan {
        capture: Request {
            dumps: vec![Dump {
                // The kernel does not compare it in its table of bound sockets.
                local_port: port.filter(|_| socket.state != State::Bound),
                ..Dump::new(socket.protocol, StateSet::of(socket.state))
            }],
            filter: filter.and_then(|parsed| parsed.expr),
            owners: true,
            owners_by: by,
            facts: Facts::Full,
            ..Request::default()
        },
        goal: if crate::watch::waits(socket) {
            Goal::Port
        } else {
            Goal::Process
        },
        ipv4: false,
        ipv6: false,
        signal: "TERM".to_owned(),
        timeout: TIMEOUT,
        dry_run: false,
        numeric: false,
        yes: false,
        all: false,
        json: false,
        number: None,
    }
}

/// The connections on the port of a listener.
fn connections(socket: &Socket) -> Vec<Socket> {
    let Some(pair) = socket.inet().filter(|_| socket.is_listener()) else {
        return Vec::new();
    };
    let dump = Dump {
        local_port: Some(pair.local_port),
        ..Dump::new(
            socket.protocol,
            StateSet::CONN.without(StateSet::of_all(&[State::Listen, State::TimeWait])),
        )
    };
    let mut found = Vec::new();
    read_tables(&[dump], &mut |sockets| {
        let of_port = |one: &&Socket| one.inet().is_some_and(|end| end.local_port == pair.local_port);
        found.extend(sockets.iter().filter(of_port).cloned());
        ControlFlow::Continue(())
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_is_not_offered_where_the_kernel_cannot_close() {
        let tcp = crate::query::samples::tcp("10.0.0.1", 80, "10.0.0.2", 5000, State::Established);
        let fixed = Fixed::without_owner(&tcp, Vec::new());
        assert_eq!(fixed.protected(), None);
        let unix = Socket {
            protocol: crate::model::Protocol::Unix,
            ..tcp
        };
        let why = Fixed::without_owner(&unix, Vec::new()).protected();
        assert_eq!(
            why.as_deref(),
            Some("the kernel cannot close a unix socket of a program")
        );
    }

    #[test]
    fn several_targets_get_a_command_and_no_option() {
        let said = none_ended("2 unrelated targets: a 7, b 9", &[7, 9]);
        assert!(
            said.ends_with("in a shell: kill 7 9") && !said.contains("--all"),
            "{said}"
        );
    }
}
