//! The mounts of procfs and cgroup2. Pure: parses the text of /proc/self/mountinfo.

use std::path::{Path, PathBuf};

use procfs::process::MountInfo;

/// The two mounts of interest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mounts {
    /// Whether the procfs at the given root hides other users' processes (`hidepid`; proc(5)).
    pub hides_processes: bool,
    /// Where cgroup v2 is mounted.
    pub cgroup2: Option<PathBuf>,
}

impl Mounts {
    /// Parses mountinfo. The last mount at a path counts: it covers earlier ones.
    pub fn parse(mountinfo: &str, proc_root: &str) -> Self {
        let mut mounts = Self::default();
        // If procfs cannot parse a line, only that line is skipped.
        for mount in mountinfo
            .lines()
            .filter_map(|line| MountInfo::from_line(line).ok())
        {
            match mount.fs_type.as_str() {
                "proc" if mount.mount_point == Path::new(proc_root) => {
                    let hidepid = mount.super_options.get("hidepid").and_then(Option::as_deref);
                    mounts.hides_processes = hidepid.is_some_and(|value| !matches!(value, "0" | "off"));
                }
                "cgroup2" => mounts.cgroup2 = mount.mount_point.to_str().map(|path| unescape(path).into()),
                _ => {}
            }
        }
        mounts
    }
}

/// Decodes the octal escapes of mountinfo, which procfs leaves in place: space, tab, newline and backslash.
pub(crate) fn unescape(text: &str) -> String {
    ["\\040", "\\011", "\\012", "\\134"]
        .iter()
        .zip([" ", "\t", "\n", "\\"])
        .fold(text.to_owned(), |text, (escape, plain)| {
            text.replace(escape, plain)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidepid_in_any_spelling_is_seen() {
        let line = |options: &str| format!("22 1 0:20 / /proc rw,nosuid - proc proc {options}\n");
        for (options, hidden) in [
            ("rw", false),
            ("rw,hidepid=0", false),
            ("rw,hidepid=off", false),
            ("rw,hidepid=2", true),
            ("rw,gid=5,hidepid=invisible", true),
            ("rw,hidepid=ptraceable", true),
        ] {
            assert_eq!(
                Mounts::parse(&line(options), "/proc").hides_processes,
                hidden,
                "{options}"
            );
        }
        assert!(!Mounts::parse(&line("rw,hidepid=2"), "/host/proc").hides_processes);
    }

    #[test]
    fn the_cgroup2_mount_is_found_beside_v1() {
        let text = "30 22 0:26 / /sys/fs/cgroup ro - tmpfs tmpfs ro\n31 30 0:27 / /sys/fs/cgroup/uni\\040fied rw shared:4 - cgroup2 cgroup2 rw\n";
        assert_eq!(
            Mounts::parse(text, "/proc").cgroup2,
            Some("/sys/fs/cgroup/uni fied".into())
        );
    }
}
