//! The kernel's counters of dropped connections.

use super::way::Step;

/// The values of counters at one time, by name.
pub type Counters = [(&'static str, u64)];

/// A step that says which counters grew between two reads, given the milliseconds in between; with only one read, it
/// gives the totals.
pub fn step(first: &Counters, second: Option<(&Counters, u64)>) -> Option<Step> {
    if first.is_empty() {
        return None;
    }
    let now = second.map_or(first, |(second, _)| second);
    let before = |name: &str| {
        first
            .iter()
            .find(|(one, _)| *one == name)
            .map_or(0, |(_, value)| *value)
    };
    let grown: Vec<String> = now
        .iter()
        .filter(|(name, value)| *value > before(name))
        .map(|(name, value)| format!("{name} grew by {} to {value}", value - before(name)))
        .collect();
    let in_all: Vec<String> = now
        .iter()
        .filter(|(_, value)| *value > 0)
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    let in_all = if in_all.is_empty() {
        "none so far".to_owned()
    } else {
        format!("in all: {}", in_all.join(", "))
    };
    let (ok, sentence) = match second {
        None => (None, in_all),
        Some((_, apart_ms)) if grown.is_empty() => {
            (Some(true), format!("none grew in {apart_ms} ms; {in_all}"))
        }
        Some((_, apart_ms)) => (Some(false), format!("in {apart_ms} ms {}", grown.join(", "))),
    };
    // Without a second read, the drops may be old, so they are not an obstacle.
    let ok = if second.is_none() && in_all_is_zero(now) {
        Some(true)
    } else {
        ok
    };
    Some(Step {
        step: "drops",
        ok,
        sentence,
    })
}

fn in_all_is_zero(counters: &Counters) -> bool {
    counters.iter().all(|(_, value)| *value == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(first: &Counters, second: Option<(&Counters, u64)>) -> (Option<bool>, String) {
        let step = step(first, second).unwrap();
        (step.ok, step.sentence)
    }

    #[test]
    fn counters_that_grew_are_named_and_totals_are_marked() {
        let (none, some, more) = ([("A", 0), ("B", 0)], [("A", 2), ("B", 0)], [("A", 5), ("B", 0)]);
        assert_eq!(said(&none, None), (Some(true), "none so far".to_owned()));
        assert_eq!(said(&some, None), (None, "in all: A 2".to_owned()));
        assert_eq!(
            said(&some, Some((&some, 250))),
            (Some(true), "none grew in 250 ms; in all: A 2".to_owned())
        );
        assert_eq!(
            said(&some, Some((&more, 250))),
            (Some(false), "in 250 ms A grew by 3 to 5".to_owned())
        );
        assert_eq!(step(&[], None), None, "nothing could be read");
    }
}
