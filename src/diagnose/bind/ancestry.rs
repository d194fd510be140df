//! The ancestors of an owner that explain who started it.

use crate::model::ancestor::Ancestor;

/// How far up the ancestors are followed.
const PARENTS_MAX: usize = 8;

/// Names that end a chain of ancestors, because their parents tell nothing more.
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

/// Interactive shells.
const SHELLS: [&[u8]; 11] = [
    b"bash", b"zsh", b"fish", b"sh", b"dash", b"ash", b"ksh", b"tcsh", b"csh", b"nu", b"pwsh",
];

/// Returns names and pids up to the interactive shell, and the terminal above that shell if it comes next. Without such
/// a shell, the chain ends at a session manager or process 1. Takes no more ancestors than it needs.
pub fn chain(ancestors: impl Iterator<Item = Ancestor>) -> Vec<(Vec<u8>, u32)> {
    let mut chain = Vec::new();
    let mut below_shell = false;
    for ancestor in ancestors.take(PARENTS_MAX) {
        let is_top = is_top(&ancestor.comm);
        if below_shell && !is_top {
            break;
        }
        // tmux appends its own text after a colon.
        let name = ancestor.comm.split(|byte| *byte == b':').next();
        chain.push((name.unwrap_or_default().to_vec(), ancestor.pid));
        if is_top {
            break;
        }
        below_shell = is_interactive_shell(&ancestor.arguments);
    }
    chain
}

fn is_top(comm: &[u8]) -> bool {
    TOPS.iter().any(|top| comm.starts_with(top))
}

/// Whether these are the arguments of an interactive shell, which was given neither a script nor a command.
fn is_interactive_shell(arguments: &[Vec<u8>]) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<Vec<u8>> {
        text.split(' ').map(|word| word.as_bytes().to_vec()).collect()
    }

    /// The chain above a process, given as (comm, arguments), with pids from 9 down.
    fn chain_of(ancestors: &[(&str, &str)]) -> String {
        let ancestors = ancestors
            .iter()
            .zip((1..=9).rev())
            .map(|((comm, arguments), pid)| Ancestor {
                pid,
                comm: comm.as_bytes().to_vec(),
                arguments: words(arguments),
            });
        let names = chain(ancestors).into_iter();
        let names: Vec<_> = names
            .map(|(name, pid)| format!("{} {pid}", String::from_utf8(name).unwrap()))
            .collect();
        names.join(" < ")
    }

    #[test]
    fn a_chain_ends_at_the_shell_or_its_terminal() {
        let npm = ("npm", "npm run dev");
        let shell = ("bash", "-bash");
        assert_eq!(
            chain_of(&[npm, shell, ("tmux: server", "tmux"), ("systemd", "init")]),
            "npm 9 < bash 8 < tmux 7"
        );
        assert_eq!(
            chain_of(&[npm, shell, ("make", "make"), ("systemd", "init")]),
            "npm 9 < bash 8"
        );
        assert_eq!(
            chain_of(&[("sh", "sh -c vite"), npm, ("systemd", "init"), npm]),
            "sh 9 < npm 8 < systemd 7"
        );
        assert_eq!(chain_of(&[npm; 9]).matches('<').count() + 1, PARENTS_MAX);
        assert_eq!(chain_of(&[]), "");
    }

    #[test]
    fn a_shell_that_runs_a_script_is_not_interactive() {
        for text in [
            "-bash",
            "/bin/zsh -il",
            "bash --login",
            "bash --init-file /a/b --posix",
            "fish",
        ] {
            assert!(is_interactive_shell(&words(text)), "{text}");
        }
        for text in ["sh -c vite", "bash -lc npm", "bash /usr/bin/x", "node", "bashful"] {
            assert!(!is_interactive_shell(&words(text)), "{text}");
        }
        assert!(!is_interactive_shell(&[]));
    }
}
