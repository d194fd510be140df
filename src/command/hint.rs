//! Hints after a listing without rows: what was typed may be misspelt, or mean something else.

use std::collections::BTreeSet;
use std::ffi::OsString;

use super::caller::Caller;
use crate::cli::{commands, habits};
use crate::model::gap::FAMILY_MISSING;
use crate::model::request::Dump;
use crate::model::{Gap, Protocol, State};
use crate::plan::{ListPlan, Output};
use crate::query::field_names;
use crate::query::nearest::{containing, nearest};
use crate::render::escape;
use crate::source::{hosts, process};

/// Returns a hint about a listing without rows; empty if there is none.
pub(super) fn after_nothing(plan: &ListPlan, gaps: &[Gap], caller: &Caller) -> String {
    // The JSON document has it as a note.
    if !matches!(plan.output, Output::Json(_))
        && let Some(hint) = of_missing_families(&plan.capture.dumps, gaps)
    {
        return hint;
    }
    if let [word] = &plan.words[..] {
        if let Ok(pid) = word.parse()
            && process::exists(pid)
        {
            return format!("hint: no socket has port {pid}; did you mean 'pid = {pid}'?\n");
        }
        if let Some(hint) = of_word(word) {
            return hint;
        }
    }
    if let Some(hint) = of_other_program(&plan.bare_words, &caller.arguments) {
        return hint;
    }
    if let Some(hint) = of_direction(&plan.words, &plan.bare_words) {
        return hint;
    }
    if plan.bare_words.iter().any(|word| word == "port") {
        return "hint: a number alone is a port: sockstat 3000\n".to_owned();
    }
    if !plan.bare_words.is_empty() {
        let is_user = |word: &str| hosts::user_id_of(word).is_ok();
        if let Some(hint) = misspelt(&plan.bare_words, &process::names_of_all(), is_user) {
            return hint;
        }
    }
    if caller.place.is_terminal && plan.only_connected {
        return "hint: only connected sockets are selected: -a shows all, -l those that listen\n".to_owned();
    }
    String::new()
}

/// Returns a hint if the kernel has none of the families that are listed.
fn of_missing_families(dumps: &[Dump], gaps: &[Gap]) -> Option<String> {
    let is_missing = |protocol| {
        let of_it = |gap: &Gap| gap.code == FAMILY_MISSING && gap.protocol == Some(protocol);
        gaps.iter().any(of_it)
    };
    let protocols: BTreeSet<Protocol> = dumps.iter().map(|dump| dump.protocol).collect();
    if protocols.is_empty() || !protocols.iter().copied().all(is_missing) {
        return None;
    }
    let names: Vec<&str> = protocols.iter().map(|protocol| protocol.name()).collect();
    Some(format!(
        "hint: this kernel has no {} sockets\n",
        names.join(" or ")
    ))
}

/// Words typed by people who expect a command for listing.
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

/// Returns a hint about the name of another command, pasted in front of its options or after a pipe that is missing.
fn of_other_program(bare_words: &[String], arguments: &[OsString]) -> Option<String> {
    let (word, line) = bare_words
        .iter()
        .find_map(|word| Some((word, habits::without_program(arguments, word)?)))?;
    Some(format!("hint: drop the word '{word}': {line}\n"))
}

/// Words that people put before the address of a peer or of this machine.
const DIRECTIONS: [&str; 5] = ["peer", "remote", "from", "to", "with"];

/// Returns a hint about `peer ADDRESS`, `from ADDRESS` and the like.
fn of_direction(words: &[String], bare_words: &[String]) -> Option<String> {
    let [word, place] = words.windows(2).find_map(|pair| match pair {
        [word, place] if DIRECTIONS.contains(&word.as_str()) && bare_words.contains(word) => {
            Some([word, place])
        }
        _ => None,
    })?;
    let place = escape::text(place.as_bytes());
    let is_port = place.trim_start_matches(':').parse::<u16>().is_ok();
    let (peer, local) = if is_port {
        ("dport", "sport")
    } else {
        ("dst", "src")
    };
    Some(format!(
        "hint: no program '{word}' holds a socket; '{peer} {place}' selects by the peer, '{local} {place}' by this end\n"
    ))
}

/// Returns a hint about the first word that resembles a known one: a program whose name includes it, a user, or a
/// similar word.
fn misspelt(
    bare_words: &[String],
    programs: &BTreeSet<String>,
    is_user: impl Fn(&str) -> bool,
) -> Option<String> {
    let commands = commands::names();
    let mut words: Vec<&str> = commands.iter().map(String::as_str).collect();
    words.extend(State::ALL.map(State::name));
    words.push("listening");
    words.extend(Protocol::ALL.map(Protocol::name));
    for field in field_names() {
        words.push(field);
    }
    words.extend(programs.iter().map(String::as_str));
    let unknown = || bare_words.iter().filter(|word| !programs.contains(*word));
    unknown().find_map(|word| {
        let meant = match containing(word, programs) {
            Some(meant) => escape::text(meant.words().as_bytes()),
            None if is_user(word) => format!("'user = {}'", escape::text(word.as_bytes())),
            None => {
                let near = nearest(word, words.iter().copied()).filter(|near| *near != word.as_str())?;
                format!("'{}'", escape::text(near.as_bytes()))
            }
        };
        let word = escape::text(word.as_bytes());
        Some(format!(
            "hint: no program '{word}' holds a socket; did you mean {meant}?\n"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::StateSet;

    #[test]
    fn families_that_the_kernel_lacks_are_named_if_nothing_else_was_listed() {
        let dumps = [Protocol::Dccp, Protocol::Tipc].map(|protocol| Dump::new(protocol, StateSet::ALL));
        let missing = |protocol| Gap::note(FAMILY_MISSING, "").of(protocol);
        let both = [missing(Protocol::Tipc), missing(Protocol::Dccp)];
        let hint = of_missing_families(&dumps, &both);
        assert_eq!(
            hint.as_deref(),
            Some("hint: this kernel has no dccp or tipc sockets\n")
        );
        assert_eq!(of_missing_families(&dumps, &both[..1]), None);
        assert_eq!(of_missing_families(&[], &both), None);
    }

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

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    fn of_words(line: &str) -> String {
        let names = [
            "nginx",
            "greb",
            "redis-server",
            "redis-cli",
            "php-fpm8.3",
            "kworker/0:1-mm",
        ];
        let programs = names.map(str::to_owned).into_iter().collect();
        misspelt(&words(line), &programs, |word| word == "nobody").unwrap_or_default()
    }

    #[test]
    fn typos_of_commands_states_and_programs_get_a_hint() {
        for (word, near) in [
            ("wiat", "wait"),
            ("nignx", "nginx"),
            ("lisen", "listen"),
            ("listning", "listening"),
            ("complations", "completions"),
            ("estabished", "established"),
            ("redis-sever", "redis-server"),
        ] {
            let hint = of_words(word);
            assert!(
                hint.contains(&format!("did you mean '{near}'?")),
                "{word}: {hint}"
            );
        }
        assert!(of_words("unknownd wiat").contains("'wait'"));
        for word in ["nginx", "postgres", "free", "ab"] {
            assert_eq!(of_words(word), "", "{word}");
        }
    }

    #[test]
    fn a_part_of_a_program_s_name_and_a_user_get_a_hint() {
        for (word, meant) in [
            ("redis-s", "did you mean 'redis-server'?"),
            ("Redis", "did you mean 'redis-cli' or 'Redis*'?"),
            ("fpm", "did you mean 'php-fpm8.3'?"),
            ("nobody", "did you mean 'user = nobody'?"),
        ] {
            let hint = of_words(word);
            assert!(hint.contains(meant), "{word}: {hint}");
        }
        for word in ["re", "work"] {
            assert_eq!(of_words(word), "", "{word}");
        }
    }

    #[test]
    fn a_direction_gets_the_words_for_either_end() {
        let hint = |line: &str, bare: &str| of_direction(&words(line), &words(bare)).unwrap_or_default();
        assert!(hint("peer 10.0.0.1", "peer").contains("'dst 10.0.0.1' selects by the peer, 'src 10.0.0.1'"));
        assert!(hint("tcp to :80", "to").contains("'dport :80'"));
        assert_eq!(hint("from", "from"), "");
        assert_eq!(hint("process = peer 80", ""), "", "not a bare word");
    }

    #[test]
    fn the_name_of_another_command_is_to_be_dropped() {
        let hint = |line: &str, bare: &str| {
            let arguments: Vec<OsString> = format!("sockstat {line}").split(' ').map(Into::into).collect();
            of_other_program(&words(bare), &arguments).unwrap_or_default()
        };
        for (line, bare, here) in [
            ("ss -tlnp", "ss", "'ss': sockstat -tlnp\n"),
            ("-H netstat -antp", "netstat", "'netstat': sockstat -H -antp\n"),
            ("lsof -i :80", "lsof", "'lsof': sockstat :80\n"),
            ("lsof nginx", "lsof nginx", "'lsof': sockstat nginx\n"),
            ("-tulnp grep 80", "grep", "'grep': sockstat -tulnp 80\n"),
        ] {
            assert!(hint(line, bare).ends_with(here), "{line}: {}", hint(line, bare));
        }
        assert_eq!(hint("nginx ss", "nginx ss"), "", "not the first word");
        assert_eq!(hint("ss -tlnp", ""), "", "not a bare word");
    }
}
