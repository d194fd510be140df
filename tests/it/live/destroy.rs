//! `-K` on real sockets: what it closes, what it leaves alone, and what it reports.

use std::process::Command;

use serde_json::Value;

use super::enter::{as_user, is_root};
use super::sockets::{Sockets, kernel_lists_bound};
use crate::run::{Ran, sockstat};
use crate::skip::skip;

/// A machine with these sockets on which sockets can be closed, or the reason why there is none.
#[track_caller]
fn make(specs: &[&str]) -> Option<Sockets> {
    if !is_root() {
        skip("only root can become another user");
        return None;
    }
    let sockets = Sockets::make(&[specs, &["udp:addr=127.9.9.9,port=9"]].concat())?;
    let trial = close(&sockets, &["--yes", "-ua", "src", "127.9.9.9"]);
    if trial.status == Some(1) && trial.stderr.contains("CONFIG_INET_DIAG_DESTROY") {
        skip("the kernel closes no sockets: it was built without CONFIG_INET_DIAG_DESTROY");
        return None;
    }
    assert_eq!(trial.status, Some(0), "{}", trial.stderr);
    Some(sockets)
}

fn close(sockets: &Sockets, arguments: &[&str]) -> Ran {
    Ran::of(&mut sockets.sockstat(&[&["-K"], arguments].concat()))
}

/// The first word of each row.
fn words(ran: &Ran) -> Vec<&str> {
    let rows = ran.text().lines().filter(|line| !line.starts_with("Result"));
    rows.filter_map(|line| line.split(' ').next()).collect()
}

fn number(sockets: &Sockets, role: &str, key: &str) -> u64 {
    let end = sockets.ends.iter().find(|end| end.role == role);
    let end = end.unwrap_or_else(|| panic!("no {role}"));
    end.said[key].as_u64().unwrap()
}

/// The states of the sockets that match, sorted.
fn states(sockets: &Sockets, filter: &str) -> Vec<String> {
    let ran = sockets.run(&[
        "-tua",
        "-H",
        "--plain",
        "--columns",
        "state",
        "--sort",
        "state",
        filter,
    ]);
    ran.text().lines().map(str::to_owned).collect()
}

#[test]
fn a_bare_port_is_the_local_one_and_the_listener_lives() {
    let Some(sockets) = make(&["tcp-pair:listener=1,port=3000"]) else {
        return;
    };
    let said = close(&sockets, &["3000", "--dry-run"]).ended_with(0);
    assert_eq!(words(&said), ["would-close"]);
    // A process that even root may not inspect adds a line.
    assert!(said.stderr.ends_with("nothing was closed\n"), "{}", said.stderr);
    let said = close(&sockets, &["3000"]).ended_with(1);
    assert!(
        said.stderr.contains("--yes skips the question"),
        "{}",
        said.stderr
    );
    assert!(
        said.stderr.starts_with("Result"),
        "it shows what it would do: {}",
        said.stderr
    );
    assert_eq!(
        states(&sockets, "( sport = :3000 or dport = :3000 )"),
        ["established", "established", "listen"],
        "nothing was done"
    );
    let said = close(&sockets, &["3000", "--yes"]).ended_with(0);
    assert_eq!((words(&said), said.stderr.as_str()), (vec!["closed"], ""));
    assert_eq!(states(&sockets, "3000"), ["listen"]);
    let said = close(&sockets, &["3000", "--yes"]).ended_with(1);
    assert!(
        said.stderr.starts_with("no connection matches"),
        "{}",
        said.stderr
    );
}

#[test]
fn kill_with_socket_is_the_same() {
    let Some(sockets) = make(&["tcp-pair:port=3000"]) else {
        return;
    };
    let unsaid = Ran::of(&mut sockets.sockstat(&["kill", "--socket", "--json", "3000"])).ended_with(1);
    assert!(
        unsaid.stdout.is_empty() && unsaid.stderr.contains("would-close"),
        "{}",
        unsaid.stderr
    );
    let arguments = ["kill", "--socket", "--yes", "--json", "3000"];
    let document = Ran::of(&mut sockets.sockstat(&arguments)).ended_with(0).json();
    assert_eq!(document["schema"], "sockstat-destroy/1");
    assert_eq!(document["dry_run"], false);
    let rows = document["sockets"].as_array().unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (&rows[0]["result"], &rows[0]["reason"]),
        (&"closed".into(), &Value::Null)
    );
    assert_eq!(rows[0]["socket"]["local_port"], 3000);
    for together in ["--signal=TERM", "--timeout=1s", "--all"] {
        Ran::of(&mut sockstat(["kill", "--socket", together, "3000"])).ended_with(2);
    }
}

#[test]
fn what_is_asked_for_by_state_is_closed_in_every_state() {
    let Some(sockets) = make(&[
        "tcp-listen:port=4000,queued=1",
        "tcp-listen:port=4001,reuseport=1",
        "tcp-listen:port=4001,reuseport=1",
        "tcp-listen:addr=::,port=4002",
        "time-wait:port=4003",
        "syn-sent",
        "close-wait",
        "tcp-pair:mapped=1,port=4004",
        "udp:port=53",
        "udp-connected",
    ]) else {
        return;
    };
    let before = states(&sockets, "src *").len();
    let said = close(&sockets, &["state", "all", "--yes", "src", "*"]).ended_with(0);
    assert!(
        words(&said).iter().all(|word| ["closed", "gone"].contains(word)),
        "{}",
        said.text()
    );
    assert_eq!(words(&said).len(), before);
    // A listener and a bound UDP socket keep their port as long as their program keeps the descriptor.
    let left = states(&sockets, "src *");
    assert!(
        left.iter()
            .all(|state| state == "bound" || state == "unconnected"),
        "{left:?}"
    );
}

/// The states of one bound socket that the kernel lists.
fn bound() -> &'static [&'static str] {
    if kernel_lists_bound() { &["bound"] } else { &[] }
}

#[test]
fn what_the_kernel_does_not_find_is_not_called_gone() {
    let Some(sockets) = make(&["tcp-bound:port=5000", "unix-pair"]) else {
        return;
    };
    let bound_ones = kernel_lists_bound().then_some(&["-B", "5000"][..]);
    for arguments in bound_ones
        .into_iter()
        .chain([&["-x", "state", "established"][..]])
    {
        let said = close(&sockets, &[arguments, &["--yes"]].concat()).ended_with(1);
        assert!(
            words(&said).iter().all(|word| *word == "not-supported"),
            "{}",
            said.text()
        );
        assert!(
            !words(&said).is_empty() && said.stderr.contains("not closed: "),
            "{}",
            said.stderr
        );
    }
    assert_eq!(states(&sockets, "5000"), bound());
}

#[test]
fn sshd_is_spared_until_it_is_named() {
    let Some(sockets) = make(&["comm:name=sshd,port=22", "comm:name=sshdx,port=23"]) else {
        return;
    };
    let said = close(&sockets, &["-l", "22", "23", "--yes"]).ended_with(0);
    let mut rows = words(&said);
    rows.sort_unstable();
    assert_eq!(rows, ["closed", "spared"]);
    assert!(said.stderr.contains("held by sshd "), "{}", said.stderr);
    assert_eq!(states(&sockets, "22"), ["listen"]);
    close(&sockets, &["-l", "22", "--yes"]).ended_with(1);
    let pid = states_of(&sockets, "22", "pid");
    close(&sockets, &["-l", "22", "pid", "=", &pid, "--yes"]).ended_with(0);
    assert_eq!(states(&sockets, "22"), bound());
}

fn states_of(sockets: &Sockets, filter: &str, column: &str) -> String {
    let ran = sockets.run(&["-ta", "-H", "--plain", "--columns", column, filter]);
    ran.text().trim().to_owned()
}

/// A shell that is connected to the listener, and runs the words with the connection open.
fn shell_with_connection(sockets: &Sockets, script: &str) -> Command {
    let mut shell = sockets.program("bash");
    let script = format!("exec 3<>/dev/tcp/127.0.0.1/3000; {script}; exit $?");
    shell.args(["-c", &script, env!("CARGO_BIN_EXE_sockstat")]);
    shell
}

#[test]
fn the_connection_of_an_ancestor_is_spared_until_it_is_named() {
    let Some(sockets) = make(&["tcp-listen:port=3000", "tcp-pair:port=3001"]) else {
        return;
    };
    // The shell is the parent of sockstat and holds the client's end; nobody has accepted the server's.
    let mut shell = shell_with_connection(&sockets, "\"$0\" -K --yes dst 127.0.0.1 and sport gt 1023");
    let said = Ran::of(&mut shell).ended_with(0);
    let spared: Vec<_> = said
        .text()
        .lines()
        .filter(|line| line.starts_with("spared "))
        .collect();
    assert_eq!(spared.len(), 1, "{}", said.text());
    assert!(spared[0].contains("\"bash\""), "{}", said.text());
    assert!(
        said.stderr.contains("which started this program"),
        "{}",
        said.stderr
    );
    let mut shell = shell_with_connection(&sockets, "\"$0\" -K --yes dport = :3000");
    let said = Ran::of(&mut shell).ended_with(0);
    assert_eq!(words(&said), ["closed"], "{}", said.stderr);
}

#[test]
fn without_the_right_it_is_not_permitted_and_unseen_owners_are_spared() {
    let Some(sockets) = make(&["tcp-pair:port=3000"]) else {
        return;
    };
    let as_nobody = |arguments: &[&str]| {
        let mut command = sockets.sockstat(&[&["-K", "--yes"], arguments].concat());
        as_user(&mut command, 65_534);
        Ran::of(&mut command).ended_with(1)
    };
    let said = as_nobody(&["3000"]);
    assert_eq!(words(&said), ["spared"], "{}", said.stderr);
    assert!(said.stderr.contains("owner cannot be seen"), "{}", said.stderr);
    let peer = number(&sockets, "client", "local_port").to_string();
    let said = as_nobody(&["3000", "dport", "=", &peer]);
    assert_eq!(words(&said), ["not-permitted"]);
    assert!(
        said.stderr.contains("CAP_NET_ADMIN is missing: sudo "),
        "{}",
        said.stderr
    );
    assert_eq!(
        states(&sockets, "( sport = :3000 or dport = :3000 )"),
        ["established"; 2]
    );
}

#[test]
fn it_does_not_run_without_a_filter_or_beside_other_forms() {
    for arguments in [
        &["-K"][..],
        &["-K", "--yes"],
        &["-Kta", "--yes"],
        &["kill", "--socket", "--yes"],
        &["-K", "--pids", "80"],
        &["-K", "--by", "state", "80"],
        &["-K", "--csv", "80"],
        &["--yes", "80"],
        &["--dry-run", "80"],
    ] {
        let said = Ran::of(&mut sockstat(arguments)).ended_with(2);
        assert!(said.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn the_table_has_the_result_in_front() {
    let Some(sockets) = make(&["tcp-pair:port=3000"]) else {
        return;
    };
    let said = close(&sockets, &["--table", "--dry-run", "3000"]);
    let text = said.text();
    assert!(text.starts_with("RESULT       PROTO  STATE"), "{text}");
    assert!(text.contains("\nwould-close  tcp    ESTAB"), "{text}");
}

#[test]
fn a_missing_right_is_reported_before_the_question() {
    let Some(sockets) = make(&["tcp-pair:port=3000"]) else {
        return;
    };
    let mut command = sockets.sockstat(&["-K", "dport", "=", ":3000"]);
    as_user(&mut command, 65_534);
    let said = Ran::of(&mut command).ended_with(1);
    let mut dry = sockets.sockstat(&["-K", "--dry-run", "dport", "=", ":3000"]);
    as_user(&mut dry, 65_534);
    let dry = Ran::of(&mut dry).ended_with(1);
    assert_eq!(words(&dry), ["not-permitted"], "{}", dry.stderr);
    assert!(
        dry.stderr
            .contains("1 socket not closed: CAP_NET_ADMIN is missing: sudo "),
        "{}",
        dry.stderr
    );
    assert!(
        said.stderr
            .contains("closing 1 socket needs CAP_NET_ADMIN: sudo "),
        "{}",
        said.stderr
    );
    assert!(
        !said.stderr.contains("--yes skips the question"),
        "{}",
        said.stderr
    );
}
