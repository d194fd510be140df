//! The options. Letters and meanings are those of ss; what is new has letters that ss leaves free, or long names.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Parser, ValueEnum};
use clap_complete::Shell;

use super::events::interval;
use super::refused::RefusedArgs;
use crate::model::request;

/// The whole command line, with subcommands: what help, man page and completions are made from.
#[derive(Debug, Parser)]
#[command(
    name = "sockstat",
    version,
    about = "Show sockets and the programs that hold them",
    after_help = AFTER_HELP,
    override_usage = "sockstat [OPTIONS] [FILTER...]\n       sockstat COMMAND",
    args_override_self = true,
    disable_version_flag = true,
    disable_help_subcommand = true,
    subcommand_help_heading = "Commands",
    max_term_width = 100
)]
pub struct Cli {
    /// Options of the listing.
    #[command(flatten)]
    pub list: ListArgs,
    /// A subcommand instead of the listing.
    #[command(subcommand)]
    pub command: Option<Subcommand>,
}

/// What a run can do beside listing.
#[derive(Debug, clap::Subcommand)]
pub enum Subcommand {
    /// Say whether a port could be bound, and if not, why and what helps
    Why(super::WhyArgs),
    /// Say whether a connection would arrive, and if not, why
    Reach(super::ReachArgs),
    /// Print ports that can be bound now
    Free(super::FreeArgs),
    /// Wait until a listener is there, or gone
    Wait(super::WaitArgs),
    /// End the owner of a port, and verify that it is free
    Kill(super::KillArgs),
    /// Follow sockets as they open, change their state and close
    Events(super::EventsArgs),
    /// List every field that can be shown, compared, sorted and grouped by
    Columns,
    /// Print the JSON Schema of the JSON output
    Schema,
    /// Print a completion script
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the man page
    Man,
}

impl Cli {
    /// Whether it asks for rows, and for nothing else to be done.
    pub fn lists(&self) -> bool {
        self.command.is_none() && !self.list.kill && !self.list.events && !self.list.summary
    }

    /// The network namespaces of `-N`, before the subcommand or behind it.
    pub fn netns(&self) -> Vec<String> {
        let own: &[String] = match &self.command {
            Some(Subcommand::Why(args)) => &args.netns,
            Some(Subcommand::Reach(args)) => &args.kind.netns,
            Some(Subcommand::Free(args)) => &args.kind.netns,
            Some(Subcommand::Wait(args)) => &args.kind.netns,
            Some(Subcommand::Kill(args)) => &args.netns,
            Some(Subcommand::Events(args)) => &args.netns,
            _ => &[],
        };
        [&self.list.netns, own].concat()
    }
}

/// How owners are found: the words of `--owners`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum OwnersBy {
    /// By the kernel's BPF iterator where that is permitted and worth it, else by /proc
    #[default]
    Auto,
    /// By the BPF iterator; by /proc if the kernel refuses it
    Bpf,
    /// By walking over /proc
    Proc,
}

impl From<OwnersBy> for request::OwnersBy {
    fn from(by: OwnersBy) -> Self {
        match by {
            OwnersBy::Auto => Self::Auto,
            OwnersBy::Bpf => Self::Bpf,
            OwnersBy::Proc => Self::Proc,
        }
    }
}

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorWhen {
    /// On a terminal, unless `NO_COLOR` is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Options of the listing.
#[derive(Clone, Debug, Default, Parser)]
#[command(
    name = "sockstat",
    version,
    about = "Show sockets and the programs that hold them",
    after_help = AFTER_HELP,
    override_usage = "sockstat [OPTIONS] [FILTER...]\n       sockstat COMMAND",
    args_override_self = true,
    disable_version_flag = true,
    max_term_width = 100
)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is an option of ss, independent of the others"
)]
pub struct ListArgs {
    /// TCP
    #[arg(short, long, help_heading = WHICH)]
    pub tcp: bool,
    /// UDP
    #[arg(short, long, help_heading = WHICH)]
    pub udp: bool,
    /// Raw IP
    #[arg(short = 'w', long, help_heading = WHICH)]
    pub raw: bool,
    /// Unix domain
    #[arg(short = 'x', long, help_heading = WHICH)]
    pub unix: bool,
    /// SCTP
    #[arg(short = 'S', long, help_heading = WHICH)]
    pub sctp: bool,
    /// DCCP, which has left Linux
    #[arg(short = 'd', long, hide = true)]
    pub dccp: bool,
    /// Packet (link layer)
    #[arg(short = '0', long, help_heading = WHICH)]
    pub packet: bool,
    /// VM sockets
    #[arg(long, help_heading = WHICH)]
    pub vsock: bool,
    /// XDP
    #[arg(long, help_heading = WHICH)]
    pub xdp: bool,
    /// TIPC, which sockstat does not read
    #[arg(long, hide = true)]
    pub tipc: bool,
    /// Multipath TCP
    #[arg(short = 'M', long, help_heading = WHICH)]
    pub mptcp: bool,
    /// IPv4 only (with -6: both)
    #[arg(short = '4', long, help_heading = WHICH)]
    pub ipv4: bool,
    /// IPv6 only
    #[arg(short = '6', long, help_heading = WHICH)]
    pub ipv6: bool,
    /// An address family: inet, inet6, unix, link, netlink, vsock, xdp (may be repeated)
    #[arg(short, long, value_name = "FAMILY", help_heading = WHICH)]
    pub family: Vec<String>,
    /// Tables, separated by commas: all, inet, tcp, mptcp, udp, udplite, raw, icmp, sctp, unix, unix_stream,
    /// unix_dgram, unix_seqpacket, packet, packet_raw, packet_dgram, netlink, vsock, vsock_stream, vsock_dgram, xdp;
    /// !TABLE for all but that one
    #[arg(short = 'A', long = "query", visible_alias = "socket", value_name = "LIST", help_heading = WHICH)]
    pub tables: Vec<String>,
    /// Every state
    #[arg(short, long, overrides_with_all = ["listening", "bound"], help_heading = WHICH)]
    pub all: bool,
    /// Listening sockets, and unconnected ones of protocols without listeners
    #[arg(short, long, overrides_with_all = ["all", "bound"], help_heading = WHICH)]
    pub listening: bool,
    /// TCP sockets that are bound and neither listen nor connect (Linux 6.8 and newer)
    #[arg(short = 'B', long = "bound-inactive", overrides_with_all = ["all", "listening"], help_heading = WHICH)]
    pub bound: bool,

    /// The programs that hold each socket
    #[arg(short, long, help_heading = WHAT)]
    pub processes: bool,
    /// The thread as well, where its file table is its own; implies -p
    #[arg(short = 'T', long, help_heading = WHAT)]
    pub threads: bool,
    /// What SELinux (or AppArmor, Smack) calls the programs; implies -p
    #[arg(short = 'Z', long, help_heading = WHAT)]
    pub context: bool,
    /// The same, and what SELinux calls the socket itself; implies -p
    #[arg(short = 'z', long, help_heading = WHAT)]
    pub contexts: bool,
    /// User, inode, cookie, mark, cgroup, shutdown; implies -o
    #[arg(short, long, help_heading = WHAT)]
    pub extended: bool,
    /// Counts, memory, limits and losses instead of sockets; with tables or a filter, before them
    #[arg(short, long, help_heading = WHAT)]
    pub summary: bool,
    /// The filter programs of packet sockets; needs CAP_NET_ADMIN; implies -o
    #[arg(short = 'b', long, help_heading = WHAT)]
    pub bpf: bool,
    /// Timers
    #[arg(short = 'o', long, help_heading = WHAT)]
    pub options: bool,
    /// Memory of each socket, and its limits
    #[arg(short, long, help_heading = WHAT)]
    pub memory: bool,
    /// What TCP knows of each connection: round trips, windows, rates, losses, congestion control
    #[arg(short, long, help_heading = WHAT)]
    pub info: bool,
    /// Type of service, traffic class, and class or priority
    #[arg(long, help_heading = WHAT)]
    pub tos: bool,
    /// The cgroup of the task that created the socket
    #[arg(long, help_heading = WHAT)]
    pub cgroup: bool,
    /// Options set on the socket
    #[arg(long, help_heading = WHAT)]
    pub inet_sockopt: bool,
    /// Numbers, not names: what happens anyway
    #[arg(short, long, overrides_with = "resolve", help_heading = WHAT)]
    pub numeric: bool,
    /// Names for hosts and services, from the system's resolver
    #[arg(short, long, overrides_with = "numeric", help_heading = WHAT)]
    pub resolve: bool,

    /// One JSON document
    #[arg(short, long, overrides_with_all = ["jsonl", "csv", "table", "plain"], help_heading = HOW)]
    pub json: bool,
    /// One JSON object on each line, as rows come
    #[arg(long, overrides_with_all = ["json", "csv", "table", "plain"], help_heading = HOW)]
    pub jsonl: bool,
    /// Comma-separated values (RFC 4180), as rows come
    #[arg(long, overrides_with_all = ["json", "jsonl", "table", "plain"], help_heading = HOW)]
    pub csv: bool,
    /// The table for people, also into a pipe
    #[arg(long, overrides_with_all = ["json", "jsonl", "csv", "plain"], help_heading = HOW)]
    pub table: bool,
    /// The columns of ss, also on a terminal
    #[arg(long, overrides_with_all = ["json", "jsonl", "csv", "table"], help_heading = HOW)]
    pub plain: bool,
    /// Exactly these fields, separated by commas, in any form of output
    #[arg(long, value_name = "FIELDS", help_heading = HOW)]
    pub columns: Vec<String>,
    /// These fields as well
    #[arg(long, value_name = "FIELDS", help_heading = HOW)]
    pub add: Vec<String>,
    /// Without these fields
    #[arg(long, value_name = "FIELDS", help_heading = HOW)]
    pub hide: Vec<String>,
    /// The order of rows: fields, each with :desc for the largest first; default for the order of the table
    #[arg(long, value_name = "FIELDS", help_heading = HOW)]
    pub sort: Vec<String>,
    /// Count rows by these fields instead of listing them; peer_address/24 for subnets
    #[arg(long, value_name = "FIELDS", help_heading = HOW)]
    pub by: Vec<String>,
    /// No more than N rows or groups
    #[arg(long, value_name = "N", help_heading = HOW)]
    pub limit: Option<usize>,
    /// Only the process ids of owners, each once, one a line
    #[arg(long, help_heading = HOW)]
    pub pids: bool,
    /// No heading
    #[arg(short = 'H', long = "no-header", help_heading = HOW)]
    pub no_header: bool,
    /// No queues
    #[arg(short = 'Q', long = "no-queues", help_heading = HOW)]
    pub no_queues: bool,
    /// One line per socket: what happens anyway
    #[arg(short = 'O', long, help_heading = HOW)]
    pub oneline: bool,
    /// Colours
    #[arg(long, value_name = "WHEN", value_enum, default_value_t, help_heading = HOW)]
    pub color: ColorWhen,
    /// No word on stderr about what is missing
    #[arg(long, help_heading = HOW)]
    pub quiet: bool,
    /// Exit 0 with rows, 1 without, 3 without but with an incomplete view
    #[arg(long, help_heading = HOW)]
    pub exit_status: bool,
    /// How owners are found
    #[arg(long, value_name = "HOW", value_enum, default_value_t, help_heading = HOW)]
    pub owners: OwnersBy,
    /// Say which tables are read, what the kernel filters, how owners are found, and how it went; no rows
    #[arg(long, help_heading = HOW)]
    pub explain_plan: bool,
    /// Read DIR instead of /proc, and ask nothing by netlink
    #[arg(long, value_name = "DIR", help_heading = HOW)]
    pub proc_root: Option<PathBuf>,
    /// Write everything that this run reads to FILE, for a bug report or a replay (docs/recording.md)
    #[arg(long, value_name = "FILE", help_heading = HOW)]
    pub record: Option<PathBuf>,
    /// Answer from FILE, made by --record or by -D, and look at nothing else
    #[arg(long, value_name = "FILE", help_heading = HOW)]
    pub replay: Option<PathBuf>,
    /// Write the kernel's messages about TCP sockets to FILE (- for standard output), and show nothing
    #[arg(short = 'D', long = "diag", value_name = "FILE", help_heading = HOW)]
    pub diag: Option<PathBuf>,
    /// Print the version
    #[arg(short = 'V', short_alias = 'v', long, action = ArgAction::Version, help_heading = HOW)]
    pub version: Option<bool>,

    /// Close the sockets that the filter matches, with SOCK_DESTROY: connections, unless a state is named. Shows them
    /// and asks first. Programs go on; they and their peers see a broken connection
    #[arg(short = 'K', long, help_heading = CLOSE, conflicts_with_all = [
        "jsonl", "csv", "table", "by", "limit", "pids", "color", "exit_status", "explain_plan", "proc_root", "diag",
    ])]
    pub kill: bool,
    /// With -K: do not ask
    #[arg(long, requires = "kill", help_heading = CLOSE)]
    pub yes: bool,
    /// With -K: show which, and close nothing
    #[arg(long, requires = "kill", help_heading = CLOSE)]
    pub dry_run: bool,

    /// Follow: print a line for each socket that opens, changes its state or closes, until interrupted
    #[arg(short = 'E', long, help_heading = FOLLOW, conflicts_with_all = [
        "kill", "csv", "table", "by", "sort", "pids", "color", "exit_status", "explain_plan", "proc_root", "diag",
    ])]
    pub events: bool,
    /// With -E: how often the tables are looked at for what opened and changed; 1s if nothing is said
    #[arg(long, value_name = "DURATION", value_parser = interval, requires = "events", help_heading = FOLLOW)]
    pub interval: Option<Duration>,

    /// In another network namespace: its name, a pid or a path; several with commas, or `all`
    #[arg(short = 'N', long, visible_alias = "net", value_name = "NETNS", help_heading = WHICH)]
    pub netns: Vec<String>,

    /// More of the filter from FILE, or with - from standard input; lines that begin with # are comments
    #[arg(short = 'F', long = "filter-file", value_name = "FILE", help_heading = WHICH)]
    pub filter_file: Option<PathBuf>,

    /// Which rows: 3000, :3000, nginx, 10.0.0.0/8, /run/app.sock, state established, dport = :443
    #[arg(value_name = "FILTER")]
    pub filter: Vec<String>,

    /// Options of ss that are refused for good.
    #[command(flatten)]
    pub refused: RefusedArgs,
}

const WHICH: &str = "Which sockets";
const WHAT: &str = "What to show of them";
const HOW: &str = "How to show it";
const FOLLOW: &str = "Following sockets";
const CLOSE: &str = "Closing sockets";

const AFTER_HELP: &str = "\
Without any of -t -u -w -x -S -M -0 --vsock --xdp -4 -6 -f -A -a -l -B and without a state: TCP and UDP, every state, with owners.

Examples:
  sockstat -tulpn             what listens here, and who owns it
  sockstat :3000              everything about port 3000
  sockstat nginx              the sockets of nginx
  sockstat -tan state close-wait
  sockstat -tulpn --json | jq '.sockets[].local_port'

Other systems have another command of this name: there, -p takes a port and -P a protocol. Here
`sockstat -p 80` shows port 80 with owners, and protocols are -t, -u, -w, -x.";
