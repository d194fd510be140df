//! Options of `metrics`.

use std::path::PathBuf;

use clap::Args;

/// Options of `sockstat metrics`.
#[derive(Debug, Args)]
#[command(disable_version_flag = true)]
pub struct MetricsArgs {
    /// Write to FILE atomically (mode 0644); a failed run keeps the old file [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Give each of the N programs with the most sockets its own series
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub top: usize,
    /// Give each of the N fullest listeners its own series
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub max_listeners: usize,
    /// Enter a network namespace: a name, a pid or a path
    #[arg(short = 'N', long, visible_alias = "net", value_name = "NETNS")]
    pub netns: Vec<String>,
}
