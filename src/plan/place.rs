//! Where output goes.

/// Facts about the terminal that a listing is shown on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Whether stdout is a terminal.
    pub is_terminal: bool,
    /// Its width in cells, or that of `COLUMNS`.
    pub width: Option<usize>,
    /// `NO_COLOR`, or a dumb terminal.
    pub no_color: bool,
    /// `CLICOLOR_FORCE`.
    pub force_color: bool,
}
