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
    /// Number of programs with their own series: those with the most sockets
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub top: usize,
    /// Number of listeners with their own series: the fullest
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub max_listeners: usize,
    /// Enter a network namespace: a name, a pid or a path
    #[arg(short = 'N', long, visible_alias = "net", value_name = "NETNS")]
    pub netns: Vec<String>,
}
