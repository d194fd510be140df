//! `events`, which is `-E`: follows the sockets that open, change their state and close.
//!
//! The kernel reports when it frees a TCP or UDP socket. Nothing reports new ones, so the tables are read again and
//! again and compared by cookie. What happens between two reads and leaves no trace cannot be seen, and the first
//! line says so.

pub(super) mod messages;

pub mod text;
mod writer;

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::caller::Caller;
use super::{losses, out};
use crate::engine::follow::{Event, Followed};
use crate::engine::{Request, namespaces};
use crate::exit::Exit;
use crate::model::{Gap, Protocol, StateSet, Store};
use crate::plan::{EventsPlan, Output};
use crate::render::human;
use crate::render::page::Page;
use crate::source::proc::ProcRoot;
use crate::source::{machine, threads};

use messages::{Heard, Messages, Unheard};
use text::Shown;
use writer::Writer;

/// Follows until it is interrupted, nobody reads any more, or enough events were printed; exit 0 in each case.
///
/// # Errors
/// If /proc cannot be listed, or a thread cannot be started; in several network namespaces, also if the kernel counts
/// the cookies of each alone.
pub fn run(mut plan: EventsPlan, caller: &Caller) -> anyhow::Result<Exit> {
    plan.capture.views = caller.views.clone();
    if plan.capture.views.views.len() > 1 && !machine::kernel_is_at_least(5, 3) {
        anyhow::bail!(
            "following several network namespaces needs Linux 5.3 or newer, where no two sockets have the same cookie"
        );
    }
    let watch = Watch::new(plan);
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
    // A look that is in progress is no longer needed.
    runtime.shutdown_background();
    ended.map(|()| Exit::Done)
}

/// One look at the tables.
struct Look {
    sockets: Store,
    /// How many could not be kept, because they have no cookie.
    nameless: u64,
    gaps: Vec<Gap>,
    /// Namespaces into which nothing leads any more.
    gone: BTreeSet<u32>,
}

/// What is followed, and how.
struct Watch {
    plan: Arc<Request>,
    output: Output,
    states: Option<StateSet>,
    interval: Duration,
    limit: Option<usize>,
    quiet: bool,
}

impl Watch {
    fn new(plan: EventsPlan) -> Self {
        Self {
            plan: Arc::new(plan.capture),
            output: plan.output,
            states: plan.states,
            interval: plan.interval,
            limit: plan.limit,
            quiet: plan.quiet,
        }
    }

    async fn follow(self) -> anyhow::Result<()> {
        // Before the first look, so that no socket ends unnoticed in between.
        let mut messages = Messages::open_in(&self.plan.dumps, &self.plan.views);
        let Look {
            sockets,
            nameless,
            mut gaps,
            ..
        } = self.look().await?;
        gaps.extend(self.plan.views.gaps.iter().cloned());
        let mut writer = Writer::new(
            Arc::clone(&self.plan),
            Shown::of(&self.output, &machine::read(&ProcRoot::default())),
            self.states,
            self.limit,
            self.quiet,
        );
        let begun = threads::blocking(move || {
            let flow = writer.begin(&sockets);
            (writer, sockets, flow)
        });
        let (mut writer, sockets, flow) = begun.await.context(CANNOT_LIST)?;
        if flow.context(CANNOT_LIST)?.is_break() {
            return writer.finish();
        }
        self.introduce(&messages, gaps, nameless);
        let mut followed = Followed::owned();
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
                let Look { sockets, gone, .. } = self.look().await?;
                messages.leave(gone);
                // A socket that was freed meanwhile may or may not be in the look.
                let heard = messages.now();
                events.extend(followed.look(sockets, heard.freed));
                lost |= heard.lost;
                look_now = heard.lost;
            }
            let at = SystemTime::now();
            let written = threads::blocking(move || {
                if lost {
                    writer.lost(at);
                }
                let flow = writer.write(&events, at);
                (writer, flow)
            });
            let flow;
            (writer, flow) = written.await.context(CANNOT_LIST)?;
            if flow.context(CANNOT_LIST)?.is_break() {
                return writer.finish();
            }
        }
    }

    /// Reads the tables.
    async fn look(&self) -> anyhow::Result<Look> {
        let plan = Arc::clone(&self.plan);
        let looked = threads::blocking(move || {
            let (mut sockets, mut nameless) = (Store::default(), 0);
            let gaps = namespaces::read(&plan.views, &ProcRoot::default(), &plan.dumps, &mut |batch| {
                for socket in &*batch {
                    nameless += u64::from(!sockets.insert(socket));
                }
                ControlFlow::Continue(())
            });
            Look {
                sockets,
                nameless,
                gaps,
                gone: namespaces::gone(&plan.views),
            }
        });
        looked.await.context(CANNOT_LIST)
    }

    /// Says what cannot be seen.
    fn introduce(&self, messages: &Messages, mut gaps: Vec<Gap>, nameless: u64) {
        if self.quiet {
            return;
        }
        if nameless > 0 {
            gaps.push(Gap::loss(
                "no-cookies",
                format!("{nameless} sockets were read from /proc without cookies, and are not followed"),
            ));
        }
        if let Some(Unheard::Refused(errno)) = messages.unheard {
            let why = std::io::Error::from_raw_os_error(errno);
            gaps.push(Gap::loss(
                "no-messages",
                format!("cannot receive the kernel's messages: {why}"),
            ));
        }
        out::complain(&losses::lines(&gaps));
        let ms = u64::try_from(self.interval.as_millis()).unwrap_or(u64::MAX);
        let heard: Vec<&str> = self.names(|protocol| messages.reports(protocol));
        let unheard: Vec<&str> = self.names(|protocol| !messages.reports(protocol));
        let width = match &self.output {
            Output::Table(view) => view.width,
            _ => None,
        };
        let mut page = Page::new(width, 0);
        page.prose(&text::introduction(&human::duration_ms(ms), &heard, &unheard));
        out::complain(&page.finish());
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
