//! A cell of the table, and its tone.

use crate::render::span::{Cut, Span};

/// The tone of a cell, shown as a colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tone {
    /// Normal.
    #[default]
    Plain,
    /// Secondary.
    Dim,
    /// Worth a look.
    Warn,
    /// Needs action.
    Alarm,
}

/// One cell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// Its text, in spans that may be dropped one by one.
    pub spans: Vec<Span>,
    /// Its tone.
    pub tone: Tone,
}

impl Cell {
    /// A cell whose text may be truncated at its end.
    pub(super) fn plain(text: impl Into<String>) -> Self {
        Self::of(vec![Span::new(text, Cut::End, 1)])
    }

    /// A cell whose text is never truncated.
    pub(super) fn fixed(text: impl Into<String>) -> Self {
        Self::of(vec![Span::fixed(text)])
    }

    /// A cell of these spans.
    pub(super) fn of(spans: Vec<Span>) -> Self {
        Self {
            spans,
            tone: Tone::Plain,
        }
    }

    /// Sets the tone.
    pub(super) fn toned(self, tone: Tone) -> Self {
        Self { tone, ..self }
    }
}
