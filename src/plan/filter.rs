//! A filter as typed, before it is parsed and its names are looked up.

use std::path::PathBuf;

#[cfg(feature = "watch")]
use crate::cli::WatchArgs;
use crate::cli::{EventsArgs, KillArgs, ListArgs, SnapshotArgs};
use crate::model::request::netns::are_several;
use crate::query::Mode;

/// Where a filter comes from, and how to parse its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterInput {
    /// The words of the command line.
    pub words: Vec<String>,
    /// A file with more words (`-F`); `-` for standard input.
    pub file: Option<PathBuf>,
    /// The meaning of bare words.
    pub mode: Mode,
    /// The directory that replaces /proc (`--proc-root`).
    pub proc_root: Option<PathBuf>,
    /// Whether interfaces are compared by name, because several network namespaces are listed.
    pub interfaces_by_name: bool,
}

impl FilterInput {
    /// The filter of a listing, of `-K` or of `-E`.
    pub fn of_list(args: &ListArgs, mode: Mode) -> Self {
        Self {
            words: args.filter.clone(),
            file: args.filter_file.clone(),
            mode,
            proc_root: args.proc_root.clone(),
            interfaces_by_name: are_several(&args.netns),
        }
    }

    /// The filter of `kill`.
    pub fn of_kill(args: &KillArgs) -> Self {
        Self::of_words(&args.filter, Mode::Kill)
    }

    /// The filter of `events`; options before the subcommand are in `global`.
    pub fn of_events(args: &EventsArgs, global: &ListArgs) -> Self {
        Self {
            interfaces_by_name: are_several(&[&global.netns[..], &args.netns].concat()),
            ..Self::of_words(&args.filter, Mode::List)
        }
    }

    /// The filter of `metrics`: none.
    pub fn none() -> Self {
        Self::of_words(&[], Mode::List)
    }

    /// The filter of `snapshot`; options before the subcommand are in `global`.
    pub fn of_snapshot(args: &SnapshotArgs, global: &ListArgs) -> Self {
        Self {
            proc_root: global.proc_root.clone(),
            interfaces_by_name: are_several(&[&global.netns[..], &args.netns].concat()),
            ..Self::of_words(&args.filter, Mode::List)
        }
    }

    /// The filter of `watch`.
    #[cfg(feature = "watch")]
    pub fn of_watch(args: &WatchArgs) -> Self {
        Self::of_words(&args.filter, Mode::List)
    }

    /// A filter that is typed on the live screen.
    #[cfg(feature = "watch")]
    pub fn of_line(line: &str) -> Self {
        let words: Vec<String> = (!line.trim().is_empty())
            .then(|| line.to_owned())
            .into_iter()
            .collect();
        Self::of_words(&words, Mode::List)
    }

    fn of_words(words: &[String], mode: Mode) -> Self {
        Self {
            words: words.to_vec(),
            file: None,
            mode,
            proc_root: None,
            interfaces_by_name: false,
        }
    }
}
