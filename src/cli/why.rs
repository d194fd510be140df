//! Options of `why`.

use clap::Args;

/// What somebody wants to bind, and how.
#[derive(Debug, Default, Args)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is an option, independent of the others"
)]
#[command(disable_version_flag = true, after_help = AFTER_HELP)]
pub struct WhyArgs {
    /// TCP: what is meant if nothing is said
    #[arg(short, long)]
    pub tcp: bool,
    /// UDP; for a unix socket: datagram
    #[arg(short, long)]
    pub udp: bool,
    /// IPv4 only
    #[arg(short = '4', long)]
    pub ipv4: bool,
    /// IPv6 only
    #[arg(short = '6', long)]
    pub ipv6: bool,
    /// The socket has `IPV6_V6ONLY`
    #[arg(long)]
    pub v6only: bool,
    /// The socket has `SO_REUSEADDR`, as most servers'; without one of these two: both ways
    #[arg(long, overrides_with = "no_reuseaddr")]
    pub reuseaddr: bool,
    /// The socket has no `SO_REUSEADDR`
    #[arg(long, overrides_with = "reuseaddr")]
    pub no_reuseaddr: bool,
    /// The socket has `SO_REUSEPORT`
    #[arg(long)]
    pub reuseport: bool,
    /// The socket is bound to this interface
    #[arg(long, value_name = "DEV")]
    pub device: Option<String>,
    /// The user who binds: else who called sudo, else who calls
    #[arg(long, value_name = "UID")]
    pub uid: Option<u32>,
    /// Bind only, no listen
    #[arg(long)]
    pub no_listen: bool,
    /// No trial bind where a socket's options cannot be read
    #[arg(long)]
    pub no_probe: bool,
    /// In another network namespace: its name, a pid or a path
    #[arg(short = 'N', long, visible_alias = "net", value_name = "NETNS")]
    pub netns: Vec<String>,
    /// One JSON document
    #[arg(short, long)]
    pub json: bool,
    /// Where: PORT, PORT/udp, ADDR:PORT (IPv6 in brackets), NAME:PORT, /path, @name; - for a program's output
    #[arg(value_name = "WHERE")]
    pub place: String,
}

const AFTER_HELP: &str = "\
Exit status: 0 it would work, 1 it would fail, 3 it cannot be told.

Examples:
  sockstat why 3000
  sockstat why --reuseport 127.0.0.1:9000
  sockstat why 53/udp
  sockstat why /run/app.sock
  npm start 2>&1 | sockstat why -";
