//! What users of netstat, lsof or another sockstat type, and the equivalent here.

use std::ffi::OsString;

use super::UsageError;
use super::order::shown;

/// Options of other programs, and their equivalents here. Used only if the command line is invalid.
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

/// Returns what was probably meant by an option that this program lacks.
pub(super) fn explain(arguments: &[OsString]) -> Option<UsageError> {
    let words: Vec<_> = arguments
        .iter()
        .skip(1)
        .map(|word| word.to_string_lossy())
        .collect();
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    // A line of lsof is translated as a whole, including its `-nP`.
    if let Some((word, line)) = words.iter().find_map(|word| Some((word, of_lsof(&words, word)?))) {
        let typed = words.strip_prefix(&["lsof"]).unwrap_or(&words).join(" ");
        return Some(unknown(word).with_hint(format!("the same as lsof {typed}: {line}")));
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

/// Translates a line of lsof that has an `-i` or `-s` of lsof's kind: `-iTCP:80`, `-ti:80`, `-nP -i :80`,
/// `-sTCP:LISTEN`; `None` for every other line.
fn of_lsof(words: &[&str], word: &str) -> Option<String> {
    let asks_for_state = word.starts_with("-sTCP:") || word.starts_with("-sUDP:");
    let is_of_lsof = word.contains('P') && lsof_letters(word).is_some();
    let line = Lsof::of(words);
    let names_a_place = Lsof::of(&[word]).has_place;
    if !(asks_for_state || names_a_place || is_of_lsof && line.selects_internet) {
        return None;
    }
    Some(line.here())
}

/// Splits a bundle of lsof's letters at its `-i`: the letters before it, and the text after it.
fn lsof_letters(word: &str) -> Option<(&str, Option<&str>)> {
    let letters = word.strip_prefix('-').filter(|letters| !letters.is_empty())?;
    let (letters, address) = match letters.split_once('i') {
        Some((letters, address)) => (letters, Some(address)),
        None => (letters, None),
    };
    letters
        .bytes()
        .all(|letter| b"nPtlwa".contains(&letter))
        .then_some((letters, address))
}

/// What a line of lsof requests.
#[derive(Default)]
#[allow(clippy::struct_excessive_bools, reason = "options of their own")]
struct Lsof<'a> {
    /// `-t`: only process ids.
    terse: bool,
    /// `-i`.
    selects_internet: bool,
    /// An `-i` with more than a family.
    has_place: bool,
    /// `-sTCP:LISTEN`.
    listening: bool,
    family: &'a str,
    protocol: &'static str,
    /// `:80` or `10.0.0.1:80`.
    places: Vec<&'a str>,
    states: Vec<String>,
    /// `-p` and `-c`.
    owners: Vec<String>,
}

impl<'a> Lsof<'a> {
    fn of(words: &[&'a str]) -> Self {
        let mut line = Self::default();
        let mut words = words.iter().copied().peekable();
        while let Some(word) = words.next() {
            if let Some(state) = word.strip_prefix("-s").filter(|state| !state.starts_with('-')) {
                let state = if state.is_empty() {
                    words.next().unwrap_or_default()
                } else {
                    state
                };
                line.add_state(state);
            } else if let Some((letters, address)) = lsof_letters(word) {
                line.terse |= letters.contains('t');
                match address {
                    None => {}
                    // The address may be the next word.
                    Some("") => {
                        line.selects_internet = true;
                        if let Some(next) = words.peek()
                            && line.add_address(next)
                        {
                            words.next();
                        }
                    }
                    Some(address) => line.selects_internet |= line.add_address(address),
                }
            } else if let (Some(option @ ("p" | "c")), Some(value)) =
                (word.strip_prefix('-'), words.peek().copied())
            {
                words.next();
                line.owners.push(match option {
                    "p" => format!("pid = {value}"),
                    _ => value.to_owned(),
                });
            }
        }
        line
    }

    /// Takes apart `[46][protocol][@host][:port]`; returns whether the word has this form.
    fn add_address(&mut self, text: &'a str) -> bool {
        let (family, rest) = text.split_at(usize::from(text.starts_with(['4', '6'])));
        let is_protocol = |name: &str| {
            rest.get(..3)
                .is_some_and(|begin| begin.eq_ignore_ascii_case(name))
        };
        let protocol = ["tcp", "udp"].into_iter().find(|name| is_protocol(name));
        let place = rest.get(protocol.map_or(0, str::len)..).unwrap_or_default();
        if !(place.is_empty() || place.starts_with(['@', ':'])) || text.is_empty() {
            return false;
        }
        self.family = family;
        self.protocol = protocol.unwrap_or_default();
        self.has_place |= protocol.is_some() || !place.is_empty();
        self.places
            .extend(Some(place.trim_start_matches('@')).filter(|place| !place.is_empty()));
        true
    }

    /// `TCP:LISTEN,ESTABLISHED`.
    fn add_state(&mut self, text: &str) {
        let states = text.split_once(':').map_or("", |(_, states)| states);
        for state in states.split(',').filter(|state| !state.is_empty()) {
            match state {
                "LISTEN" => self.listening = true,
                other => self.states.push(other.to_ascii_lowercase().replace('_', "-")),
            }
        }
    }

    /// The equivalent line here.
    fn here(&self) -> String {
        let mut words = vec!["sockstat".to_owned()];
        let listening = if self.listening { "l" } else { "" };
        let mut protocol = self.protocol;
        // An option that selects leaves out listeners, unless -a is there too.
        if self.listening || !self.family.is_empty() {
            let kinds = match protocol {
                "udp" => "u",
                "" if !self.listening => "tu",
                _ => "t",
            };
            let all = if self.listening { "" } else { "a" };
            let owners = if self.terse { "" } else { "p" };
            words.push(format!("-{kinds}{listening}{}{all}{owners}", self.family));
            protocol = "";
        }
        if self.terse {
            words.push("--pids".to_owned());
        }
        if !protocol.is_empty() && !self.places.iter().any(|place| place.starts_with(':')) {
            words.push(protocol.to_owned());
            protocol = "";
        }
        words.extend(self.places.iter().map(|place| format!("{protocol}{place}")));
        words.extend(self.states.iter().cloned());
        words.extend(self.owners.iter().cloned());
        words.join(" ")
    }
}

/// The numbers and names of signals, as kill(1) takes them.
const SIGNALS: &[(&str, &str)] = &[
    ("1", "HUP"),
    ("2", "INT"),
    ("3", "QUIT"),
    ("9", "KILL"),
    ("10", "USR1"),
    ("12", "USR2"),
    ("15", "TERM"),
];

/// Returns the signal that an option of kill(1) or pkill(1) means.
fn signal_of(option: &str) -> Option<&'static str> {
    if matches!(option, "--force" | "-f" | "--kill") {
        return Some("KILL");
    }
    let name = option.strip_prefix('-')?;
    let name = name.strip_prefix("SIG").unwrap_or(name);
    let found = SIGNALS
        .iter()
        .find(|(number, signal)| *number == name || *signal == name);
    found.map(|(_, signal)| *signal)
}

/// Returns what was probably meant by an option that `kill` lacks: `--force`, `-9`, `-KILL`,
/// `-s TERM`.
pub(super) fn explain_kill(arguments: &[OsString]) -> Option<UsageError> {
    let value_of_s = |at: usize| {
        let word = arguments.get(at)?.to_str()?.strip_prefix("-s")?;
        let next = || arguments.get(at + 1).and_then(|next| next.to_str());
        let (name, length) = if word.is_empty() { (next()?, 2) } else { (word, 1) };
        signal_of(&format!("-{name}")).map(|signal| (signal, length))
    };
    let (at, signal, length) = (2..arguments.len()).find_map(|at| {
        let word = arguments.get(at)?.to_str()?;
        let found = signal_of(word)
            .map(|signal| (signal, 1))
            .or_else(|| value_of_s(at));
        found.map(|(signal, length)| (at, signal, length))
    })?;
    let mut line = arguments.to_vec();
    let mut meant = vec!["--signal".into(), signal.into()];
    if signal == "KILL" && !arguments.iter().any(|word| word == "--yes" || word == "-y") {
        meant.push("--yes".into());
    }
    drop(line.splice(at..at + length, meant));
    let usual = match signal {
        "KILL" => "TERM is sent first, and KILL offered if that does not help; KILL at once: ",
        _ => "",
    };
    let option = arguments.get(at)?.to_string_lossy();
    Some(unknown(&option).with_hint(format!("{usual}{}", shown(&line))))
}

/// Returns the command line without the name of another program: `ss -tlnp`, `lsof -i :80`, `-tulnp grep 80`.
/// A line of lsof is translated. `None` if the word is not such a name there.
pub fn without_program(arguments: &[OsString], word: &str) -> Option<String> {
    let at = arguments.iter().skip(1).position(|argument| argument == word)? + 1;
    let is_option = |argument: &OsString| argument.as_encoded_bytes().starts_with(b"-");
    let is_name = match word {
        "grep" => true,
        "ss" | "netstat" | "lsof" => arguments.iter().take(at).skip(1).all(is_option),
        _ => false,
    };
    let mut rest = arguments.to_vec();
    drop(rest.splice(at..=at, []));
    let words: Vec<_> = rest.iter().skip(1).map(|word| word.to_string_lossy()).collect();
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    let is_of_lsof = word == "lsof" && words.iter().any(|word| word.starts_with('-'));
    is_name.then(|| {
        if is_of_lsof {
            Lsof::of(&words).here()
        } else {
            shown(&rest)
        }
    })
}

/// Returns a hint for a line that means a listing here and something else there: `netstat -rn`, `lsof -ti tcp:80`;
/// `None` for everything else.
pub fn aside(arguments: &[OsString]) -> Option<String> {
    let words: Vec<_> = arguments
        .iter()
        .skip(1)
        .map(|word| word.to_string_lossy())
        .collect();
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    match words[..] {
        ["-rn" | "-nr"] => Some("hint: -r resolves names here; the routing table: ip route\n".to_owned()),
        ["-i", place] if place.starts_with(':') => Some(format!(
            "hint: -i adds TCP details here; as lsof -i {place}: sockstat {place}\n"
        )),
        ["-ti" | "-it" | "-nti" | "-tni", place] => {
            let line = Lsof::of(&["-ti", place]);
            (!line.protocol.is_empty()).then(|| {
                format!(
                    "hint: -t is TCP here, and -i its details; process ids: {}\n",
                    line.here()
                )
            })
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
            ("-iTCP:80", "sockstat tcp:80"),
            ("-iTCP", "sockstat tcp"),
            ("-i:80", "sockstat :80"),
            ("-i :80 -nP", "sockstat :80"),
            ("-nP -i :80", "sockstat :80"),
            ("-nPi tcp:80", "sockstat tcp:80"),
            ("lsof -nP -i :80", "the same as lsof -nP -i :80: sockstat :80"),
            ("-nP -i", "sockstat"),
            ("-nP -i -p 812", "sockstat pid = 812"),
            ("-ti:80", "sockstat --pids :80"),
            ("-nPti:80", "sockstat --pids :80"),
            ("-t -i:80", "sockstat --pids :80"),
            ("-tiTCP:80 -sTCP:LISTEN", "sockstat -tl --pids :80"),
            ("-iTCP -sTCP:LISTEN", "sockstat -tlp"),
            ("-nP -iTCP:80 -s TCP:LISTEN", "sockstat -tlp :80"),
            ("-i4TCP:80 -sTCP:CLOSE_WAIT", "sockstat -t4ap :80 close-wait"),
            ("-i6 -P", "sockstat -tu6ap"),
            ("-iudp@10.0.0.1:53", "sockstat udp 10.0.0.1:53"),
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
    }

    #[test]
    fn a_listing_that_means_something_else_elsewhere_gets_a_hint() {
        let aside = |line: &str| {
            let words: Vec<OsString> = format!("sockstat {line}").split(' ').map(Into::into).collect();
            aside(&words).unwrap_or_default()
        };
        assert!(aside("-rn").contains("ip route"));
        assert!(aside("-i :3000").ends_with("as lsof -i :3000: sockstat :3000\n"));
        assert!(aside("-ti tcp:3000").ends_with("sockstat --pids tcp:3000\n"));
        for line in ["-ti", "-ti :3000", "-ti sport = :22", "-i tcp:3000", "-tin"] {
            assert_eq!(aside(line), "", "{line}");
        }
    }

    #[test]
    fn signals_as_kill_takes_them_are_translated() {
        let hint = |line: &str| {
            let words: Vec<OsString> = format!("sockstat kill {line}")
                .split(' ')
                .map(Into::into)
                .collect();
            explain_kill(&words)
                .map(|error| error.to_string())
                .unwrap_or_default()
        };
        for (line, here) in [
            ("--force :3000", "sockstat kill --signal KILL --yes :3000\n"),
            ("-9 :3000", "sockstat kill --signal KILL --yes :3000\n"),
            ("-KILL -y nginx", "sockstat kill --signal KILL -y nginx\n"),
            ("-SIGHUP nginx", "sockstat kill --signal HUP nginx\n"),
            (":3000 -s 15", "sockstat kill :3000 --signal TERM\n"),
            ("-sINT :3000", "sockstat kill --signal INT :3000\n"),
        ] {
            assert!(hint(line).contains(here), "{line}: {}", hint(line));
        }
        assert_eq!(hint("--nonsense :3000"), "");
    }
}
