//! Reads the same sockets repeatedly, for the live screen. Owners and names are kept from look to look, and looked up
//! only for new sockets.

mod accepting;
mod bound;
mod figures;
mod gone;
mod look;
mod matching;
mod owners;
mod recorded;
mod selection;

use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use super::prefilter::may_match;
use super::{Request, namespaces};
use crate::model::request::{Dump, Facts, Wanted};
use crate::model::{Context, Owners, Protocol, Row, Socket, State, StateSet, Store};
use crate::query::field::Cost;
use crate::query::{Expr, Match};
use crate::source::names::Learner;
use crate::source::netlink::channel::{Channel, DumpError};
use crate::source::netlink::exact;
use crate::source::proc::ProcRoot;
pub use crate::source::proc::traffic::Traffic;
use crate::source::{process, tape};
pub use accepting::Accepting;
use bound::Bound;
pub use figures::Figures;
pub use look::Look;
use look::{chosen_ports, forget_details};
use matching::Matching;
use owners::Search;

/// Which sockets a look covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everything that the request selects.
    All,
    /// Sockets that are few on any machine: TCP listeners, and every protocol but TCP.
    Waiting,
    /// The same, and TCP sockets in every other state but established.
    Unsettled,
}

impl Scope {
    /// Returns whether the scope covers a socket.
    pub fn covers(self, protocol: Protocol, state: State) -> bool {
        !protocol.is_tcp() || self.states().contains(state)
    }

    /// The TCP states that the scope covers.
    fn states(self) -> StateSet {
        match self {
            Self::All => StateSet::ALL,
            Self::Waiting => StateSet::of(State::Listen),
            Self::Unsettled => StateSet::ALL.without(StateSet::of(State::Established)),
        }
    }
}

/// Looks may take 1/SHARE of the time of one core.
pub const SHARE: u32 = 20;
/// A look at everything that takes at most this much processor time is made every time.
pub const CHEAP: Duration = Duration::from_millis(5);

/// Returns the shortest time between two looks at everything, if a look takes this much processor time.
pub fn all_every(cost: Duration, interval: Duration) -> Duration {
    let times = if cost <= CHEAP { 1 } else { 2 };
    (interval * times).max(cost * SHARE)
}

/// Owners and names of the sockets seen so far.
#[derive(Clone, Debug, Default)]
pub struct Around {
    /// Who holds the sockets.
    pub owners: Owners,
    /// Processes and names.
    pub context: Context,
}

/// The request, and what is known from earlier looks.
#[derive(Debug)]
pub struct Live {
    request: Request,
    /// The dumps that the user selected: a recording reads more.
    selected: Vec<Dump>,
    root: ProcRoot,
    learner: Learner,
    owners: Search,
    bound: Bound,
    matching: Matching,
    channel: Option<Channel>,
    /// How many sockets the last look at everything found.
    count: usize,
}

impl Live {
    /// Prepares looks at the sockets that the request selects.
    pub fn new(mut request: Request) -> Self {
        request.facts = request.facts.max(Facts::Full);
        let selected = request.dumps.clone();
        if tape::is_recording() {
            request.dumps = recorded::everything(&selected);
        }
        let root = ProcRoot::of(request.proc_root.clone());
        let context = Context {
            as_root: tape::euid() == 0,
            arguments: request.arguments,
            ..Context::default()
        };
        Self {
            learner: Learner::new(request.names, root.clone()),
            root,
            request,
            selected,
            owners: Search::new(context),
            bound: Bound::default(),
            matching: Matching::default(),
            channel: None,
            count: 0,
        }
    }

    /// What is read.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// The owners and names found so far.
    pub fn around(&self) -> Arc<Around> {
        self.owners.around()
    }

    /// Makes the next look at everything search all owners again: descriptors may have been passed on meanwhile.
    pub fn forget_owners(&mut self) {
        self.owners.is_outdated = true;
    }

    /// Makes the next look at everything read bound sockets again instead of reusing an earlier result.
    pub fn forget_bound(&mut self) {
        self.bound.forget();
    }

    /// Removes a socket that the kernel freed.
    pub fn freed(&mut self, socket: &Socket) {
        if let Some(key) = socket.identity() {
            self.bound.freed(key);
        }
    }

    /// Replaces the request, and keeps what is known about owners and names.
    pub fn turn_to(&mut self, request: Request) {
        let new = Self::new(request);
        self.request = new.request;
        self.selected = new.selected;
        self.bound.forget();
        self.matching = Matching::default();
        self.channel = None;
    }

    /// The dumps of a look. With counters and memory, the kernel needs a third more time for a connection, so connections
    /// have only the counters, and only if `counts`; the few other sockets have both. A recording has everything.
    fn dumps(&self, scope: Scope, counts: bool, knows_bound: bool) -> Vec<Dump> {
        let is_on_tape = tape::is_recording() || tape::is_replaying();
        let (counters, memory) = (Cost::INFO.parts(), Cost::MEMORY.parts());
        let mut dumps = Vec::new();
        // Of what is not recorded, only the selection is needed.
        let base = if tape::is_recording() {
            &self.request.dumps
        } else {
            &self.selected
        };
        for dump in base {
            let mut dump = dump.clone();
            if knows_bound && dump.protocol == Protocol::Tcp {
                dump.states = dump.states.without(StateSet::of(State::Bound));
            }
            let may_be_many = !Scope::Waiting.covers(dump.protocol, State::Established);
            if may_be_many {
                dump.states = dump.states.intersection(scope.states());
            }
            let few = Scope::Waiting.states();
            let many = dump.states.without(few);
            if dump.protocol.is_inet() && may_be_many && !is_on_tape && !self.root.is_given() {
                dump.states = dump.states.intersection(few);
                dumps.push(Dump {
                    states: many,
                    parts: dump.parts.and_if(counts, counters),
                    wanted: if counts {
                        Wanted::Details
                    } else {
                        dump.wanted.max(Wanted::Attributes)
                    },
                    ..dump.clone()
                });
            }
            if dump.protocol.is_inet() {
                dump.parts = dump.parts.and(counters).and(memory);
                dump.wanted = Wanted::Details;
            }
            dumps.push(dump);
        }
        dumps.retain(|dump| !dump.states.is_empty());
        dumps
    }

    /// Looks at the sockets of this scope; with `finds_owners` also finds the owners of new ones, and with `counts` also
    /// reads the counters of connections.
    ///
    /// # Errors
    /// If owners are wanted and /proc cannot be listed.
    pub fn look(&mut self, scope: Scope, finds_owners: bool, counts: bool) -> io::Result<Look> {
        let bound = self.bound.known().filter(|_| scope == Scope::All);
        let dumps = self.dumps(scope, counts, bound.is_some());
        let filter = self.request.filter.clone();
        // A recording has the owners of all sockets, whatever the screen shows.
        let is_recording = tape::is_recording();
        // Sockets wait here for their owners: for the filter, or to be recorded.
        let defers = filter.as_ref().is_some_and(Expr::needs_owners);
        let waits = is_recording || defers;
        let has_details = |dump: &Dump| dump.wanted == Wanted::Details;
        let keeps_details = defers && self.selected.iter().any(has_details);
        let prefilter = filter.as_ref().and_then(Expr::without_owners);
        let nobody = Owners::not_asked();
        let mut context = Context::default();
        let (mut look, mut all) = (Look::default(), Store::default());
        look.figures = counts.then(Vec::new);
        let read = if waits { &mut all } else { &mut look.sockets };
        if scope == Scope::All {
            *read = Store::with_room(self.count);
            look.chosen = chosen_ports(&self.request, &self.root);
        }
        let learner = &mut self.learner;
        let matching = &mut self.matching;
        let hides_listeners = accepting::are_read_besides(scope, filter.as_ref(), &self.selected);
        let mut take = |sockets: &mut [Socket]| {
            learner.learn(sockets);
            for socket in &mut *sockets {
                if hides_listeners {
                    accepting::note(&mut look.accepting, socket);
                }
                let is_selected = !is_recording || recorded::is_selected(&self.selected, socket);
                let filter = prefilter.as_ref();
                if is_selected && may_match(filter, socket, &nobody, &mut context, &mut learner.names) {
                    look.note_figures(socket);
                    if !defers {
                        look.add(socket);
                    }
                } else {
                    matching.reject(socket);
                    if !is_recording {
                        continue;
                    }
                }
                if waits {
                    if !keeps_details {
                        forget_details(socket);
                    }
                    let is_kept = all.insert(socket);
                    look.nameless += u64::from(defers && !is_kept);
                }
            }
            ControlFlow::Continue(())
        };
        let gaps = namespaces::read(&self.request.views, &self.root, &dumps, &mut take);
        for gap in gaps {
            // Applies to both dumps of TCP.
            if !look.gaps.contains(&gap) {
                look.gaps.push(gap);
            }
        }
        let read = if waits { &mut all } else { &mut look.sockets };
        if tape::is_replaying() {
            recorded::forgive(&mut look.gaps, &self.selected, read);
        }
        // What is recorded has all sockets.
        if hides_listeners && !is_recording {
            look.lacks_listeners = !accepting::read(&self.request, &self.root, read, &mut look.accepting);
        }
        if scope == Scope::All {
            self.count = read.len();
        }
        match bound {
            Some(bound) => {
                for socket in Bound::still(bound, read) {
                    read.insert(&socket);
                }
            }
            None if scope == Scope::All => self.bound.take(read),
            None => {}
        }
        if finds_owners && self.request.owners {
            let sockets = if waits { &all } else { &look.sockets };
            // A recording has the answers to all searches, also to those of looks that are not recorded: what these find
            // is not searched for again.
            let can_ask = self.can_ask() && !tape::is_tape();
            if can_ask && scope == Scope::All {
                self.owners.notice_ended_holders(sockets, process::exists);
            }
            let channel = &mut self.channel;
            let is_there = |socket: &Socket| !can_ask || !gone::is_gone(channel, socket);
            look.owners_cost = tape::recorded_here(|| {
                self.owners
                    .find(&self.request, &self.learner.names, sockets, scope, is_there)
            })?;
        }
        if defers {
            self.pick(&all, &mut look);
        }
        if filter.is_some() || is_recording {
            (look.left, look.returned) = self.matching.end(&look.sockets, scope);
        }
        look.sort_figures();
        look.recorded = is_recording.then_some(all);
        Ok(look)
    }

    /// Adds the sockets that match the filter, now that their owners are known.
    fn pick(&mut self, all: &Store, look: &mut Look) {
        let is_recording = tape::is_recording();
        let filter = self.request.filter.as_ref();
        let around = self.around();
        all.each(|socket| {
            if is_recording && !recorded::is_selected(&self.selected, socket) {
                return self.matching.reject(socket);
            }
            let row = Row {
                socket,
                ownership: around.owners.of(socket),
                context: &around.context,
            };
            match filter.map_or(Match::Yes, |filter| filter.matches(&row)) {
                Match::Yes => look.add(&mut socket.clone()),
                Match::OwnersUnknown => {
                    look.undecided += 1;
                    self.matching.reject(socket);
                }
                Match::No => self.matching.reject(socket),
            }
        });
        look.forget_other_figures();
    }

    /// Whether single sockets can be requested.
    fn can_ask(&self) -> bool {
        self.request.views.views.is_empty() && !self.root.is_given()
    }

    /// Reads connected TCP sockets again, with all details, and leaves out those that are gone. `None` where single
    /// sockets cannot be requested: in several namespaces, or without netlink.
    pub fn again(&mut self, sockets: &[Socket]) -> Option<Vec<Socket>> {
        if !self.can_ask() {
            return None;
        }
        if self.channel.is_none() {
            self.channel = Channel::open().ok();
        }
        let channel = self.channel.as_mut()?;
        let parts = Cost::INFO
            .and(Cost::MEMORY)
            .and(Cost::CONGESTION)
            .and(Cost::MEASURES)
            .parts();
        let mut found = Vec::new();
        for socket in sockets {
            match exact::again(channel, socket, parts, Wanted::Details) {
                Ok(socket) => found.extend(socket),
                Err(DumpError::Lost) => {}
                Err(_) => {
                    self.channel = None;
                    return None;
                }
            }
        }
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{ESTABLISHED, TcpSocket, dump_of, listener, tcp};
    use super::*;
    use crate::model::request::Parts;
    use crate::source::tape::testing::replaying;

    #[test]
    fn a_look_keeps_what_the_filter_wants() {
        let sockets = [
            listener(80),
            TcpSocket {
                state: ESTABLISHED,
                ..listener(81)
            },
        ];
        let look = |words: &str| {
            let request = Request {
                filter: super::super::samples::filter(words),
                ..Request {
                    dumps: vec![tcp(&[State::Listen, State::Established])],
                    ..Request::default()
                }
            };
            replaying(vec![dump_of(&sockets, true)], || {
                let mut live = Live::new(request);
                let look = live.look(Scope::All, true, true).unwrap();
                look.sockets.len() + usize::from(!look.gaps.is_empty()) * 100
            })
        };
        // The recording has the answer to a request without extensions.
        assert!(look("sport = 80") >= 1);
    }

    #[test]
    fn a_freed_socket_may_be_wanted_unless_its_protocol_or_the_filter_says_no() {
        let live = |words: &str| {
            Live::new(Request {
                filter: super::super::samples::filter(words),
                dumps: vec![tcp(&[State::Listen])],
                ..Request::default()
            })
        };
        let wants = |live: &Live, protocol, port| {
            live.may_want(&Socket {
                protocol,
                ..crate::query::samples::tcp("10.0.0.1", port, "0.0.0.0", 0, State::Unconnected)
            })
        };
        let all = live("");
        assert!(wants(&all, Protocol::Tcp, 80) && !wants(&all, Protocol::Udp, 80));
        let one = live("sport = 80");
        assert!(wants(&one, Protocol::Tcp, 80) && !wants(&one, Protocol::Tcp, 81));
        // A socket is wanted if the message lacks a fact that the filter needs.
        assert!(wants(&live("pid = 7"), Protocol::Tcp, 80));
    }

    #[test]
    fn what_is_dear_is_looked_at_less_often() {
        let every = |ms| all_every(Duration::from_millis(ms), Duration::from_secs(1)).as_millis();
        assert_eq!([0, 5, 6, 100, 140].map(every), [1000, 1000, 2000, 2000, 2800]);
    }

    #[test]
    fn counters_and_memory_are_read_of_what_is_few_and_counters_of_connections_if_wanted() {
        let request = Request {
            dumps: vec![Dump {
                parts: Parts::NONE,
                wanted: Wanted::Row,
                ..Dump::new(Protocol::Tcp, StateSet::ALL)
            }],
            ..Request::default()
        };
        let (counters, memory) = (Cost::INFO.parts(), Cost::MEMORY.parts());
        let live = Live::new(request);
        let read = |scope, counts| -> Vec<_> {
            let dumps = live.dumps(scope, counts, true).into_iter();
            dumps
                .map(|dump| {
                    let is_of_listeners = dump.states == StateSet::of(State::Listen);
                    let has = (dump.parts.has(counters), dump.parts.has(memory));
                    assert!(!dump.states.contains(State::Bound), "they are known");
                    (is_of_listeners, has, dump.wanted == Wanted::Details)
                })
                .collect()
        };
        let listeners = (true, (true, true), true);
        assert_eq!(read(Scope::Waiting, false), [listeners]);
        assert_eq!(
            read(Scope::All, false),
            [(false, (false, false), false), listeners]
        );
        assert_eq!(read(Scope::All, true), [(false, (true, false), true), listeners]);
    }

    #[test]
    fn listeners_and_datagrams_are_few() {
        let covers = |protocol, state| Scope::Waiting.covers(protocol, state);
        assert!(covers(Protocol::Tcp, State::Listen) && covers(Protocol::Udp, State::Established));
        assert!(!covers(Protocol::Tcp, State::Established));
        assert!(Scope::All.covers(Protocol::Tcp, State::TimeWait));
    }

    #[test]
    fn what_is_not_recorded_is_read_as_selected() {
        let connections = vec![tcp(&[State::Established])];
        let mut live = Live::new(Request {
            dumps: connections.clone(),
            ..Request::default()
        });
        live.request.dumps = recorded::everything(&connections);
        assert!(live.dumps(Scope::Waiting, false, false).is_empty());
        let states = |dump: &Dump| dump.states;
        let all: Vec<_> = live.dumps(Scope::All, false, false).iter().map(states).collect();
        assert_eq!(all, [StateSet::of(State::Established)]);
    }
}
