//! Opens the files that the caller names (`-F`, `--replay`, `--record`, `-D`) with the caller's own privileges.
//!
//! File capabilities (setcap(8)) let this program look into other users' processes; they must not let its user read or
//! write other users' files. Effective capabilities that come from the program's file are therefore dropped around
//! each such open, on this thread only. Those of root, and ambient ones, are the caller's own and stay. The user id
//! for file access (fsuid) is already the caller's: file capabilities do not change it.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

use rustix::thread::{CapabilitySet, CapabilitySets};
use rustix::thread::{capabilities, capability_is_in_ambient_set, set_capabilities};

/// Opens a file for reading.
///
/// # Errors
/// As for `File::open`, with the caller's privileges.
pub fn open(path: &Path) -> io::Result<File> {
    open_with(OpenOptions::new().read(true), path)
}

/// Opens a file with these options.
///
/// # Errors
/// As for `OpenOptions::open`, with the caller's privileges.
pub fn open_with(options: &OpenOptions, path: &Path) -> io::Result<File> {
    let _lowered = Lowered::now();
    options.open(path)
}

/// Drops the privileges of this thread, and of the threads that it starts, to the caller's own for good: `--proc-root`
/// names a whole directory, in which links may lead anywhere.
pub fn keep_to_callers_rights() {
    std::mem::forget(Lowered::now());
}

/// Restricts this thread to the caller's privileges; they are restored when this is dropped.
#[derive(Debug)]
struct Lowered {
    before: Option<CapabilitySets>,
}

impl Lowered {
    fn now() -> Self {
        // A process that cannot even read its capabilities has none to drop.
        let before = capabilities(None).ok().filter(|sets| {
            let kept = sets.effective & of_caller(sets.effective);
            let lowered = CapabilitySets {
                effective: kept,
                ..*sets
            };
            kept != sets.effective && set_capabilities(None, lowered).is_ok()
        });
        Self { before }
    }
}

impl Drop for Lowered {
    fn drop(&mut self) {
        if let Some(before) = self.before {
            // Permitted capabilities can always be made effective again.
            let _ = set_capabilities(None, before);
        }
    }
}

/// Returns the capabilities that the caller has without the program's file. An exec that gains capabilities from a
/// file clears the ambient set (capabilities(7)).
fn of_caller(effective: CapabilitySet) -> CapabilitySet {
    if rustix::process::getuid().is_root() {
        return effective;
    }
    effective
        .iter()
        .filter(|capability| capability_is_in_ambient_set(*capability).unwrap_or(false))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_the_same_afterwards_and_root_keeps_its_own() {
        let effective = || capabilities(None).unwrap().effective;
        let before = effective();
        let during = {
            let _lowered = Lowered::now();
            effective()
        };
        if rustix::process::getuid().is_root() {
            assert_eq!(during, before);
        }
        assert_eq!(effective(), before);
    }

    #[test]
    fn a_file_is_opened_as_the_options_say() {
        assert!(open(Path::new("/proc/self/status")).is_ok());
        let missing = open_with(OpenOptions::new().write(true), Path::new("/nonexistent/file"));
        assert_eq!(missing.unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
