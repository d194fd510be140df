//! Every file of examples/fleet, with the real component: ClickHouse, DuckDB, Prometheus, node_exporter, syslog-ng, Ansible,
//! systemd.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::live::enter::is_root;
use crate::live::sockets::{Sockets, new_directory};
use crate::live::tools::{attempt, has_python_package, is_installed, through};
use crate::run::{Ran, sockstat};
use crate::skip::skip;

/// The input for a machine of the simulated fleet.
const SPECS: &[&str] = &["tcp-listen", "tcp-pair", "udp"];

fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn text_of(path: &str) -> String {
    fs::read_to_string(file(path)).unwrap()
}

/// A directory that is removed at the end.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        Self(new_directory())
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[track_caller]
fn has(program: &str) -> bool {
    let found = is_installed(program);
    if !found {
        skip(&format!("{program} is not installed"));
    }
    found
}

/// A Python script of tests/fleet.
fn script(name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("python3");
    command.arg(file("tests/fleet").join(name)).args(arguments);
    command
}

/// A fleet of 100 machines, made from a real namespace: the batches of snapshots, and the truth.
fn fleet(directory: &Directory) -> Option<Value> {
    let sockets = Sockets::make(SPECS)?;
    let snapshot = sockets.run(&["snapshot"]);
    let now = Ran::of(Command::new("date").arg("+%s")).ended_with(0);
    let simulate = file("tests/fleet/simulate.py");
    let place = directory.path("");
    let arguments = [simulate.to_str().unwrap(), &place, now.text().trim()];
    through("python3", &arguments, &snapshot.stdout)?;
    let truth = fs::read_to_string(directory.path("truth.json")).unwrap();
    Some(serde_json::from_str(&truth).unwrap())
}

/// Every question has the planted answer, row by row; an integer equals the same number with a fraction of 0.
#[track_caller]
fn agree(answers: &Value, truth: &Value) {
    let truth = truth.as_object().unwrap();
    assert_eq!(truth.len(), 11);
    for (question, expected) in truth {
        let as_numbers = |rows: &Value| -> Vec<Vec<Value>> {
            let number = |value: &Value| match value.as_f64() {
                Some(number) => number.into(),
                None => value.clone(),
            };
            let rows = rows.as_array().unwrap().iter();
            rows.map(|row| row.as_array().unwrap().iter().map(number).collect())
                .collect()
        };
        let (found, expected) = (as_numbers(&answers[question]), as_numbers(expected));
        assert_eq!(found, expected, "{question}");
    }
}

#[test]
fn clickhouse_finds_the_planted_rows() {
    if !has_python_package("chdb") {
        skip("Python has no package chdb");
        return;
    }
    let directory = Directory::new();
    let Some(truth) = fleet(&directory) else { return };
    let sql = file("examples/fleet/clickhouse");
    let answers = Ran::of(&mut script(
        "clickhouse.py",
        &[&directory.path(""), sql.to_str().unwrap()],
    ));
    agree(&answers.ended_with(0).json(), &truth);
}

#[test]
fn duckdb_finds_the_planted_rows() {
    if !has("duckdb") {
        return;
    }
    let directory = Directory::new();
    let Some(truth) = fleet(&directory) else { return };
    fs::rename(directory.path("batches"), directory.path("snapshots")).unwrap();
    let sql = file("examples/fleet/duckdb.sql");
    let answers = Ran::of(&mut script(
        "duckdb.py",
        &[&directory.path(""), sql.to_str().unwrap()],
    ));
    agree(&answers.ended_with(0).json(), &truth);
}

#[test]
fn ansible_fetches_a_snapshot_of_every_machine_for_duckdb() {
    if !has("ansible-playbook") || !has("duckdb") {
        return;
    }
    if !is_root() {
        skip("only root can enter a network namespace alone");
        return;
    }
    let directory = Directory::new();
    let (mut machines, mut inventory) = (Vec::new(), String::from("[all]\n"));
    for name in ["one", "two", "three"] {
        let Some(sockets) = Sockets::make(&["tcp-listen:addr=0.0.0.0,port=6379"]) else {
            return;
        };
        writeln!(
            inventory,
            "{name} sockstat_options='[\"-N\", \"{}\"]'",
            sockets.pid
        )
        .unwrap();
        machines.push(sockets);
    }
    fs::write(directory.path("hosts"), inventory).unwrap();
    // The playbook runs the sockstat of each machine's PATH.
    let program = Path::new(env!("CARGO_BIN_EXE_sockstat")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let playbook = file("examples/fleet/ansible/snapshot.yml");
    let mut ansible = Command::new("ansible-playbook");
    ansible
        .args(["-c", "local", "-i", &directory.path("hosts")])
        .args(["-e", "ansible_become=false"])
        .args([
            "-e",
            &format!("sockstat_directory={}", directory.path("snapshots")),
        ])
        .arg(playbook)
        .envs([("PATH", path), ("ANSIBLE_LOCAL_TEMP", directory.path("local"))])
        .envs([
            ("ANSIBLE_REMOTE_TEMP", directory.path("remote")),
            ("HOME", directory.path("")),
        ]);
    Ran::of(&mut ansible).ended_with(0);
    assert_eq!(fs::read_dir(directory.path("snapshots")).unwrap().count(), 3);
    let sql = file("examples/fleet/duckdb.sql");
    let answers = Ran::of(&mut script(
        "duckdb.py",
        &[&directory.path(""), sql.to_str().unwrap()],
    ));
    let answers = answers.ended_with(0).json();
    // They are one machine with three namespaces, one of which has the newest snapshot.
    let open = answers["Q1"].as_array().unwrap();
    assert!(
        open.iter().any(|row| row[0] == "mksock" && row[2] == 6379),
        "{answers}"
    );
}

#[test]
fn rules_are_valid_and_pass_their_tests() {
    if !has("promtool") {
        return;
    }
    let directory = file("examples/fleet/prometheus");
    for arguments in [
        ["check", "rules", "rules.yml"],
        ["test", "rules", "rules_test.yml"],
    ] {
        let ran = Ran::of(Command::new("promtool").args(arguments).current_dir(&directory));
        assert_eq!(ran.status, Some(0), "{}{}", ran.text(), ran.stderr);
    }
    // Every alert is tested.
    let tests = text_of("examples/fleet/prometheus/rules_test.yml");
    for line in text_of("examples/fleet/prometheus/rules.yml").lines() {
        if let Some(alert) = line.trim().strip_prefix("- alert: ") {
            assert!(tests.contains(&format!("alertname: {alert}\n")), "{alert}");
        }
    }
}

#[test]
fn an_alert_fires_and_names_port_and_program() {
    if !has("prometheus") || !has("prometheus-node-exporter") {
        return;
    }
    let Some(sockets) = Sockets::make(&["tcp-listen:addr=0.0.0.0,port=8080,backlog=1,full=1", "tcp-pair"])
    else {
        return;
    };
    let directory = Directory::new();
    let metrics = directory.path("sockstat.prom");
    sockets.run(&["metrics", "--output", &metrics]);
    fs::create_dir(directory.path("run")).unwrap();
    let rules = file("examples/fleet/prometheus/rules.yml");
    let mut prometheus = sockets.program("python3");
    prometheus.arg(file("tests/fleet/prometheus.py")).args([
        &directory.path("run"),
        rules.to_str().unwrap(),
        &metrics,
        "AcceptQueueFull",
    ]);
    let found = Ran::of(&mut prometheus).ended_with(0).json();
    let alert = &found["alerts"][0];
    assert_eq!(
        (&alert["port"], &alert["process"]),
        (&"8080".into(), &"mksock".into()),
        "{found}"
    );
    assert_eq!(
        found["errors"],
        serde_json::json!(["0"]),
        "the textfile collector has nothing to say"
    );
    assert_eq!(found["types"]["sockstat_listener_dropped_total"], "counter");
    assert_eq!(found["types"]["sockstat_sockets"], "gauge");
}

#[test]
fn the_dashboard_asks_for_metrics_that_there_are() {
    let dashboard: Value = serde_json::from_str(&text_of("examples/fleet/grafana/sockstat.json")).unwrap();
    let rules = text_of("examples/fleet/prometheus/rules.yml");
    let metrics = Ran::of(&mut sockstat(["metrics", "--quiet"])).ended_with(0);
    let documented = text_of("docs/fleet.md");
    let mut asked = rules.clone();
    let mut expressions = String::from("groups: [{name: dashboard, rules: [\n");
    let mut count = 0;
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().unwrap() {
            let expression = target["expr"].as_str().unwrap();
            asked += expression;
            count += 1;
            let expression = expression.replace("$instance", ".*");
            writeln!(expressions, "{{record: 'q:{count}', expr: {expression:?}}},").unwrap();
        }
    }
    assert!(count > 10);
    for word in asked.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')) {
        if word.starts_with("sockstat_") {
            // A listener or a loss may be absent.
            let known = metrics.text().contains(&format!("# TYPE {word} ")) || documented.contains(word);
            let rest = word
                .strip_prefix("sockstat_listener")
                .map(|rest| format!("…{rest}`"));
            let known = known || rest.is_some_and(|rest| documented.contains(&rest));
            assert!(known, "{word}");
        }
    }
    expressions += "]}]";
    let directory = Directory::new();
    let path = directory.path("dashboard.yml");
    fs::write(&path, &expressions).unwrap();
    if let Some(said) = attempt("promtool", &["check", "rules", &path], b"") {
        assert_eq!(said.status, Some(0), "{}{}", said.text(), said.stderr);
    }
}

#[test]
fn syslog_ng_delivers_every_line_once_after_the_engine_was_down() {
    if !has("syslog-ng") {
        return;
    }
    let directory = Directory::new();
    if fleet(&directory).is_none() {
        return;
    }
    let Some(place) = Sockets::make(&["udp"]) else {
        return;
    };
    fs::create_dir(directory.path("run")).unwrap();
    let mut driver = place.program("python3");
    driver
        .arg(file("tests/fleet/syslog_ng.py"))
        .arg(directory.path("run"))
        .arg(file("examples/fleet/syslog-ng.conf"))
        .arg(directory.path("batches/3-now.jsonl"));
    let lines = Ran::of(&mut driver).ended_with(0);
    assert!(
        lines.text().trim().parse::<u32>().unwrap() > 800,
        "{}",
        lines.text()
    );
}

/// The highest score that `systemd-analyze security` may give a unit, in tenths.
const EXPOSURE: &str = "--threshold=45";

#[test]
fn units_are_valid_and_give_away_little() {
    if !has("systemd-analyze") {
        return;
    }
    let directory = Directory::new();
    let mut units = Vec::new();
    for entry in fs::read_dir(file("examples/fleet/systemd")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&path).unwrap();
        let text = text.replace("/usr/bin/sockstat", env!("CARGO_BIN_EXE_sockstat"));
        fs::write(directory.path(&name), text).unwrap();
        units.push(directory.path(&name));
    }
    assert_eq!(units.len(), 4);
    let verified = Ran::of(
        Command::new("systemd-analyze")
            .args(["verify", "--man=no"])
            .args(&units),
    );
    assert_eq!(
        (verified.status, verified.text(), &*verified.stderr),
        (Some(0), "", "")
    );
    for unit in units.iter().filter(|unit| unit.ends_with(".service")) {
        let mut analyze = Command::new("systemd-analyze");
        analyze.args(["security", "--offline=true", "--no-pager", EXPOSURE, unit]);
        let security = Ran::of(&mut analyze);
        assert_eq!(security.status, Some(0), "{}", security.text());
    }
}

#[test]
fn a_real_systemd_runs_both_services_and_their_timers() {
    let directory = Directory::new();
    let mut boot = Command::new("bash");
    boot.arg(file("tests/fleet/systemd.sh"))
        .arg(env!("CARGO_BIN_EXE_sockstat"))
        .arg(file("examples/fleet/systemd"))
        .arg(directory.path(""));
    let ran = Ran::of(&mut boot);
    if ran.status == Some(77) {
        skip(ran.text().trim());
        return;
    }
    let said: Vec<_> = ran.text().lines().collect();
    let about = |unit: &str| {
        let at = said.iter().position(|line| *line == format!("Id={unit}"));
        let at = at.unwrap_or_else(|| panic!("{unit}: {}{}", ran.text(), ran.stderr));
        (said[at - 2..at + 2].to_vec(), at)
    };
    for name in ["metrics", "snapshot"] {
        let (service, _) = about(&format!("sockstat-{name}.service"));
        assert_eq!(
            service[..2],
            ["Result=success", "ExecMainStatus=0"],
            "{}",
            ran.text()
        );
        let (_, at) = about(&format!("sockstat-{name}.timer"));
        assert_eq!(said[at + 1], "ActiveState=active");
    }
    for written in [
        "/var/lib/sockstat 750 root",
        "/var/lib/sockstat/snapshots.jsonl 640 root",
        "/var/lib/prometheus/node-exporter/sockstat.prom 644 root",
        // Both runs are in the file.
        "2",
    ] {
        assert!(said.contains(&written), "{written}: {}", ran.text());
    }
    let last: Value = serde_json::from_str(said.last().unwrap()).unwrap();
    assert_eq!(last["schema"], "sockstat-snapshot/1");
    assert!(last["rows"].is_u64() && last["boot_id"].is_string(), "{last}");
}
