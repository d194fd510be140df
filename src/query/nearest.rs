//! Finds the known word nearest to a misspelt one.

use std::collections::BTreeSet;

use strsim::osa_distance;

/// Returns the candidate nearest to `word`; among equals, the first. A word of three to five characters may differ by
/// one edit, a longer one by two. A shorter one may not differ at all, because everything is near `ab`; and `grep` does
/// not mean `free`.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    let limit = match length {
        3..=5 => 1,
        // No known word is longer.
        6..=64 => 2,
        _ => return None,
    };
    candidates
        .into_iter()
        .filter(|candidate| candidate.chars().count().abs_diff(length) <= limit)
        .map(|candidate| (osa_distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Names that include a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Containing {
    /// The first of them.
    pub first: String,
    /// What selects all of them, if there are several.
    pub glob: Option<String>,
}

impl Containing {
    /// The choice, quoted: `'redis-cli' or 'redis*'`.
    pub fn words(&self) -> String {
        match &self.glob {
            Some(glob) => format!("'{}' or '{glob}'", self.first),
            None => format!("'{}'", self.first),
        }
    }
}

/// Returns the names that begin with a word, or else include it. A word of fewer than three characters occurs in too
/// many.
///
/// Kernel threads, such as `kworker/0:1`, are not programs.
pub fn containing(word: &str, names: &BTreeSet<String>) -> Option<Containing> {
    if word.chars().count() < 3 {
        return None;
    }
    let wanted = word.to_lowercase();
    let those = |matches: &dyn Fn(&str) -> bool| -> Vec<&String> {
        let named = names.iter().filter(|name| !name.contains('/'));
        named.filter(|name| matches(&name.to_lowercase())).collect()
    };
    let beginning = those(&|name| name.starts_with(&wanted));
    let (found, before) = if beginning.is_empty() {
        (those(&|name| name.contains(&wanted)), "*")
    } else {
        (beginning, "")
    };
    let first = (*found.first()?).clone();
    let glob = (found.len() > 1).then(|| format!("{before}{word}*"));
    Some(Containing { first, glob })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_near_words_are_offered() {
        assert_eq!(nearest("sprot", ["sport"]), Some("sport"), "a swap is one edit");
        assert_eq!(nearest("recvqu", ["recv_q", "recv"]), Some("recv_q"));
        assert_eq!(nearest("kitten", ["sitting"]), None);
        assert_eq!(nearest(&"x".repeat(65), ["x"]), None);
        assert_eq!(nearest("stat", ["state", "scope"]), Some("state"));
        assert_eq!(nearest("wathc", ["why", "watch"]), Some("watch"));
        assert_eq!(nearest("nginx", ["pid", "state"]), None);
        assert_eq!(nearest("pd", ["pid"]), None);
        assert_eq!(nearest("grep", ["free"]), None);
        assert_eq!(nearest("nignx", ["nginx"]), Some("nginx"));
        assert_eq!(nearest("lisen", ["listen"]), Some("listen"));
    }
}
