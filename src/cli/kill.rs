//! Options of `kill`.

use std::time::Duration;

use clap::Args;

use super::duration::duration;

/// Options of `sockstat kill`: whose owner to terminate, and how.
#[derive(Debug, Args)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is an option, independent of the others"
)]
#[command(disable_version_flag = true)]
pub struct KillArgs {
    /// TCP only
    #[arg(short, long)]
    pub tcp: bool,
    /// UDP only
    #[arg(short, long)]
    pub udp: bool,
    /// IPv4 only
    #[arg(short = '4', long)]
    pub ipv4: bool,
    /// IPv6 only
    #[arg(short = '6', long)]
    pub ipv6: bool,
    /// Close the sockets and keep the programs; same as sockstat -K
    #[arg(long, conflicts_with_all = ["signal", "timeout", "all"])]
    pub socket: bool,
    /// Signal to send: TERM, INT, HUP, QUIT, USR1, USR2 or KILL
    #[arg(long, value_name = "SIGNAL", default_value = "TERM")]
    pub signal: String,
    /// Time to wait for the program to end [default: 5s]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub timeout: Option<Duration>,
    /// Show the targets without signalling them
    #[arg(long)]
    pub dry_run: bool,
    /// Skip the question; never escalates to KILL
    #[arg(short, long)]
    pub yes: bool,
    /// Allow several unrelated targets
    #[arg(long)]
    pub all: bool,
    /// Numeric addresses and ports (the default)
    #[arg(short, long, hide = true)]
    pub numeric: bool,
    /// Enter a network namespace: a name, a pid or a path
    #[arg(short = 'N', long, visible_alias = "net", value_name = "NETNS")]
    pub netns: Vec<String>,
    /// Print one JSON document at the end
    #[arg(short, long)]
    pub json: bool,
    /// Filter that selects what to end: a local port, a program, pid = N, or any other
    #[arg(value_name = "FILTER")]
    pub filter: Vec<String>,
}
