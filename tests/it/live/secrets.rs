//! Secrets in arguments, environments and URLs of programs: no output shows them by default.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use super::events::Following;
use super::sockets::Sockets;
#[cfg(feature = "watch")]
use super::tmux::Terminal;
use super::tools::is_installed;
use crate::run::Ran;
use crate::skip::skip;

/// A secret, wherever it is planted.
const SECRET: &str = "hunter2";

/// A server with one connection to itself. It prints its port, and ends with its standard input.
const PROGRAM: &str = "import socket, sys
server = socket.create_server(('127.0.0.1', 0))
client = socket.create_connection(server.getsockname())
print(server.getsockname()[1], flush=True)
sys.stdin.read()";

/// How programs are given secrets.
const ARGUMENTS: &[&str] = &[
    "--password=hunter2",
    "--db-password",
    "hunter2",
    "DB_PASS=hunter2",
    "-Dspring.datasource.password=hunter2",
    "--header",
    "Authorization: Bearer hunter2",
    r#"{"apiKey": "hunter2"}"#,
    "postgres://app:hunter2@db/shop",
    "redis://:hunter2@cache:6379",
    "https://host/x?access_token=hunter2&x=1",
    "https://bucket/x?X-Amz-Signature=hunter2",
    "--visible",
];

/// The program with these secrets, running in the namespace.
struct Server {
    child: Child,
    port: String,
}

impl Server {
    fn start(sockets: &Sockets) -> Self {
        Self::of(sockets.program("python3").args(["-c", PROGRAM]))
    }

    fn of(command: &mut Command) -> Self {
        let mut child = command
            .args(ARGUMENTS)
            .envs([
                ("API_KEY", SECRET),
                ("DATABASE_URL", "postgres://app:hunter2@db/"),
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut port = String::new();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        lines.read_line(&mut port).unwrap();
        let port = port.trim().to_owned();
        assert!(!port.is_empty());
        Self { child, port }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn sockets() -> Option<Sockets> {
    if !is_installed("python3") {
        skip("python3 is not installed");
        return None;
    }
    Sockets::make(&["udp"])
}

#[track_caller]
fn keeps_secrets(text: &str, what: &str) {
    assert!(!text.contains(SECRET), "{what}: {text}");
}

#[test]
fn no_output_shows_them_by_default() {
    let Some(sockets) = sockets() else { return };
    let server = Server::start(&sockets);
    let port = &*server.port;
    let address = format!("127.0.0.1:{port}");
    for arguments in [
        &[][..],
        &["-tulpn"],
        &["-tanpeimoT"],
        &["-tulpn", "--table"],
        &["-tulpn", "--table", "--wide"],
        &["-tulpn", "--plain"],
        &["-tulpn", "--json"],
        &["-tanp", "--jsonl"],
        &["-tulpn", "--csv"],
        &["-tap", "--json", "--columns", "owners,peer_owners,process,exe"],
        &["-tap", "--table", "--columns", "owners,peer_owners"],
        &["-ta", "--by", "process,pid", "--json"],
        &["-s"],
        &["-s", "--json"],
        &["snapshot"],
        &["snapshot", "--cmdline", "redacted"],
        &["metrics"],
        &["reach", &address],
        &["reach", &address, "--json"],
        &["why", port],
        &["why", port, "--json"],
        &["kill", "--dry-run", port],
    ] {
        let ran = Ran::of(&mut sockets.sockstat(arguments));
        let what = arguments.join(" ");
        // The port is taken, says why.
        let expected = i32::from(arguments.first() == Some(&"why"));
        assert_eq!(ran.status, Some(expected), "{what}: {}{}", ran.text(), ran.stderr);
        keeps_secrets(ran.text(), &what);
        keeps_secrets(&ran.stderr, &what);
    }
    // They are masked where arguments are shown, and everything else is there.
    let shown = sockets.run(&["-tlp", "--json"]).json();
    let owner = &shown["sockets"][0]["owners"][0];
    let arguments: Vec<_> = owner["cmdline"].as_array().unwrap().iter().skip(3).collect();
    let expected = [
        "--password=***",
        "--db-password",
        "***",
        "DB_PASS=***",
        "-Dspring.datasource.password=***",
        "--header",
        "Authorization:***",
        r#"{"apiKey"***"#,
        "postgres://***@db/shop",
        "redis://***@cache:6379",
        "https://host/x?access_token=***",
        "https://bucket/x?X-Amz-Signature=***",
        "--visible",
    ];
    assert_eq!(arguments, expected);
}

#[test]
fn they_are_shown_if_asked_for_and_found_by_a_filter() {
    let Some(sockets) = sockets() else { return };
    let _server = Server::start(&sockets);
    let owners = |arguments: &[&str]| {
        let document = sockets.run(&[&["-tlp", "--json"], arguments].concat()).json();
        document["sockets"][0]["owners"][0].clone()
    };
    let full = owners(&["--cmdline", "full"]);
    let arguments: Vec<_> = full["cmdline"].as_array().unwrap().iter().skip(3).collect();
    assert_eq!(arguments, ARGUMENTS);
    assert!(owners(&["--cmdline=none"])["cmdline"].is_null());
    let found = owners(&["cmdline like '*--password=hunter2*'"]);
    assert_eq!(found["cmdline"][3], "--password=***");
    for form in [&["--csv"][..], &["--jsonl"], &["--table", "--wide"]] {
        let ran = sockets.run(&[&["-tlp", "--cmdline", "full"], form].concat());
        assert!(ran.text().contains("--password=hunter2"), "{}", ran.text());
    }
}

#[test]
fn what_is_taken_for_a_script_is_masked_too() {
    let Some(sockets) = sockets() else { return };
    // Python's option takes a value of its own, which looks like a script.
    let mut command = sockets.program("python3");
    command.args(["--check-hash-based-pycs", "always", "-c", PROGRAM]);
    let _server = Server::of(&mut command);
    for arguments in [&["-tlp", "--json"][..], &["snapshot"], &["metrics"], &["-tlp"]] {
        keeps_secrets(sockets.run(arguments).text(), &arguments.join(" "));
    }
}

#[test]
fn events_keep_them() {
    let Some(sockets) = sockets() else { return };
    let mut following = Following::begin(&sockets, &["-tp", "--interval", "100ms"]);
    let server = Server::start(&sockets);
    let port = server.port.parse::<u64>().unwrap();
    let event = following.wait_for("open", |socket| socket["local_port"] == port);
    keeps_secrets(&event.to_string(), "events");
    let (_, rest, _) = following.interrupt();
    keeps_secrets(&rest, "events");
}

#[cfg(feature = "watch")]
#[test]
fn the_live_screen_keeps_them() {
    let Some(sockets) = sockets() else { return };
    if !is_installed("tmux") {
        skip("tmux is not installed");
        return;
    }
    let server = Server::start(&sockets);
    let script = format!("{} watch -t", env!("CARGO_BIN_EXE_sockstat"));
    let terminal = Terminal::start(&sockets, (1500, 30), &script);
    let shown = (0..20_000).map(|_| terminal.lines(&[]).join("\n"));
    let screen = { shown }.find(|text| text.contains(&server.port) && text.contains("--visible"));
    let screen = screen.expect("the arguments of the program");
    keeps_secrets(&screen, "watch");
    terminal.presses("Enter");
    let shown = (0..20_000).map(|_| terminal.lines(&[]).join("\n"));
    let panel = { shown }.find(|text| *text != screen);
    keeps_secrets(&panel.expect("another screen after Enter"), "the panel of watch");
}
