//! Describes the processes that hold sockets.

use std::time::Duration;

use crate::diagnose::bind::ancestry;
use crate::diagnose::bind::owner::{Owner, Surroundings, proxied_address};
use crate::diagnose::master::{Above, master};
use crate::engine::snapshot::holders_of;
use crate::model::request::{Facts, OwnersBy};
use crate::model::{Context, Name, Names, Ownership, Process, Socket};
use crate::source::containers::{self, docker::Docker};
use crate::source::names::named;
use crate::source::proc::{ProcRoot, facts};
use crate::source::{namespaces, nss, process, tape};

/// How long user name lookups may take.
const WITHIN: Duration = Duration::from_secs(2);

/// Reads the processes, and the names of their users and of `more_uids`.
pub fn read(pids: &[u32], more_uids: &[u32]) -> Context {
    let mut pids = pids.to_vec();
    pids.sort_unstable();
    pids.dedup();
    let (mut processes, _) = facts::read(&ProcRoot::default(), &pids, Facts::Full);
    let mut containers = containers::Names::default();
    for process in processes.values_mut() {
        let path = String::from_utf8_lossy(process.cgroup.as_deref().unwrap_or_default());
        containers.add(&mut process.home, &path, process.uid);
    }
    let uids = processes.values().filter_map(|process| process.uid);
    let users = nss::users(uids.chain(more_uids.iter().copied()).collect(), WITHIN).found;
    Context {
        processes,
        names: Names {
            users: named(users),
            ..Names::default()
        },
        namespaces: vec![namespaces::own_netns(&ProcRoot::default())],
        as_root: tape::euid() == 0,
        ..Context::default()
    }
}

/// The name of a user, or the number.
pub fn user_name(context: &Context, uid: u32) -> Name {
    let name = context.names.users.get(&uid).cloned();
    name.unwrap_or_else(|| uid.to_string().into())
}

/// Describes those of the processes that are in the context, in the given order.
pub fn describe(pids: &[u32], context: &Context) -> Vec<Owner> {
    let processes = pids.iter().filter_map(|pid| context.processes.get(pid));
    processes.map(|process| owner_of(process, context)).collect()
}

fn owner_of(process: &Process, context: &Context) -> Owner {
    let proxied = proxied_address(process);
    let around = Surroundings {
        user: process.uid.map(|uid| user_name(context, uid)),
        directory: process::working_directory(process.pid),
        parents: ancestry::chain(process::ancestors(process.pid)),
        proxied_container: proxied
            .and_then(|address| Docker::default().container_at(&address))
            .map(Name::from),
    };
    Owner::new(process, around)
}

/// Returns the ancestor of this holder that probably holds the socket too but cannot be inspected.
pub fn master_of(holder: u32, socket: &Socket, ownership: &Ownership<'_>) -> Option<u32> {
    if !ownership.may_be_more {
        return None;
    }
    let holders: Vec<u32> = ownership.holders.iter().map(|holder| holder.pid).collect();
    let above = process::ancestors(holder).map(|ancestor| Above {
        uid: process::uid_of(ancestor.pid),
        is_closed: process::is_closed(ancestor.pid),
        pid: ancestor.pid,
        comm: ancestor.comm,
    });
    master(&process::comm_of(holder), socket.uid, &holders, above)
}

/// Describes one process; `None` if it is gone.
pub fn described(pid: u32) -> Option<Owner> {
    describe(&[pid], &read(&[pid], &[])).pop()
}

/// Describes every process that holds one of the sockets, by pid.
pub fn owners_of(inodes: impl IntoIterator<Item = u32>, by: OwnersBy) -> Vec<Owner> {
    let holders = holders_of(inodes, by).unwrap_or_default();
    let mut pids: Vec<u32> = holders.iter().map(|holder| holder.pid).collect();
    pids.sort_unstable();
    pids.dedup();
    if pids.is_empty() {
        return Vec::new();
    }
    describe(&pids, &read(&pids, &[]))
}
