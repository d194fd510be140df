//! Where output goes.

/// What is known of the place where a listing is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Whether stdout is a terminal.
    pub is_terminal: bool,
    /// Its width in cells, or that of `COLUMNS`.
    pub width: Option<usize>,
    /// `NO_COLOR`, or a terminal that is dumb.
    pub no_color: bool,
    /// `CLICOLOR_FORCE`.
    pub force_color: bool,
}
