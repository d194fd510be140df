//! Looks up what surrounds a few sockets: owners are searched by inode.

use std::io;
use std::ops::ControlFlow;

use super::outlet::Outlet;
use super::run::Run;
use super::{Captured, Request, Sink};
use crate::model::{Context, Owners, Socket, Stash, Store};

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

fn surround(request: &Request, each: impl FnOnce(&mut dyn FnMut(&Socket))) -> io::Result<Captured> {
    let mut run = Run::new(request);
    let mut stash = Stash::default();
    each(&mut |socket| {
        run.learner.learn(std::slice::from_ref(socket));
        stash.push(socket);
    });
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
