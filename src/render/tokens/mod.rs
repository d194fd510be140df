//! The tokens that ss prints after the addresses, for `-p`, `-o` and `-e` (iproute2 7.1, `ss -n`).

mod extended;
mod place;
mod timer;
mod users;

pub use extended::push_extended;
pub use place::{push_cgroup, push_netns};
pub use timer::push_timer;
pub use users::{Users, push_users};
