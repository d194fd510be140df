//! `-N`: network namespaces seen from outside.

use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::enter::{as_user, is_root, on_a_thread_elsewhere};
use super::privilege::copy;
use super::sockets::Sockets;
use super::truth::row_of;
use crate::run::{Ran, sockstat};
use crate::skip::skip;

/// Tables that are empty in a new namespace: the kernel's own netlink sockets are left out.
const TABLES: &str = "tcp,udp,unix";

/// Sockets in a namespace that we may enter from outside.
#[track_caller]
fn make(specs: &[&str]) -> Option<Sockets> {
    if !is_root() {
        skip("only root can enter a network namespace alone");
        return None;
    }
    Sockets::make(specs)
}

#[track_caller]
fn rows(arguments: &[&str]) -> Vec<Value> {
    let ran = Ran::of(&mut sockstat(arguments)).ended_with(0);
    ran.json()["sockets"].as_array().unwrap().clone()
}

#[test]
fn one_namespace_by_pid_and_path_is_seen_as_from_inside() {
    let specs = [
        "tcp-listen",
        "tcp-listen:device=lo",
        "udp",
        "unix-pair",
        "time-wait",
    ];
    let Some(sockets) = make(&specs) else { return };
    let pid = sockets.pid.to_string();
    let path = format!("/proc/{pid}/ns/net");
    for (option, place) in [("-N", &pid), ("--net", &pid), ("--netns", &path)] {
        let rows = rows(&["-a", "-p", "--json", "-A", TABLES, option, place]);
        assert_eq!(rows.len(), sockets.ends.len(), "{rows:#?}");
        for end in &sockets.ends {
            let row = row_of(end, &rows).unwrap_or_else(|| panic!("no row for {}", end.said));
            assert_eq!(row["netns"].as_u64(), Some(sockets.netns));
            if !row["inode"].is_null() {
                assert_eq!(row["pid"].as_u64(), Some(u64::from(sockets.pid)), "{row}");
            }
        }
        let bound = rows.iter().filter(|row| row["interface"] == "lo").count();
        assert_eq!(bound, 1, "the name is looked up inside: {rows:#?}");
    }
}

#[test]
fn subcommands_go_there_too() {
    let Some(sockets) = make(&["tcp-listen"]) else {
        return;
    };
    let pid = sockets.pid.to_string();
    let port = sockets.ends[0].said["local_port"].to_string();
    for arguments in [["why", "-N", &pid, &port], ["-N", &pid, "why", &port]] {
        let answer = Ran::of(&mut sockstat(arguments)).ended_with(1);
        assert!(answer.text().contains("mksock"), "{}", answer.text());
    }
    let waited = ["wait", "-N", &pid, &port, "--timeout", "0s"];
    Ran::of(&mut sockstat(waited)).ended_with(0);
    let range = format!("{port}-{port}");
    Ran::of(&mut sockstat(["free", "-N", &pid, &range])).ended_with(1);
    let reached = format!("127.0.0.1:{port}");
    Ran::of(&mut sockstat(["reach", "-N", &pid, &reached])).ended_with(0);
}

#[test]
fn a_path_that_is_no_namespace_is_refused_in_one_line() {
    let refused = |arguments: &[&str], words: &str| {
        let ran = Ran::of(&mut sockstat(arguments)).ended_with(2);
        assert!(ran.stdout.is_empty());
        assert!(ran.stderr.contains(words), "{arguments:?}: {}", ran.stderr);
    };
    refused(&["-N", "no such name"], "/run/netns/no such name");
    refused(&["-N", "/proc/self/status"], "it is not a namespace");
    refused(&["why", "-N", "all", "80"], "this command takes a single -N");
}

#[test]
fn all_namespaces_are_found_and_every_socket_with_its_owner() {
    const COUNT: usize = 50;
    let specs = [
        "tcp-listen:queued=1",
        "tcp-listen:addr=::,device=lo",
        "udp",
        "unix-pair",
    ];
    let mut places = Vec::with_capacity(COUNT);
    for _ in 0..COUNT {
        let Some(sockets) = make(&specs) else { return };
        places.push(sockets);
    }
    let numbers: Vec<_> = places.iter().map(|sockets| sockets.netns.to_string()).collect();
    let ours = format!("netns in ({})", numbers.join(", "));
    let rows = rows(&["-a", "-p", "--json", "-A", TABLES, "-N", "all", &ours]);
    for sockets in &places {
        let of_netns = |row: &&Value| row["netns"].as_u64() == Some(sockets.netns);
        let own: Vec<Value> = rows.iter().filter(of_netns).cloned().collect();
        assert_eq!(own.len(), sockets.ends.len(), "{own:#?}");
        for end in &sockets.ends {
            let row = row_of(end, &own).unwrap_or_else(|| panic!("no row for {}", end.said));
            if row["owner_status"] != "none" {
                assert_eq!(row["pid"].as_u64(), Some(u64::from(sockets.pid)), "{row}");
            }
        }
        assert!(
            own.iter().any(|row| row["owner_status"] == "queued"),
            "a connection waits for the listener of its own namespace: {own:#?}"
        );
        assert_eq!(own.iter().filter(|row| row["interface"] == "lo").count(), 1);
    }
}

#[test]
fn several_namespaces_are_columns_filters_and_groups() {
    let Some(one) = make(&["tcp-listen:port=7001,device=lo"]) else {
        return;
    };
    let Some(two) = make(&["tcp-listen:port=7001,device=lo", "tcp-listen:port=7002"]) else {
        return;
    };
    let places = format!("{},{}", one.pid, two.pid);
    let run = |arguments: &[&str]| {
        let ran = Ran::of(sockstat(["-N", &places]).args(arguments)).ended_with(0);
        ran.text().to_owned()
    };
    let plain = run(&["-tlnH", "sport", "=", ":7001"]);
    for sockets in [&one, &two] {
        let token = format!("netns:{}", sockets.netns);
        assert_eq!(plain.matches(&token).count(), 1, "{plain}");
    }
    let table = run(&["-tln", "--table"]);
    assert!(
        table.starts_with("NETNS") && table.contains(&two.netns.to_string()),
        "{table}"
    );
    let of_two = format!("netns = {}", two.netns);
    assert_eq!(run(&["-tlnH", &of_two]).lines().count(), 2);
    assert_eq!(
        run(&["-tlnH", "dev = lo"]).lines().count(),
        2,
        "names, where numbers differ"
    );
    let groups = run(&["-tln", "--by", "netns", "--csv"]);
    assert!(groups.contains(&format!("{},2", two.netns)), "{groups}");
    // The same place twice is one.
    let twice = ["-N", &places, "-N", &one.pid.to_string(), "-tlnH"];
    assert_eq!(
        Ran::of(&mut sockstat(twice)).ended_with(0).text().lines().count(),
        3
    );
}

#[test]
fn a_thread_in_its_own_namespace_is_found() {
    if !is_root() {
        return skip("only root can enter a network namespace alone");
    }
    let Some((listener, _stay)) =
        on_a_thread_elsewhere(|| TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap())
    else {
        return;
    };
    let port = listener.local_addr().unwrap().port().to_string();
    let rows = rows(&["-tlp", "--json", "-N", "all", &format!("local_port = {port}")]);
    let ours = rows
        .iter()
        .filter(|row| row["pid"].as_u64() == Some(u64::from(std::process::id())));
    assert_eq!(ours.count(), 1, "{rows:#?}");
}

#[test]
fn a_namespace_that_only_a_socket_keeps_is_a_loss() {
    if !is_root() {
        return skip("only root can enter a network namespace alone");
    }
    if let Err(refusal) = sockstat::source::bpf::namespaces_of_sockets() {
        return skip(&refusal.to_string());
    }
    let link = |task: &std::path::Path| std::fs::read_link(task.join("ns/net")).ok();
    let Some(((namespace, _listener), stay)) = on_a_thread_elsewhere(move || {
        let namespace = link("/proc/thread-self".as_ref()).unwrap();
        (namespace, TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap())
    }) else {
        return;
    };
    drop(stay);
    // A thread has been joined before it has left its namespace.
    let is_inside =
        |task: std::io::Result<std::fs::DirEntry>| link(&task.unwrap().path()) == Some(namespace.clone());
    while std::fs::read_dir("/proc/self/task").unwrap().any(is_inside) {
        std::thread::yield_now();
    }
    let seen = Ran::of(&mut sockstat(["-tlj", "-N", "all"])).ended_with(0).json();
    let gaps = seen["gaps"].as_array().unwrap();
    let mut messages = gaps
        .iter()
        .filter(|gap| gap["code"] == "netns-kept")
        .map(|gap| gap["message"].as_str().unwrap());
    assert!(
        messages.any(|message| message.contains("only sockets lead to")),
        "{gaps:#?}"
    );
    assert_eq!(seen["complete"], false);
}

#[test]
fn a_namespace_that_only_has_a_name_is_found_by_it() {
    if !is_root() {
        return skip("only root can enter a network namespace alone");
    }
    let name = format!("sockstat-it-{}", std::process::id());
    let ip = |verb: &str| Command::new("ip").args(["netns", verb, &name]).output().unwrap();
    let made = ip("add");
    if !made.status.success() {
        return skip(&format!(
            "no network namespace: {}",
            String::from_utf8_lossy(&made.stderr).trim()
        ));
    }
    let place = name.clone();
    // Its thread never leaves the namespace; its socket stays there.
    let listener = std::thread::spawn(move || {
        let file = std::fs::File::open(format!("/run/netns/{place}")).unwrap();
        let kind = Some(rustix::thread::LinkNameSpaceType::Network);
        rustix::thread::move_into_link_name_space(std::os::fd::AsFd::as_fd(&file), kind).unwrap();
        TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap()
    });
    let _listener = listener.join().unwrap();
    let all = rows(&["-tlp", "--json", "-N", "all", &format!("netns_name = {name}")]);
    let one = rows(&["-tlp", "--json", "-N", &name]);
    ip("delete");
    for rows in [all, one] {
        assert_eq!(rows.len(), 1, "{rows:#?}");
        assert_eq!(rows[0]["netns_name"], *name);
        assert_eq!(rows[0]["pid"].as_u64(), Some(u64::from(std::process::id())));
    }
}

#[test]
fn an_ordinary_user_reads_the_tables_of_processes_inside() {
    let Some(sockets) = make(&["tcp-listen", "udp"]) else {
        return;
    };
    // Other namespaces may have sockets with the same ports.
    let [listener, datagrams] = [0, 1].map(|at| &sockets.ends[at].said);
    let filter = format!("inode in ({}, {})", listener["inode"], datagrams["inode"]);
    std::fs::set_permissions(sockets.directory(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let program = sockets.directory().join("sockstat");
    copy(&program);
    let pid = sockets.pid.to_string();
    for place in [&pid, "all"] {
        let mut command = Command::new(&program);
        command.args(["-N", place, "-tuln", "--json", &filter]);
        as_user(&mut command, 65534);
        let ran = Ran::of(&mut command).ended_with(0);
        let document = ran.json();
        assert_eq!(document["sockets"].as_array().unwrap().len(), 2, "{document:#}");
        assert_eq!(document["complete"], false);
        assert!(
            ran.stderr.contains("/proc/PID/net") && ran.stderr.contains("sudo "),
            "{}",
            ran.stderr
        );
        // Its number cannot be read, and is not made up.
        assert!(document["sockets"][0]["netns"].is_null());
    }
    let mut why = Command::new(&program);
    why.args(["why", "-N", &pid, &listener["local_port"].to_string()]);
    as_user(&mut why, 65534);
    let ran = Ran::of(&mut why).ended_with(2);
    assert!(ran.stderr.contains("CAP_SYS_ADMIN"), "{}", ran.stderr);
}

#[test]
fn a_file_mounted_over_a_namespace_is_not_opened() {
    // A namespace that a file keeps alive, in a mount namespace of its own; a FIFO covers the file, and a process waits
    // for anyone who opens it.
    const SCRIPT: &str = "cd \"$1\" && touch namespace && mkfifo fifo && unshare --net=namespace true \
        && readlink /proc/self/ns/mnt && mount --bind fifo namespace && { (: >fifo; echo opened) & echo ready; read _; echo end; kill $!; }";
    if !is_root() {
        skip("only root can enter a network namespace alone");
        return;
    }
    let directory = super::sockets::new_directory();
    let mut keeper = Command::new("unshare")
        .args(["--mount", "sh", "-c", SCRIPT, "sh"])
        .arg(&directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(keeper.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap);
    let ready = said.any(|line| line == "ready");
    if ready {
        let ran = Ran::of(&mut sockstat(["-tan", "-N", "all", "--json"])).ended_with(0);
        let gaps = ran.json()["gaps"].to_string();
        assert!(gaps.contains("netns-closed"), "{gaps}");
    }
    drop(keeper.stdin.take());
    let rest: Vec<_> = said.collect();
    keeper.wait().unwrap();
    std::fs::remove_dir_all(&directory).unwrap();
    if ready {
        assert_eq!(rest, ["end"], "the FIFO was opened");
    } else {
        skip("no network namespace: unshare cannot keep one by a file");
    }
}

#[test]
fn remedies_are_commands_for_the_requested_namespace() {
    let Some(sockets) = make(&["tcp-listen:port=3000"]) else {
        return;
    };
    let pid = sockets.pid.to_string();
    for words in [["-N", &pid, "why", "3000"], ["why", "3000", "-N", &pid]] {
        let said = Ran::of(&mut sockstat(words)).text().to_owned();
        assert!(said.contains(&format!("sockstat -N {pid} kill :3000")), "{said}");
    }
}
