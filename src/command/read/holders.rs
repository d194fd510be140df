//! Describes who holds one socket, and how they got it.

use super::processes;
use super::snapshot::Snapshot;
use crate::diagnose::bind::holders::Holders;
use crate::diagnose::bind::inherited::{Inherited, Observed, Signs, judge};
use crate::diagnose::bind::owner::Owner;
use crate::diagnose::bind::systemd::{Listen, socket_unit};
use crate::diagnose::stopped::Stopped;
use crate::model::Name;
use crate::model::ownership::Unseen;
use crate::model::{Context, Ownership, Row};
use crate::model::{Holder, Socket};
use crate::source::containers::docker::Docker;
use crate::source::process;
use crate::source::systemd::{Manager, socket_units};
use crate::source::tape;

/// Describes the holders of a socket that listens at `listen`, from the processes in the context. `unseen` says what
/// may have hidden holders.
pub fn of_socket(
    socket: &Socket,
    ownership: &Ownership<'_>,
    unseen: Unseen,
    context: &Context,
    listen: Listen<'_>,
) -> Holders {
    let mut pids: Vec<u32> = ownership.holders.iter().map(|holder| holder.pid).collect();
    pids.dedup();
    // The process that created the socket is older than those that inherited it. Pids are reused, so their order shows
    // nothing.
    pids.sort_by_key(|pid| context.processes.get(pid).and_then(|process| process.started_at));
    let mut owners = processes::describe(&pids, context);
    if let Listen::Port(port, udp) = listen {
        for owner in owners.iter_mut().filter(|owner| owner.program == b"dockerd") {
            owner.container = Docker::default().published_by(port, udp).map(Name::from);
        }
    }
    let manager = systemd_among(&owners);
    let master = pids
        .iter()
        .find_map(|pid| processes::master_of(*pid, socket, ownership));
    let row = Row {
        socket,
        ownership: *ownership,
        context,
    };
    let creator_is_unseen = row.creator_is_unseen();
    Holders {
        status: ownership.status,
        inherited: inherited(socket, ownership.holders, &owners, context),
        stopped: Stopped::among(&owners, tape::euid(), creator_is_unseen),
        owners,
        hidden_master: master.and_then(processes::described),
        creator_is_unseen,
        by_systemd: manager.is_some(),
        socket_unit: manager
            .and_then(|manager| socket_unit(socket_units(manager), listen))
            .map(Name::from),
        user: socket.uid.map(|uid| processes::user_name(context, uid)),
        unseen,
    }
}

/// Names the holders of the sockets, each once, up to a limit.
pub fn names(snapshot: &Snapshot, most: usize) -> Vec<String> {
    let mut names = Vec::new();
    for one in snapshot.existing.iter().take(most) {
        let ownership = snapshot.owners.of(&one.socket);
        let mut pids: Vec<u32> = ownership.holders.iter().map(|holder| holder.pid).collect();
        pids.dedup();
        let context = processes::read(&pids, one.socket.uid.as_slice());
        let holders = Holders {
            status: ownership.status,
            owners: processes::describe(&pids, &context),
            user: one.socket.uid.map(|uid| processes::user_name(&context, uid)),
            ..Holders::default()
        };
        let name = holders.who();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn systemd_among(owners: &[Owner]) -> Option<Manager> {
    let systemd = owners.iter().find(|owner| owner.program == b"systemd")?;
    Some(if systemd.pid == 1 {
        Manager::System
    } else {
        Manager::User
    })
}

/// How those of the first holders that inherited the socket got it.
fn inherited(socket: &Socket, holders: &[Holder], owners: &[Owner], context: &Context) -> Vec<Inherited> {
    /// No more than these are examined.
    const OWNERS_MAX: usize = 4;
    let creator = socket.uid.map(|uid| processes::user_name(context, uid));
    let examine = |owner: &Owner| {
        let holder = holders.iter().find(|holder| holder.pid == owner.pid)?;
        let uid = context.processes.get(&owner.pid).and_then(|process| process.uid);
        let signs = Signs::of(&Observed {
            socket,
            holders,
            owner,
            uid,
            creator: creator.as_ref(),
            parents: &process::parents_of(owner.pid),
            closes_on_exec: process::closes_on_exec(holder),
            cgroup_id: socket.cgroup_id.and_then(|_| process::cgroup_id(owner.pid)),
            owners,
        });
        judge(owner, &signs)
    };
    owners.iter().take(OWNERS_MAX).filter_map(examine).collect()
}
