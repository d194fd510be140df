//! What shells offer at TAB, in a real terminal.

use std::path::Path;

use super::sockets::Sockets;
use super::tmux::Terminal;
use super::tools::is_installed;
use crate::skip::skip;

/// What is typed, and the result of one TAB.
const CASES: &[(&str, &str)] = &[
    ("sockstat wh", "sockstat why"),
    ("sockstat kill --signal K", "--signal KILL"),
    ("sockstat kill --signal=K", "--signal=KILL"),
    ("sockstat wait --state est", "--state established"),
    ("sockstat -t state time-", "state time-wait"),
    ("sockstat --columns pid,local_por", "pid,local_port"),
    ("sockstat --sort recv_q_", "recv_q_percent"),
    ("sockstat --by owner_st", "owner_status"),
    ("sockstat -A tcp,netl", "tcp,netlink"),
    ("sockstat user = nobod", "user = nobody"),
    ("sockstat why --uid nobod", "--uid nobody"),
    ("sockstat why 4000", "why 40001"),
    ("sockstat kill :4000", "kill :40001"),
    ("sockstat wait 4000", "wait 40001"),
];

/// How often a screen is read, each time by a new process: a shell that starts needs some hundred.
const LOOKS: u32 = 5_000;

/// A shell that loads the script, prints `READY>` when it accepts input, and reads none of the user's files.
struct Shell {
    name: &'static str,
    script: &'static str,
    /// The name of its configuration file, and its content; `{dir}` is the directory of this file and the script.
    settings: (&'static str, &'static str),
    /// The command that starts it.
    command: &'static str,
}

const SHELLS: &[Shell] = &[
    Shell {
        name: "bash",
        script: "sockstat.bash",
        settings: ("bashrc", "source {dir}/sockstat.bash\nPS1='READY> '\n"),
        command: "bash --noprofile --rcfile {dir}/bashrc -i",
    },
    Shell {
        name: "zsh",
        script: "_sockstat",
        settings: (
            ".zshrc",
            "fpath=({dir} $fpath)\nautoload -Uz compinit; compinit -u -D\nPS1='READY> '\n",
        ),
        command: "env ZDOTDIR={dir} zsh -d -i",
    },
    Shell {
        name: "fish",
        script: "sockstat.fish",
        settings: ("ready.fish", "function fish_prompt; echo -n 'READY> '; end\n"),
        command: "env XDG_CONFIG_HOME={dir} XDG_DATA_HOME={dir} XDG_CACHE_HOME={dir} fish -i \
                  -C 'source {dir}/sockstat.fish; source {dir}/ready.fish'",
    },
    Shell {
        name: "elvish",
        script: "sockstat.elv",
        settings: (
            "rc.elv",
            "eval (slurp < {dir}/sockstat.elv)\nset edit:prompt = { put 'READY> ' }\nset edit:rprompt = { nop }\n",
        ),
        command: "env XDG_STATE_HOME={dir} XDG_RUNTIME_DIR={dir} elvish -rc {dir}/rc.elv",
    },
];

impl Shell {
    /// Types the text and TAB, and returns the screen once the expected text is there, or after a while.
    fn completes(&self, sockets: &Sockets, typed: &str, expected: &str) -> Vec<String> {
        let directory = sockets.directory().to_str().unwrap();
        let path = std::env::var("PATH").unwrap_or_default();
        let script = format!(
            "HOME={directory} PATH={directory}:{path} exec {}",
            self.command.replace("{dir}", directory)
        );
        let terminal = Terminal::start(sockets, (100, 40), &script);
        let shows = |text: &str| {
            let mut screen = Vec::new();
            for _ in 0..LOOKS {
                screen = terminal.lines(&["-J"]);
                if screen.iter().any(|line| line.contains(text)) {
                    break;
                }
            }
            screen
        };
        shows("READY>");
        terminal.types(typed);
        terminal.presses("Tab");
        shows(expected)
    }
}

/// Makes the shell complete every case.
#[track_caller]
fn all_are_completed_by(name: &str) {
    let shell = SHELLS.iter().find(|shell| shell.name == name).unwrap();
    for program in ["tmux", name] {
        if !is_installed(program) {
            skip(&format!("{program} is not installed"));
            return;
        }
    }
    let Some(sockets) = Sockets::make(&["tcp-listen:port=40001"]) else {
        return;
    };
    let directory = sockets.directory();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_sockstat"), directory.join("sockstat")).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("completions")
        .join(shell.script);
    std::fs::copy(script, directory.join(shell.script)).unwrap();
    let (file, text) = shell.settings;
    let text = text.replace("{dir}", directory.to_str().unwrap());
    std::fs::write(directory.join(file), text).unwrap();
    for (typed, expected) in CASES {
        let screen = shell.completes(&sockets, typed, expected);
        assert!(
            screen.iter().any(|line| line.contains(expected)),
            "{typed}: {}",
            screen.join("\n")
        );
    }
}

#[test]
fn bash_completes_values() {
    all_are_completed_by("bash");
}

#[test]
fn zsh_completes_values() {
    all_are_completed_by("zsh");
}

#[test]
fn fish_completes_values() {
    all_are_completed_by("fish");
}

#[test]
fn elvish_completes_values() {
    all_are_completed_by("elvish");
}
