//! Options that `free`, `reach` and `wait` share.

use clap::Args;

/// Protocol, address family and network namespace.
#[derive(Debug, Args)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is an option, independent of the others"
)]
pub struct KindArgs {
    /// TCP (the default)
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
    /// Numeric addresses and ports (the default)
    #[arg(short, long, hide = true)]
    pub numeric: bool,
    /// Enter a network namespace: a name, a pid or a path
    #[arg(short = 'N', long, visible_alias = "net", value_name = "NETNS")]
    pub netns: Vec<String>,
}
