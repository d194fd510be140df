//! Completions at the cursor of a shell: options, commands, and values of both. Pure; what only the machine knows
//! (ports, users, namespaces) is looked up by the caller.

use clap::{Arg, Command};

use super::{commands, order};
use crate::model::{Protocol, State};
use crate::query::field::{FIELDS, Field};
use crate::query::{field_names, field_of, words as words_of};

/// A completion candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The word.
    pub word: String,
    /// What it means; may be empty.
    pub help: String,
}

impl Candidate {
    fn new(word: impl Into<String>, help: impl Into<String>) -> Self {
        let (word, help) = (word.into(), help.into());
        Self { word, help }
    }
}

/// What only the machine knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LookUp {
    /// Ports that have a listener.
    Ports,
    /// Names of network namespaces.
    Namespaces,
    /// Names of users.
    Users,
    /// Ids of users.
    UserIds,
    /// Names of interfaces.
    Interfaces,
}

/// An answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// The part of the word that stays: `--columns=pid,`.
    pub kept: String,
    /// The part to complete.
    pub begun: String,
    /// Candidates, not yet compared with what was typed.
    pub fixed: Vec<Candidate>,
    /// Candidates that must be looked up.
    pub look_up: Option<LookUp>,
}

impl Completion {
    fn of(begun: &str) -> Self {
        Self {
            begun: begun.to_owned(),
            ..Self::default()
        }
    }

    fn with(mut self, words: impl IntoIterator<Item = &'static str>) -> Self {
        self.fixed
            .extend(words.into_iter().map(|word| Candidate::new(word, "")));
        self
    }

    fn looking_up(self, what: LookUp) -> Self {
        Self {
            look_up: Some(what),
            ..self
        }
    }

    /// Completes only the last element of a list.
    fn of_list(begun: &str) -> Self {
        let at = begun.rfind(',').map_or(0, |comma| comma + 1);
        let (kept, begun) = begun.split_at(at);
        Self {
            kept: kept.to_owned(),
            ..Self::of(begun)
        }
    }

    fn after(mut self, kept: &str) -> Self {
        self.kept.insert_str(0, kept);
        self
    }
}

/// Signals of `kill --signal`.
const SIGNALS: [&str; 7] = ["TERM", "INT", "HUP", "QUIT", "USR1", "USR2", "KILL"];
/// Families of `-f`.
const FAMILIES: [&str; 8] = ["inet", "inet6", "unix", "link", "netlink", "vsock", "xdp", "tipc"];
/// Tables of `-A`.
pub const TABLES: [&str; 24] = [
    "all",
    "inet",
    "tcp",
    "mptcp",
    "udp",
    "udplite",
    "raw",
    "icmp",
    "sctp",
    "dccp",
    "unix",
    "unix_stream",
    "unix_dgram",
    "unix_seqpacket",
    "packet",
    "packet_raw",
    "packet_dgram",
    "netlink",
    "vsock",
    "vsock_stream",
    "vsock_dgram",
    "xdp",
    "tipc",
    "smc",
];

/// Completes the last word of a command line, the program's name first.
pub fn complete(words: &[String]) -> Completion {
    let cli = commands::command();
    let (begun, before) = match words.split_last() {
        Some((begun, before)) => (begun.as_str(), before.get(1..).unwrap_or_default()),
        None => ("", &[][..]),
    };
    let line = Line::of(before, &cli);
    if let Some(arg) = line.pending {
        return value(arg, begun);
    }
    if begun.starts_with('-') && !line.only_words {
        return match begun.split_once('=') {
            Some((name, begun)) => match order::find(line.command, name) {
                Some(arg) => value(arg, begun).after(&format!("{name}=")),
                None => Completion::of(begun).after(&format!("{name}=")),
            },
            None => options(line.command, begun),
        };
    }
    match line.command.get_name() {
        "why" | "reach" | "wait" => port(begun),
        "completions" => Completion::of(begun).with(["bash", "elvish", "fish", "powershell", "zsh"]),
        "help" => {
            let mut topics = of_commands(&cli, begun);
            topics
                .fixed
                .push(Candidate::new(commands::FILTER, "what selects rows"));
            topics
        }
        "free" | "metrics" | "columns" | "schema" | "man" => Completion::of(begun),
        name => {
            let mut completion = filter(&line.words, begun);
            if name == cli.get_name() && line.words.is_empty() && !line.only_words {
                completion.fixed.splice(0..0, of_commands(&cli, begun).fixed);
            }
            completion
        }
    }
}

/// The words before the cursor.
struct Line<'a> {
    /// The command, or the whole program for a listing.
    command: &'a Command,
    /// The option whose value is at the cursor.
    pending: Option<&'a Arg>,
    /// Whether `--` was seen.
    only_words: bool,
    /// What is neither option nor command.
    words: Vec<&'a str>,
}

impl<'a> Line<'a> {
    fn of(before: &'a [String], cli: &'a Command) -> Self {
        let mut line = Self {
            command: cli,
            pending: None,
            only_words: false,
            words: Vec::new(),
        };
        let mut is_listing = false;
        for word in before {
            if line.pending.take().is_some() {
                continue;
            }
            if word == "--" {
                line.only_words = true;
                is_listing = true;
            } else if word.starts_with('-') && word.len() > 1 && !line.only_words {
                line.pending = awaiting(line.command, word);
            } else if !is_listing && let Some(command) = cli.find_subcommand(word) {
                line.command = command;
                is_listing = true;
            } else {
                is_listing = true;
                line.words.push(word);
            }
        }
        line
    }
}

/// The option of a word (`--sort`, `-tA`) whose value is the next word.
fn awaiting<'a>(command: &'a Command, word: &str) -> Option<&'a Arg> {
    let takes_value = |name: &str| order::find(command, name).filter(|arg| arg.get_action().takes_values());
    if word.starts_with("--") {
        return takes_value(word);
    }
    let letters: Vec<char> = word.chars().skip(1).collect();
    let first = letters
        .iter()
        .position(|letter| takes_value(&format!("-{letter}")).is_some())?;
    (first + 1 == letters.len())
        .then(|| takes_value(&format!("-{}", letters[first])))
        .flatten()
}

/// Options, by their long names; by their letters too after a lone `-`.
fn options(command: &Command, begun: &str) -> Completion {
    let mut completion = Completion::of(begun);
    for arg in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let long = arg.get_long().map(|long| format!("--{long}"));
        let short = arg.get_short().map(|short| format!("-{short}"));
        let short = short.filter(|_| begun == "-" || long.is_none());
        for name in short.into_iter().chain(long) {
            completion.fixed.push(Candidate::new(name, help.clone()));
        }
    }
    completion
}

fn of_commands(cli: &Command, begun: &str) -> Completion {
    let mut completion = Completion::of(begun);
    for command in cli.get_subcommands() {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        completion.fixed.push(Candidate::new(command.get_name(), about));
    }
    completion
}

/// The value of an option.
fn value(arg: &Arg, begun: &str) -> Completion {
    match arg.get_id().as_str() {
        "columns" | "add" | "hide" | "sort" | "by" => {
            let mut completion = Completion::of_list(begun);
            for info in FIELDS {
                completion.fixed.push(Candidate::new(info.name, info.meaning));
            }
            completion
        }
        "tables" => Completion::of_list(begun).with(TABLES),
        "family" => Completion::of(begun).with(FAMILIES),
        "state" => Completion::of(begun).with(State::ALL.map(State::name)),
        "signal" => Completion::of(begun).with(SIGNALS),
        "netns" => Completion::of_list(begun).looking_up(LookUp::Namespaces),
        "uid" => Completion::of(begun).looking_up(LookUp::Users),
        "device" => Completion::of(begun).looking_up(LookUp::Interfaces),
        "port" => Completion::of(begun).looking_up(LookUp::Ports),
        _ => {
            let mut completion = Completion::of(begun);
            for possible in arg.get_possible_values() {
                let help = possible.get_help().map(ToString::to_string).unwrap_or_default();
                completion.fixed.push(Candidate::new(possible.get_name(), help));
            }
            completion
        }
    }
}

/// A port, optionally after a colon.
fn port(begun: &str) -> Completion {
    let (kept, begun) = begun.split_at(usize::from(begun.starts_with(':')));
    Completion::of(begun).after(kept).looking_up(LookUp::Ports)
}

/// A word of a filter.
fn filter(words: &[&str], begun: &str) -> Completion {
    const OPERATORS: [&str; 12] = [
        "=", "==", "!=", "eq", "ne", "lt", "le", "gt", "ge", "in", "like", "~",
    ];
    match words {
        [.., "state" | "exclude"] => Completion::of(begun).with(State::ALL.map(State::name)),
        [.., field, operator] if OPERATORS.contains(operator) => operand(field, begun),
        [.., "sport" | "dport"] => port(begun),
        _ if begun.starts_with(|c: char| c == ':' || c.is_ascii_digit()) => port(begun),
        _ => {
            let ports = Completion::of(begun).looking_up(LookUp::Ports);
            let words = ports
                .with(State::ALL.map(State::name))
                .with(Protocol::ALL.map(Protocol::name));
            // All of them at once would hide the rest.
            if begun.is_empty() {
                words
            } else {
                words.with(field_names())
            }
        }
    }
}

/// What a field can be compared with.
fn operand(field: &str, begun: &str) -> Completion {
    match field_of(field) {
        _ if matches!(field, "sport" | "dport") => port(begun),
        Some(Field::LocalPort | Field::PeerPort) => port(begun),
        Some(Field::User) => Completion::of(begun).looking_up(LookUp::Users),
        Some(Field::Uid) => Completion::of(begun).looking_up(LookUp::UserIds),
        Some(Field::Interface) => Completion::of(begun).looking_up(LookUp::Interfaces),
        Some(field) => Completion::of(begun).with(words_of(field)),
        None => Completion::of(begun),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completed(line: &str) -> Completion {
        let words: Vec<String> = format!("sockstat {line}").split(' ').map(str::to_owned).collect();
        complete(&words)
    }

    #[track_caller]
    fn offers(line: &str, word: &str) -> Completion {
        let completion = completed(line);
        let offered = completion.fixed.iter().any(|candidate| candidate.word == word);
        assert!(offered, "{line}: {completion:?}");
        completion
    }

    #[test]
    fn commands_and_options_are_offered_with_their_help() {
        let completion = offers("", "why");
        assert!(completion.fixed[0].help.starts_with("Explain"));
        offers("-tu wh", "why");
        offers("help w", "wait");
        offers("help f", "filter");
        offers("--li", "--listening");
        offers("why --reuse", "--reuseport");
        offers("-", "-t");
        let has_commands = |line| completed(line).fixed.iter().any(|one| one.word == "why");
        assert!(!has_commands("-- w") && !has_commands("nginx w") && !has_commands("why w"));
    }

    #[test]
    fn options_have_their_values() {
        for (line, word) in [
            ("kill --signal T", "TERM"),
            ("kill --signal=T", "TERM"),
            ("wait --state e", "established"),
            ("-A t", "tcp"),
            ("-tA t", "tcp"),
            ("-f i", "inet6"),
            ("--columns p", "pid"),
            ("--sort=rec", "recv_q"),
            ("--by st", "state"),
            ("--color a", "always"),
            ("completions z", "zsh"),
        ] {
            offers(line, word);
        }
        let list = offers("--columns=pid,loc", "local_port");
        assert_eq!(
            (list.kept.as_str(), list.begun.as_str()),
            ("--columns=pid,", "loc")
        );
        assert_eq!(offers("-A tcp,u", "udp").kept, "tcp,");
    }

    #[test]
    fn the_machine_is_asked_for_ports_users_and_namespaces() {
        for (line, what) in [
            ("why ", LookUp::Ports),
            ("kill ", LookUp::Ports),
            ("wait :3", LookUp::Ports),
            (":30", LookUp::Ports),
            ("sport = :", LookUp::Ports),
            ("-N b", LookUp::Namespaces),
            ("why --netns=b", LookUp::Namespaces),
            ("user = r", LookUp::Users),
            ("why --uid ", LookUp::Users),
            ("why --device e", LookUp::Interfaces),
        ] {
            assert_eq!(completed(line).look_up, Some(what), "{line}");
        }
        assert_eq!(completed("why :30").kept, ":");
        for files in ["--replay ", "-F ", "free "] {
            assert_eq!(completed(files).look_up, None, "{files}");
        }
    }

    #[test]
    fn words_of_a_filter_are_offered() {
        offers("-t state e", "established");
        offers("lis", "listen");
        offers("local", "local_port");
        offers("owner_status = h", "hidden");
        offers("events protocol = t", "tcp");
    }
}
