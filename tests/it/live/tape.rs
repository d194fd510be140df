//! `--record` and `--replay`: the replay prints what the recorded run printed, for another user, in another network
//! namespace, where none of the recorded sockets and processes exist.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use super::enter::{as_user, is_root};
use super::sockets::Sockets;
use crate::run::{Ran, sockstat};
use crate::skip::skip;

const SPECS: &[&str] = &[
    "tcp-listen:port=3000",
    "tcp-listen:addr=::,port=3001",
    "tcp-listen:port=3002,queued=2",
    "tcp-pair:keepalive=1,unread=10",
    "tcp-pair:addr=::1",
    "tcp-bound",
    "time-wait",
    "udp:port=5353",
    "unix-listen:path={dir}/listen",
    "unix-pair",
    "shared-fork:children=2",
    "thread-table",
];

/// A user that has nothing of what was recorded.
const NOBODY: u32 = 65_534;

struct Recorded {
    run: Ran,
    file: PathBuf,
}

impl Recorded {
    fn of(sockets: &Sockets, words: &[&str]) -> Self {
        let file = sockets.directory().join("recording");
        let mut arguments = vec!["--record", file.to_str().unwrap()];
        arguments.extend(words);
        let mut run = Ran::of(&mut sockets.sockstat(&arguments));
        let warning = |line: &&str| line.contains("holds everything that this run read");
        assert_eq!(
            run.stderr.lines().filter(warning).count(),
            1,
            "{words:?}: {}",
            run.stderr
        );
        let rest = run.stderr.lines().filter(|line| !warning(line));
        run.stderr = rest.flat_map(|line| [line, "\n"]).collect();
        Self { run, file }
    }

    fn replay(&self, words: &[&str]) -> Ran {
        let mut arguments = vec!["--replay", self.file.to_str().unwrap()];
        arguments.extend(words);
        let mut command = sockstat(&arguments);
        if is_root() {
            std::fs::set_permissions(&self.file, std::fs::Permissions::from_mode(0o644)).unwrap();
            as_user(&mut command, NOBODY);
        }
        Ran::of(&mut command)
    }
}

#[track_caller]
fn assert_same(words: &[&str], recorded: &Ran, replayed: &Ran) {
    let text = |ran: &Ran| String::from_utf8_lossy(&ran.stdout).into_owned();
    assert_eq!(text(recorded), text(replayed), "{words:?}");
    assert_eq!(recorded.stderr, replayed.stderr, "{words:?}");
    assert_eq!(recorded.status, replayed.status, "{words:?}");
}

#[test]
fn a_replay_prints_what_the_run_printed() {
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    let path = sockets.directory().join("listen");
    let path = path.to_str().unwrap();
    for words in [
        &["-tulpn"][..],
        &["-tanp", "--json"],
        &["-tuane", "--csv"],
        &["-xanpe", "--jsonl"],
        &["-a", "--json"],
        &["--table"],
        &["--explain-plan", "-tanp"],
        &["--owners", "bpf", "-tanp"],
        &["--owners", "proc", "-tanpT"],
        &["-tar"],
        &["-tan", "dev", "=", "lo"],
        &["-tanp", "user", "=", "root"],
        &["--by", "process"],
        &["--limit", "2"],
        &["-s"],
        &["-s", "--json"],
        &["why", "3000"],
        &["-j", "why", "3000"],
        &["why", "3001", "--reuseaddr"],
        &["why", "3999"],
        &["why", path],
        &["reach", "127.0.0.1:3000"],
        &["-j", "reach", "127.0.0.1:9"],
        &["free", "3000-3010", "--count", "3"],
        &["snapshot", "--cmdline", "redacted"],
        &["snapshot", "state", "listen"],
        &["metrics"],
    ] {
        let recorded = Recorded::of(&sockets, words);
        assert_same(words, &recorded.run, &recorded.replay(words));
    }
}

#[test]
fn several_namespaces_are_replayed_each_with_its_sockets() {
    if !is_root() {
        skip("only root can enter a network namespace alone");
        return;
    }
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    let Some(other) = Sockets::make(&["tcp-listen:port=3000", "udp"]) else {
        return;
    };
    let both = format!("{},{}", sockets.pid, other.pid);
    let words = ["-N", &both, "-tuanp", "--json"];
    let recorded = Recorded::of(&sockets, &words);
    let document = recorded.run.json();
    let rows = document["sockets"].as_array().unwrap();
    let in_other = rows
        .iter()
        .filter(|row| row["netns"].as_u64() == Some(other.netns))
        .count();
    assert_eq!(in_other, 2, "{}", recorded.run.stderr);
    assert_same(&words, &recorded.run, &recorded.replay(&words));
    let words = ["snapshot", "-N", &both];
    let recorded = Recorded::of(&sockets, &words);
    assert_same(&words, &recorded.run, &recorded.replay(&words));
}

#[test]
fn another_question_is_answered_as_far_as_the_recording_goes() {
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    let recorded = Recorded::of(&sockets, &["-tanp"]);
    let live = Ran::of(&mut sockets.sockstat(&["-tlnp"]));
    assert_same(&["-tlnp"], &live, &recorded.replay(&["-tlnp"]));
    let of_port = ["-tlnp", "sport", "=", "3000"];
    let live = Ran::of(&mut sockets.sockstat(&of_port));
    assert_same(&of_port, &live, &recorded.replay(&of_port));
    let unix = recorded.replay(&["-xa", "--json"]).json();
    assert_eq!(unix["gaps"][0]["code"], "not-recorded");
    assert_eq!(unix["complete"], false);
}

#[test]
fn without_the_data_no_answer_about_a_port_is_yes() {
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    for words in [&["why", "3000"][..], &["-tulpn"]] {
        let recorded = Recorded::of(&sockets, words);
        for question in [
            &["why", "80"][..],
            &["why", "3999"],
            &["reach", "127.0.0.1:80"],
            &["reach", "80"],
            &["free"],
            &["free", "4000-4010"],
        ] {
            let ran = recorded.replay(question);
            let said = ran.text();
            assert_eq!(
                ran.status,
                Some(3),
                "{words:?} {question:?}: {said}{}",
                ran.stderr
            );
            assert!(
                said.is_empty() || said.starts_with("Cannot tell"),
                "{words:?} {question:?}: {said}"
            );
        }
    }
}

#[test]
fn a_recording_holds_whole_tables_though_its_run_stopped_early() {
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    // Not those that are only bound: they come in a reply of their own, which is no longer requested.
    let all = ["-tan", "exclude", "bound"];
    let recorded = Recorded::of(&sockets, &["-tan", "exclude", "bound", "--limit", "1"]);
    let live = Ran::of(&mut sockets.sockstat(&all));
    assert!(live.text().lines().count() > 5);
    assert_same(&all, &live, &recorded.replay(&all));
}

#[test]
fn ss_reads_our_dump_and_we_read_its_dump() {
    let Some(_) = super::ss::installed() else { return };
    let Some(sockets) = Sockets::make(&["tcp-listen", "tcp-pair:keepalive=1", "close-wait"]) else {
        return;
    };
    let file = sockets.directory().join("dump");
    let name = file.to_str().unwrap();
    let fields = |ran: &Ran| -> Vec<String> {
        let fields = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut lines: Vec<_> = ran.text().lines().map(fields).collect();
        lines.sort();
        lines
    };
    sockets.run(&["-ta", "-D", name]);
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let theirs = Ran::of(sockets.program("ss").arg("-Htna").env("TCPDIAG_FILE", &file)).ended_with(0);
    let ours = Ran::of(&mut sockstat(["-Htna", "--replay", name])).ended_with(0);
    assert_eq!(fields(&ours), fields(&theirs));
    assert_eq!(fields(&ours).len(), 5, "{:?}", fields(&ours));
    Ran::of(sockets.program("ss").args(["-ta", "-D", name])).ended_with(0);
    let again = Ran::of(&mut sockstat(["-Htna", "--replay", name])).ended_with(0);
    assert_eq!(fields(&again), fields(&ours));
}
