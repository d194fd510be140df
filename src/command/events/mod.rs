//! `events`, which is `-E`: follows the sockets that open, change their state and close.
//!
//! The kernel tells when it frees a TCP or UDP socket. Nothing tells of new ones, so the tables are looked at again
//! and again and compared by cookie. What happens between two looks and leaves no trace cannot be seen, and that
//! is said at the beginning.

pub mod diff;
mod messages;
mod teller;
pub mod text;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::caller::Caller;
use super::{list, losses, out};
use crate::cli::{EventsArgs, ListArgs, UsageError};
use crate::engine::{Request, namespaces};
use crate::exit::Exit;
use crate::model::request::PeerKinds;
use crate::model::{Gap, Protocol, Socket, State, StateSet};
use crate::plan::{ListPlan, Output};
use crate::query::{Mode, Parsed};
use crate::render::human;
use crate::render::lines::Lines;
use crate::source::proc::ProcRoot;
use crate::source::threads;

use diff::{Event, Followed};
use messages::{Deaf, Heard, Messages};
use teller::Teller;

const INTERVAL: Duration = Duration::from_secs(1);

/// The subcommand: `-E` with its options.
///
/// # Errors
/// As [`run`].
pub fn run_subcommand(args: &EventsArgs, global: &ListArgs, caller: &Caller) -> anyhow::Result<Exit> {
    run(&args.as_list(global), caller)
}

/// Follows until it is interrupted (exit 0), nobody reads any more (0), or enough events were told (0).
///
/// # Errors
/// If /proc cannot be listed, or no thread be started.
pub fn run(args: &ListArgs, caller: &Caller) -> anyhow::Result<Exit> {
    let words = list::filter_words(args)?;
    let parsed = match list::filter(args, &words, Mode::List) {
        Ok(parsed) => parsed,
        Err(error) => {
            out::complain(&format!("{}\n", error.render()));
            return Ok(Exit::Usage);
        }
    };
    let watch = match Watch::new(args, parsed, caller) {
        Ok(watch) => watch,
        Err(error) => {
            out::complain(&error.to_string());
            return Ok(Exit::Usage);
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start")?;
    let ended = runtime.block_on(async {
        let mut interrupted = signal(SignalKind::interrupt()).context("cannot listen for Ctrl-C")?;
        tokio::select! {
            ended = watch.follow() => ended,
            _ = interrupted.recv() => Ok(()),
        }
    });
    // A look that is under way is of no use any more.
    runtime.shutdown_background();
    ended.map(|()| Exit::Done)
}

/// What is followed, and how.
struct Watch {
    plan: Arc<Request>,
    lines: Lines,
    states: Option<StateSet>,
    interval: Duration,
    limit: Option<usize>,
    quiet: bool,
}

impl Watch {
    fn new(args: &ListArgs, parsed: Parsed, caller: &Caller) -> Result<Self, UsageError> {
        let states_asked = parsed.states.is_some() || args.all || args.listening || args.bound;
        let mut args = args.clone();
        args.jsonl |= args.json;
        args.json = false;
        args.table = false;
        args.plain = !args.jsonl;
        let mut plan = ListPlan::new(&args, parsed, &caller.place)?;
        let Output::Lines(lines) = plan.output else {
            return Err(UsageError::new(
                "-E prints lines only: it excludes the other output forms",
            ));
        };
        let states = plan
            .capture
            .dumps
            .iter()
            .fold(StateSet::NONE, |states, dump| states.union(dump.states));
        for dump in &mut plan.capture.dumps {
            // A socket has to be followed through states that nobody asked about. Time-wait is the end.
            dump.states = StateSet::ALL.without(StateSet::of(State::TimeWait));
        }
        // Other ends and half-open connections are not among the few sockets that are looked at when something happens.
        plan.capture.peers = PeerKinds::default();
        plan.capture.half_open = false;
        // They have no cookie to be followed by.
        plan.capture.descriptor_only = false;
        plan.capture.others.clear();
        Ok(Self {
            plan: Arc::new(plan.capture),
            lines,
            states: states_asked.then_some(states),
            interval: args.interval.unwrap_or(INTERVAL),
            limit: args.limit,
            quiet: args.quiet,
        })
    }

    async fn follow(self) -> anyhow::Result<()> {
        // Before the first look, so that nothing ends unheard in between.
        let mut messages = Messages::open(&self.plan.dumps);
        let (sockets, gaps) = self.look().await?;
        let mut teller = Teller::new(
            Arc::clone(&self.plan),
            self.lines.clone(),
            self.states,
            self.limit,
            self.quiet,
        );
        let begun = threads::blocking(move || {
            let flow = teller.begin(&sockets);
            (teller, sockets, flow)
        });
        let (mut teller, sockets, flow) = begun.await.context(CANNOT_LIST)?;
        if flow.context(CANNOT_LIST)?.is_break() {
            return Ok(());
        }
        self.introduce(&messages, gaps, &sockets);
        let mut followed = Followed::default();
        followed.begin(sockets);
        let mut ticks = interval_at(Instant::now() + self.interval, self.interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut look_now = false;
        loop {
            let heard = if look_now {
                Heard::default()
            } else {
                tokio::select! {
                    heard = messages.next() => heard,
                    _ = ticks.tick() => { look_now = true; Heard::default() }
                }
            };
            let mut events: Vec<Event> = heard
                .freed
                .into_iter()
                .filter_map(|socket| followed.freed(socket))
                .collect();
            let mut lost = heard.lost;
            if look_now || lost {
                let (sockets, _) = self.look().await?;
                // What was freed meanwhile may be in the look or not.
                let heard = messages.now();
                events.extend(followed.look(sockets, heard.freed));
                lost |= heard.lost;
                look_now = heard.lost;
            }
            let at = SystemTime::now();
            let told = threads::blocking(move || {
                if lost {
                    teller.lost(at);
                }
                let flow = teller.tell(&events, at);
                (teller, flow)
            });
            let flow;
            (teller, flow) = told.await.context(CANNOT_LIST)?;
            if flow.context(CANNOT_LIST)?.is_break() {
                return Ok(());
            }
        }
    }

    /// Reads the tables.
    async fn look(&self) -> anyhow::Result<(Vec<Socket>, Vec<Gap>)> {
        let plan = Arc::clone(&self.plan);
        let looked = threads::blocking(move || {
            let mut sockets = Vec::new();
            let gaps = namespaces::read(&plan.views, &ProcRoot::default(), &plan.dumps, &mut |batch| {
                sockets.extend(
                    batch
                        .iter_mut()
                        .map(|socket| std::mem::replace(socket, Socket::BLANK)),
                );
                ControlFlow::Continue(())
            });
            (sockets, gaps)
        });
        looked.await.context(CANNOT_LIST)
    }

    /// Says what cannot be seen.
    fn introduce(&self, messages: &Messages, mut gaps: Vec<Gap>, sockets: &[Socket]) {
        if self.quiet {
            return;
        }
        let nameless = sockets
            .iter()
            .filter(|socket| socket.identity().is_none())
            .count();
        if nameless > 0 {
            gaps.push(Gap::loss(
                "no-cookies",
                format!("{nameless} sockets were read from /proc without cookies, and are not followed"),
            ));
        }
        if let Some(Deaf::Refused(errno)) = messages.deaf {
            let why = std::io::Error::from_raw_os_error(errno);
            gaps.push(Gap::loss(
                "no-messages",
                format!("cannot receive the kernel's messages: {why}"),
            ));
        }
        out::complain(&losses::lines(&gaps));
        let ms = u64::try_from(self.interval.as_millis()).unwrap_or(u64::MAX);
        let heard: Vec<&str> = self.names(|protocol| messages.tell_of(protocol));
        let unheard: Vec<&str> = self.names(|protocol| !messages.tell_of(protocol));
        out::complain(&text::introduction(&human::duration_ms(ms), &heard, &unheard));
    }

    /// The protocols that are followed and chosen, each once.
    fn names(&self, chosen: impl Fn(Protocol) -> bool) -> Vec<&'static str> {
        let mut names: Vec<_> = self
            .plan
            .dumps
            .iter()
            .filter(|dump| chosen(dump.protocol))
            .map(|dump| dump.protocol.name())
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

const CANNOT_LIST: &str = "cannot list the processes in /proc";
