//! Options of ss that are not there yet: they are known, so that they say so instead of meaning something else.

use clap::Args;

use super::UsageError;

/// The options, hidden from the help.
#[derive(Clone, Debug, Default, Args)]
#[allow(
    clippy::struct_excessive_bools,
    missing_docs,
    reason = "a list of switches that only say no"
)]
pub struct MissingArgs {
    #[arg(short = 'Z', long, hide = true)]
    pub context: bool,
    #[arg(short = 'z', long, hide = true)]
    pub contexts: bool,
}

/// Refuses a command line that uses one of them: to ignore it would be to answer another question.
///
/// # Errors
/// Names the option.
pub fn check(missing: &MissingArgs) -> Result<(), UsageError> {
    let used = [
        (missing.context, "-Z (SELinux contexts)"),
        (missing.contexts, "-z (SELinux contexts)"),
    ];
    match used.iter().find(|(used, _)| *used) {
        None => Ok(()),
        Some((_, option)) => Err(
            UsageError::new(format!("{option} is not there yet in this version"))
                .with_hint("`ss` takes the same option"),
        ),
    }
}
