//! Dumps in recordings: a request, and the kernel's reply to it.
//!
//! A replay answers the same request as was recorded, or one for a part of it: the caller checks every socket again, so
//! a reply with additional sockets will do. If no recorded reply covers the request, everything recorded about that
//! protocol is returned, marked as incomplete.

use super::asked::Asked;
use super::codec::{self, Recordable};
use super::format::Kind;
use super::{Replay, recorder, replay};
use crate::source::netlink::error::DumpError;

/// The kernel's reply to one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The sequence number of its messages.
    pub sequence: u32,
    /// The datagrams, as received.
    pub datagrams: Vec<Vec<u8>>,
    /// The errno with which the channel failed; 0 if it did not.
    pub channel_errno: i32,
}

/// How a replay answers a request.
#[derive(Debug, Default)]
pub struct Replayed {
    /// The replies that are returned.
    pub answers: Vec<Answer>,
    /// What was requested, if the replies may contain more.
    only: Option<Asked>,
    /// Whether this is everything that was requested.
    pub complete: bool,
}

impl Replayed {
    /// Returns whether a socket in the replies was requested.
    pub fn wants(&self, payload: &[u8]) -> bool {
        self.only.is_none_or(|only| only.wants(payload))
    }
}

impl Answer {
    /// These messages, followed by the end of a dump.
    pub(super) fn whole(mut messages: Vec<u8>) -> Self {
        super::ss::push_end(&mut messages);
        Self {
            datagrams: vec![messages],
            ..Self::default()
        }
    }

    /// Encodes what precedes the datagrams, which has the same length whatever the values.
    fn encode_head(sequence: u32, channel_errno: i32, datagrams: usize, out: &mut Vec<u8>) {
        (sequence, channel_errno, datagrams).encode(out);
    }

    fn encode_datagram(datagram: &[u8], out: &mut Vec<u8>) {
        datagram.len().encode(out);
        out.extend_from_slice(datagram);
    }
}

impl Recordable for Answer {
    fn encode(&self, out: &mut Vec<u8>) {
        Self::encode_head(self.sequence, self.channel_errno, self.datagrams.len(), out);
        for datagram in &self.datagrams {
            Self::encode_datagram(datagram, out);
        }
    }

    fn decode(bytes: &mut codec::Bytes<'_>) -> Option<Self> {
        let (sequence, channel_errno, count): (u32, i32, usize) = Recordable::decode(bytes)?;
        if count > bytes.0.len() {
            return None;
        }
        let datagrams = (0..count).map(|_| {
            let length = usize::decode(bytes)?;
            bytes.take(length).map(<[u8]>::to_vec)
        });
        Some(Self {
            sequence,
            channel_errno,
            datagrams: datagrams.collect::<Option<_>>()?,
        })
    }

    fn absent() -> Self {
        Self::default()
    }
}

/// The part of a reply received so far, in a run that is recorded. It may be as long as the tables of a big machine, so it
/// is encoded as it comes, and kept once.
#[derive(Debug)]
pub struct Heard {
    key: Vec<u8>,
    /// The encoded [`Answer`]; its head is written at the end.
    encoded: Vec<u8>,
    datagrams: usize,
}

/// Starts recording the reply to a request; `None` if this run is not recorded.
pub fn listen(request: &[u8]) -> Option<Heard> {
    recorder().map(|_| {
        let mut encoded = Vec::new();
        Answer::encode_head(0, 0, 0, &mut encoded);
        Heard {
            key: key_of(request),
            encoded,
            datagrams: 0,
        }
    })
}

impl Heard {
    /// Adds a datagram from the kernel, if the reply is recorded.
    pub fn datagram(heard: &mut Option<Self>, datagram: &[u8]) {
        if let Some(heard) = heard {
            Answer::encode_datagram(datagram, &mut heard.encoded);
            heard.datagrams += 1;
        }
    }

    /// Records the reply.
    pub fn end(mut self, sequence: u32, result: Result<(), DumpError>) {
        let channel_errno = match result {
            Err(DumpError::Channel(errno)) => errno,
            _ => 0,
        };
        let mut head = Vec::new();
        Answer::encode_head(sequence, channel_errno, self.datagrams, &mut head);
        if let Some(place) = self.encoded.get_mut(..head.len()) {
            place.copy_from_slice(&head);
        }
        if let Some(mut recorder) = recorder() {
            recorder.write(Kind::Netlink, &self.key, &self.encoded);
        }
    }
}

/// Returns the reply to a request in a replay; `None` if the machine is to be queried.
pub fn replayed(request: &[u8]) -> Option<Replayed> {
    replay().map(|mut replay| answer(&mut replay, request))
}

/// Returns the reply to a request from a recording.
pub fn answer(replay: &mut Replay, request: &[u8]) -> Replayed {
    let key = key_of(request);
    if let Some(answer) = replay.answer(Kind::Netlink, &key) {
        return Replayed {
            answers: vec![answer],
            only: None,
            complete: true,
        };
    }
    let Some(wanted) = Asked::read(&key) else {
        return Replayed::default();
    };
    let mut found = Replayed {
        only: Some(wanted),
        ..Replayed::default()
    };
    let (mut v4, mut v6) = (0, 0);
    let mut others = Vec::new();
    let here = super::here(b"");
    for (key, value) in replay.all(Kind::Netlink) {
        // Other namespaces have other sockets. A request begins with its length, which cannot be mistaken for a
        // namespace prefix.
        let request = key.strip_prefix(here.as_slice());
        let Some(asked) = request
            .and_then(Asked::read)
            .filter(|asked| asked.is_of_same_table(&wanted))
        else {
            continue;
        };
        let Some(answer) = codec::decoded::<Answer>(value) else {
            continue;
        };
        if asked.covers_states(&wanted) {
            v4 |= if asked.v4 { asked.states } else { 0 };
            v6 |= if asked.v6 { asked.states } else { 0 };
            found.answers.push(answer);
        } else {
            others.push(answer);
        }
    }
    let covered = |states: u32| wanted.states & !states == 0;
    found.complete = !found.answers.is_empty() && (!wanted.v4 || covered(v4)) && (!wanted.v6 || covered(v6));
    if !found.complete {
        found.answers.append(&mut others);
    }
    found
}

/// A request without its sequence number.
pub(super) fn key_of(request: &[u8]) -> Vec<u8> {
    let mut key = request.to_vec();
    set_sequence(&mut key, 0, 0);
    key
}

/// Sets the sequence number of the message at this offset.
pub(super) fn set_sequence(bytes: &mut [u8], at: usize, sequence: u32) {
    if let Some(field) = bytes.get_mut(at + 8..at + 12) {
        field.copy_from_slice(&sequence.to_ne_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::super::asked::is_of_sockets;
    use super::*;
    use crate::model::request::Parts;
    use crate::model::{Family, Protocol, State, StateSet};
    use crate::source::netlink::request::{Request, Table};
    use crate::source::tape::format::Record;

    #[test]
    fn sockets_are_those_of_one_look() {
        let all = request(Table::TcpBoth, StateSet::ALL);
        let time = |seconds| std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
        let fact = |key: &[u8], value: Vec<u8>| Record {
            kind: Kind::Fact,
            key: key.to_vec(),
            value,
        };
        let dump = Record {
            kind: Kind::Netlink,
            key: key_of(&all),
            value: codec::encoded(&Answer::default()),
        };
        let look = |seconds| fact(b"look", codec::encoded(&time(seconds)));
        let mut replay = Replay::of([dump, fact(b"a", codec::encoded(&7u32)), look(1), look(2)]);
        assert!(
            answer(&mut replay, &all).answers.is_empty(),
            "they belong to another look"
        );
        assert_eq!(replay.answer(Kind::Fact, b"a"), Some(7u32));
        replay.turn_to(0);
        assert!(answer(&mut replay, &all).complete);
        assert!(is_of_sockets(&[b"in net:4026531840\n", &all[..]].concat()));
        assert!(!is_of_sockets(b"in net:4026531840\n") && !is_of_sockets(b""));
    }

    fn request(table: Table, states: StateSet) -> Vec<u8> {
        let request = Request {
            table,
            states,
            parts: Parts::NONE,
            local_port: 0,
            peer_port: 0,
            bytecode: None,
        };
        request.encode()
    }

    fn replay(requests: &[Vec<u8>]) -> Replay {
        let record = |(at, request): (usize, &Vec<u8>)| Record {
            kind: Kind::Netlink,
            key: key_of(request),
            value: codec::encoded(&Answer {
                sequence: u32::try_from(at).unwrap(),
                ..Answer::default()
            }),
        };
        Replay::of(requests.iter().enumerate().map(record))
    }

    fn asked(recorded: &[Vec<u8>], wanted: &[u8]) -> (Vec<u32>, bool) {
        let found = answer(&mut replay(recorded), wanted);
        let numbers = found.answers.iter().map(|answer| answer.sequence).collect();
        (numbers, found.complete)
    }

    const V4: Table = Table::Inet(Protocol::Tcp, Family::Inet);
    const V6: Table = Table::Inet(Protocol::Tcp, Family::Inet6);

    #[test]
    fn the_same_request_gets_its_own_answer_whatever_its_sequence_number() {
        let all = request(Table::TcpBoth, StateSet::ALL);
        let mut again = all.clone();
        set_sequence(&mut again, 0, 77);
        let listeners = request(Table::TcpBoth, StateSet::of(State::Listen));
        assert_eq!(asked(&[listeners, all], &again), (vec![1], true));
    }

    #[test]
    fn a_narrower_request_is_answered_by_a_wider_one() {
        let all = request(Table::TcpBoth, StateSet::ALL);
        let v6 = request(V6, StateSet::of(State::Listen));
        assert_eq!(asked(std::slice::from_ref(&all), &v6), (vec![0], true));
        let halves = [request(V4, StateSet::ALL), request(V6, StateSet::ALL)];
        let (mut answers, complete) = asked(&halves, &all);
        answers.sort_unstable();
        assert_eq!((answers, complete), (vec![0, 1], true));
    }

    #[test]
    fn replies_about_different_states_are_combined() {
        let all = request(Table::TcpBoth, StateSet::ALL);
        let listeners = StateSet::of(State::Listen);
        let parts =
            [StateSet::ALL.without(listeners), listeners].map(|states| request(Table::TcpBoth, states));
        let (answers, complete) = asked(&parts, &all);
        assert_eq!((answers.len(), complete), (2, true));
    }

    #[test]
    fn sockets_that_were_not_requested_are_left_out() {
        let only_v4 = answer(
            &mut replay(&[request(Table::TcpBoth, StateSet::ALL)]),
            &request(V4, StateSet::of_all(&[State::Listen, State::Bound])),
        );
        let wanted = [(2, 10), (10, 10), (2, 1), (2, 7), (2, 200)]
            .map(|(family, state)| only_v4.wants(&[family, state, 0, 0]));
        assert_eq!(wanted, [true, false, false, true, false]);
        assert!(!only_v4.wants(&[2]));
    }

    #[test]
    fn an_incomplete_reply_is_returned_and_marked() {
        let all = request(Table::TcpBoth, StateSet::ALL);
        let listeners = request(V4, StateSet::of(State::Listen));
        assert_eq!(asked(&[listeners], &all), (vec![0], false));
        assert_eq!(asked(&[request(V4, StateSet::ALL)], &all), (vec![0], false));
        let mut narrowed = Request {
            table: Table::TcpBoth,
            states: StateSet::ALL,
            parts: Parts::NONE,
            local_port: 80,
            peer_port: 0,
            bytecode: None,
        };
        assert_eq!(asked(&[narrowed.encode()], &all), (vec![0], false));
        narrowed.local_port = 0;
        narrowed.bytecode = Some(vec![0; 8]);
        assert_eq!(asked(&[narrowed.encode()], &all), (vec![0], false));
    }

    #[test]
    fn another_protocol_is_not_an_answer() {
        let udp = request(Table::Inet(Protocol::Udp, Family::Inet), StateSet::ALL);
        let mptcp = request(Table::Inet(Protocol::Mptcp, Family::Inet), StateSet::ALL);
        let tcp = request(V4, StateSet::ALL);
        let unix = request(Table::Unix, StateSet::ALL);
        assert_eq!(
            asked(&[udp.clone(), mptcp.clone(), unix.clone()], &tcp).0,
            Vec::<u32>::new()
        );
        assert_eq!(asked(&[tcp, udp], &mptcp), (vec![], false));
        assert!(!asked(&[mptcp], &unix).1);
    }
}
