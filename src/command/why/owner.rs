//! The program behind a socket, described as a person would want it.

use std::time::SystemTime;

use crate::render::escape;

/// What is known of a process that holds a socket. Texts are its own words: escape them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// Its id.
    pub pid: u32,
    /// What a person calls it.
    pub program: Vec<u8>,
    /// Its arguments, joined with blanks.
    pub command: Option<Vec<u8>>,
    /// Its user's name, or uid.
    pub user: Option<String>,
    /// When it was started.
    pub started_at: Option<SystemTime>,
    /// Its working directory.
    pub directory: Option<Vec<u8>>,
    /// Whether the file it runs was deleted or replaced.
    pub binary_deleted: bool,
    /// Its parents, the nearest first, up to what started it all: name and pid.
    pub parents: Vec<(Vec<u8>, u32)>,
    /// The systemd unit it runs in.
    pub unit: Option<String>,
    /// Whether it forwards a port of the host to a container (docker-proxy, rootlessport, dockerd).
    pub forwards_for_container: bool,
    /// The command that knows the container: `docker` or `podman`.
    pub container_tool: &'static str,
    /// The container it runs in, or forwards to.
    pub container: Option<String>,
}

/// Names that end a chain of parents: what is above them started everything.
const TOPS: [&[u8]; 14] = [
    b"systemd",
    b"init",
    b"tmux: server",
    b"screen",
    b"sshd",
    b"login",
    b"containerd-shim",
    b"conmon",
    b"cron",
    b"gnome-terminal",
    b"konsole",
    b"alacritty",
    b"kitty",
    b"xterm",
];

/// Shells in which people type.
const SHELLS: [&[u8]; 11] = [
    b"bash", b"zsh", b"fish", b"sh", b"dash", b"ash", b"ksh", b"tcsh", b"csh", b"nu", b"pwsh",
];

/// Whether a chain of parents ends here.
pub fn is_top(comm: &[u8]) -> bool {
    TOPS.iter().any(|top| comm.starts_with(top))
}

/// Whether these arguments are those of a shell that somebody types in: it runs neither a script nor a command
/// that it was given.
pub fn is_typed_in(arguments: &[Vec<u8>]) -> bool {
    let mut arguments = arguments.iter().map(Vec::as_slice);
    let Some(program) = arguments.next() else {
        return false;
    };
    let name = program.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    if !SHELLS.contains(&name.strip_prefix(b"-").unwrap_or(name)) {
        return false;
    }
    while let Some(argument) = arguments.next() {
        let is_command = !argument.starts_with(b"--") && argument.contains(&b'c');
        if argument == b"--rcfile" || argument == b"--init-file" {
            arguments.next();
        } else if is_command || !argument.starts_with(b"-") {
            return false;
        }
    }
    true
}

impl Owner {
    /// The arguments in one readable line: line breaks and tabs become blanks, and the rest is escaped.
    pub fn command_line(&self) -> Option<String> {
        let command = self.command.as_ref()?;
        let words = command
            .split(|byte| matches!(byte, b'\n' | b'\r' | b'\t' | b' '))
            .filter(|word| !word.is_empty());
        Some(escape::text(&words.collect::<Vec<_>>().join(&b' ')))
    }
}

/// The container id (shortened as its runtime does) in the text of /proc/PID/cgroup.
pub fn container_of(cgroups: &str) -> Option<String> {
    cgroups.lines().find_map(|line| {
        let path = line.splitn(3, ':').nth(2)?;
        path.rsplit('/').find_map(|part| {
            let part = part.strip_suffix(".scope").unwrap_or(part);
            let id = part.rsplit('-').next()?;
            let is_id = id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
            is_id.then(|| id.chars().take(12).collect())
        })
    })
}

/// The innermost systemd unit in the text of /proc/PID/cgroup, services and scopes, for the unified hierarchy or
/// systemd's own.
pub fn unit_of(cgroups: &str) -> Option<String> {
    let path = cgroups
        .lines()
        .find_map(|line| line.strip_prefix("0::").filter(|path| *path != "/"))
        .or_else(|| {
            cgroups
                .lines()
                .find_map(|line| line.split_once(":name=systemd:").map(|(_, path)| path))
        })?;
    path.rsplit('/')
        .find(|part| matches!(part.rsplit_once('.'), Some((_, "service" | "scope"))))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_with_a_script_is_a_program_like_others() {
        let is = |text: &str| {
            let arguments: Vec<_> = text.split(' ').map(|word| word.as_bytes().to_vec()).collect();
            is_typed_in(&arguments)
        };
        for text in [
            "-bash",
            "/bin/zsh -il",
            "bash --login",
            "bash --init-file /a/b --posix",
            "fish",
        ] {
            assert!(is(text), "{text}");
        }
        for text in ["sh -c vite", "bash -lc npm", "bash /usr/bin/x", "node", "bashful"] {
            assert!(!is(text), "{text}");
        }
        assert!(!is_typed_in(&[]));
    }

    #[test]
    fn a_command_of_many_lines_is_one_line() {
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
    fn units_and_containers_are_read_from_cgroups() {
        let id = "0123456789abcdef".repeat(4);
        assert_eq!(
            unit_of("0::/system.slice/ssh.service\n").as_deref(),
            Some("ssh.service")
        );
        assert_eq!(
            unit_of("1:name=systemd:/user.slice/session-2.scope\n0::/\n").as_deref(),
            Some("session-2.scope")
        );
        assert_eq!(unit_of("0::/\n"), None);
        for path in [
            format!("/docker/{id}"),
            format!("/system.slice/docker-{id}.scope"),
            format!("/a/crio-{id}.scope/x"),
        ] {
            let cgroups = format!("0::{path}\n");
            assert_eq!(container_of(&cgroups).as_deref(), Some("0123456789ab"), "{path}");
        }
        assert_eq!(container_of("0::/system.slice/ssh.service\n"), None);
    }
}
