//! Options of `events`.

use std::time::Duration;

use clap::Args;

use super::ListArgs;
use super::wait::duration;

/// What is followed, and how it is shown.
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
    /// Only what becomes a listener, or ends as one
    #[arg(short, long)]
    pub listening: bool,
    /// The programs that hold each socket, as far as they can be known
    #[arg(short, long)]
    pub processes: bool,
    /// User, inode, cookie, mark, cgroup, shutdown
    #[arg(short, long)]
    pub extended: bool,
    /// Names for hosts and services
    #[arg(short, long)]
    pub resolve: bool,
    /// How often the tables are looked at for what opened and changed; 1s if nothing is said
    #[arg(long, value_name = "DURATION", value_parser = interval)]
    pub interval: Option<Duration>,
    /// End after N events
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// One JSON object on each line: event, at, was, socket
    #[arg(short, long, visible_alias = "jsonl")]
    pub json: bool,
    /// Exactly these fields of a socket, separated by commas
    #[arg(long, value_name = "FIELDS")]
    pub columns: Vec<String>,
    /// No heading
    #[arg(short = 'H', long = "no-header")]
    pub no_header: bool,
    /// In another network namespace: its name, a pid or a path
    #[arg(short = 'N', long, value_name = "NETNS")]
    pub netns: Vec<String>,
    /// Which sockets: any filter
    #[arg(value_name = "FILTER")]
    pub filter: Vec<String>,
}

impl EventsArgs {
    /// The same as options of the listing, with the global ones.
    pub fn as_list(&self, global: &ListArgs) -> ListArgs {
        ListArgs {
            events: true,
            tcp: self.tcp,
            udp: self.udp,
            raw: self.raw,
            unix: self.unix,
            ipv4: self.ipv4,
            ipv6: self.ipv6,
            listening: self.listening,
            processes: self.processes,
            extended: self.extended,
            resolve: self.resolve,
            interval: self.interval,
            limit: self.limit,
            jsonl: self.json || global.json,
            columns: self.columns.clone(),
            no_header: self.no_header,
            quiet: global.quiet,
            filter: self.filter.clone(),
            ..ListArgs::default()
        }
    }
}

/// A duration that leaves the machine time for something else.
pub(super) fn interval(text: &str) -> Result<Duration, String> {
    let interval = duration(text)?;
    if interval < Duration::from_millis(10) {
        return Err("the shortest interval is 10ms".to_owned());
    }
    Ok(interval)
}
