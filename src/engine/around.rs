//! Looks up owners, processes and names for sockets that were already read. Owners are searched by inode.

use std::collections::BTreeMap;
use std::io;
use std::ops::ControlFlow;

use super::outlet::Outlet;
use super::owners::scan;
use super::run::Run;
use super::{Captured, Request, Sink, namespaces};
use crate::model::{Context, HolderTable, Owners, Socket, Stash, Store};
use crate::source::proc::holders::{Look, walk_processes};

/// If the likely holders have more descriptors than this, searching every process is faster.
const LIKELY_DESCRIPTORS: u64 = 2000;
/// At most this many sockets are checked for whether they still exist before all processes are searched. Each check
/// takes microseconds, the search milliseconds.
const ASKED_AGAIN_MAX: usize = 500;

/// Returns what the request asks for about sockets that were already read: their owners, processes and names, but not
/// their other ends.
///
/// # Errors
/// Same as [`super::stream`].
pub fn around(request: &Request, sockets: &[&Socket]) -> io::Result<Captured> {
    let mut run = Run::new(request);
    learn(&mut run, |add| sockets.iter().for_each(|socket| add(socket)));
    let mut stash = Stash::default();
    for socket in sockets {
        stash.push(socket);
    }
    look_up(run, &stash)
}

/// The same for every socket of a store.
///
/// # Errors
/// Same as [`super::stream`].
pub fn around_all(request: &Request, sockets: &Store) -> io::Result<Captured> {
    let mut run = Run::new(request);
    learn(&mut run, |add| sockets.each(add));
    look_up(run, &sockets.as_stash())
}

/// The same with a single search: a socket without a holder is reported as `unknown`. The `likely` processes are
/// searched first; a socket found there is not searched for in other processes. Before all processes are searched,
/// sockets that no longer exist (`is_there`) are left out.
///
/// # Errors
/// Same as [`super::stream`].
pub fn around_found(
    request: &Request,
    sockets: &Store,
    likely: &[u32],
    mut is_there: impl FnMut(&Socket) -> bool,
) -> io::Result<Captured> {
    let mut run = Run::new(request);
    let mut stash = Stash::default();
    sockets.each(|socket| {
        run.learner.learn(std::slice::from_ref(socket));
        stash.push(socket);
    });
    let inodes = stash.heads().filter_map(|head| head.inode);
    let mut wanted: Vec<u32> = inodes.map(std::num::NonZeroU32::get).collect();
    wanted.sort_unstable();
    let look = Look {
        wanted: Some(&wanted),
        thorough: None,
    };
    let walked = match likely {
        [] => None,
        likely => walk_processes(&run.root, likely, look, LIKELY_DESCRIPTORS).ok(),
    };
    let mut holders = HolderTable::new(walked.map_or_else(Vec::new, |walk| walk.holders));
    wanted.retain(|inode| holders.of(*inode).is_empty());
    if !wanted.is_empty() && wanted.len() <= ASKED_AGAIN_MAX {
        let mut left = Vec::new();
        sockets.each(|socket| {
            let inode = socket.inode.map_or(0, std::num::NonZeroU32::get);
            if wanted.binary_search(&inode).is_ok() && is_there(socket) {
                left.push(inode);
            }
        });
        left.sort_unstable();
        wanted = left;
    }
    if !wanted.is_empty() && run.request.owners {
        let found = scan(&run.request, &run.root, Some(&wanted))?.walk.holders;
        holders = HolderTable::new([holders.all(), &found].concat());
    }
    let owners = Owners::new(holders, BTreeMap::new(), Vec::new());
    let (_, captured) = run.hand_out(&stash, owners, Outlet::new(Nowhere, None));
    Ok(captured)
}

/// Looks up names for the ids in these sockets.
fn learn(run: &mut Run<'_>, each: impl FnOnce(&mut dyn FnMut(&Socket))) {
    let views = run.request.views.clone();
    // Each namespace numbers its own interfaces.
    let mut elsewhere: BTreeMap<u32, Vec<Socket>> = BTreeMap::new();
    each(&mut |socket| {
        if socket.interface().is_some() && !views.views.is_empty() {
            elsewhere.entry(socket.netns).or_default().push(socket.clone());
        } else {
            run.learner.learn(std::slice::from_ref(socket));
        }
    });
    for (netns, sockets) in &elsewhere {
        namespaces::inside(&views, *netns, || run.learner.learn(sockets));
    }
}

fn look_up(mut run: Run<'_>, stash: &Stash) -> io::Result<Captured> {
    let owners = run.owners_of(stash)?;
    let filter = run.request.filter.clone();
    let outlet = Outlet::new(Nowhere, filter.as_ref());
    let (_, captured) = run.hand_out(stash, owners, outlet);
    Ok(captured)
}

/// A sink that accepts no rows.
struct Nowhere;

impl Sink for Nowhere {
    fn take(&mut self, _: &mut [Socket], _: &Owners, _: &Context) -> ControlFlow<()> {
        ControlFlow::Break(())
    }
}
