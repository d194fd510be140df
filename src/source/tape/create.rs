//! Creates the file of a recording: readable only by its owner, and never replacing somebody else's.

use std::fs::{File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use crate::source::callers_files;

/// The mode of a recording, which contains command lines that nobody else may read.
const MODE: u32 = 0o600;

/// Creates the file, or truncates one of ours. Symbolic links are not followed, because somebody may have planted them.
///
/// # Errors
/// If it cannot be created, or an existing file is not a regular file of ours.
pub fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options
        .write(true)
        .create(true)
        .truncate(false)
        .mode(MODE)
        // Non-blocking, in case it is a FIFO without a reader.
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    let file = callers_files::open_with(&options, path).map_err(|error| match error.raw_os_error() {
        Some(libc::ELOOP) => io::Error::other("it is a symbolic link, which is not followed"),
        Some(libc::ENXIO) => not_a_regular_file(),
        _ => error,
    })?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(not_a_regular_file());
    }
    if metadata.uid() != rustix::process::geteuid().as_raw() || metadata.nlink() > 1 {
        return Err(io::Error::other(
            "the file has another owner or another hard link",
        ));
    }
    file.set_permissions(Permissions::from_mode(MODE))?;
    file.set_len(0)?;
    Ok(file)
}

fn not_a_regular_file() -> io::Error {
    io::Error::other("it is not a regular file")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(name: &str) -> std::path::PathBuf {
        let path = std::env::temp_dir().join(format!("sockstat-create-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        path
    }

    #[test]
    fn a_file_is_made_readable_only_by_its_owner() {
        let place = directory("mode");
        let file = place.join("r");
        std::fs::write(&file, "old and longer").unwrap();
        std::fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
        drop(create(&file).unwrap());
        let metadata = std::fs::metadata(&file).unwrap();
        assert_eq!((metadata.mode() & 0o7777, metadata.len()), (0o600, 0));
        std::fs::remove_dir_all(&place).unwrap();
    }

    #[test]
    fn links_and_special_files_are_rejected_and_left_alone() {
        let place = directory("links");
        let target = place.join("target");
        std::fs::write(&target, "precious").unwrap();
        std::os::unix::fs::symlink(&target, place.join("symbolic")).unwrap();
        std::fs::hard_link(&target, place.join("hard")).unwrap();
        let fifo = rustix::fs::FileType::Fifo;
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mknodat(rustix::fs::CWD, place.join("fifo"), fifo, mode, 0).unwrap();
        for (name, part) in [
            ("symbolic", "symbolic link"),
            ("hard", "another owner"),
            ("fifo", "not a regular file"),
            ("", "directory"),
        ] {
            let error = create(&place.join(name)).unwrap_err().to_string();
            assert!(error.contains(part), "{name}: {error}");
        }
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "precious");
        std::fs::remove_dir_all(&place).unwrap();
    }
}
