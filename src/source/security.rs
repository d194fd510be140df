//! Security modules and BPF programs that can reject a bind of this process.

use super::disk::read_to_string;
use super::{bpf, cgroup};
use crate::model::security::{BindHooks, BindSecurity};

/// Reads those that apply to this process.
pub fn read() -> BindSecurity {
    let modules = read_to_string("/sys/kernel/security/lsm").unwrap_or_default();
    let status = read_to_string("/proc/self/status").unwrap_or_default();
    let enforce = read_to_string("/sys/fs/selinux/enforce");
    let tomoyo = read_to_string("/sys/kernel/security/tomoyo/profile");
    BindSecurity {
        modules: modules.trim().split(',').map(str::to_owned).collect(),
        tomoyo_enforcing: tomoyo.map_or(true, |profiles| tomoyo_enforces(&profiles)),
        selinux_enforcing: enforce.is_ok_and(|text| text.trim() == "1"),
        no_new_privileges: has_no_new_privileges(&status),
        bind_hooks: cgroup::directory_of("self").map_or(
            BindHooks::Absent,
            |directory| match bpf::bind_hooks(&directory) {
                Ok(0) => BindHooks::Absent,
                Ok(_) => BindHooks::Attached,
                Err(_) => BindHooks::Unreadable,
            },
        ),
    }
}

/// Whether a profile of TOMOYO refuses anything. Without a loaded policy the file has no profile at all (linux 6.18
/// security/tomoyo/common.c, tomoyo_read_profile).
fn tomoyo_enforces(profiles: &str) -> bool {
    profiles.contains("mode=enforcing")
}

/// `NoNewPrivs` in /proc/PID/status.
fn has_no_new_privileges(status: &str) -> bool {
    status
        .lines()
        .filter_map(|line| line.strip_prefix("NoNewPrivs:"))
        .any(|value| value.trim() == "1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tomoyo_refuses_only_where_a_profile_enforces() {
        assert!(!tomoyo_enforces("PROFILE_VERSION=20150505\n"));
        let learning = "PROFILE_VERSION=20150505\n1-CONFIG={ mode=learning grant_log=no }\n";
        assert!(!tomoyo_enforces(learning));
        assert!(tomoyo_enforces(
            "3-CONFIG={ mode=enforcing grant_log=no reject_log=yes }\n"
        ));
    }

    #[test]
    fn no_new_privileges_is_a_line_of_the_status() {
        assert!(has_no_new_privileges("Name:\ta\nNoNewPrivs:\t1\nSeccomp:\t0\n"));
        assert!(!has_no_new_privileges("Name:\ta\nNoNewPrivs:\t0\n"));
        assert!(!has_no_new_privileges(""));
    }
}
