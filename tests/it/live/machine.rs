//! What can be known on this machine, determined independently of the program under test, because some expectations
//! depend on it.

use std::fs;
use std::io::ErrorKind;

/// How much we can see of the machine's processes.
pub(crate) struct Machine {
    /// Some process does not let its descriptors be listed.
    pub(crate) refuses: bool,
    /// Some unix socket has descriptors in flight.
    pub(crate) in_flight: bool,
    /// /proc shows the initial pid namespace, and we are in the initial user namespace.
    pub(crate) is_initial: bool,
}

impl Machine {
    pub(crate) fn look() -> Self {
        let link = |path: &str, number: &str| {
            fs::read_link(path).is_ok_and(|link| link.to_string_lossy().contains(number))
        };
        let mut machine = Self {
            refuses: false,
            in_flight: false,
            // Fixed numbers: linux 6.18 include/uapi/linux/nsfs.h.
            is_initial: link("/proc/self/ns/pid", "4026531836") && link("/proc/self/ns/user", "4026531837"),
        };
        for process in fs::read_dir("/proc").unwrap().flatten() {
            let is_process = process
                .file_name()
                .to_string_lossy()
                .bytes()
                .all(|byte| byte.is_ascii_digit());
            if is_process {
                machine.look_into(&process.path());
            }
        }
        machine
    }

    fn look_into(&mut self, process: &std::path::Path) {
        let is_denied = |error: &std::io::Error| error.kind() == ErrorKind::PermissionDenied;
        match fs::read_dir(process.join("fd")) {
            Err(error) => self.refuses |= is_denied(&error),
            // A process may let its descriptors be counted but not read.
            Ok(descriptors) => {
                let links = descriptors
                    .flatten()
                    .map(|descriptor| fs::read_link(descriptor.path()));
                self.refuses |= links
                    .into_iter()
                    .any(|link| link.is_err_and(|error| is_denied(&error)));
            }
        }
        for info in fs::read_dir(process.join("fdinfo"))
            .into_iter()
            .flatten()
            .flatten()
        {
            let text = fs::read_to_string(info.path()).unwrap_or_default();
            let counts = text.lines().filter_map(|line| line.strip_prefix("scm_fds:"));
            self.in_flight |= counts.into_iter().any(|count| count.trim() != "0");
        }
    }
}
