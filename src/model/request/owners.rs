//! How much to find out about owners, other ends and names.

/// How owners are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OwnersBy {
    /// By the kernel's BPF iterator where it is permitted and faster, else by /proc.
    #[default]
    Auto,
    /// By the BPF iterator; by /proc if the kernel refuses it.
    Bpf,
    /// By walking over /proc.
    Proc,
}

/// How much is read of each process that holds a socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Facts {
    /// The kernel's short name.
    #[default]
    Comm,
    /// Everything in [`crate::model::Process`] but its security context.
    Full,
    /// Everything.
    Contexts,
}

impl Facts {
    /// Returns the facts needed for security contexts, or for more than a short name.
    pub fn of(contexts: bool, more: bool) -> Self {
        match (contexts, more) {
            (true, _) => Self::Contexts,
            (false, true) => Self::Full,
            (false, false) => Self::Comm,
        }
    }
}

/// The kinds of sockets whose other ends are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PeerKinds {
    /// Unix sockets: their links and names.
    pub unix: bool,
    /// IP sockets with a peer, and UDP sockets that wait for one.
    pub inet: bool,
}

/// Which names are looked up for the numbers of sockets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is looked up on its own")]
pub struct NamesWanted {
    /// Login names.
    pub users: bool,
    /// Paths of cgroups.
    pub cgroups: bool,
    /// The name of the caller's own network namespace.
    pub namespaces: bool,
    /// Host and service names (`-r`).
    pub hosts: bool,
    /// What identifies the machine.
    pub machine: bool,
}
