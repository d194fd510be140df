//! Options of `free`.

use clap::Args;

use super::KindArgs;

/// Options of `sockstat free`.
#[derive(Debug, Args)]
#[command(disable_version_flag = true)]
pub struct FreeArgs {
    /// Protocol, family and namespace.
    #[command(flatten)]
    pub kind: KindArgs,
    /// Number of ports to print
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub count: usize,
    /// Try the ports in a random order
    #[arg(long)]
    pub random: bool,
    /// Print one JSON document
    #[arg(short, long)]
    pub json: bool,
    /// Port or range, such as 8000-8100 [default: unprivileged ports outside ip_local_port_range]
    #[arg(value_name = "RANGE")]
    pub range: Option<String>,
}
