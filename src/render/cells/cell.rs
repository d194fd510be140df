//! One cell, and how loud it is.

/// How a cell is shown: colour is a signal only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tone {
    /// As it is.
    #[default]
    Plain,
    /// Secondary.
    Dim,
    /// Wants a look.
    Warn,
    /// Wants action.
    Alarm,
}

/// One cell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// Its text, escaped.
    pub text: String,
    /// How it is shown.
    pub tone: Tone,
}

impl Cell {
    /// A cell that is shown as it is.
    pub(super) const fn plain(text: String) -> Self {
        Self {
            text,
            tone: Tone::Plain,
        }
    }
}
