//! The privileges of this process's user.

use rustix::thread::CapabilitySet;

use super::tape;

/// The user who ran sudo, if this process was started with it.
pub fn sudo_uid() -> Option<u32> {
    tape::fact("SUDO_UID", || std::env::var("SUDO_UID").ok()?.parse().ok())
}

/// Returns whether this process has `CAP_NET_ADMIN`, which closing sockets requires.
pub fn may_close_sockets() -> bool {
    rustix::thread::capabilities(None).is_ok_and(|sets| sets.effective.contains(CapabilitySet::NET_ADMIN))
}

/// Returns whether root may bind ports below `ip_unprivileged_port_start`; in a container, root may lack the
/// capability. Returns true if run by another user, who cannot know.
pub fn root_may_bind_low_ports() -> bool {
    tape::fact("may bind low ports", || {
        rustix::process::getuid().as_raw() != 0
            || rustix::thread::capabilities(None)
                .is_ok_and(|sets| sets.effective.contains(CapabilitySet::NET_BIND_SERVICE))
    })
}
