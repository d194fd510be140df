//! Security modules and BPF programs that can reject a bind of this process.

use super::disk::read_to_string;
use super::{bpf, cgroup};
use crate::model::security::{BindHooks, BindSecurity};

/// Reads which of them apply to this process.
pub fn read() -> BindSecurity {
    let modules = read_to_string("/sys/kernel/security/lsm").unwrap_or_default();
    let status = read_to_string("/proc/self/status").unwrap_or_default();
    let enforce = read_to_string("/sys/fs/selinux/enforce");
    BindSecurity {
        modules: modules.trim().split(',').map(str::to_owned).collect(),
        tomoyo_enforcing: tomoyo_enforcing(),
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

/// Whether TOMOYO enforces a policy. Only root may read the profiles; other users may only read how often a policy was
/// written since the kernel started (linux 6.18 security/tomoyo/securityfs_if.c and common.c, tomoyo_read_stat).
fn tomoyo_enforcing() -> bool {
    let read = |name: &str| read_to_string(format!("/sys/kernel/security/tomoyo/{name}"));
    match read("profile") {
        Ok(profiles) => tomoyo_enforces(&profiles),
        Err(_) => read("stat").map_or(true, |counts| tomoyo_has_policy(&counts)),
    }
}

/// Whether a policy was ever loaded, according to TOMOYO's counters.
fn tomoyo_has_policy(counts: &str) -> bool {
    let updates = counts
        .lines()
        .find_map(|line| line.strip_prefix("Policy update:"));
    updates.and_then(|count| count.split_ascii_whitespace().next()) != Some("0")
}

/// Whether a TOMOYO profile denies anything. Without a loaded policy, the file has no profile at all (linux 6.18
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
    fn tomoyo_denies_only_if_a_profile_is_enforced() {
        assert!(!tomoyo_enforces("PROFILE_VERSION=20150505\n"));
        let learning = "PROFILE_VERSION=20150505\n1-CONFIG={ mode=learning grant_log=no }\n";
        assert!(!tomoyo_enforces(learning));
        assert!(tomoyo_enforces(
            "3-CONFIG={ mode=enforcing grant_log=no reject_log=yes }\n"
        ));
    }

    #[test]
    fn tomoyo_without_a_policy_denies_nothing() {
        // From Debian's 6.1.192 without a policy.
        let none = "Policy update:                                 0\nPolicy violation in learning mode:             0\n\
            Memory used by policy:                       320\n";
        assert!(!tomoyo_has_policy(none));
        let loaded = "Policy update:                                12 (Last: 2026/11/30 17:00:00)\n";
        assert!(tomoyo_has_policy(loaded));
        assert!(tomoyo_has_policy(""), "unknown");
    }

    #[test]
    fn no_new_privileges_is_a_line_of_the_status() {
        assert!(has_no_new_privileges("Name:\ta\nNoNewPrivs:\t1\nSeccomp:\t0\n"));
        assert!(!has_no_new_privileges("Name:\ta\nNoNewPrivs:\t0\n"));
        assert!(!has_no_new_privileges(""));
    }
}
