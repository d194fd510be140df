//! `wait`: returns when a listener appears or disappears. It only reads, and never connects.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::value::RawValue;

use super::read::holders;
use super::read::snapshot::{self, Snapshot};
use super::{losses, out};
use crate::cli::WaitArgs;
use crate::diagnose::bind::unix::facts::printable;
use crate::diagnose::json::gaps;
use crate::diagnose::path::listens::Addresses;
use crate::diagnose::place::{Host, Place, PortPlace};
use crate::diagnose::typed_place::{NameAlone, TypedPlace, parse_all};
use crate::exit::Exit;
use crate::model::gap::lacks_sockets;
use crate::model::request::OwnersBy;
use crate::model::{Protocol, SocketType, State, StateSet};
use crate::plan::Common;
use crate::render::human::duration_ms;
use crate::render::shell;
use crate::source::hosts;

/// The first pause between two reads; then the pauses grow.
const PAUSE_MIN: Duration = Duration::from_millis(1);
/// The longest pause, so that nobody waits much longer than they must.
const PAUSE_MAX: Duration = Duration::from_millis(100);

/// Waits until all goals are reached at the same time. Exits with 1 when the time is up.
///
/// # Errors
/// If the output cannot be written.
pub fn run(args: &WaitArgs, global: Common) -> anyhow::Result<Exit> {
    let targets = match targets(args, global.owners_by) {
        Ok(targets) => targets,
        Err(reason) => return out::usage(reason),
    };
    if !global.quiet {
        out::complain(&timeout_hint(args));
    }
    // In a script, nothing is announced.
    let mut announces = !global.quiet && out::is_read_by_a_person();
    let begun = Instant::now();
    let mut pause = PAUSE_MIN;
    loop {
        let mut there: Vec<Snapshot> = targets.iter().map(Target::look).collect();
        // A table that cannot be read shows neither presence nor absence.
        let is_reached =
            |there: &Snapshot| there.existing.is_empty() == args.gone && !lacks_sockets(&there.gaps);
        let reached = there.iter().all(is_reached);
        let left = args
            .timeout
            .map(|timeout| timeout.saturating_sub(begun.elapsed()));
        if reached || left == Some(Duration::ZERO) {
            // All are read in the same way, so the gaps of the first are those of all.
            let missing = there.first().map_or(&[][..], |first| &first.gaps);
            if !global.quiet {
                out::complain(&losses::lines(missing));
            }
            if args.json || global.json {
                let mut document = serde_json::to_vec(&Document {
                    schema: "sockstat-wait/1",
                    reached,
                    waited_ms: begun.elapsed().as_millis(),
                    sockets: there.iter().map(|there| there.existing.len()).sum(),
                    gaps: gaps(missing),
                })?;
                document.push(b'\n');
                out::print(&document)?;
            }
            if reached {
                return Ok(Exit::Done);
            }
            let open = targets
                .iter()
                .zip(&mut there)
                .filter(|(_, there)| !is_reached(there));
            for (target, there) in open {
                out::complain(&target.still(there));
            }
            return Ok(Exit::Failed);
        }
        if std::mem::take(&mut announces) {
            out::complain(&waiting_for(&targets, args));
        }
        std::thread::sleep(left.map_or(pause, |left| pause.min(left)));
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

/// Tells the person at the terminal what the command waits for.
fn waiting_for(targets: &[Target], args: &WaitArgs) -> String {
    let names: Vec<&str> = targets.iter().map(|target| target.text.as_str()).collect();
    let names = names.join(" and ");
    let state = args.state.as_deref().unwrap_or("listen");
    let is = if targets.len() > 1 { "are" } else { "is" };
    let goal = match (
        args.gone,
        targets.iter().all(|target| target.protocol == Protocol::Tcp),
    ) {
        (true, _) => format!("until {names} {is} gone"),
        (false, true) => format!("until {names} {is} in state {state}"),
        (false, false) => format!("for {names}"),
    };
    let limit = args.timeout.map_or_else(String::new, |timeout| {
        let ms = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
        format!(", at most {}", duration_ms(ms))
    });
    format!("waiting {goal}{limit} (Ctrl-C ends it)\n")
}

/// Returns a hint for a number that was taken as a port but was probably meant as seconds: `wait 3000 5`, `wait -t 5
/// 3000`.
fn timeout_hint(args: &WaitArgs) -> String {
    let is_time = |number: u16| number <= 20 || number.is_multiple_of(30) && number <= 300;
    let seconds = |word: &&String| word.parse().is_ok_and(is_time);
    let Some(time) = args.places.iter().find(seconds) else {
        return String::new();
    };
    let others = args.places.iter().filter(|word| *word != time);
    let others: Option<Vec<String>> = others.map(|word| shell::word(word.as_bytes())).collect();
    let Some(others) = others.filter(|others| !others.is_empty() && args.timeout.is_none()) else {
        return String::new();
    };
    let others = others.join(" ");
    format!(
        "hint: {time} was taken as a port; to give up after {time} s: sockstat wait --timeout {time}s {others}\n"
    )
}

/// The document, `sockstat-wait/1`. Within the version keys are only ever added.
#[derive(Serialize)]
struct Document {
    schema: &'static str,
    reached: bool,
    waited_ms: u128,
    sockets: usize,
    gaps: Vec<Box<RawValue>>,
}

/// What to wait for.
struct Target {
    place: Place,
    /// The local addresses that match.
    addresses: Addresses,
    protocol: Protocol,
    states: StateSet,
    owners_by: OwnersBy,
    /// As shown to the user.
    text: String,
}

fn targets(args: &WaitArgs, owners_by: OwnersBy) -> Result<Vec<Target>, String> {
    let places = parse_all(&args.places, NameAlone::Service, &hosts::port_of)?;
    let target = |typed| Target::of(args, typed, owners_by);
    places.into_iter().map(target).collect()
}

impl Target {
    fn of(args: &WaitArgs, typed: TypedPlace, owners_by: OwnersBy) -> Result<Self, String> {
        let TypedPlace { text: typed, place } = typed;
        let (protocol, addresses, text) = match &place {
            Place::Port(PortPlace { port: 0, .. }) | Place::Stdin => {
                return Err(format!("invalid place '{typed}'"));
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
                StateSet::of(State::from_name(name).ok_or_else(|| format!("unknown state '{name}'"))?)
            }
            None if protocol == Protocol::Tcp => StateSet::of(State::Listen),
            None => StateSet::LISTENING,
        };
        Ok(Self {
            place,
            addresses: Addresses {
                any_of: addresses,
                ipv4: args.kind.ipv4,
                ipv6: args.kind.ipv6,
            },
            protocol,
            states,
            owners_by,
            text,
        })
    }

    /// Reads the sockets that match now.
    fn look(&self) -> Snapshot {
        let port = match &self.place {
            Place::Unix(name) => {
                let mut there = snapshot::read_unix(name);
                there.retain(|socket| {
                    self.states.contains(socket.state)
                        && (socket.state == State::Listen || socket.kind == Some(SocketType::Dgram))
                });
                return there;
            }
            Place::Port(place) => place.port,
            // Rejected earlier.
            Place::Stdin => 0,
        };
        let mut there = snapshot::read_states(self.protocol, port, port, self.states);
        there.retain(|socket| self.addresses.are_taken_by(socket));
        there
    }

    /// The message for when the time is up.
    fn still(&self, there: &mut Snapshot) -> String {
        if there.existing.is_empty() {
            let states: Vec<_> = State::ALL
                .into_iter()
                .filter(|state| self.states.contains(*state))
                .map(State::name)
                .collect();
            let states = states.join(" or ");
            return format!("timed out: {} has no socket in state {states}\n", self.text);
        }
        let mut text = format!("timed out: {} still there on {}", there.existing.len(), self.text);
        there.find_owners(self.owners_by);
        for who in holders::names(there, 4) {
            let _ = write!(text, ", held by {who}");
        }
        text.push('\n');
        text
    }
}

fn addresses(host: &Host) -> Result<Vec<IpAddr>, String> {
    match host {
        Host::Any => Ok(Vec::new()),
        Host::Address(address) => Ok(vec![*address]),
        Host::Name(name) => hosts::addresses_of(name),
    }
}
