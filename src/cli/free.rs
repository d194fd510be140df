//! Options of `free`.

use clap::Args;

use super::KindArgs;

/// Which ports.
#[derive(Debug, Args)]
#[command(disable_version_flag = true)]
pub struct FreeArgs {
    /// Of which kind
    #[command(flatten)]
    pub kind: KindArgs,
    /// How many
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub count: usize,
    /// One JSON document
    #[arg(short, long)]
    pub json: bool,
    /// A port or a range, 8000-8100; else every port that needs no privilege and is not chosen for clients
    #[arg(value_name = "RANGE")]
    pub range: Option<String>,
}
