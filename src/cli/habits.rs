//! What people type who know netstat, lsof or another sockstat, and what they would type here.

use std::ffi::OsString;

use super::UsageError;

/// Options of other programs, and what does the same here. Looked at only where the command line is wrong.
const HABITS: &[(&str, &str)] = &[
    ("-W", "use --wide; a pipe never cuts anything"),
    ("--wide", "a pipe and --plain never cut addresses"),
    ("--notrim", "use --wide; a pipe never cuts anything"),
    (
        "-P",
        "ports are numbers unless -r is given; protocols are -t, -u, -w, -x, not -P as in an older command of this name",
    ),
    (
        "-c",
        "`sockstat events` follows changes, `sockstat nginx` shows a program, and `sockstat state connected` does what -c does in an older command of this name",
    ),
    ("--continuous", "run sockstat events, or watch -n1 sockstat"),
    ("-U", "unix sockets are -x, UDP-Lite is -A udplite"),
    ("-L", "run sockstat -tl for what listens"),
    ("--programs", "use -p or --processes"),
    ("--program", "use -p or --processes"),
    (
        "--process",
        "use -p to show programs, or the name alone to select one: sockstat nginx",
    ),
    ("--timers", "use -o"),
    ("--extend", "use -e"),
    ("--inet", "use -4"),
    ("--inet4", "use -4"),
    ("--inet6", "use -6"),
    ("--numeric-ports", "numbers are the default; -r resolves names"),
    ("--numeric-hosts", "numbers are the default; -r resolves names"),
    ("--symbolic", "use -r"),
    ("--statistics", "run sockstat -s, or nstat for all counters"),
    ("--route", "routes: ip route"),
    ("--interfaces", "interfaces: ip -s link"),
    ("--groups", "multicast groups: ip maddr"),
];

/// Long options that people try for a filter, with the field.
const FILTERS: &[(&str, &str)] = &[
    ("--pid", "pid"),
    ("--user", "user"),
    ("--uid", "uid"),
    ("--port", "port"),
    ("--sport", "sport"),
    ("--dport", "dport"),
    ("--state", "state"),
    ("--comm", "comm"),
    ("--command", "cmdline"),
    ("--inode", "inode"),
];

/// Returns what somebody probably meant by an option that this program does not have.
pub(super) fn explain(arguments: &[OsString]) -> Option<UsageError> {
    let words: Vec<_> = arguments
        .iter()
        .skip(1)
        .map(|word| word.to_string_lossy())
        .collect();
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    // A line of lsof is translated as a whole, `-nP` in it too.
    if let Some((word, line)) = words.iter().find_map(|word| Some((word, of_lsof(&words, word)?))) {
        return Some(unknown(word).with_hint(format!("lsof's {} is here: {line}", words.join(" "))));
    }
    words.iter().enumerate().find_map(|(index, word)| {
        let (name, value) = word
            .split_once('=')
            .map_or((*word, None), |(name, value)| (name, Some(value)));
        if let Some((_, field)) = FILTERS.iter().find(|(option, _)| *option == name) {
            let value = value.or_else(|| words.get(index + 1).copied()).unwrap_or("VALUE");
            let filter = match *field {
                "port" => value.to_owned(),
                field => format!("{field} = {value}"),
            };
            return Some(unknown(name).with_hint(format!("select with a filter: sockstat {filter}")));
        }
        let known = |option: &str| HABITS.iter().find(|(name, _)| *name == option);
        let (option, hint) = known(name)
            .copied()
            .or_else(|| bundled(word).and_then(|one| known(&one).copied()))?;
        Some(unknown(option).with_hint(hint))
    })
}

fn unknown(option: &str) -> UsageError {
    UsageError::new(format!("unknown option '{option}'"))
}

/// Returns the first letter of a bundle that only other programs have, such as `-P` of `-nP`.
fn bundled(word: &str) -> Option<String> {
    let letters = word
        .strip_prefix('-')
        .filter(|letters| !letters.starts_with('-'))?;
    let letter = letters.chars().find(|letter| "WPcUL".contains(*letter))?;
    Some(format!("-{letter}"))
}

/// Translates `-iTCP:80`, `-i:80`, `-i4TCP`, `-i@10.0.0.1:80` and `-sTCP:LISTEN`; `None` for every other word.
fn of_lsof(words: &[&str], word: &str) -> Option<String> {
    let asks_for_state = word.starts_with("-sTCP:") || word.starts_with("-sUDP:");
    if !asks_for_state && internet(word).is_none() {
        return None;
    }
    let mut options = String::from("-");
    let mut filter = Vec::new();
    for (letters, place) in words.iter().filter_map(|word| internet(word)) {
        options.push_str(&letters);
        filter.extend(place);
    }
    for state in words.iter().filter_map(|word| word.strip_prefix("-sTCP:")) {
        match state {
            "LISTEN" => options.push('l'),
            other => filter.extend(["state".to_owned(), other.to_ascii_lowercase().replace('_', "-")]),
        }
    }
    let options = match &options[..] {
        "-" => None,
        options => Some(format!("{options}p")),
    };
    let words: Vec<String> = std::iter::once("sockstat".to_owned())
        .chain(options)
        .chain(filter)
        .collect();
    Some(words.join(" "))
}

/// Takes apart lsof's `-i[46][protocol][@host][:port]`: letters, and a place.
fn internet(word: &str) -> Option<(String, Option<String>)> {
    let rest = word.strip_prefix("-i")?;
    let family = rest
        .get(..1)
        .filter(|family| matches!(*family, "4" | "6"))
        .unwrap_or_default();
    let rest = &rest[family.len()..];
    let upper = rest.to_ascii_uppercase();
    let (protocol, length) = match () {
        () if upper.starts_with("TCP") => ("t", 3),
        () if upper.starts_with("UDP") => ("u", 3),
        () => ("", 0),
    };
    let place = &rest[length..];
    let is_place = place.starts_with(['@', ':']) || (place.is_empty() && length > 0);
    let place = place.trim_start_matches('@');
    is_place.then(|| {
        let place = Some(place.to_owned()).filter(|place| !place.is_empty());
        (format!("{protocol}{family}"), place)
    })
}

/// Returns a hint for `netstat -rn`, which is a listing here: `None` for everything else.
pub fn routes(arguments: &[OsString]) -> Option<&'static str> {
    match arguments {
        [_, word] if word == "-rn" || word == "-nr" => {
            Some("hint: -r resolves names here; the routing table: ip route\n")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint(line: &str) -> String {
        let words: Vec<OsString> = format!("sockstat {line}").split(' ').map(Into::into).collect();
        explain(&words).map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn lines_of_lsof_are_translated() {
        for (line, here) in [
            ("-iTCP:80", "sockstat -tp :80"),
            ("-i:80", "sockstat :80"),
            ("-nP -iTCP -sTCP:LISTEN", "sockstat -tlp"),
            ("-i4TCP:80 -sTCP:CLOSE_WAIT", "sockstat -t4p :80 state close-wait"),
            ("-iudp@10.0.0.1:53", "sockstat -up 10.0.0.1:53"),
        ] {
            let hint = hint(line);
            assert!(hint.ends_with(&format!("{here}\n")), "{line}: {hint}");
        }
    }

    #[test]
    fn options_for_a_filter_are_translated() {
        for (line, here) in [
            ("--pid 812", "sockstat pid = 812"),
            ("--pid=812", "sockstat pid = 812"),
            ("-t --port 80", "sockstat 80"),
            ("--user mark", "sockstat user = mark"),
            ("--pid", "sockstat pid = VALUE"),
        ] {
            assert!(
                hint(line).ends_with(&format!("{here}\n")),
                "{line}: {}",
                hint(line)
            );
        }
    }

    #[test]
    fn letters_of_others_are_explained_also_in_a_bundle() {
        for (line, part) in [
            ("-W", "--wide"),
            ("-tulpnW", "unknown option '-W'"),
            ("-c", "sockstat events"),
            ("-nP", "older command"),
            ("--programs", "-p"),
        ] {
            assert!(hint(line).contains(part), "{line}: {}", hint(line));
        }
        assert_eq!(hint("-Y --nonsense word"), "");
        assert!(routes(&["sockstat".into(), "-rn".into()]).is_some());
    }
}
