//! Options of `reach`.

use clap::Args;

/// What is to be reached.
#[derive(Debug, Args)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is an option, independent of the others"
)]
#[command(disable_version_flag = true)]
pub struct ReachArgs {
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
    /// Make one TCP connection and say what came of it; nothing is sent without this
    #[arg(long = "try")]
    pub try_it: bool,
    /// In another network namespace: its name, a pid or a path
    #[arg(short = 'N', long, visible_alias = "net", value_name = "NETNS")]
    pub netns: Vec<String>,
    /// One JSON document
    #[arg(short, long)]
    pub json: bool,
    /// Where: HOST:PORT (IPv6 in brackets), HOST:PORT/udp, /path, @name
    #[arg(value_name = "HOST:PORT")]
    pub place: String,
}
