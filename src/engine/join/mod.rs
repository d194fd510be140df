//! Joins sockets with their holders, other ends and half-open connections.
//!
//! Pure functions of what was read.

mod ends;
mod evidence;
mod half_open;
mod peers;
mod related;
pub(super) mod smc;

use std::num::NonZeroU32;

use crate::model::{Backend, State};

pub use evidence::Evidence;
pub use peers::Others;
pub use related::Related;

/// Returns whether the row's owner needs a scan: it has an inode, or waits at a listener.
pub fn needs_owner(inode: Option<NonZeroU32>, state: State, backend: Backend) -> bool {
    inode.is_some()
        || (backend == Backend::SockDiag
            && matches!(state, State::SynRecv | State::Established | State::CloseWait))
}
