//! Describes the processes behind sockets.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStringExt;

use crate::diagnose::bind::owner::{Owner, is_top, is_typed_in};
use crate::engine::snapshot::holders_of;
use crate::model::Context;
use crate::model::cgroup::{Home, Runtime};
use crate::model::request::{Facts, OwnersBy};
use crate::model::{Names, Process};
use crate::source::containers::docker::Docker;
use crate::source::disk;
use crate::source::proc::{ProcRoot, facts};
use crate::source::tape;
use crate::source::{containers, namespaces, nss};

/// How far up a chain of parents is followed.
const PARENTS_MAX: usize = 8;
/// Programs that hold a port of the host for a container. dockerd does so itself when it runs without proxies.
const FORWARDERS: [&[u8]; 4] = [b"docker-proxy", b"dockerd", b"rootlessport", b"rootlesskit"];
/// How long names of users may take.
const WITHIN: std::time::Duration = std::time::Duration::from_secs(2);

/// Reads the processes, and the names of their users.
pub fn read(pids: &[u32], more_uids: &[u32]) -> Context {
    let mut pids = pids.to_vec();
    pids.sort_unstable();
    pids.dedup();
    let (mut processes, _) = facts::read(&ProcRoot::default(), &pids, Facts::Full);
    let mut containers = containers::Names::default();
    for process in processes.values_mut() {
        let path = String::from_utf8_lossy(process.cgroup.as_deref().unwrap_or_default());
        containers.add(&mut process.home, &path, process.uid);
    }
    let uids = processes.values().filter_map(|process| process.uid);
    let users = nss::users(uids.chain(more_uids.iter().copied()).collect(), WITHIN).names;
    Context {
        processes,
        names: Names {
            users,
            ..Names::default()
        },
        namespaces: vec![namespaces::own_netns(&ProcRoot::default())],
        as_root: tape::euid() == 0,
        ..Context::default()
    }
}

/// The name of a user, or the number.
pub fn user_name(context: &Context, uid: u32) -> String {
    context
        .names
        .users
        .get(&uid)
        .cloned()
        .unwrap_or_else(|| uid.to_string())
}

/// Describes each process that is in the context, in the order given.
pub fn describe(pids: &[u32], context: &Context) -> Vec<Owner> {
    pids.iter()
        .filter_map(|pid| context.processes.get(pid))
        .map(|process| Owner {
            user: process.uid.map(|uid| user_name(context, uid)),
            ..owner_of(process)
        })
        .collect()
}

/// Describes every process that holds one of the sockets, by pid.
pub fn owners_of(inodes: impl IntoIterator<Item = u32>, by: OwnersBy) -> Vec<Owner> {
    let holders = holders_of(inodes, by).unwrap_or_default();
    let mut pids: Vec<u32> = holders.iter().map(|holder| holder.pid).collect();
    pids.sort_unstable();
    pids.dedup();
    if pids.is_empty() {
        return Vec::new();
    }
    describe(&pids, &read(&pids, &[]))
}

fn owner_of(process: &Process) -> Owner {
    let pid = process.pid;
    let file = |name: &str| format!("/proc/{pid}/{name}");
    let directory = disk::read_link(file("cwd")).ok();
    let command = process.cmdline.as_ref().map(|arguments| arguments.join(&b' '));
    let forwards_for_container = FORWARDERS.contains(&process.program.as_ref());
    let behind = command
        .as_ref()
        .filter(|_| forwards_for_container)
        .and_then(|command| Docker::default().container_behind(command));
    let within = stopped_by(&process.home);
    Owner {
        pid,
        program: process.program.to_vec(),
        command: command.filter(|command| !command.is_empty()),
        started_at: process.started_at,
        directory: directory.map(|path| path.into_os_string().into_vec()),
        binary_deleted: process
            .exe
            .as_ref()
            .is_some_and(|exe| exe.ends_with(b" (deleted)")),
        parents: parents(pid),
        unit: process.home.unit.clone(),
        forwards_for_container,
        container_tool: if &*process.program == b"rootlessport" {
            "podman"
        } else {
            within.map_or("docker", |(tool, _)| tool)
        },
        container: behind.or_else(|| within.map(|(_, name)| name.to_owned())),
        user: None,
    }
}

/// The tool whose `stop` ends the container that a process runs in, and what it calls the container.
fn stopped_by(home: &Home) -> Option<(&'static str, &str)> {
    let container = home.container.as_ref()?;
    let id = || container.id.as_deref()?.get(..12);
    match container.runtime {
        Runtime::Docker | Runtime::Unknown => Some(("docker", container.title())),
        Runtime::Podman => Some(("podman", container.title())),
        Runtime::Containerd if home.pod.is_none() => Some(("nerdctl", container.title())),
        // It knows containers by identifier alone.
        Runtime::Containerd | Runtime::Crio => Some(("crictl", id()?)),
        // Whole systems, in which the owner can be looked at as on a host.
        Runtime::Lxc | Runtime::Nspawn => None,
    }
}

/// The parents, up to the shell that somebody typed in, and the terminal behind that shell if it is the next.
/// Without such a shell: up to what started it all, or process 1.
fn parents(pid: u32) -> Vec<(Vec<u8>, u32)> {
    let mut chain = Vec::new();
    let mut below_shell = false;
    let mut next = parent_of(pid);
    while let Some(parent) = next.filter(|parent| *parent > 0 && chain.len() < PARENTS_MAX) {
        let comm = disk::read(format!("/proc/{parent}/comm")).unwrap_or_default();
        let comm = comm.strip_suffix(b"\n").unwrap_or(&comm).to_vec();
        let top = is_top(&comm);
        // What stands behind the colon is tmux's own affair.
        let comm = comm
            .split(|byte| *byte == b':')
            .next()
            .unwrap_or_default()
            .to_vec();
        if below_shell && !top {
            break;
        }
        chain.push((comm, parent));
        below_shell = is_typed_in(&arguments_of(parent));
        next = if top { None } else { parent_of(parent) };
    }
    chain
}

fn arguments_of(pid: u32) -> Vec<Vec<u8>> {
    let text = disk::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let text = text.strip_suffix(b"\0").unwrap_or(&text);
    text.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect()
}

/// A process and its ancestors, each with its parent.
pub fn parents_of(pid: u32) -> BTreeMap<u32, u32> {
    let mut found = BTreeMap::new();
    let mut next = Some(pid);
    while let Some(pid) = next.filter(|pid| *pid > 0 && !found.contains_key(pid)) {
        next = parent_of(pid);
        found.extend(next.map(|parent| (pid, parent)));
    }
    found
}

/// Every process and its parent.
pub fn parents_of_all() -> BTreeMap<u32, u32> {
    let names = disk::names_in("/proc").unwrap_or_default();
    names
        .iter()
        .filter_map(|name| name.to_str()?.parse().ok())
        .filter_map(|pid| Some((pid, parent_of(pid)?)))
        .collect()
}

/// The fourth field of /proc/PID/stat; the second is a name in parentheses that may hold anything.
fn parent_of(pid: u32) -> Option<u32> {
    let stat = disk::read(format!("/proc/{pid}/stat")).ok()?;
    let after_name = stat.iter().rposition(|byte| *byte == b')')?;
    let rest = std::str::from_utf8(stat.get(after_name + 1..)?).ok()?;
    rest.split_ascii_whitespace().nth(1)?.parse().ok()
}
