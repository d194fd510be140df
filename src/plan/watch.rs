//! `watch`: what the live screen reads, for each filter that is entered on it.

use std::time::Duration;

use super::{ListPlan, Place};
use crate::cli::{ListArgs, UsageError, WatchArgs};
use crate::engine::Request;
use crate::model::request::PeerKinds;
use crate::model::{State, StateSet};
use crate::query::field::Cost;
use crate::query::{Expr, Parsed};
use crate::render::escape;

/// The default interval between two looks.
const INTERVAL: Duration = Duration::from_secs(1);
/// The shortest one.
pub const INTERVAL_MIN: Duration = Duration::from_millis(100);

/// A live screen.
#[derive(Clone, Debug)]
pub struct WatchPlan {
    /// The options of the listing that shows the same sockets.
    list: ListArgs,
    /// The same options, as they would be typed.
    pub options: Vec<String>,
    /// The filter of the command line.
    pub filter: String,
    /// The interval between two looks.
    pub interval: Duration,
    /// `--read-only`.
    pub read_only: bool,
    /// `--at`: the time at which to enter a recording.
    pub at: Option<String>,
}

/// What one filter selects.
#[derive(Clone, Debug)]
pub struct Selected {
    /// What is read.
    pub request: Request,
    /// Whether closed connections (TIME-WAIT) are shown too, as a listing with a filter does.
    pub remains: bool,
}

impl WatchPlan {
    /// The plan for the subcommand, and what the filter of the command line selects.
    ///
    /// # Errors
    /// As for [`ListPlan::new`].
    pub fn new(
        args: &WatchArgs,
        global: &ListArgs,
        parsed: Parsed,
        place: &Place,
    ) -> Result<(Self, Selected), UsageError> {
        let list = ListArgs {
            tcp: args.tcp,
            udp: args.udp,
            unix: args.unix,
            ipv4: args.ipv4,
            ipv6: args.ipv6,
            // For a listing, a table option alone means connections; the screen shows all states.
            all: args.tcp || args.udp || args.unix || args.ipv4 || args.ipv6,
            processes: true,
            table: true,
            owners: global.owners,
            quiet: global.quiet,
            ..ListArgs::default()
        };
        let letters = [
            (args.tcp, 't'),
            (args.udp, 'u'),
            (args.unix, 'x'),
            (args.ipv4, '4'),
            (args.ipv6, '6'),
            (list.all, 'a'),
        ];
        let letters: String = letters.iter().filter(|one| one.0).map(|one| one.1).collect();
        let mut options = Vec::new();
        for netns in global.netns.iter().chain(&args.netns) {
            options.extend(["-N".to_owned(), netns.clone()]);
        }
        if let Some(path) = &global.replay {
            options.extend([
                "--replay".to_owned(),
                escape::text(path.as_os_str().as_encoded_bytes()),
            ]);
        }
        if !letters.is_empty() {
            options.push(format!("-{letters}p"));
        }
        let plan = Self {
            options,
            filter: parsed.text.to_string(),
            interval: args.interval.unwrap_or(INTERVAL).max(INTERVAL_MIN),
            read_only: args.read_only,
            at: global.at.clone(),
            list,
        };
        let selected = plan.select(parsed, place)?;
        Ok((plan, selected))
    }

    /// What a filter selects.
    ///
    /// # Errors
    /// As for [`ListPlan::new`], and for a filter on other ends, which the screen does not look up.
    pub fn select(&self, parsed: Parsed, place: &Place) -> Result<Selected, UsageError> {
        let plan = ListPlan::new(&self.list, parsed, place).and_then(ListPlan::without_reachable)?;
        let mut request = plan.capture;
        if request.filter.as_ref().is_some_and(asks_for_peers) {
            return Err(UsageError::new(
                "the live screen cannot filter by the other end's owner",
            ));
        }
        request.owners = true;
        request.names.users = true;
        request.peers = PeerKinds::default();
        request.half_open = false;
        // These sockets have no cookie by which to follow them.
        request.descriptor_only = false;
        request.others.clear();
        if plan.hide_time_wait {
            for dump in &mut request.dumps {
                dump.states = dump.states.without(StateSet::of(State::TimeWait));
            }
        }
        Ok(Selected {
            request,
            remains: !plan.hide_time_wait,
        })
    }
}

/// Whether the filter names something that only the other end shows.
fn asks_for_peers(filter: &Expr) -> bool {
    let costs = Cost::PEERS.and(Cost::PEER_OWNERS);
    filter.fields().iter().any(|field| field.info().cost.has(costs))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Protocol;
    use crate::query::{Mode, parse};

    fn plan(line: &str) -> (WatchPlan, Selected) {
        let words: Vec<std::ffi::OsString> = format!("sockstat watch {line}")
            .split_whitespace()
            .map(Into::into)
            .collect();
        let cli = crate::cli::parse(&words).unwrap();
        let Some(crate::cli::Subcommand::Watch(args)) = &cli.command else {
            panic!("{line}")
        };
        let parsed = parse(&args.filter, Mode::List).unwrap();
        WatchPlan::new(args, &cli.list, parsed, &Place::default()).unwrap()
    }

    #[test]
    fn the_screen_shows_the_same_sockets_as_the_listing() {
        let (plan, selected) = plan("");
        assert!(plan.options.is_empty() && !selected.remains);
        let protocols: Vec<_> = selected.request.dumps.iter().map(|dump| dump.protocol).collect();
        assert_eq!(protocols, [Protocol::Udp, Protocol::Tcp]);
        let states = selected.request.dumps[1].states;
        assert!(states.contains(State::Established) && !states.contains(State::TimeWait));
        assert!(selected.request.owners);
    }

    #[test]
    fn table_options_select_every_state_and_a_filter_shows_closed_connections() {
        let (plan, selected) = plan("-t4 sport = :80");
        assert_eq!(plan.options, ["-t4ap"]);
        assert_eq!(plan.filter, "sport = :80");
        assert_eq!(selected.request.dumps.len(), 1);
        assert!(selected.remains && selected.request.dumps[0].states.contains(State::Listen));
    }
}
