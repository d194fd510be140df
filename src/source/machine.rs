//! What identifies this machine: its host name, machine id, boot id, and kernel.

use super::proc::ProcRoot;
use super::{disk, tape};
use crate::model::Name;
use crate::model::kernel::KernelVersion;
use crate::model::machine::Machine;

/// Where the machine id is stored (machine-id(5)); without systemd, D-Bus has its own.
const MACHINE_IDS: [&str; 2] = ["/etc/machine-id", "/var/lib/dbus/machine-id"];

/// The host name (`uname -n`).
pub fn host() -> String {
    tape::fact("host", || {
        rustix::system::uname().nodename().to_string_lossy().into_owned()
    })
}

/// The kernel's release (`uname -r`).
pub fn kernel() -> String {
    tape::fact("kernel", || {
        rustix::system::uname().release().to_string_lossy().into_owned()
    })
}

/// Returns whether the kernel has this version or a newer one. A release without numbers counts as new.
pub fn kernel_is_at_least(major: u32, minor: u32) -> bool {
    KernelVersion::parse(&kernel(), "").is_none_or(|version| version.is_at_least(major, minor))
}

/// The kernel's version including the stable release, which distributions put in the build string (`uname -v`).
pub fn kernel_version() -> Option<KernelVersion> {
    let build = tape::fact("kernel build", || {
        rustix::system::uname().version().to_string_lossy().into_owned()
    });
    KernelVersion::parse(&kernel(), &build)
}

/// Reads what identifies the machine. With another /proc, the machine id is unknown, because that may be from another
/// machine.
pub fn read(root: &ProcRoot) -> Machine {
    let machine_id = MACHINE_IDS
        .iter()
        .filter(|_| !root.is_given())
        .find_map(|path| machine_id(&disk::read_to_string(path).ok()?));
    let boot_id = disk::read_to_string(root.join("sys/kernel/random/boot_id")).ok();
    Machine {
        host: Some(host().into()),
        machine_id: machine_id.map(Name::from),
        boot_id: boot_id.and_then(|text| boot_id_of(&text)).map(Name::from),
    }
}

/// An image that gets its id at first boot has `uninitialized` or an empty file.
fn machine_id(text: &str) -> Option<String> {
    let text = text.trim();
    let is_id = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id.then(|| text.to_ascii_lowercase())
}

fn boot_id_of(text: &str) -> Option<String> {
    let text = text.trim();
    let is_id = text.len() == 36 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    is_id.then(|| text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_valid_id_is_accepted() {
        let id = "0123456789abcdef0123456789abcdef";
        assert_eq!(
            machine_id(&format!("{}\n", id.to_uppercase())).as_deref(),
            Some(id)
        );
        for wrong in ["", "uninitialized\n", "0123", "g123456789abcdef0123456789abcdef"] {
            assert_eq!(machine_id(wrong), None, "{wrong}");
        }
        let boot = "a0f1c8e2-33f7-4b38-9d0c-2a6f0c7d1e55";
        assert_eq!(boot_id_of(&format!("{boot}\n")).as_deref(), Some(boot));
        assert_eq!(boot_id_of("none"), None);
    }

    #[test]
    fn this_machine_has_a_name_and_a_boot() {
        let machine = read(&ProcRoot::default());
        assert_eq!(machine.host, Some(host().into()));
        assert!(machine.boot_id.is_some() && !kernel().is_empty());
    }
}
