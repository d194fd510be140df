//! Options of `wait`.

use std::time::Duration;

use clap::Args;

use super::KindArgs;
use super::duration::duration;

/// Options of `sockstat wait`.
#[derive(Debug, Args)]
#[command(disable_version_flag = true)]
pub struct WaitArgs {
    /// Protocol, family and namespace.
    #[command(flatten)]
    pub kind: KindArgs,
    /// Wait until no such socket is left
    #[arg(long)]
    pub gone: bool,
    /// State to wait for, such as established or time-wait [default: listen]
    #[arg(long, value_name = "STATE")]
    pub state: Option<String>,
    /// Give up after this time, such as 500ms, 10s or 2m [default: never]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub timeout: Option<Duration>,
    /// Print one JSON document at the end
    #[arg(short, long)]
    pub json: bool,
    /// Sockets that must all reach the state: PORT, PORT/udp, ADDR:PORT (IPv6 in brackets), NAME:PORT, /path, @name
    #[arg(value_name = "WHERE", required = true)]
    pub places: Vec<String>,
}
