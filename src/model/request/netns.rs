//! The words of `-N`, which name network namespaces.

/// The word for every namespace that can be found.
pub const ALL: &str = "all";

/// The words of `-N`, which may be given more than once and takes several, separated by commas.
pub fn words(given: &[String]) -> impl Iterator<Item = &str> {
    let words = given.iter().flat_map(|list| list.split(','));
    words.map(str::trim).filter(|word| !word.is_empty())
}

/// Whether these words can mean more than one namespace.
pub fn are_several(given: &[String]) -> bool {
    let mut words = words(given);
    words.next() == Some(ALL) || words.next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_at_commas() {
        let given = ["a,b".to_owned(), " 12 ,".to_owned()];
        assert_eq!(words(&given).collect::<Vec<_>>(), ["a", "b", "12"]);
        assert!(are_several(&given) && are_several(&["all".to_owned()]));
        assert!(!are_several(&["a,".to_owned()]) && !are_several(&[]));
    }
}
