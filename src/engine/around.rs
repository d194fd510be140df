//! Looks up what surrounds a few sockets: owners are searched by inode.

use std::collections::BTreeMap;
use std::io;
use std::ops::ControlFlow;

use super::outlet::Outlet;
use super::owners::scan;
use super::run::Run;
use super::{Captured, Request, Sink, namespaces};
use crate::model::{Context, HolderTable, Owners, Socket, Stash, Store};
use crate::source::proc::holders::{Look, walk_processes};

/// With more descriptors, the search through all processes takes less time than that through a few.
const LIKELY_DESCRIPTORS: u64 = 2000;

/// Returns what the request wants to know about sockets that were read before: their owners, processes and names, but
/// not their other ends.
///
/// # Errors
/// Same as [`super::stream`].
pub fn around(request: &Request, sockets: &[&Socket]) -> io::Result<Captured> {
    surround(request, |add| sockets.iter().for_each(|socket| add(socket)))
}

/// The same for all of a store.
///
/// # Errors
/// Same as [`super::stream`].
pub fn around_all(request: &Request, sockets: &Store) -> io::Result<Captured> {
    surround(request, |add| sockets.each(add))
}

/// The same, by one search alone: a socket without a holder is `unknown`. Processes that are `likely` to hold some
/// are asked first; who else holds these is not searched.
///
/// # Errors
/// Same as [`super::stream`].
pub fn around_found(request: &Request, sockets: &Store, likely: &[u32]) -> io::Result<Captured> {
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
    if !wanted.is_empty() && run.request.owners {
        let found = scan(&run.request, &run.root, Some(&wanted))?.walk.holders;
        holders = HolderTable::new([holders.all(), &found].concat());
    }
    let owners = Owners::new(holders, BTreeMap::new(), Vec::new());
    let (_, captured) = run.hand_out(&stash, owners, Outlet::new(Nowhere, None));
    Ok(captured)
}

fn surround(request: &Request, each: impl FnOnce(&mut dyn FnMut(&Socket))) -> io::Result<Captured> {
    let mut run = Run::new(request);
    let mut stash = Stash::default();
    // Each namespace numbers its own interfaces.
    let mut elsewhere: BTreeMap<u32, Vec<Socket>> = BTreeMap::new();
    each(&mut |socket| {
        if socket.interface().is_some() && !request.views.views.is_empty() {
            elsewhere.entry(socket.netns).or_default().push(socket.clone());
        } else {
            run.learner.learn(std::slice::from_ref(socket));
        }
        stash.push(socket);
    });
    for (netns, sockets) in &elsewhere {
        namespaces::inside(&request.views, *netns, || run.learner.learn(sockets));
    }
    let owners = run.owners_of(&stash)?;
    let outlet = Outlet::new(Nowhere, request.filter.as_ref());
    let (_, captured) = run.hand_out(&stash, owners, outlet);
    Ok(captured)
}

/// Accepts no rows.
struct Nowhere;

impl Sink for Nowhere {
    fn take(&mut self, _: &mut [Socket], _: &Owners, _: &Context) -> ControlFlow<()> {
        ControlFlow::Break(())
    }
}
