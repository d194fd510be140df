//! The tables below another /proc, as a container mounts them: everything they contain, and a loss that says what they
//! lack.

use crate::run::{Ran, sockstat};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/proc");

fn run(arguments: &[&str]) -> Ran {
    let arguments = [&["--proc-root", ROOT], arguments].concat();
    Ran::of(&mut sockstat(arguments)).ended_with(0)
}

fn rows(arguments: &[&str]) -> Vec<String> {
    let ran = run(arguments);
    let fields = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    ran.text().lines().skip(1).map(fields).collect()
}

#[test]
fn tables_become_rows() {
    assert_eq!(
        rows(&["-tuano"]),
        [
            "udp UNCONN 768 0 127.0.0.53:53 0.0.0.0:*",
            "tcp LISTEN 3 0 127.0.0.1:3306 0.0.0.0:*",
            "tcp ESTAB 16 0 127.0.0.1:3306 127.0.0.1:54321",
            "tcp CLOSE-WAIT 1 0 10.0.0.2:54322 192.168.1.1:443",
            "tcp TIME-WAIT 0 0 10.0.0.2:54323 192.168.1.1:443 timer:(timewait,38sec,0)",
            "tcp ESTAB 0 1024 10.0.0.2:54324 192.168.1.1:443 timer:(on,300ms,2)",
            "tcp LISTEN 0 0 *:8080 *:*",
            "tcp ESTAB 0 0 [::ffff:127.0.0.1]:8080 [::ffff:127.0.0.1]:49152 timer:(keepalive,30sec,0)",
        ]
    );
}

#[test]
fn unix_rows_survive_an_odd_line_and_a_hostile_name() {
    assert_eq!(
        rows(&["-xan"]),
        [
            "u_str LISTEN 0 0 /run/app.sock 5030 * 0",
            "u_str ESTAB 0 0 * 5031 * 0",
            r"u_dgr UNCONN 0 0 @abstract\x20name 5032 * 0",
            "u_str LISTEN 0 0 /run/evil 5033 * 0",
            r"u_dgr UNCONN 0 0 /run/\xff\x1b[2J 5034 * 0",
        ]
    );
}

#[test]
fn what_the_tables_lack_is_a_loss_and_null() {
    let document = run(&["-tan", "--json"]).json();
    let gaps = document["gaps"].as_array().unwrap();
    let loss = |code: &str| {
        gaps.iter()
            .any(|gap| gap["code"] == code && gap["level"] == "loss")
    };
    assert!(loss("proc-root"), "{gaps:?}");
    assert!(loss("odd-lines"), "{gaps:?}");
    assert_eq!(document["complete"], false);
    for row in document["sockets"].as_array().unwrap() {
        assert!(
            row["cookie"].is_null() && row["backlog"].is_null() && row["interface"].is_null(),
            "{row}"
        );
    }
    let time_wait = document["sockets"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["state"] == "time-wait")
        .unwrap();
    assert!(
        time_wait["inode"].is_null() && time_wait["uid"].is_null(),
        "{time_wait}"
    );
}

#[test]
fn owners_come_from_the_same_root() {
    let document = run(&["-tlnp", "--json", ":3306"]).json();
    let row = &document["sockets"][0];
    // There are no processes below this root: nothing from our own /proc must be mixed in.
    assert!(
        row["owners"].is_null(),
        "unknown is null, and [] would be none: {row}"
    );
    assert_eq!(row["owner_status"], "unknown");
    let gaps = document["gaps"].as_array().unwrap();
    assert!(gaps.iter().any(|gap| gap["code"] == "proc-empty"), "{document}");
}

#[test]
fn filters_are_evaluated_on_tables_too() {
    assert_eq!(rows(&["-tan", "dport = :443"]).len(), 3);
    assert_eq!(rows(&["-tan", "state", "close-wait"]).len(), 1);
    assert_eq!(rows(&["-tan4", "uid = 1000"]).len(), 2);
    assert_eq!(rows(&["-xan", "/run/app.sock"]).len(), 1);
}
