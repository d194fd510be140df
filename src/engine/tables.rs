//! Reads the tables of a request: with sock_diag or, where that is not available, from /proc/net.

use std::collections::BTreeSet;
use std::io;
use std::ops::ControlFlow;

use super::join::smc;
use super::seen::Seen;
use crate::model::gap::{BOUND_UNSEEN, FAMILY_MISSING, FAMILY_UNREAD, NOT_RECORDED};
use crate::model::request::Dump;
use crate::model::{Family, Gap, InetPair, Protocol, Socket, State, StateSet};
use crate::source::netlink::channel::{Channel, DumpError};
use crate::source::netlink::dump::{self, Emit};
use crate::source::proc::{ProcRoot, net};
use crate::source::{disk, machine};

/// Reads the tables of the caller's network namespace, and passes each socket to `emit` once. Tables under /proc are
/// not narrowed by a dump's condition. Returns what could not be read.
pub fn read_tables(dumps: &[Dump], emit: &mut Emit<'_>) -> Vec<Gap> {
    let mut tables = Tables::open(&ProcRoot::default());
    tables.read(dumps, emit);
    tables.gaps
}

/// Reads all tables of a capture, each socket once.
#[derive(Debug)]
pub(super) struct Tables {
    root: ProcRoot,
    channel: Option<Channel>,
    /// Channels that are no longer used. They may be among the netlink sockets that were read, and their owner is found
    /// only while they are open.
    spent: Vec<Channel>,
    /// The errno for which there is no channel. Reported once per affected protocol.
    refused: Option<i32>,
    /// The names in /proc/net/protocols, read when first needed.
    protocols: Option<String>,
    /// What is missing, or was read by a fallback.
    pub(super) gaps: Vec<Gap>,
}

impl Tables {
    /// Opens the netlink socket, unless --proc-root is given: the files below it may be from another kernel.
    pub(super) fn open(root: &ProcRoot) -> Self {
        let mut tables = Self {
            root: root.clone(),
            channel: None,
            spent: Vec::new(),
            refused: None,
            protocols: None,
            gaps: Vec::new(),
        };
        if root.is_given() {
            let message = format!(
                "read only from the tables below {}: no cookies, interfaces, backlogs, or TCP sockets that are only bound",
                root.path().display()
            );
            tables.gaps.push(Gap::loss("proc-root", message));
        } else if root.is_of_netlink() {
            tables.reopen();
        }
        tables
    }

    fn reopen(&mut self) {
        self.spent.extend(self.channel.take());
        match Channel::open() {
            Ok(channel) => self.channel = Some(channel),
            Err(DumpError::Channel(errno) | DumpError::Kernel(errno)) => self.refused = Some(errno),
            Err(DumpError::Lost | DumpError::Stopped | DumpError::NotRecorded) => {}
        }
    }

    /// Returns what is missing, and every channel that was used.
    pub(super) fn into_parts(self) -> (Vec<Gap>, Vec<Channel>) {
        let mut channels = self.spent;
        channels.extend(self.channel);
        (self.gaps, channels)
    }

    /// Reads every dump in turn and passes its sockets to `emit`, each socket once.
    pub(super) fn read(&mut self, dumps: &[Dump], emit: &mut Emit<'_>) {
        let mut seen = Seen::default();
        for dump in dumps {
            let mut stopped = false;
            self.read_one(dump, &mut |sockets| {
                let flow = emit_new(&mut seen, sockets, emit);
                stopped = flow.is_break();
                flow
            });
            if stopped {
                return;
            }
        }
    }

    fn read_one(&mut self, dump: &Dump, emit: &mut Emit<'_>) {
        if dump.may_load_a_module() && !self.kernel_has(dump.protocol) {
            self.gaps.push(missing(dump.protocol));
            return;
        }
        // ICMP sockets have no diag handler on any kernel.
        if self.root.is_given() || dump.protocol == Protocol::Icmp {
            self.read_proc(dump, None, emit);
            return;
        }
        let Some(channel) = &mut self.channel else {
            self.read_proc(dump, self.refused, emit);
            return;
        };
        if dump.may_have_bound() && !lists_bound_sockets() {
            let message = "bound TCP sockets that do not listen are reported only by Linux 6.8 or newer";
            self.gaps.push(Gap::loss(BOUND_UNSEEN, message));
        }
        let result = match dump.protocol {
            Protocol::Smc => run_smc(channel, dump, emit),
            _ => dump::run(channel, dump, emit),
        };
        if let Some(errno) = channel.filter_refused.take() {
            let reason = io::Error::from_raw_os_error(errno);
            let message = format!(
                "the kernel refused all or part of the filter for {} sockets ({reason}): sockstat checks it",
                dump.protocol.name()
            );
            self.gaps.push(Gap::note("filter-refused", message));
        }
        match result {
            Ok(()) => {}
            Err(DumpError::Stopped) => self.channel = None,
            Err(DumpError::Kernel(errno) | DumpError::Channel(errno)) => {
                self.read_proc(dump, Some(errno), emit);
                // The rest of the reply must not reach the next dump.
                self.reopen();
            }
            Err(DumpError::NotRecorded) => {
                let message = format!(
                    "the recording lacks some of the requested {} sockets",
                    dump.protocol.name()
                );
                let remedy = "record a run with the same options";
                let loss = Gap::loss(NOT_RECORDED, message).of(dump.protocol);
                self.gaps.push(loss.with_remedy(remedy));
            }
            Err(DumpError::Lost) => {
                let message = format!(
                    "the kernel's list of {} sockets is incomplete",
                    dump.protocol.name()
                );
                let loss = Gap::loss("dump-incomplete", message).of(dump.protocol);
                self.gaps.push(loss.with_remedy("run sockstat again"));
                self.reopen();
            }
        }
    }

    /// Reads the tables under /proc/net. `refused` is the errno of sock_diag, if it was tried.
    fn read_proc(&mut self, dump: &Dump, refused: Option<i32>, emit: &mut Emit<'_>) {
        let name = dump.protocol.name();
        match net::read(&self.root, dump, emit) {
            Ok(tables) if tables.read == 0 => {
                let gap = self.unlisted(dump, refused);
                self.gaps.push(gap);
            }
            Ok(tables) => {
                if let Some(errno) = refused {
                    let reason = io::Error::from_raw_os_error(errno);
                    let message =
                        format!("{name} sockets read from /proc/net: sock_diag does not answer ({reason})");
                    self.gaps.push(Gap::note("proc-fallback", message));
                    if dump.may_have_bound() {
                        let message = "bound TCP sockets that do not listen are missing from /proc/net/tcp";
                        self.gaps.push(Gap::loss(BOUND_UNSEEN, message));
                    }
                }
                if tables.odd_lines > 0 {
                    let message = format!("cannot parse {} lines of the {name} table", tables.odd_lines);
                    let loss = Gap::loss("odd-lines", message).of(dump.protocol);
                    self.gaps.push(loss.with_count(tables.odd_lines.into()));
                }
            }
            Err(error) => {
                let mut message = format!("cannot read {name} sockets from /proc/net: {error}");
                if let Some(errno) = refused {
                    message = format!("{message}; sock_diag: {}", io::Error::from_raw_os_error(errno));
                }
                self.gaps
                    .push(Gap::loss("table-unreadable", message).of(dump.protocol));
            }
        }
    }

    /// No table at all: a family that the kernel lacks is a note. One that it has but does not list is a loss.
    fn unlisted(&mut self, dump: &Dump, refused: Option<i32>) -> Gap {
        let lacks = matches!(
            refused,
            None | Some(
                libc::ENOENT | libc::EINVAL | libc::EOPNOTSUPP | libc::EAFNOSUPPORT | libc::EPROTONOSUPPORT
            )
        );
        let protocol = dump.protocol;
        if self.root.is_given() && self.protocols().is_empty() && is_in_every_kernel(protocol) {
            let message = format!(
                "cannot read {} sockets: there is no table for them below {}",
                protocol.name(),
                self.root.path().display()
            );
            return Gap::loss("table-unreadable", message);
        }
        let in_use = match protocol {
            // There is no count of vsock sockets. If they were requested by name, they count as in use.
            Protocol::Vsock => dump.named && self.kernel_has(protocol),
            // Nor of TIPC sockets, but their module is loaded only by being used.
            Protocol::Tipc => line_of(self.protocols(), "TIPC").is_some(),
            _ => self.has_sockets(protocol),
        };
        if lacks && !in_use {
            return missing(protocol);
        }
        let name = protocol.name();
        let reason = refused.map_or_else(String::new, |errno| {
            format!(" ({})", io::Error::from_raw_os_error(errno))
        });
        let message = format!(
            "the kernel has {name} sockets but does not list them: sock_diag does not answer{reason}"
        );
        match diag_option(protocol) {
            Some(option) => Gap::loss(FAMILY_UNREAD, message)
                .of(protocol)
                .with_remedy(format!("needs a kernel with {option}")),
            None => Gap::loss("table-unreadable", message).of(protocol),
        }
    }

    /// Returns whether a protocol is registered, or may be because that cannot be read.
    fn kernel_has(&mut self, protocol: Protocol) -> bool {
        let names = registered_names(protocol);
        let lines = self.protocols();
        names.is_empty() || lines.is_empty() || names.iter().any(|name| line_of(lines, name).is_some())
    }

    /// Returns whether the lines of a protocol count sockets in this network namespace.
    fn has_sockets(&mut self, protocol: Protocol) -> bool {
        let lines = self.protocols();
        let count = |name: &&str| {
            line_of(lines, name)?
                .split_whitespace()
                .nth(2)?
                .parse::<i64>()
                .ok()
        };
        registered_names(protocol)
            .iter()
            .filter_map(count)
            .any(|count| count > 0)
    }

    fn protocols(&mut self) -> &str {
        let path = self.root.net("protocols");
        self.protocols
            .get_or_insert_with(|| disk::read_to_string(path).unwrap_or_default())
    }
}

/// Returns whether the kernel has loaded a protocol that can be missing.
pub(super) fn is_loaded(root: &ProcRoot, protocol: Protocol) -> bool {
    let lines = disk::read_to_string(root.net("protocols")).unwrap_or_default();
    let names = registered_names(protocol);
    names.iter().any(|name| line_of(&lines, name).is_some())
}

fn line_of<'a>(protocols: &'a str, name: &str) -> Option<&'a str> {
    protocols
        .lines()
        .find(|line| line.split_whitespace().next() == Some(name))
}

/// The names of a protocol in /proc/net/protocols, for protocols that can be missing.
const fn registered_names(protocol: Protocol) -> &'static [&'static str] {
    match protocol {
        Protocol::Udplite => &["UDP-Lite"],
        Protocol::Raw => &["RAW"],
        Protocol::Mptcp => &["MPTCP"],
        Protocol::Sctp => &["SCTP"],
        Protocol::Dccp => &["DCCP", "DCCPv6"],
        Protocol::Vsock => &["AF_VSOCK"],
        Protocol::Xdp => &["XDP"],
        Protocol::Tipc => &["TIPC"],
        Protocol::Smc => &["SMC", "SMC6"],
        Protocol::Packet => &["PACKET"],
        Protocol::Netlink => &["NETLINK"],
        Protocol::Tcp | Protocol::Udp | Protocol::Icmp | Protocol::Unix | Protocol::Other => &[],
    }
}

/// The kernel option that is needed to list a protocol's sockets, for protocols that many kernels have without it.
const fn diag_option(protocol: Protocol) -> Option<&'static str> {
    match protocol {
        Protocol::Dccp => Some("CONFIG_INET_DCCP_DIAG"),
        Protocol::Tipc => Some("CONFIG_TIPC_DIAG"),
        Protocol::Smc => Some("CONFIG_SMC_DIAG"),
        _ => None,
    }
}

/// Reads SMC sockets. All of them are collected first (there are few), because their IP family may follow only from the
/// whole dump or from TCP sockets.
fn run_smc(channel: &mut Channel, dump: &Dump, emit: &mut Emit<'_>) -> Result<(), DumpError> {
    let mut sockets = Vec::new();
    let result = dump::run(channel, dump, &mut |batch| {
        sockets.extend_from_slice(batch);
        ControlFlow::Continue(())
    });
    let mut wildcards = BTreeSet::new();
    if sockets
        .iter()
        .filter_map(Socket::inet)
        .any(InetPair::has_no_address)
        && let Ok(mut other) = Channel::open()
    {
        let waiting = StateSet::of_all(&[State::Listen, State::Bound]);
        // If it fails, the wildcards count as IPv4.
        let _ = dump::run(&mut other, &Dump::new(Protocol::Tcp, waiting), &mut |batch| {
            wildcards.extend(smc::wildcards(batch));
            ControlFlow::Continue(())
        });
    }
    smc::resolve_families(&mut sockets, &wildcards);
    sockets.retain(|socket| match socket.family {
        Family::Inet => dump.v4,
        _ => dump.v6,
    });
    if !sockets.is_empty() && emit(&mut sockets).is_break() {
        return Err(DumpError::Stopped);
    }
    result
}

/// Whether any kernel with networking has this protocol.
const fn is_in_every_kernel(protocol: Protocol) -> bool {
    matches!(protocol, Protocol::Tcp | Protocol::Udp | Protocol::Unix)
}

/// Returns whether the kernel supports the pseudo-state of bound sockets; older ones silently ignore its bit.
fn lists_bound_sockets() -> bool {
    machine::kernel_is_at_least(6, 8)
}

fn missing(protocol: Protocol) -> Gap {
    Gap::note(
        FAMILY_MISSING,
        format!("this kernel has no {} sockets", protocol.name()),
    )
    .of(protocol)
}

/// Passes on the sockets that were not seen before, after moving them to the front in order.
fn emit_new(seen: &mut Seen, sockets: &mut [Socket], emit: &mut Emit<'_>) -> ControlFlow<()> {
    let mut kept = 0;
    for index in 0..sockets.len() {
        let cookie = sockets
            .get(index)
            .and_then(Socket::identity)
            .map_or(0, |(_, cookie)| cookie.get());
        if seen.insert(cookie) {
            if kept != index {
                sockets.swap(kept, index);
            }
            kept += 1;
        }
    }
    match sockets.get_mut(..kept) {
        Some(new) if kept > 0 => emit(new),
        _ => ControlFlow::Continue(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{ESTABLISHED, Proc, TcpSocket, codes, dump_of, file, listener, tcp};
    use super::*;
    use crate::source::tape::format::{Kind, Record};
    use crate::source::tape::testing::{record, replaying};

    const TABLE: &str = "head\n0: 0100007F:0050 00000000:0000 0A 0:0 0:0 0 0 0 80 1\nnonsense\n";

    /// The ports that these dumps yield, and the codes of the gaps.
    fn read(root: &ProcRoot, dumps: &[Dump], flow: ControlFlow<()>) -> (Vec<u16>, Vec<&'static str>) {
        let mut ports = Vec::new();
        let mut tables = Tables::open(root);
        tables.read(dumps, &mut |sockets| {
            ports.extend(sockets.iter().map(|socket| socket.inet().unwrap().local_port));
            flow
        });
        (ports, codes(&tables.gaps))
    }

    fn on_tape(records: Vec<Record>, dumps: &[Dump]) -> (Vec<u16>, Vec<&'static str>) {
        replaying(records, || {
            read(&ProcRoot::default(), dumps, ControlFlow::Continue(()))
        })
    }

    fn refused(errno: i32) -> Record {
        record(Kind::Fact, "sock_diag", &errno)
    }

    #[test]
    fn a_socket_comes_once_by_its_cookie_whatever_table_it_is_in() {
        let again = TcpSocket {
            state: ESTABLISHED,
            ..listener(80)
        };
        let nameless = TcpSocket {
            cookie: 0,
            ..listener(90)
        };
        let sockets = [listener(80), again, nameless, nameless, listener(91)];
        let dump = tcp(&[State::Listen, State::Established]);
        let (ports, gaps) = on_tape(vec![dump_of(&sockets, true)], &[dump.clone(), dump]);
        assert_eq!((ports, gaps), (vec![80, 90, 90, 91, 90, 90], vec![]));
    }

    #[test]
    fn a_batch_without_new_sockets_is_not_passed_on() {
        let mut seen = Seen::default();
        let mut asked = 0;
        let mut sockets = [Socket::BLANK];
        sockets[0].cookie = std::num::NonZeroU64::new(7);
        for _ in 0..2 {
            let flow = emit_new(&mut seen, &mut sockets, &mut |_| {
                asked += 1;
                ControlFlow::Break(())
            });
            assert_eq!(flow.is_break(), asked == 1 && seen.insert(8));
        }
        assert_eq!(asked, 1);
    }

    #[test]
    fn after_break_no_further_table_is_read() {
        let dump = tcp(&[State::Listen]);
        let nameless = TcpSocket {
            cookie: 0,
            ..listener(80)
        };
        let found = replaying(vec![dump_of(&[nameless], true)], || {
            read(
                &ProcRoot::default(),
                &[dump.clone(), dump.clone()],
                ControlFlow::Break(()),
            )
        });
        assert_eq!(found, (vec![80], vec![]));
    }

    #[test]
    fn a_reply_that_is_truncated_or_not_recorded_is_a_loss() {
        let dump = [tcp(&[State::Listen])];
        let cut = on_tape(vec![dump_of(&[listener(80)], false)], &dump);
        assert_eq!(cut, (vec![80], vec!["dump-incomplete"]));
        assert_eq!(on_tape(vec![], &dump), (vec![], vec!["not-recorded"]));
    }

    #[test]
    fn a_kernel_that_hides_bound_sockets_is_known_by_its_release() {
        let gaps = |release: &str, states: &[State]| {
            let kernel = record(Kind::Fact, "kernel", &release.to_owned());
            on_tape(vec![kernel, dump_of(&[], true)], &[tcp(states)]).1
        };
        let bound = [State::Bound];
        assert_eq!(gaps("6.7.12-generic", &bound), ["bound-unseen"]);
        assert_eq!(gaps("5.10.0", &bound), ["bound-unseen"]);
        assert_eq!(gaps("6.7.12-generic", &[State::Listen]), [""; 0]);
        for release in ["6.8.0", "6.10.1", "7.0", "unheard-of"] {
            assert_eq!(gaps(release, &bound), [""; 0], "{release}");
        }
        let kernel = record(Kind::Fact, "kernel", &"6.1.0".to_owned());
        let with_a_peer = Dump {
            peer_port: Some(443),
            ..tcp(&bound)
        };
        let (_, gaps) = on_tape(vec![kernel, dump_of(&[], true)], &[with_a_peer]);
        assert_eq!(gaps, [""; 0], "a bound socket has no peer");
    }

    #[test]
    fn tables_under_proc_replace_netlink_where_it_is_refused() {
        let table = || file("/proc/thread-self/net/tcp", TABLE);
        let dump = [tcp(&[State::Listen])];
        let found = on_tape(vec![refused(libc::EPERM), table()], &dump);
        assert_eq!(found, (vec![80], vec!["proc-fallback", "odd-lines"]));
        let dump = [tcp(&[State::Listen, State::Bound])];
        let (_, gaps) = on_tape(vec![refused(libc::EPERM), table()], &dump);
        assert_eq!(gaps, ["proc-fallback", "bound-unseen", "odd-lines"]);
    }

    #[test]
    fn a_family_is_missing_only_if_the_kernel_shows_no_sign_of_it() {
        let protocols = |sockets: i32| {
            let text = format!("protocol size sockets\nSCTP 9 {sockets}\nAF_VSOCK 9 -1\n");
            file("/proc/thread-self/net/protocols", &text)
        };
        let gaps = |errno, protocols, protocol, named| {
            let dump = Dump {
                named,
                ..Dump::new(protocol, StateSet::ALL)
            };
            on_tape(vec![refused(errno), protocols], &[dump]).1
        };
        let (sctp, vsock) = (Protocol::Sctp, Protocol::Vsock);
        assert_eq!(gaps(libc::ENOENT, protocols(0), sctp, true), ["family-missing"]);
        assert_eq!(gaps(libc::ENOENT, protocols(2), sctp, true), ["table-unreadable"]);
        assert_eq!(gaps(libc::EPERM, protocols(0), sctp, true), ["table-unreadable"]);
        assert_eq!(
            gaps(libc::ENOENT, protocols(0), vsock, true),
            ["table-unreadable"]
        );
        assert_eq!(gaps(libc::ENOENT, protocols(0), vsock, false), ["family-missing"]);
        let dccp = |sockets: i32| {
            let text = format!("protocol size sockets\nDCCPv6 9 {sockets}\nDCCP 9 0\n");
            file("/proc/thread-self/net/protocols", &text)
        };
        for (sockets, code) in [(1, "family-unread"), (0, "family-missing")] {
            assert_eq!(gaps(libc::ENOENT, dccp(sockets), Protocol::Dccp, false), [code]);
        }
        // Not named: a protocol that the kernel lacks is not asked for, as that could load its module.
        let none = file(
            "/proc/thread-self/net/protocols",
            "protocol size sockets\nTCP 9 1\n",
        );
        assert_eq!(gaps(libc::EPERM, none, sctp, false), ["family-missing"]);
    }

    #[test]
    fn a_copy_of_proc_is_read_without_netlink() {
        let proc = Proc::new("tables").tcp(&[listener(80)]);
        let root = ProcRoot::given(proc.path().to_owned());
        let found = replaying(vec![], || read(&root, &[], ControlFlow::Continue(())));
        assert_eq!(found, (vec![], vec!["proc-root"]));
        let (ports, gaps) = read(&root, &[tcp(&[State::Listen])], ControlFlow::Continue(()));
        assert_eq!((ports, gaps), (vec![80], vec!["proc-root"]));
        let empty = ProcRoot::given(Proc::new("no-tables").path().to_owned());
        let (ports, gaps) = read(&empty, &[tcp(&[State::Listen])], ControlFlow::Continue(()));
        assert_eq!((ports, gaps), (vec![], vec!["proc-root", "table-unreadable"]));
    }
}
