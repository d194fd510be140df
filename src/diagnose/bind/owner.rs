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
}
