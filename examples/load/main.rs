//! Holds many idle TCP connections for benchmarks: half of the sockets are client ends, half server ends, distributed
//! over processes, in a network namespace of its own.
//!
//! It prints `ready PID NETNS_INODE SOCKETS` when everything is up, and holds it until its standard input ends; the
//! processes it started end with it. SOCKETS counts established TCP sockets, not listeners, TIME-WAIT or unix sockets.
//!
//! As root it creates the namespace directly, and `--uid` then switches to that user. Started by an ordinary user, it
//! creates a user namespace first. It opens no connection outside the namespace, and sends no data on those it holds.

mod netns;
mod plan;
mod time_wait;
mod worker;

use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;
use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};

/// Holds N TCP sockets over P processes in a network namespace of its own, until standard input ends.
#[derive(Parser, Debug)]
#[command(name = "load")]
pub(crate) struct Args {
    /// TCP sockets to hold (two for each connection)
    #[arg(long, default_value_t = 10_000)]
    sockets: u64,
    /// Processes that share them
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    processes: u32,
    /// Percent of the connections that are IPv4
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u8).range(0..=100))]
    v4: u8,
    /// Percent that are IPv6
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=100))]
    v6: u8,
    /// Percent that are IPv4 on IPv6 sockets (`::ffff:127.x.y.z`)
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=100))]
    mapped: u8,
    /// TIME-WAIT sockets in addition, renewed before they expire
    #[arg(long, default_value_t = 0)]
    time_wait: u32,
    /// Listening sockets, on ports from 10000 up
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(0..=10_000))]
    listeners: u16,
    /// Connected pairs of unix sockets
    #[arg(long, default_value_t = 0)]
    unix: u64,
    /// Give all server ends, and so half of all TCP sockets, this local port
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    one_port: Option<u16>,
    /// Become this user (and the group of the same number) once the namespace is made
    #[arg(long)]
    uid: Option<u32>,
    /// Internal: the number of this process among those that the first one starts
    #[arg(long, hide = true)]
    worker: Option<u32>,
    /// Internal: run as the process that keeps the TIME-WAIT sockets
    #[arg(long, hide = true)]
    keeper: bool,
}

impl Args {
    fn load(&self) -> plan::Load {
        plan::Load {
            tcp_pairs: self.sockets / 2,
            unix_pairs: self.unix,
            processes: u64::from(self.processes),
            listeners: u64::from(self.listeners),
            v4_percent: u64::from(self.v4),
            v6_percent: u64::from(self.v6),
        }
    }

    /// The local port of the server ends of one process.
    fn server_port(&self, worker: u32) -> u16 {
        let spread = u32::from(self.listeners.max(1));
        let offset = u16::try_from(worker % spread).unwrap_or(0);
        self.one_port.unwrap_or(plan::FIRST_PORT + offset)
    }
}

fn main() -> Result<()> {
    let args = Args::parse();
    if args.keeper {
        return time_wait::keep(args.time_wait);
    }
    match args.worker {
        Some(worker) => {
            let held = worker::hold(&args, worker)?;
            wait_for_the_end()?;
            drop(held);
            Ok(())
        }
        None => lead(&args),
    }
}

/// Reports that this process has finished setting up, and waits for its parent to release it.
fn wait_for_the_end() -> Result<()> {
    println!("up");
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

fn lead(args: &Args) -> Result<()> {
    ensure!(
        args.sockets.is_multiple_of(2),
        "--sockets must be even: every connection has two"
    );
    let percent = u32::from(args.v4) + u32::from(args.v6) + u32::from(args.mapped);
    ensure!(
        percent == 100,
        "--v4, --v6 and --mapped add up to {percent}, they must make 100"
    );
    let descriptors = raise_descriptor_limit()?;
    plan::fits(&args.load(), descriptors)?;

    let began = Instant::now();
    let free_before_mb = free_memory_mb();
    netns::enter(args.uid)?;
    netns::widen(args)?;
    netns::become_user(args.uid)?;

    let mut workers = Vec::new();
    for worker in 0..args.processes {
        workers.push(start(&format!("--worker={worker}"))?);
    }
    if args.time_wait > 0 {
        workers.push(start("--keeper")?);
    }
    for worker in &mut workers {
        let mut line = String::new();
        if let Some(stdout) = worker.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        if line != "up\n" {
            bail!("a process of the load failed while it opened its sockets; its message is above");
        }
    }
    let listeners = open_listeners(args)?;

    let netns_inode = std::fs::metadata("/proc/self/ns/net")?.ino();
    eprintln!(
        "load: up in {:.2} s, {} MB of memory taken",
        began.elapsed().as_secs_f64(),
        free_before_mb.saturating_sub(free_memory_mb())
    );
    println!("ready {} {netns_inode} {}", std::process::id(), args.sockets);
    std::io::stdout().flush()?;
    std::io::stdin().read_to_end(&mut Vec::new())?;

    drop(listeners);
    for worker in &mut workers {
        drop(worker.stdin.take());
    }
    for mut worker in workers {
        worker.wait()?;
    }
    Ok(())
}

/// Starts this program again in one of its inner roles.
fn start(role: &str) -> Result<Child> {
    Command::new("/proc/self/exe")
        .args(std::env::args_os().skip(1))
        .arg(role)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start a process of the load ({role}); try fewer --processes"))
}

/// The leader holds the listeners, like the master process of a server. They come last: until then, the other processes
/// listen on the same ports, each at its own addresses.
fn open_listeners(args: &Args) -> Result<Vec<OwnedFd>> {
    let kind = if args.v4 > 0 {
        plan::Kind::V4
    } else {
        plan::Kind::V6
    };
    (0..args.listeners)
        .map(|offset| {
            let port = plan::FIRST_PORT + offset;
            worker::listener(kind, worker::wildcard(kind, port))
                .with_context(|| format!("cannot listen on port {port} of the new namespace"))
        })
        .collect()
}

/// Raises the soft limit of descriptors to the hard one, and returns it.
fn raise_descriptor_limit() -> Result<u64> {
    let maximum = getrlimit(Resource::Nofile).maximum;
    let limit = Rlimit {
        current: maximum,
        maximum,
    };
    setrlimit(Resource::Nofile, limit).context("cannot raise the soft limit of open files")?;
    Ok(maximum.unwrap_or(u64::MAX))
}

/// Ends this process when its parent dies, however that happens.
pub(crate) fn die_with_parent() -> Result<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    Ok(())
}

/// `MemAvailable` of /proc/meminfo in MB, 0 when it cannot be read.
fn free_memory_mb() -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    text.lines()
        .find_map(|line| {
            line.strip_prefix("MemAvailable:")?
                .split_whitespace()
                .next()?
                .parse::<u64>()
                .ok()
        })
        .map_or(0, |kib| kib / 1024)
}
