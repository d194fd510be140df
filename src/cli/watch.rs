//! Options of `watch`.

use std::time::Duration;

use clap::Args;

use super::duration::interval;

/// Options of `sockstat watch`.
#[derive(Debug, Args)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is an option, independent of the others"
)]
#[command(disable_version_flag = true)]
pub struct WatchArgs {
    /// TCP
    #[arg(short, long)]
    pub tcp: bool,
    /// UDP
    #[arg(short, long)]
    pub udp: bool,
    /// Unix domain
    #[arg(short = 'x', long)]
    pub unix: bool,
    /// IPv4 only
    #[arg(short = '4', long)]
    pub ipv4: bool,
    /// IPv6 only
    #[arg(short = '6', long)]
    pub ipv6: bool,
    /// Numeric addresses and ports (the default)
    #[arg(short, long, hide = true)]
    pub numeric: bool,
    /// Time between two updates [default: 1s]
    #[arg(long, value_name = "DURATION", value_parser = interval)]
    pub interval: Option<Duration>,
    /// Disable the keys that stop a program or close a socket
    #[arg(long)]
    pub read_only: bool,
    /// Enter a network namespace: a name, a pid or a path
    #[arg(short = 'N', long, visible_alias = "net", value_name = "NETNS")]
    pub netns: Vec<String>,
    /// Sockets to show: any filter
    #[arg(value_name = "FILTER")]
    pub filter: Vec<String>,
}
