//! What a result lacks, as data, so that nothing is dropped silently.

use super::Protocol;

/// The severity of a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GapLevel {
    /// The result is complete, but was read in another way (by a fallback), or a family does not exist in this kernel.
    /// Shown only in JSON.
    Note,
    /// Something is missing from the result. Printed on stderr, with its remedy.
    Loss,
}

impl GapLevel {
    /// The value in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Loss => "loss",
        }
    }
}

/// Returns whether a result with these gaps is complete.
pub fn is_complete(gaps: &[Gap]) -> bool {
    gaps.iter().all(|gap| gap.level != GapLevel::Loss)
}

/// Returns whether sockets may be missing: a table, or a part of one, was not read.
pub fn lacks_sockets(gaps: &[Gap]) -> bool {
    let codes = [
        NOT_RECORDED,
        "dump-incomplete",
        "table-unreadable",
        BOUND_UNSEEN,
        FAMILY_UNREAD,
    ];
    gaps.iter().any(|gap| codes.contains(&gap.code))
}

/// Returns the maximum number of missing sockets; `None` if unknown.
pub fn missing_sockets(gaps: &[Gap]) -> Option<u64> {
    let lacking = gaps.iter().filter(|gap| lacks_sockets(std::slice::from_ref(gap)));
    lacking.map(|gap| gap.count).sum()
}

/// The code of a table that a recording lacks, wholly or in part.
pub const NOT_RECORDED: &str = "not-recorded";

/// The code of a table that lacks bound TCP sockets that do not listen: one in /proc, or any before Linux 6.8.
pub const BOUND_UNSEEN: &str = "bound-unseen";

/// The code of a family whose sockets the kernel has but does not list.
pub const FAMILY_UNREAD: &str = "family-unread";

/// The code of a family that the kernel does not have.
pub const FAMILY_MISSING: &str = "family-missing";

/// Something that could not be read, or was read in another way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Loss or note.
    pub level: GapLevel,
    /// A stable word for scripts, such as `owners-hidden`.
    pub code: &'static str,
    /// One sentence for people. It may contain names from outside, so it must be sanitised before it reaches a
    /// terminal.
    pub message: String,
    /// The remedy: a command or a permission.
    pub remedy: Option<String>,
    /// The number of sockets or processes concerned, if known.
    pub count: Option<u64>,
    /// The protocol whose sockets are concerned, if only one is. Not part of any output.
    pub protocol: Option<Protocol>,
}

impl Gap {
    /// Creates a loss without remedy and count.
    pub fn loss(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            level: GapLevel::Loss,
            code,
            message: message.into(),
            remedy: None,
            count: None,
            protocol: None,
        }
    }

    /// Creates a note without remedy and count.
    pub fn note(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            level: GapLevel::Note,
            ..Self::loss(code, message)
        }
    }

    /// Adds a remedy.
    #[must_use]
    pub fn with_remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// Sets the only protocol concerned.
    #[must_use]
    pub fn of(mut self, protocol: Protocol) -> Self {
        self.protocol = Some(protocol);
        self
    }

    /// Adds a count.
    #[must_use]
    pub fn with_count(mut self, count: u64) -> Self {
        self.count = Some(count);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_sockets_are_counted_if_their_number_is_known() {
        let some = |count| Gap::loss(BOUND_UNSEEN, "").with_count(count);
        let other = Gap::loss("owners-hidden", "").with_count(9);
        assert_eq!(missing_sockets(std::slice::from_ref(&other)), Some(0));
        assert_eq!(missing_sockets(&[some(2), other.clone(), some(3)]), Some(5));
        assert_eq!(
            missing_sockets(&[some(2), Gap::loss("dump-incomplete", "")]),
            None
        );
        assert!(lacks_sockets(&[other.clone(), some(1)]) && !lacks_sockets(&[other]));
    }
}
