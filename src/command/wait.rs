//! `wait`: returns when a listener is there, or gone. It looks, and never connects.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, Instant};

use super::out;
use super::why::look::unix as look_unix;
use super::why::look::{process, snapshot};
use crate::cli::{ListArgs, UsageError, WaitArgs};
use crate::diagnose::bind::cover::Cover;
use crate::diagnose::bind::unix::printable;
use crate::diagnose::place::{Host, Place, PortPlace, parse, wants_family};
use crate::engine::snapshot::inodes;
use crate::exit::Exit;
use crate::model::request::OwnersBy;
use crate::model::{Family, Protocol, Socket, SocketType, State, StateSet};
use crate::render::escape;

/// The first look follows so soon on the one before; then the pauses grow.
const PAUSE_MIN: Duration = Duration::from_millis(1);
/// No pause is longer, so that nobody waits much longer than they must.
const PAUSE_MAX: Duration = Duration::from_millis(100);

/// Waits; exit 1 with what is there, or is not, when the time is over.
///
/// # Errors
/// If the output cannot be written.
pub fn run(args: &WaitArgs, global: &ListArgs) -> anyhow::Result<Exit> {
    let target = match Target::of(args, global.owners.into()) {
        Ok(target) => target,
        Err(reason) => {
            out::complain(&UsageError::new(reason).to_string());
            return Ok(Exit::Usage);
        }
    };
    let begun = Instant::now();
    let mut pause = PAUSE_MIN;
    loop {
        let there = target.look();
        let reached = there.is_empty() == args.gone;
        let left = args
            .timeout
            .map(|timeout| timeout.saturating_sub(begun.elapsed()));
        if reached || left == Some(Duration::ZERO) {
            if args.json || global.json {
                let waited_ms = begun.elapsed().as_millis();
                out::print(
                    format!("{{\"schema\":\"sockstat-wait/1\",\"reached\":{reached},\"waited_ms\":{waited_ms},\"sockets\":{}}}\n", there.len())
                        .as_bytes(),
                )?;
            }
            if reached {
                return Ok(Exit::Done);
            }
            out::complain(&target.still(&there));
            return Ok(Exit::Failed);
        }
        std::thread::sleep(left.map_or(pause, |left| pause.min(left)));
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

/// What is waited for.
struct Target {
    place: Place,
    /// The addresses that count; all if empty.
    addresses: Vec<IpAddr>,
    protocol: Protocol,
    states: StateSet,
    owners_by: OwnersBy,
    ipv4: bool,
    ipv6: bool,
    /// For people.
    text: String,
}

impl Target {
    fn of(args: &WaitArgs, owners_by: OwnersBy) -> Result<Self, String> {
        let place = parse(&args.place)?;
        let (protocol, addresses, text) = match &place {
            Place::Port(PortPlace { port: 0, .. }) | Place::Stdin => {
                return Err(format!("'{}' is nothing to wait for", args.place));
            }
            Place::Port(port) => {
                let udp = args.kind.udp || port.protocol == Some(Protocol::Udp);
                let protocol = if udp { Protocol::Udp } else { Protocol::Tcp };
                (
                    protocol,
                    addresses(&port.host)?,
                    format!("{}/{}", port.port, protocol.name()),
                )
            }
            Place::Unix(name) => (Protocol::Unix, Vec::new(), printable(name)),
        };
        let states = match &args.state {
            Some(name) => {
                StateSet::of(State::from_name(name).ok_or_else(|| format!("'{name}' is no state"))?)
            }
            None if protocol == Protocol::Tcp => StateSet::of(State::Listen),
            None => StateSet::LISTENING,
        };
        Ok(Self {
            place,
            addresses,
            protocol,
            states,
            owners_by,
            ipv4: args.kind.ipv4,
            ipv6: args.kind.ipv6,
            text,
        })
    }

    /// The sockets that are there.
    fn look(&self) -> Vec<Socket> {
        match &self.place {
            Place::Port(place) => snapshot::read_states(self.protocol, place.port, place.port, self.states)
                .existing
                .into_iter()
                .map(|one| one.socket)
                .filter(|socket| self.counts(socket))
                .collect(),
            Place::Unix(name) => look_unix::find(name)
                .into_iter()
                .filter(|socket| self.states.contains(socket.state))
                .filter(|socket| socket.state == State::Listen || socket.kind == Some(SocketType::Dgram))
                .collect(),
            Place::Stdin => Vec::new(),
        }
    }

    /// Whether the socket takes what comes for one of the addresses.
    fn counts(&self, socket: &Socket) -> bool {
        let Some(pair) = socket.inet() else { return false };
        let cover = Cover::of(pair.local_address, pair.v6only == Some(true));
        let takes = |any: IpAddr| cover.overlaps(Cover::of(any, true));
        let families = [
            (Family::Inet, takes(Ipv4Addr::UNSPECIFIED.into())),
            (Family::Inet6, takes(Ipv6Addr::UNSPECIFIED.into())),
        ];
        if !families
            .into_iter()
            .any(|(family, takes)| takes && wants_family(self.ipv4, self.ipv6, family))
        {
            return false;
        }
        self.addresses.is_empty()
            || self
                .addresses
                .iter()
                .any(|address| cover.overlaps(Cover::of(*address, true)))
    }

    /// What to say when the time is over.
    fn still(&self, there: &[Socket]) -> String {
        let states: Vec<_> = State::ALL
            .into_iter()
            .filter(|state| self.states.contains(*state))
            .map(State::name)
            .collect();
        if there.is_empty() {
            return format!(
                "timed out: no socket of {} in state {}\n",
                self.text,
                states.join(" or ")
            );
        }
        let mut text = format!("timed out: {} still there on {}", there.len(), self.text);
        for owner in process::owners_of(inodes(there), self.owners_by).iter().take(4) {
            let _ = write!(text, ", held by {} {}", escape::text(&owner.program), owner.pid);
        }
        text.push('\n');
        text
    }
}

fn addresses(host: &Host) -> Result<Vec<IpAddr>, String> {
    match host {
        Host::Any => Ok(Vec::new()),
        Host::Address(address) => Ok(vec![*address]),
        Host::Name(name) => super::why::look::ask::addresses_of(name),
    }
}
