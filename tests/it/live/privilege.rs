//! What an ordinary user, a user with one capability, and a process in another pid namespace cannot see is reported.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::enter::{as_user, is_root};
use super::sockets::Sockets;
use crate::run::Ran;
use crate::skip::skip;

/// A user without privileges.
const NOBODY: u32 = 65534;

/// Namespaces, and a copy of sockstat that any user can run (the build directory may be closed to others).
struct Setting {
    sockets: Sockets,
    program: PathBuf,
}

impl Setting {
    #[track_caller]
    fn make(specs: &[&str]) -> Option<Self> {
        if !is_root() {
            skip("only root can become another user");
            return None;
        }
        let sockets = Sockets::make(specs)?;
        fs::set_permissions(sockets.directory(), fs::Permissions::from_mode(0o755)).unwrap();
        let program = sockets.directory().join("sockstat");
        copy(&program);
        Some(Self { sockets, program })
    }

    /// Runs sockstat through a program of util-linux. Skips and returns `None` if that is missing or refused.
    #[track_caller]
    fn through(&self, tool: &[&str], arguments: &[&str]) -> Option<Ran> {
        let mut command = self.sockets.program(tool[0]);
        command.args(&tool[1..]).arg(&self.program).args(arguments);
        for name in ["NO_COLOR", "CLICOLOR_FORCE"] {
            command.env_remove(name);
        }
        if Command::new(tool[0]).arg("--version").output().is_err() {
            skip(&format!("{} (util-linux) is not installed", tool[0]));
            return None;
        }
        let ran = Ran::of(&mut command);
        if ran.status != Some(0) && ran.stderr.starts_with(tool[0]) {
            skip(&format!("{} is refused here: {}", tool[0], ran.stderr.trim()));
            return None;
        }
        Some(ran.ended_with(0))
    }
}

/// Copies the program with cp(1). If this process wrote the copy, a child forked by another thread could inherit the
/// descriptor, and running the copy would fail with ETXTBSY.
pub(super) fn copy(to: &Path) {
    let status = Command::new("cp")
        .arg(env!("CARGO_BIN_EXE_sockstat"))
        .arg(to)
        .status()
        .unwrap();
    assert!(status.success());
    fs::set_permissions(to, fs::Permissions::from_mode(0o755)).unwrap();
}

fn rows(ran: &Ran) -> Vec<Value> {
    ran.json()["sockets"].as_array().unwrap().clone()
}

fn of_port<'a>(rows: &'a [Value], port: &Value) -> &'a Value {
    rows.iter()
        .find(|row| row["local_port"] == *port)
        .unwrap_or_else(|| panic!("no row of port {port}"))
}

fn has_gap(ran: &Ran, code: &str) -> bool {
    ran.json()["gaps"]
        .as_array()
        .unwrap()
        .iter()
        .any(|gap| gap["code"] == code)
}

#[test]
fn an_ordinary_user_sees_every_row_and_what_is_hidden() {
    let specs = [
        "tcp-listen",
        "nondumpable",
        "uid",
        "tcp-listen:queued=1",
        "time-wait",
        "udp:addr=::",
    ];
    let Some(setting) = Setting::make(&specs) else {
        return;
    };
    let mut command = setting.sockets.program(&setting.program);
    as_user(&mut command, NOBODY);
    let ran = Ran::of(command.args(["-tuan", "-p", "--json"])).ended_with(0);
    let rows = rows(&ran);
    let as_root = setting.sockets.run(&["-tuan", "-p", "--json"]).json();
    assert_eq!(
        rows.len(),
        as_root["sockets"].as_array().unwrap().len(),
        "no row is lost"
    );
    for end in setting
        .sockets
        .ends
        .iter()
        .filter(|end| end.said["state"] == "listen")
    {
        let row = of_port(&rows, &end.said["local_port"]);
        let expected = if end.kind() == "uid" { "known" } else { "hidden" };
        assert_eq!(row["owner_status"], expected, "{}", end.said);
        assert_eq!(row["uid"], end.said["uid"], "the user is known without privilege");
    }
    assert!(has_gap(&ran, "owners-hidden"));
    assert_eq!(ran.json()["complete"], false);
    let remedy = ran.json()["gaps"]
        .as_array()
        .unwrap()
        .iter()
        .find_map(|gap| gap["remedy"].as_str().map(str::to_owned));
    let remedy = remedy.expect("what is hidden has a remedy");
    assert!(
        remedy.starts_with("sudo ") && remedy.contains("/sockstat"),
        "{remedy}"
    );
}

#[test]
fn a_hidden_owner_is_never_a_blank_on_screen() {
    let Some(setting) = Setting::make(&["tcp-listen"]) else {
        return;
    };
    let mut command = setting.sockets.program(&setting.program);
    as_user(&mut command, NOBODY);
    let ran = Ran::of(command.args(["-tln", "-p", "--table"])).ended_with(0);
    assert!(ran.text().contains("hidden"), "{}", ran.text());
    assert!(
        ran.stderr.contains("owner hidden") && ran.stderr.contains("sudo "),
        "{}",
        ran.stderr
    );
}

#[test]
fn metrics_say_that_owners_are_hidden() {
    let Some(setting) = Setting::make(&["tcp-listen"]) else {
        return;
    };
    let metrics = |user: bool| {
        let mut command = setting.sockets.program(&setting.program);
        if user {
            as_user(&mut command, NOBODY);
        }
        Ran::of(command.arg("metrics")).ended_with(0).text().to_owned()
    };
    let hidden = metrics(true);
    assert!(hidden.contains("\nsockstat_complete 0\n"), "{hidden}");
    assert!(
        hidden.contains("\nsockstat_missing{code=\"owners-hidden\"} "),
        "{hidden}"
    );
    let all = metrics(false);
    assert!(!all.contains("owners-hidden"), "{all}");
}

#[test]
fn a_filter_by_owner_reports_rows_that_it_could_not_decide() {
    let Some(setting) = Setting::make(&["tcp-listen"]) else {
        return;
    };
    let mut command = setting.sockets.program(&setting.program);
    as_user(&mut command, NOBODY);
    let ran = Ran::of(command.args(["-tln", "--json", "--exit-status", "mksock"])).ended_with(3);
    assert!(rows(&ran).is_empty());
    assert!(has_gap(&ran, "filter-undecided"), "{}", ran.json()["gaps"]);
}

#[test]
fn one_capability_shows_other_users_descriptors() {
    let Some(setting) = Setting::make(&["tcp-listen", "nondumpable", "uid"]) else {
        return;
    };
    let user = ["--reuid=65534", "--regid=65534", "--clear-groups"];
    let capability = [
        "--inh-caps=+sys_ptrace,+dac_read_search",
        "--ambient-caps=+sys_ptrace,+dac_read_search",
    ];
    let tool = [&["setpriv"], &user[..], &capability[..]].concat();
    let Some(ran) = setting.through(&tool, &["-tlnp", "--json"]) else {
        return;
    };
    let rows = rows(&ran);
    for end in &setting.sockets.ends {
        assert_eq!(
            of_port(&rows, &end.said["local_port"])["owner_status"],
            "known",
            "{}",
            end.said
        );
    }
}

#[test]
fn only_ptrace_gives_a_true_table() {
    let Some(setting) = Setting::make(&["tcp-listen", "uid"]) else {
        return;
    };
    let tool = [
        "setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        "--inh-caps=+sys_ptrace",
        "--ambient-caps=+sys_ptrace",
    ];
    let Some(ran) = setting.through(&tool, &["-tlnp", "--json"]) else {
        return;
    };
    let rows = rows(&ran);
    // /proc/PID/fd is closed to other users without CAP_DAC_READ_SEARCH, but fdinfo is not; it has the line `ino:`
    // since linux 5.14.
    let has_inodes = fs::read_to_string("/proc/self/fdinfo/0").is_ok_and(|info| info.contains("ino:"));
    let expected = if has_inodes { "known" } else { "hidden" };
    for end in &setting.sockets.ends {
        assert_eq!(
            of_port(&rows, &end.said["local_port"])["owner_status"],
            expected,
            "{}",
            end.said
        );
    }
    if expected == "hidden" {
        assert!(has_gap(&ran, "owners-hidden"));
    }
}

#[test]
fn owners_outside_the_pid_namespace_are_elsewhere() {
    let Some(setting) = Setting::make(&["tcp-listen", "udp"]) else {
        return;
    };
    let tool = ["unshare", "--pid", "--fork", "--mount-proc"];
    let Some(ran) = setting.through(&tool, &["-tulnp", "--json"]) else {
        return;
    };
    let rows = rows(&ran);
    assert_eq!(rows.len(), 2);
    for row in &rows {
        assert_eq!(row["owner_status"], "elsewhere", "{row}");
    }
    assert!(has_gap(&ran, "owners-elsewhere"));
    assert_eq!(ran.json()["complete"], false);
}

#[test]
fn hidepid_hides_and_says_so() {
    let Some(setting) = Setting::make(&["tcp-listen"]) else {
        return;
    };
    let script = "mount -t proc -o hidepid=2 proc /proc && exec setpriv --reuid=65534 --regid=65534 --clear-groups \"$0\" \"$@\"";
    let Some(ran) = setting.through(&["unshare", "--mount", "sh", "-c", script], &["-tlnp", "--json"]) else {
        return;
    };
    let rows = rows(&ran);
    assert_eq!(rows.len(), 1);
    assert_eq!(
        rows[0]["owner_status"], "hidden",
        "nobody was refused, because nobody was shown"
    );
    assert!(has_gap(&ran, "owners-hidden"));
}

#[test]
fn a_process_that_is_closed_to_its_own_user_is_hidden_from_it() {
    let Some(sockets) = Sockets::make(&["nondumpable"]) else {
        return;
    };
    let end = &sockets.ends[0];
    let descriptor = format!("/proc/{}/fd/{}", end.said["pid"], end.said["fd"]);
    let expected = if fs::read_link(descriptor).is_ok() {
        "known"
    } else {
        "hidden"
    };
    let ran = sockets.run(&["-tlnp", "--json"]);
    assert_eq!(
        of_port(&rows(&ran), &end.said["local_port"])["owner_status"],
        expected
    );
    assert_eq!(has_gap(&ran, "owners-hidden"), expected == "hidden");
}

#[test]
fn the_gap_that_the_documentation_shows() {
    let page = include_str!("../../../docs/json.md");
    let shown: Vec<_> = page
        .split("```console\n$ ")
        .nth(1)
        .unwrap()
        .lines()
        .take(2)
        .collect();
    let (command, expected) = (shown[0], shown[1]);
    let (command, _) = command.split_once(" | jq -c .gaps").unwrap();
    let arguments: Vec<_> = command.split(' ').skip(1).collect();
    let Some(setting) = Setting::make(&["nondumpable:port=5432"]) else {
        return;
    };
    let mut sockstat = setting.sockets.program(&setting.program);
    as_user(&mut sockstat, NOBODY);
    let ran = Ran::of(sockstat.args(&arguments)).ended_with(0);
    let gaps = ran.json()["gaps"].to_string();
    // The documentation shows another path of the program.
    let gaps = gaps.replace(setting.program.to_str().unwrap(), "/usr/local/bin/sockstat");
    let expected: Value = serde_json::from_str(expected).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&gaps).unwrap(), expected);
    assert_eq!(ran.stderr, "", "--quiet");
}

#[test]
fn a_filter_that_the_kernel_refuses_is_checked_here_and_reported() {
    let Some(setting) = Setting::make(&["tcp-listen:port=80", "tcp-listen:port=81"]) else {
        return;
    };
    let filter = ["-tl", "--json", "sport = 80 or fwmark = 5"];
    let mut as_nobody = setting.sockets.program(&setting.program);
    as_user(&mut as_nobody, NOBODY);
    // Marks may be filtered with CAP_NET_ADMIN only.
    let ran = Ran::of(as_nobody.args(filter)).ended_with(0);
    assert_eq!(rows(&ran).len(), 1);
    assert!(has_gap(&ran, "filter-refused"), "{}", ran.json()["gaps"]);
    let as_root = setting.sockets.run(&filter);
    assert_eq!(rows(&as_root).len(), 1);
    assert!(!has_gap(&as_root, "filter-refused"));
}

#[test]
fn a_listener_that_a_hidden_process_may_share_is_not_complete() {
    let Some(setting) = Setting::make(&["uid"]) else {
        return;
    };
    let run = |arguments: &[&str]| {
        let mut command = setting.sockets.program(&setting.program);
        as_user(&mut command, NOBODY);
        Ran::of(command.args(arguments)).ended_with(0)
    };
    let ran = run(&["-tlnp", "--json"]);
    assert_eq!(rows(&ran)[0]["owner_status"], "known");
    assert_eq!(ran.json()["complete"], false);
    assert!(has_gap(&ran, "owners-partial"), "{}", ran.json()["gaps"]);
    let ran = run(&["-tln", "--json", "not process = nginx"]);
    assert!(rows(&ran).is_empty(), "nginx may share it");
    assert!(has_gap(&ran, "filter-undecided"), "{}", ran.json()["gaps"]);
    let ran = run(&["-tln", "--json", "process = nginx"]);
    assert!(!has_gap(&ran, "filter-undecided"), "{}", ran.json()["gaps"]);
}

#[test]
fn too_few_descriptors_are_reported() {
    let Some(setting) = Setting::make(&["tcp-listen"]) else {
        return;
    };
    let tool = ["sh", "-c", "ulimit -n 5 && exec \"$0\" \"$@\""];
    let mut command = setting.sockets.program(tool[0]);
    command.args(&tool[1..]).arg(&setting.program);
    let ran = Ran::of(command.args(["-tlnp", "--owners", "proc", "--json"])).ended_with(0);
    assert_eq!(ran.json()["complete"], false, "{}", ran.text());
    let gap = &ran.json()["gaps"][0];
    assert!(
        gap["remedy"].as_str().unwrap_or_default().contains("ulimit -n"),
        "{gap}"
    );
}

#[test]
fn a_proc_without_processes_is_reported() {
    let Some(setting) = Setting::make(&["tcp-listen"]) else {
        return;
    };
    let script = "mount -t tmpfs none /proc && exec \"$0\" \"$@\"";
    let tool = ["unshare", "--mount", "sh", "-c", script];
    let Some(ran) = setting.through(&tool, &["-tlnp", "--owners", "proc", "--json"]) else {
        return;
    };
    assert_eq!(rows(&ran)[0]["owner_status"], "unknown");
    assert!(has_gap(&ran, "proc-empty"), "{}", ran.json()["gaps"]);
    assert!(!has_gap(&ran, "owners-elsewhere"));
}

/// A copy of the program with these file capabilities.
#[track_caller]
fn with_file_capabilities(setting: &Setting, capabilities: &str) -> Option<PathBuf> {
    let program = setting.sockets.directory().join("sockstat-with-capabilities");
    copy(&program);
    let Ok(set) = Command::new("setcap").arg(capabilities).arg(&program).output() else {
        skip("setcap (libcap) is not installed");
        return None;
    };
    if !set.status.success() {
        let why = String::from_utf8_lossy(&set.stderr);
        skip(&format!("no file capabilities can be set: {}", why.trim()));
        return None;
    }
    Some(program)
}

#[test]
fn file_capabilities_open_no_file_that_the_caller_could_not() {
    let Some(setting) = Setting::make(&["tcp-listen"]) else {
        return;
    };
    // More than docs/privileges.md grants, to test writing too.
    let capabilities = "cap_sys_ptrace,cap_dac_read_search,cap_dac_override+ep";
    let Some(program) = with_file_capabilities(&setting, capabilities) else {
        return;
    };
    let run = |arguments: &[&str]| {
        let mut command = setting.sockets.program(&program);
        as_user(&mut command, NOBODY);
        Ran::of(command.args(arguments))
    };
    let seen = run(&["-tlnp", "--json"]).ended_with(0);
    if rows(&seen)[0]["owner_status"] != "known" {
        skip("file capabilities have no effect here (nosuid, or no_new_privs)");
        return;
    }
    let directory = setting.sockets.directory();
    let secret = directory.join("secret");
    fs::write(&secret, "hunter2 = 1\n").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    let secret = secret.to_str().unwrap();
    let new = directory.join("new");
    let new = new.to_str().unwrap();
    for arguments in [
        &["-F", secret, "--explain-plan"][..],
        &["-t", "-F", secret],
        &["--replay", secret],
        &["--record", new, "-t"],
        &["-t", "-D", new],
        &["--record", secret, "-t"],
        &["-t", "-D", secret],
        &["metrics", "--output", new],
        &["metrics", "--output", secret],
        &["--replay", secret, "snapshot"],
        &["--replay", secret, "metrics"],
    ] {
        let ran = run(arguments).ended_with(1);
        assert!(
            ran.stderr.contains("Permission denied"),
            "{arguments:?}: {}",
            ran.stderr
        );
        assert!(
            !ran.stderr.contains("hunter2") && !ran.text().contains("hunter2"),
            "{arguments:?}"
        );
    }
    assert!(!Path::new(new).exists());
    assert_eq!(fs::read_to_string(secret).unwrap(), "hunter2 = 1\n");
}

#[test]
fn file_capabilities_end_no_other_users_process() {
    let Some(setting) = Setting::make(&["tcp-listen:port=4000", "tcp-pair"]) else {
        return;
    };
    let Some(program) = with_file_capabilities(&setting, "cap_sys_ptrace,cap_dac_read_search+ep") else {
        return;
    };
    let run = |arguments: &[&str]| {
        let mut command = setting.sockets.program(&program);
        as_user(&mut command, NOBODY);
        Ran::of(command.args(arguments))
    };
    if rows(&run(&["-tlnp", "--json"]).ended_with(0))[0]["owner_status"] != "known" {
        skip("file capabilities have no effect here (nosuid, or no_new_privs)");
        return;
    }
    let shown = |words: &[&str]| setting.sockets.run(words).text().to_owned();
    let before = shown(&["-tanpH", "--plain"]);
    for arguments in [
        &["kill", "--yes", "4000"][..],
        &["kill", "--yes", "--signal", "KILL", "4000"],
        &["kill", "--yes", "--json", "4000"],
        &["kill", "--yes", "--socket", "state", "established"],
        &["-K", "--yes", "state", "established"],
    ] {
        let ran = run(arguments);
        assert_eq!(
            ran.status,
            Some(1),
            "{arguments:?}: {} {}",
            ran.text(),
            ran.stderr
        );
        assert!(!ran.stderr.contains("ended"), "{arguments:?}: {}", ran.stderr);
    }
    assert_eq!(shown(&["-tanpH", "--plain"]), before);
}

#[test]
fn a_proc_root_with_links_out_of_it_reads_no_more_than_its_caller_may() {
    use std::os::unix::fs::symlink;
    let Some(setting) = Setting::make(&["tcp-listen"]) else {
        return;
    };
    let Some(program) = with_file_capabilities(&setting, "cap_sys_ptrace,cap_dac_read_search+ep") else {
        return;
    };
    let directory = setting.sockets.directory();
    let (secret, root) = (directory.join("secret"), directory.join("root"));
    fs::write(&secret, "hunter2").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    fs::create_dir_all(root.join("net")).unwrap();
    fs::create_dir_all(root.join("7/fd")).unwrap();
    let header =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
    let socket = "   0: 0100007F:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0\n";
    fs::write(root.join("net/tcp"), format!("{header}{socket}")).unwrap();
    symlink("socket:[4711]", root.join("7/fd/3")).unwrap();
    for name in ["cmdline", "comm", "stat", "status", "cgroup"] {
        symlink(&secret, root.join("7").join(name)).unwrap();
    }
    let mut command = setting.sockets.program(&program);
    as_user(&mut command, NOBODY);
    let ran = Ran::of(command.arg("--proc-root").arg(&root).args(["-tlnp4", "--json"])).ended_with(0);
    assert_eq!(ran.json()["sockets"][0]["owners"][0]["pid"], 7, "{}", ran.text());
    assert!(!ran.text().contains("hunter2"), "{}", ran.text());
}

#[test]
fn every_command_works_even_if_no_thread_can_be_started() {
    let Some(setting) = Setting::make(&["tcp-listen:port=4000", "tcp-pair", "udp"]) else {
        return;
    };
    let as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    let tool = [&as_nobody[..], &["prlimit", "--nproc=0"]].concat();
    let commands: [(&[&str], i32); 14] = [
        (&["-tulpn"], 0),
        (&["-tulpn", "--owners", "proc"], 0),
        (&["-tanpe", "--json"], 0),
        (&["-tlnr"], 0),
        (&["-s"], 0),
        (&["why", "4000"], 1),
        // Without CAP_NET_ADMIN the packet filter is not examined.
        (&["reach", "127.0.0.1:4000"], 3),
        (&["free", "--count", "1"], 0),
        (&["kill", "--dry-run", ":4000"], 1),
        (&["-K", "--dry-run", "state", "listen"], 1),
        (&["snapshot"], 0),
        (&["metrics"], 0),
        (&["wait", "--timeout", "0s", "4000"], 0),
        (&["completions", "--values", "--", "sockstat", "why", ""], 0),
    ];
    for (arguments, status) in commands {
        let mut command = setting.sockets.program(tool[0]);
        command.args(&tool[1..]).arg(&setting.program).args(arguments);
        let ran = Ran::of(&mut command);
        if ran.stderr.starts_with("setpriv") || ran.stderr.starts_with("prlimit") {
            skip(&format!("{} is refused here: {}", tool[0], ran.stderr.trim()));
            return;
        }
        assert_eq!(ran.status, Some(status), "{arguments:?}: {}", ran.stderr);
        assert!(!ran.stderr.contains("panicked"), "{arguments:?}: {}", ran.stderr);
    }
    // It goes on until it is stopped.
    let mut events = setting.sockets.program("timeout");
    events
        .args(["--signal=INT", "1"])
        .args(&tool)
        .arg(&setting.program)
        .arg("events");
    let ran = Ran::of(&mut events);
    let looks = ran.stderr.contains("reading the tables every");
    assert!(looks && !ran.stderr.contains("panicked"), "{}", ran.stderr);
}
