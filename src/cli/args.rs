//! The options. Letters and meanings are those of ss; new options have letters that ss leaves free, or long names.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Parser, ValueEnum};
use clap_complete::Shell;

use super::cmdline::Cmdline;
use super::duration::interval;
use super::owners::OwnersBy;
use super::refused::RefusedArgs;

/// The whole command line, with subcommands: the source of help, man page and completions.
#[derive(Debug, Parser)]
#[command(
    name = "sockstat",
    version,
    about = "Show sockets and the programs that hold them",
    after_help = AFTER_HELP,
    override_usage = "sockstat [OPTIONS] [FILTER...]\n       sockstat COMMAND [OPTIONS] [WORDS...]",
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

/// What a run can do instead of listing.
#[derive(Debug, clap::Subcommand)]
pub enum Subcommand {
    /// Explain why a port cannot be bound
    Why(super::WhyArgs),
    /// Explain whether a client can connect
    Reach(super::ReachArgs),
    /// Print ports that can be bound now
    Free(super::FreeArgs),
    /// Wait for a listener to come or go
    Wait(super::WaitArgs),
    /// Terminate the holder of a port
    Kill(super::KillArgs),
    /// Follow sockets opening and closing
    Events(super::EventsArgs),
    /// Watch sockets on a live screen
    #[cfg(feature = "watch")]
    Watch(super::WatchArgs),
    /// Print a snapshot as JSON Lines
    Snapshot(super::SnapshotArgs),
    /// Print counts for Prometheus
    Metrics(super::MetricsArgs),
    /// List the fields of a row
    Columns,
    /// Print the JSON Schema of --json
    Schema,
    /// Print a completion script
    Completions {
        /// Shell to print it for
        #[arg(required_unless_present = "values")]
        shell: Option<Shell>,
        /// Print candidates for the last of WORDS, as the scripts request
        #[arg(long, hide = true)]
        values: bool,
        /// A command line, the program's name first
        #[arg(last = true, hide = true)]
        words: Vec<String>,
    },
    /// Print the man page
    Man,
    /// Print help for a command
    Help {
        /// Command to explain, or `filter` [default: list all commands]
        command: Option<String>,
    },
}

impl Cli {
    /// Returns whether the command line requests a listing, and no other action.
    pub fn lists(&self) -> bool {
        self.command.is_none() && !self.list.kill && !self.list.events && !self.list.summary
    }
}

/// When to use colour.
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
    override_usage = "sockstat [OPTIONS] [FILTER...]\n       sockstat COMMAND [OPTIONS] [WORDS...]",
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
    /// DCCP (until Linux 6.15)
    #[arg(short = 'd', long, help_heading = WHICH)]
    pub dccp: bool,
    /// Packet (link layer)
    #[arg(short = '0', long, help_heading = WHICH)]
    pub packet: bool,
    /// Virtual machines (vsock)
    #[arg(long, help_heading = WHICH)]
    pub vsock: bool,
    /// XDP
    #[arg(long, help_heading = WHICH)]
    pub xdp: bool,
    /// TIPC
    #[arg(long, help_heading = WHICH)]
    pub tipc: bool,
    /// SMC (shared memory over RDMA or within the machine)
    #[arg(long, help_heading = WHICH)]
    pub smc: bool,
    /// Multipath TCP
    #[arg(short = 'M', long, help_heading = WHICH)]
    pub mptcp: bool,
    /// IPv4 only; with -6, both
    #[arg(short = '4', long, help_heading = WHICH)]
    pub ipv4: bool,
    /// IPv6 only
    #[arg(short = '6', long, help_heading = WHICH)]
    pub ipv6: bool,
    /// Address family, repeatable: inet, inet6, unix, link, netlink, vsock, xdp,
    /// tipc
    #[arg(short, long, value_name = "FAMILY", help_heading = WHICH)]
    pub family: Vec<String>,
    /// Tables, comma-separated (!TABLE excludes one): all, inet, tcp, mptcp, udp, udplite, raw, icmp, sctp, dccp, unix,
    /// unix_stream, unix_dgram, unix_seqpacket, packet, packet_raw, packet_dgram, netlink, vsock, vsock_stream, vsock_dgram,
    /// xdp, tipc, smc
    #[arg(short = 'A', long = "query", visible_alias = "socket", value_name = "LIST", help_heading = WHICH)]
    pub tables: Vec<String>,
    /// All states
    #[arg(short, long, overrides_with_all = ["listening", "bound"], help_heading = WHICH)]
    pub all: bool,
    /// Listening sockets, and unconnected ones if the protocol has no listeners
    #[arg(short, long, overrides_with_all = ["all", "bound"], help_heading = WHICH)]
    pub listening: bool,
    /// Bound TCP sockets that neither listen nor connect (Linux 6.8 or newer)
    #[arg(short = 'B', long = "bound-inactive", overrides_with_all = ["all", "listening"], help_heading = WHICH)]
    pub bound: bool,

    /// Programs that hold each socket
    #[arg(short, long, help_heading = WHAT)]
    pub processes: bool,
    /// Threads with their own file table, too; implies -p
    #[arg(short = 'T', long, help_heading = WHAT)]
    pub threads: bool,
    /// Security contexts of programs (SELinux, AppArmor, Smack); implies -p
    #[arg(short = 'Z', long, help_heading = WHAT)]
    pub context: bool,
    /// Security contexts of programs and sockets; implies -p
    #[arg(short = 'z', long, help_heading = WHAT)]
    pub contexts: bool,
    /// User, inode, cookie, mark, cgroup, shutdown; implies -o
    #[arg(short, long, help_heading = WHAT)]
    pub extended: bool,
    /// Summary of counts, memory, limits and losses; with tables or a filter, before the listing
    #[arg(short, long, help_heading = WHAT)]
    pub summary: bool,
    /// Filter programs of packet sockets (needs CAP_NET_ADMIN); implies -o
    #[arg(short = 'b', long, help_heading = WHAT)]
    pub bpf: bool,
    /// Timers
    #[arg(short = 'o', long, help_heading = WHAT)]
    pub options: bool,
    /// Memory use and limits of each socket
    #[arg(short, long, help_heading = WHAT)]
    pub memory: bool,
    /// TCP internals: round trips, windows, rates, losses, congestion control
    #[arg(short, long, help_heading = WHAT)]
    pub info: bool,
    /// Type of service, traffic class, and class or priority
    #[arg(long, help_heading = WHAT)]
    pub tos: bool,
    /// TIPC details (with the columns of ss): type, congestion, drops, services
    #[arg(long, help_heading = WHAT)]
    pub tipcinfo: bool,
    /// Cgroup of the task that created the socket
    #[arg(long, help_heading = WHAT)]
    pub cgroup: bool,
    /// Options set on the socket
    #[arg(long, help_heading = WHAT)]
    pub inet_sockopt: bool,
    /// Numeric addresses and ports (the default)
    #[arg(short, long, overrides_with = "resolve", help_heading = WHAT)]
    pub numeric: bool,
    /// Resolve host and service names
    #[arg(short, long, overrides_with = "numeric", help_heading = WHAT)]
    pub resolve: bool,

    /// Print one JSON document
    #[arg(short, long, overrides_with_all = ["jsonl", "csv", "table", "plain"], help_heading = HOW)]
    pub json: bool,
    /// Print one JSON object per line, as rows arrive
    #[arg(long, overrides_with_all = ["json", "csv", "table", "plain"], help_heading = HOW)]
    pub jsonl: bool,
    /// Print comma-separated values (RFC 4180), as rows arrive
    #[arg(long, overrides_with_all = ["json", "jsonl", "table", "plain"], help_heading = HOW)]
    pub csv: bool,
    /// Always print the table, even into a pipe
    #[arg(long, overrides_with_all = ["json", "jsonl", "csv", "plain"], help_heading = HOW)]
    pub table: bool,
    /// Never cut or drop columns of the table to fit the terminal
    #[arg(long, help_heading = HOW)]
    pub wide: bool,
    /// Always print the columns of ss, even on a terminal
    #[arg(long, overrides_with_all = ["json", "jsonl", "csv", "table"], help_heading = HOW)]
    pub plain: bool,
    /// Show exactly these fields, comma-separated, in any output format
    #[arg(long, value_name = "FIELDS", help_heading = HOW)]
    pub columns: Vec<String>,
    /// Show these fields as well
    #[arg(long, value_name = "FIELDS", help_heading = HOW)]
    pub add: Vec<String>,
    /// Hide these fields
    #[arg(long, value_name = "FIELDS", help_heading = HOW)]
    pub hide: Vec<String>,
    /// Sort by these fields, with :desc for largest first; `default` is the order of the table
    #[arg(long, value_name = "FIELDS", help_heading = HOW)]
    pub sort: Vec<String>,
    /// Count rows by these fields instead of listing them; peer_address/24 groups by subnet
    #[arg(long, value_name = "FIELDS", help_heading = HOW)]
    pub by: Vec<String>,
    /// Print at most N rows or groups
    #[arg(long, value_name = "N", help_heading = HOW)]
    pub limit: Option<usize>,
    /// Print only the process ids of owners, each once, one per line
    #[arg(long, help_heading = HOW)]
    pub pids: bool,
    /// Print the programs' arguments; redacted masks what follows names such as password, and credentials in URLs
    #[arg(long, value_name = "HOW", value_enum, default_value_t, help_heading = HOW)]
    pub cmdline: Cmdline,
    /// Omit the heading
    #[arg(short = 'H', long = "no-header", help_heading = HOW)]
    pub no_header: bool,
    /// Omit the queues
    #[arg(short = 'Q', long = "no-queues", help_heading = HOW)]
    pub no_queues: bool,
    /// Print one line per socket (the default)
    #[arg(short = 'O', long, help_heading = HOW)]
    pub oneline: bool,
    /// Use colour
    #[arg(long, value_name = "WHEN", value_enum, default_value_t, global = true, help_heading = HOW)]
    pub color: ColorWhen,
    /// Suppress warnings about missing data
    #[arg(long, global = true, help_heading = HOW)]
    pub quiet: bool,
    /// Exit with 0 if there are rows, 1 if there are none, 3 if there are none and the view is incomplete
    #[arg(long, help_heading = HOW)]
    pub exit_status: bool,
    /// How to find owners
    #[arg(long, value_name = "HOW", value_enum, default_value_t, global = true, hide = true, help_heading = HOW)]
    pub owners: OwnersBy,
    /// Show which tables are read, what the kernel filters and how owners are found, instead of rows
    #[arg(long, help_heading = HOW)]
    pub explain_plan: bool,
    /// Read DIR instead of /proc, without netlink
    #[arg(long, value_name = "DIR", global = true, help_heading = HOW)]
    pub proc_root: Option<PathBuf>,
    /// Save to FILE everything that this run reads, for a bug report or --replay
    #[arg(long, value_name = "FILE", global = true, help_heading = HOW)]
    pub record: Option<PathBuf>,
    /// Read only FILE, written by --record or -D
    #[arg(long, value_name = "FILE", global = true, help_heading = HOW)]
    pub replay: Option<PathBuf>,
    /// With --replay of a recorded live screen: time to show (UTC), such as 11:58:02 or 2026-11-30T11:58:02Z
    #[arg(long, value_name = "TIME", global = true, requires = "replay", help_heading = HOW)]
    pub at: Option<String>,
    /// Dump TCP sockets to FILE (- for standard output) in the format of ss -D, and print no rows
    #[arg(short = 'D', long = "diag", value_name = "FILE", help_heading = HOW)]
    pub diag: Option<PathBuf>,
    /// Print the version
    #[arg(short = 'V', short_alias = 'v', long, action = ArgAction::Version, help_heading = HOW)]
    pub version: Option<bool>,

    /// Close matching connections in the kernel (SOCK_DESTROY), after asking; programs keep running
    #[arg(short = 'K', long, help_heading = CLOSE, conflicts_with_all = [
        "jsonl", "csv", "by", "limit", "pids", "exit_status", "explain_plan", "proc_root", "diag",
    ])]
    pub kill: bool,
    /// With -K: skip the question
    #[arg(long, requires = "kill", help_heading = CLOSE)]
    pub yes: bool,
    /// With -K: show matching sockets without closing them
    #[arg(long, requires = "kill", help_heading = CLOSE)]
    pub dry_run: bool,

    /// Follow sockets as they open, change state and close, until interrupted
    #[arg(short = 'E', long, help_heading = FOLLOW, conflicts_with_all = [
        "kill", "csv", "by", "sort", "pids", "exit_status", "explain_plan", "proc_root", "diag",
    ])]
    pub events: bool,
    /// With -E: time between two reads of the tables [default: 1s]
    #[arg(long, value_name = "DURATION", value_parser = interval, requires = "events", help_heading = FOLLOW)]
    pub interval: Option<Duration>,

    /// Network namespaces, comma-separated: names, pids or paths, or `all`
    #[arg(short = 'N', long, visible_alias = "net", value_name = "NETNS", help_heading = WHICH)]
    pub netns: Vec<String>,

    /// Append FILE to the filter (- for standard input); # starts a comment line
    #[arg(short = 'F', long = "filter-file", value_name = "FILE", help_heading = WHICH)]
    pub filter_file: Option<PathBuf>,

    /// Rows to select: 3000, :3000, nginx, 10/8, /run/app.sock, dport = :443; see `sockstat help filter`
    #[arg(value_name = "FILTER")]
    pub filter: Vec<String>,

    /// Options of ss that are refused.
    #[command(flatten)]
    pub refused: RefusedArgs,
}

const WHICH: &str = "Which sockets";
const WHAT: &str = "What to show";
const HOW: &str = "How to show it";
const FOLLOW: &str = "Following sockets";
const CLOSE: &str = "Closing sockets";

const AFTER_HELP: &str = "\
Without any of -t -u -w -x -S -M -0 --vsock --xdp -4 -6 -f -A -a -l -B and
without a state, the selection is TCP and UDP in all states, with owners.

Examples:
  sockstat -tulpn             what listens here, and who owns it
  sockstat :3000              everything about port 3000
  sockstat nginx              everything that nginx has open
  sockstat -tan state close-wait
  sockstat -tulpn --json | jq '.sockets[].local_port'
  sockstat -- wait            a program with the name of a command

On other systems, a different sockstat takes ports with -p and protocols with
-P. Here `sockstat -p 80` shows port 80 with owners; protocols are -t -u -w -x.";
