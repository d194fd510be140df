//! Finds the address in the output of a program that failed to bind.

use std::net::IpAddr;

/// Reads a program's output line by line until it reports an address in use and says which.
#[derive(Clone, Debug, Default)]
pub struct Scanner {
    /// The number of lines since the error message, if that had no port.
    lines_since: Option<u8>,
    /// The last endpoint named before the error message: many programs print where they are about to listen.
    named_before: Option<NamedEndpoint>,
}

/// An endpoint as a program names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NamedEndpoint {
    /// The address; `None` if it is a wildcard, a host name, or was not printed.
    pub address: Option<IpAddr>,
    /// The port, not 0.
    pub port: u16,
    /// Whether the line mentions UDP.
    pub udp: bool,
}

/// What the output has said so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Nothing yet.
    Nothing,
    /// This endpoint is in use.
    InUse(NamedEndpoint),
    /// An address is in use, but no port was printed.
    NoPort,
}

/// How many lines after the error message may still name the port: some programs print an error object field by field.
const LINES_MAX: u8 = 20;

/// Messages about an address in use, in lower case.
const MESSAGES: [&str; 9] = [
    "eaddrinuse",
    "addrinuse",
    "address already in use",
    "address in use",
    "connection in use",
    "os error 98",
    "errno 98",
    "already allocated",
    "98: address",
];

impl Scanner {
    /// Reads the next line.
    pub fn read_line(&mut self, line: &str) -> Failure {
        let lower = line.to_ascii_lowercase();
        let says_so = MESSAGES.iter().any(|message| lower.contains(message))
            || (lower.contains("in use") && lower.contains("port"));
        if says_so {
            if let Some(endpoint) = endpoint_in(line) {
                return Failure::InUse(endpoint);
            }
            self.lines_since.get_or_insert(0);
            return Failure::Nothing;
        }
        match &mut self.lines_since {
            Some(since) => {
                *since += 1;
                match tuple_in(line).or_else(|| Some((None, named_port(&lower)?))) {
                    Some(found) => Failure::InUse(endpoint(found, &lower)),
                    None if *since >= LINES_MAX => self.end(),
                    None => Failure::Nothing,
                }
            }
            None => {
                self.named_before = endpoint_in(line).or(self.named_before);
                Failure::Nothing
            }
        }
    }

    /// Whether the error message was read, but not yet the port.
    pub fn is_waiting(&self) -> bool {
        self.lines_since.is_some()
    }

    /// Returns the result when no more output is expected.
    pub fn end(&self) -> Failure {
        match (self.lines_since, self.named_before) {
            (None, _) => Failure::Nothing,
            (Some(_), Some(endpoint)) => Failure::InUse(endpoint),
            (Some(_), None) => Failure::NoPort,
        }
    }
}

/// The endpoint in a line: an address with a port, a pair as Python prints it, `port N`, or a host name with a port.
fn endpoint_in(line: &str) -> Option<NamedEndpoint> {
    let lower = line.to_ascii_lowercase();
    let mut words = line.split_whitespace();
    let found = words
        .find_map(|word| in_word(word, false))
        .or_else(|| tuple_in(line))
        .or_else(|| Some((None, named_port(&lower)?)))
        .or_else(|| {
            line.split_whitespace()
                .filter_map(|word| in_word(word, true))
                .next_back()
        })?;
    Some(endpoint(found, &lower))
}

fn endpoint((address, port): (Option<IpAddr>, u16), lower: &str) -> NamedEndpoint {
    NamedEndpoint {
        address: address.filter(|address| !address.is_unspecified()),
        port,
        udp: lower.contains("udp"),
    }
}

/// `:::3000`, `:8080`, `0.0.0.0:80`, `[::1]:80`, `*:80`, `http://localhost:80/`; with `names` also `host:80`.
fn in_word(word: &str, names: bool) -> Option<(Option<IpAddr>, u16)> {
    let word = word.split_once("://").map_or(word, |(_, rest)| rest);
    let word = word.trim_start_matches(['(', '"', '\'', '`', '{']);
    word.match_indices(':').find_map(|(at, _)| {
        let port = leading_number(word.get(at + 1..)?)?;
        let host = word.get(..at)?;
        // Java writes a name, a slash and the address.
        let host = host.rsplit('/').next().unwrap_or(host);
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let is_name = matches!(host, "" | "*" | "<null>" | "localhost")
            || (names && host.bytes().any(|byte| byte.is_ascii_alphabetic()) && !host.contains(':'));
        match bare.unwrap_or(host).parse() {
            Ok(address) => Some((Some(address), port)),
            Err(_) => is_name.then_some((None, port)),
        }
    })
}

/// `('127.0.0.1', 8000)`, as Python prints an address.
fn tuple_in(line: &str) -> Option<(Option<IpAddr>, u16)> {
    line.match_indices('(').find_map(|(at, _)| {
        let mut parts = line.get(at + 1..)?.split(',');
        let host = parts.next()?.trim();
        let quoted = host.starts_with(['\'', '"']) && host.ends_with(['\'', '"']);
        let port = leading_number(parts.next()?.trim_start()).filter(|_| quoted)?;
        Some((host.trim_matches(['\'', '"']).parse().ok(), port))
    })
}

/// `port 3000`, `port: 3000`, `port=3000`, in lower case.
fn named_port(line: &str) -> Option<u16> {
    line.match_indices("port").find_map(|(at, word)| {
        let begins = !line.get(..at)?.ends_with(|c: char| c.is_alphanumeric());
        let rest = line.get(at + word.len()..)?;
        leading_number(rest.trim_start_matches([':', ' ', '=', '"', '\''])).filter(|_| begins)
    })
}

/// The number at the start of the text, if no character that could belong to it follows.
fn leading_number(text: &str) -> Option<u16> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let rest = text.get(end..)?;
    let ended = rest
        .chars()
        .next()
        .is_none_or(|c| !c.is_alphanumeric() && c != '.');
    let sentence_ended = rest == "." || rest.starts_with(". ");
    let port = text.get(..end)?.parse().ok()?;
    (port != 0 && (ended || sentence_ended)).then_some(port)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(text: &str) -> Failure {
        let mut scanner = Scanner::default();
        for line in text.lines() {
            match scanner.read_line(line) {
                Failure::Nothing => {}
                failure => return failure,
            }
        }
        scanner.end()
    }

    fn place(text: &str) -> String {
        match failure(text) {
            Failure::InUse(endpoint) => {
                let address = endpoint
                    .address
                    .map_or("*".to_owned(), |address| address.to_string());
                format!(
                    "{address} {}{}",
                    endpoint.port,
                    if endpoint.udp { "/udp" } else { "" }
                )
            }
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn messages_of_common_programs_are_understood() {
        for (text, expected) in [
            (
                "Error: listen EADDRINUSE: address already in use :::3000",
                "* 3000",
            ),
            (
                "Error: listen EADDRINUSE: address already in use ::1:3000\n    at Server.x (node:net:1:2)",
                "::1 3000",
            ),
            (
                "Error: listen EADDRINUSE: address already in use 127.0.0.1:3000\n    at Server",
                "127.0.0.1 3000",
            ),
            (
                "Error: EADDRINUSE\n  errno: -98,\n  code: 'EADDRINUSE',\n  port: 4000\n",
                "* 4000",
            ),
            (
                "2026/01/02 10:00:01 listen tcp :8080: bind: address already in use",
                "* 8080",
            ),
            (
                "main.go:12: listen udp 127.0.0.1:53: bind: address already in use",
                "127.0.0.1 53/udp",
            ),
            (
                "nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)",
                "* 80",
            ),
            (
                "nginx: [emerg] bind() to [::]:80 failed (98: Address already in use)",
                "* 80",
            ),
            (
                "(98)Address already in use: AH00072: make_sock: could not bind to address [::]:80",
                "* 80",
            ),
            ("Error: Port 5173 is already in use", "* 5173"),
            ("Port 3000 is in use, trying 3001 instead.", "* 3000"),
            (
                "ERROR:    [Errno 98] error while attempting to bind on address ('127.0.0.1', 8000): address already in use",
                "127.0.0.1 8000",
            ),
            ("[ERROR] Connection in use: ('0.0.0.0', 8000)", "* 8000"),
            (
                "Serving on http://127.0.0.1:8000/\nError: That port is already in use.",
                "127.0.0.1 8000",
            ),
            (
                "Listening on 0.0.0.0:7878\nError: Os { code: 98, kind: AddrInUse, message: \"Address already in use\" }",
                "* 7878",
            ),
            (
                "Web server failed to start. Port 8080 was already in use.",
                "* 8080",
            ),
            (
                "java.net.BindException: Address already in use <null>:8080",
                "* 8080",
            ),
            (
                "java.io.IOException: Failed to bind to /0.0.0.0:8080\nCaused by: java.net.BindException: Address already in use",
                "* 8080",
            ),
            (
                "docker: Error response from daemon: driver failed programming external connectivity on endpoint web (f00): Bind for 0.0.0.0:8080 failed: port is already allocated.",
                "* 8080",
            ),
            (
                "failed to bind host port for 0.0.0.0:8080:172.17.0.2:80/tcp: address already in use",
                "* 8080",
            ),
            (
                "Error starting userland proxy: listen tcp4 0.0.0.0:8080: bind: address already in use.",
                "* 8080",
            ),
            (
                "Could not create server TCP listening socket *:6379: bind: Address already in use",
                "* 6379",
            ),
            (
                "error: Bind to port 22 on 0.0.0.0 failed: Address already in use.",
                "* 22",
            ),
            (
                "Failed to listen on localhost:8000 (reason: Address already in use)",
                "* 8000",
            ),
            ("bind db.example:5432: Address already in use", "* 5432"),
            (
                "Address already in use - bind(2) for \"127.0.0.1\" port 3000 (Errno::EADDRINUSE)",
                "* 3000",
            ),
        ] {
            assert_eq!(place(text), expected, "{text}");
        }
    }

    #[test]
    fn messages_without_a_port_and_unrelated_lines() {
        assert_eq!(
            failure("OSError: [Errno 98] Address already in use"),
            Failure::NoPort
        );
        assert_eq!(failure("listening on port 3000"), Failure::Nothing);
        assert_eq!(
            failure("Conflict. The container name \"/a\" is already in use"),
            Failure::Nothing
        );
        assert_eq!(failure("12:30:45 support 7 GET / 98"), Failure::Nothing);
    }
}
