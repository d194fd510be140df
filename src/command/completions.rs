//! `completions`: the script for a shell, and the values that the script asks for at each TAB.

use std::collections::BTreeMap;

use super::out;
use super::read::snapshot;
use crate::cli::complete::{Candidate, Completion, LookUp, complete};
use crate::exit::Exit;
use crate::model::request::OwnersBy;
use crate::model::{Protocol, StateSet};
use crate::render::{escape, shell};
use crate::source::{available, process, system};

/// Prints the candidates for the word at the cursor, one per line with its meaning after a tab; exit 1 if there are none.
///
/// # Errors
/// If the output cannot be written.
pub(super) fn values(words: &[String]) -> anyhow::Result<Exit> {
    let completion = complete(words);
    let mut all = completion.look_up.map(look_up).unwrap_or_default();
    all.retain(is_plain);
    all.extend(completion.fixed.iter().cloned());
    let text = lines(&completion, &all);
    if text.is_empty() {
        return Ok(Exit::Failed);
    }
    out::print(text.as_bytes())
}

/// Whether a shell reads the name as one word that is not an option. Other names are not offered, because bash inserts
/// a completion without quoting it.
fn is_plain(name: &Candidate) -> bool {
    shell::name(name.word.as_bytes()).as_ref() == Some(&name.word)
}

fn lines(completion: &Completion, all: &[Candidate]) -> String {
    let fits =
        |one: &&Candidate| one.word.starts_with(&completion.begun) && !one.word.contains(char::is_control);
    let line = |one: &Candidate| {
        let help: String = one.help.chars().filter(|c| !c.is_control()).collect();
        format!("{}{}\t{help}\n", completion.kept, one.word)
    };
    all.iter().filter(fits).map(line).collect()
}

fn look_up(what: LookUp) -> Vec<Candidate> {
    let named = |word: String| Candidate {
        word,
        help: String::new(),
    };
    match what {
        LookUp::Ports => ports(),
        LookUp::Namespaces => available::namespaces().into_iter().map(named).collect(),
        LookUp::Users => available::users()
            .into_iter()
            .map(|(name, _)| named(name))
            .collect(),
        LookUp::UserIds => {
            let users = available::users().into_iter();
            users
                .map(|(name, uid)| Candidate {
                    word: uid,
                    help: name,
                })
                .collect()
        }
        LookUp::Interfaces => {
            let names = system::read().interfaces.into_values();
            names.map(|name| named(name.to_string())).collect()
        }
    }
}

/// Listening ports, with protocol and program, each once.
fn ports() -> Vec<Candidate> {
    let mut found: BTreeMap<u16, String> = BTreeMap::new();
    for protocol in [Protocol::Tcp, Protocol::Udp] {
        let mut snapshot = snapshot::read_states(protocol, 1, u16::MAX, StateSet::LISTENING);
        snapshot.find_owners(OwnersBy::Auto);
        for one in &snapshot.existing {
            let Some(pair) = one.socket.inet() else { continue };
            let holders = snapshot.owners.of(&one.socket).holders;
            let program = holders.iter().next().map(|holder| process::comm_of(holder.pid));
            let program = program.map(|comm| escape::text(&comm));
            let help = format!("{} {}", protocol.name(), program.unwrap_or_default());
            found.entry(pair.local_port).or_insert(help);
        }
    }
    let candidate = |(port, help): (u16, String)| Candidate {
        word: port.to_string(),
        help: help.trim_end().to_owned(),
    };
    found.into_iter().map(candidate).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_a_shell_would_execute_is_not_offered() {
        let candidate = |word: &str| Candidate {
            word: word.to_owned(),
            help: String::new(),
        };
        for word in ["eth0", "wg-home", "br0.12", "80"] {
            assert!(is_plain(&candidate(word)), "{word}");
        }
        for word in ["$(reboot)", "a;b", "a b", "-f", "`a`", "a\u{202e}b", "", "~", "*"] {
            assert!(!is_plain(&candidate(word)), "{word}");
        }
    }

    #[test]
    fn only_matching_candidates_are_printed_after_the_kept_prefix() {
        let completion = Completion {
            kept: "--columns=pid,".to_owned(),
            begun: "lo".to_owned(),
            ..Completion::default()
        };
        let candidate = |word: &str, help: &str| Candidate {
            word: word.to_owned(),
            help: help.to_owned(),
        };
        let all = [
            candidate("local_port", "the\tport"),
            candidate("state", ""),
            candidate("lo\nx", ""),
        ];
        assert_eq!(lines(&completion, &all), "--columns=pid,local_port\ttheport\n");
    }
}
