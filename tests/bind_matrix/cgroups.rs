//! Cgroups as fixtures: the cgroup makes a process a service, a container, or one whose binds a BPF program checks.

use std::fs;
use std::io::{Read as _, Seek as _};
use std::path::PathBuf;

use rustix::event::{PollFd, PollFlags, poll};

use super::skip::skip;

/// A cgroup v2 directory, removed on drop.
pub(crate) struct Cgroup(pub(crate) PathBuf);

impl Cgroup {
    /// Creates a cgroup below the root. If that is not allowed, prints the reason and returns `None`.
    pub(crate) fn new(name: &str) -> Option<Self> {
        let mountinfo = fs::read_to_string("/proc/self/mountinfo").unwrap();
        let line = mountinfo.lines().find(|line| line.contains(" - cgroup2 "));
        let Some(mount_point) = line.and_then(|line| line.split(' ').nth(4)) else {
            skip("cannot create a cgroup: no cgroup v2 is mounted");
            return None;
        };
        let directory = PathBuf::from(mount_point).join(name);
        match fs::create_dir(&directory) {
            Ok(()) => Some(Self(directory)),
            Err(error) => {
                skip(&format!("cannot create a cgroup: {error}"));
                None
            }
        }
    }

    /// A cgroup below this one, which must be removed first.
    pub(crate) fn below(&self, name: &str) -> Self {
        let directory = self.0.join(name);
        fs::create_dir(&directory).unwrap();
        Self(directory)
    }

    /// Waits until the kernel counts no processes in the cgroup.
    fn wait_until_empty(&self) -> std::io::Result<()> {
        let mut events = fs::File::open(self.0.join("cgroup.events"))?;
        loop {
            let mut text = String::new();
            events.rewind()?;
            events.read_to_string(&mut text)?;
            if text.lines().any(|line| line == "populated 0") {
                return Ok(());
            }
            // Each change of the file wakes up poll (linux Documentation/admin-guide/cgroup-v2.rst).
            poll(&mut [PollFd::new(&events, PollFlags::PRI)], None)?;
        }
    }

    /// Moves a process in.
    pub(crate) fn take(&self, pid: u32) {
        fs::write(self.0.join("cgroup.procs"), pid.to_string()).unwrap();
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        // A process that has just ended may still be counted.
        let _ = self.wait_until_empty();
        let _ = fs::remove_dir(&self.0);
    }
}
