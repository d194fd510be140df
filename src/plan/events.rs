//! `events` and `-E`: which sockets to follow, and how to show events.

use std::time::Duration;

use super::output::form;
use super::{ListPlan, Output, Place};
use crate::cli::{EventsArgs, ListArgs, UsageError};
use crate::engine::Request;
use crate::model::request::PeerKinds;
use crate::model::{State, StateSet};
use crate::query::Parsed;
use crate::render::form::Form;

/// The default interval between two snapshots.
const INTERVAL: Duration = Duration::from_secs(1);

/// A request to follow sockets.
#[derive(Clone, Debug)]
pub struct EventsPlan {
    /// What each snapshot reads, and what is looked up about the sockets of events.
    pub capture: Request,
    /// How events are shown: lines, or the table.
    pub output: Output,
    /// The states whose events are wanted; `None` for every event.
    pub states: Option<StateSet>,
    /// The interval between two snapshots.
    pub interval: Duration,
    /// Maximum number of events.
    pub limit: Option<usize>,
    /// `--quiet`.
    pub quiet: bool,
}

impl EventsPlan {
    /// The plan for the subcommand.
    ///
    /// # Errors
    /// As for [`Self::of_list`].
    pub fn new(
        args: &EventsArgs,
        global: &ListArgs,
        parsed: Parsed,
        place: &Place,
    ) -> Result<Self, UsageError> {
        let list = ListArgs {
            tcp: args.tcp,
            udp: args.udp,
            raw: args.raw,
            unix: args.unix,
            ipv4: args.ipv4,
            ipv6: args.ipv6,
            listening: args.listening,
            processes: args.processes,
            extended: args.extended,
            resolve: args.resolve,
            interval: args.interval,
            limit: args.limit,
            json: args.json || global.json,
            table: args.table,
            plain: args.plain,
            color: global.color,
            columns: args.columns.clone(),
            cmdline: args.cmdline,
            no_header: args.no_header,
            quiet: global.quiet,
            owners: global.owners,
            netns: [&global.netns[..], &args.netns].concat(),
            ..ListArgs::default()
        };
        Self::of_list(&list, parsed, place)
    }

    /// The plan for `-E`.
    ///
    /// # Errors
    /// As for [`ListPlan::new`], and for formats without lines.
    pub fn of_list(args: &ListArgs, parsed: Parsed, place: &Place) -> Result<Self, UsageError> {
        let states_asked = parsed.states.is_some() || args.all || args.listening || args.bound;
        let mut args = args.clone();
        args.jsonl = matches!(form(&args, place), Form::Json | Form::Jsonl);
        args.json = false;
        let mut plan = ListPlan::new(&args, parsed, place).and_then(ListPlan::without_reachable)?;
        if !matches!(plan.output, Output::Lines(_) | Output::Table(_)) {
            return Err(UsageError::new("-E cannot be used with --by or --pids"));
        }
        let states = plan
            .capture
            .dumps
            .iter()
            .fold(StateSet::NONE, |states, dump| states.union(dump.states));
        for dump in &mut plan.capture.dumps {
            // A socket must also be followed through states that were not requested. Time-wait is the last one, and not
            // needed.
            dump.states = StateSet::ALL.without(StateSet::of(State::TimeWait));
        }
        // Other ends and half-open connections are not among the few sockets that an event looks up.
        plan.capture.peers = PeerKinds::default();
        plan.capture.half_open = false;
        // These sockets have no cookie by which to follow them.
        plan.capture.descriptor_only = false;
        plan.capture.others.clear();
        Ok(Self {
            capture: plan.capture,
            output: plan.output,
            states: states_asked.then_some(states),
            interval: args.interval.unwrap_or(INTERVAL),
            limit: args.limit,
            quiet: args.quiet,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::{Mode, parse};
    use crate::render::lines::Lines;

    fn plan(set: fn(&mut ListArgs), is_terminal: bool) -> Result<EventsPlan, UsageError> {
        let mut args = ListArgs::default();
        set(&mut args);
        let place = Place {
            is_terminal,
            ..Place::default()
        };
        EventsPlan::of_list(&args, parse(&[], Mode::List).unwrap(), &place)
    }

    #[test]
    fn a_terminal_gets_the_table_and_a_pipe_the_columns_of_ss() {
        let output = |set, is_terminal| plan(set, is_terminal).unwrap().output;
        assert!(matches!(output(|_| {}, true), Output::Table(_)));
        assert!(matches!(output(|_| {}, false), Output::Lines(Lines::Ss(_))));
        assert!(matches!(
            output(|args| args.table = true, false),
            Output::Table(_)
        ));
        assert!(matches!(output(|args| args.plain = true, true), Output::Lines(_)));
        for is_terminal in [true, false] {
            let json = output(|args| args.json = true, is_terminal);
            assert!(matches!(json, Output::Lines(Lines::Json(_))));
        }
        assert!(plan(|args| args.pids = true, false).is_err());
    }

    #[test]
    fn a_socket_is_followed_through_every_state_and_reported_in_the_requested_ones() {
        let plan = plan(|args| args.listening = true, false).unwrap();
        assert_eq!(plan.states, Some(StateSet::LISTENING));
        assert!(
            plan.capture
                .dumps
                .iter()
                .all(|dump| dump.states.contains(State::Established))
        );
        assert!(
            plan.capture
                .dumps
                .iter()
                .all(|dump| !dump.states.contains(State::TimeWait))
        );
    }
}
