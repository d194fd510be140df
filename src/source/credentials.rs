//! What the user of this process may do.

use rustix::thread::CapabilitySet;

use super::tape;

/// The user who called sudo, if that is how this was started.
pub fn sudo_uid() -> Option<u32> {
    tape::fact("SUDO_UID", || std::env::var("SUDO_UID").ok()?.parse().ok())
}

/// Whether root may bind ports below `ip_unprivileged_port_start`: in a container it may lack the capability. True
/// for any other user, of whom that is not known.
pub fn root_may_bind_low_ports() -> bool {
    tape::fact("may bind low ports", || {
        rustix::process::getuid().as_raw() != 0
            || rustix::thread::capabilities(None)
                .is_ok_and(|sets| sets.effective.contains(CapabilitySet::NET_BIND_SERVICE))
    })
}
