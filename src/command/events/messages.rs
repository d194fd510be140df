//! Receives the kernel's messages about freed sockets, on a thread of its own, so that they leave the kernel's buffer
//! even while tables are read.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::engine::namespaces;
use crate::model::request::{Dump, Wanted};
use crate::model::{Protocol, Socket};
use crate::source::netlink::channel::{DumpError, Subscription};
use crate::source::netlink::freed;
use crate::source::netns::Views;

/// How many messages wait for us; further ones wait in the kernel, which drops them when its buffer is full.
const WAITING_MAX: usize = 16 * 1024;

/// How soon a namespace that nothing leads into any more is left: a socket in it keeps it alive.
const LEAVE_WITHIN: Duration = Duration::from_secs(1);

/// Why no messages arrive (any more).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::command) enum Unheard {
    /// The kernel reports nothing about the protocols that are followed.
    Nothing,
    /// The socket failed: errno.
    Refused(i32),
}

/// What was received.
#[derive(Debug, Default)]
pub(in crate::command) struct Heard {
    pub(in crate::command) freed: Vec<Socket>,
    /// Some messages were lost.
    pub(in crate::command) lost: bool,
}

/// One thing that was received.
enum Word {
    Freed(Socket),
    Lost,
}

/// The receiving end.
pub(in crate::command) struct Messages {
    receiver: Option<Receiver<Word>>,
    /// Why there are none, or none from some namespaces.
    pub(in crate::command) unheard: Option<Unheard>,
    /// Namespaces to leave, by their index.
    gone: Arc<Mutex<BTreeSet<u32>>>,
}

impl Messages {
    /// Begins to receive what concerns the dumps, in the network namespace of this thread.
    pub(in crate::command) fn open(dumps: &[Dump]) -> Self {
        Self::open_in(dumps, &Views::default())
    }

    /// The same in several namespaces; each socket has the index of its namespace.
    pub(in crate::command) fn open_in(dumps: &[Dump], views: &Views) -> Self {
        let gone = Arc::<Mutex<BTreeSet<u32>>>::default();
        let unheard = |why| Self {
            receiver: None,
            unheard: Some(why),
            gone: Arc::default(),
        };
        let groups = freed::groups(dumps);
        if groups == 0 {
            return unheard(Unheard::Nothing);
        }
        let refused_by = |error: std::io::Error| Unheard::Refused(error.raw_os_error().unwrap_or(0));
        let opened = match namespaces::in_each(views, || Subscription::open(groups)) {
            Ok(opened) => opened,
            Err(error) => return unheard(refused_by(error)),
        };
        let (mut places, mut refused) = (Vec::new(), None);
        for (netns, opened) in opened {
            match opened {
                Ok(subscription) => places.push(Place {
                    netns,
                    subscription,
                    lost: false,
                }),
                Err(DumpError::Channel(errno) | DumpError::Kernel(errno)) => {
                    refused = Some(Unheard::Refused(errno));
                }
                Err(_) => refused = Some(Unheard::Refused(0)),
            }
        }
        if places.is_empty() {
            return unheard(refused.unwrap_or(Unheard::Nothing));
        }
        let wanted = dumps.iter().map(|dump| dump.wanted).max().unwrap_or_default();
        let (sender, receiver) = channel(WAITING_MAX);
        let to_leave = Arc::clone(&gone);
        let within = (!views.views.is_empty()).then_some(LEAVE_WITHIN);
        let listening = std::thread::Builder::new()
            .name("messages".into())
            .spawn(move || listen(places, wanted, &sender, within, &to_leave));
        match listening {
            Ok(_) => Self {
                receiver: Some(receiver),
                unheard: refused,
                gone,
            },
            Err(error) => unheard(refused_by(error)),
        }
    }

    /// Leaves these namespaces, so that they can be freed.
    pub(in crate::command) fn leave(&self, gone: BTreeSet<u32>) {
        *self.gone.lock().unwrap_or_else(PoisonError::into_inner) = gone;
    }

    /// Whether the end of such sockets is reported.
    pub(in crate::command) fn reports(&self, protocol: Protocol) -> bool {
        self.receiver.is_some() && protocol.end_is_reported()
    }

    /// Waits for the next messages.
    pub(in crate::command) async fn next(&mut self) -> Heard {
        let Some(receiver) = &mut self.receiver else {
            return std::future::pending().await;
        };
        match receiver.recv().await {
            Some(word) => {
                let mut heard = Heard::default();
                heard.add(word);
                self.add_what_waits(&mut heard);
                heard
            }
            // The thread has ended: the socket is unusable. From now on there are only the tables.
            None => {
                self.receiver = None;
                Heard {
                    lost: true,
                    ..Heard::default()
                }
            }
        }
    }

    /// The messages that have come, without waiting.
    pub(in crate::command) fn now(&mut self) -> Heard {
        let mut heard = Heard::default();
        self.add_what_waits(&mut heard);
        heard
    }

    fn add_what_waits(&mut self, heard: &mut Heard) {
        let Some(receiver) = &mut self.receiver else {
            return;
        };
        while heard.freed.len() < WAITING_MAX
            && let Ok(word) = receiver.try_recv()
        {
            heard.add(word);
        }
    }
}

impl Heard {
    fn add(&mut self, word: Word) {
        match word {
            Word::Freed(socket) => self.freed.push(socket),
            Word::Lost => self.lost = true,
        }
    }
}

/// Where messages come from.
struct Place {
    /// The index of the network namespace.
    netns: u32,
    subscription: Subscription,
    /// Some were lost, which is not yet reported.
    lost: bool,
}

/// Why no more messages come from a place.
enum Ended {
    /// Its socket failed.
    Failed,
    /// Nobody wants them.
    Unwanted,
}

/// Passes messages on until nobody wants them, or every socket has failed.
fn listen(
    mut places: Vec<Place>,
    wanted: Wanted,
    sender: &Sender<Word>,
    within: Option<Duration>,
    gone: &Mutex<BTreeSet<u32>>,
) {
    loop {
        let ready = Subscription::wait(places.iter().map(|place| &place.subscription), within);
        let mut failed = BTreeSet::new();
        for (place, _) in places.iter_mut().zip(ready).filter(|(_, ready)| *ready) {
            match place.drain(wanted, sender) {
                Ok(()) => {}
                Err(Ended::Failed) => drop(failed.insert(place.netns)),
                Err(Ended::Unwanted) => return,
            }
        }
        places.retain(|place| !failed.contains(&place.netns));
        if !failed.is_empty() && (places.is_empty() || sender.blocking_send(Word::Lost).is_err()) {
            return;
        }
        let gone = gone.lock().unwrap_or_else(PoisonError::into_inner);
        places.retain(|place| !gone.contains(&place.netns));
    }
}

impl Place {
    /// Passes on what waits. That some were lost is reported once the queue is empty: only then does the kernel stop
    /// dropping, and reading the tables again is worthwhile.
    fn drain(&mut self, wanted: Wanted, sender: &Sender<Word>) -> Result<(), Ended> {
        loop {
            let mut words = Vec::new();
            let netns = self.netns;
            let taken = self.subscription.messages(|payload| {
                let freed = freed::decode(payload, wanted);
                words.extend(freed.map(|socket| Word::Freed(Socket { netns, ..socket })));
            });
            match taken {
                Ok(true) => {}
                Ok(false) if std::mem::take(&mut self.lost) => words.push(Word::Lost),
                Ok(false) => return Ok(()),
                Err(DumpError::Lost) => self.lost = true,
                Err(_) => return Err(Ended::Failed),
            }
            for word in words {
                sender.blocking_send(word).map_err(|_| Ended::Unwanted)?;
            }
        }
    }
}
