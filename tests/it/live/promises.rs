//! Checks what docs/privileges.md says sockstat never does against the system calls of its commands.

use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;

use super::sockets::Sockets;
use super::trace::{Call, Traced, unescaped};

/// What a run may do that others may not.
#[derive(Clone, Copy, PartialEq, Eq)]
enum May {
    /// Open a handle (`O_PATH`) on another process's descriptor, for one attribute.
    AskAttributes,
    /// Copy another process's descriptor, and make a trial bind.
    Probe,
    /// Make one connection.
    Connect,
    /// Connect a datagram socket to a unix socket's file.
    ConnectToStale,
    /// Write files.
    Write,
    /// Query the resolver.
    Resolve,
}

/// Every command; `{dir}` is the directory of the sockets.
const RUNS: &[(&[&str], &[May])] = &[
    (&["-tulpn"], &[]),
    (&["-tulpneimo", "--json"], &[]),
    (&["-a", "-p"], &[May::AskAttributes]),
    (&["-axpzZ", "--table"], &[May::AskAttributes]),
    (&["-tulpn", "--owners", "proc", "--csv"], &[]),
    (&["-N", "all", "-tulpn"], &[]),
    (&["-tulr"], &[May::Resolve]),
    (&["-s"], &[]),
    (&["-tl", "--by", "user"], &[]),
    (&["-tl", "--explain-plan"], &[]),
    (&["--proc-root", "/proc", "-tulpn"], &[]),
    (&["why", "4000"], &[May::Probe]),
    (&["why", "--reuseaddr", "4002"], &[May::Probe]),
    (&["why", "--no-probe", "-j", "4003"], &[May::Probe]),
    (&["why", "{dir}/listens"], &[]),
    (&["why", "{dir}/stale"], &[May::ConnectToStale]),
    (&["reach", "127.0.0.1:4000"], &[]),
    (&["reach", "192.0.2.1:80"], &[]),
    (&["reach", "--try", "127.0.0.1:4000"], &[May::Connect]),
    (&["reach", "{dir}/stale"], &[May::ConnectToStale]),
    (&["free", "4000-4010", "--count", "2"], &[]),
    (&["wait", "4000"], &[]),
    (
        &["wait", "--gone", "--timeout", "0s", "4000", "{dir}/listens"],
        &[],
    ),
    (&["kill", "--dry-run", "4000"], &[]),
    (&["kill", "4000"], &[]),
    (&["-K", "--dry-run", "state", "all"], &[]),
    (&["-K", "state", "all"], &[]),
    (&["snapshot", "-N", "all"], &[]),
    (&["metrics"], &[]),
    (&["metrics", "--output", "{dir}/written-as-well"], &[May::Write]),
    (&["completions", "--values", "--", "sockstat", "why", ""], &[]),
    (&["--record", "{dir}/written", "-tlp"], &[May::Write]),
    (&["--replay", "{dir}/written", "-tlp"], &[]),
    (&["-ta", "-D", "{dir}/written-too"], &[May::Write]),
];

/// A sentence of docs/privileges.md, and a function that returns a complaint if a call violates it.
struct Promise {
    words: &'static str,
    breaks: fn(&Traced, &[May], &Call) -> bool,
}

const PROMISES: &[Promise] = &[
    Promise {
        words: "It never opens another process's descriptor, nor looks through one",
        breaks: touches_a_descriptor,
    },
    Promise {
        words: "`-z` and `-a -p` are the exception, for one attribute each and without opening anything",
        breaks: |_, may, call| call.name.ends_with("xattr") && !may.contains(&May::AskAttributes),
    },
    Promise {
        words: "and so is [`why`](why.md#how-it-knows) where a reuse option decides.",
        breaks: |_, may, call| call.is(&["pidfd_getfd"]) && !may.contains(&May::Probe),
    },
    Promise {
        words: "It writes no files except those that `--record`, `-D` and `metrics --output` name.",
        breaks: writes_a_file,
    },
    Promise {
        words: "It asks for no protocol that is not in use, unless you name it.",
        breaks: requests_an_unused_protocol,
    },
    Promise {
        words: "It never asks for a password and never starts `sudo`.",
        breaks: starts_or_asks,
    },
    Promise {
        words: "It sends nothing to the network, except that the system's resolver is asked for the host names that you type \
                and, with `-r`, for the names of addresses.",
        breaks: sends,
    },
    Promise {
        words: "`reach --try` makes one connection.",
        breaks: |run, may, call| {
            let connects = |call: &Call| call.is(&["connect"]) && of_the_network(run, call, "SOCK_STREAM");
            let count = || run.calls.iter().filter(|call| connects(call)).count();
            connects(call) && !(may.contains(&May::Connect) && count() == 1)
        },
    },
    Promise {
        words: "`why` and `reach` connect a datagram socket of their own to a unix socket's file if no visible socket has \
                it. That shows whether the file is stale, and sends nothing.",
        breaks: connects_to_a_unix_socket,
    },
    Promise {
        words: "It sends no signal and closes no socket until you agree: `kill` and `-K` ask on a terminal, and need `--yes` \
                elsewhere.",
        breaks: |run, _, call| {
            // To xfrm, the number of SOCK_DESTROY is a question (XFRM_MSG_GETPOLICY).
            let to_xfrm = run
                .socket_of(call)
                .is_some_and(|made| made.contains("NETLINK_XFRM"));
            signals(call) || !to_xfrm && call.has(&["SOCK_DESTROY", "nlmsg_type=0x15"])
        },
    },
];

/// The process of a path that leads through one of its descriptors: `/proc/PID/fd/N`, also by a thread.
fn holder(path: &str) -> Option<&str> {
    let (process, rest) = path.strip_prefix("/proc/")?.split_once('/')?;
    let rest = match rest.strip_prefix("task/") {
        Some(of_thread) => of_thread.split_once('/')?.1,
        None => rest,
    };
    rest.strip_prefix("fd/")
        .filter(|number| !number.is_empty())
        .map(|_| process)
}

/// Whether a call does more with another process's descriptor than read its link.
fn touches_a_descriptor(run: &Traced, may: &[May], call: &Call) -> bool {
    if !call.has(&["fd"]) {
        return false;
    }
    let own = ["self", "thread-self", &run.pid.to_string()];
    let is_foreign = |path: &String| holder(path).is_some_and(|process| !own.contains(&process));
    if !call.paths().iter().any(is_foreign) {
        return false;
    }
    let is_of_link = call.is(&["readlink", "readlinkat", "lstat"]) || call.has(&["AT_SYMLINK_NOFOLLOW"]);
    let is_handle = call.is(&["openat"]) && call.has(&["O_PATH"]) && may.contains(&May::AskAttributes);
    !is_of_link && !is_handle
}

fn writes_a_file(run: &Traced, may: &[May], call: &Call) -> bool {
    let is_named = |path: &str| {
        let words = run.arguments.iter().filter(|_| may.contains(&May::Write));
        words
            .into_iter()
            .any(|word| path.starts_with(word.as_str()) && word.starts_with('/'))
    };
    if call.is(&["open", "openat", "openat2", "creat"]) {
        let to_write = [
            "O_WRONLY",
            "O_RDWR",
            "O_CREAT",
            "O_TRUNC",
            "O_APPEND",
            "O_TMPFILE",
        ];
        return (call.is(&["creat"]) || call.has(&to_write))
            && !call.paths().iter().any(|path| is_named(path));
    }
    if call.is(&[
        "write",
        "writev",
        "pwrite64",
        "pwritev",
        "pwritev2",
        "sendfile",
        "splice",
        "ftruncate",
        "fallocate",
    ]) {
        let on = call.open_on().unwrap_or_default();
        let to_nobodys_file = ["pipe:", "socket:", "anon_inode:"]
            .iter()
            .any(|kind| on.starts_with(kind));
        return !to_nobodys_file && !is_named(on);
    }
    let changes = [
        "mkdir",
        "mknod",
        "rename",
        "unlink",
        "rmdir",
        "link",
        "symlink",
        "chmod",
        "fchmod",
        "chown",
        "fchown",
        "lchown",
        "truncate",
        "setxattr",
        "lsetxattr",
        "fsetxattr",
        "removexattr",
        "utimensat",
        "mount",
        "umount2",
    ];
    let name = call.name.trim_end_matches('2').trim_end_matches("at");
    let binds_a_file = call.is(&["bind"]) && call.has(&["sun_path=\""]);
    (changes.contains(&name) || changes.contains(&call.name.as_str()) || binds_a_file)
        && !call.paths().iter().any(|path| is_named(path))
        && !call.open_on().is_some_and(is_named)
}

/// Whether /proc/net/protocols has a protocol.
fn is_in_use(protocol: &str) -> bool {
    let table = std::fs::read_to_string("/proc/net/protocols").unwrap();
    table.lines().any(|line| line.split(' ').next() == Some(protocol))
}

/// The name in /proc/net/protocols of the protocol that a message to sock_diag requests.
fn asked(call: &Call) -> Option<String> {
    static DECODED: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new("family=(AF_[A-Z0-9]+), (?:sdiag_protocol=(?:IPPROTO_)?([A-Z0-9]+))?").unwrap()
    });
    static RAW: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"nlmsg_type=0x14 [^"]*"((?:[^"\\]|\\.)*)""#).unwrap());
    let name = if call.has(&["nlmsg_type=SOCK_DIAG_BY_FAMILY"]) {
        let found = DECODED.captures(&call.arguments)?;
        let protocol = found.get(2).map(|protocol| protocol.as_str());
        match (&found[1], protocol) {
            ("AF_INET" | "AF_INET6", Some("UDPLITE")) => "UDP-Lite",
            // MPTCP has no number of its own there.
            ("AF_INET" | "AF_INET6", Some("IP" | "0")) => "MPTCP",
            ("AF_INET" | "AF_INET6", Some(protocol)) => protocol,
            ("AF_VSOCK", _) => "AF_VSOCK",
            (family, _) => family.trim_start_matches("AF_"),
        }
        .to_owned()
    } else {
        let bytes = unescaped(&RAW.captures(&call.arguments)?[1]);
        match (bytes.first()?, bytes.get(1)?) {
            (2 | 10, 6) => "TCP",
            (2 | 10, 17) => "UDP",
            (2 | 10, 136) => "UDP-Lite",
            (2 | 10, 255) => "RAW",
            (2 | 10, 132) => "SCTP",
            (2 | 10, 33) => "DCCP",
            (2 | 10, 0) => "MPTCP",
            (1, _) => "UNIX",
            (16, _) => "NETLINK",
            (17, _) => "PACKET",
            (30, _) => "TIPC",
            (40, _) => "AF_VSOCK",
            (43, _) => "SMC",
            (44, _) => "XDP",
            _ => "what this test does not know",
        }
        .to_owned()
    };
    Some(name)
}

fn requests_an_unused_protocol(_: &Traced, _: &[May], call: &Call) -> bool {
    if call.is(&["init_module", "finit_module"]) {
        return true;
    }
    // The kernel loads the module of a family or protocol that somebody requests.
    if call.is(&["socket", "socketpair"]) {
        let families = ["AF_UNIX", "AF_INET", "AF_INET6"];
        let netlink = ["NETLINK_SOCK_DIAG", "NETLINK_ROUTE"];
        // The packet filter is in use once this exists.
        let has_filter = Path::new("/proc/net/netfilter").exists() && call.has(&["NETLINK_NETFILTER"]);
        // So is IPsec, once the kernel has a netlink socket for it.
        let sockets = std::fs::read_to_string("/proc/net/netlink").unwrap();
        let mut protocols = sockets.lines().filter_map(|line| line.split_whitespace().nth(1));
        let has_ipsec = call.has(&["NETLINK_XFRM"]) && protocols.any(|protocol| protocol == "6");
        let family = call.arguments.split(',').next().unwrap_or_default();
        let is_netlink = family == "AF_NETLINK" && (call.has(&netlink) || has_filter || has_ipsec);
        return !families.contains(&family) && !is_netlink;
    }
    call.is(&["sendto", "sendmsg"]) && asked(call).is_some_and(|name| !is_in_use(&name))
}

fn starts_or_asks(run: &Traced, _: &[May], call: &Call) -> bool {
    let started = |call: &Call| call.is(&["execve", "execveat"]);
    let forks = call.is(&["fork", "vfork"]) || call.is(&["clone", "clone3"]) && !call.has(&["CLONE_THREAD"]);
    let asks = call.has(&["/dev/tty"]) || call.is(&["read"]) && call.arguments.starts_with("0<");
    let one_more = started(call) && run.calls.iter().filter(|call| started(call)).count() > 1;
    forks || asks || one_more
}

/// Whether a call is about an IP socket, or another one that can reach other machines, created by a socket(2) with this
/// word.
fn of_the_network(run: &Traced, call: &Call, word: &str) -> bool {
    run.socket_of(call).is_some_and(|made| {
        let here = ["AF_NETLINK", "AF_UNIX"]
            .iter()
            .any(|family| made.starts_with(family));
        !here && made.contains(word)
    })
}

fn sends(run: &Traced, may: &[May], call: &Call) -> bool {
    let sending = [
        "sendto", "sendmsg", "sendmmsg", "write", "writev", "sendfile", "splice", "listen",
    ];
    call.is(&sending) && of_the_network(run, call, "") && !may.contains(&May::Resolve)
}

fn connects_to_a_unix_socket(run: &Traced, may: &[May], call: &Call) -> bool {
    let Some(made) = run.socket_of(call).filter(|made| made.starts_with("AF_UNIX")) else {
        return false;
    };
    // The C library queries nscd first.
    let is_cache = call.has(&["/nscd/socket"]);
    let asked = call.paths().iter().any(|path| run.arguments.contains(path));
    let is_probe = may.contains(&May::ConnectToStale) && made.contains("SOCK_DGRAM") && asked;
    match call.name.as_str() {
        "connect" => !is_cache && !is_probe,
        "sendto" | "sendmsg" | "sendmmsg" => !may.contains(&May::Resolve),
        _ => false,
    }
}

fn signals(call: &Call) -> bool {
    let names = [
        "kill",
        "tkill",
        "tgkill",
        "pidfd_send_signal",
        "rt_sigqueueinfo",
        "rt_tgsigqueueinfo",
    ];
    // Signal 0 only checks whether a process exists.
    call.is(&names) && call.has(&["SIG"])
}

/// Text with one blank between words.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn every_promise_in_the_documentation_has_a_check() {
    let page =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/privileges.md")).unwrap();
    let (_, list) = page.split_once("## What sockstat never does").unwrap();
    let list = flat(list);
    for promise in PROMISES {
        assert!(
            list.contains(&flat(promise.words)),
            "no longer promised: {}",
            promise.words
        );
    }
    for item in list.split("- ").filter(|item| !item.trim().is_empty()) {
        let held = PROMISES.iter().any(|promise| item.contains(&flat(promise.words)));
        assert!(held, "promised, and held by no test: {item}");
    }
}

fn broken(run: &Traced, may: &[May]) -> Vec<String> {
    let broken = |call: &Call| {
        PROMISES
            .iter()
            .filter(|promise| (promise.breaks)(run, may, call))
            .map(|promise| promise.words)
            .next()
    };
    let lines = run
        .calls
        .iter()
        .filter_map(|call| Some(format!("{}: {call}\n    but \"{}\"", run.line(), broken(call)?)));
    lines.collect()
}

const SPECS: &[&str] = &[
    "tcp-listen:port=4000",
    "tcp-listen:port=4002,reuseaddr=1",
    "time-wait:port=4003",
    "tcp-pair",
    "udp",
    "bare",
    "unix-listen:path={dir}/listens",
    "unix-pair",
];

#[test]
fn no_command_breaks_a_promise() {
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    let directory = sockets.directory().to_str().unwrap().to_owned();
    let stale = sockets.directory().join("stale");
    drop(std::os::unix::net::UnixDatagram::bind(&stale).unwrap());
    let mut found = Vec::new();
    for (arguments, may) in RUNS {
        let arguments: Vec<_> = arguments
            .iter()
            .map(|word| word.replace("{dir}", &directory))
            .collect();
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let Some(run) = Traced::run(&sockets, &arguments) else {
            return;
        };
        assert!(
            matches!(run.ran.status, Some(0..=3)),
            "{}: {}",
            run.line(),
            run.ran.stderr
        );
        assert!(
            !run.ran.stderr.starts_with("error: "),
            "{}: {}",
            run.line(),
            run.ran.stderr
        );
        found.extend(broken(&run, may));
        let is_certain = |may: &May| !matches!(may, May::Probe | May::Resolve);
        if may.iter().any(is_certain) {
            assert!(!broken(&run, &[]).is_empty(), "{} needs no exception", run.line());
        }
    }
    let Some(run) = Traced::run_until(&sockets, &["events", "-tup"], Some("reading the tables every")) else {
        return;
    };
    found.extend(broken(&run, &[]));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_trace_of_a_run_that_was_agreed_to_shows_the_signal() {
    let Some(sockets) = Sockets::make(&["tcp-listen:port=4000"]) else {
        return;
    };
    let Some(run) = Traced::run(&sockets, &["kill", "--yes", "--signal", "KILL", "4000"]) else {
        return;
    };
    let sent: Vec<_> = run.calls.iter().filter(|call| signals(call)).collect();
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert!(
        sent[0].is(&["pidfd_send_signal"]) && sent[0].has(&["SIGKILL"]),
        "{}",
        sent[0]
    );
    assert_eq!(broken(&run, &[]).len(), 1, "{:?}", broken(&run, &[]));
}
