//! `free`: ports that can be bound now.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;

use super::out;
use super::why::look::snapshot;
use crate::cli::{FreeArgs, ListArgs, UsageError};
use crate::diagnose::bind::{Existing, Outcome, diagnose};
use crate::diagnose::place::of_families;
use crate::exit::Exit;
use crate::model::Protocol;
use crate::model::bind::BindAttempt;
use crate::model::system::SystemFacts;
use crate::source::{system, tape};

/// Prints as many ports as were asked for, lowest first; exit 1 if there are not so many.
///
/// # Errors
/// If the output cannot be written.
pub fn run(args: &FreeArgs, global: &ListArgs) -> anyhow::Result<Exit> {
    let range = match args.range.as_deref().map(parse_range).transpose() {
        Ok(range) => range,
        Err(reason) => {
            out::complain(&UsageError::new(reason).to_string());
            return Ok(Exit::Usage);
        }
    };
    let protocol = if args.kind.udp {
        Protocol::Udp
    } else {
        Protocol::Tcp
    };
    let system = system::read();
    let mut addresses: Vec<IpAddr> = vec![Ipv4Addr::UNSPECIFIED.into()];
    addresses.extend(system.ipv6.then_some(IpAddr::V6(Ipv6Addr::UNSPECIFIED)));
    let addresses = match of_families(addresses, args.kind.ipv4, args.kind.ipv6) {
        Ok(addresses) => addresses,
        Err(reason) => {
            out::complain(&UsageError::new(reason).to_string());
            return Ok(Exit::Usage);
        }
    };
    let ports = free_ports(protocol, &addresses, range, args.count, &system);
    out::print(render(protocol, &ports, args.json || global.json).as_bytes())?;
    if ports.len() < args.count {
        out::complain(&match ports.len() {
            0 => "no port is free there\n".to_owned(),
            found => format!("only {found} of {} ports are free there\n", args.count),
        });
        return Ok(Exit::Failed);
    }
    Ok(Exit::Done)
}

fn render(protocol: Protocol, ports: &[u16], json: bool) -> String {
    let mut text = String::new();
    if json {
        let list: Vec<_> = ports.iter().map(ToString::to_string).collect();
        let protocol = protocol.name();
        let _ = writeln!(
            text,
            "{{\"schema\":\"sockstat-free/1\",\"protocol\":\"{protocol}\",\"ports\":[{}]}}",
            list.join(",")
        );
    } else {
        for port in ports {
            let _ = writeln!(text, "{port}");
        }
    }
    text
}

/// `8000-8100`, or one port.
fn parse_range(text: &str) -> Result<RangeInclusive<u16>, String> {
    let port = |word: &str| -> Result<u16, String> {
        match word.parse() {
            Ok(0) | Err(_) => Err(format!(
                "'{word}' in '{text}' is no port: they go from 1 to 65535"
            )),
            Ok(port) => Ok(port),
        }
    };
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let (from, to) = (port(from)?, port(to)?);
    if from > to {
        return Err(format!(
            "the range '{text}' is empty: the first port is above the last"
        ));
    }
    Ok(from..=to)
}

/// The ports on which a server with no options set can be bound to each of the addresses.
///
/// Without a range: those that need no capability and that the kernel neither gives to clients nor keeps back.
fn free_ports(
    protocol: Protocol,
    addresses: &[IpAddr],
    range: Option<RangeInclusive<u16>>,
    count: usize,
    system: &SystemFacts,
) -> Vec<u16> {
    let given = range.is_some();
    let range = range.unwrap_or_else(|| system.unprivileged_port_start.max(1)..=u16::MAX);
    let mut on_port: BTreeMap<u16, Vec<Existing>> = BTreeMap::new();
    for one in snapshot::read(protocol, *range.start(), *range.end()).existing {
        let port = one.socket.inet().map_or(0, |pair| pair.local_port);
        on_port.entry(port).or_default().push(one);
    }
    let root = tape::euid() == 0;
    let is_free = |port: u16| {
        let existing = on_port.get(&port).map_or(&[][..], Vec::as_slice);
        addresses.iter().all(|address| {
            let attempt = BindAttempt {
                net_bind_service: root,
                v6only: system.bindv6only,
                ..BindAttempt::new(protocol, *address, port)
            };
            diagnose(existing, &attempt, system, None).bind == Outcome::Ok
        })
    };
    let kept_back = |port: u16| system.local_port_range.contains(&port) || system.is_reserved(port);
    range
        .filter(|port| given || !kept_back(*port))
        .filter(|port| is_free(*port))
        .take(count)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_what_is_none() {
        assert_eq!(parse_range("80"), Ok(80..=80));
        assert_eq!(parse_range("8000-8100"), Ok(8000..=8100));
        for (text, part) in [
            ("90-80", "empty"),
            ("0-5", "no port"),
            ("a", "no port"),
            ("1-70000", "no port"),
        ] {
            assert!(parse_range(text).unwrap_err().contains(part), "{text}");
        }
    }
}
