//! Looks for the signs of an inherited socket.

use std::num::NonZeroU64;

use super::{cgroup, process};
use crate::diagnose::bind::inherited::{Inherited, Signs, judge};
use crate::diagnose::bind::owner::Owner;
use crate::model::Context;
use crate::model::{Holder, Socket};
use crate::render::escape;
use crate::source::disk;
use crate::source::proc::fdinfo;

/// What is known of how the first holders came to the socket, for each that inherited it.
pub fn read(socket: &Socket, holders: &[Holder], owners: &[Owner], context: &Context) -> Vec<Inherited> {
    /// More than these are not described.
    const HOLDERS_MAX: usize = 4;
    let signs = |owner: &Owner| {
        let holder = holders.iter().find(|holder| holder.pid == owner.pid)?;
        let uid = context.processes.get(&owner.pid).and_then(|process| process.uid);
        let parents = process::parents_of(owner.pid);
        let from_holder = parents
            .values()
            .find(|parent| holders.iter().any(|other| other.pid == **parent));
        let is_service = owner.unit.as_ref().is_some_and(|unit| unit.ends_with(".service"));
        let signs = Signs {
            from_holder: from_holder.copied(),
            other_cgroup: other_cgroup(socket.cgroup_id, owner.pid),
            other_user: socket
                .uid
                .filter(|made_by| uid.is_some_and(|uid| uid != *made_by))
                .map(|made_by| process::user_name(context, made_by)),
            no_close_on_exec: close_on_exec(holder) == Some(false),
            parent_gone: parents.get(&owner.pid) == Some(&1) && !is_service && owner.container.is_none(),
        };
        judge(&format!("{} {}", escape::text(&owner.program), owner.pid), &signs)
    };
    owners.iter().take(HOLDERS_MAX).filter_map(signs).collect()
}

fn close_on_exec(holder: &Holder) -> Option<bool> {
    let text = disk::read(format!("/proc/{}/fdinfo/{}", holder.pid, holder.fd)).ok()?;
    fdinfo::parse(&text).close_on_exec
}

/// The id of a cgroup is the inode number of its directory; one that was removed is another in any case.
fn other_cgroup(made_in: Option<NonZeroU64>, pid: u32) -> bool {
    let now = || disk::stat(cgroup::directory_of(&pid.to_string())?).ok();
    made_in
        .zip(now())
        .is_some_and(|(made_in, now)| made_in.get() != now.ino)
}
