//! Owners, processes and names for sockets that were read before.

use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::super::outlet::Outlet;
use super::{Captured, Run, Sink, owners_of};
use crate::join::{Context, Owners};
use crate::model::{Socket, Stash};
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
        run.learner.learn(socket);
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
