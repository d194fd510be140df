//! Every example in docs/filter.md.

use std::collections::BTreeSet;

use super::*;
use crate::model::request::ResolvedNames;

/// Resolves every name to the number 1.
fn one<T: From<u16>>(names: BTreeSet<String>) -> impl Iterator<Item = (String, T)> {
    names.into_iter().map(|name| (name, T::from(1)))
}

/// Parses the filter, resolves every name, and evaluates it on a row.
fn works(words: &[String]) -> Result<(), String> {
    let parsed = parse(words, Mode::List).map_err(|error| error.render())?;
    let Some(expr) = parsed.expr else { return Ok(()) };
    let wanted = expr.names();
    let found = ResolvedNames {
        hosts: one(wanted.hosts)
            .map(|(name, _): (_, u16)| (name, vec![std::net::Ipv6Addr::LOCALHOST.into()]))
            .collect(),
        services: one(wanted.services)
            .map(|(name, port)| (name, vec![port]))
            .collect(),
        users: one(wanted.users).collect(),
        interfaces_by_name: false,
        late: false,
        interfaces: one(wanted.interfaces).collect(),
        cgroups: one(wanted.cgroups).collect(),
        files: [].into(),
        local_port_range: None,
    };
    let expr = expr.resolve(&found).map_err(|error| error.render())?;
    let socket = tcp("10.0.0.1", 80, "10.0.0.2", 5, State::Established);
    with_owners(&socket, OwnerStatus::Known, &[holder(812, 3)], |row| {
        expr.matches(row)
    });
    Ok(())
}

/// Splits like a shell, as far as the examples need it.
fn shell_words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (None, '#') => break,
            (None, '\'' | '"') => quote = Some(c),
            (None, ' ') => words.push(String::new()),
            (Some(open), close) if open == close => quote = None,
            (_, c) => words.last_mut().unwrap().push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn every_example_in_the_documentation_works() {
    let text = include_str!("../../../docs/filter.md");
    let mut tried = 0;
    for line in text.lines() {
        let examples: Vec<Vec<String>> = if let Some(command) = line.strip_prefix("sockstat ") {
            let options = |word: &String| word.starts_with('-') && word.len() > 1;
            vec![
                shell_words(command)
                    .into_iter()
                    .filter(|word| !options(word))
                    .collect(),
            ]
        } else if let Some(cells) = line.strip_prefix("| `") {
            // Every filter in the first column.
            let cell = cells.split(" |").next().unwrap_or_default();
            cell.trim_end_matches('`')
                .split("`, `")
                .map(|filter| vec![filter.to_owned()])
                .collect()
        } else {
            continue;
        };
        for words in examples {
            assert_eq!(works(&words), Ok(()), "{line}");
            tried += 1;
        }
    }
    assert!(tried > 60, "{tried} examples found");
    let shown = text
        .split("```text\n$ sockstat '")
        .nth(1)
        .and_then(|rest| rest.split("\n```").next())
        .unwrap();
    let (filter, error) = shown.split_once("'\n").unwrap();
    assert_eq!(fails(filter), error);
}
