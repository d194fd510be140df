//! The forms in which rows, groups and events are printed.

/// The form of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Aligned columns for people.
    Table,
    /// Fields separated by blanks, for pipes; those of rows are the columns of ss.
    Plain,
    /// One JSON document.
    Json,
    /// A JSON object on each line.
    Jsonl,
    /// Comma-separated values (RFC 4180).
    Csv,
}

impl Form {
    /// Whether its items are JSON objects.
    pub const fn is_json(self) -> bool {
        matches!(self, Self::Json | Self::Jsonl)
    }
}
