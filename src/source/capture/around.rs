//! Few sockets: their owners are looked for by inode; and what is known around sockets that were read before.

use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::super::outlet::Outlet;
use super::super::owners::{How, Scan, scan};
use super::super::proc::holders::Walk;
use super::{Captured, Run, Sink};
use crate::join::{Context, Owners};
use crate::model::{HolderTable, Socket, Stash};
use crate::plan::CapturePlan;

/// What the plan wants to know around sockets that were read before: their owners, processes and names. Their other
/// ends are not looked for.
///
/// # Errors
/// As [`super::capture`].
pub fn around(plan: Arc<CapturePlan>, sockets: &[&Socket]) -> io::Result<Captured> {
    let mut run = Run::new(plan);
    let mut stash = Stash::default();
    for socket in sockets {
        run.learner.learn(std::slice::from_ref(*socket));
        stash.push(socket);
    }
    let owners = owners_of(&mut run, &stash)?;
    let outlet = Outlet::new(Nowhere, Arc::clone(&run.plan));
    let (_, captured) = run.hand_out(&stash, owners, outlet);
    Ok(captured)
}

/// Takes no row.
struct Nowhere;

impl Sink for Nowhere {
    fn take(&mut self, _: &mut [Socket], _: &Owners, _: &Context) -> ControlFlow<()> {
        ControlFlow::Break(())
    }
}

/// The owners of few rows: a look only for their holders, and none at all if none has one.
pub(super) fn owners_of(run: &mut Run, stash: &Stash) -> io::Result<Owners> {
    if !run.plan.owners {
        return Ok(Owners::not_asked());
    }
    let mut scan = scan_for(run, stash)?;
    let holders = HolderTable::new(std::mem::take(&mut scan.walk.holders));
    Ok(run.settle(stash, holders, scan))
}

fn scan_for(run: &Run, stash: &Stash) -> io::Result<Scan> {
    let mut wanted: Vec<u32> = stash
        .heads()
        .filter(|head| !head.of_kernel)
        .filter_map(|head| head.inode)
        .map(std::num::NonZeroU32::get)
        .collect();
    wanted.extend(run.beside.others(stash).inodes);
    wanted.sort_unstable();
    if wanted.is_empty() {
        return Ok(Scan {
            walk: Walk::default(),
            how: How::NotLooked,
        });
    }
    scan(&run.plan, &run.root, Some(&wanted))
}
