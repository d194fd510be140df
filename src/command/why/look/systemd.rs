//! Which socket unit of systemd asks for a port: pid 1 holds the socket, and the unit files say for whom.

use std::collections::BTreeSet;

/// Where socket units are, the first that has a name wins (systemd.unit(5), systemd 257).
const DIRECTORIES: [&str; 4] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
];

/// The socket unit that listens on the port.
pub fn socket_unit(port: u16, udp: bool) -> Option<String> {
    let mut seen = BTreeSet::new();
    let files = DIRECTORIES
        .iter()
        .filter_map(|directory| std::fs::read_dir(directory).ok());
    files.flatten().filter_map(Result::ok).find_map(|file| {
        let name = file.file_name().into_string().ok()?;
        let fresh = name.ends_with(".socket") && seen.insert(name.clone());
        let text = std::fs::read_to_string(file.path()).ok().filter(|_| fresh)?;
        asks_for(&text, port, udp).then_some(name)
    })
}

/// Whether a unit file has a line `ListenStream=` (or `ListenDatagram=`) with the port, alone or behind an address.
fn asks_for(unit: &str, port: u16, udp: bool) -> bool {
    let key = if udp { "ListenDatagram=" } else { "ListenStream=" };
    unit.lines()
        .filter_map(|line| line.trim().strip_prefix(key))
        .any(|value| {
            let value = value.trim();
            value.rsplit(':').next().and_then(|number| number.parse().ok()) == Some(port)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_asks_for_a_port_alone_or_with_an_address() {
        let unit = "[Socket]\nListenStream=0.0.0.0:22\nListenStream=[::]:22\nListenStream=/run/x.sock\n";
        assert!(asks_for(unit, 22, false) && !asks_for(unit, 22, true) && !asks_for(unit, 2, false));
        assert!(asks_for("ListenDatagram=514", 514, true));
    }
}
