//! Owners and names for sockets that were read before: what [`super::capture`] finds for all rows of a listing, for
//! the few that somebody asks about later.

use std::io;

use super::names::{Learner, Numbers};
use super::namespaces;
use super::owners::scan;
use super::proc::{ProcRoot, facts};
use super::settle::settle;
use crate::join::{Context, Owners};
use crate::model::{Socket, Stash};
use crate::plan::CapturePlan;

/// What is known around some sockets.
#[derive(Debug, Default)]
pub struct Around {
    /// Who holds them.
    pub owners: Owners,
    /// Their processes, and names for their numbers.
    pub context: Context,
}

/// Looks for what the plan wants to know around `sockets`.
///
/// # Errors
/// If owners are wanted and /proc cannot be listed.
pub fn look(plan: &CapturePlan, sockets: &[&Socket]) -> io::Result<Around> {
    let root = ProcRoot::default();
    let mut learner = Learner::new(plan.names, root.clone());
    let mut numbers = Numbers::default();
    for socket in sockets {
        learner.learn(socket);
        numbers.add(socket, plan.names.hosts);
    }
    let mut context = Context {
        netns: namespaces::own_netns(&root),
        as_root: rustix::process::geteuid().is_root(),
        ..Context::default()
    };
    let mut owners = Owners::not_asked();
    if plan.owners {
        owners = owners_of(plan, &root, sockets)?;
        let holders = sockets.iter().flat_map(|socket| owners.of(socket).holders);
        let mut pids: Vec<u32> = holders.map(|holder| holder.pid).collect();
        pids.sort_unstable();
        pids.dedup();
        (context.processes, _) = facts::read(&root, &pids, plan.facts);
        numbers
            .uids
            .extend(context.processes.values().filter_map(|process| process.uid));
    }
    learner.look_up(numbers);
    context.names = learner.names;
    Ok(Around { owners, context })
}

fn owners_of(plan: &CapturePlan, root: &ProcRoot, sockets: &[&Socket]) -> io::Result<Owners> {
    let mut stash = Stash::default();
    for socket in sockets {
        stash.push(socket);
    }
    let mut wanted: Vec<u32> = sockets
        .iter()
        .filter_map(|socket| socket.inode)
        .map(std::num::NonZeroU32::get)
        .collect();
    wanted.sort_unstable();
    let walk = if wanted.is_empty() {
        super::proc::holders::Walk::default()
    } else {
        scan(plan, root, Some(&wanted))?.walk
    };
    Ok(settle(root, &plan.dumps, &stash, walk))
}
