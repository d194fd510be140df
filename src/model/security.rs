//! The parts of the kernel's security configuration that can reject a bind, whatever sockets exist.

/// Security modules and BPF programs as they apply to this process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BindSecurity {
    /// The active security modules (`/sys/kernel/security/lsm`); empty if the list cannot be read.
    pub modules: Vec<String>,
    /// Whether TOMOYO enforces some policy; true if that cannot be read.
    pub tomoyo_enforcing: bool,
    /// Whether SELinux enforces its policy.
    pub selinux_enforcing: bool,
    /// Whether this process has `no_new_privs` set.
    pub no_new_privileges: bool,
    /// BPF programs that run at bind.
    pub bind_hooks: BindHooks,
}

/// BPF programs of a cgroup that run at bind and may refuse it or change its address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BindHooks {
    /// None is attached to the cgroup of this process or to one above it.
    #[default]
    Absent,
    /// At least one is attached.
    Attached,
    /// They could not be queried.
    Unreadable,
}
