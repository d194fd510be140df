//! Words and numbers for people.

use std::time::SystemTime;

use super::escape;
use crate::model::Row;
use crate::model::process::script_name;
use crate::model::time::Moment;
use crate::model::{OwnerStatus, Protocol, Scope, Socket, State};

/// A scope as the table shows it.
pub const fn scope(scope: Scope) -> &'static str {
    match scope {
        Scope::AllV4 => "all v4",
        Scope::AllV6 => "all v6",
        Scope::All => "all v4+v6",
        other => other.name(),
    }
}

/// Milliseconds as `340 ms`, `7.2 s`, `41 s`, `12 min`, `2 h 14 min` or `3 d 4 h`.
pub fn duration_ms(ms: u64) -> String {
    let seconds = ms / 1000;
    match seconds {
        0 => format!("{ms} ms"),
        1..=9 => format!("{seconds}.{} s", ms % 1000 / 100),
        10..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds / 60),
        7200..=172_799 => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3600 % 24),
    }
}

/// Bytes with one decimal in powers of 1024: `512 B`, `1.5 MB`.
pub fn bytes(bytes: u64) -> String {
    let mut unit = 0;
    let mut tenths = u128::from(bytes) * 10;
    while tenths >= 10 * 1024 && unit < 4 {
        tenths /= 1024;
        unit += 1;
    }
    let name = ["B", "kB", "MB", "GB", "TB"].get(unit).unwrap_or(&"TB");
    if unit == 0 || tenths >= 1000 {
        format!("{} {name}", tenths / 10)
    } else {
        format!("{}.{} {name}", tenths / 10, tenths % 10)
    }
}

/// The network namespace of a row: its name, or its inode number if it has none.
pub fn netns(row: &Row<'_>) -> String {
    let Some(namespace) = row.namespace() else {
        return "?".to_owned();
    };
    match (&namespace.name, namespace.inode) {
        (Some(name), _) => name.to_string(),
        (None, Some(inode)) => inode.to_string(),
        (None, None) => "?".to_owned(),
    }
}

/// The command line without the program: its arguments, joined with blanks.
pub fn command(row: &Row<'_>) -> String {
    let process = row.processes().next();
    let Some((process, cmdline)) = process.and_then(|process| Some((process, row.arguments(process)?)))
    else {
        return String::new();
    };
    if row.ownership.status != OwnerStatus::Known {
        return String::new();
    }
    // A script's name is already part of the program's name; the arguments before it are the interpreter's.
    let script = script_name(&process.program);
    let names_script = |argument: &[u8]| {
        script.is_some_and(|script| argument.rsplit(|byte| *byte == b'/').next() == Some(script))
    };
    let skipped = cmdline
        .iter()
        .position(|argument| names_script(argument))
        .map_or(1, |index| index + 1);
    let arguments: Vec<_> = cmdline
        .iter()
        .skip(skipped)
        .map(|argument| escape::text(argument))
        .collect();
    arguments.join(" ")
}

/// Ports of services that are sometimes exposed by accident: databases and caches without encryption by default,
/// debuggers, the docker API. Each is the default port according to the service's documentation.
const SENSITIVE_PORTS: &[u16] = &[
    1433, 1521, 2375, 3306, 5005, 5432, 5984, 6379, 7474, 8086, 9042, 9200, 9229, 11211, 27017,
];

/// Returns whether a listener deserves a second look: a database or a debugger that listens on every address.
pub fn is_exposed(socket: &Socket) -> bool {
    let everywhere = matches!(
        socket.scope(),
        Some(Scope::All | Scope::AllV4 | Scope::AllV6 | Scope::Public)
    );
    let port = socket.inet().map_or(0, |pair| pair.local_port);
    let takes =
        socket.is_listener() || (socket.protocol == Protocol::Udp && socket.state == State::Unconnected);
    everywhere && takes && SENSITIVE_PORTS.contains(&port)
}

/// Formats a point in time in RFC 3339, in UTC, with seconds. Times before 1970 are shown as 1970.
pub fn rfc3339(time: SystemTime) -> String {
    Moment::in_seconds(time).text()
}

/// The same with milliseconds.
pub fn rfc3339_ms(time: SystemTime) -> String {
    Moment::exact(time).text()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_a_unit() {
        assert_eq!(bytes(0), "0 B");
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(1536), "1.5 kB");
        assert_eq!(bytes(120 << 20), "120 MB");
        assert_eq!(bytes(u64::MAX), "16777215 TB");
    }

    #[test]
    fn durations_get_coarser_as_they_grow() {
        for (ms, text) in [
            (340, "340 ms"),
            (7200, "7.2 s"),
            (41_000, "41 s"),
            (720_000, "12 min"),
            (8_040_000, "2 h 14 min"),
            (273_600_000, "3 d 4 h"),
        ] {
            assert_eq!(duration_ms(ms), text);
        }
    }
}
