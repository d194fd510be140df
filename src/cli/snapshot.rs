//! Options of `snapshot`.

use clap::Args;

use super::cmdline::Cmdline;

/// Options of `sockstat snapshot`.
#[derive(Debug, Args)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is an option, independent of the others"
)]
#[command(disable_version_flag = true)]
pub struct SnapshotArgs {
    /// TCP [default: TCP and UDP]
    #[arg(short, long)]
    pub tcp: bool,
    /// UDP
    #[arg(short, long)]
    pub udp: bool,
    /// IPv4 only
    #[arg(short = '4', long)]
    pub ipv4: bool,
    /// IPv6 only
    #[arg(short = '6', long)]
    pub ipv6: bool,
    /// Numeric addresses and ports (the default)
    #[arg(short, long, hide = true)]
    pub numeric: bool,
    /// Network namespaces, comma-separated: names, pids or paths, or `all`
    #[arg(short = 'N', long, visible_alias = "net", value_name = "NETNS")]
    pub netns: Vec<String>,
    /// Print the programs' arguments; redacted masks what follows names such as password, and credentials in URLs
    #[arg(long, value_name = "HOW", value_enum, default_value_t = Cmdline::None)]
    pub cmdline: Cmdline,
    /// Print JSON Lines (the default)
    #[arg(short, long, visible_alias = "jsonl", hide = true)]
    pub json: bool,
    /// Rows to select: any filter
    #[arg(value_name = "FILTER")]
    pub filter: Vec<String>,
}
