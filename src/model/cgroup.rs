//! The systemd unit, container and pod that a cgroup path names.
//!
//! Pure: takes paths and the text of /proc/PID/cgroup. The manager of a cgroup chooses its path, and anyone who can
//! create cgroups can create one that looks like a container's. So a path shows where something runs, not whether to
//! trust it.

use super::Name;

/// The runtime that created a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Runtime {
    /// docker (moby).
    Docker,
    /// podman, and other users of libpod.
    Podman,
    /// containerd, through its CRI plugin or nerdctl.
    Containerd,
    /// CRI-O.
    Crio,
    /// LXC, LXD and Incus.
    Lxc,
    /// systemd-nspawn.
    Nspawn,
    /// An unknown runtime: the path has only an identifier of 64 digits.
    Unknown,
}

/// A container.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Container {
    /// Its runtime.
    pub runtime: Runtime,
    /// Its id, 64 hexadecimal digits; `None` if the runtime uses only names.
    pub id: Option<String>,
    /// Its name, if it is known.
    pub name: Option<Name>,
}

/// Where a process runs, or ran when it created a socket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Home {
    /// The innermost systemd unit, a service or a scope, that is not the container's own scope.
    pub unit: Option<Name>,
    /// The innermost container.
    pub container: Option<Container>,
    /// The pod: `NAMESPACE/NAME` if known, otherwise its UID, or the identifier of a podman pod.
    pub pod: Option<Name>,
}

/// The number of identifier digits to show, the same as runtimes show.
const SHORT: usize = 12;

impl Container {
    /// Returns the name, or the short identifier if the name is unknown.
    pub fn title(&self) -> &[u8] {
        let id = self.id.as_deref().unwrap_or_default();
        let short = id.get(..SHORT).unwrap_or(id);
        self.name.as_ref().map_or(short.as_bytes(), Name::as_bytes)
    }
}

impl Home {
    /// Returns whether the path names none of the three.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Parses a path from the root of the hierarchy, or from `/..` when seen from another cgroup namespace.
    pub fn of_path(path: &str) -> Self {
        let mut home = Self::default();
        let in_kubernetes = path.contains("kubepods");
        let mut parent = "";
        for part in path.split('/').filter(|part| !matches!(*part, "" | "." | "..")) {
            if let Some(container) = container_of(part, parent) {
                home.container = Some(container);
            } else if is_unit(part) {
                home.unit = Some(unescape(part).into());
                if let Some(name) = nspawn_service(part) {
                    home.container = Some(named(Runtime::Nspawn, unescape(name)));
                }
            } else if let Some(pod) = pod_of(part, in_kubernetes) {
                home.pod = Some(pod.into());
            }
            parent = part;
        }
        home
    }

    /// Parses /proc/PID/cgroup, and also returns the path that was used. Tries the unified hierarchy first, then
    /// systemd's own, then the others: on a hybrid system, any of them may be in use (cgroups(7)).
    pub fn of_cgroups(text: &str) -> (Self, Option<&str>) {
        let mut paths: Vec<(u8, &str)> = text.lines().filter_map(ranked).collect();
        paths.sort_by_key(|(rank, _)| *rank);
        let mut home = Self::default();
        let mut telling = None;
        for (_, path) in &paths {
            let said = Self::of_path(path);
            if telling.is_none() && !said.is_empty() {
                telling = Some(*path);
            }
            // Systemd's hierarchy has the unit, another one may have the container.
            home.unit = home.unit.or(said.unit);
            if home.container.is_none() {
                home.container = said.container;
                home.pod = home.pod.or(said.pod);
            }
        }
        let path = telling.or_else(|| paths.first().map(|(_, path)| *path));
        (home, path)
    }
}

/// The systemd that manages a cgroup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manager<'a> {
    /// Its name for the unit of the cgroup, in the form that `systemctl` takes.
    pub unit: Option<&'a str>,
    /// Whether it is a user's own.
    pub of_user: bool,
}

impl<'a> Manager<'a> {
    /// Parses a path by systemd's rule (cg_path_get_unit): the outermost unit, which only systemd or root can have
    /// created. Below it, the user to whom the cgroup is delegated chooses the names, possibly those of other units.
    pub fn of_path(path: &'a str) -> Self {
        let mut parts = path
            .split('/')
            .filter(|part| !matches!(*part, "" | "." | "..") && part.strip_suffix(".slice").is_none());
        let unit = parts.next().filter(|part| is_unit(part));
        if unit.is_some_and(|unit| unit.starts_with("user@")) {
            return Self {
                unit: parts.next().filter(|part| is_unit(part)),
                of_user: true,
            };
        }
        Self { unit, of_user: false }
    }
}

/// Returns the path of a line `ID:CONTROLLERS:PATH`, and its rank.
fn ranked(line: &str) -> Option<(u8, &str)> {
    let (id, rest) = line.split_once(':')?;
    let (controllers, path) = rest.split_once(':')?;
    let has = |name: &str| controllers.split(',').any(|one| one == name);
    let rank = match controllers {
        "" if id == "0" => 0,
        "name=systemd" => 1,
        _ if has("pids") => 2,
        _ if has("memory") => 3,
        _ if has("cpu") => 4,
        _ => 5,
    };
    Some((rank, path))
}

/// Returns the container that a path component names. Monitors run alongside their containers, not in them.
fn container_of(part: &str, parent: &str) -> Option<Container> {
    let part = part.strip_suffix(".scope").unwrap_or(part);
    if let Some(name) = part.strip_prefix("lxc.payload.") {
        return (!name.is_empty()).then(|| named(Runtime::Lxc, name.to_owned()));
    }
    if matches!(parent, "lxc" | "lxc.payload") && is_name(part) {
        return Some(named(Runtime::Lxc, part.to_owned()));
    }
    if let Some(machine) = part.strip_prefix("machine-") {
        let name = unescape(machine);
        // Virtual machines of libvirt are machines too.
        let is_container = is_name(&name) && !name.starts_with("qemu-") && !name.contains("libpod");
        return is_container.then(|| named(Runtime::Nspawn, name));
    }
    let (prefix, id) = part.rsplit_once('-').unwrap_or(("", part));
    let is_id = id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_id || prefix.ends_with("conmon") {
        return None;
    }
    let runtime = match prefix {
        "docker" => Runtime::Docker,
        "libpod" | "libpod-payload" => Runtime::Podman,
        "cri-containerd" | "nerdctl" => Runtime::Containerd,
        "crio" => Runtime::Crio,
        _ if parent == "docker" => Runtime::Docker,
        _ if parent.starts_with("libpod_parent") => Runtime::Podman,
        _ if prefix.is_empty() && parent.contains("libpod_pod_") => Runtime::Podman,
        _ => Runtime::Unknown,
    };
    Some(Container {
        runtime,
        id: Some(id.to_ascii_lowercase()),
        name: None,
    })
}

fn named(runtime: Runtime, name: String) -> Container {
    Container {
        runtime,
        id: None,
        name: Some(name.into()),
    }
}

fn is_name(text: &str) -> bool {
    let is_of_systemd = matches!(text.rsplit_once('.'), Some((_, "slice" | "service")));
    !text.is_empty() && !is_of_systemd
}

/// Returns the machine of `systemd-nspawn@NAME.service`.
fn nspawn_service(part: &str) -> Option<&str> {
    let name = part.strip_prefix("systemd-nspawn@")?.strip_suffix(".service")?;
    (!name.is_empty()).then_some(name)
}

fn is_unit(part: &str) -> bool {
    matches!(part.rsplit_once('.'), Some((name, "service" | "scope")) if !name.is_empty())
}

/// Returns the pod that a path component names: `podUID` or, with the systemd driver, `…-podUID.slice` with `_` for
/// `-`; for podman `machine-libpod_pod_ID.slice` or `libpod_parent-libpod_pod_ID.slice`.
fn pod_of(part: &str, in_kubernetes: bool) -> Option<String> {
    let name = part.strip_suffix(".slice").unwrap_or(part);
    if let Some((_, id)) = name.rsplit_once("libpod_pod_") {
        return id.get(..SHORT).map(str::to_owned);
    }
    if !in_kubernetes {
        return None;
    }
    let uid = match name.rsplit_once("-pod") {
        Some((_, uid)) => uid,
        None => name.strip_prefix("pod")?,
    };
    let is_uid = uid.len() >= 32
        && uid
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || b"-_".contains(&byte));
    is_uid.then(|| uid.replace('_', "-"))
}

/// Decodes `\xHH`, which systemd writes for characters not allowed in a unit's name (systemd.unit(5)). Anything
/// else stays unchanged.
fn unescape(name: &str) -> String {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let escaped = tail.strip_prefix(b"x").and_then(|digits| {
            let digits = std::str::from_utf8(digits.get(..2)?).ok()?;
            u8::from_str_radix(digits, 16).ok()
        });
        match escaped.filter(|_| *first == b'\\') {
            Some(byte) => {
                bytes.push(byte);
                rest = tail.get(3..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests;
