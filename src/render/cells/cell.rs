//! One cell, and how loud it is.

use crate::render::span::{Cut, Span};

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
    /// Its text, in the parts that may be given up one by one.
    pub spans: Vec<Span>,
    /// How it is shown.
    pub tone: Tone,
}

impl Cell {
    /// A cell whose text may be cut at its end.
    pub(super) fn plain(text: impl Into<String>) -> Self {
        Self::of(vec![Span::new(text, Cut::End, 1)])
    }

    /// A cell whose text stays whole.
    pub(super) fn fixed(text: impl Into<String>) -> Self {
        Self::of(vec![Span::fixed(text)])
    }

    /// A cell of these parts.
    pub(super) fn of(spans: Vec<Span>) -> Self {
        Self {
            spans,
            tone: Tone::Plain,
        }
    }

    /// The same in another tone.
    pub(super) fn toned(self, tone: Tone) -> Self {
        Self { tone, ..self }
    }
}
