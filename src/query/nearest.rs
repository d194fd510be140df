//! Finds the known word nearest to a misspelt one.

use strsim::osa_distance;

/// Returns the candidate nearest to `word`; among equals, the first. A word of three to five characters may differ by one
/// edit, a longer one by two, a shorter one not at all: everything is near to `ab`, and `grep` does not mean `free`.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    let limit = match length {
        3..=5 => 1,
        // No name is longer.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_near_is_offered() {
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
