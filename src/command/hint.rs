//! Hints after a listing without rows: what was typed may be misspelt, or mean something else.

use std::collections::BTreeSet;

use crate::cli::commands;
use crate::model::{Protocol, State};
use crate::query::field_names;
use crate::query::nearest::nearest;
use crate::render::escape;
use crate::source::process;

/// Returns a hint about a filter that no row matched: its only word, and its bare words; empty if there is none.
pub(super) fn after_nothing(lone_word: Option<&str>, bare_words: &[String]) -> String {
    if let Some(word) = lone_word
        && let Ok(pid) = word.parse()
        && process::exists(pid)
    {
        return format!("hint: no socket has port {pid}; did you mean 'pid = {pid}'?\n");
    }
    if bare_words.is_empty() {
        return String::new();
    }
    misspelt(bare_words, &process::names_of_all())
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
