//! Options of `reach`.

use clap::Args;

use super::KindArgs;

/// What is to be reached.
#[derive(Debug, Args)]
#[command(disable_version_flag = true)]
pub struct ReachArgs {
    /// Of which kind
    #[command(flatten)]
    pub kind: KindArgs,
    /// Make one TCP connection and say what came of it; nothing is sent without this
    #[arg(long = "try")]
    pub try_it: bool,
    /// One JSON document
    #[arg(short, long)]
    pub json: bool,
    /// Where: HOST:PORT (IPv6 in brackets), HOST:PORT/udp, /path, @name
    #[arg(value_name = "HOST:PORT")]
    pub place: String,
}
