//! Which socket unit of systemd asks for a port: systemd holds the socket, and the unit files say for whom.

use std::collections::BTreeSet;

use crate::diagnose::bind::owner::Owner;
use crate::source::disk;

/// Which systemd: there is one for the machine, and one for each user who is logged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Systemd {
    /// Process 1.
    System,
    /// `systemd --user`.
    User,
}

/// What a unit listens on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listen<'a> {
    /// A port, of UDP if the second is true.
    Port(u16, bool),
    /// A path, or `@name`.
    Unix(&'a str),
}

/// Where socket units are, the first that has a name wins (systemd.unit(5), systemd 257).
const DIRECTORIES: [&str; 4] = [
    "/etc/systemd",
    "/run/systemd",
    "/usr/local/lib/systemd",
    "/usr/lib/systemd",
];

/// Whether systemd is one of the holders, and which.
pub fn among(holders: &[Owner]) -> Option<Systemd> {
    let systemd = holders.iter().find(|owner| owner.program == b"systemd")?;
    Some(if systemd.pid == 1 {
        Systemd::System
    } else {
        Systemd::User
    })
}

/// The socket unit that listens there.
pub fn socket_unit(who: Systemd, listen: Listen<'_>) -> Option<String> {
    let of = match who {
        Systemd::System => "system",
        Systemd::User => "user",
    };
    let mut seen = BTreeSet::new();
    let files = DIRECTORIES.iter().flat_map(|directory| {
        let directory = format!("{directory}/{of}");
        let names = disk::names_in(&directory).unwrap_or_default();
        names.into_iter().map(move |name| (directory.clone(), name))
    });
    files.into_iter().find_map(|(directory, name)| {
        let name = name.into_string().ok()?;
        let fresh = name.ends_with(".socket") && seen.insert(name.clone());
        let text = fresh.then(|| disk::read_to_string(format!("{directory}/{name}")).ok())??;
        asks_for(&text, listen).then_some(name)
    })
}

/// Whether a unit file has a line `ListenStream=` (or `ListenDatagram=`) with the port, alone or behind an address,
/// or with the name.
fn asks_for(unit: &str, listen: Listen<'_>) -> bool {
    unit.lines()
        .filter_map(|line| line.trim().split_once('='))
        .any(|(key, value)| match (key.trim(), listen) {
            ("ListenStream", Listen::Port(port, false)) | ("ListenDatagram", Listen::Port(port, true)) => {
                value
                    .trim()
                    .rsplit(':')
                    .next()
                    .and_then(|number| number.parse().ok())
                    == Some(port)
            }
            ("ListenStream" | "ListenDatagram" | "ListenSequentialPacket", Listen::Unix(name)) => {
                value.trim() == name
            }
            _ => false,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_asks_for_a_port_alone_or_with_an_address() {
        let unit = "[Socket]\nListenStream=0.0.0.0:22\nListenStream=[::]:22\nListenStream=/run/x.sock\n";
        let tcp = |port| Listen::Port(port, false);
        assert!(
            asks_for(unit, tcp(22)) && !asks_for(unit, Listen::Port(22, true)) && !asks_for(unit, tcp(2))
        );
        assert!(asks_for("ListenDatagram = 514", Listen::Port(514, true)));
        assert!(asks_for(unit, Listen::Unix("/run/x.sock")) && !asks_for(unit, Listen::Unix("/run/x")));
    }
}
