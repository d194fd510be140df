//! Few sockets: their owners are searched by inode.

use std::io;
use std::ops::ControlFlow;

use super::outlet::Outlet;
use super::owners::{How, Scan, scan};
use super::run::Run;
use super::{Captured, Request, Sink};
use crate::model::{Context, HolderTable, Owners, Socket, Stash};
use crate::source::proc::holders::Walk;

/// What the request wants to know around sockets that were read before: their owners, processes and names, but not their
/// other ends.
///
/// # Errors
/// As [`super::stream`].
pub fn around(request: &Request, sockets: &[&Socket]) -> io::Result<Captured> {
    let mut run = Run::new(request);
    let mut stash = Stash::default();
    for socket in sockets {
        run.learner.learn(std::slice::from_ref(*socket));
        stash.push(socket);
    }
    let owners = owners_of(&mut run, &stash)?;
    let outlet = Outlet::new(Nowhere, request.filter.as_ref());
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

/// The owners of few rows: only their holders are searched, and nothing at all if no row has one.
pub(super) fn owners_of(run: &mut Run<'_>, stash: &Stash) -> io::Result<Owners> {
    if !run.request.owners {
        return Ok(Owners::not_asked());
    }
    let mut scan = scan_for(run, stash)?;
    let holders = HolderTable::new(std::mem::take(&mut scan.walk.holders));
    Ok(run.resolve_owners(stash, holders, scan))
}

fn scan_for(run: &Run<'_>, stash: &Stash) -> io::Result<Scan> {
    let mut wanted: Vec<u32> = stash
        .heads()
        .filter(|head| !head.of_kernel)
        .filter_map(|head| head.inode)
        .map(std::num::NonZeroU32::get)
        .collect();
    wanted.extend(run.related.others(stash).inodes);
    wanted.sort_unstable();
    if wanted.is_empty() {
        return Ok(Scan {
            walk: Walk::default(),
            how: How::NotLooked,
        });
    }
    scan(&run.request, &run.root, Some(&wanted))
}
