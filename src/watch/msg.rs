//! Messages to the screen, and effects that it requests.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::engine::live::{Around, Look, Traffic};
use crate::model::Socket;

/// A key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Key {
    Char(char),
    Ctrl(char),
    Enter,
    Esc,
    Tab,
    Up,
    Down,
    Left,
    Right,
    Home,
    End,
    PageUp,
    PageDown,
    Backspace,
    Delete,
    F1,
}

/// Which of the sockets a look covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// At the start, only ports ([`Scope::Waiting`](crate::engine::live::Scope)); connections come next.
    Start,
    /// All, for the first time with this filter, so that nothing counts as new.
    First,
    /// All.
    All,
    /// TCP listeners, and every protocol but TCP.
    Waiting,
}

/// What a look found.
#[derive(Debug)]
pub struct News {
    /// The number of the filter that was in effect.
    pub filter: u32,
    /// When it was made, relative to the start of the screen.
    pub at: Duration,
    /// The same as clock time.
    pub clock: SystemTime,
    /// What it covers.
    pub part: Part,
    /// The sockets and their counters.
    pub look: Look,
    /// Connections on the screen, read one by one with all details; `None` if single sockets cannot be read.
    pub rows: Option<Vec<Socket>>,
    /// Sockets that the kernel freed since the previous look.
    pub freed: Vec<Socket>,
    /// Whether those of them that no look had shown are events: their state is unknown, and a filter may require one.
    pub unseen: bool,
    /// Whether the kernel dropped some of its messages.
    pub lost: bool,
    /// Owners and names.
    pub around: Arc<Around>,
    /// Counters of the machine.
    pub traffic: Traffic,
    /// The total number of sockets, regardless of the filter; `None` if unknown.
    pub total: Option<u64>,
    /// How many closed connections (TIME-WAIT) there are that are not shown; `None` if they are shown, or unknown.
    pub left_out: Option<u64>,
    /// The processor time that the look took, including the search for owners.
    pub cost: Duration,
    /// The same without the search for owners, which is made once.
    pub reads: Duration,
}

/// What happened to a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The action was carried out, with this result. The process may still run.
    Said(String),
    /// It did not end: KILL may be offered.
    StillRuns(String),
}

/// What a question about a target shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// Who it is: `node 48291`.
    pub name: String,
    /// What is known about it, line by line.
    pub lines: Vec<String>,
    /// Why its process must not be signalled, if it must not.
    pub refused: Option<String>,
    /// How many of its sockets can be closed: this one, and its connections.
    pub closable: usize,
    /// Why its sockets must not be closed.
    pub protected: Option<String>,
}

/// Something that happened.
#[derive(Debug)]
pub enum Msg {
    /// A key was pressed, at this time since the start.
    Key(Key, Duration),
    /// Text was pasted.
    Paste(String),
    /// The size of the terminal has changed.
    Resize(u16, u16),
    /// A look was made.
    News(Box<News>),
    /// A look failed; the next one comes in this many seconds.
    Failed(String, Duration),
    /// The filter with this number was rejected.
    Refused(u32, String),
    /// Nothing else happened: what is left of a look is done.
    Settle,
    /// Time passed.
    Tick(Duration),
    /// The last change was drawn at this time.
    Drawn(Duration),
    /// The target of the question with this number, fixed.
    Target(u32, Result<Target, String>),
    /// What happened to the target of the question with this number.
    Fate(u32, Fate),
    /// The answer of `why`.
    Why(Result<String, String>),
    /// With the filter with this number, so many looks of a recording were processed, of so many.
    Reading(u32, usize, usize),
    /// Every look of a recording was processed with the filter with this number.
    Replayed(u32),
}

/// An action to carry out outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Read these connections again with every look.
    Rows(Vec<Socket>),
    /// Use this filter from now on, under this number.
    Filter(u32, String),
    /// Look now.
    Look,
    /// Look at this interval.
    Interval(Duration),
    /// For the question with this number, find out who holds this socket, and pin that process.
    Target(u32, Box<Socket>),
    /// Release the target.
    Release,
    /// Send TERM to the target, and report what happens.
    Terminate,
    /// Send KILL to the target.
    Kill,
    /// Close this one socket or, if `true`, all of the target's connections.
    Destroy(bool),
    /// Answer `why` for this place, again with every look; `None` stops that.
    Why(Option<String>),
    /// In a replay, answer `why` for this place once, as of the look with this number.
    WhyThen(String, usize),
    /// Copy this to the clipboard.
    Copy(String),
    /// Stop, as Ctrl-Z does.
    Suspend,
    /// Redraw everything.
    Redraw,
    /// Print the screen, and end.
    PrintAndQuit,
    /// End.
    Quit,
}
