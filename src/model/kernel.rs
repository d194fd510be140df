//! The version of a Linux kernel, for rules that depend on it.

/// The version of a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KernelVersion {
    /// The first number.
    pub major: u32,
    /// The second.
    pub minor: u32,
    /// The stable release, if known: distributions often put 0 or their own number there.
    pub patch: Option<u32>,
}

impl KernelVersion {
    /// Parses the release and the version of uname(2), such as `6.1.0-57-amd64` and `#1 SMP Debian 6.1.192-3
    /// (2026-11-01)`. `None` for a release without numbers.
    pub fn parse(release: &str, version: &str) -> Option<Self> {
        let mut words = version.split_ascii_whitespace();
        let debian = words.find(|word| *word == "Debian").and(words.next());
        let named = numbers(release);
        let (major, minor) = (named.first().copied()?, named.get(1).copied()?);
        let built = debian
            .map(numbers)
            .filter(|built| built.starts_with(&[major, minor]));
        let patch = built.unwrap_or(named).get(2).copied();
        Some(Self {
            major,
            minor,
            patch: patch.filter(|patch| *patch != 0),
        })
    }

    /// Returns whether it is this version or newer.
    pub fn is_at_least(self, major: u32, minor: u32) -> bool {
        (self.major, self.minor) >= (major, minor)
    }
}

/// The leading numbers without the build number: the first three of `6.1.0-57-amd64`.
fn numbers(text: &str) -> Vec<u32> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.');
    let dotted = text.get(..end.unwrap_or(text.len())).unwrap_or_default();
    dotted.split('.').map_while(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_begins_with_its_version() {
        let of = |release: &str, version: &str| {
            KernelVersion::parse(release, version).map(|one| (one.major, one.minor, one.patch))
        };
        assert_eq!(of("5.10.223", "#1 SMP"), Some((5, 10, Some(223))));
        assert_eq!(of("6.18-rc1", ""), Some((6, 18, None)));
        assert_eq!(
            of("6.1.168-203.330.amzn2023.x86_64", "#1 SMP"),
            Some((6, 1, Some(168)))
        );
        assert_eq!(of("6.8.0-45-generic", "#45-Ubuntu SMP"), Some((6, 8, None)));
        let debian = "#1 SMP PREEMPT_DYNAMIC Debian 6.1.192-3 (2026-11-20)";
        assert_eq!(of("6.1.0-57-amd64", debian), Some((6, 1, Some(192))));
        assert_eq!(
            of("7.0.0", debian),
            Some((7, 0, None)),
            "a self-built kernel on Debian"
        );
        assert_eq!(of("next", debian), None);
        assert_eq!(of("", ""), None);
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        let version = KernelVersion::parse("6.10.1", "").unwrap();
        assert!(version.is_at_least(6, 8) && version.is_at_least(5, 19) && !version.is_at_least(7, 0));
    }
}
