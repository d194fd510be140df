//! Parses addresses, prefixes and ports as people and ss write them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::number::plain;
use super::ranges::Ranges;
use crate::model::Prefix;

/// An address, a port, or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HostPort {
    pub(super) host: Host,
    /// The interface after `%`.
    pub(super) interface: Option<String>,
    pub(super) port: Option<Port>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Host {
    /// `*`, or an empty part before the colon.
    Any,
    Prefix(Prefix),
    /// A host name to look up.
    Name(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Port {
    Any,
    Ranges(Ranges),
    /// A service name to look up.
    Name(String),
}

/// A port: a number, a range, `*`, or a service name.
pub(super) fn port(text: &str) -> Result<Port, String> {
    if text == "*" {
        return Ok(Port::Any);
    }
    // Some services begin with a digit (3com-tsmux).
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') || text.starts_with("0x");
    if is_number && !text.is_empty() {
        return port_range(text).map(Port::Ranges);
    }
    if is_name(text) {
        return Ok(Port::Name(text.to_owned()));
    }
    Err("expected a port: a number from 0 to 65535, a range as in 8000-8100, or a service name".to_owned())
}

/// `80` or `8000-8100`.
pub(super) fn port_range(text: &str) -> Result<Ranges, String> {
    let (low, high) = text.split_once('-').unwrap_or((text, text));
    match (plain(low), plain(high)) {
        (Some(low), Some(high)) if low <= high && high <= 65535 => Ok(Ranges::new(vec![(low, high)])),
        (Some(low), Some(high)) if low > high && low <= 65535 => {
            Err("the range is empty: its start is above its end".to_owned())
        }
        (Some(_), Some(_)) => Err("expected a port of at most 65535".to_owned()),
        _ => Err("expected a port number or a range, as in 8000-8100".to_owned()),
    }
}

/// Parses `V4[/LEN][:PORT]`, `[V6[/LEN]][:PORT]`, `V6[/LEN]`, `V6/LEN:PORT`, `*[:PORT]`, `:PORT`, `NAME[:PORT]`; `%IF`
/// may follow the address. As in ss, IPv4 may be abbreviated from the left (`10/8`); without a length, the missing
/// octets are zero.
pub(super) fn host_port(text: &str) -> Result<HostPort, String> {
    let (host, port_text) = split_port(text)?;
    let (address, interface) = match host.split_once('%') {
        // Both `127.0.0.53%lo` and `fe80::1%eth0/64` occur.
        Some((before, zone)) => {
            let (zone, length) = zone
                .split_once('/')
                .map_or((zone, None), |(zone, len)| (zone, Some(len)));
            let joined = length.map_or_else(|| before.to_owned(), |length| format!("{before}/{length}"));
            (joined, Some(zone.to_owned()))
        }
        None => (host.clone(), None),
    };
    Ok(HostPort {
        host: self::host(&address)?,
        interface,
        port: port_text.map(port).transpose()?,
    })
}

/// Splits host and port, and removes brackets.
fn split_port(text: &str) -> Result<(String, Option<&str>), String> {
    if let Some(inner) = text.strip_prefix('[') {
        let (host, tail) = inner.split_once(']').ok_or("missing closing ]")?;
        // ss prints `[fe80::1]%eth0:22`; `[::1]/64` is a common mistake.
        let (more, port) = match tail.rsplit_once(':') {
            Some((more, port)) => (more, Some(port)),
            None => (tail, None),
        };
        if !more.is_empty() && !more.starts_with(['/', '%']) {
            return Err("expected a colon and a port after ]".to_owned());
        }
        return Ok((format!("{host}{more}"), port));
    }
    let before_slash = text.split('/').next().unwrap_or(text);
    let bare = before_slash.split('%').next().unwrap_or(before_slash);
    let is_v6 = bare.parse::<Ipv6Addr>().is_ok();
    if is_v6 && !text.contains('/') {
        return Ok((text.to_owned(), None));
    }
    // In an IPv6 prefix, only a colon after the slash begins a port.
    let from = if is_v6 { before_slash.len() } else { 0 };
    let tail = text.get(from..).unwrap_or_default();
    Ok(match tail.rfind(':') {
        Some(colon) => {
            let (host, port) = text.split_at(from + colon);
            (host.to_owned(), port.get(1..))
        }
        None => (text.to_owned(), None),
    })
}

fn host(text: &str) -> Result<Host, String> {
    if matches!(text, "" | "*" | "any" | "all" | "default") {
        return Ok(Host::Any);
    }
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (text, None),
    };
    let Some(address) = address_of(address) else {
        let looks_numeric = text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'/'));
        return if length.is_none() && !looks_numeric && is_name(text) {
            Ok(Host::Name(text.to_owned()))
        } else {
            Err("expected an address, as in 10.0.0.1, 10.0.0.0/8, ::1 or [::1]:443".to_owned())
        };
    };
    let full = if address.is_ipv4() { 32 } else { 128 };
    let length = match length {
        None => full,
        Some(length) => length_of(length, address.is_ipv4())
            .ok_or_else(|| format!("expected a prefix length from 0 to {full}"))?,
    };
    let prefix = Prefix::new(address, length);
    prefix
        .map(Host::Prefix)
        .ok_or_else(|| format!("expected a prefix length from 0 to {full}"))
}

fn address_of(text: &str) -> Option<IpAddr> {
    abbreviated(text).map(IpAddr::V4).or_else(|| text.parse().ok())
}

/// Parses one to four decimal octets; missing ones are 0.
fn abbreviated(text: &str) -> Option<Ipv4Addr> {
    let mut octets = [0; 4];
    let mut slots = octets.iter_mut();
    for part in text.split('.') {
        let valid = !part.is_empty() && part.len() <= 3 && part.bytes().all(|byte| byte.is_ascii_digit());
        *slots.next()? = valid.then(|| part.parse().ok()).flatten()?;
    }
    Some(octets.into())
}

/// Parses a prefix length in bits or, for IPv4, a netmask.
fn length_of(text: &str, is_v4: bool) -> Option<u8> {
    if text.len() <= 3 && !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok();
    }
    let mask = u32::from(text.parse::<Ipv4Addr>().ok().filter(|_| is_v4)?);
    (mask.leading_ones() + mask.trailing_zeros() == 32 || mask == 0)
        .then(|| u8::try_from(mask.leading_ones()).ok())
        .flatten()
}

/// Returns whether the text can be a host or service name.
fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphanumeric())
        && text.chars().any(char::is_alphabetic)
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '-' | '.' | '_' | '+'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let Ok(parsed) = host_port(text) else {
            return "error".to_owned();
        };
        let host = match parsed.host {
            Host::Any => "any".to_owned(),
            Host::Prefix(prefix) => prefix.to_string(),
            Host::Name(name) => format!("name {name}"),
        };
        let zone = parsed.interface.map_or(String::new(), |it| format!(" on {it}"));
        let port = match parsed.port {
            None => String::new(),
            Some(Port::Any) => " any port".to_owned(),
            Some(Port::Ranges(ranges)) => format!(" {:?}", ranges.as_slice()),
            Some(Port::Name(name)) => format!(" service {name}"),
        };
        format!("{host}{zone}{port}")
    }

    #[test]
    fn addresses_are_read_in_all_their_forms() {
        for (text, expected) in [
            ("10/8", "10.0.0.0/8"),
            ("10.0", "10.0.0.0"),
            ("10.0/16", "10.0.0.0/16"),
            ("10.1.2.3/255.255.0.0", "10.1.0.0/16"),
            ("10.1.2.3/0.0.0.0", "0.0.0.0/0"),
            ("10.1.2.3/255.0.255.0", "error"),
            ("10.0.0.1:443", "10.0.0.1 [(443, 443)]"),
            ("10.0.0.0/8:443", "10.0.0.0/8 [(443, 443)]"),
            ("10.0.0.1:8000-8100", "10.0.0.1 [(8000, 8100)]"),
            ("[::1]", "[::1]"),
            ("[::1]:22", "[::1] [(22, 22)]"),
            ("[2001:db8::/32]:22", "[2001:db8::/32] [(22, 22)]"),
            ("[2001:db8::]/32", "[2001:db8::/32]"),
            ("::1", "[::1]"),
            ("fe80::1", "[fe80::1]"),
            ("fe80::/10", "[fe80::/10]"),
            ("fe80::/10:22", "[fe80::/10] [(22, 22)]"),
            ("[fe80::1]%eth0:22", "[fe80::1] on eth0 [(22, 22)]"),
            ("fe80::1%eth0", "[fe80::1] on eth0"),
            ("127.0.0.53%lo:53", "127.0.0.53 on lo [(53, 53)]"),
            ("*", "any"),
            ("*:80", "any [(80, 80)]"),
            (":*", "any any port"),
            (":http", "any service http"),
            ("localhost", "name localhost"),
            ("localhost:ssh", "name localhost service ssh"),
            ("any", "any"),
            ("10.0.0.256", "error"),
            ("10.0.0.1/33", "error"),
            ("::1/129", "error"),
            ("10.0.0.1:65536", "error"),
            ("10.0.0.1:90-80", "error"),
            ("[::1", "error"),
            ("[::1]22", "error"),
            ("a b", "error"),
            ("1.2.3.4.5", "error"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }
}
