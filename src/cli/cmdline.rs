//! The values of `--cmdline`.

use clap::ValueEnum;

use crate::model::Printed;

/// Which arguments of programs are printed: the values of `--cmdline`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Cmdline {
    /// None
    None,
    /// All, with likely secrets masked
    #[default]
    Redacted,
    /// All, including secrets
    Full,
}

impl From<Cmdline> for Printed {
    fn from(cmdline: Cmdline) -> Self {
        match cmdline {
            Cmdline::None => Self::None,
            Cmdline::Redacted => Self::Redacted,
            Cmdline::Full => Self::Full,
        }
    }
}
