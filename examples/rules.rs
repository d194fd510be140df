//! Measures the cost of reading the rules of the packet filter and predicting a connection: with many rules, with big
//! sets, and with rules that jump as much as the kernel allows. As root, in a network namespace of its own:
//!
//! ```sh
//! cargo build --release --example rules && sudo target/release/examples/rules
//! ```

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use rustix::thread::{UnshareFlags, unshare_unsafe};
use sockstat::command::read::network::{Predictor, facts};
use sockstat::diagnose::path::filter::journey::{Attempt, Client};
use sockstat::diagnose::path::filter::predict::Prediction;
use sockstat::model::packet_filter::Reading;
use sockstat::source::{packet_filter, system};

/// How often each thing is measured; the median counts.
const TIMES: usize = 7;

fn main() -> anyhow::Result<()> {
    // SAFETY: a network namespace of this thread's own concerns no memory, and there is no other thread yet.
    #[allow(unsafe_code, reason = "unshare(2)")]
    unsafe { unshare_unsafe(UnshareFlags::NEWNET) }.context("a network namespace of our own needs root")?;
    run("ip", &["link", "set", "lo", "up"], "")?;
    println!(
        "{:<28} {:>9} {:>9} {:>9}  prediction",
        "rules", "read", "predict", "memory"
    );
    for count in [10, 1_000, 10_000] {
        measure(
            &format!("{count} of nftables"),
            "nft",
            &["-f", "-"],
            &plain(count),
        )?;
    }
    for count in [1_000, 10_000] {
        run("nft", &["flush", "ruleset"], "")?;
        let restore = legacy(count);
        measure(
            &format!("{count} of iptables-legacy"),
            "iptables-legacy-restore",
            &[],
            &restore,
        )?;
    }
    run("iptables-legacy", &["-F"], "")?;
    measure("2 sets of 20,000", "nft", &["-f", "-"], &sets(2, 20_000))?;
    measure("a set of 1,000,000", "nft", &["-f", "-"], &sets(1, 1_000_000))?;
    measure("15 levels of jumps", "nft", &["-f", "-"], &jumps(15))
}

/// Rules that each look at the port, none of which matches.
fn plain(count: usize) -> String {
    let mut text = header();
    for at in 0..count {
        let _ = writeln!(
            text,
            "ip saddr 192.0.2.{} tcp dport {} drop",
            at % 256,
            10_000 + at % 50_000
        );
    }
    text + "}\n}\n"
}

fn legacy(count: usize) -> String {
    let mut text = "*filter\n:INPUT ACCEPT [0:0]\n".to_owned();
    for at in 0..count {
        let _ = writeln!(
            text,
            "-A INPUT -s 192.0.2.{} -p tcp --dport {} -j DROP",
            at % 256,
            10_000 + at % 50_000
        );
    }
    text + "COMMIT\n"
}

/// Sets of addresses that drop, none of which has the client's.
fn sets(count: usize, elements: usize) -> String {
    let mut text = header().replace("chain i", "SETS chain i");
    let mut sets = String::new();
    for set in 0..count {
        let _ = write!(sets, "set s{set} {{ type ipv4_addr; elements = {{ ");
        for at in 0..elements {
            let at = at + 1;
            let _ = write!(
                sets,
                "{}10.{}.{}.{}",
                if at > 1 { ", " } else { "" },
                at >> 16,
                at >> 8 & 255,
                at & 255
            );
        }
        sets.push_str(" }\n}\n");
        let _ = writeln!(text, "ip saddr @s{set} drop");
    }
    text.replace("SETS ", &sets) + "}\n}\n"
}

/// Chains that each jump three times to the next one.
fn jumps(levels: usize) -> String {
    let mut chains = String::new();
    for level in (1..levels).rev() {
        let next = if level + 1 < levels {
            format!("jump c{0}; jump c{0}; jump c{0};", level + 1)
        } else {
            "counter;".to_owned()
        };
        let _ = writeln!(chains, "chain c{level} {{ {next} }}");
    }
    header().replace("chain i", &format!("{chains}chain i")) + "jump c1; jump c1; jump c1;\n}\n}\n"
}

fn header() -> String {
    "flush ruleset\ntable inet t {\nchain i {\ntype filter hook input priority 0;\n".to_owned()
}

fn measure(name: &str, program: &str, arguments: &[&str], rules: &str) -> anyhow::Result<()> {
    run(program, arguments, rules)?;
    let attempt = Attempt {
        protocol: 6,
        client: Client::Here,
        server: SocketAddr::from(([127, 0, 0, 1], 80)),
        zone: None,
    };
    let (mut reads, mut predictions, mut said) = (Vec::new(), Vec::new(), String::new());
    for _ in 0..TIMES {
        let start = Instant::now();
        let Reading::Examined(filter) = packet_filter::read() else {
            bail!("the rules could not be read");
        };
        reads.push(start.elapsed());
        let system = system::read();
        let start = Instant::now();
        let mut predictor = Predictor::new(&filter, facts(&system));
        let both = [true, false].map(|open| predictor.predict(attempt, open));
        predictions.push(start.elapsed());
        said = match &both[0] {
            Prediction::Certain(end) => end.outcome.name().to_owned(),
            Prediction::Unknown(questions) => format!("unknown: {}", questions[0].about),
        };
    }
    println!(
        "{name:<28} {:>9} {:>9} {:>9}  {said}",
        milliseconds(median(reads)),
        milliseconds(median(predictions)),
        memory()?
    );
    Ok(())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1_000.0)
}

/// The peak memory of this process.
fn memory() -> anyhow::Result<String> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib: u64 = line
        .and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok())
        .context("no VmHWM")?;
    Ok(format!("{} MiB", kib / 1024))
}

fn run(program: &str, arguments: &[&str], input: &str) -> anyhow::Result<()> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .spawn()
        .with_context(|| program.to_owned())?;
    child
        .stdin
        .take()
        .context("no input")?
        .write_all(input.as_bytes())?;
    if !child.wait()?.success() {
        bail!("{program} {} failed", arguments.join(" "));
    }
    Ok(())
}
