//! Real sockets in network namespaces of their own: what `examples/mksock` created is the ground truth.

mod churn;
mod container;
mod descriptor_only;
mod destroy;
mod details;
mod documented;
pub(crate) mod enter;
mod events;
mod families;
mod forms;
mod fuse;
mod hostile;
mod jc;
mod kill;
mod load;
mod machine;
mod measure;
mod memory;
mod metrics;
mod netns;
mod normal;
mod order;
mod owners;
mod paths;
mod peers;
mod privilege;
mod promises;
mod pushdown;
mod readers;
mod recipes;
mod secrets;
mod shells;
mod snapshot;
pub(crate) mod sockets;
mod ss;
mod summary;
mod tape;
mod terminal;
mod tmux;
pub(crate) mod tools;
mod trace;
mod truth;
#[cfg(feature = "watch")]
mod watch;
#[cfg(feature = "watch")]
mod watch_race;
#[cfg(feature = "watch")]
mod watch_tmux;
mod ways;
mod within;
