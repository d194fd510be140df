//! Determines which systemd socket unit requests a port or name: systemd holds the socket, and the unit files say for
//! whom.

/// What a unit listens on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listen<'a> {
    /// A port, for UDP if the second is true.
    Port(u16, bool),
    /// A path, or `@name`.
    Unix(&'a str),
}

/// Returns the first of the units, given by name and text, that listens there.
pub fn socket_unit(units: impl Iterator<Item = (String, String)>, listen: Listen<'_>) -> Option<String> {
    let mut units = units;
    let (name, _) = units.find(|(_, text)| listens_on(text, listen))?;
    Some(name)
}

/// Whether a unit file has a line `ListenStream=` (or `ListenDatagram=`) with the port, alone or after an address,
/// or with the name.
fn listens_on(unit: &str, listen: Listen<'_>) -> bool {
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
    fn a_unit_requests_a_port_with_or_without_an_address() {
        let unit = "[Socket]\nListenStream=0.0.0.0:22\nListenStream=[::]:22\nListenStream=/run/x.sock\n";
        let tcp = |port| Listen::Port(port, false);
        assert!(
            listens_on(unit, tcp(22))
                && !listens_on(unit, Listen::Port(22, true))
                && !listens_on(unit, tcp(2))
        );
        assert!(listens_on("ListenDatagram = 514", Listen::Port(514, true)));
        assert!(listens_on(unit, Listen::Unix("/run/x.sock")) && !listens_on(unit, Listen::Unix("/run/x")));
    }

    #[test]
    fn the_first_matching_unit_is_named_and_no_further_one_is_read() {
        let mut read = 0;
        let units = ["ListenStream=21", "ListenStream=22", "ListenStream=22"]
            .into_iter()
            .map(|text| {
                read += 1;
                (format!("{read}.socket"), text.to_owned())
            });
        assert_eq!(
            socket_unit(units, Listen::Port(22, false)).as_deref(),
            Some("2.socket")
        );
        assert_eq!(read, 2);
        assert_eq!(socket_unit(std::iter::empty(), Listen::Port(22, false)), None);
    }
}
