//! What the verdict does not cover because it is not about sockets, as far as it can be seen.

use super::docker;

/// Sentences for whatever else could decide about this port.
pub fn read(port: u16) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(container) = docker::published_by(port) {
        notes.push(format!(
            "docker's state says that the container {container} publishes port {port}: its NAT rules come before any socket"
        ));
    }
    if std::fs::read_to_string("/sys/fs/selinux/enforce").is_ok_and(|text| text.trim() == "1") {
        notes.push(
            "SELinux is enforcing and may refuse a bind with EACCES (name_bind); that was not examined"
                .to_owned(),
        );
    }
    notes
}
