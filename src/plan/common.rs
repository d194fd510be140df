//! The options that mean the same for every command.

use crate::cli::ListArgs;
use crate::model::request::OwnersBy;

/// Options that stand before or after any command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Common {
    /// `--json`.
    pub json: bool,
    /// `--quiet`.
    pub quiet: bool,
    /// `--owners`.
    pub owners_by: OwnersBy,
}

impl Common {
    /// Takes them out of the options.
    pub fn of(args: &ListArgs) -> Self {
        Self {
            json: args.json,
            quiet: args.quiet,
            owners_by: args.owners.into(),
        }
    }
}
