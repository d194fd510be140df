//! Interfaces by name and by index, in the network namespace of the calling thread.

use std::os::fd::OwnedFd;

use rustix::net::{AddressFamily, SocketFlags, SocketType, netdevice, socket_with};

/// Returns an unbound unix socket, which every kernel provides, as a target for ioctls.
pub(super) fn any_socket() -> Option<OwnedFd> {
    socket_with(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None).ok()
}

/// Returns the index of an interface.
pub(super) fn index_of(name: &str) -> Option<u32> {
    netdevice::name_to_index(&any_socket()?, name).ok()
}

/// Returns the name of an interface.
pub(super) fn name_of(index: u32) -> Option<String> {
    netdevice::index_to_name(&any_socket()?, index).ok()
}
