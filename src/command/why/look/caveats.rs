//! What the verdict does not cover because it is not about sockets, as far as it can be seen.

use super::cgroup;
use crate::model::Gap;
use crate::source::bpf;
use crate::source::containers::docker::Docker;
use crate::source::disk::read_to_string;

/// Sentences for whatever else could decide about this port, and what could not be looked at.
pub fn read(port: u16, udp: bool) -> (Vec<String>, Option<Gap>) {
    let mut notes = Vec::new();
    if let Some(container) = Docker::default().published_by(port, udp) {
        notes.push(format!(
            "docker's state says that the container {container} publishes port {port}: its NAT rules come before any socket"
        ));
    }
    let modules = read_to_string("/sys/kernel/security/lsm").unwrap_or_default();
    let status = read_to_string("/proc/self/status").unwrap_or_default();
    let enforcing = read_to_string("/sys/fs/selinux/enforce").is_ok_and(|text| text.trim() == "1");
    let restricting = restricting(&modules, &status, enforcing);
    if !restricting.is_empty() {
        notes.push(format!(
            "{} may refuse a bind with EACCES; that was not examined",
            restricting.join(" and ")
        ));
    }
    let hooks = cgroup::directory_of("self").map(|directory| bpf::bind_hooks(&directory));
    let gap = match hooks {
        Some(Ok(0)) | None => None,
        Some(Ok(_)) => {
            notes.push(
                "a BPF program of this cgroup or one above it looks at every bind, and may refuse it or change the address"
                    .to_owned(),
            );
            None
        }
        Some(Err(_)) => Some(
            Gap::note(
                "bind-hooks-unseen",
                "whether a BPF program of this cgroup, or of one above it, looks at bind is not known",
            )
            .with_remedy("needs CAP_NET_ADMIN"),
        ),
    };
    (notes, gap)
}

/// The security modules that may refuse a bind, given the list of active ones and /proc/self/status. Landlock is
/// active nearly everywhere and means only programs that restricted themselves or were restricted by a parent;
/// those have `NoNewPrivs`, unless they are root.
fn restricting(modules: &str, status: &str, selinux_enforcing: bool) -> Vec<&'static str> {
    let active = |name: &str| modules.trim().split(',').any(|module| module == name);
    let no_new_privileges = status
        .lines()
        .filter_map(|line| line.strip_prefix("NoNewPrivs:"))
        .any(|value| value.trim() == "1");
    [
        ("SELinux (name_bind)", selinux_enforcing),
        ("Smack", active("smack")),
        ("TOMOYO", active("tomoyo")),
        (
            "Landlock (inherited from the caller)",
            active("landlock") && no_new_privileges,
        ),
    ]
    .into_iter()
    .filter_map(|(name, restricts)| restricts.then_some(name))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_count_where_they_may_restrict_a_bind() {
        let list = "capability,landlock,yama,apparmor,bpf\n";
        assert!(restricting(list, "NoNewPrivs:\t0\n", false).is_empty());
        assert_eq!(
            restricting(list, "NoNewPrivs:\t1\n", false),
            ["Landlock (inherited from the caller)"]
        );
        assert_eq!(
            restricting("capability,tomoyo", "", true),
            ["SELinux (name_bind)", "TOMOYO"]
        );
    }
}
