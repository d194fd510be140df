//! Options of `events`.

use std::time::Duration;

use clap::Args;

use super::cmdline::Cmdline;
use super::duration::interval;

/// Options of `sockstat events`.
#[derive(Debug, Args)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is an option, independent of the others"
)]
#[command(disable_version_flag = true)]
pub struct EventsArgs {
    /// TCP
    #[arg(short, long)]
    pub tcp: bool,
    /// UDP
    #[arg(short, long)]
    pub udp: bool,
    /// Raw IP
    #[arg(short = 'w', long)]
    pub raw: bool,
    /// Unix domain
    #[arg(short = 'x', long)]
    pub unix: bool,
    /// IPv4 only
    #[arg(short = '4', long)]
    pub ipv4: bool,
    /// IPv6 only
    #[arg(short = '6', long)]
    pub ipv6: bool,
    /// Only sockets that start or stop listening
    #[arg(short, long)]
    pub listening: bool,
    /// Programs that hold each socket, if they can be seen
    #[arg(short, long)]
    pub processes: bool,
    /// User, inode, cookie, mark, cgroup, shutdown
    #[arg(short, long)]
    pub extended: bool,
    /// Numeric addresses and ports (the default)
    #[arg(short, long, hide = true, overrides_with = "resolve")]
    pub numeric: bool,
    /// Resolve host and service names
    #[arg(short, long, overrides_with = "numeric")]
    pub resolve: bool,
    /// Time between two reads of the tables [default: 1s]
    #[arg(long, value_name = "DURATION", value_parser = interval)]
    pub interval: Option<Duration>,
    /// End after N events
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// Print one JSON object per line: event, at, host, was, socket
    #[arg(short, long, visible_alias = "jsonl")]
    pub json: bool,
    /// Always print the table, even into a pipe
    #[arg(long, overrides_with_all = ["json", "plain"])]
    pub table: bool,
    /// Always print the columns of ss, even on a terminal
    #[arg(long, overrides_with_all = ["json", "table"])]
    pub plain: bool,
    /// Show exactly these fields of a socket, comma-separated
    #[arg(long, value_name = "FIELDS")]
    pub columns: Vec<String>,
    /// Print the programs' arguments; redacted masks what follows names such as password, and credentials in URLs
    #[arg(long, value_name = "HOW", value_enum, default_value_t)]
    pub cmdline: Cmdline,
    /// Omit the heading
    #[arg(short = 'H', long = "no-header")]
    pub no_header: bool,
    /// Network namespaces, comma-separated: names, pids or paths, or `all`
    #[arg(short = 'N', long, visible_alias = "net", value_name = "NETNS")]
    pub netns: Vec<String>,
    /// Sockets to follow: any filter
    #[arg(value_name = "FILTER")]
    pub filter: Vec<String>,
}
