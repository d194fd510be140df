//! `watch`: the live screen. One thread reads the kernel's tables, one acts, one reads keys. All of them send messages
//! to this thread, which alone owns the state and the terminal.

mod actor;
mod input;
mod machine;
mod pace;
mod surroundings;
mod terminal;
mod total;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::caller::Caller;
use super::out;
use crate::exit::Exit;
use crate::plan::watch::Selected;
use crate::plan::{Common, WatchPlan};
use crate::source::tape;
use crate::watch::state::Setup;
use crate::watch::{Effect, Msg, State, update};

use input::Signalled;
use machine::Machine;
use terminal::Terminal;

/// How long the screen waits for an event before it redraws what changes with time.
const TICK: Duration = Duration::from_millis(500);
/// How long it waits if the terminal accepts no output.
const BUSY: Duration = Duration::from_millis(50);

/// A message to the screen's thread.
enum Event {
    Msg(Msg),
    Signal(Signalled),
    /// The terminal was closed.
    Closed,
}

/// Shows the screen until it is left.
///
/// # Errors
/// If the terminal cannot be set up, or a thread cannot be started.
pub fn run(plan: WatchPlan, selected: Selected, global: Common, caller: &Caller) -> anyhow::Result<Exit> {
    if !terminal::is_usable() {
        return out::usage("watch needs a terminal; for a stream of what opens and closes: sockstat events");
    }
    let begun = Instant::now();
    let (events, inbox) = channel();
    let setup = Setup {
        sudo: caller.sudo(),
        options: plan.options.clone(),
        utf8: terminal::shows_utf8(),
        colour: !caller.place.no_color,
        read_only: plan.read_only || tape::is_replaying(),
        replay: tape::is_replaying().then(|| plan.at.clone().unwrap_or_default()),
    };
    let mut terminal = Terminal::open().context("cannot set up the terminal")?;
    let mut state = State::new(setup, plan.filter.clone(), plan.interval, Terminal::size());
    let caller = Arc::new(caller.clone());
    let (looks, orders) = channel();
    let machine = Machine::new(plan, selected, begun, caller.place.clone());
    let to_screen = events.clone();
    let looking = spawn("looks", move || machine.run(&orders, &to_screen))?;
    let (acts, requests) = channel();
    let to_screen = events.clone();
    spawn("acts", move || {
        // A recording has what the looks saw.
        tape::unrecorded(|| actor::run(&requests, &to_screen, global, &caller));
    })?;
    input::start(&events, begun).context("cannot listen to the keyboard")?;
    drop(events);
    let mut screen = Screen {
        terminal: &mut terminal,
        looks,
        acts,
        begun,
        is_drawn: false,
        is_sent: true,
        leaves: None,
    };
    let ended = screen.show(&mut state, &inbox);
    let leaves = screen.leaves.take();
    drop(screen);
    terminal::give_back();
    if tape::is_recording() {
        // Its last look is made when nobody asks for more.
        drop(looking.join());
    }
    if let Some(text) = leaves {
        out::print(text.as_bytes())?;
    }
    ended
}

/// Starts a thread that ends with the program.
fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> anyhow::Result<JoinHandle<()>> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(body)
        .context("cannot start a thread")
}

/// Shows the state and carries out its effects.
struct Screen<'a> {
    terminal: &'a mut Terminal,
    looks: Sender<Effect>,
    acts: Sender<Effect>,
    begun: Instant,
    /// Whether the current state has been drawn.
    is_drawn: bool,
    /// Whether the terminal has taken what was drawn.
    is_sent: bool,
    /// Text to print at the end.
    leaves: Option<String>,
}

impl Screen<'_> {
    fn show(&mut self, state: &mut State, inbox: &Receiver<Event>) -> anyhow::Result<Exit> {
        loop {
            let wait = match state.is_behind {
                true => Duration::ZERO,
                false if self.is_drawn && self.is_sent => TICK,
                false => BUSY,
            };
            let mut next = match inbox.recv_timeout(wait) {
                Ok(event) => Some(event),
                Err(RecvTimeoutError::Timeout) if state.is_behind => Some(Event::Msg(Msg::Settle)),
                Err(RecvTimeoutError::Timeout) => Some(Event::Msg(Msg::Tick(self.begun.elapsed()))),
                Err(RecvTimeoutError::Disconnected) => return Ok(Exit::Failed),
            };
            // Pending events are processed before anything is drawn.
            let mut is_by_user = false;
            while let Some(event) = next {
                is_by_user |= matches!(event, Event::Msg(Msg::Key(..) | Msg::Paste(_) | Msg::Resize(..)));
                if let Some(exit) = self.take(state, event)? {
                    return Ok(exit);
                }
                next = inbox.try_recv().ok();
            }
            // A change of size before the key thread began to listen goes unreported.
            let (columns, rows) = Terminal::size();
            if state.size != (columns, rows) {
                self.take(state, Event::Msg(Msg::Resize(columns, rows)))?;
            }
            // Rows that are behind are drawn only if somebody waits for them.
            if is_by_user || !state.is_behind {
                self.draw(state)?;
            }
        }
    }

    /// Handles one event; returns how the program ends, if it does.
    fn take(&mut self, state: &mut State, event: Event) -> anyhow::Result<Option<Exit>> {
        let msg = match event {
            Event::Msg(msg) => msg,
            Event::Closed | Event::Signal(Signalled::End) => return Ok(Some(Exit::Done)),
            Event::Signal(Signalled::Stop) => return self.obey(state, Effect::Suspend),
            Event::Signal(Signalled::Continued) => return self.obey(state, Effect::Redraw),
        };
        let (is_tick, aged) = (matches!(msg, Msg::Tick(_)), state.ages());
        for effect in update(state, msg) {
            if let Some(exit) = self.obey(state, effect)? {
                return Ok(Some(exit));
            }
        }
        self.is_drawn &= is_tick && !aged && !state.ages();
        Ok(None)
    }

    fn obey(&mut self, state: &mut State, effect: Effect) -> anyhow::Result<Option<Exit>> {
        match effect {
            Effect::Quit => return Ok(Some(Exit::Done)),
            Effect::PrintAndQuit => {
                self.leaves = Some(Terminal::text(state));
                return Ok(Some(Exit::Done));
            }
            Effect::Suspend => {
                self.terminal.suspend().context("cannot set up the terminal")?;
                self.redraw(state);
            }
            Effect::Redraw => self.redraw(state),
            Effect::Copy(text) => self.terminal.copy(&text).context("cannot copy")?,
            Effect::Rows(_) | Effect::Filter(..) | Effect::Look => drop(self.looks.send(effect)),
            Effect::Interval(interval) => {
                drop(self.looks.send(Effect::Interval(interval)));
                drop(self.acts.send(Effect::Interval(interval)));
            }
            Effect::WhyThen(..)
            | Effect::Target(..)
            | Effect::Release
            | Effect::Terminate
            | Effect::Kill
            | Effect::Destroy(_)
            | Effect::Why(_) => drop(self.acts.send(effect)),
        }
        Ok(None)
    }

    fn redraw(&mut self, state: &mut State) {
        self.terminal.forget();
        state.size = Terminal::size();
        state.follow();
        self.is_drawn = false;
    }

    /// Draws, unless the terminal has not accepted the previous frame yet.
    fn draw(&mut self, state: &mut State) -> anyhow::Result<()> {
        let was_sent = self.is_sent;
        self.is_sent = self.terminal.send().context("cannot draw")?;
        let draws = !self.is_drawn && self.is_sent;
        if draws {
            self.is_sent = self.terminal.draw(state).context("cannot draw")?;
            self.is_drawn = true;
        }
        if self.is_sent && (draws || !was_sent) {
            update(state, Msg::Drawn(self.begun.elapsed()));
        }
        Ok(())
    }
}
