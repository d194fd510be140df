//! What the bare words of a filter are.

/// What the bare words of a filter are.
#[derive(Clone, Debug, Default)]
pub(super) struct BareWords {
    /// Words taken as program names.
    pub(super) programs: Vec<String>,
    /// Whether one is a state, without `state` or `exclude` before it.
    pub(super) has_state: bool,
}
