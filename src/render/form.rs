//! The output formats of rows, groups and events.

/// The output format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Aligned columns for people.
    Table,
    /// Fields separated by blanks, for pipes; rows have the columns of ss.
    Plain,
    /// One JSON document.
    Json,
    /// One JSON object per line.
    Jsonl,
    /// Comma-separated values (RFC 4180).
    Csv,
}

impl Form {
    /// Returns whether its items are JSON objects.
    pub const fn is_json(self) -> bool {
        matches!(self, Self::Json | Self::Jsonl)
    }
}
