//! Parses what was typed, and nothing more.

pub mod args;
pub mod cmdline;
pub mod commands;
pub mod complete;
mod duration;
pub mod events;
pub mod free;
pub mod generate;
pub mod habits;
pub mod kill;
mod kind;
pub mod message;
pub mod metrics;
mod netns;
mod order;
mod owners;
pub mod reach;
pub mod refused;
mod shells;
pub mod snapshot;
pub mod wait;
#[cfg(feature = "watch")]
pub mod watch;
pub mod why;

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{FromArgMatches, Parser};

pub use args::{Cli, ColorWhen, ListArgs, Subcommand};
pub use events::EventsArgs;
pub use free::FreeArgs;
pub use kill::KillArgs;
pub use kind::KindArgs;
pub use message::UsageError;
pub use metrics::MetricsArgs;
pub use reach::ReachArgs;
pub use snapshot::SnapshotArgs;
pub use wait::WaitArgs;
#[cfg(feature = "watch")]
pub use watch::WatchArgs;
pub use why::WhyArgs;

/// Parses a command line, the program's name first.
///
/// # Errors
/// [`UsageError`], ready to be shown; `--help` and `--version` too, with their text and exit status 0.
pub fn parse(arguments: &[OsString]) -> Result<Cli, UsageError> {
    // Building all commands takes a third of the time of a short listing, which does not need them.
    if !arguments.iter().skip(1).any(|word| commands::is_name(word)) {
        return list(arguments);
    }
    let command = commands::command();
    let Some(arranged) = order::arrange(arguments, &command)? else {
        return list(arguments);
    };
    let name = arranged.get(1).and_then(|name| name.to_str()).unwrap_or_default();
    let error = |error: clap::Error| match error.kind() {
        ErrorKind::DisplayHelp => commands::help_of(name).map_or_else(|error| error, UsageError::requested),
        ErrorKind::UnknownArgument if name == "kill" => habits::explain_kill(&arranged)
            .unwrap_or_else(|| UsageError::from_clap(&error, command.find_subcommand(name))),
        _ => UsageError::from_clap(&error, command.find_subcommand(name)),
    };
    let matches = command.clone().try_get_matches_from(&arranged).map_err(error)?;
    Cli::from_arg_matches(&matches).map_err(error)
}

/// A listing: words that look like a subcommand are filter words here.
fn list(arguments: &[OsString]) -> Result<Cli, UsageError> {
    let list = ListArgs::try_parse_from(arguments).map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp => UsageError::requested(commands::help(None)),
        ErrorKind::UnknownArgument => {
            habits::explain(arguments).unwrap_or_else(|| UsageError::from_clap(&error, None))
        }
        _ => UsageError::from_clap(&error, None),
    })?;
    refused::check(&list.refused)?;
    Ok(Cli { list, command: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Cli, UsageError> {
        let words = std::iter::once("sockstat").chain(line.split_whitespace());
        let words: Vec<OsString> = words.map(Into::into).collect();
        parse(&words)
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
    fn an_option_names_the_one_that_it_needs() {
        for (line, needed) in [
            ("--at 10:00", "--replay <FILE>"),
            ("--interval 2s", "--events"),
            ("--yes", "--kill"),
        ] {
            let error = parsed(line).unwrap_err().to_string();
            let begin = format!("error: an option here works only with {needed}, which is missing\n");
            assert!(error.starts_with(&begin), "{error}");
        }
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
        let error = parsed("-l man").unwrap_err().to_string();
        assert!(error.contains("sockstat -l -- man"), "{error}");
        assert_eq!(parsed("-- man").unwrap().list.filter, ["man"]);
        assert_eq!(parsed("nginx man").unwrap().list.filter, ["nginx", "man"]);
    }

    #[test]
    fn shared_options_mean_the_same_on_both_sides() {
        for line in [
            "-u -6 -j --quiet why 53",
            "why -u -6 -j --quiet 53",
            "-u --quiet why -j6 53",
        ] {
            let cli = parsed(line).unwrap();
            let Some(Subcommand::Why(args)) = cli.command else {
                panic!("{line}")
            };
            let found = (args.udp, args.ipv6, args.json, cli.list.quiet);
            assert_eq!(found, (true, true, true, true), "{line}");
        }
        for line in ["--replay a free", "free --replay a"] {
            assert_eq!(parsed(line).unwrap().list.replay, Some("a".into()), "{line}");
        }
        for line in ["-N a wait 80", "wait 80 --netns a"] {
            assert_eq!(parsed(line).unwrap().netns(), ["a"], "{line}");
        }
        for line in ["--color never kill 80", "kill 80 --color=never"] {
            assert_eq!(parsed(line).unwrap().list.color, ColorWhen::Never, "{line}");
        }
    }

    #[test]
    fn surplus_words_are_called_words() {
        for (line, word) in [("free 3000 4000", "4000"), ("columns state", "state")] {
            let error = parsed(line).unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("error: unexpected word '{word}'\n")),
                "{error}"
            );
            assert!(error.contains("hint: usage: sockstat"), "{error}");
        }
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
                "free --count=x",
                "invalid value 'x' for '--count': expected a number",
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
