//! Guesses what was meant by a filter that matches nothing, from what is on the screen.

use std::collections::{BTreeMap, BTreeSet};

use super::data::Data;
use crate::model::State;
use crate::query::nearest::{containing, nearest};
use crate::query::{Mode, parse};
use crate::render::escape;

/// A sentence about what may have been meant: a port in use, a program or a state; `None` if there is nothing similar.
pub(super) fn near(filter: &str, data: &Data) -> Option<String> {
    let parsed = parse(&[filter.to_owned()], Mode::List).ok()?;
    of_programs(&parsed.words, data).or_else(|| of_ports(filter, data))
}

fn of_programs(words: &[String], data: &Data) -> Option<String> {
    let processes = data.around.context.processes.values();
    let programs: BTreeSet<String> = processes.map(|process| escape::text(&process.program)).collect();
    words
        .iter()
        .filter(|word| !programs.contains(*word))
        .find_map(|word| {
            let meant = match containing(word, &programs) {
                Some(meant) => meant.words(),
                None => {
                    let known = programs.iter().map(String::as_str);
                    format!("'{}'", nearest(word, known.chain(State::ALL.map(State::name)))?)
                }
            };
            Some(format!(
                "no program '{word}' holds a socket; did you mean {meant}?"
            ))
        })
}

/// Ports in use that differ from a number by one digit.
fn of_ports(filter: &str, data: &Data) -> Option<String> {
    let mut used: BTreeMap<u16, u64> = BTreeMap::new();
    data.followed.known().each(|socket| {
        if let Some(pair) = socket.inet().filter(|pair| pair.local_port != 0) {
            *used.entry(pair.local_port).or_default() += 1;
        }
    });
    let typed = filter.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let mut missing = typed
        .filter_map(|word| word.parse::<u16>().ok())
        .filter(|port| !used.contains_key(port));
    let mut often: Vec<(u64, String)> = used
        .iter()
        .map(|(port, sockets)| (*sockets, port.to_string()))
        .collect();
    // Among several, the one with the most sockets.
    often.sort_unstable_by(|a, b| b.cmp(a));
    let port = missing.find_map(|port| {
        nearest(&port.to_string(), often.iter().map(|(_, port)| port.as_str())).map(str::to_owned)
    })?;
    let (sockets, _) = often.iter().find(|(_, one)| *one == port)?;
    let noun = if *sockets == 1 { "socket" } else { "sockets" };
    Some(format!("near: port {port} has {sockets} {noun}"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::engine::live::Around;
    use crate::model::{Context, Process};

    #[test]
    fn partial_and_misspelt_names_are_recognised() {
        let process = |pid: u32, program: &str| Process {
            pid,
            program: program.as_bytes().into(),
            ..Process::default()
        };
        let processes = [process(1, "nginx"), process(2, "postgres")].map(|one| (one.pid, one));
        let context = Context {
            processes: processes.into(),
            ..Context::default()
        };
        let data = Data {
            around: Arc::new(Around {
                context,
                ..Around::default()
            }),
            ..Data::default()
        };
        let meant = |filter: &str| near(filter, &data).unwrap_or_default();
        assert!(
            meant("post").ends_with("did you mean 'postgres'?"),
            "{}",
            meant("post")
        );
        assert!(
            meant("nignx").ends_with("did you mean 'nginx'?"),
            "{}",
            meant("nignx")
        );
        assert!(
            meant("lisen").ends_with("did you mean 'listen'?"),
            "{}",
            meant("lisen")
        );
        for filter in ["nginx", "sport = 80", "sport =", ""] {
            assert_eq!(meant(filter), "", "{filter}");
        }
    }
}
