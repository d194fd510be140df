//! Evaluates a filter on a row.
//!
//! A predicate on a hidden owner is neither true nor false. Three-valued (Kleene) logic propagates that; a row that
//! stays undecided is counted but not shown.

use std::cmp;
use std::net::IpAddr;

use super::expr::{EndIs, Expr, OwnerField, Predicate, Reading};
use super::field::{Field, Value};
use super::pattern::Pattern;
use super::ranges::Ranges;
use crate::model::End;
use crate::model::Row;
use crate::model::cgroup::{Container, Home};
use crate::model::other_ends::{VsockPair, vsock_number};
use crate::model::process::{base_name, script_name};
use crate::model::time::Moment;
use crate::model::{Endpoints, Holder, InetPair, Name, OwnerStatus, Process, Protocol, Socket};

/// The result of a filter on a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    /// The row matches.
    Yes,
    /// The row does not match.
    No,
    /// It depends on unknown owners. The row is not shown, but reported as a gap.
    OwnersUnknown,
}

/// Ordered so that `and` is the minimum and `or` the maximum.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Truth {
    No,
    /// True for no known owner, but there may be unknown ones. Exists only within a predicate: negated, it is
    /// undecided; otherwise it means no.
    OfNoneSeen,
    /// A fact about the socket is unknown (its mark, without `CAP_NET_ADMIN`).
    FactUnknown,
    OwnersUnknown,
    Yes,
}

impl From<bool> for Truth {
    fn from(truth: bool) -> Self {
        if truth { Self::Yes } else { Self::No }
    }
}

impl Expr {
    /// Evaluates the filter on `row`. Ports, addresses, states and numbers are compared without allocating.
    pub fn matches(&self, row: &Row) -> Match {
        match self.truth(row, true) {
            Truth::Yes => Match::Yes,
            Truth::OwnersUnknown => Match::OwnersUnknown,
            Truth::No | Truth::OfNoneSeen | Truth::FactUnknown => Match::No,
        }
    }

    /// Evaluates the filter (`positive`) or its negation. Negation is pushed down to the predicates, so that `and` and
    /// `or` treat the two kinds of unknown alike on either side of a `not`.
    fn truth(&self, row: &Row, positive: bool) -> Truth {
        match self {
            Self::Constant(truth) => (*truth == positive).into(),
            Self::Is(predicate) => match (predicate.truth(row), positive) {
                (Truth::Yes, false) | (Truth::OfNoneSeen, true) => Truth::No,
                (Truth::No, false) => Truth::Yes,
                (Truth::OfNoneSeen, false) => Truth::OwnersUnknown,
                (truth, _) => truth,
            },
            Self::Not(inner) => inner.truth(row, !positive),
            Self::And(parts) if positive => all(parts, row, positive),
            Self::Or(parts) if !positive => all(parts, row, positive),
            Self::And(parts) | Self::Or(parts) => any(parts, row, positive),
        }
    }
}

fn all(parts: &[Expr], row: &Row, positive: bool) -> Truth {
    let mut truth = Truth::Yes;
    for part in parts {
        truth = cmp::min(truth, part.truth(row, positive));
        if truth == Truth::No {
            break;
        }
    }
    truth
}

fn any(parts: &[Expr], row: &Row, positive: bool) -> Truth {
    let mut truth = Truth::No;
    for part in parts {
        truth = cmp::max(truth, part.truth(row, positive));
        if truth == Truth::Yes {
            break;
        }
    }
    truth
}

impl Predicate {
    fn truth(&self, row: &Row) -> Truth {
        let socket = row.socket;
        match self {
            Self::End(test) => test.holds(socket).into(),
            Self::States(states) => states.contains(socket.state).into(),
            Self::Protocols(protocols) => protocols.contains(socket.protocol).into(),
            Self::Number(Field::PeerPid, ranges) => {
                any_peer(row, |holder, _| ranges.contains(holder.pid.into()).into())
            }
            Self::Number(field, ranges) => number(*field, ranges, row),
            Self::Mark { value, mask } => match socket.mark {
                Some(mark) => (mark & mask == *value).into(),
                None => Truth::FactUnknown,
            },
            Self::Interface(index) => {
                let has_one = matches!(
                    socket.endpoints,
                    Endpoints::Inet(_) | Endpoints::Packet(_) | Endpoints::Xdp(_)
                );
                let own = socket.interface().map_or(0, std::num::NonZeroU32::get);
                (has_one && own == *index).into()
            }
            Self::File(file) => match &socket.endpoints {
                Endpoints::Unix(pair) => pair.file.is_some_and(|own| file.is(own)).into(),
                _ => Truth::No,
            },
            Self::Cgroup(id) => (socket.cgroup_id == Some(*id)).into(),
            Self::Word(field, words) => match field.value(row) {
                Value::Word(word) => words.contains(&word).into(),
                _ => Truth::No,
            },
            Self::Options(mask) => socket.socket_options.is_some_and(|bits| bits & mask != 0).into(),
            Self::Truth(field, expected) => {
                matches!(field.value(row), Value::Bool(truth) if truth == *expected).into()
            }
            Self::Text(Field::PeerProcess, pattern) => any_peer(row, |_, process| match process {
                Some(process) => names_program(pattern, process).into(),
                None => Truth::OwnersUnknown,
            }),
            Self::Text(Field::SocketContext, pattern) => match Field::SocketContext.value(row) {
                Value::Text(context) => pattern.matches(context).into(),
                _ => Truth::FactUnknown,
            },
            Self::Text(field, pattern) => text(*field, pattern, row).into(),
            Self::OwnerNumber(field, ranges) => any_owner(row, |holder, process| {
                let number = match field {
                    OwnerField::Pid => Some(holder.pid),
                    OwnerField::Tid => return (holder.tid != 0 && ranges.contains(holder.tid.into())).into(),
                    OwnerField::Fd => Some(holder.fd),
                    OwnerField::StartedAt => {
                        let started = process.and_then(started_ms);
                        return started.map_or(Truth::OwnersUnknown, |ms| ranges.contains(ms).into());
                    }
                    _ => process.and_then(|it| it.uid),
                };
                number.map_or(Truth::OwnersUnknown, |number| {
                    ranges.contains(number.into()).into()
                })
            }),
            Self::OwnerText(field, pattern) => owner_or_creator(*field, row, |text| pattern.matches(text)),
            Self::Program(pattern) => any_owner(row, |_, process| match process {
                Some(process) => names_program(pattern, process).into(),
                None => Truth::OwnersUnknown,
            }),
            Self::Has(field) => (!matches!(field.value(row), Value::Null)).into(),
            Self::OwnerHas(field) if field.of_creator().is_some() => owner_or_creator(*field, row, |_| true),
            Self::OwnerHas(field) => {
                let has = |holder: &Holder| match field {
                    OwnerField::Pid | OwnerField::Fd => true,
                    OwnerField::Tid => holder.tid != 0,
                    OwnerField::Uid => row.process(holder).is_some_and(|it| it.uid.is_some()),
                    OwnerField::StartedAt => row.process(holder).and_then(started_ms).is_some(),
                    _ => row
                        .process(holder)
                        .is_some_and(|it| owner_text(*field, it, row, |_| true) == Truth::Yes),
                };
                row.ownership.holders.iter().any(has).into()
            }
            Self::Autobound(range) => is_autobound(socket, *range).into(),
            Self::Unresolved(_) => Truth::No,
        }
    }
}

/// Matches the text of any owner or of the socket's creator, if it has one. For a socket without owners, a known
/// creator decides.
fn owner_or_creator(field: OwnerField, row: &Row, accepts: impl Fn(&[u8]) -> bool) -> Truth {
    let creator = field.of_creator().and_then(|_| row.home_of_creator());
    if creator.is_some_and(|home| home_text(field, home).is_some_and(&accepts)) {
        return Truth::Yes;
    }
    let truth = any_owner(row, |_, process| match process {
        Some(process) => owner_text(field, process, row, &accepts),
        None => Truth::OwnersUnknown,
    });
    match truth {
        Truth::OwnersUnknown | Truth::OfNoneSeen if creator.is_some() => Truth::No,
        truth => truth,
    }
}

/// The value that a home has for a field, as in [`Field::value`].
fn home_text(field: OwnerField, home: &Home) -> Option<&[u8]> {
    let container = home.container.as_ref();
    match field {
        OwnerField::Unit => home.unit.as_ref().map(Name::as_bytes),
        OwnerField::Container => container.map(Container::title),
        OwnerField::ContainerId => container.and_then(|it| it.id.as_deref()).map(str::as_bytes),
        OwnerField::Pod => home.pod.as_ref().map(Name::as_bytes),
        _ => None,
    }
}

/// True if any owner matches; undecided if no known owner matches and there may be unknown ones.
fn any_owner<'a>(row: &Row<'a>, test: impl Fn(&Holder, Option<&'a Process>) -> Truth) -> Truth {
    match row.ownership.status {
        OwnerStatus::None | OwnerStatus::Kernel => Truth::No,
        OwnerStatus::Known | OwnerStatus::Queued if !row.ownership.holders.is_empty() => {
            let mut truth = if row.ownership.may_be_more {
                Truth::OfNoneSeen
            } else {
                Truth::No
            };
            for holder in row.ownership.holders {
                truth = cmp::max(truth, test(holder, row.process(holder)));
                if truth == Truth::Yes {
                    break;
                }
            }
            truth
        }
        _ => Truth::OwnersUnknown,
    }
}

/// The same for the owners of the other end; false if that end is not on this machine.
fn any_peer<'a>(row: &Row<'a>, test: impl Fn(&Holder, Option<&'a Process>) -> Truth) -> Truth {
    row.of_peer().map_or(Truth::No, |peer| any_owner(&peer, test))
}

fn owner_text(field: OwnerField, process: &Process, row: &Row, accepts: impl Fn(&[u8]) -> bool) -> Truth {
    let text = match field {
        OwnerField::Comm => Some(&process.comm),
        OwnerField::Program => Some(&process.program),
        OwnerField::Exe => process.exe.as_ref(),
        OwnerField::StartedAt => {
            let text = process.started_at.map(|at| Moment::in_seconds(at).text());
            return text.map_or(Truth::OwnersUnknown, |text| accepts(text.as_bytes()).into());
        }
        OwnerField::Context => process.security_context.as_ref(),
        OwnerField::Cmdline => {
            let joined = process.cmdline.as_ref().map(|all| all.full().join(&b' '));
            return joined.map_or(Truth::OwnersUnknown, |text| accepts(&text).into());
        }
        OwnerField::User => {
            let name = process.uid.and_then(|uid| row.context.names.users.get(&uid));
            return name.map_or(Truth::OwnersUnknown, |name| accepts(name.as_bytes()).into());
        }
        OwnerField::Unit | OwnerField::Container | OwnerField::ContainerId | OwnerField::Pod => {
            // If a process is in no container, this is known, not unknown.
            return home_text(field, &process.home).is_some_and(accepts).into();
        }
        OwnerField::Pid | OwnerField::Tid | OwnerField::Fd | OwnerField::Uid => None,
    };
    text.map_or(Truth::OwnersUnknown, |text| accepts(text).into())
}

/// The time as its field shows it.
fn started_ms(process: &Process) -> Option<u64> {
    process.started_at.map(|at| Moment::in_seconds(at).ms)
}

/// Matches a program by any of its names: the one that is shown (for a script, also the interpreter and the script
/// alone), its kernel name, and the name of its executable. The path of the executable is matched only by a pattern
/// with a slash.
fn names_program(pattern: &Pattern, process: &Process) -> bool {
    let script = script_name(&process.program);
    let interpreter = script.and_then(|_| process.program.split(|byte| *byte == b' ').next());
    let exe = process.exe.as_deref().unwrap_or_default();
    let exe = exe.strip_suffix(b" (deleted)").unwrap_or(exe);
    let path = Some(exe).filter(|_| pattern.has_slash());
    let names = [Some(&*process.program), interpreter, script, Some(&*process.comm)];
    let of_exe = [Some(base_name(exe)), path]
        .into_iter()
        .filter(|_| !exe.is_empty());
    names
        .into_iter()
        .chain(of_exe)
        .flatten()
        .any(|name| pattern.matches(name))
}

fn number(field: Field, ranges: &Ranges, row: &Row) -> Truth {
    match field.value(row) {
        Value::Integer(number) | Value::Hex(number) => ranges.contains(number).into(),
        Value::Time(moment) => ranges.contains(moment.ms).into(),
        Value::Null if field == Field::OwnerCount => Truth::OwnersUnknown,
        Value::Numbers(numbers) => numbers
            .iter()
            .any(|number| ranges.contains((*number).into()))
            .into(),
        _ if field == Field::Mark => Truth::FactUnknown,
        _ => Truth::No,
    }
}

/// The text of any field, as printed in JSON.
fn text(field: Field, pattern: &Pattern, row: &Row) -> bool {
    match field.value(row) {
        Value::Null | Value::Owners(_) | Value::Subnet(..) | Value::Struct(_) => false,
        Value::Bool(truth) => pattern.matches(if truth { b"true" } else { b"false" }),
        Value::Integer(number) => pattern.matches(number.to_string().as_bytes()),
        Value::Time(moment) => pattern.matches(moment.text().as_bytes()),
        Value::Hex(number) => pattern.matches(format!("{number:x}").as_bytes()),
        Value::Numbers(numbers) => numbers
            .iter()
            .any(|number| pattern.matches(number.to_string().as_bytes())),
        Value::Texts(list) => list.texts().iter().any(|text| pattern.matches(text.as_bytes())),
        Value::Word(word) => pattern.matches(word.as_bytes()),
        Value::Text(text) => pattern.matches(text),
        Value::UnixName(name) => pattern.matches_unix_name(name),
        Value::Address(address) => pattern.matches(address.to_string().as_bytes()),
        Value::SocketOptions(bits) => {
            super::field::socket_option_words(bits).any(|word| pattern.matches(word.as_bytes()))
        }
    }
}

impl EndIs {
    fn holds(&self, socket: &Socket) -> bool {
        let pair = match &socket.endpoints {
            Endpoints::Inet(pair) => pair,
            Endpoints::Vsock(pair) => return self.holds_vsock(pair),
            _ => return false,
        };
        let (address, port) = match self.end {
            End::Local => (pair.local_address, pair.local_port),
            End::Peer => (pair.peer_address, pair.peer_port),
        };
        if self.reading == Reading::Fields && !self.is_there(socket, pair) {
            return false;
        }
        self.ports
            .as_ref()
            .is_none_or(|ports| ports.contains(port.into()))
            && self.address.is_none_or(|prefix| prefix.contains(address))
    }

    /// The same for VM sockets, which have ports but no addresses.
    fn holds_vsock(&self, pair: &VsockPair) -> bool {
        let port = match self.end {
            End::Local => pair.local_port,
            End::Peer => pair.peer_port,
        };
        let ports = self.ports.as_ref();
        self.address.is_none()
            && ports.is_some_and(|ports| vsock_number(port).is_some_and(|port| ports.contains(port.into())))
    }

    /// Returns whether the fields that the test reads are not null, by the rules of `Field::value`.
    fn is_there(&self, socket: &Socket, pair: &InetPair) -> bool {
        let has_port = socket.protocol != Protocol::Raw;
        let port_there = match self.end {
            End::Local => has_port && pair.local_port != 0,
            End::Peer => has_port,
        };
        let connected = self.end == End::Local || !is_nobody(pair.peer_address, pair.peer_port);
        connected && (self.ports.is_none() || port_there)
    }
}

fn is_nobody(address: IpAddr, port: u16) -> bool {
    address.is_unspecified() && port == 0
}

/// The last port of VM sockets that requires a privilege (`LAST_RESERVED_PORT`, linux 6.18 net/vmw_vsock/af_vsock.c).
const LAST_PRIVILEGED_PORT: u32 = 1023;

/// Autobound, by ss's rules: an IP port in the ephemeral range, or a unix socket that is unnamed or has the five-digit
/// hexadecimal abstract name that autobind assigns.
fn is_autobound(socket: &Socket, range: Option<(u16, u16)>) -> bool {
    match &socket.endpoints {
        Endpoints::Inet(pair) => range.is_some_and(|(low, high)| (low..=high).contains(&pair.local_port)),
        Endpoints::Unix(pair) => match pair.name.as_deref() {
            None => true,
            Some([0, digits @ ..]) => digits.len() == 5 && digits.iter().all(u8::is_ascii_hexdigit),
            Some(_) => false,
        },
        Endpoints::Packet(end) => end.interface.is_none() && end.ethertype == 0,
        // The kernel assigns the process id or, if that is in use, a number above all process ids.
        Endpoints::Netlink(pair) => pair.portid > i32::MAX.unsigned_abs(),
        Endpoints::Vsock(pair) => pair.local_port > LAST_PRIVILEGED_PORT,
        Endpoints::Xdp(_) | Endpoints::Tipc(_) | Endpoints::ProtocolOnly(_) => false,
    }
}
