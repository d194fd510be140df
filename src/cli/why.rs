//! Options of `why`.

use clap::Args;

/// Options of `sockstat why`: the socket to bind.
#[derive(Debug, Default, Args)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is an option, independent of the others"
)]
#[command(disable_version_flag = true)]
pub struct WhyArgs {
    /// TCP (the default)
    #[arg(short, long)]
    pub tcp: bool,
    /// UDP; for a unix socket, datagram
    #[arg(short, long)]
    pub udp: bool,
    /// IPv4 only
    #[arg(short = '4', long)]
    pub ipv4: bool,
    /// IPv6 only
    #[arg(short = '6', long)]
    pub ipv6: bool,
    /// Assume a socket with IPV6_V6ONLY
    #[arg(long)]
    pub v6only: bool,
    /// Assume SO_REUSEADDR, which most servers set [default: answer for both]
    #[arg(long, overrides_with = "no_reuseaddr")]
    pub reuseaddr: bool,
    /// Assume no SO_REUSEADDR
    #[arg(long, overrides_with = "reuseaddr")]
    pub no_reuseaddr: bool,
    /// Assume SO_REUSEPORT
    #[arg(long)]
    pub reuseport: bool,
    /// Assume SO_BINDTODEVICE to this interface
    #[arg(long, value_name = "DEV")]
    pub device: Option<String>,
    /// User who binds, by name or number [default: the user who called sudo, else the caller]
    #[arg(long, value_name = "USER")]
    pub uid: Option<String>,
    /// Check only bind, not listen
    #[arg(long)]
    pub no_listen: bool,
    /// Never probe: no trial bind, no connection to a unix socket's file
    #[arg(long)]
    pub no_probe: bool,
    /// Numeric addresses and ports (the default)
    #[arg(short, long, hide = true)]
    pub numeric: bool,
    /// Enter a network namespace: a name, a pid or a path
    #[arg(short = 'N', long, visible_alias = "net", value_name = "NETNS")]
    pub netns: Vec<String>,
    /// Print one JSON document
    #[arg(short, long)]
    pub json: bool,
    /// Address to bind: PORT, PORT/udp, ADDR:PORT, NAME:PORT, /path, @name; - reads a program's output
    #[arg(value_name = "WHERE", required = true)]
    pub places: Vec<String>,
}
