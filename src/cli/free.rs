//! Options of `free`.

use clap::Args;

/// Which ports.
#[derive(Debug, Args)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is an option, independent of the others"
)]
#[command(disable_version_flag = true)]
pub struct FreeArgs {
    /// TCP: what is meant if nothing is said
    #[arg(short, long, overrides_with = "udp")]
    pub tcp: bool,
    /// UDP
    #[arg(short, long, overrides_with = "tcp")]
    pub udp: bool,
    /// IPv4 only
    #[arg(short = '4', long)]
    pub ipv4: bool,
    /// IPv6 only
    #[arg(short = '6', long)]
    pub ipv6: bool,
    /// How many
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub count: usize,
    /// In another network namespace: its name, a pid or a path
    #[arg(short = 'N', long, visible_alias = "net", value_name = "NETNS")]
    pub netns: Vec<String>,
    /// One JSON document
    #[arg(short, long)]
    pub json: bool,
    /// A port or a range, 8000-8100; else every port that needs no privilege and is not chosen for clients
    #[arg(value_name = "RANGE")]
    pub range: Option<String>,
}
