//! Hints after a listing without rows: what was typed may be misspelt, or mean something else.

use std::collections::BTreeSet;

use crate::cli::commands;
use crate::model::{Protocol, State};
use crate::plan::ListPlan;
use crate::query::field_names;
use crate::query::nearest::nearest;
use crate::render::escape;
use crate::source::process;

/// Returns a hint about a listing without rows; empty if there is none. `is_read` says that a person reads it.
pub(super) fn after_nothing(plan: &ListPlan, is_read: bool) -> String {
    if let Some(word) = &plan.lone_word {
        if let Ok(pid) = word.parse()
            && process::exists(pid)
        {
            return format!("hint: no socket has port {pid}; did you mean 'pid = {pid}'?\n");
        }
        if let Some(hint) = of_word(word) {
            return hint;
        }
    }
    if is_read && plan.only_connected {
        return "hint: only connected sockets are selected: -a shows all, -l those that listen\n".to_owned();
    }
    if plan.bare_words.iter().any(|word| word == "port") {
        return "hint: a number alone is a port: sockstat 3000\n".to_owned();
    }
    if plan.bare_words.is_empty() {
        return String::new();
    }
    misspelt(&plan.bare_words, &process::names_of_all())
}

/// What people type for a listing who expect a command there.
const LISTS: [&str; 7] = ["list", "ls", "show", "ports", "sockets", "ps", "status"];

/// Returns a hint about the only word of a filter: a command that is not needed, or an address that a listener on all
/// addresses does not have.
fn of_word(word: &str) -> Option<String> {
    if LISTS.contains(&word) {
        let hint = "hint: a listing needs no command: sockstat, or sockstat -tulpn for what listens\n";
        return Some(hint.to_owned());
    }
    let (host, port) = word.rsplit_once(':')?;
    let port: u16 = port.parse().ok()?;
    let is_protocol = Protocol::from_name(&host.to_ascii_lowercase()).is_some();
    let is_host = !is_protocol && !matches!(host, "" | "*" | "0.0.0.0" | "[::]");
    is_host.then(|| {
        let host = escape::text(host.as_bytes());
        format!("hint: a listener on all addresses does not match {host}: sockstat :{port}\n")
    })
}

/// Returns a hint about the first word that is near to another one.
fn misspelt(bare_words: &[String], programs: &BTreeSet<String>) -> String {
    let commands = commands::names();
    let mut words: Vec<&str> = commands.iter().map(String::as_str).collect();
    words.extend(State::ALL.map(State::name));
    words.extend(Protocol::ALL.map(Protocol::name));
    for field in field_names() {
        words.push(field);
    }
    words.extend(programs.iter().map(String::as_str));
    for word in bare_words.iter().filter(|word| !programs.contains(*word)) {
        if let Some(near) = nearest(word, words.iter().copied()).filter(|near| *near != word.as_str()) {
            let (word, near) = (escape::text(word.as_bytes()), escape::text(near.as_bytes()));
            return format!("hint: no program '{word}' holds a socket; did you mean '{near}'?\n");
        }
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_is_a_command_elsewhere_and_an_address_get_a_hint() {
        assert!(of_word("list").unwrap().contains("needs no command"));
        for word in ["localhost:3000", "127.0.0.1:3000", "[::1]:3000"] {
            assert!(of_word(word).unwrap().ends_with("sockstat :3000\n"), "{word}");
        }
        for word in [
            ":3000",
            "*:3000",
            "0.0.0.0:3000",
            "nginx",
            "localhost:http",
            "@name:x",
            "udp:53",
        ] {
            assert_eq!(of_word(word), None, "{word}");
        }
    }

    #[test]
    fn typos_of_commands_states_and_programs_get_a_hint() {
        let programs = BTreeSet::from(["nginx".to_owned(), "greb".to_owned()]);
        let hint = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            misspelt(&words, &programs)
        };
        for (word, near) in [
            ("wiat", "wait"),
            ("nignx", "nginx"),
            ("lisen", "listen"),
            ("complations", "completions"),
            ("estabished", "established"),
        ] {
            assert!(
                hint(&[word]).contains(&format!("did you mean '{near}'?")),
                "{word}: {}",
                hint(&[word])
            );
        }
        assert!(hint(&["unknownd", "wiat"]).contains("'wait'"));
        for word in ["nginx", "postgres", "free", "ab"] {
            assert_eq!(hint(&[word]), "", "{word}");
        }
    }
}
