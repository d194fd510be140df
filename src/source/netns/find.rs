//! Finds network namespaces: those that were named, or all that can be found.
//!
//! A namespace exists as long as a process or thread is in it, a file is mounted on it, or a descriptor or socket
//! refers to it. The last two have no path that can be entered without opening another process's descriptor, so a
//! namespace that only they keep alive is reported but not read. Only the BPF iterator reports the namespace of a
//! socket, so without it, a namespace that only a socket keeps alive is not found.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::Path;

use procfs::process::MountInfo;

use super::names::{self, Named};
use super::processes::{self, Task, inode_of};
use super::{Namespace, View, Views, Way, fingerprint, path_of, process_of};
use crate::model::Gap;
use crate::model::request::netns::{ALL, words};
use crate::source::bpf;

/// Number of tasks kept per namespace as ways to enter it, in case some end meanwhile.
const WAYS_MAX: usize = 4;

/// Finds the namespaces that the words of `-N` name: our own first if it is among them, then by name and number.
///
/// # Errors
/// A one-line message about a word that does not name a namespace.
pub fn find(given: &[String]) -> Result<Views, String> {
    let mut finder = Finder::here();
    for word in words(given) {
        if word == ALL {
            finder.add_all();
        } else {
            finder.add_word(word)?;
        }
    }
    Ok(finder.views())
}

struct Finder {
    own: Option<u64>,
    named: Vec<Named>,
    /// By inode number.
    found: BTreeMap<u64, View>,
    /// Namespaces whose inode number cannot be read.
    unnumbered: Vec<View>,
    gaps: Vec<Gap>,
}

impl Finder {
    fn here() -> Self {
        let own = std::fs::read_link("/proc/thread-self/ns/net").ok();
        Self {
            own: own.and_then(|link| inode_of(link.to_str()?)),
            named: names::all(),
            found: BTreeMap::new(),
            unnumbered: Vec::new(),
            gaps: Vec::new(),
        }
    }

    /// Adds a way to enter a namespace.
    fn add(&mut self, inode: u64, way: impl Into<Way>, pid: Option<u32>) {
        let name = || {
            let named = self.named.iter().find(|named| named.inode == inode);
            named.map(|named| named.name.clone())
        };
        let view = self.found.entry(inode).or_insert_with(|| View {
            inode: Some(inode),
            name: name(),
            is_own: self.own == Some(inode),
            ..View::default()
        });
        if view.ways.len() < WAYS_MAX {
            view.ways.push(way.into());
        }
        view.pid = view.pid.or(pid);
    }

    fn add_word(&mut self, word: &str) -> Result<(), String> {
        let path = path_of(word);
        let pid = process_of(word);
        match Namespace::open(&path) {
            Ok(namespace) => {
                self.add(namespace.inode, path, pid);
                Ok(())
            }
            Err(error) => match pid {
                // Its tables can still be read.
                Some(pid) if error.kind() == ErrorKind::PermissionDenied => {
                    self.add_unnumbered(pid);
                    Ok(())
                }
                _ => Err(format!(
                    "cannot open network namespace {}: {error}",
                    path.display()
                )),
            },
        }
    }

    fn add_unnumbered(&mut self, pid: u32) {
        self.unnumbered.push(View {
            pid: Some(pid),
            ..View::default()
        });
    }

    fn add_all(&mut self) {
        if let Some(own) = self.own {
            self.add(own, Path::new("/proc/thread-self/ns/net"), None);
        }
        for named in self.named.clone() {
            self.add(named.inode, named.path, None);
        }
        let tasks = processes::all();
        for task in &tasks {
            if let Some(inode) = task.inode {
                let path = Path::new("/proc").join(&task.path).join("ns/net");
                let is_process = !task.path.contains('/');
                self.add(inode, path, is_process.then_some(task.pid));
            }
        }
        self.add_mounted(&tasks);
        self.add_kept(&tasks);
        self.add_kept_by_sockets();
        self.add_hidden(&tasks);
    }

    /// Adds namespaces that are mounted on a file in any mount namespace.
    fn add_mounted(&mut self, tasks: &[Task]) {
        let mut seen = BTreeSet::new();
        for task in tasks {
            let Ok(mounts) = std::fs::read_link(format!("/proc/{}/ns/mnt", task.path)) else {
                continue;
            };
            // Linux before 5.11 returns an empty text if reading is not permitted.
            if mounts.as_os_str().is_empty() || !seen.insert(mounts) {
                continue;
            }
            // A mount point whose name is not UTF-8 must not hide the others.
            let text = std::fs::read(format!("/proc/{}/mountinfo", task.path)).unwrap_or_default();
            for (inode, mount_point) in mounted(&String::from_utf8_lossy(&text)) {
                // Mount points are only a last resort, because they may be on a file system that does not answer.
                if !self.found.contains_key(&inode) {
                    let way = Way::Within {
                        root: Path::new("/proc").join(&task.path).join("root"),
                        mount_point: mount_point.into(),
                    };
                    self.add(inode, way, None);
                }
            }
        }
    }

    /// Adds namespaces that only descriptors of other processes refer to.
    fn add_kept(&mut self, tasks: &[Task]) {
        let own = std::process::id();
        let processes = tasks
            .iter()
            .filter(|task| !task.path.contains('/') && task.pid != own);
        for (inode, path) in processes.flat_map(|task| processes::kept_namespaces(task.pid)) {
            if !self.found.contains_key(&inode) {
                self.add(inode, Way::Descriptor(path), None);
            }
        }
    }

    /// Adds namespaces to which only sockets refer.
    fn add_kept_by_sockets(&mut self) {
        for (inode, holder) in bpf::namespaces_of_sockets().unwrap_or_default() {
            let inode = inode.into();
            if self.found.contains_key(&inode) {
                continue;
            }
            let task = match holder.tid {
                0 => holder.pid.to_string(),
                tid => format!("{}/task/{tid}", holder.pid),
            };
            let path = Path::new("/proc").join(&task);
            // The task may have entered the namespace after the tasks were listed.
            match processes::look(holder.pid, task) {
                Some(task) if task.inode == Some(inode) => {
                    self.add(
                        inode,
                        path.join("ns/net"),
                        (holder.tid == 0).then_some(holder.pid),
                    );
                }
                Some(_) => self.add(inode, Way::Socket(path.join(format!("fd/{}", holder.fd))), None),
                None => {}
            }
        }
    }

    /// Adds namespaces that cannot be identified directly, with one process for each.
    fn add_hidden(&mut self, tasks: &[Task]) {
        if tasks.iter().all(|task| task.inode.is_some()) {
            return;
        }
        let known = self.found.values().filter_map(|view| view.pid);
        let mut seen: BTreeSet<Option<u64>> = known.map(|pid| fingerprint::of(&pid.to_string())).collect();
        seen.insert(fingerprint::of("thread-self"));
        seen.insert(None);
        for task in tasks.iter().filter(|task| task.inode.is_none()) {
            if seen.insert(fingerprint::of(&task.path)) {
                self.add_unnumbered(task.pid);
            }
        }
    }

    fn views(self) -> Views {
        let mut views: Vec<_> = self.found.into_values().collect();
        views.sort_by_key(|view| (!view.is_own, view.name.is_none(), view.name.clone(), view.inode));
        views.extend(self.unnumbered);
        Views {
            views,
            gaps: self.gaps,
        }
    }
}

/// Returns the network namespaces in the text of mountinfo, each with its mount point. Their file system is nsfs, and
/// their root is `net:[…]` (proc_pid_mountinfo(5)).
fn mounted(mountinfo: &str) -> Vec<(u64, String)> {
    let one = |line: &str| {
        let mount = MountInfo::from_line(line).ok()?;
        let inode = (mount.fs_type == "nsfs").then(|| inode_of(&mount.root))??;
        Some((
            inode,
            crate::source::proc::mounts::unescape(mount.mount_point.to_str()?),
        ))
    };
    mountinfo.lines().filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespaces_are_found_in_mountinfo() {
        let text = "25 1 0:23 / /run rw - tmpfs tmpfs rw\n\
            80 25 0:4 net:[4026532288] /run/netns/blue rw shared:1 - nsfs nsfs rw\n\
            81 25 0:4 mnt:[4026532289] /run/mnt rw - nsfs nsfs rw\n\
            82 25 0:4 net:[4026532290] /run/a\\040b rw - nsfs nsfs rw\n";
        let expected = [
            (4_026_532_288, "/run/netns/blue".to_owned()),
            (4_026_532_290, "/run/a b".to_owned()),
        ];
        assert_eq!(mounted(text), expected);
    }

    #[test]
    fn our_own_is_the_first_of_all() {
        let own = inode_of(
            std::fs::read_link("/proc/thread-self/ns/net")
                .unwrap()
                .to_str()
                .unwrap(),
        );
        let views = find(&["all".to_owned()]).unwrap();
        assert!(views.views[0].is_own && views.views[0].inode == own);
        assert_eq!(views.views.iter().filter(|view| view.is_own).count(), 1);
        assert!(find(&["no such name".to_owned()]).is_err());
    }

    #[test]
    fn a_namespace_has_one_view_with_few_ways_to_enter() {
        let mut finder = Finder {
            own: Some(1),
            named: vec![Named {
                name: "blue".to_owned(),
                inode: 2,
                path: "/run/netns/blue".into(),
            }],
            found: BTreeMap::new(),
            unnumbered: Vec::new(),
            gaps: Vec::new(),
        };
        finder.add_unnumbered(9);
        for way in 0..WAYS_MAX + 2 {
            finder.add(3, Path::new(&format!("/way/{way}")), (way > 0).then_some(70));
        }
        finder.add(3, Path::new("/proc/71/ns/net"), Some(71));
        finder.add(2, Path::new("/run/netns/blue"), None);
        finder.add(1, Path::new("/proc/thread-self/ns/net"), None);
        let views = finder.views().views;
        // The order: ours, those with a name, those with a number, the rest.
        let inodes: Vec<_> = views.iter().map(|view| view.inode).collect();
        assert_eq!(inodes, [Some(1), Some(2), Some(3), None]);
        let own: Vec<_> = views.iter().map(|view| view.is_own).collect();
        assert_eq!(own, [true, false, false, false]);
        assert_eq!(views[1].name.as_deref(), Some("blue"));
        assert_eq!((views[2].ways.len(), views[2].pid), (WAYS_MAX, Some(70)));
        assert_eq!(views[3].pid, Some(9));
    }

    #[test]
    fn every_process_is_in_a_namespace() {
        let tasks = processes::all();
        let own = tasks.iter().find(|task| task.pid == std::process::id()).unwrap();
        let link = std::fs::read_link("/proc/self/ns/net").unwrap();
        assert_eq!(own.inode, inode_of(link.to_str().unwrap()));
        assert_eq!(own.path, std::process::id().to_string());
        assert!(tasks.is_sorted_by_key(|task| (task.path.contains('/'), task.pid)));
        assert_eq!(fingerprint::of("self"), fingerprint::of(&own.path));
    }
}
