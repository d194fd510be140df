//! The captured facts, as plain data.
//!
//! Nothing here reads, prints, or uses the clock or the environment. A test can build any of these values by hand,
//! and everything after the capture (query, render) works on them alone.

#[macro_use]
pub(crate) mod named;

pub mod ancestor;
pub mod arguments;
pub mod bind;
pub mod cgroup;
pub mod details;
pub mod endpoint;
pub mod ends;
pub mod gap;
pub mod half_open;
pub mod kernel;
pub mod machine;
pub mod name;
pub mod names;
pub mod namespace;
pub mod network;
pub mod numbers;
pub mod other_ends;
pub mod owner;
pub mod ownership;
pub mod packet_filter;
pub mod peers;
pub mod prefix;
pub mod process;
pub mod protocol;
pub mod reachable;
pub mod request;
pub mod row;
pub mod security;
pub mod socket;
pub mod stash;
pub mod state;
pub mod summary;
pub mod system;
pub mod time;
pub mod tree;
pub mod unix_path;

pub use arguments::{Arguments, Printed};
pub use endpoint::{End, Endpoints, InetPair, Scope, UnixPair};
pub use gap::{Gap, GapLevel};
pub use half_open::HalfOpen;
pub use name::Name;
pub use names::Names;
pub use namespace::Namespace;
pub use owner::{Holder, HolderTable, OwnerStatus};
pub use ownership::{Listener, Owners, Ownership};
pub use peers::{Peer, Peers};
pub use prefix::Prefix;
pub use process::{Process, Processes};
pub use protocol::{Family, Protocol, SocketType};
pub use row::{Context, Row};
pub use socket::{Backend, Shutdown, Socket, Timer, TimerKind};
pub use stash::{Key, Position, Stash, Store};
pub use state::{State, StateSet};
