//! Why the kernel's iterator cannot be used, in words for users. The caller then walks over /proc instead.

use std::fs;
use std::io;

use rustix::thread::{CapabilitySet, capabilities};

use super::btf::BtfError;

/// The name that the verifier of Linux before 5.11 prints for the helper `bpf_sock_from_file`
/// (include/uapi/linux/bpf.h).
const SOCK_FROM_FILE_UNKNOWN: &str = "unknown#162";

/// Why there are no records. None of these is a fault of the machine: the walk over /proc finds the same holders, only
/// more slowly.
#[derive(Debug)]
pub enum Refusal {
    /// The kernel does not permit us to load programs; with what is missing, for use after "needs".
    NotPermitted(&'static str),
    /// There is no type information.
    NoBtf(io::Error),
    /// The type information lacks something: the kernel is older than 5.11, or has an unknown layout.
    KernelTooOld(BtfError),
    /// The kernel has no `bpf_sock_from_file`: it is older than 5.11.
    NoSockFromFile,
    /// The kernel is locked down for confidentiality, so programs may not read its memory.
    Lockdown,
    /// It is unknown which of a process's ids belongs to our pid namespace.
    PidNamespace(&'static str),
    /// The kernel's verifier rejected the program, with this last message.
    VerifierRefused(String),
    /// The reason in a recording; empty if the recording has none.
    Recorded(String),
    /// Another system error, with what was attempted.
    Io(&'static str, io::Error),
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotPermitted(missing) => write!(f, "the BPF iterator needs {missing}"),
            Self::NoBtf(error) => write!(
                f,
                "the kernel's type information in /sys/kernel/btf/vmlinux: {error}"
            ),
            Self::KernelTooOld(error) => write!(f, "no BPF iterator for this kernel: {error}"),
            Self::NoSockFromFile => f.write_str("the BPF iterator needs Linux 5.11 or newer"),
            Self::Lockdown => write!(
                f,
                "the kernel is locked down (confidentiality), which forbids the BPF iterator"
            ),
            Self::PidNamespace(why) => {
                write!(f, "the BPF iterator's pids cannot be mapped to ours: {why}")
            }
            Self::VerifierRefused(said) => {
                write!(f, "the kernel's verifier refused the BPF iterator: {said}")
            }
            Self::Recorded(said) => f.write_str(said),
            Self::Io(attempted, error) => {
                write!(f, "the BPF iterator could not {attempted}: {error}")
            }
        }
    }
}

impl std::error::Error for Refusal {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NoBtf(error) | Self::Io(_, error) => Some(error),
            Self::KernelTooOld(error) => Some(error),
            _ => None,
        }
    }
}

impl From<BtfError> for Refusal {
    fn from(error: BtfError) -> Self {
        Self::KernelTooOld(error)
    }
}

/// Explains why a program was not loaded. The verifier's text is requested only if there can be one.
pub(super) fn of_load(error: io::Error, verifier_text: impl FnOnce() -> String) -> Refusal {
    if is_locked_down() {
        return Refusal::Lockdown;
    }
    if error.kind() == io::ErrorKind::PermissionDenied && error.raw_os_error() == Some(libc::EPERM) {
        let held = capabilities(None).map_or(CapabilitySet::empty(), |sets| sets.effective);
        return Refusal::NotPermitted(missing(held));
    }
    match last_words(&verifier_text()) {
        Some(words) if words.ends_with(SOCK_FROM_FILE_UNKNOWN) => Refusal::NoSockFromFile,
        Some(words) => Refusal::VerifierRefused(words.to_owned()),
        None => Refusal::Io("load its program", error),
    }
}

/// Returns what a user with these capabilities lacks (linux 6.18 kernel/bpf/syscall.c, `bpf_prog_load`).
fn missing(held: CapabilitySet) -> &'static str {
    if held.contains(CapabilitySet::SYS_ADMIN) || held.contains(CapabilitySet::BPF | CapabilitySet::PERFMON) {
        // The kernel refused although both are held.
        "its capabilities in the initial user namespace, and a seccomp filter that allows bpf(2)"
    } else if held.contains(CapabilitySet::BPF) {
        "CAP_PERFMON in addition to CAP_BPF"
    } else if held.contains(CapabilitySet::PERFMON) {
        "CAP_BPF in addition to CAP_PERFMON"
    } else {
        "CAP_BPF and CAP_PERFMON"
    }
}

fn is_locked_down() -> bool {
    // Absent if the kernel does not support lockdown.
    fs::read_to_string("/sys/kernel/security/lockdown").is_ok_and(|modes| modes.contains("[confidentiality]"))
}

/// Returns the last line of the verifier's text that is not one of its statistics.
fn last_words(text: &str) -> Option<&str> {
    let counters = ["processed ", "verification time ", "stack depth "];
    text.lines()
        .map(str::trim)
        .rfind(|line| !line.is_empty() && !counters.iter().any(|counter| line.starts_with(counter)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verifiers_reason_is_the_line_before_its_counters() {
        let text = "0: (bf) r6 = r1\n5: (85) call unknown#162\ninvalid func unknown#162\n\
                    verification time 41 usec\nstack depth 0\nprocessed 6 insns (limit 1000000)\n\n";
        assert_eq!(last_words(text), Some("invalid func unknown#162"));
        assert_eq!(last_words("processed 6 insns\n"), None);
        assert_eq!(last_words(""), None);
    }

    #[test]
    fn what_is_missing_depends_on_what_is_held() {
        assert_eq!(missing(CapabilitySet::empty()), "CAP_BPF and CAP_PERFMON");
        assert_eq!(missing(CapabilitySet::BPF), "CAP_PERFMON in addition to CAP_BPF");
        assert_eq!(
            missing(CapabilitySet::PERFMON),
            "CAP_BPF in addition to CAP_PERFMON"
        );
        assert!(missing(CapabilitySet::SYS_ADMIN).contains("user namespace"));
        assert!(missing(CapabilitySet::BPF | CapabilitySet::PERFMON).contains("user namespace"));
    }

    #[test]
    fn a_load_without_a_verifiers_text_keeps_its_errno() {
        let refusal = of_load(io::Error::from_raw_os_error(libc::ENOSYS), String::new);
        assert!(
            matches!(&refusal, Refusal::Io(_, error) if error.raw_os_error() == Some(libc::ENOSYS)),
            "{refusal:?}"
        );
        let refusal = of_load(io::Error::from_raw_os_error(libc::EINVAL), || {
            "5: (85) call unknown#162\ninvalid func unknown#162\nprocessed 6 insns\n".to_owned()
        });
        assert_eq!(refusal.to_string(), "the BPF iterator needs Linux 5.11 or newer");
        let refusal = of_load(io::Error::from_raw_os_error(libc::EINVAL), || {
            "no such helper\n".to_owned()
        });
        assert_eq!(
            refusal.to_string(),
            "the kernel's verifier refused the BPF iterator: no such helper"
        );
    }
}
