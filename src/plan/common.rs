//! The options with the same meaning for every command.

use crate::cli::ListArgs;
use crate::model::request::OwnersBy;

/// Options that may precede or follow any command.
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
    /// Extracts them from the options.
    pub fn of(args: &ListArgs) -> Self {
        Self {
            json: args.json,
            quiet: args.quiet,
            owners_by: args.owners.into(),
        }
    }
}
