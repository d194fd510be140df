//! The commands as the help and the man page show them: examples, exit statuses, and the help itself.

use std::ffi::OsStr;

use clap::builder::StyledStr;
use clap::{Command, CommandFactory};

use super::{Cli, UsageError};
use crate::query::nearest::nearest;

/// What the help says about a command besides its options.
struct Page {
    name: &'static str,
    /// What its exit statuses mean; empty where they are the usual ones.
    exit: &'static str,
    /// Command lines; the first is shown in the list of commands.
    examples: &'static [&'static str],
}

const PAGES: &[Page] = &[
    Page {
        name: "why",
        exit: "0 the bind would work, 1 it would fail, 3 undecidable",
        examples: &[
            "sockstat why 3000",
            "sockstat why 80 443",
            "sockstat why 53/udp",
            "sockstat why --reuseport 127.0.0.1:9000",
            "sockstat why /run/app.sock",
            "npm start 2>&1 | sockstat why -",
        ],
    },
    Page {
        name: "reach",
        exit: "0 a connection would arrive, 1 it would not, 3 undecidable",
        examples: &[
            "sockstat reach db:5432",
            "sockstat reach --try http://localhost:3000/",
            "sockstat reach 10.0.0.7 5432",
            "sockstat reach --from 192.168.1.20 192.168.1.10:3000",
            "sockstat reach 3000",
            "sockstat reach /run/docker.sock",
        ],
    },
    Page {
        name: "free",
        exit: "0 as many ports as requested were found, 1 fewer",
        examples: &[
            "sockstat free",
            "sockstat free 3000-3010 --count 2",
            "sockstat free -u 5000-6000",
        ],
    },
    Page {
        name: "wait",
        exit: "0 the state was reached, 1 timed out",
        examples: &[
            "sockstat wait 5432",
            "sockstat wait --timeout 30s 5432 6379",
            "sockstat wait --gone 3000",
        ],
    },
    Page {
        name: "kill",
        exit: "0 the port in the filter is free or, without one, every target ended; 1 otherwise",
        examples: &[
            "sockstat kill :3000",
            "sockstat kill --dry-run nginx",
            "sockstat kill --signal INT --yes 8080",
            "sockstat kill pid = 812",
            "sockstat kill --socket dport = :443",
        ],
    },
    Page {
        name: "events",
        exit: "",
        examples: &[
            "sockstat events",
            "sockstat events -t dport = :443",
            "sockstat events --json --limit 10",
        ],
    },
    #[cfg(feature = "watch")]
    Page {
        name: "watch",
        exit: "",
        examples: &[
            "sockstat watch",
            "sockstat watch nginx",
            "sockstat watch -t state established and recv_q gt 0",
            "sockstat watch --read-only",
        ],
    },
    Page {
        name: "snapshot",
        exit: "0 the last line was written, 1 it was not",
        examples: &[
            "sockstat snapshot",
            "sockstat snapshot -N all",
            "sockstat snapshot --cmdline redacted state = listen",
        ],
    },
    Page {
        name: "metrics",
        exit: "",
        examples: &[
            "sockstat metrics",
            "sockstat metrics --output /var/lib/prometheus/node-exporter/sockstat.prom",
        ],
    },
    Page {
        name: "columns",
        exit: "",
        examples: &["sockstat columns"],
    },
    Page {
        name: "schema",
        exit: "",
        examples: &["sockstat schema"],
    },
    Page {
        name: "completions",
        exit: "",
        examples: &[
            "sockstat completions bash",
            "sockstat completions bash > ~/.local/share/bash-completion/completions/sockstat",
            "sockstat completions zsh > ~/.zfunc/_sockstat",
            "sockstat completions fish > ~/.config/fish/completions/sockstat.fish",
        ],
    },
    Page {
        name: "man",
        exit: "",
        examples: &["sockstat man | man -l -"],
    },
    Page {
        name: "help",
        exit: "",
        examples: &["sockstat help why", "sockstat help filter"],
    },
];

fn page(name: &str) -> Option<&'static Page> {
    PAGES.iter().find(|page| page.name == name)
}

/// Returns the examples of a command.
pub(super) fn examples(name: &str) -> &'static [&'static str] {
    page(name).map_or(&[], |page| page.examples)
}

/// Returns what the exit statuses of a command mean; empty if they are the usual ones.
pub(super) fn exit_statuses(name: &str) -> &'static str {
    page(name).map_or("", |page| page.exit)
}

/// Returns whether a word is the name of a command, without building the commands.
pub(super) fn is_name(word: &OsStr) -> bool {
    word.to_str().is_some_and(|word| page(word).is_some())
}

/// Returns the names of the commands.
pub fn names() -> Vec<String> {
    let cli = Cli::command();
    let visible = cli.get_subcommands().filter(|command| !command.is_hide_set());
    visible.map(|command| command.get_name().to_owned()).collect()
}

/// Returns the whole command line, complete with what clap adds to it.
pub(super) fn command() -> Command {
    let mut cli = Cli::command();
    cli.build();
    cli.mut_args(plain_help)
        .mut_subcommands(|command| command.mut_args(plain_help))
}

/// The short and the long help are the same.
fn plain_help(arg: clap::Arg) -> clap::Arg {
    if arg.get_id() == "help" {
        arg.help("Print help").long_help("Print help")
    } else {
        arg
    }
}

/// Returns the help of the program: the commands first, each with an example.
///
/// The width is that of the terminal if `None`.
pub fn help(width: Option<usize>) -> String {
    let cli = command();
    let visible = cli.get_subcommands().filter(|command| !command.is_hide_set());
    let longest = visible.map(|command| about(command).chars().count()).max();
    let mut cli = cli.mut_subcommands(|command| {
        let about = about(&command);
        let example = examples(command.get_name()).first().copied().unwrap_or_default();
        command.about(format!("{about:<0$}  {example}", longest.unwrap_or(0)))
    });
    if let Some(width) = width {
        cli = cli.term_width(width);
    }
    cli.render_help().to_string()
}

fn about(command: &Command) -> String {
    command.get_about().map(StyledStr::to_string).unwrap_or_default()
}

/// The help topic that is not a command: filters.
pub(super) const FILTER: &str = "filter";

/// Returns the help of a command, or of filters.
///
/// # Errors
/// If no command has this name.
pub fn help_of(name: &str) -> Result<String, UsageError> {
    if name == FILTER {
        return Ok(include_str!("filter_help.txt").to_owned());
    }
    let cli = command();
    let names = || {
        cli.get_subcommands()
            .filter(|one| !one.is_hide_set())
            .map(Command::get_name)
    };
    let Some(command) = cli.find_subcommand(name) else {
        let hint = match nearest(name, names()) {
            Some(near) => format!("did you mean '{near}'?"),
            None => format!(
                "the commands are {}; `sockstat help filter` explains filters",
                names().collect::<Vec<_>>().join(", ")
            ),
        };
        return Err(UsageError::new(format!("unknown command '{name}'")).with_hint(hint));
    };
    let mut after = String::new();
    if !exit_statuses(name).is_empty() {
        after = format!("Exit status: {}.\n\n", exit_statuses(name));
    }
    after.push_str("Examples:");
    for example in examples(name) {
        after.push_str("\n  ");
        after.push_str(example);
    }
    let mut command = command.clone().after_help(after);
    if matches!(name, "columns" | "schema" | "completions" | "man" | "help") {
        command = command.mut_args(|arg| {
            let is_global = arg.is_global_set();
            arg.hide(is_global)
        });
    }
    Ok(command.max_term_width(100).render_help().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_an_example_and_is_in_the_help() {
        let help = help(Some(100));
        let cli = command();
        for command in cli.get_subcommands() {
            let name = command.get_name();
            let example = examples(name)
                .first()
                .unwrap_or_else(|| panic!("no example of {name}"));
            assert!(
                help.lines()
                    .any(|line| line.trim_start().starts_with(name) && line.ends_with(example)),
                "{name}: {help}"
            );
            assert!(help_of(name).unwrap().contains(example), "{name}");
        }
        assert!(help.find("Commands:") < help.find("Which sockets:"));
    }

    #[test]
    fn the_list_of_commands_fits_into_80_columns() {
        let help = help(Some(80));
        let list = help
            .split("Commands:")
            .nth(1)
            .and_then(|rest| rest.split("\n\n").next());
        assert_eq!(list.unwrap().trim().lines().count(), PAGES.len(), "{help}");
    }

    #[test]
    fn the_filters_of_the_help_are_filters_and_fit() {
        use crate::query::{Mode, parse};
        let text = help_of(FILTER).unwrap();
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
        let filters = text
            .lines()
            .filter_map(|line| line.strip_prefix("  sockstat -tan "));
        let words = |filter: &str| [filter.trim_matches('\'').to_owned()];
        assert!(
            filters
                .map(|filter| parse(&words(filter), Mode::List))
                .all(|parsed| parsed.is_ok())
        );
        let comparisons = text.split("Comparisons:\n").nth(1).unwrap().lines().take(3);
        for filter in comparisons
            .flat_map(|line| line.trim().split("    "))
            .filter(|one| *one != "as in ss")
        {
            let filter = match filter.split_once(" in '") {
                Some((field, list)) => format!("{field} in {}", list.trim_end_matches('\'')),
                None => filter.to_owned(),
            };
            assert!(
                parse(std::slice::from_ref(&filter), Mode::List).is_ok(),
                "{filter}"
            );
        }
    }

    #[test]
    fn help_of_an_unknown_command_has_a_hint() {
        let error = help_of("wiat").unwrap_err().to_string();
        assert!(error.contains("did you mean 'wait'?"), "{error}");
        let error = help_of("nonsense").unwrap_err().to_string();
        assert!(error.contains("why, reach, free"), "{error}");
    }
}
