//! One thing that helps against a verdict.

use crate::render::page::Page;

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cure {
    /// What to type; `None` for advice that is not a command.
    pub command: Option<String>,
    /// What it does.
    pub sentence: String,
    /// What it costs.
    pub harm: Harm,
}

/// What a cure costs, in rising order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Harm {
    /// Nothing.
    None,
    /// The machine is configured differently afterwards.
    Configures,
    /// A program ends.
    EndsProgram,
}

impl Harm {
    /// The code in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Configures => "configures",
            Self::EndsProgram => "ends-program",
        }
    }
}

impl Cure {
    /// Advice without a command.
    pub fn advice(sentence: impl Into<String>) -> Self {
        Self {
            command: None,
            sentence: sentence.into(),
            harm: Harm::None,
        }
    }

    /// A command to copy.
    pub fn command(command: impl Into<String>, sentence: impl Into<String>, harm: Harm) -> Self {
        Self {
            command: Some(command.into()),
            sentence: sentence.into(),
            harm,
        }
    }
}

/// Writes cures as rows, the first one first.
pub(super) fn write_rows(page: &mut Page, cures: &[Cure]) {
    if !cures.is_empty() {
        page.gap();
    }
    for (at, cure) in cures.iter().enumerate() {
        let label = if at == 0 { "to fix" } else { "or" };
        match &cure.command {
            Some(command) => page.command(label, command, &cure.sentence),
            None => page.row(label, &cure.sentence),
        }
    }
}
