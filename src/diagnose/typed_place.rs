//! Parses WHERE as people type and paste it: ports, addresses, URLs, unix names. Host names are looked up elsewhere,
//! services by a function that the caller passes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::place::{Host, Place, PortPlace};
use crate::model::Protocol;
use crate::render::escape;

/// Looks up the port of a service (`http`).
pub type Services<'a> = &'a dyn Fn(&str) -> Option<u16>;

/// A place, and how it was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypedPlace {
    /// The words of the command line.
    pub text: String,
    /// What they mean.
    pub place: Place,
}

/// The meaning of a bare name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameAlone {
    /// A service, if there is one: `why http`.
    Service,
    /// A host, whose port is missing.
    Host,
}

/// Parses the words of a command line, each a place. An address or host name followed by a port is one place.
///
/// # Errors
/// A one-line message about the first invalid word.
pub fn parse_all(
    words: &[String],
    alone: NameAlone,
    services: Services<'_>,
) -> Result<Vec<TypedPlace>, String> {
    let mut places = Vec::new();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let port = rest.clone().next().filter(|port| is_port(port));
        let (text, place) = match (bare_host(word), port) {
            (Some(host), Some(port)) => {
                rest.next();
                let port = port.trim_start_matches(':');
                (
                    format!("{word} {port}"),
                    parse(&format!("{host}:{port}"), services)?,
                )
            }
            (Some(_), None) if alone == NameAlone::Service && services(word).is_some() => {
                (word.clone(), parse(&format!(":{word}"), services)?)
            }
            _ => (word.clone(), parse(word, services)?),
        };
        places.push(TypedPlace { text, place });
    }
    Ok(places)
}

/// Whether a word is a port by itself: `80`, `:80`, `53/udp`, `:http`.
fn is_port(word: &str) -> bool {
    let port = word.strip_prefix(':').unwrap_or(word);
    port.starts_with(|c: char| c.is_ascii_digit()) && !port.contains(['.', ':'])
        || word.starts_with(':') && port.bytes().all(is_name)
}

/// An address or a name without a port, in brackets for IPv6.
fn bare_host(word: &str) -> Option<String> {
    let bare = word
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(word);
    if is_ipv6(bare) {
        return Some(format!("[{bare}]"));
    }
    let is_host = !word.contains(['/', ':', '@', '[']) && word.bytes().any(|byte| !byte.is_ascii_digit());
    (is_host && matches!(parse_host(word), Ok((Host::Address(_) | Host::Name(_), _))))
        .then(|| word.to_owned())
}

fn is_ipv6(text: &str) -> bool {
    let address = text.split('%').next().unwrap_or(text);
    address.parse::<Ipv6Addr>().is_ok()
}

/// Parses one word: `PORT`, `:PORT`, `ADDR:PORT`, `[ADDR6]:PORT`, `NAME:PORT`, each optionally with `/tcp` or `/udp`,
/// `tcp:PORT` and `udp:PORT`, where PORT may be the name of a service; a URL; `/path` and `@name`, with `\xHH` escapes
/// as in the output; `-`.
///
/// # Errors
/// A one-line message.
pub fn parse(text: &str, services: Services<'_>) -> Result<Place, String> {
    if text == "-" {
        return Ok(Place::Stdin);
    }
    let unix = text.strip_prefix("unix:").unwrap_or(text);
    let unix = unix
        .strip_prefix("//")
        .filter(|_| unix.len() < text.len())
        .unwrap_or(unix);
    if ["/", "./", "../", "@", "\\x40"]
        .iter()
        .any(|start| unix.starts_with(start))
    {
        return unix_name(escape::unix_name_of(unix));
    }
    let read = || match text.split_once("://") {
        Some((scheme, rest)) => url(scheme, rest, services),
        None => port_place(text, services),
    };
    read()
        .map(Place::Port)
        .map_err(|reason| format!("'{text}': {reason}"))
}

/// `http://localhost:3000/`: what comes before the host and after the port is ignored.
fn url(scheme: &str, rest: &str, services: Services<'_>) -> Result<PortPlace, String> {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let authority = authority.rsplit('@').next().unwrap_or(authority);
    let (host, port) = host_and_port(authority)?;
    let port = match port {
        Some(port) => parse_port(port, services)?,
        None => usual_port(scheme, services).ok_or("missing port")?,
    };
    let (host, scope) = parse_host(host)?;
    Ok(PortPlace {
        host,
        scope,
        port,
        protocol: match scheme {
            "tcp" => Some(Protocol::Tcp),
            "udp" => Some(Protocol::Udp),
            _ => None,
        },
    })
}

/// The default port of a URL scheme. Those of the web and PostgreSQL are known without /etc/services.
fn usual_port(scheme: &str, services: Services<'_>) -> Option<u16> {
    match scheme {
        "http" | "ws" => Some(80),
        "https" | "wss" => Some(443),
        "postgres" => Some(5432),
        "tcp" | "udp" => None,
        other => services(other),
    }
}

/// TCP or UDP, in any case.
fn protocol_named(name: &str) -> Option<Protocol> {
    let named = |protocol: &Protocol| protocol.name().eq_ignore_ascii_case(name);
    [Protocol::Tcp, Protocol::Udp].into_iter().find(named)
}

/// Splits off the protocol of `80/udp` and `udp:80`.
fn without_protocol(text: &str) -> Result<(&str, Option<Protocol>), String> {
    let before = text
        .split_once(':')
        .filter(|(_, port)| !port.contains([':', '/']));
    if let Some((protocol, port)) = before.and_then(|(name, port)| Some((protocol_named(name)?, port))) {
        return Ok((port, Some(protocol)));
    }
    match text.rsplit_once('/') {
        None => Ok((text, None)),
        Some((place, "")) => Ok((place, None)),
        Some((place, name)) => match protocol_named(name) {
            Some(protocol) => Ok((place, Some(protocol))),
            None => Err(format!("'{name}' is neither tcp nor udp")),
        },
    }
}

fn port_place(text: &str, services: Services<'_>) -> Result<PortPlace, String> {
    let (place, protocol) = without_protocol(text)?;
    let (host, port) = match host_and_port(place)? {
        (port, None) if port.is_empty() || port.bytes().all(|byte| byte.is_ascii_digit()) => ("", port),
        (host, None) => {
            if let (Some(_), Some(port)) = (protocol, services(host)) {
                return Ok(PortPlace {
                    host: Host::Any,
                    scope: None,
                    port,
                    protocol,
                });
            }
            parse_host(host)?;
            return Err(match services(host) {
                Some(port) => format!("missing port: write {host}:PORT, or :{host} for port {port}"),
                None => format!("missing port: write {host}:PORT"),
            });
        }
        (host, Some(port)) => (host, port),
    };
    let port = parse_port(port, services)?;
    let (host, scope) = parse_host(host)?;
    Ok(PortPlace {
        host,
        scope,
        port,
        protocol,
    })
}

/// Splits at the last colon outside of brackets.
fn host_and_port(text: &str) -> Result<(&str, Option<&str>), String> {
    if is_ipv6(text) {
        return Err(match text.rsplit_once(':') {
            Some((host, port)) if is_ipv6(host) && port.parse::<u16>().is_ok() => {
                format!("an IPv6 address goes in brackets: [{host}]:{port}")
            }
            _ => format!("an IPv6 address goes in brackets: [{text}]:PORT"),
        });
    }
    match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => Ok((host, Some(port))),
        _ => Ok((text, None)),
    }
}

fn unix_name(name: Vec<u8>) -> Result<Place, String> {
    if name.len() > 108 {
        return Err(format!(
            "a unix socket's name has at most 108 bytes, this one has {}",
            name.len()
        ));
    }
    Ok(Place::Unix(name))
}

fn parse_port(text: &str, services: Services<'_>) -> Result<u16, String> {
    if text.is_empty() {
        return Err("missing port (write PORT, ADDRESS:PORT, /path or @name)".to_owned());
    }
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        let service = services(text).filter(|_| text.bytes().all(is_name));
        return service.ok_or_else(|| format!("'{text}' is neither a port number nor a known service"));
    }
    text.parse()
        .map_err(|_| format!("port {text} is above 65535, the highest port"))
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
        return Ok((Host::Address(IpAddr::V4(address)), scope));
    }
    let looks_like_number = address.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if looks_like_number || !bare.bytes().all(is_name) {
        return Err(format!("'{bare}' is neither an address nor a host name"));
    }
    Ok((Host::Name(bare.to_owned()), None))
}

/// Whether a byte can be part of the name of a host or a service.
const fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_') || !byte.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn services(name: &str) -> Option<u16> {
        match name {
            "http" => Some(80),
            "redis" => Some(6379),
            _ => None,
        }
    }

    fn port(text: &str) -> (Host, u16, Option<Protocol>) {
        match parse(text, &services).unwrap() {
            Place::Port(place) => (place.host, place.port, place.protocol),
            other => panic!("{other:?}"),
        }
    }

    fn address(text: &str) -> Host {
        Host::Address(text.parse().unwrap())
    }

    fn name(text: &str) -> Host {
        Host::Name(text.to_owned())
    }

    #[test]
    fn every_form_of_a_port() {
        assert_eq!(port("3000"), (Host::Any, 3000, None));
        assert_eq!(port(":3000"), (Host::Any, 3000, None));
        assert_eq!(port("*:3000"), (Host::Any, 3000, None));
        assert_eq!(port("53/udp"), (Host::Any, 53, Some(Protocol::Udp)));
        assert_eq!(
            port("10.0.0.1:80/tcp"),
            (address("10.0.0.1"), 80, Some(Protocol::Tcp))
        );
        assert_eq!(port("[::1]:80"), (address("::1"), 80, None));
        assert_eq!(port("localhost:80"), (name("localhost"), 80, None));
        assert_eq!(port("localhost:80/"), (name("localhost"), 80, None));
        assert_eq!(port("localhost:http"), (name("localhost"), 80, None));
        assert_eq!(port(":redis"), (Host::Any, 6379, None));
        for (text, port_number, protocol) in [
            ("tcp:3000", 3000, Protocol::Tcp),
            ("UDP:53", 53, Protocol::Udp),
            ("tcp:redis", 6379, Protocol::Tcp),
            ("redis/tcp", 6379, Protocol::Tcp),
            ("3000/TCP", 3000, Protocol::Tcp),
        ] {
            assert_eq!(port(text), (Host::Any, port_number, Some(protocol)), "{text}");
        }
        let Ok(Place::Port(scoped)) = parse("[fe80::1%eth0]:80", &services) else {
            panic!()
        };
        assert_eq!(scoped.scope.as_deref(), Some("eth0"));
    }

    #[test]
    fn urls_as_they_are_pasted() {
        assert_eq!(port("http://localhost:3000/"), (name("localhost"), 3000, None));
        assert_eq!(
            port("http://localhost:3000/a/b?c=d#e"),
            (name("localhost"), 3000, None)
        );
        assert_eq!(port("https://example.com"), (name("example.com"), 443, None));
        assert_eq!(port("ws://[::1]/x"), (address("::1"), 80, None));
        assert_eq!(
            port("redis://:secret@10.0.0.1"),
            (address("10.0.0.1"), 6379, None)
        );
        assert_eq!(port("postgres://me:a@b@db/x"), (name("db"), 5432, None));
        assert_eq!(
            port("udp://10.0.0.1:53"),
            (address("10.0.0.1"), 53, Some(Protocol::Udp))
        );
        let unix = Ok(Place::Unix(b"/var/run/docker.sock".to_vec()));
        assert_eq!(parse("unix:///var/run/docker.sock", &services), unix);
        assert_eq!(parse("unix:/var/run/docker.sock", &services), unix);
    }

    #[test]
    fn unix_sockets_and_stdin() {
        let unix = |name: &[u8]| Ok(Place::Unix(name.to_vec()));
        assert_eq!(parse("/run/a.sock", &services), unix(b"/run/a.sock"));
        assert_eq!(parse("../a.sock", &services), unix(b"../a.sock"));
        assert_eq!(parse("@a", &services), unix(b"\0a"));
        assert_eq!(parse(r"@a\x00b", &services), unix(b"\0a\0b"));
        assert_eq!(parse(r"unix:/a\x0ab", &services), unix(b"/a\nb"));
        assert_eq!(parse(r"/a\x2db", &services), unix(br"/a\x2db"));
        assert_eq!(parse("-", &services), Ok(Place::Stdin));
    }

    #[test]
    fn a_host_and_the_port_after_it_are_one_place() {
        let places = |line: &str| -> Vec<_> {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            let places = parse_all(&words, NameAlone::Service, &services).unwrap();
            places
                .into_iter()
                .map(|typed| match typed.place {
                    Place::Port(place) => (place.host, place.port),
                    other => panic!("{other:?}"),
                })
                .collect()
        };
        assert_eq!(places("127.0.0.1 80"), [(address("127.0.0.1"), 80)]);
        assert_eq!(places("::1 80"), [(address("::1"), 80)]);
        assert_eq!(places("[::1] :80"), [(address("::1"), 80)]);
        assert_eq!(places("localhost :http"), [(name("localhost"), 80)]);
        assert_eq!(places("80 443"), [(Host::Any, 80), (Host::Any, 443)]);
        assert_eq!(
            places("db 5432 6379 a:1"),
            [(name("db"), 5432), (Host::Any, 6379), (name("a"), 1)]
        );
    }

    #[test]
    fn a_bare_name_is_a_service_where_no_host_is_expected() {
        let words = ["http".to_owned()];
        let places = parse_all(&words, NameAlone::Service, &services).unwrap();
        assert!(matches!(&places[..], [TypedPlace { place: Place::Port(place), .. }] if place.port == 80));
        let error = parse_all(&words, NameAlone::Host, &services).unwrap_err();
        assert_eq!(
            error,
            "'http': missing port: write http:PORT, or :http for port 80"
        );
        assert!(parse_all(&["db".to_owned()], NameAlone::Service, &services).is_err());
    }

    #[test]
    fn invalid_places_get_a_one_line_message() {
        for (text, part) in [
            ("70000", "above 65535"),
            ("1.2.3.4.5:80", "neither an address"),
            ("::1:80", "brackets: [::1]:80"),
            ("2001:db8::1", "brackets: [2001:db8::1]:PORT"),
            ("::1", "brackets"),
            ("", "missing port"),
            (":", "missing port"),
            ("localhost", "write localhost:PORT"),
            ("[::1]", "write [::1]:PORT"),
            ("localhost:nonsense", "known service"),
            ("80/sctp", "neither tcp nor udp"),
            ("a b:80", "neither an address"),
            ("[1.2.3.4]:80", "not an IPv6"),
            ("gopher://a", "missing port"),
        ] {
            let error = parse(text, &services).unwrap_err();
            assert!(error.contains(part) && !error.contains('\n'), "{text}: {error}");
        }
    }
}
