//! Reads /proc directories directly: names and links into buffers on the stack, without path strings.

use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags, RawDir, openat, statat};
use rustix::io::Errno;

use super::fdinfo;

/// The buffer for getdents, with room for about 700 descriptors.
pub(super) const DIRECTORY_BYTES: usize = 16 * 1024;

pub(super) const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

pub(super) fn open_directory(at: BorrowedFd<'_>, path: &Path) -> rustix::io::Result<OwnedFd> {
    openat(at, path, DIRECTORY, Mode::empty())
}

/// Returns the entries of a directory whose names are numbers.
pub(super) fn numbered_entries(directory: BorrowedFd<'_>) -> rustix::io::Result<Vec<u32>> {
    let mut buffer = [MaybeUninit::uninit(); DIRECTORY_BYTES];
    let mut entries = RawDir::new(directory, &mut buffer);
    let mut numbers = Vec::new();
    while let Some(entry) = entries.next() {
        numbers.extend(decimal(entry?.file_name()));
    }
    Ok(numbers)
}

pub(super) fn fd_directory_is_empty(directory: BorrowedFd<'_>) -> bool {
    statat(directory, c"fd", rustix::fs::AtFlags::empty()).is_ok_and(|stat| stat.st_size == 0)
}

pub(super) fn sizes_differ(process: BorrowedFd<'_>, task: BorrowedFd<'_>) -> bool {
    let size = |directory| statat(directory, c"fd", rustix::fs::AtFlags::empty()).map(|stat| stat.st_size);
    size(process) != size(task)
}

pub(super) fn read_fdinfo(directory: BorrowedFd<'_>, fd: u32) -> Option<fdinfo::FdInfo> {
    let mut path = PathBuffer::default();
    read_file(directory, path.of(&[Part::Text(b"fdinfo/"), Part::Number(fd)]))
        .ok()
        .map(|text| fdinfo::parse(&text))
}

pub(super) fn read_file(directory: BorrowedFd<'_>, path: &CStr) -> rustix::io::Result<Vec<u8>> {
    use std::io::Read;
    let file = openat(directory, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    let mut text = Vec::with_capacity(1024);
    std::fs::File::from(file)
        .read_to_end(&mut text)
        .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
    Ok(text)
}

/// Parses a directory entry's name as a number.
pub(super) fn decimal(name: &CStr) -> Option<u32> {
    fdinfo::number(name.to_bytes()).and_then(|number| u32::try_from(number).ok())
}

/// A short path on the stack.
#[derive(Default)]
pub(super) struct PathBuffer([u8; 32]);

pub(super) enum Part {
    Text(&'static [u8]),
    Number(u32),
}

impl PathBuffer {
    /// Joins the parts; the longest path used has two numbers and `/task/` between them, 26 bytes.
    pub(super) fn of(&mut self, parts: &[Part]) -> &CStr {
        let mut end = 0;
        let mut push = |byte: u8| {
            if let Some(slot) = self.0.get_mut(end).filter(|_| end < 31) {
                *slot = byte;
                end += 1;
            }
        };
        for part in parts {
            match part {
                Part::Text(text) => text.iter().copied().for_each(&mut push),
                Part::Number(number) => {
                    let mut unit = 10u32.pow(number.checked_ilog10().unwrap_or(0));
                    while unit > 0 {
                        push(b'0' + (number / unit % 10).to_le_bytes()[0]);
                        unit /= 10;
                    }
                }
            }
        }
        CStr::from_bytes_until_nul(&self.0).unwrap_or(c"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_put_together_without_allocating() {
        for number in [0, 7, 10, 4096, u32::MAX] {
            let mut path = PathBuffer::default();
            let joined = path.of(&[Part::Text(b"fdinfo/"), Part::Number(number)]);
            assert_eq!(joined.to_str().unwrap(), format!("fdinfo/{number}"));
        }
    }
}
