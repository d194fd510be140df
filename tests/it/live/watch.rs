//! The live screen on a pseudo-terminal: what it shows, and that it restores the terminal however it ends.

use std::fs::{self, File, OpenOptions};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::num::NonZeroU16;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::SystemTime;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Termios, Winsize, tcgetattr, tcsetwinsize};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use sockstat::model::time::Moment;

use super::enter::is_root;
use super::privilege::copy;
use super::sockets::Sockets;
use super::tools::is_installed;
use crate::run::{Ran, sockstat};
use crate::skip::skip;

/// Longer than anything here takes on the busiest machine.
pub(super) const DEADLINE: Timespec = Timespec {
    tv_sec: 120,
    tv_nsec: 0,
};

/// After this time without anything new, a key is pressed again.
const SOON: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 300_000_000,
};

/// The pause between two checks of something that sends no notification.
const MOMENT: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 30_000_000,
};

const NOW: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 0,
};

/// The screen is drawn several times a second: more than any of these needs.
const READS_MAX: usize = 1000;

/// A terminal, and the program on it.
pub(super) struct Screen {
    master: OwnedFd,
    child: Child,
    /// All that the program wrote.
    pub(super) raw: Vec<u8>,
    parser: vt100::Parser,
    before: [u64; 4],
}

fn cells(number: u16) -> NonZeroU16 {
    NonZeroU16::new(number).unwrap()
}

/// The modes of a terminal.
fn modes(terminal: &OwnedFd) -> [u64; 4] {
    let Termios {
        input_modes,
        output_modes,
        control_modes,
        local_modes,
        ..
    } = tcgetattr(terminal).unwrap();
    [
        input_modes.bits().into(),
        output_modes.bits().into(),
        control_modes.bits().into(),
        local_modes.bits().into(),
    ]
}

impl Screen {
    /// Starts `sockstat watch` with these arguments, in the namespace of the sockets and in a session of its own.
    pub(super) fn start(
        sockets: &Sockets,
        arguments: &[&str],
        size: (u16, u16),
        environment: &[(&str, &str)],
    ) -> Self {
        let mut command = sockets.program("setsid");
        command.args(["-c", env!("CARGO_BIN_EXE_sockstat"), "watch"]);
        command.args(arguments);
        Self::of(command, size, environment)
    }

    /// The same through a command that gives the terminal a session of its own (`setsid -c`). A command that was kept
    /// would hold the terminal open, and the end of the program would go unnoticed.
    pub(super) fn of(mut command: Command, size: (u16, u16), environment: &[(&str, &str)]) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        resize(&master, size);
        let before = modes(&master);
        let slave = || Stdio::from(OpenOptions::new().read(true).write(true).open(&name).unwrap());
        command
            .env("TERM", "xterm-256color")
            .env("LC_ALL", "C.UTF-8")
            .env_remove("NO_COLOR")
            .envs(environment.iter().copied())
            .stdin(slave())
            .stdout(slave())
            .stderr(slave());
        Self {
            master,
            child: command.spawn().unwrap(),
            raw: Vec::new(),
            parser: vt100::Parser::new(cells(size.1), cells(size.0), 0),
            before,
        }
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    pub(super) fn text(&self) -> String {
        self.parser.screen().contents()
    }

    /// Reads what was drawn; false at the end, or if nothing came in time.
    pub(super) fn read(&mut self, within: Timespec) -> bool {
        let mut fds = [PollFd::new(&self.master, PollFlags::IN)];
        if poll(&mut fds, Some(&within)).unwrap() == 0 {
            return false;
        }
        let mut bytes = [0; 4096];
        match rustix::io::read(&self.master, &mut bytes) {
            Ok(0) | Err(_) => false,
            Ok(length) => {
                self.parser.process(&bytes[..length]);
                self.raw.extend_from_slice(&bytes[..length]);
                true
            }
        }
    }

    /// Reads until the screen has this text.
    #[track_caller]
    pub(super) fn wait_for(&mut self, wanted: &str) {
        for _ in 0..READS_MAX {
            if self.text().contains(wanted) {
                return;
            }
            assert!(self.read(DEADLINE), "no '{wanted}' on:\n{}", self.text());
        }
        panic!("still no '{wanted}' on:\n{}", self.text());
    }

    pub(super) fn press(&self, keys: &str) {
        rustix::io::write(&self.master, keys.as_bytes()).unwrap();
    }

    /// Presses a key again and again, as long as the screen ignores it as one that came too early.
    #[track_caller]
    pub(super) fn press_until(&mut self, key: &str, wanted: &str) {
        for _ in 0..400 {
            if self.text().contains(wanted) {
                return;
            }
            self.press(key);
            while !self.text().contains(wanted) && self.read(SOON) {}
        }
        panic!("no '{wanted}' after '{key}' on:\n{}", self.text());
    }

    /// Waits for the end, and checks that the terminal is restored. Also returns all that was written.
    #[track_caller]
    pub(super) fn ends(mut self) -> (ExitStatus, Vec<u8>) {
        // Without a reader, it would wait.
        while self.child.try_wait().unwrap().is_none() {
            if !self.read(DEADLINE) && self.child.try_wait().unwrap().is_none() {
                break;
            }
        }
        let status = self.child.wait().unwrap();
        while self.read(NOW) {}
        assert!(
            !self.parser.screen().alternate_screen(),
            "it left the alternate screen"
        );
        assert!(!self.parser.screen().hide_cursor(), "the cursor is there again");
        assert_eq!(
            modes(&self.master),
            self.before,
            "the modes are those from before"
        );
        (status, self.raw)
    }
}

fn resize(terminal: &OwnedFd, (columns, rows): (u16, u16)) {
    let size = Winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(terminal, size).unwrap();
}

/// Sockets, if this machine can show them on a terminal.
#[track_caller]
fn sockets(specs: &[&str]) -> Option<Sockets> {
    if !is_installed("setsid") {
        skip("setsid is not installed");
        return None;
    }
    Sockets::make(specs)
}

#[test]
fn keys_a_filter_and_another_size() {
    let Some(sockets) = sockets(&["tcp-listen:port=3000", "tcp-listen:port=3001", "tcp-pair"]) else {
        return;
    };
    let mut screen = Screen::start(&sockets, &[], (80, 24), &[]);
    screen.wait_for("3000/tcp");
    screen.wait_for("3001/tcp");
    screen.press("2");
    screen.wait_for("CONNECTIONS");
    screen.wait_for("ESTAB");
    screen.press("/recvq");
    screen.wait_for("/ recvq");
    screen.press(" > 0");
    screen.wait_for("unknown field 'recvq'");
    screen.press("\u{1b}");
    screen.wait_for("q quit");
    screen.press("/sport = :3001\r");
    screen.wait_for("/ sport = :3001");
    screen.wait_for("1 of ");
    screen.press("1");
    screen.wait_for("PORTS");
    screen.press(" ");
    screen.wait_for("FROZEN since");
    screen.press(" ?");
    screen.wait_for("at most 5 % of a core");
    screen.press("\u{1b}");
    screen.wait_for("SCOPE");
    resize(&screen.master, (40, 12));
    screen.parser.screen_mut().set_size(cells(12), cells(40));
    screen.wait_for("? help  q quit");
    screen.press("q");
    assert!(screen.ends().0.success());
}

#[test]
fn which_side_accepted_is_known_although_the_filter_hides_listeners() {
    let Some(sockets) = sockets(&["tcp-pair:port=3000,listener=1"]) else {
        return;
    };
    // The kernel checks the state, and sockstat the program.
    for filter in ["state established", "state established and process = mksock"] {
        let mut screen = Screen::start(&sockets, &[filter], (120, 24), &[]);
        screen.wait_for("3000/tcp");
        screen.wait_for("out/tcp");
        assert!(!screen.text().contains(" 0/"), "{}", screen.text());
        // The listener is not selected, but counted, also if only the state is a filter.
        screen.wait_for(" of ");
        screen.press("q");
        assert!(screen.ends().0.success());
    }
}

#[test]
fn a_recording_has_everything_and_the_screen_what_its_filter_selects() {
    let Some(sockets) = sockets(&["tcp-pair:port=3000,listener=1", "tcp-listen:port=3001"]) else {
        return;
    };
    let file = sockets.directory().join("looks");
    let file = file.to_str().unwrap();
    let filter = ["-t", "state", "established"];
    let recording = [&["--record", file], &filter[..]].concat();
    let replay = [&["--replay", file], &filter[..]].concat();
    for arguments in [recording, replay] {
        let mut screen = Screen::start(&sockets, &arguments, (120, 24), &[]);
        screen.wait_for("3000/tcp");
        screen.wait_for("out/tcp");
        screen.press("2");
        screen.wait_for("ESTAB");
        let shown = screen.text();
        assert!(
            !shown.contains("LISTEN") && (shown.contains("2 of ") || shown.contains("2 sockets")),
            "{shown}"
        );
        screen.press("q");
        assert!(screen.ends().0.success());
    }
    let listening = Ran::of(&mut sockstat(["--replay", file, "-tlnp"])).ended_with(0);
    let listening = listening.text();
    assert!(
        listening.contains(":3001") && listening.contains("mksock"),
        "{listening}"
    );
}

#[test]
fn a_key_that_arrives_with_a_resize_takes_effect() {
    let Some(sockets) = sockets(&["tcp-listen:port=3000"]) else {
        return;
    };
    let mut screen = Screen::start(&sockets, &[], (80, 24), &[]);
    screen.wait_for("3000/tcp");
    for round in 0..20 {
        let rows = 24 + round % 2;
        // A stopped program finds both when it goes on.
        kill_process(screen.pid(), Signal::STOP).unwrap();
        resize(&screen.master, (80, rows));
        screen.press("?");
        kill_process(screen.pid(), Signal::CONT).unwrap();
        screen.parser.screen_mut().set_size(cells(rows), cells(80));
        screen.wait_for("at most 5 % of a core");
        resize(&screen.master, (80, rows + 2));
        screen.press("\u{1b}");
        screen.parser.screen_mut().set_size(cells(rows + 2), cells(80));
        screen.wait_for("PORTS");
    }
    screen.press("q");
    assert!(screen.ends().0.success());
}

#[test]
fn it_ends_even_if_the_terminal_accepts_no_output() {
    let Some(sockets) = sockets(&["tcp-listen:port=3000"]) else {
        return;
    };
    for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
        let mut screen = Screen::start(&sockets, &[], (200, 60), &[]);
        screen.wait_for("3000/tcp");
        // Nobody reads any more, and the screen is drawn as a whole until the terminal is full.
        let name = ptsname(&screen.master, Vec::new())
            .unwrap()
            .into_string()
            .unwrap();
        let slave = OpenOptions::new().read(true).write(true).open(name).unwrap();
        let mut drawn = 0;
        while poll(&mut [PollFd::new(&slave, PollFlags::OUT)], Some(&NOW)).unwrap() > 0 {
            assert!(drawn < 4000, "it is never full");
            drawn += 1;
            screen.press("\u{c}");
            poll(&mut [], Some(&MOMENT)).unwrap();
        }
        kill_process(screen.pid(), signal).unwrap();
        let mut waited = 0;
        let status = loop {
            if let Some(status) = screen.child.try_wait().unwrap() {
                break status;
            }
            assert!(waited < 4000, "{signal:?} does not end it");
            waited += 1;
            poll(&mut [], Some(&MOMENT)).unwrap();
        };
        assert!(status.success(), "{signal:?}: {status}");
        // The rest of the last frame is gone, what gives the terminal back is there.
        assert!(screen.ends().0.success());
    }
}

#[test]
fn a_signal_ends_it_and_ctrl_z_stops_it() {
    let Some(sockets) = sockets(&["tcp-listen:port=3000"]) else {
        return;
    };
    for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
        let mut screen = Screen::start(&sockets, &[], (80, 24), &[]);
        screen.wait_for("3000/tcp");
        assert_ne!(modes(&screen.master), screen.before);
        kill_process(screen.pid(), signal).unwrap();
        assert!(screen.ends().0.success(), "{signal:?}");
    }
    let mut screen = Screen::start(&sockets, &[], (80, 24), &[]);
    screen.wait_for("3000/tcp");
    screen.press("\u{1a}");
    let stopped = waitpid(Some(screen.pid()), WaitOptions::UNTRACED)
        .unwrap()
        .unwrap();
    assert!(stopped.1.stopped(), "{stopped:?}");
    assert_eq!(modes(&screen.master), screen.before, "the shell has its terminal");
    while screen.read(NOW) {}
    assert!(!screen.parser.screen().alternate_screen());
    kill_process(screen.pid(), Signal::CONT).unwrap();
    while !screen.parser.screen().alternate_screen() || !screen.text().contains("3000/tcp") {
        assert!(screen.read(DEADLINE), "not drawn again:\n{}", screen.text());
    }
    screen.press("q");
    assert!(screen.ends().0.success());
}

#[test]
fn the_program_of_a_row_is_ended_by_letter() {
    if !is_root() {
        skip("not root: the holders of the sockets cannot be seen");
        return;
    }
    let Some(sockets) = sockets(&["tcp-listen:port=3000"]) else {
        return;
    };
    let mut screen = Screen::start(&sockets, &[], (100, 24), &[]);
    screen.wait_for("mksock");
    screen.press("x");
    screen.wait_for("Stop mksock");
    screen.wait_for("t  send TERM");
    screen.press_until("t", "ended after");
    screen.wait_for("3000/tcp is free");
    screen.press_until("\u{1b}", "PORTS");
    screen.press("q");
    assert!(screen.ends().0.success());
}

#[test]
fn why_answers_for_the_row_and_a_plain_terminal_gets_ascii() {
    let Some(sockets) = sockets(&["tcp-listen:port=3000"]) else {
        return;
    };
    let plain = [("LC_ALL", "C"), ("TERM", "linux"), ("NO_COLOR", "1")];
    let mut screen = Screen::start(&sockets, &["--read-only"], (80, 24), &plain);
    screen.wait_for("3000/tcp");
    assert!(!screen.text().contains("x kill"));
    screen.press("w");
    screen.wait_for("why 3000/tcp");
    screen.wait_for("3000/tcp is taken");
    assert!(screen.text().is_ascii(), "{}", screen.text());
    screen.press("\u{1b}");
    screen.press("q");
    assert!(screen.ends().0.success());
}

#[test]
fn without_threads_it_says_so_and_restores_the_terminal() {
    if !is_root() {
        skip("only root can become another user");
        return;
    }
    let Some(sockets) = sockets(&["tcp-listen:port=3000"]) else {
        return;
    };
    fs::set_permissions(sockets.directory(), fs::Permissions::from_mode(0o755)).unwrap();
    let program = sockets.directory().join("sockstat");
    copy(&program);
    let mut command = sockets.program("setsid");
    command
        .args([
            "-c",
            "setpriv",
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
        ])
        .args(["prlimit", "--nproc=0"])
        .arg(&program)
        .arg("watch");
    let mut screen = Screen::of(command, (80, 24), &[]);
    screen.wait_for("cannot start a thread");
    let (status, _) = screen.ends();
    assert_eq!(status.code(), Some(1));
}

/// A listener in the network namespace of a process.
fn listener_on(pid: u32, port: u16) -> TcpListener {
    let bind = move || {
        let namespace = File::open(format!("/proc/{pid}/ns/net")).unwrap();
        move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap()
    };
    std::thread::spawn(bind).join().unwrap()
}

/// A listener and a connection to it, in the network namespace of a process, until the sender is dropped.
fn connection_on(pid: u32, port: u16) -> (Sender<()>, JoinHandle<()>) {
    let (sender, ends) = channel::<()>();
    let (is_there, there) = channel();
    let thread = std::thread::spawn(move || {
        let namespace = File::open(format!("/proc/{pid}/ns/net")).unwrap();
        move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        let client = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        let server = listener.accept().unwrap();
        is_there.send(()).unwrap();
        let _ = ends.recv();
        drop((client, server));
    });
    there.recv().unwrap();
    (sender, thread)
}

#[test]
fn a_recorded_screen_is_replayed_as_a_screen_and_as_a_listing() {
    if !is_root() {
        skip("not root: another network namespace cannot be entered");
        return;
    }
    let Some(sockets) = sockets(&["tcp-listen:port=3000", "tcp-pair"]) else {
        return;
    };
    let file = sockets.directory().join("looks");
    let file = file.to_str().unwrap();
    let mut screen = Screen::start(
        &sockets,
        &["--record", file, "--interval", "200ms"],
        (110, 24),
        &[],
    );
    screen.wait_for("3000/tcp");
    // Its owner is found at a look at ports alone, which is not recorded.
    let _late = listener_on(sockets.pid, 3997);
    let pid = format!(" {}", std::process::id());
    screen.wait_for("3997/tcp");
    screen.wait_for(&pid);
    screen.press("2");
    screen.wait_for("ESTAB");
    let (ends, thread) = connection_on(sockets.pid, 3999);
    // At once, whatever looks have cost so far.
    screen.press("r");
    screen.wait_for("7 sockets");
    let at = Moment::exact(SystemTime::now()).text();
    drop(ends);
    thread.join().unwrap();
    screen.press("r");
    screen.wait_for("4 sockets");
    screen.press("q");
    assert!(screen.ends().0.success());

    let shown = |arguments: &[&str]| {
        let ran = Ran::of(&mut sockstat([&["--replay", file], arguments].concat())).ended_with(0);
        assert!(!ran.stderr.contains("recording"), "{}", ran.stderr);
        ran.text().to_owned()
    };
    let then = shown(&["--at", &at, "-tnp", "state", "established"]);
    let own = format!("pid={}", std::process::id());
    assert!(then.contains(":3999") && then.contains(&own), "{then}");
    let last = shown(&["-tnp", "state", "established"]);
    assert!(!last.contains(":3999"), "{last}");
    let pair = sockets.of_kind("tcp-pair").next().unwrap();
    let pair = format!(":{}", pair.said["local_port"]);
    assert!(then.contains(&pair) && last.contains(&pair), "{last}");
    for (time, why) in [("2001-01-01", "it covers"), ("noon", "'noon' is not a time")] {
        let ran = Ran::of(&mut sockstat(["--replay", file, "--at", time])).ended_with(1);
        assert!(ran.stderr.contains(why), "{}", ran.stderr);
    }
    // `why` has what it needs from each look.
    let why = |arguments: &[&str], status| {
        let ran = Ran::of(&mut sockstat([&["--replay", file, "why"], arguments].concat())).ended_with(status);
        ran.text().to_owned()
    };
    assert!(why(&["3000"], 1).contains("mksock"), "{}", why(&["3000"], 1));
    let taken = why(&["--at", &at, "3999"], 1);
    assert!(taken.contains(&std::process::id().to_string()), "{taken}");
    assert!(why(&["3998"], 0).contains("Yes"), "{}", why(&["3998"], 0));
    // A recording cut off in the middle of a look has the looks before it.
    let whole = std::fs::read(file).unwrap();
    let cut = sockets.directory().join("cut");
    std::fs::write(&cut, &whole[..whole.len() - 100]).unwrap();
    let ran = Ran::of(&mut sockstat(["--replay", cut.to_str().unwrap(), "-tln"])).ended_with(0);
    assert!(ran.text().contains(":3000"), "{}", ran.text());

    // A filter of states selects every table. Those that were not recorded have no connections to tell of.
    let only = ["--replay", file, "state", "established"];
    let mut screen = Screen::start(&sockets, &only, (110, 24), &[]);
    screen.wait_for("END ");
    screen.wait_for("out/tcp");
    let shown = screen.text();
    assert!(
        !shown.contains("lacks") && !shown.contains("could not"),
        "{shown}"
    );
    screen.press("q");
    assert!(screen.ends().0.success());

    let mut screen = Screen::start(&sockets, &["--replay", file], (110, 24), &[]);
    screen.wait_for("END ");
    screen.wait_for("3000/tcp");
    let shown = screen.text();
    let late = shown.lines().find(|line| line.contains("3997/tcp"));
    assert!(late.is_some_and(|line| line.contains(&pid)), "{shown}");
    screen.press("2");
    screen.wait_for("CONNECTIONS");
    // Its rows are still there as gone ones at the end.
    screen.press("[");
    screen.wait_for("AT ");
    screen.press_until("[", ":3999");
    screen.press("Y");
    screen.wait_for("--at");
    screen.press("1");
    screen.wait_for("PORTS");
    screen.press("w");
    screen.wait_for("3000/tcp is taken");
    screen.press("Y");
    screen.wait_for("sockstat why --replay");
    screen.press("q");
    assert!(screen.ends().0.success());
    let mut screen = Screen::start(&sockets, &["--replay", file, "--at", &at], (110, 24), &[]);
    screen.wait_for("AT ");
    screen.press("2");
    screen.wait_for(":3999");
    screen.press("q");
    assert!(screen.ends().0.success());
}

#[test]
fn without_a_terminal_it_says_so() {
    let ran = Ran::of(&mut sockstat(["watch"])).ended_with(2);
    assert!(ran.stderr.contains("watch needs a terminal"), "{}", ran.stderr);
    assert!(ran.stderr.contains("sockstat events"), "{}", ran.stderr);
    let mut dumb: Command = sockstat(["watch", "nonsense ="]);
    let ran = Ran::of(dumb.env("TERM", "dumb")).ended_with(2);
    assert!(ran.stdout.is_empty());
}
