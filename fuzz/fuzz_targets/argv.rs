//! Any bytes as a command line, with words separated by NUL: it becomes a plan, a requested text, or a one-line error
//! with a hint.

#![no_main]

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;

use libfuzzer_sys::fuzz_target;
use sockstat::cli::complete::complete;
use sockstat::cli::{self, Cli, Subcommand, UsageError, habits};
use sockstat::diagnose::bind::free::parse_range;
use sockstat::diagnose::typed_place::{NameAlone, parse_all};
use sockstat::model::request::ResolvedNames;
use sockstat::plan::{Common, DestroyPlan, EventsPlan, FilterInput, KillPlan, ListPlan, MetricsPlan, Place};
use sockstat::plan::{SnapshotPlan, SummaryPlan};
use sockstat::query::{FilterWords, Mode, Parsed, parse};
use sockstat::render::safe::Safe;

/// An error begins with `error: `, may have a hint, and no word of the command line makes a line of its own.
fn check(error: &UsageError) {
    let text = error.to_string();
    if error.was_asked_for() {
        assert_eq!(Safe::sentences(&text).as_bytes(), text.as_bytes(), "our own text");
        return;
    }
    let shown = Safe::sentences(&text);
    let shown = std::str::from_utf8(shown.as_bytes()).expect("it is text");
    let mut lines = shown.split_terminator('\n');
    assert!(lines.next().is_some_and(|line| line.starts_with("error: ")), "{shown}");
    assert!(lines.next().is_none_or(|line| line.starts_with("hint: ")), "{shown}");
    assert_eq!(lines.next(), None, "{shown}");
}

/// The filter as `command::filter` reads it, without a machine on which to look names up.
fn parsed(input: &FilterInput) -> Option<Parsed> {
    let words = FilterWords::typed(input.words.clone());
    match parse(&words, input.mode) {
        Err(error) => {
            assert!(error.render().starts_with("error: "));
            None
        }
        Ok(mut parsed) => {
            let resolved = parsed.expr.take().map(|expr| expr.resolve(&ResolvedNames::default()));
            parsed.expr = resolved.transpose().ok()?;
            Some(parsed)
        }
    }
}

fn planned<P>(input: &FilterInput, plan: impl Fn(Parsed, &Place) -> Result<P, UsageError>) {
    let terminal = Place {
        is_terminal: true,
        width: Some(80),
        ..Place::default()
    };
    for place in [Place::default(), terminal] {
        let Some(parsed) = parsed(input) else { return };
        if let Err(error) = plan(parsed, &place) {
            assert!(!error.was_asked_for());
            check(&error);
        }
    }
}

fn places(words: &[String]) {
    let services = |name: &str| (name == "http").then_some(80);
    for alone in [NameAlone::Service, NameAlone::Host] {
        match parse_all(words, alone, &services) {
            Ok(places) => assert!(places.len() <= words.len()),
            Err(reason) => assert!(!reason.is_empty()),
        }
    }
}

fn dispatch(cli: &Cli) {
    let list = &cli.list;
    let _ = (Common::of(list), cli.netns());
    let input = |mode| FilterInput::of_list(list, mode);
    match &cli.command {
        None if list.kill => planned(&input(Mode::Kill), |parsed, place| DestroyPlan::of_list(list, parsed, place)),
        None if list.events => planned(&input(Mode::List), |parsed, place| EventsPlan::of_list(list, parsed, place)),
        None if list.summary => planned(&input(Mode::List), |parsed, place| SummaryPlan::new(list, parsed, place)),
        None => planned(&input(Mode::List), |parsed, place| ListPlan::new(list, parsed, place)),
        Some(Subcommand::Kill(args)) => {
            let input = FilterInput::of_kill(args);
            planned(&input, |parsed, place| DestroyPlan::of_kill(args, list, parsed, place));
            planned(&input, |parsed, _| KillPlan::new(args, list, parsed));
        }
        Some(Subcommand::Events(args)) => {
            let input = FilterInput::of_events(args, list);
            planned(&input, |parsed, place| EventsPlan::new(args, list, parsed, place));
        }
        Some(Subcommand::Snapshot(args)) => {
            let input = FilterInput::of_snapshot(args, list);
            planned(&input, |parsed, place| SnapshotPlan::new(args, list, parsed, place));
        }
        Some(Subcommand::Metrics(args)) => {
            planned(&FilterInput::none(), |parsed, _| MetricsPlan::new(args, list, parsed));
        }
        Some(Subcommand::Why(args)) => places(&args.places),
        Some(Subcommand::Reach(args)) => places(&args.place),
        Some(Subcommand::Wait(args)) => places(&args.places),
        Some(Subcommand::Free(args)) => {
            if let Some(Ok(range)) = args.range.as_deref().map(parse_range) {
                assert!(range.start() <= range.end());
            }
        }
        Some(Subcommand::Completions { words, .. }) => {
            let completion = complete(words);
            let last = words.last().map(String::as_str).unwrap_or_default();
            assert_eq!(format!("{}{}", completion.kept, completion.begun), last, "{words:?}");
        }
        Some(_) => {}
    }
}

fuzz_target!(|bytes: &[u8]| {
    let words = bytes.split(|byte| *byte == 0).map(|word| OsStr::from_bytes(word).to_owned());
    let arguments: Vec<OsString> = std::iter::once("sockstat".into()).chain(words).collect();
    let _ = habits::aside(&arguments);
    match cli::parse(&arguments) {
        Ok(cli) => dispatch(&cli),
        Err(error) => check(&error),
    }
});
