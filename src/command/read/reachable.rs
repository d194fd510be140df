//! Determines whether clients on other machines can reach each listener. The rules are read once per network namespace.

use std::net::{IpAddr, SocketAddr};
use std::ops::ControlFlow;

use super::network::{Predictor, facts};
use super::opaque::Whose;
use crate::diagnose::bind::cover::Cover;
use crate::diagnose::path::filter::facts::Facts;
use crate::diagnose::path::filter::journey::{Attempt, Client, Outcome};
use crate::diagnose::path::filter::oracle::Question;
use crate::diagnose::path::filter::predict::Prediction;
use crate::diagnose::path::judge::{cover, takes_traffic};
use crate::diagnose::path::way::unread_text;
use crate::engine::{Request, namespaces};
use crate::model::network::Link;
use crate::model::packet_filter::{PacketFilter, Reading, Unread};
use crate::model::reachable::{Reachability, Reachable};
use crate::model::request::Dump;
use crate::model::{Gap, Protocol, Socket, State, StateSet};
use crate::source::proc::ProcRoot;
use crate::source::{packet_filter, system};

/// At most this many connections are predicted in a namespace, over all listeners. A listing typically needs a few
/// hundred.
const PREDICTIONS_MAX: usize = 5_000;
/// After this many predictions that took too long, no more are made.
const TOO_LONG_MAX: usize = 2;

/// Determines the reachability of every listener of a request, and what could not be read.
pub fn read(request: &Request) -> (Reachability, Option<Gap>) {
    let dumps = [
        Dump::new(Protocol::Tcp, StateSet::of(State::Listen)),
        Dump::new(Protocol::Udp, StateSet::of(State::Unconnected)),
    ];
    let mut found: Vec<(Socket, Reachable)> = Vec::new();
    let mut rules: Option<(u32, Rules)> = None;
    let mut gap = None;
    let root = ProcRoot::of(request.proc_root.clone());
    let _ = namespaces::read(&request.views, &root, &dumps, &mut |sockets| {
        let listeners = || sockets.iter().filter(|socket| takes_traffic(socket));
        let Some(first) = listeners().next() else {
            return ControlFlow::Continue(());
        };
        // This thread is in the namespace of the sockets, unless only tables below --proc-root are read.
        let of_namespace = match rules.take() {
            Some((netns, rules)) if netns == first.netns => rules,
            _ => Rules::read(request.proc_root.is_none()),
        };
        if let Some(unread) = of_namespace.unread {
            gap = Some(gap_of(unread));
        }
        let mut judge = Judge::new(&of_namespace);
        for socket in listeners() {
            found.push((socket.clone(), judge.judge(socket)));
        }
        rules = Some((first.netns, of_namespace));
        ControlFlow::Continue(())
    });
    let answers = found.iter().map(|(socket, answer)| (socket, *answer));
    (Reachability::new(answers), gap)
}

fn gap_of(unread: Unread) -> Gap {
    let why = unread_text(unread);
    let message =
        format!("packet filters were not examined ({why}): 'reachable' is unknown for other machines");
    Gap::loss("rules-unread", message)
}

/// The facts about a namespace.
struct Rules {
    filter: PacketFilter,
    unread: Option<Unread>,
    facts: Facts,
}

impl Rules {
    fn read(is_live: bool) -> Self {
        let reading = if is_live {
            packet_filter::read()
        } else {
            Reading::NotExamined(Unread::NotRecorded)
        };
        let (filter, unread) = match reading {
            Reading::Examined(filter) => (filter, None),
            Reading::NotExamined(unread) => (PacketFilter::default(), Some(unread)),
        };
        let facts = if unread.is_none() {
            facts(&system::read())
        } else {
            Facts::default()
        };
        Self {
            filter,
            unread,
            facts,
        }
    }
}

/// Judges listeners of one namespace.
struct Judge<'a> {
    predictor: Predictor<'a>,
    is_unread: bool,
    /// Interface, own address, and client.
    clients: Vec<(u32, IpAddr, IpAddr)>,
    /// Whether no other machine can reach this namespace.
    is_alone: bool,
    left: usize,
    too_long: usize,
}

impl<'a> Judge<'a> {
    fn new(rules: &'a Rules) -> Self {
        let predictor = Predictor::new(&rules.filter, rules.facts.clone());
        let is_usable = |link: &Link| {
            let wanted = Link::UP | Link::LOWER_UP;
            !link.is_loopback() && link.flags & wanted == wanted
        };
        let usable = |index: u32| predictor.facts.link(index).is_some_and(is_usable);
        let mut clients = predictor.clients(false);
        clients.extend(predictor.clients(true));
        clients.retain(|(interface, ..)| usable(*interface));
        Self {
            is_alone: !predictor.facts.links.iter().any(is_usable),
            clients,
            is_unread: rules.unread.is_some(),
            predictor,
            left: PREDICTIONS_MAX,
            too_long: 0,
        }
    }

    fn judge(&mut self, socket: &Socket) -> Reachable {
        let (Some(pair), Some(covered)) = (socket.inet(), cover(socket)) else {
            return Reachable::Unknown;
        };
        let local = pair.local_address.to_canonical();
        if local.is_loopback() {
            return Reachable::Loopback;
        }
        if self.is_unread {
            return Reachable::Unknown;
        }
        if self.is_alone {
            return Reachable::Loopback;
        }
        let protocol = if socket.protocol == Protocol::Udp { 17 } else { 6 };
        let mut found = None;
        for (interface, own, address) in self.clients.clone() {
            let is_its_device = pair.interface.is_none_or(|bound| bound.get() == interface);
            // Clients may connect to any address of this machine, on any interface.
            let server = if local.is_unspecified() { own } else { local };
            let is_same_family = server.is_ipv4() == address.is_ipv4();
            if !is_its_device || !is_same_family || !covered.overlaps(Cover::of(server, true)) {
                continue;
            }
            let attempt = Attempt {
                protocol,
                client: Client::From { address, interface },
                server: SocketAddr::new(server, pair.local_port),
                zone: Some(interface),
            };
            let answer = self.ask(attempt, socket);
            if answer == Reachable::Yes {
                return answer;
            }
            // An unknown result outweighs a blocked one.
            if found != Some(Reachable::Unknown) {
                found = Some(answer);
            }
        }
        // No possible client is known, as on a point-to-point link.
        found.unwrap_or(Reachable::Unknown)
    }

    /// Returns the result for one client.
    fn ask(&mut self, attempt: Attempt, socket: &Socket) -> Reachable {
        if self.left == 0 || self.too_long > TOO_LONG_MAX {
            return Reachable::Unknown;
        }
        self.left -= 1;
        let end = match self.predictor.predict(attempt, true) {
            Prediction::Certain(end) => end,
            Prediction::Unknown(questions) => {
                self.too_long += usize::from(questions.iter().any(Question::is_limit));
                return Reachable::Unknown;
            }
        };
        if !self
            .predictor
            .unpredictable(attempt, Some(Whose::Server(socket.cgroup_id)))
            .is_empty()
        {
            return Reachable::Unknown;
        }
        // A connection that rules send elsewhere does not reach this listener.
        if end.outcome == Outcome::Connected && end.lands_at == Some(attempt.server) {
            Reachable::Yes
        } else {
            Reachable::Filtered
        }
    }
}
