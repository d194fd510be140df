//! Containers, pods and units, by the cgroup of a socket's creator and of its owners.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::enter::is_root;
use super::sockets::{Sockets, example};
use crate::run::{Ran, sockstat};
use crate::skip::skip;

/// What stands for an identifier of a container.
const ID: &str = "5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e";

/// A v2 cgroup below the root of the hierarchy, with its parents; removed when dropped.
struct Cgroup {
    made: Vec<PathBuf>,
}

impl Cgroup {
    /// `None`, with a skip, where none can be made.
    #[track_caller]
    fn make(path: &str) -> Option<Self> {
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
            skip("no cgroup can be made: cgroup2 is not mounted");
            return None;
        };
        let mut group = Self { made: Vec::new() };
        let mut directory = root;
        for part in path.split('/') {
            directory.push(part);
            if let Err(error) = std::fs::create_dir(&directory) {
                skip(&format!("no cgroup can be made: {error}"));
                return None;
            }
            group.made.push(directory.clone());
        }
        Some(group)
    }

    fn directory(&self) -> &Path {
        self.made.last().unwrap()
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
    let Some(sockets) = Sockets::make_by(
        Command::new("sh")
            .args(["-c", "echo $$ > \"$0\" && exec \"$@\""])
            .arg(group.directory().join("cgroup.procs"))
            .arg(example("mksock")),
        &["tcp-listen", "udp"],
    ) else {
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
    let Some(sockets) = Sockets::make_by(
        Command::new("sh")
            .args(["-c", "echo $$ > \"$0\" && exec \"$@\""])
            .arg(group.directory().join("cgroup.procs"))
            .arg(example("mksock")),
        &["tcp-listen"],
    ) else {
        return;
    };
    let root = group.made[0].parent().unwrap().join("cgroup.procs");
    std::fs::write(root, sockets.pid.to_string()).unwrap();
    let row = &rows(&sockets, &["-tlp"])[0];
    assert_eq!(row["unit"], "web.service", "{row:#}");
    assert!(row["owners"][0]["unit"].as_str() != Some("web.service"));
    assert_eq!(rows(&sockets, &["-tl", "unit like 'web*'"]).len(), 1);
}
