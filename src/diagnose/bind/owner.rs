//! The program that holds a socket, described for people.

use std::time::SystemTime;

use crate::model::Name;
use crate::model::Process;
use crate::model::cgroup::{Home, Manager, Runtime};
use crate::model::process::Stop;
use crate::render::escape;

/// A process that holds a socket. The process controls these texts, so they must be escaped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// Its id.
    pub pid: u32,
    /// Its usual name.
    pub program: Vec<u8>,
    /// Its arguments, joined with blanks.
    pub command: Option<Vec<u8>>,
    /// Its user's id.
    pub uid: Option<u32>,
    /// Its user's name, or uid.
    pub user: Option<Name>,
    /// When it was started.
    pub started_at: Option<SystemTime>,
    /// How it was stopped, if it is.
    pub stop: Option<Stop>,
    /// Its working directory.
    pub directory: Option<Vec<u8>>,
    /// Whether its executable was deleted or replaced.
    pub binary_deleted: bool,
    /// The processes above it, the nearest first: name and pid.
    pub parents: Vec<(Vec<u8>, u32)>,
    /// The systemd unit that it runs in, according to its cgroup.
    pub unit: Option<Name>,
    /// The unit that systemd must stop to end the process. Unlike `unit`, this ignores cgroups that the user of the
    /// process may create.
    pub managed_unit: Option<Name>,
    /// Whether a user's own systemd manages it.
    pub of_user_manager: bool,
    /// Whether it forwards a port of the host to a container (docker-proxy, rootlessport, dockerd).
    pub forwards_for_container: bool,
    /// The command that manages the container: `docker` or `podman`.
    pub container_tool: &'static str,
    /// The container it runs in, or forwards to.
    pub container: Option<Name>,
}

/// Facts about a process that are read only for a description.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// Its user's name, or uid.
    pub user: Option<Name>,
    /// Its working directory.
    pub directory: Option<Vec<u8>>,
    /// The processes above it, the nearest first: name and pid.
    pub parents: Vec<(Vec<u8>, u32)>,
    /// The container at the address of [`proxied_address`].
    pub proxied_container: Option<Name>,
}

/// Programs that hold a port of the host for a container. Without proxies, dockerd itself does.
const FORWARDERS: [&[u8]; 4] = [b"docker-proxy", b"dockerd", b"rootlessport", b"rootlesskit"];

fn forwards_for_container(process: &Process) -> bool {
    FORWARDERS.contains(&process.program.as_ref())
}

/// The container's address that a proxy was started with (`-container-ip 172.17.0.2`).
pub fn proxied_address(process: &Process) -> Option<String> {
    let mut arguments = process.cmdline.as_ref()?.full().iter();
    arguments
        .find(|argument| &***argument == b"-container-ip")
        .filter(|_| forwards_for_container(process))?;
    let address = arguments.next()?;
    Some(String::from_utf8_lossy(address).into_owned())
}

impl Owner {
    /// Describes a process.
    pub fn new(process: &Process, around: Surroundings) -> Self {
        let command = process.cmdline.as_ref().map(|all| all.redacted().join(&b' '));
        let within = tool_and_container(&process.home);
        let cgroup = process
            .cgroup
            .as_deref()
            .and_then(|path| std::str::from_utf8(path).ok());
        let manager = Manager::of_path(cgroup.unwrap_or_default());
        // Stopping the unit of a container that runs a whole system would end more than this process.
        let is_in_system = process.home.container.is_some() && within.is_none();
        Self {
            pid: process.pid,
            program: process.program.to_vec(),
            command: command.filter(|command| !command.is_empty()),
            uid: process.uid,
            user: around.user,
            started_at: process.started_at,
            stop: process.stop,
            directory: around.directory,
            binary_deleted: process
                .exe
                .as_ref()
                .is_some_and(|exe| exe.ends_with(b" (deleted)")),
            parents: around.parents,
            unit: process.home.unit.clone(),
            managed_unit: manager.unit.filter(|_| !is_in_system).map(Name::from),
            of_user_manager: manager.of_user,
            forwards_for_container: forwards_for_container(process),
            container_tool: if &*process.program == b"rootlessport" {
                "podman"
            } else {
                within.map_or("docker", |(tool, _)| tool)
            },
            container: around
                .proxied_container
                .or_else(|| within.map(|(_, name)| name.into())),
        }
    }

    /// Its program and pid.
    pub fn title(&self) -> String {
        title(&self.program, self.pid)
    }

    /// The arguments in one readable line: line breaks and tabs become blanks, and the rest is escaped.
    pub fn command_line(&self) -> Option<String> {
        let command = self.command.as_ref()?;
        let words = command
            .split(|byte| matches!(byte, b'\n' | b'\r' | b'\t' | b' '))
            .filter(|word| !word.is_empty());
        Some(escape::text(&words.collect::<Vec<_>>().join(&b' ')))
    }
}

/// A program and its pid, as text.
pub fn title(program: &[u8], pid: u32) -> String {
    format!("{} {pid}", escape::text(program))
}

/// The tool whose `stop` ends the container that a process runs in, and its name for the container.
fn tool_and_container(home: &Home) -> Option<(&'static str, &[u8])> {
    let container = home.container.as_ref()?;
    let id = || container.id.as_deref()?.get(..12);
    match container.runtime {
        Runtime::Docker | Runtime::Unknown => Some(("docker", container.title())),
        Runtime::Podman => Some(("podman", container.title())),
        Runtime::Containerd if home.pod.is_none() => Some(("nerdctl", container.title())),
        // crictl knows containers only by id.
        Runtime::Containerd | Runtime::Crio => Some(("crictl", id()?.as_bytes())),
        // These contain whole systems, in which the owner can be examined as on a host.
        Runtime::Lxc | Runtime::Nspawn => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Arguments;

    fn process(program: &str, command: &str) -> Process {
        Process {
            pid: 7,
            program: program.as_bytes().into(),
            cmdline: Some(command.split(' ').map(|word| word.as_bytes().into()).collect()),
            ..Process::default()
        }
    }

    #[test]
    fn a_command_of_many_lines_is_shown_on_one_line() {
        let owner = Owner {
            command: Some(b"python3 -c import a\n\n\tb(1) \x1b[2J".to_vec()),
            ..Owner::default()
        };
        assert_eq!(
            owner.command_line().as_deref(),
            Some("python3 -c import a b(1) \\x1b[2J")
        );
    }

    #[test]
    fn a_proxy_forwards_to_the_container_at_its_address() {
        let proxy = process(
            "docker-proxy",
            "docker-proxy -container-ip 172.17.0.2 -container-port 80",
        );
        assert_eq!(proxied_address(&proxy).as_deref(), Some("172.17.0.2"));
        assert_eq!(
            proxied_address(&process("nginx", "nginx -container-ip 172.17.0.2")),
            None
        );
        assert_eq!(
            proxied_address(&process("dockerd", "dockerd -container-ip")),
            None
        );
        let around = Surroundings {
            proxied_container: Some("web-1".into()),
            ..Surroundings::default()
        };
        let owner = Owner::new(&proxy, around);
        assert_eq!(owner.title(), "docker-proxy 7");
        assert!(owner.forwards_for_container);
        assert_eq!(
            (owner.container_tool, owner.container),
            ("docker", Some("web-1".into()))
        );
    }

    #[test]
    fn a_deleted_binary_and_an_empty_command_are_noticed() {
        let owner = Owner::new(
            &Process {
                exe: Some(b"/usr/bin/api (deleted)".as_slice().into()),
                cmdline: Some(Arguments::default()),
                ..Process::default()
            },
            Surroundings::default(),
        );
        assert!(owner.binary_deleted && owner.command.is_none() && !owner.forwards_for_container);
    }
}
