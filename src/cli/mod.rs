//! What was typed: parsed, and nothing more.

pub mod args;
mod duration;
pub mod events;
pub mod free;
pub mod generate;
pub mod kill;
mod kind;
pub mod message;
pub mod reach;
pub mod refused;
pub mod wait;
pub mod why;

use std::ffi::OsString;

use clap::{CommandFactory, FromArgMatches, Parser};

pub use args::{Cli, ColorWhen, ListArgs, Subcommand};
pub use events::EventsArgs;
pub use free::FreeArgs;
pub use kill::KillArgs;
pub use kind::KindArgs;
pub use message::UsageError;
pub use reach::ReachArgs;
pub use wait::WaitArgs;
pub use why::WhyArgs;

/// Global options that take a value: the word after them is not a subcommand.
const GLOBAL_WITH_VALUE: &[&str] = &[
    "--color",
    "--owners",
    "--proc-root",
    "--record",
    "--replay",
    "-N",
    "--netns",
    "--net",
];
/// Global options without a value.
const GLOBAL: &[&str] = &["-j", "--json", "--quiet"];

/// Parses a command line, the program's name first.
///
/// # Errors
/// [`UsageError`], ready to be shown; `--help` and `--version` too, with their text and exit status 0.
pub fn parse(arguments: Vec<OsString>) -> Result<Cli, UsageError> {
    let command = Cli::command();
    if names_subcommand(&arguments, &command) {
        let matches = command
            .try_get_matches_from(&arguments)
            .map_err(|error| UsageError::from_clap(&error))?;
        return Cli::from_arg_matches(&matches).map_err(|error| UsageError::from_clap(&error));
    }
    // Not a subcommand: words that look like one are filter words here.
    let list = ListArgs::try_parse_from(arguments).map_err(|error| UsageError::from_clap(&error))?;
    refused::check(&list.refused)?;
    Ok(Cli { list, command: None })
}

/// Returns whether the first word that is not an option is a subcommand, with only global options before it.
fn names_subcommand(arguments: &[OsString], command: &clap::Command) -> bool {
    let mut rest = arguments.iter().skip(1);
    while let Some(argument) = rest.next() {
        let Some(text) = argument.to_str() else {
            return false;
        };
        if GLOBAL_WITH_VALUE.contains(&text) {
            rest.next();
        } else if GLOBAL.contains(&text)
            || GLOBAL_WITH_VALUE.iter().any(|option| {
                text.strip_prefix(option)
                    .is_some_and(|tail| tail.starts_with('='))
            })
        {
            // Goes with every subcommand.
        } else {
            return command
                .get_subcommands()
                .any(|subcommand| subcommand.get_name() == text);
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Cli, UsageError> {
        parse(
            std::iter::once("sockstat")
                .chain(line.split_whitespace())
                .map(Into::into)
                .collect(),
        )
    }

    #[test]
    fn letters_bundle_and_words_mix_with_options() {
        let list = parsed("-tulpn46 state established -e ( sport = :22 )")
            .unwrap()
            .list;
        assert!(
            list.tcp
                && list.udp
                && list.listening
                && list.processes
                && list.ipv4
                && list.ipv6
                && list.extended
        );
        assert_eq!(
            list.filter,
            ["state", "established", "(", "sport", "=", ":22", ")"]
        );
        let list = parsed("-tf inet -x").unwrap().list;
        assert_eq!((list.family, list.unix), (vec!["inet".to_owned()], true));
    }

    #[test]
    fn the_last_of_all_listening_and_bound_wins() {
        let states = |line| {
            parsed(line)
                .map(|cli| (cli.list.all, cli.list.listening, cli.list.bound))
                .unwrap()
        };
        assert_eq!(states("-a -l"), (false, true, false));
        assert_eq!(states("-la"), (true, false, false));
        assert_eq!(states("-l -a -B"), (false, false, true));
    }

    #[test]
    fn a_subcommand_is_the_first_word_behind_global_options_only() {
        assert!(matches!(parsed("man").unwrap().command, Some(Subcommand::Man)));
        assert!(matches!(
            parsed("--color never man").unwrap().command,
            Some(Subcommand::Man)
        ));
        let list = parsed("-t man").unwrap();
        assert_eq!(
            (list.command.is_none(), list.list.filter),
            (true, vec!["man".to_owned()])
        );
        assert_eq!(parsed("-- man").unwrap().list.filter, ["man"]);
        assert_eq!(parsed("nginx man").unwrap().list.filter, ["nginx", "man"]);
    }

    #[test]
    fn a_bad_value_is_named_with_its_option() {
        for (line, error) in [
            ("--limit x", "invalid value 'x' for '--limit': expected a number"),
            (
                "events --interval 3x",
                "invalid value '3x' for '--interval': unknown unit 'x': expected ms, s, m or h",
            ),
            (
                "-E --interval 1ms",
                "invalid value '1ms' for '--interval': expected at least 10ms",
            ),
            (
                "wait 80 --timeout x1",
                "invalid value 'x1' for '--timeout': unknown unit 'x1': expected ms, s, m or h",
            ),
            (
                "why --uid=root 80",
                "invalid value 'root' for '--uid': expected a number",
            ),
        ] {
            let found = parsed(line).unwrap_err().to_string();
            assert_eq!(found.lines().next(), Some(&*format!("error: {error}")), "{line}");
        }
    }

    #[test]
    fn repeated_letters_are_no_error() {
        assert!(parsed("-t -t -nn -p -p").unwrap().list.tcp);
    }
}
