//! Compares the kernel's iterator with the links in /proc, on processes, threads and pid namespaces created here.
//!
//! Where the kernel does not permit the iterator, each test reports the reason and checks nothing.

// A thread gets a file table of its own by a system call without a safe wrapper.
#![allow(unsafe_code)]
// Helpers of tests may unwrap as tests do.
#![allow(clippy::unwrap_used)]

#[path = "it/skip.rs"]
mod skip;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::path::Path;
use std::process::{self, Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;

use rustix::io::FdFlags;
use rustix::net::{AddressFamily, SocketType, ipproto, sockopt};

use sockstat::source::bpf::{
    Facts, Narrow, Record, Refusal, Stats, Wanted, holders, holders_of, visits_all_threads,
};

const ALL: Wanted = Wanted {
    listeners_only: false,
    narrow: Narrow::Any,
    facts: false,
};

/// Tells a test run inside a new pid namespace how deep it should find itself.
const EXPECTED_LEVEL: &str = "SOCKSTAT_TEST_PID_NAMESPACE_LEVEL";

/// (pid, tid, fd, inode) of a descriptor that is a socket.
type Holder = (u32, u32, u32, u32);

/// Returns all records. If the iterator cannot run here, prints the reason and returns `None`.
fn records(wanted: Wanted) -> Option<(Vec<Record>, Stats)> {
    let mut records = Vec::new();
    match holders(wanted, &mut |record| records.push(*record)) {
        Ok(stats) => {
            assert_eq!(stats.records, records.len() as u64);
            Some((records, stats))
        }
        Err(
            refusal @ (Refusal::NotPermitted(_)
            | Refusal::NoBtf(_)
            | Refusal::KernelTooOld(_)
            | Refusal::NoSockFromFile
            | Refusal::Lockdown),
        ) => {
            skip::skip(&refusal.to_string());
            None
        }
        Err(refusal) => panic!("{refusal}"),
    }
}

fn holder(record: &Record) -> Holder {
    (record.pid, record.tid, record.fd, record.inode)
}

/// How often two reads may differ because other tests in this process open and close sockets.
const ATTEMPTS: u32 = 1000;

/// The records of one process, which must be the same among all records and when only this process is requested. Before
/// Linux 6.7, that leaves threads out.
fn records_of(pid: u32) -> Option<BTreeSet<Holder>> {
    let mut last = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..ATTEMPTS {
        let (records, _) = records(ALL)?;
        let among_all: BTreeSet<_> = records
            .iter()
            .filter(|record| record.pid == pid)
            .map(holder)
            .collect();
        let mut alone = BTreeSet::new();
        let stats = holders_of(&[pid], ALL, &mut |record| {
            alone.insert(holder(record));
        });
        assert_eq!(stats.unwrap().records, alone.len() as u64);
        let comparable = |records: &BTreeSet<Holder>| -> BTreeSet<_> {
            let all = visits_all_threads();
            records
                .iter()
                .filter(|holder| all || holder.1 == 0)
                .copied()
                .collect()
        };
        if comparable(&alone) == comparable(&among_all) {
            return Some(among_all);
        }
        last = (alone, among_all);
    }
    panic!("alone and among all: {last:?}");
}

/// What the links in a directory of descriptors say; nothing if it is gone.
fn walk(directory: &Path, pid: u32, tid: u32) -> BTreeSet<Holder> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let link = fs::read_link(entry.path()).ok()?;
            let inode = link
                .to_str()?
                .strip_prefix("socket:[")?
                .strip_suffix(']')?
                .parse()
                .ok()?;
            Some((pid, tid, entry.file_name().to_str()?.parse().ok()?, inode))
        })
        .collect()
}

fn inode_of(socket: &impl AsRawFd) -> u32 {
    let link = fs::read_link(format!("/proc/self/fd/{}", socket.as_raw_fd())).unwrap();
    let text = link.to_str().unwrap();
    text.trim_start_matches("socket:[")
        .trim_end_matches(']')
        .parse()
        .unwrap()
}

/// A process that waits, and holds the descriptors that it inherited.
struct Waiting(Child);

impl Waiting {
    fn start(command: &mut Command) -> Self {
        Self(
            command
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .spawn()
                .unwrap(),
        )
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        // End of input ends `cat`, also one that is not our own child.
        drop(self.0.stdin.take());
        self.0.wait().unwrap();
    }
}

fn inherit(socket: impl AsFd) {
    rustix::io::fcntl_setfd(socket, FdFlags::empty()).unwrap();
}

#[test]
fn the_iterator_agrees_with_the_links_in_proc() {
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(tcp.local_addr().unwrap()).unwrap();
    let (accepted, _) = tcp.accept().unwrap();
    let udp = UdpSocket::bind("[::1]:0").unwrap();
    let (unix, other_unix) = UnixStream::pair().unwrap();
    let double = tcp.try_clone().unwrap();
    inherit(&tcp);
    inherit(&double);
    inherit(&client);
    inherit(&accepted);
    inherit(&udp);
    inherit(&unix);
    inherit(&other_unix);
    let child = Waiting::start(&mut Command::new("cat"));
    let pid = child.0.id();

    let Some(by_iterator) = records_of(pid) else {
        return;
    };
    let by_walk = walk(Path::new(&format!("/proc/{pid}/fd")), pid, 0);
    assert!(by_walk.len() >= 7, "{by_walk:?}");
    assert_eq!(by_iterator, by_walk);
}

#[test]
fn kinds_are_told_apart() {
    let listener = TcpListener::bind("[::1]:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let connected_udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    connected_udp.connect(udp.local_addr().unwrap()).unwrap();
    let (unix, _other) = UnixStream::pair().unwrap();
    let name = SocketAddr::from_abstract_name(format!("sockstat-{}", process::id())).unwrap();
    let unix_listener = UnixListener::bind_addr(&name).unwrap();
    let names = BTreeMap::from([
        (inode_of(&listener), "listener"),
        (inode_of(&client), "client"),
        (inode_of(&udp), "udp"),
        (inode_of(&connected_udp), "connected udp"),
        (inode_of(&unix), "unix"),
        (inode_of(&unix_listener), "unix listener"),
    ]);
    let seen = |listeners_only, narrow| -> Option<Vec<&str>> {
        let (records, _) = records(Wanted {
            listeners_only,
            narrow,
            facts: false,
        })?;
        let ours = records.iter().filter(|record| record.pid == process::id());
        let seen: BTreeSet<_> = ours
            .filter_map(|record| names.get(&record.inode).copied())
            .collect();
        Some(seen.into_iter().collect())
    };
    let Some(all) = seen(false, Narrow::Any) else {
        return;
    };
    assert_eq!(
        all,
        [
            "client",
            "connected udp",
            "listener",
            "udp",
            "unix",
            "unix listener"
        ]
    );
    let check = |listeners_only, narrow, expected: &[&str]| {
        assert_eq!(
            seen(listeners_only, narrow).unwrap(),
            expected,
            "{listeners_only} {narrow:?}"
        );
    };
    check(
        false,
        Narrow::Inet,
        &["client", "connected udp", "listener", "udp"],
    );
    check(false, Narrow::Tcp, &["client", "listener"]);
    check(false, Narrow::Udp, &["connected udp", "udp"]);
    check(false, Narrow::Unix, &["unix", "unix listener"]);
    check(true, Narrow::Any, &["listener", "udp", "unix listener"]);
    check(true, Narrow::Inet, &["listener", "udp"]);
    check(true, Narrow::Tcp, &["listener"]);
    check(true, Narrow::Udp, &["udp"]);
    check(true, Narrow::Unix, &["unix listener"]);
}

#[test]
fn facts_are_those_of_the_socket() {
    let socket = |family, kind| -> OwnedFd { rustix::net::socket(family, kind, None).unwrap() };
    let netns = u32::try_from(fs::metadata("/proc/thread-self/ns/net").unwrap().ino()).unwrap();
    let plain = Facts {
        netns,
        reuseaddr: false,
        reuseport: false,
        v6only: false,
    };

    let bare = socket(AddressFamily::INET, SocketType::STREAM);
    let reuseaddr = socket(AddressFamily::INET, SocketType::STREAM);
    sockopt::set_socket_reuseaddr(&reuseaddr, true).unwrap();
    let reuseport = socket(AddressFamily::INET6, SocketType::DGRAM);
    sockopt::set_socket_reuseport(&reuseport, true).unwrap();
    let dual = socket(AddressFamily::INET6, SocketType::STREAM);
    sockopt::set_ipv6_v6only(&dual, false).unwrap();
    let v6only = rustix::net::socket(AddressFamily::INET6, SocketType::STREAM, Some(ipproto::TCP)).unwrap();
    sockopt::set_ipv6_v6only(&v6only, true).unwrap();
    let all = socket(AddressFamily::INET6, SocketType::STREAM);
    sockopt::set_socket_reuseaddr(&all, true).unwrap();
    sockopt::set_socket_reuseport(&all, true).unwrap();
    sockopt::set_ipv6_v6only(&all, true).unwrap();

    let Some((records, _)) = records(Wanted { facts: true, ..ALL }) else {
        return;
    };
    let facts = |socket: &OwnedFd| {
        let inode = inode_of(socket);
        records
            .iter()
            .find(|record| record.inode == inode)
            .unwrap()
            .facts
            .unwrap()
    };
    assert_eq!(facts(&bare), plain);
    assert_eq!(
        facts(&reuseaddr),
        Facts {
            reuseaddr: true,
            ..plain
        }
    );
    assert_eq!(
        facts(&reuseport),
        Facts {
            reuseport: true,
            ..plain
        }
    );
    assert_eq!(facts(&dual), plain);
    assert_eq!(
        facts(&v6only),
        Facts {
            v6only: true,
            ..plain
        }
    );
    assert_eq!(
        facts(&all),
        Facts {
            netns,
            reuseaddr: true,
            reuseport: true,
            v6only: true
        }
    );
}

#[test]
fn a_thread_with_its_own_table_is_reported_with_its_tid() {
    let (tell, told) = mpsc::channel();
    let (end, ended) = mpsc::channel::<()>();
    let thread = thread::spawn(move || {
        // SAFETY: gives this thread a file table of its own and closes the copies in it; nothing in this thread uses
        // one.
        let done = unsafe { libc::close_range(3, u32::MAX, libc::CLOSE_RANGE_UNSHARE.cast_signed()) };
        assert_eq!(done, 0, "{}", std::io::Error::last_os_error());
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let link = fs::read_link(format!("/proc/thread-self/fd/{}", socket.as_raw_fd())).unwrap();
        let tid = rustix::thread::gettid().as_raw_nonzero().get().cast_unsigned();
        tell.send((tid, link)).unwrap();
        // Until the sender is dropped.
        let _ = ended.recv();
    });
    let (tid, link) = told.recv().unwrap();
    let pid = process::id();
    let by_walk = walk(Path::new(&format!("/proc/{pid}/task/{tid}/fd")), pid, tid);
    let by_iterator = records_of(pid);
    drop(end);
    thread.join().unwrap();

    let Some(by_iterator) = by_iterator else {
        return;
    };
    let inode: u32 = link
        .to_str()
        .unwrap()
        .trim_start_matches("socket:[")
        .trim_end_matches(']')
        .parse()
        .unwrap();
    assert!(by_walk.iter().any(|holder| holder.3 == inode));
    assert_eq!(
        by_iterator
            .iter()
            .filter(|holder| holder.1 == tid)
            .copied()
            .collect::<BTreeSet<_>>(),
        by_walk
    );
    let tids: BTreeSet<_> = by_iterator
        .iter()
        .filter(|holder| holder.3 == inode)
        .map(|holder| holder.1)
        .collect();
    assert_eq!(tids, BTreeSet::from([tid]), "the others do not hold it");
}

#[test]
fn a_process_in_a_nested_namespace_has_our_pid() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    inherit(&socket);
    let inode = inode_of(&socket);
    if records(ALL).is_none() {
        return;
    }
    let _outside = Waiting::start(Command::new("unshare").args(["--pid", "--fork", "cat"]));
    let walk_all = || -> BTreeSet<Holder> {
        let entries = fs::read_dir("/proc").unwrap().flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        pids.flat_map(|pid| walk(Path::new(&format!("/proc/{pid}/fd")), pid, 0))
            .filter(|h| h.3 == inode)
            .collect()
    };
    // Ourselves, unshare and cat; children of other tests may come and go.
    let mut last = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..ATTEMPTS {
        let before = walk_all();
        let (records, _) = records(ALL).unwrap();
        let by_iterator: BTreeSet<_> = records
            .iter()
            .filter(|r| r.inode == inode && r.tid == 0)
            .map(holder)
            .collect();
        if before.len() >= 3 && before == by_iterator {
            return;
        }
        last = (by_iterator, before);
    }
    panic!("iterator and walk: {last:?}");
}

#[test]
fn inside_a_pid_namespace_the_iterator_reports_its_pids() {
    let Some((_, stats)) = records(ALL) else {
        return;
    };
    let new_namespace = ["unshare", "--pid", "--fork", "--mount-proc"];
    // Deeper, with the mount of /proc that belongs to the namespace outside.
    let with_outer_proc = ["unshare", "--pid", "--fork"];
    let nestings: [(u32, Vec<&str>); 3] = [
        (1, new_namespace.to_vec()),
        (2, [new_namespace, new_namespace].concat()),
        (2, [new_namespace.as_slice(), with_outer_proc.as_slice()].concat()),
    ];
    for (depth, words) in nestings {
        let output = Command::new(words[0])
            .args(&words[1..])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "inside_a_pid_namespace", "--ignored", "--nocapture"])
            .env(EXPECTED_LEVEL, (stats.pid_namespace_level + depth).to_string())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && text.contains("1 passed"),
            "{words:?}: {output:?}"
        );
    }
}

#[test]
#[ignore = "another test runs it in a pid namespace of its own"]
fn inside_a_pid_namespace() {
    let level: u32 = std::env::var(EXPECTED_LEVEL).unwrap().parse().unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let (records, stats) = records(Wanted { facts: true, ..ALL }).unwrap();
    assert_eq!(stats.pid_namespace_level, level);
    let pid = process::id();
    let ours: BTreeSet<_> = records
        .iter()
        .filter(|record| record.pid == pid)
        .map(holder)
        .collect();
    assert!(
        ours.contains(&(pid, 0, socket.as_raw_fd().cast_unsigned(), inode_of(&socket))),
        "{ours:?}"
    );
    assert_eq!(ours, walk(Path::new("/proc/self/fd"), pid, 0));
    let pids: BTreeSet<_> = records.iter().map(|record| record.pid).collect();
    assert!(
        pids.iter().all(|&seen| seen <= pid),
        "numbers from outside: {pids:?}"
    );
}
