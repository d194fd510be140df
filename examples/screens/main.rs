//! Measures live screens side by side on the same sockets: processor time, memory, bytes to the terminal, and the time
//! to the first screen.
//!
//! It starts the `load` example, and then each program in turn on a terminal of its own in the load's network
//! namespace, as root. With `--opens` it also opens and closes this many connections per second there.
//!
//! ```sh
//! target/release/examples/screens --sizes 20000,100000 --opens 50 \
//!     'target/release/sockstat watch' "watch -n1 'ss -tanp | head -40'" bandwhich
//! ```

use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Measures live screens on many sockets.
#[derive(Parser, Debug)]
#[command(name = "screens")]
struct Args {
    /// TCP sockets of each load
    #[arg(long, value_delimiter = ',', default_values_t = [20_000, 100_000])]
    sizes: Vec<u64>,
    /// Processes that share them
    #[arg(long, default_value_t = 100)]
    processes: u32,
    /// Connections to open and close each second
    #[arg(long, default_value_t = 0)]
    opens: u32,
    /// Seconds to measure each program, after its first screen
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    /// Keys to press, to measure how soon the cursor moves; `-` for programs that do not mark a row with `>`
    #[arg(long, default_value_t = 0)]
    keys: u32,
    /// Columns and rows of the terminal
    #[arg(long, value_delimiter = ',', default_values_t = [120, 40])]
    terminal: Vec<u16>,
    /// Command lines, for the shell
    #[arg(required = true)]
    programs: Vec<String>,
}

/// The measurements of one program.
struct Measured {
    first_ms: u128,
    cpu_ms_per_s: f64,
    memory_kb: u64,
    bytes_per_s: u64,
    /// The median and the 99th percentile; `None` if no key was pressed, or none moved a cursor.
    key_ms: Option<(u128, u128)>,
}

fn main() -> Result<()> {
    let args = Args::parse();
    println!(
        "{:>8}  {:>6}  {:>9}  {:>9}  {:>9}  {:>9}  {:>11}  program",
        "sockets", "opens", "first ms", "cpu ms/s", "memory kB", "bytes/s", "key ms, p99"
    );
    for size in &args.sizes {
        let mut load = Load::start(*size, args.processes)?;
        let ports = ports(load.pid)?;
        let stop = Arc::new(AtomicBool::new(false));
        let churn = (args.opens > 0).then(|| churn(load.pid, args.opens, Arc::clone(&stop)));
        for program in &args.programs {
            let measured = measure(&args, load.pid, program)?;
            let keys = match measured.key_ms {
                Some((median, most)) => format!("{median}, {most}"),
                None => "-".to_owned(),
            };
            println!(
                "{size:>8}  {:>6}  {:>9}  {:>9.1}  {:>9}  {:>9}  {keys:>11}  {program}",
                args.opens,
                measured.first_ms,
                measured.cpu_ms_per_s,
                measured.memory_kb,
                measured.bytes_per_s
            );
        }
        drop(ports);
        stop.store(true, Ordering::Relaxed);
        if let Some(churn) = churn {
            churn
                .join()
                .ok()
                .context("the thread that opens connections failed")??;
        }
        load.end()?;
    }
    Ok(())
}

/// The sockets.
struct Load {
    child: Child,
    pid: u32,
}

impl Load {
    fn start(sockets: u64, processes: u32) -> Result<Self> {
        let own = std::env::current_exe()?;
        let mut child = Command::new(own.with_file_name("load"))
            .args(["--sockets", &sockets.to_string()])
            .args(["--processes", &processes.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the load example")?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("no output")?).read_line(&mut line)?;
        let pid = line.split_whitespace().nth(1).and_then(|pid| pid.parse().ok());
        let pid = pid.with_context(|| format!("the load example says: {line}"))?;
        Ok(Self { child, pid })
    }

    fn end(&mut self) -> Result<()> {
        drop(self.child.stdin.take());
        self.child.wait()?;
        Ok(())
    }
}

/// Listeners in the namespace of a process, as every machine has some: the load has none once its connections are made.
fn ports(pid: u32) -> Result<Vec<TcpListener>> {
    let thread = std::thread::spawn(move || -> Result<Vec<TcpListener>> {
        let namespace = fs::File::open(format!("/proc/{pid}/ns/net"))?;
        move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?;
        let listeners = (0..8).map(|_| TcpListener::bind("127.0.0.1:0"));
        Ok(listeners.collect::<std::io::Result<_>>()?)
    });
    thread.join().ok().context("the thread that listens failed")?
}

/// Opens and closes connections in the namespace of a process, evenly spread.
fn churn(pid: u32, opens: u32, stop: Arc<AtomicBool>) -> std::thread::JoinHandle<Result<()>> {
    std::thread::spawn(move || {
        let namespace = fs::File::open(format!("/proc/{pid}/ns/net"))?;
        move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let pause = Duration::from_secs(1) / opens;
        while !stop.load(Ordering::Relaxed) {
            let client = TcpStream::connect(address)?;
            let (server, _) = listener.accept()?;
            std::thread::sleep(pause);
            drop((client, server));
        }
        Ok(())
    })
}

/// Runs one program on a terminal, and measures it.
fn measure(args: &Args, pid: u32, program: &str) -> Result<Measured> {
    let &[columns, rows] = args.terminal.as_slice() else {
        anyhow::bail!("--terminal takes columns and rows");
    };
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    let name = ptsname(&master, Vec::new())?.into_string()?;
    tcsetwinsize(
        &master,
        Winsize {
            ws_row: rows,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        },
    )?;
    let slave = || -> Result<Stdio> { Ok(OpenOptions::new().read(true).write(true).open(&name)?.into()) };
    let begun = Instant::now();
    let mut child = Command::new("nsenter")
        .args(["-t", &pid.to_string(), "-n", "setsid", "-c", "sh", "-c"])
        .arg(format!("exec {program}"))
        .env("TERM", "xterm-256color")
        .env("LC_ALL", "C.UTF-8")
        .stdin(slave()?)
        .stdout(slave()?)
        .stderr(slave()?)
        .spawn()
        .context("cannot start nsenter")?;
    let mut screen = Terminal {
        master,
        parser: vt100::Parser::new(
            rows.try_into().context("rows")?,
            columns.try_into().context("columns")?,
            0,
        ),
        bytes: 0,
    };
    while !screen.is_full() {
        ensure!(
            begun.elapsed() < Duration::from_secs(60) && child.try_wait()?.is_none(),
            "no screen of {program}: {}",
            screen.parser.screen().contents()
        );
        screen.read(Duration::from_millis(5))?;
    }
    let first_ms = begun.elapsed().as_millis();
    // One-time work at the start does not count.
    let settled = Instant::now() + Duration::from_secs(3);
    while Instant::now() < settled {
        screen.read(Duration::from_millis(50))?;
    }
    let (before, bytes, start) = (cpu_ms(child.id())?, screen.bytes, Instant::now());
    while start.elapsed() < Duration::from_secs(args.seconds) {
        screen.read(Duration::from_millis(50))?;
    }
    let seconds = start.elapsed().as_secs_f64();
    #[allow(clippy::cast_precision_loss, reason = "milliseconds of some seconds")]
    let cpu = (cpu_ms(child.id())? - before) as f64;
    let mut measured = Measured {
        first_ms,
        key_ms: None,
        cpu_ms_per_s: cpu / seconds,
        memory_kb: memory_kb(child.id())?,
        bytes_per_s: (screen.bytes - bytes) / args.seconds.max(1),
    };
    if args.keys > 0 {
        measured.key_ms = press(&mut screen, args.keys)?;
    }
    rustix::io::write(&screen.master, b"q")?;
    let until = Instant::now() + Duration::from_secs(1);
    while Instant::now() < until && child.try_wait()?.is_none() {
        screen.read(Duration::from_millis(20))?;
    }
    if child.try_wait()?.is_none() {
        kill_process(Pid::from_child(&child), Signal::KILL)?;
    }
    child.wait()?;
    Ok(measured)
}

/// Moves the cursor down and up this many times. Returns how long the screen takes to show it, in milliseconds: the median
/// and the 99th percentile; `None` if no cursor moves.
fn press(screen: &mut Terminal, keys: u32) -> Result<Option<(u128, u128)>> {
    let mut times = Vec::new();
    for number in 0..keys {
        let before = screen.marked_row();
        let begun = Instant::now();
        rustix::io::write(&screen.master, if number % 2 == 0 { b"j" } else { b"k" })?;
        while screen.marked_row() == before {
            if before.is_none() || begun.elapsed() > Duration::from_secs(5) {
                return Ok(None);
            }
            screen.read(Duration::from_millis(1))?;
        }
        times.push(begun.elapsed().as_millis());
        // At another moment of the second each time.
        let next = Instant::now() + Duration::from_millis(37 + u64::from(number % 7) * 23);
        while Instant::now() < next {
            screen.read(Duration::from_millis(5))?;
        }
    }
    times.sort_unstable();
    let at = |percent: usize| times.get((times.len() * percent).div_ceil(100).saturating_sub(1));
    Ok(at(50).zip(at(99)).map(|(median, most)| (*median, *most)))
}

/// The question for the position of the cursor (DSR), without whose answer some programs do not start.
const WHERE: &[u8] = b"\x1b[6n";

struct Terminal {
    master: OwnedFd,
    parser: vt100::Parser,
    bytes: u64,
}

impl Terminal {
    fn read(&mut self, within: Duration) -> Result<()> {
        let mut fds = [PollFd::new(&self.master, PollFlags::IN)];
        if poll(&mut fds, Some(&Timespec::try_from(within)?))? == 0 {
            return Ok(());
        }
        let mut bytes = vec![0; 65536];
        // At the end of the program the terminal is an error.
        let length = rustix::io::read(&self.master, &mut bytes).unwrap_or(0);
        self.bytes += length as u64;
        self.parser.process(&bytes[..length]);
        if bytes[..length].windows(WHERE.len()).any(|part| part == WHERE) {
            rustix::io::write(&self.master, b"\x1b[1;1R")?;
        }
        Ok(())
    }

    /// The row with the mark of the cursor.
    fn marked_row(&self) -> Option<u16> {
        let screen = self.parser.screen();
        let (rows, _) = screen.size();
        (0..u16::from(rows)).find(|row| screen.cell(*row, 1).is_some_and(|cell| cell.contents() == ">"))
    }

    /// Whether the screen shows more than a header.
    fn is_full(&self) -> bool {
        let contents = self.parser.screen().contents();
        contents.lines().filter(|line| !line.trim().is_empty()).count() > 4
    }
}

/// Processor time of a process and of the children that it has waited for, in milliseconds.
fn cpu_ms(pid: u32) -> Result<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, rest) = stat.rsplit_once(") ").context("no such line")?;
    let ticks = rest
        .split(' ')
        .skip(11)
        .take(4)
        .filter_map(|word| word.parse::<u64>().ok());
    Ok(ticks.sum::<u64>() * 1000 / rustix::param::clock_ticks_per_second())
}

/// The peak memory of a process, in kilobytes.
fn memory_kb(pid: u32) -> Result<u64> {
    let mut status = String::new();
    fs::File::open(format!("/proc/{pid}/status"))?.read_to_string(&mut status)?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    std::io::stdout().flush()?;
    number.context("no VmHWM")
}
