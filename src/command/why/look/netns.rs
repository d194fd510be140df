//! `-N`: another network namespace.

use std::os::fd::AsFd;

/// Goes into another network namespace, by name (/run/netns), pid or path, with this thread and all that it starts.
///
/// # Errors
/// One line, if it does not exist or may not be entered.
pub fn enter(netns: &str) -> Result<(), String> {
    let path = if netns.starts_with('/') {
        netns.to_owned()
    } else if netns.bytes().all(|byte| byte.is_ascii_digit()) {
        format!("/proc/{netns}/ns/net")
    } else {
        format!("/run/netns/{netns}")
    };
    let refused =
        |error: &dyn std::fmt::Display| format!("cannot enter the network namespace {path}: {error}");
    let namespace = std::fs::File::open(&path).map_err(|error| refused(&error))?;
    let kind = Some(rustix::thread::LinkNameSpaceType::Network);
    rustix::thread::move_into_link_name_space(namespace.as_fd(), kind).map_err(|error| refused(&error))
}
