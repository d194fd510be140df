//! Determines whether a process inherited its socket from another process.

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use crate::model::Name;
use crate::model::{Holder, Socket};
use crate::render::escape;

use super::owner::Owner;

/// What was read about one holder of a socket.
#[derive(Clone, Copy, Debug)]
pub struct Observed<'a> {
    /// The socket.
    pub socket: &'a Socket,
    /// All its holders.
    pub holders: &'a [Holder],
    /// The process.
    pub owner: &'a Owner,
    /// The user id of the process.
    pub uid: Option<u32>,
    /// The name of the user who created the socket.
    pub creator: Option<&'a Name>,
    /// The process and its ancestors, each with its parent.
    pub parents: &'a BTreeMap<u32, u32>,
    /// Whether its descriptor is closed on exec.
    pub closes_on_exec: Option<bool>,
    /// The id of the cgroup that the process is now in.
    pub cgroup_id: Option<u64>,
    /// All processes that hold the socket, described.
    pub owners: &'a [Owner],
}

/// What distinguishes an inherited descriptor from one that the process created itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signs {
    /// Another holder of the socket that is an ancestor of the process but not the master of its service.
    pub from_holder: Option<u32>,
    /// The socket was created in a cgroup other than that of the process.
    pub other_cgroup: bool,
    /// Who created the socket, if that is another user.
    pub other_user: Option<Name>,
    /// The descriptor stays open across exec.
    pub no_close_on_exec: bool,
}

/// A process that inherited its socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inherited {
    /// Which process, and the evidence.
    pub sentence: String,
}

impl Signs {
    /// Finds the signs in what was read.
    pub fn of(seen: &Observed<'_>) -> Self {
        let Observed {
            socket,
            owner,
            parents,
            ..
        } = seen;
        let holds = |pid: u32| seen.holders.iter().any(|holder| holder.pid == pid);
        // It is normal that nginx's workers hold their master's sockets, and dovecot's login processes those of their
        // service.
        let is_master = |pid: u32| {
            let other = seen.owners.iter().find(|other| other.pid == pid);
            other.is_some_and(|other| {
                other.program == owner.program || (other.unit.is_some() && other.unit == owner.unit)
            })
        };
        let made_in = socket.cgroup_id.map(NonZeroU64::get);
        let made_by_other = socket
            .uid
            .zip(seen.uid)
            .is_some_and(|(made_by, uid)| made_by != uid);
        Self {
            from_holder: parents
                .values()
                .copied()
                .find(|parent| holds(*parent) && !is_master(*parent)),
            // A cgroup that was removed always counts as another one.
            other_cgroup: made_in
                .zip(seen.cgroup_id)
                .is_some_and(|(made_in, now)| made_in != now),
            other_user: seen.creator.filter(|_| made_by_other).cloned(),
            no_close_on_exec: seen.closes_on_exec == Some(false),
        }
    }
}

/// Says what the signs prove. `None` unless an ancestor holds the socket or it was created in another cgroup: the other
/// signs also apply to a server that dropped its privileges, or that a script started and left behind.
pub fn judge(owner: &Owner, signs: &Signs) -> Option<Inherited> {
    let name = format!("{} {}", escape::text(&owner.program), owner.pid);
    judge_named(&name, signs)
}

fn judge_named(name: &str, signs: &Signs) -> Option<Inherited> {
    if signs.from_holder.is_none() && !signs.other_cgroup {
        return None;
    }
    let mut evidence = Vec::new();
    if let Some(pid) = signs.from_holder {
        evidence.push(format!("its ancestor {pid} holds the same socket"));
    }
    if signs.other_cgroup {
        evidence.push("it was created in another cgroup".to_owned());
    }
    if let Some(user) = &signs.other_user {
        evidence.push(format!("user {user} created it"));
    }
    if signs.no_close_on_exec {
        evidence.push("close-on-exec is not set".to_owned());
    }
    Some(Inherited {
        sentence: format!("{name} has inherited it: {}", evidence.join(", ")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentence(name: &str, signs: &Signs) -> Option<String> {
        judge_named(name, signs).map(|inherited| inherited.sentence)
    }

    #[test]
    fn weak_signs_prove_nothing_by_themselves() {
        let weak = Signs {
            no_close_on_exec: true,
            other_user: Some("root".into()),
            ..Signs::default()
        };
        assert_eq!(
            sentence("a 2", &weak),
            None,
            "a server that dropped its privileges"
        );
        let worker = Signs {
            from_holder: Some(1),
            ..weak
        };
        assert_eq!(
            sentence("a 2", &worker).as_deref(),
            Some(
                "a 2 has inherited it: its ancestor 1 holds the same socket, user root created it, close-on-exec is not set"
            )
        );
    }

    #[test]
    fn signs_are_found_in_what_was_read() {
        let owner = Owner {
            pid: 9,
            ..Owner::default()
        };
        let holder = |pid| Holder {
            inode: 1,
            pid,
            fd: 3,
            tid: 0,
        };
        let socket = Socket {
            uid: Some(0),
            cgroup_id: NonZeroU64::new(5),
            ..Socket::BLANK
        };
        let alone = Observed {
            socket: &socket,
            holders: &[holder(9)],
            owner: &owner,
            uid: Some(0),
            creator: Some(&"root".into()),
            parents: &BTreeMap::from([(9, 8), (8, 1)]),
            closes_on_exec: Some(true),
            cgroup_id: Some(5),
            owners: &[],
        };
        assert_eq!(Signs::of(&alone), Signs::default());
        let found = Signs::of(&Observed {
            holders: &[holder(8), holder(9)],
            uid: Some(33),
            closes_on_exec: Some(false),
            cgroup_id: Some(6),
            ..alone
        });
        assert_eq!(
            (found.from_holder, found.other_user),
            (Some(8), Some("root".into()))
        );
        assert!(found.other_cgroup && found.no_close_on_exec);
    }

    #[test]
    fn a_worker_that_holds_its_masters_socket_is_normal() {
        let process = |pid, program: &str, unit: Option<&str>| Owner {
            pid,
            program: program.as_bytes().to_vec(),
            unit: unit.map(Name::from),
            ..Owner::default()
        };
        let of = |master: Owner, worker: Owner| {
            let holder = |pid| Holder {
                inode: 1,
                pid,
                fd: 3,
                tid: 0,
            };
            let signs = Signs::of(&Observed {
                socket: &Socket::BLANK,
                holders: &[holder(8), holder(9)],
                owner: &worker,
                uid: Some(33),
                creator: None,
                parents: &BTreeMap::from([(9, 8), (8, 1)]),
                closes_on_exec: Some(false),
                cgroup_id: None,
                owners: &[master, worker.clone()],
            });
            judge(&worker, &signs)
        };
        assert_eq!(of(process(8, "nginx", None), process(9, "nginx", None)), None);
        let unit = Some("dovecot.service");
        assert_eq!(
            of(process(8, "dovecot", unit), process(9, "imap-login", unit)),
            None
        );
        assert!(of(process(8, "gunicorn", None), process(9, "sleep", None)).is_some());
    }
}
