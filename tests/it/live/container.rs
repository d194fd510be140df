//! Containers, pods and units, by the cgroups of a socket's creator and owners.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use super::enter::is_root;
use super::sockets::{Sockets, example};
use crate::run::{Ran, sockstat};
use crate::skip::skip;

/// A placeholder for a container's identifier.
const ID: &str = "5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e";

/// A v2 cgroup below the root of the hierarchy, with its parents; removed when dropped.
pub(super) struct Cgroup {
    made: Vec<PathBuf>,
}

impl Cgroup {
    /// Skips and returns `None` if none can be created.
    #[track_caller]
    pub(super) fn make(path: &str) -> Option<Self> {
        if !is_root() {
            skip("only root can make a cgroup");
            return None;
        }
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
        let of_v2 = |line: &str| {
            let (place, kind) = line.split_once(" - ")?;
            kind.starts_with("cgroup2 ")
                .then(|| PathBuf::from(place.split(' ').nth(4).unwrap()))
        };
        let Some(root) = mounts.lines().find_map(of_v2) else {
            skip("cannot create a cgroup: cgroup2 is not mounted");
            return None;
        };
        let mut group = Self { made: Vec::new() };
        let mut directory = root;
        for part in path.split('/') {
            directory.push(part);
            if let Err(error) = std::fs::create_dir(&directory) {
                skip(&format!("cannot create a cgroup: {error}"));
                return None;
            }
            group.made.push(directory.clone());
        }
        Some(group)
    }

    pub(super) fn directory(&self) -> &Path {
        self.made.last().unwrap()
    }

    /// A command that runs the program in it.
    pub(super) fn entering(&self, program: &Path) -> Command {
        let mut command = Command::new("sh");
        command
            .args(["-c", "echo $$ > \"$0\" && exec \"$@\""])
            .arg(self.directory().join("cgroup.procs"))
            .arg(program);
        command
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        for directory in self.made.iter().rev() {
            let _ = std::fs::remove_dir(directory);
        }
    }
}

#[track_caller]
fn rows(sockets: &Sockets, arguments: &[&str]) -> Vec<Value> {
    let ran = Ran::of(sockstat(["-N", &sockets.pid.to_string(), "--json"]).args(arguments)).ended_with(0);
    ran.json()["sockets"].as_array().unwrap().clone()
}

#[test]
fn a_socket_and_its_owner_are_in_the_container_of_their_cgroup() {
    let parent = format!("sockstat-it-{}.slice", std::process::id());
    let pod = "kubepods-pod6d2b1c9e_0f6a_4f3e_9a51_1f0c8e0f7a11.slice";
    let Some(group) = Cgroup::make(&format!("{parent}/{pod}/cri-containerd-{ID}.scope")) else {
        return;
    };
    let Some(sockets) = Sockets::make_by(&mut group.entering(&example("mksock")), &["tcp-listen", "udp"])
    else {
        return;
    };
    for row in rows(&sockets, &["-tulp"]) {
        assert_eq!(row["container"], "5ca1ab1e5ca1", "{row:#}");
        assert_eq!(row["container_id"], ID);
        assert_eq!(row["pod"], "6d2b1c9e-0f6a-4f3e-9a51-1f0c8e0f7a11");
        assert_eq!(row["owners"][0]["container"], "5ca1ab1e5ca1");
        let path = row["owners"][0]["cgroup"].as_str().unwrap();
        assert!(path.contains(&format!("cri-containerd-{ID}")), "{path}");
    }
    let of_container = [
        "container = 5ca1ab1e5ca1",
        "container like '5ca1*'",
        "pod like '6d2b*'",
    ];
    for filter in of_container {
        assert_eq!(rows(&sockets, &["-tul", filter]).len(), 2, "{filter}");
    }
    assert_eq!(rows(&sockets, &["-tul", "container = web"]).len(), 0);
    assert_eq!(rows(&sockets, &["-tul", "container != web"]).len(), 2);
    let pid = sockets.pid.to_string();
    let table = Ran::of(&mut sockstat(["-N", &pid, "-tulp", "--table"])).ended_with(0);
    assert!(
        table.text().contains(&format!("mksock {pid} in 5ca1ab1e5ca1")),
        "{}",
        table.text()
    );
}

#[test]
fn the_creator_decides_where_the_owner_has_moved() {
    let parent = format!("sockstat-it-moved-{}.slice", std::process::id());
    let Some(group) = Cgroup::make(&format!("{parent}/web.service")) else {
        return;
    };
    let Some(sockets) = Sockets::make_by(&mut group.entering(&example("mksock")), &["tcp-listen"]) else {
        return;
    };
    let root = group.made[0].parent().unwrap().join("cgroup.procs");
    std::fs::write(root, sockets.pid.to_string()).unwrap();
    let row = &rows(&sockets, &["-tlp"])[0];
    assert_eq!(row["unit"], "web.service", "{row:#}");
    assert!(row["owners"][0]["unit"].as_str() != Some("web.service"));
    assert_eq!(rows(&sockets, &["-tl", "unit like 'web*'"]).len(), 1);
}

/// A container in which `mksock` runs, started as docker does.
struct Container {
    runtime: &'static str,
    id: String,
    child: Child,
    bundle: PathBuf,
}

impl Container {
    /// Skips and returns `None` if no runtime is installed or none may start a container.
    #[track_caller]
    fn start(specs: &[&str]) -> Option<Self> {
        if !is_root() {
            skip("no container can be started: this is not root");
            return None;
        }
        let is_there = |name: &&str| Command::new(name).arg("--version").output().is_ok();
        let Some(runtime) = ["runc", "crun"].into_iter().find(is_there) else {
            skip("no container can be started: neither runc nor crun is installed");
            return None;
        };
        let number = std::process::id();
        let id = format!("{number:012x}{number:052x}");
        let bundle = std::env::temp_dir().join(format!("sockstat-it-bundle-{number}"));
        std::fs::create_dir_all(bundle.join("rootfs")).unwrap();
        let document = config(&id, specs).to_string();
        std::fs::write(bundle.join("config.json"), document).unwrap();
        let mut child = Command::new(runtime)
            .arg("run")
            .arg("--bundle")
            .arg(&bundle)
            .arg(&id)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let is_ready = lines.any(|line| line.unwrap() == "ready");
        let mut container = Self {
            runtime,
            id,
            child,
            bundle,
        };
        if !is_ready {
            let mut complaint = String::new();
            let mut stderr = container.child.stderr.take().unwrap();
            stderr.read_to_string(&mut complaint).unwrap();
            skip(&format!(
                "no container can be started: {runtime}: {}",
                complaint.trim()
            ));
            return None;
        }
        Some(container)
    }

    /// Its first process, by its pid outside.
    fn pid(&self) -> u64 {
        let told = Command::new(self.runtime)
            .args(["state", &self.id])
            .output()
            .unwrap();
        let state: Value = serde_json::from_slice(&told.stdout).unwrap();
        state["pid"].as_u64().unwrap()
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
        let _ = Command::new(self.runtime)
            .args(["delete", "--force", &self.id])
            .output();
        let _ = std::fs::remove_dir_all(&self.bundle);
    }
}

/// The configuration for an OCI runtime: the host's programs, namespaces of its own, and docker's place for cgroups.
fn config(id: &str, specs: &[&str]) -> Value {
    let bind = |from: &Path, to: &str| json!({"destination": to, "type": "bind", "source": from, "options": ["rbind", "ro"]});
    let mut mounts = vec![json!({"destination": "/proc", "type": "proc", "source": "proc"})];
    let libraries = ["/usr", "/lib", "/lib64"].map(Path::new);
    let libraries = libraries.into_iter().filter(|path| path.exists());
    mounts.extend(libraries.map(|path| bind(path, path.to_str().unwrap())));
    mounts.push(bind(example("mksock").parent().unwrap(), "/mksock"));
    let namespaces = ["pid", "network", "ipc", "uts", "mount"].map(|kind| json!({ "type": kind }));
    let start = ["/mksock/mksock", "--netns", "keep"];
    let arguments = [&start[..], specs].concat();
    json!({
        "ociVersion": "1.0.0",
        "process": {
            "user": {"uid": 0, "gid": 0},
            "args": arguments,
            "env": ["PATH=/usr/bin:/bin"],
            "cwd": "/",
        },
        "root": {"path": "rootfs"},
        "mounts": mounts,
        "linux": {"cgroupsPath": format!("/docker/{id}"), "namespaces": namespaces},
    })
}

#[test]
fn the_sockets_of_a_real_container_are_found_with_their_owner() {
    let Some(container) = Container::start(&["tcp-listen:addr=0.0.0.0", "udp:addr=0.0.0.0"]) else {
        return;
    };
    let pid = container.pid();
    let short = &container.id[..12];
    let of_container = format!("container = {short}");
    let arguments = ["-tulp", "--json", "-N", "all", &of_container];
    let ran = Ran::of(&mut sockstat(arguments)).ended_with(0).json();
    let rows = ran["sockets"].as_array().unwrap();
    assert_eq!(rows.len(), 2, "{rows:#?}");
    for row in rows {
        assert_eq!(row["container"], *short);
        assert_eq!(row["container_id"], *container.id);
        let owner = &row["owners"][0];
        assert_eq!(
            (owner["pid"].as_u64(), &owner["container"]),
            (Some(pid), &json!(short))
        );
        let link = std::fs::read_link(format!("/proc/{pid}/ns/net")).unwrap();
        assert_eq!(format!("net:[{}]", row["netns"]), link.to_str().unwrap());
    }
    let port = rows[0]["local_port"].to_string();
    let why = ["why", "-N", &pid.to_string(), &port];
    let told = Ran::of(&mut sockstat(why)).ended_with(1);
    assert!(
        told.text().contains(&format!("docker stop {short}")),
        "{}",
        told.text()
    );
}
