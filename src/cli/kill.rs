//! Options of `kill`.

use std::time::Duration;

use clap::Args;

use super::wait::duration;

/// Whose owner is to end.
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
    /// Close the sockets and leave the programs alone; the same as sockstat -K
    #[arg(long, conflicts_with_all = ["signal", "timeout", "all"])]
    pub socket: bool,
    /// TERM, INT, HUP, QUIT, USR1, USR2 or KILL
    #[arg(long, value_name = "SIGNAL", default_value = "TERM")]
    pub signal: String,
    /// How long it may take to end; 5s if nothing is said
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub timeout: Option<Duration>,
    /// Show whom it would be, and signal nobody
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask; never sends KILL by itself
    #[arg(short, long)]
    pub yes: bool,
    /// Several unrelated targets at once
    #[arg(long)]
    pub all: bool,
    /// In another network namespace: its name, a pid or a path
    #[arg(short = 'N', long, visible_alias = "net", value_name = "NETNS")]
    pub netns: Vec<String>,
    /// One JSON document when it is over
    #[arg(short, long)]
    pub json: bool,
    /// Whose: a port (the local one), a program, pid = N, or any filter
    #[arg(value_name = "FILTER")]
    pub filter: Vec<String>,
}
