//! Opens the files that the caller names (`-F`, `--replay`, `--record`, `-D`, `--output`) with the caller's own privileges.
//!
//! File capabilities (setcap(8)) let this program look into other users' processes; they must not let its user read or
//! write other users' files. Effective capabilities that come from the program's file are therefore dropped around each
//! such open, on this thread only. Those of root, and ambient ones, are the caller's own and are kept. The user id for
//! file access (fsuid) is already the caller's: file capabilities do not change it.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
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

/// Replaces a file with these bytes atomically, mode 0644: a reader finds the old file or the new one.
///
/// The bytes are first written to a file next to it, whose name ends with `.PID.tmp`. If anything fails, the old file
/// is kept.
///
/// # Errors
/// As for any write with the caller's privileges, and if the path exists but is not a regular file (a device, for
/// example).
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let _lowered = Lowered::now();
    match std::fs::symlink_metadata(path) {
        Ok(metadata) if !metadata.is_file() => return Err(io::Error::other("it is not a regular file")),
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(name);
    // Left over from a run that was killed and had the same pid.
    let _ = std::fs::remove_file(&temporary);
    let written = write_new(&temporary, bytes).and_then(|()| std::fs::rename(&temporary, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    written
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    // Regardless of the umask: another user's collector reads it.
    file.set_permissions(Permissions::from_mode(0o644))?;
    file.write_all(bytes)
}

/// Permanently reduces this thread, and the threads that it starts, to the caller's own privileges: `--proc-root` names
/// a whole directory, in which links may lead anywhere.
pub fn drop_file_capabilities() {
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
    fn privileges_are_restored_and_root_keeps_its_own() {
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
    fn a_file_is_replaced_atomically_or_kept() {
        let place = std::env::temp_dir().join(format!("sockstat-replace-{}", std::process::id()));
        std::fs::create_dir_all(&place).unwrap();
        let file = place.join("a.prom");
        let names = || std::fs::read_dir(&place).unwrap().count();
        replace(&file, b"one").unwrap();
        let held = File::open(&file).unwrap();
        replace(&file, b"two").unwrap();
        let mode = std::fs::metadata(&file).unwrap().permissions().mode() & 0o7777;
        assert_eq!(
            (std::fs::read(&file).unwrap(), mode, names()),
            (b"two".to_vec(), 0o644, 1)
        );
        let mut old = String::new();
        io::Read::read_to_string(&mut &held, &mut old).unwrap();
        assert_eq!(old, "one", "a reader keeps what it opened");
        std::os::unix::fs::symlink(&file, place.join("link")).unwrap();
        for wrong in [place.join("link"), place.clone(), "/dev/null".into()] {
            let error = replace(&wrong, b"x").unwrap_err().to_string();
            assert!(
                error.contains("not a regular file"),
                "{}: {error}",
                wrong.display()
            );
        }
        assert!(replace(&place.join("no/such/directory"), b"x").is_err());
        assert_eq!((std::fs::read(&file).unwrap(), names()), (b"two".to_vec(), 2));
        std::fs::remove_dir_all(&place).unwrap();
    }

    #[test]
    fn a_file_is_opened_with_the_options() {
        assert!(open(Path::new("/proc/self/status")).is_ok());
        let missing = open_with(OpenOptions::new().write(true), Path::new("/nonexistent/file"));
        assert_eq!(missing.unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
