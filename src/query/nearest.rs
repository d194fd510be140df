//! Finds the known word nearest to a misspelt one.

/// Returns the number of insertions, deletions, replacements and swaps of adjacent characters that turn `a` into `b`
/// (optimal string alignment). Words of more than 64 characters are not compared and count as infinitely far apart.
pub fn edit_distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(65).collect(), b.chars().take(65).collect());
    if a.len() > 64 || b.len() > 64 {
        return usize::MAX;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, cb) in b.iter().enumerate() {
            let mut best = (above[j] + usize::from(ca != cb))
                .min(above[j + 1] + 1)
                .min(row[j] + 1);
            if i > 0 && j > 0 && *ca == b[j - 1] && a[i - 1] == *cb {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

/// Returns the candidate nearest to `word`; among equals, the first. A word of three to five characters may differ by one
/// edit, a longer one by two, a shorter one not at all: everything is near to `ab`, and `grep` does not mean `free`.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = match word.chars().count() {
        0..=2 => return None,
        3..=5 => 1,
        _ => 2,
    };
    candidates
        .into_iter()
        .map(|candidate| (edit_distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_a_swap_as_one() {
        assert_eq!(edit_distance("recvq", "recv_q"), 1);
        assert_eq!(edit_distance("sprot", "sport"), 1);
        assert_eq!(edit_distance("", "ab"), 2);
        assert_eq!(edit_distance("kitten", "sitting"), 3);
        assert_eq!(edit_distance(&"x".repeat(70), "x"), usize::MAX);
    }

    #[test]
    fn only_what_is_near_is_offered() {
        assert_eq!(nearest("stat", ["state", "scope"]), Some("state"));
        assert_eq!(nearest("wathc", ["why", "watch"]), Some("watch"));
        assert_eq!(nearest("nginx", ["pid", "state"]), None);
        assert_eq!(nearest("pd", ["pid"]), None);
        assert_eq!(nearest("grep", ["free"]), None);
        assert_eq!(nearest("nignx", ["nginx"]), Some("nginx"));
        assert_eq!(nearest("lisen", ["listen"]), Some("listen"));
    }
}
