//! WHERE: the place that somebody wants to bind to, as typed. Parsing only; names are looked up elsewhere.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::model::{Family, Protocol};

/// A place to bind to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A port of IP.
    Port(PortPlace),
    /// A unix socket, under the name that the kernel keeps: a path, or an abstract name that starts with NUL.
    Unix(Vec<u8>),
    /// `-`: the place is in what somebody else prints.
    Stdin,
}

/// A port on some address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortPlace {
    /// Where.
    pub host: Host,
    /// The interface of a link-local address, by name or number (`%eth0`).
    pub scope: Option<String>,
    /// 0 for one that the kernel chooses.
    pub port: u16,
    /// `/tcp` or `/udp`, if it was said.
    pub protocol: Option<Protocol>,
}

/// The address part of a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// None: every address of the machine.
    Any,
    /// One address.
    Address(IpAddr),
    /// A name to look up.
    Name(String),
}

/// Whether the family is meant by `-4` and `-6`: both, or none of them, mean both.
pub const fn wants_family(ipv4: bool, ipv6: bool, family: Family) -> bool {
    match family {
        Family::Inet => ipv4 || !ipv6,
        Family::Inet6 => ipv6 || !ipv4,
        _ => true,
    }
}

/// Leaves out the addresses that `-4` and `-6` do not mean.
///
/// # Errors
/// One line, if none is left.
pub fn of_families(mut addresses: Vec<IpAddr>, ipv4: bool, ipv6: bool) -> Result<Vec<IpAddr>, String> {
    addresses.retain(|address| {
        let family = if address.is_ipv4() {
            Family::Inet
        } else {
            Family::Inet6
        };
        wants_family(ipv4, ipv6, family)
    });
    if addresses.is_empty() {
        return Err("no address of the family that was asked for".to_owned());
    }
    Ok(addresses)
}

/// Reads WHERE: `PORT`, `:PORT`, `ADDR:PORT`, `[ADDR6]:PORT`, `NAME:PORT`, each perhaps with `/tcp` or `/udp`;
/// `/path`, `@name`, `-`.
///
/// # Errors
/// One line that says what is wrong.
pub fn parse(text: &str) -> Result<Place, String> {
    if text == "-" {
        return Ok(Place::Stdin);
    }
    if text.starts_with('/') || text.starts_with("./") {
        return unix_name(text.as_bytes().to_vec());
    }
    if let Some(name) = text.strip_prefix('@') {
        return unix_name([b"\0", name.as_bytes()].concat());
    }
    let (place, protocol) = match text.rsplit_once('/') {
        None => (text, None),
        Some((place, "tcp")) => (place, Some(Protocol::Tcp)),
        Some((place, "udp")) => (place, Some(Protocol::Udp)),
        Some((_, other)) => return Err(format!("'{other}' in '{text}' is neither tcp nor udp")),
    };
    let (host, port) = match place.rsplit_once(':') {
        None => ("", place),
        Some((host, port)) => (host, port),
    };
    let port = parse_port(port).map_err(|reason| format!("'{text}': {reason}"))?;
    let (host, scope) = parse_host(host).map_err(|reason| format!("'{text}': {reason}"))?;
    Ok(Place::Port(PortPlace {
        host,
        scope,
        port,
        protocol,
    }))
}

fn unix_name(name: Vec<u8>) -> Result<Place, String> {
    if name.len() > 108 {
        return Err(format!(
            "a unix socket's name has at most 108 bytes, this has {}",
            name.len()
        ));
    }
    Ok(Place::Unix(name))
}

fn parse_port(text: &str) -> Result<u16, String> {
    if text.is_empty() {
        return Err("it names no port (write PORT, ADDRESS:PORT, /path or @name)".to_owned());
    }
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!(
            "'{text}' is no port number (write PORT, ADDRESS:PORT, /path or @name)"
        ));
    }
    text.parse()
        .map_err(|_| format!("port {text} is above 65535, the highest there is"))
}

fn parse_host(text: &str) -> Result<(Host, Option<String>), String> {
    if text.is_empty() || text == "*" {
        return Ok((Host::Any, None));
    }
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(text);
    let (address, scope) = match bare.split_once('%') {
        Some((address, scope)) => (address, Some(scope.to_owned())),
        None => (bare, None),
    };
    if let Ok(address) = address.parse::<Ipv6Addr>() {
        if bare == text {
            return Err(format!("an IPv6 address goes in brackets: [{bare}]:PORT"));
        }
        return Ok((Host::Address(address.into()), scope));
    }
    if bare != text {
        return Err(format!("'{bare}' is not an IPv6 address"));
    }
    if let Ok(address) = address.parse::<Ipv4Addr>() {
        return Ok((Host::Address(address.into()), scope));
    }
    let looks_like_number = address.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let is_name =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_') || !byte.is_ascii();
    if looks_like_number || !bare.bytes().all(is_name) {
        return Err(format!("'{bare}' is neither an address nor a host name"));
    }
    Ok((Host::Name(bare.to_owned()), None))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(text: &str) -> (Host, u16, Option<Protocol>) {
        match parse(text).unwrap() {
            Place::Port(place) => (place.host, place.port, place.protocol),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_form_of_a_port() {
        let address = |text: &str| Host::Address(text.parse().unwrap());
        assert_eq!(port("3000"), (Host::Any, 3000, None));
        assert_eq!(port(":3000"), (Host::Any, 3000, None));
        assert_eq!(port("*:3000"), (Host::Any, 3000, None));
        assert_eq!(port("53/udp"), (Host::Any, 53, Some(Protocol::Udp)));
        assert_eq!(
            port("10.0.0.1:80/tcp"),
            (address("10.0.0.1"), 80, Some(Protocol::Tcp))
        );
        assert_eq!(port("[::1]:80"), (address("::1"), 80, None));
        assert_eq!(port("localhost:80"), (Host::Name("localhost".into()), 80, None));
        let Ok(Place::Port(scoped)) = parse("[fe80::1%eth0]:80") else {
            panic!()
        };
        assert_eq!(scoped.scope.as_deref(), Some("eth0"));
    }

    #[test]
    fn unix_sockets_and_stdin() {
        assert_eq!(parse("/run/a.sock"), Ok(Place::Unix(b"/run/a.sock".to_vec())));
        assert_eq!(parse("@a"), Ok(Place::Unix(b"\0a".to_vec())));
        assert_eq!(parse("-"), Ok(Place::Stdin));
    }

    #[test]
    fn nonsense_gets_one_clear_line() {
        for (text, part) in [
            ("70000", "above 65535"),
            ("1.2.3.4.5:80", "neither an address"),
            ("::1:80", "brackets"),
            ("", "no port"),
            (":", "no port"),
            ("80/sctp", "neither tcp nor udp"),
            ("a b:80", "neither an address"),
            ("[1.2.3.4]:80", "not an IPv6"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(part) && !error.contains('\n'), "{text}: {error}");
        }
    }
}
