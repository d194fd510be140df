//! Options of `reach`.

use clap::Args;

use super::KindArgs;

/// Options of `sockstat reach`.
#[derive(Debug, Args)]
#[command(disable_version_flag = true)]
pub struct ReachArgs {
    /// Protocol, family and namespace.
    #[command(flatten)]
    pub kind: KindArgs,
    /// Make one TCP connection and report the result; nothing is sent otherwise
    #[arg(long = "try")]
    pub try_it: bool,
    /// Answer for a client at ADDR whose packets arrive on IFACE [default: this machine; IFACE: that of the route back]
    #[arg(long, value_name = "ADDR[%IFACE]")]
    pub from: Option<String>,
    /// Print every step that was examined
    #[arg(long)]
    pub steps: bool,
    /// Print one JSON document
    #[arg(short, long)]
    pub json: bool,
    /// Port of the destination, a number or a service
    #[arg(long, value_name = "PORT")]
    pub port: Option<String>,
    /// Destination: HOST:PORT (IPv6 in brackets), HOST PORT, PORT on this machine, a URL, /path, @name
    #[arg(value_name = "HOST:PORT", required = true)]
    pub place: Vec<String>,
}
