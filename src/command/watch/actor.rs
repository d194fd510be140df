//! The thread that acts: it pins a target until the user decides, and runs `why` as long as the answer is on the
//! screen. Its waits do not block the screen.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use rustix::process::Signal;

use super::Event;
use crate::command::caller::Caller;
use crate::command::kill::fixed::{Became, Fixed};
use crate::command::why;
use crate::plan::Common;
use crate::source::tape;
use crate::watch::msg::{Fate, Target};
use crate::watch::{Effect, Msg};

/// Runs until the screen is closed.
pub(super) fn run(requests: &Receiver<Effect>, screen: &Sender<Event>, global: Common, caller: &Caller) {
    let mut target: Option<Fixed> = None;
    // The number of the question about it.
    let mut number = 0;
    let mut place: Option<String> = None;
    let mut interval = Duration::from_secs(1);
    loop {
        let request = match &place {
            Some(_) => requests.recv_timeout(interval),
            None => requests.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        let msg = match request {
            Ok(Effect::Target(wanted, socket)) => {
                number = wanted;
                let fixed = Fixed::new(&socket, global.owners_by, caller);
                let shown = fixed.as_ref().map(shown).map_err(Clone::clone);
                target = fixed.ok();
                Msg::Target(number, shown)
            }
            Ok(Effect::Release) => {
                target = None;
                continue;
            }
            Ok(Effect::Terminate) => act(number, target.as_mut(), |fixed| {
                signal(fixed, Signal::TERM, caller)
            }),
            Ok(Effect::Kill) => act(number, target.as_mut(), |fixed| {
                signal(fixed, Signal::KILL, caller)
            }),
            Ok(Effect::Destroy(all)) => act(number, target.as_mut(), |fixed| Fate::Said(fixed.close(all))),
            Ok(Effect::Interval(wanted)) => {
                interval = wanted;
                continue;
            }
            Ok(Effect::Why(wanted)) => {
                place = wanted;
                match &place {
                    Some(place) => Msg::Why(why::text_of(place, global, caller)),
                    None => continue,
                }
            }
            Ok(Effect::WhyThen(wanted, look)) => {
                tape::turn_to(look);
                Msg::Why(why::text_of(&wanted, global, caller))
            }
            Ok(_) => continue,
            Err(RecvTimeoutError::Timeout) => match &place {
                Some(place) => Msg::Why(why::text_of(place, global, caller)),
                None => continue,
            },
            Err(RecvTimeoutError::Disconnected) => return,
        };
        if screen.send(Event::Msg(msg)).is_err() {
            return;
        }
    }
}

fn act(number: u32, target: Option<&mut Fixed>, does: impl FnOnce(&mut Fixed) -> Fate) -> Msg {
    let fate = match target {
        Some(fixed) => does(fixed),
        None => Fate::Said("the target is gone".to_owned()),
    };
    Msg::Fate(number, fate)
}

fn signal(fixed: &mut Fixed, signal: Signal, caller: &Caller) -> Fate {
    match fixed.signal(signal, caller) {
        Became::Done(said) => Fate::Said(said),
        Became::StillRuns(said) => Fate::StillRuns(said),
    }
}

fn shown(fixed: &Fixed) -> Target {
    Target {
        name: fixed.name(),
        lines: fixed.lines(),
        refused: fixed.refused.clone(),
        closable: fixed.closable.len(),
        protected: fixed.protected(),
    }
}
