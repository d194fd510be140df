//! `free`: ports that can be bound now.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::value::RawValue;

use super::read::snapshot::Snapshot;
use super::read::{holders, snapshot};
use super::{losses, out};
use crate::cli::FreeArgs;
use crate::diagnose::bind::existing::Existing;
use crate::diagnose::bind::free::{Wanted, free_ports, parse_range};
use crate::diagnose::bind::question::wildcards;
use crate::diagnose::json::gaps;
use crate::diagnose::place::of_families;
use crate::exit::Exit;
use crate::model::gap::lacks_sockets;
use crate::model::system::SystemFacts;
use crate::model::{Protocol, State};
use crate::plan::Common;
use crate::source::{credentials, random, system, tape};

/// Prints as many ports as were requested, lowest first or in random order; exit 1 if there are fewer, 3 if that cannot
/// be known.
///
/// # Errors
/// If the output cannot be written.
pub fn run(args: &FreeArgs, global: Common) -> anyhow::Result<Exit> {
    let system = system::read();
    let wanted = match wanted(args, &system) {
        Ok(wanted) => wanted,
        Err(reason) => return out::usage(reason),
    };
    if !global.quiet {
        out::complain(&count_hint(args, &wanted));
    }
    let range = wanted.ports(&system);
    let snapshot = snapshot::read(wanted.protocol, *range.start(), *range.end());
    if !global.quiet {
        out::complain(&losses::lines(&snapshot.gaps));
    }
    if system::is_unrecorded() || lacks_sockets(&snapshot.gaps) {
        out::complain("cannot tell which ports are free\n");
        return Ok(Exit::Incomplete);
    }
    let ports: Vec<u16> = free_ports(&wanted, snapshot.existing.clone(), &system)
        .take(args.count)
        .collect();
    let document = Document {
        schema: "sockstat-free/1",
        protocol: wanted.protocol.name(),
        ports: &ports,
        gaps: gaps(&snapshot.gaps),
    };
    out::print(&document.render(args.json || global.json)?)?;
    if ports.len() < args.count {
        let why = wanted.lacks_privilege(&system);
        let why = why.map_or_else(String::new, |why| format!(": {why}"));
        out::complain(&match ports.len() {
            0 if why.is_empty() && range.start() == range.end() => {
                taken(*range.start(), &wanted, snapshot, &system, global)
            }
            0 => format!("no port is free in that range{why}\n"),
            found => format!(
                "only {found} of {} ports are free in that range{why}\n",
                args.count
            ),
        });
        return Ok(Exit::Failed);
    }
    Ok(Exit::Done)
}

/// Names the owner of the one port that was requested, and the next free one.
fn taken(port: u16, wanted: &Wanted, mut snapshot: Snapshot, system: &SystemFacts, global: Common) -> String {
    let place = format!("{port}/{}", wanted.protocol.name());
    let waits = |one: &Existing| {
        matches!(
            one.socket.state,
            State::Listen | State::Unconnected | State::Bound
        )
    };
    snapshot.existing.retain(waits);
    snapshot.find_owners(global.owners_by);
    let who = holders::names(&snapshot, NAMED_MAX).join(" and ");
    let who = if who.is_empty() {
        format!(": 'sockstat why {place}' says why")
    } else {
        format!(" by {who}")
    };
    let next =
        next_free(port, wanted, system).map_or_else(String::new, |next| format!("hint: {next} is free\n"));
    format!("{place} is taken{who}\n{next}")
}

/// The next higher port that is free, if there is one nearby.
fn next_free(port: u16, wanted: &Wanted, system: &SystemFacts) -> Option<u16> {
    const NEAR: u16 = 20;
    let from = port.checked_add(1)?;
    let near = from..=from.saturating_add(NEAR);
    let there = snapshot::read(wanted.protocol, *near.start(), *near.end());
    let wanted = Wanted {
        range: Some(near),
        random: None,
        ..wanted.clone()
    };
    if lacks_sockets(&there.gaps) {
        return None;
    }
    free_ports(&wanted, there.existing, system).next()
}

/// How many owners of a port are named.
const NAMED_MAX: usize = 2;

/// Numbers up to this one are rarely meant as ports.
const SMALL: u16 = 20;

/// Returns a hint for a number that was taken as a port but was probably meant as a count: `free 3`, and `free -n 3` as
/// in `head -n 3`.
fn count_hint(args: &FreeArgs, wanted: &Wanted) -> String {
    let Some(range) = wanted.range.as_ref().filter(|range| range.start() == range.end()) else {
        return String::new();
    };
    let port = *range.start();
    if port > if args.kind.numeric { 1023 } else { SMALL } {
        return String::new();
    }
    format!("hint: {port} was taken as a port; for {port} free ports: sockstat free --count {port}\n")
}

/// What was typed.
fn wanted(args: &FreeArgs, system: &SystemFacts) -> Result<Wanted, String> {
    Ok(Wanted {
        range: args.range.as_deref().map(parse_range).transpose()?,
        protocol: if args.kind.udp {
            Protocol::Udp
        } else {
            Protocol::Tcp
        },
        addresses: of_families(wildcards(system), args.kind.ipv4, args.kind.ipv6)?,
        net_bind_service: tape::euid() == 0 && credentials::root_may_bind_low_ports(),
        random: args.random.then(random::seed),
    })
}

/// The document, `sockstat-free/1`. Within the version keys are only ever added.
#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    protocol: &'static str,
    ports: &'a [u16],
    gaps: Vec<Box<RawValue>>,
}

impl Document<'_> {
    /// Renders the ports, one per line, or the JSON document.
    fn render(&self, json: bool) -> serde_json::Result<Vec<u8>> {
        let mut text = String::new();
        if json {
            text = serde_json::to_string(self)?;
            text.push('\n');
        } else {
            for port in self.ports {
                let _ = writeln!(text, "{port}");
            }
        }
        Ok(text.into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    #[test]
    fn a_small_number_may_have_been_meant_as_a_count() {
        let hint = |range: &str, numeric| {
            let words = ["free", range].into_iter().chain(Some("-n").filter(|_| numeric));
            let args = Typed::parse_from(words).args;
            let wanted = Wanted {
                protocol: Protocol::Tcp,
                addresses: Vec::new(),
                range: parse_range(range).ok(),
                net_bind_service: false,
                random: None,
            };
            count_hint(&args, &wanted)
        };
        assert!(hint("3", false).ends_with("sockstat free --count 3\n"));
        assert!(hint("100", true).ends_with("sockstat free --count 100\n"));
        for (range, numeric) in [("80", false), ("3000", true), ("3-9", false)] {
            assert_eq!(hint(range, numeric), "", "{range}");
        }
    }

    #[derive(clap::Parser)]
    struct Typed {
        #[command(flatten)]
        args: FreeArgs,
    }

    #[test]
    fn ports_as_lines_and_as_a_document() {
        let document = Document {
            schema: "sockstat-free/1",
            protocol: "tcp",
            ports: &[80, 81],
            gaps: Vec::new(),
        };
        let rendered = |json| String::from_utf8(document.render(json).unwrap()).unwrap();
        assert_eq!(rendered(false), "80\n81\n");
        assert_eq!(
            rendered(true),
            "{\"schema\":\"sockstat-free/1\",\"protocol\":\"tcp\",\"ports\":[80,81],\"gaps\":[]}\n"
        );
    }
}
