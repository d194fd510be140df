//! Receives the kernel's messages about freed sockets, on a thread of its own, so that they leave the kernel's buffer
//! even while tables are read.

use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::model::request::{Dump, Wanted};
use crate::model::{Protocol, Socket};
use crate::source::netlink::channel::{DumpError, Subscription};
use crate::source::netlink::freed;

/// How many messages wait for us; further ones wait in the kernel, which drops them when its buffer is full.
const WAITING_MAX: usize = 16 * 1024;

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
    /// Why there are none.
    pub(in crate::command) unheard: Option<Unheard>,
}

impl Messages {
    /// Begins to receive what concerns the dumps, in the network namespace of this thread.
    pub(in crate::command) fn open(dumps: &[Dump]) -> Self {
        let unheard = |why| Self {
            receiver: None,
            unheard: Some(why),
        };
        let groups = freed::groups(dumps);
        if groups == 0 {
            return unheard(Unheard::Nothing);
        }
        let subscribed = match Subscription::open(groups) {
            Ok(subscribed) => subscribed,
            Err(DumpError::Channel(errno) | DumpError::Kernel(errno)) => {
                return unheard(Unheard::Refused(errno));
            }
            Err(_) => return unheard(Unheard::Refused(0)),
        };
        let wanted = dumps.iter().map(|dump| dump.wanted).max().unwrap_or_default();
        let (sender, receiver) = channel(WAITING_MAX);
        let listening = std::thread::Builder::new()
            .name("messages".into())
            .spawn(move || listen(subscribed, wanted, &sender));
        match listening {
            Ok(_) => Self {
                receiver: Some(receiver),
                unheard: None,
            },
            Err(error) => unheard(Unheard::Refused(error.raw_os_error().unwrap_or(0))),
        }
    }

    /// Whether the end of such sockets is reported.
    pub(in crate::command) fn reports(&self, protocol: Protocol) -> bool {
        self.receiver.is_some() && matches!(protocol, Protocol::Tcp | Protocol::Udp)
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

/// Passes messages on until nobody wants them, or the socket fails. That some were lost is reported once the queue is
/// empty: only then does the kernel stop dropping, and reading the tables again is worthwhile.
fn listen(mut subscription: Subscription, wanted: Wanted, sender: &Sender<Word>) {
    let mut lost = false;
    loop {
        let mut words = Vec::new();
        let taken = subscription.messages(!lost, |payload| {
            words.extend(freed::decode(payload, wanted).map(Word::Freed));
        });
        match taken {
            Ok(true) => {}
            Ok(false) => {
                lost = false;
                words.push(Word::Lost);
            }
            Err(DumpError::Lost) => lost = true,
            Err(_) => return,
        }
        for word in words {
            if sender.blocking_send(word).is_err() {
                return;
            }
        }
    }
}
