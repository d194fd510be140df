//! The order of words: which word is the subcommand, and which options may stand before it.

use std::ffi::OsString;

use clap::{Arg, ArgAction, Command};

use super::UsageError;

/// Options that mean the same for the listing and for every command, by their ids.
const SHARED: &[&str] = &[
    "tcp",
    "udp",
    "ipv4",
    "ipv6",
    "numeric",
    "netns",
    "json",
    "color",
    "quiet",
    "proc_root",
    "record",
    "replay",
    "at",
    "owners",
];

/// An option as it was typed.
struct Typed<'a> {
    /// `-t` or `--tcp`.
    name: String,
    /// What it is; `None` if no command has it.
    arg: Option<&'a Arg>,
}

impl Typed<'_> {
    fn is_shared(&self) -> bool {
        let is_shared = |arg: &Arg| SHARED.contains(&arg.get_id().as_str());
        matches!(self.name.as_str(), "-h" | "--help") || self.arg.is_some_and(is_shared)
    }

    fn asks_for_version(&self) -> bool {
        let prints_version = |arg: &Arg| matches!(arg.get_action(), ArgAction::Version);
        self.arg.is_some_and(prints_version)
    }
}

/// Returns the command line with the options before the subcommand moved to after it; `None` for a listing.
///
/// # Errors
/// An option before the subcommand that belongs after it.
pub(super) fn arrange(arguments: &[OsString], cli: &Command) -> Result<Option<Vec<OsString>>, UsageError> {
    let (typed, first) = before_first_word(arguments, cli);
    let Some(at) = first.filter(|_| !typed.iter().any(Typed::asks_for_version)) else {
        return Ok(None);
    };
    let (before, rest) = arguments.split_at(at);
    let word = rest.first().and_then(|word| word.to_str());
    let Some(command) = word.and_then(|word| cli.get_subcommands().find(|one| one.get_name() == word)) else {
        return Ok(None);
    };
    let name = command.get_name();
    let (program, options) = before.split_at(before.len().min(1));
    let (subcommand, after) = rest.split_at(1);
    let arranged = [program, subcommand, options, after].concat();
    let Some(misplaced) = typed.iter().find(|one| !one.is_shared()) else {
        return Ok(Some(arranged));
    };
    let option = &misplaced.name;
    if find(command, option).is_some() {
        return Err(
            UsageError::new(format!("the option '{option}' goes after the command '{name}'"))
                .with_hint(shown(&arranged)),
        );
    }
    let as_filter = [before, &["--".into()][..], rest].concat();
    Err(
        UsageError::new(format!("the command '{name}' has no option '{option}'")).with_hint(format!(
            "`sockstat help {name}` lists its options; for a program of that name: {}",
            shown(&as_filter)
        )),
    )
}

/// Returns the options before the first word that is not one, and the index of that word.
fn before_first_word<'a>(arguments: &[OsString], cli: &'a Command) -> (Vec<Typed<'a>>, Option<usize>) {
    let mut typed = Vec::new();
    let mut at = 1;
    while let Some(argument) = arguments.get(at) {
        let text = argument.to_string_lossy();
        let mut value_follows = false;
        if text == "--" {
            return (typed, None);
        } else if let Some(long) = text.strip_prefix("--") {
            let name = long.split('=').next().unwrap_or(long);
            let one = option(cli, format!("--{name}"));
            value_follows = takes_value(&one) && name.len() == long.len();
            typed.push(one);
        } else if let Some(letters) = text.strip_prefix('-').filter(|letters| !letters.is_empty()) {
            for (index, letter) in letters.char_indices() {
                let one = option(cli, format!("-{letter}"));
                let is_last = takes_value(&one);
                typed.push(one);
                if is_last {
                    value_follows = index + letter.len_utf8() == letters.len();
                    break;
                }
            }
        } else {
            return (typed, Some(at));
        }
        at += 1 + usize::from(value_follows);
    }
    (typed, None)
}

/// Finds an option of the listing, or else of any command.
fn option(cli: &Command, name: String) -> Typed<'_> {
    let commands = std::iter::once(cli).chain(cli.get_subcommands());
    let arg = commands.into_iter().find_map(|command| find(command, &name));
    Typed { name, arg }
}

/// Finds an option of a command, by `-t` or `--tcp`.
pub(super) fn find<'a>(command: &'a Command, name: &str) -> Option<&'a Arg> {
    command.get_arguments().find(|arg| match name.strip_prefix("--") {
        Some(long) => {
            arg.get_long() == Some(long) || arg.get_all_aliases().is_some_and(|all| all.contains(&long))
        }
        None => {
            let letter = name.chars().nth(1);
            let aliases = arg.get_all_short_aliases().unwrap_or_default();
            letter.is_some() && arg.get_short() == letter
                || aliases.into_iter().any(|one| Some(one) == letter)
        }
    })
}

fn takes_value(typed: &Typed<'_>) -> bool {
    typed.arg.is_some_and(|arg| arg.get_action().takes_values())
}

/// The command line as one would type it.
pub(super) fn shown(arguments: &[OsString]) -> String {
    let quoted = |word: &OsString| {
        let word = word.to_string_lossy();
        let is_plain = |c: char| c.is_alphanumeric() || "-_=./:,@%+[]".contains(c);
        if !word.is_empty() && word.chars().all(is_plain) {
            word.into_owned()
        } else {
            format!("'{}'", word.escape_debug())
        }
    };
    let words = arguments.iter().skip(1).map(quoted);
    let words: Vec<String> = std::iter::once("sockstat".to_owned()).chain(words).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::commands::command;

    fn arranged(line: &str) -> Result<Option<String>, String> {
        let words: Vec<OsString> = format!("sockstat {line}").split(' ').map(Into::into).collect();
        match arrange(&words, &command()) {
            Ok(arranged) => Ok(arranged.map(|words| shown(&words))),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn shared_options_may_stand_before_the_command() {
        for (line, same) in [
            ("why 53", "why 53"),
            ("-u why 53", "why -u 53"),
            ("-nu4 why 53", "why -nu4 53"),
            ("-N blue -j why 53", "why -N blue -j 53"),
            ("-Nblue why 53", "why -Nblue 53"),
            ("--net=blue why 53", "why --net=blue 53"),
            ("--color never man", "man --color never"),
            ("--owners proc --quiet free", "free --owners proc --quiet"),
            ("-h why", "why -h"),
        ] {
            assert_eq!(arranged(line), Ok(Some(format!("sockstat {same}"))), "{line}");
        }
    }

    #[test]
    fn a_listing_is_left_alone() {
        for line in [
            "-tulpn",
            "nginx why",
            "-- why",
            "-N why",
            "--sort why",
            "-Fwhy",
            "-V why",
            "-f why",
            "process = wait",
        ] {
            assert_eq!(arranged(line), Ok(None), "{line}");
        }
    }

    #[test]
    fn other_options_before_it_name_the_right_order() {
        let error = arranged("--timeout 1s wait 80").unwrap_err();
        assert_eq!(
            error,
            "error: the option '--timeout' goes after the command 'wait'\nhint: sockstat wait --timeout 1s 80\n"
        );
        let error = arranged("-tl wait").unwrap_err();
        assert!(
            error.contains("'wait' has no option '-l'") && error.contains("sockstat -tl -- wait"),
            "{error}"
        );
    }
}
