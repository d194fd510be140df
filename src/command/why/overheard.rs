//! Finds the place in what a program prints when it cannot bind.

/// Reads a program's output line by line until it has heard that an address is in use, and which.
#[derive(Clone, Debug, Default)]
pub struct Listener {
    /// Lines since the words were heard without a port beside them.
    since: Option<u8>,
}

/// What a line brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Nothing yet.
    Nothing,
    /// This port is in use.
    Port(u16),
    /// Something is in use, and the port was not said.
    NoPort,
}

/// How many lines behind the words may still name the port: an error object is printed field by field.
const LINES: u8 = 20;

impl Listener {
    /// Takes the next line.
    pub fn hear(&mut self, line: &str) -> Heard {
        let lower = line.to_ascii_lowercase();
        let says_so = [
            "eaddrinuse",
            "address already in use",
            "address in use",
            "already in use",
        ]
        .iter()
        .any(|words| lower.contains(words));
        match (says_so, &mut self.since) {
            (true, since) => {
                if let Some(port) = port_in(&lower) {
                    return Heard::Port(port);
                }
                since.get_or_insert(0);
                Heard::Nothing
            }
            (false, Some(since)) => {
                *since += 1;
                match named_port(&lower) {
                    Some(port) => Heard::Port(port),
                    None if *since >= LINES => Heard::NoPort,
                    None => Heard::Nothing,
                }
            }
            (false, None) => Heard::Nothing,
        }
    }

    /// The input is at its end.
    pub fn end(&self) -> Heard {
        if self.since.is_some() {
            Heard::NoPort
        } else {
            Heard::Nothing
        }
    }
}

/// `port 3000`, `port: 3000`, or the number behind the last colon that has one (`:::3000`, `0.0.0.0:80`).
fn port_in(line: &str) -> Option<u16> {
    named_port(line).or_else(|| {
        line.match_indices(':')
            .filter_map(|(at, _)| leading_number(line.get(at + 1..)?))
            .next_back()
    })
}

fn named_port(line: &str) -> Option<u16> {
    line.match_indices("port").find_map(|(at, word)| {
        leading_number(
            line.get(at + word.len()..)?
                .trim_start_matches([':', ' ', '=', '"', '\'']),
        )
    })
}

/// The number at the beginning, if what follows ends it.
fn leading_number(text: &str) -> Option<u16> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let ended = text
        .get(end..)?
        .chars()
        .next()
        .is_none_or(|c| !c.is_alphanumeric() && c != '.');
    let sentence_ended = text.get(end..)?.starts_with(". ") || text.get(end..)? == ".";
    let port = text.get(..end)?.parse().ok()?;
    (port != 0 && (ended || sentence_ended)).then_some(port)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(text: &str) -> Heard {
        let mut listener = Listener::default();
        for line in text.lines() {
            match listener.hear(line) {
                Heard::Nothing => {}
                heard => return heard,
            }
        }
        listener.end()
    }

    #[test]
    fn the_messages_of_common_programs() {
        for (text, port) in [
            ("Error: listen EADDRINUSE: address already in use :::3000", 3000),
            (
                "Error: listen EADDRINUSE: address already in use 127.0.0.1:3000\n    at Server",
                3000,
            ),
            (
                "2026/01/02 10:00:00 listen tcp :8080: bind: address already in use",
                8080,
            ),
            (
                "nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)",
                80,
            ),
            ("Error: Port 5173 is already in use", 5173),
            (
                "Port 5000 is in use by another program. Address already in use",
                5000,
            ),
            (
                "Error: EADDRINUSE\n  errno: -98,\n  code: 'EADDRINUSE',\n  port: 4000\n",
                4000,
            ),
            (
                "ERROR: [Errno 98] error while attempting to bind on address ('127.0.0.1', 8000): address already in use\nport 8000",
                8000,
            ),
        ] {
            assert_eq!(heard(text), Heard::Port(port), "{text}");
        }
    }

    #[test]
    fn words_without_a_port_and_no_words() {
        assert_eq!(heard("OSError: [Errno 98] Address already in use"), Heard::NoPort);
        assert_eq!(heard("listening on port 3000"), Heard::Nothing);
    }
}
