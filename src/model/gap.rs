//! What an answer lacks, as data: never a shorter list without a word.

/// How much a gap matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GapLevel {
    /// The answer is complete, but came another way (a fallback, a family that the kernel lacks). JSON only.
    Note,
    /// Something is missing from the answer. Printed on stderr, with its remedy.
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

/// Whether nothing is missing from an answer with these gaps.
pub fn is_complete(gaps: &[Gap]) -> bool {
    gaps.iter().all(|gap| gap.level != GapLevel::Loss)
}

/// One thing that could not be read, or was read another way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Loss or note.
    pub level: GapLevel,
    /// A stable word for scripts, such as `owners-hidden`.
    pub code: &'static str,
    /// One sentence for people. It may hold names from outside: sanitise it on the way to a terminal.
    pub message: String,
    /// What the reader can do about it: a command or a permission.
    pub remedy: Option<String>,
    /// How many sockets or processes it is about, where that is known.
    pub count: Option<u64>,
}

impl Gap {
    /// A loss without remedy and count.
    pub fn loss(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            level: GapLevel::Loss,
            code,
            message: message.into(),
            remedy: None,
            count: None,
        }
    }

    /// A note without remedy and count.
    pub fn note(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            level: GapLevel::Note,
            ..Self::loss(code, message)
        }
    }

    /// The same with a remedy.
    #[must_use]
    pub fn with_remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// The same with a count.
    #[must_use]
    pub fn with_count(mut self, count: u64) -> Self {
        self.count = Some(count);
        self
    }
}
