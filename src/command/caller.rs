//! The caller: who runs sockstat, where, and how to run it with more privileges.

use std::ffi::OsString;
use std::io::IsTerminal;

use rustix::thread::{CapabilitySet, capabilities};

use crate::diagnose::bind::cure::{Netns, Reader};
use crate::plan::Place;
use crate::render::shell;
use crate::source::netns::Views;
use crate::source::tape;

/// The user and the environment of a run.
#[derive(Clone, Debug, Default)]
pub struct Caller {
    /// Whether the effective user is root.
    pub is_root: bool,
    /// Whether it has the two capabilities that give access to every process. If it has, anything still hidden has
    /// another cause.
    pub may_see_all: bool,
    /// The command that would be typed after `sudo`: the full path of this program, and its arguments.
    pub command: String,
    /// The command line as typed, the program's name first.
    pub arguments: Vec<OsString>,
    /// Where the output goes.
    pub place: Place,
    /// The network namespace that the run entered (`-N`): as typed, and its file, both quoted for the shell.
    pub netns: Option<(String, String)>,
    /// The network namespaces that a listing reads (`-N`); if empty, only the one we are in.
    pub views: Views,
}

impl Caller {
    /// Reads the environment. The first argument is the program's name.
    pub fn here(arguments: &[OsString]) -> Self {
        // The full path, because sudo has its own search path.
        let program =
            std::env::current_exe().map_or_else(|_| "sockstat".into(), std::path::PathBuf::into_os_string);
        let words = std::iter::once(&program).chain(arguments.iter().skip(1));
        let command = command_of(words.map(|word| word.as_encoded_bytes()));
        let (is_root, may_see_all, command) = tape::fact("caller", || {
            let is_root = rustix::process::geteuid().is_root();
            (is_root, may_see_all(), command)
        });
        Self {
            is_root,
            may_see_all,
            command,
            arguments: arguments.to_vec(),
            place: place(),
            netns: None,
            views: Views::default(),
        }
    }

    /// The width at which sentences wrap; `None` unless the output is a terminal.
    pub fn text_width(&self) -> Option<usize> {
        self.place.width.filter(|_| self.place.is_terminal)
    }

    /// The caller as the reader of an answer.
    pub fn reader(&self) -> Reader<'_> {
        Reader {
            uid: tape::euid(),
            program: shell::first_word(&self.command),
            netns: self.netns.as_ref().map(|(word, path)| Netns { word, path }),
        }
    }

    /// The same caller, as if `words` had been typed after the name of this program, for remedies that repeat them.
    pub(super) fn asking(&self, words: &[&str]) -> Self {
        let program = shell::first_word(&self.command);
        let quoted = words.iter().filter_map(|word| shell::word(word.as_bytes()));
        let netns = self.netns.iter().map(|(word, _)| format!("-N {word}"));
        let command: Vec<String> = std::iter::once(program.to_owned())
            .chain(quoted)
            .chain(netns)
            .collect();
        Self {
            command: command.join(" "),
            ..self.clone()
        }
    }

    /// The command to run with more privileges; `None` for root.
    pub fn sudo(&self) -> Option<String> {
        (!self.is_root).then(|| format!("sudo {}", self.command))
    }
}

fn may_see_all() -> bool {
    has(CapabilitySet::SYS_PTRACE | CapabilitySet::DAC_READ_SEARCH)
}

fn has(needed: CapabilitySet) -> bool {
    capabilities(None).is_ok_and(|sets| sets.effective.contains(needed))
}

fn place() -> Place {
    let stdout = std::io::stdout();
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let columns = || {
        std::env::var("COLUMNS")
            .ok()?
            .parse()
            .ok()
            .filter(|width| *width > 0)
    };
    let width = rustix::termios::tcgetwinsize(&stdout)
        .ok()
        .map(|size| usize::from(size.ws_col))
        .filter(|width| *width > 0);
    Place {
        is_terminal: stdout.is_terminal(),
        width: width.or_else(columns),
        no_color: is_set("NO_COLOR") || std::env::var_os("TERM").is_some_and(|term| term == "dumb"),
        force_color: std::env::var_os("CLICOLOR_FORCE")
            .is_some_and(|value| !value.is_empty() && value != "0"),
    }
}

/// The words as a command to paste, the program's name first. If an argument is unsafe to paste, `...` stands for all
/// arguments.
fn command_of<'a>(words: impl Iterator<Item = &'a [u8]> + Clone) -> String {
    let quoted: Option<Vec<_>> = words.clone().map(shell::word).collect();
    quoted.map_or_else(
        || {
            let program = words.map(shell::word).next().flatten();
            format!("{} ...", program.as_deref().unwrap_or("sockstat"))
        },
        |words| words.join(" "),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_quoted_or_cut_short() {
        let command = |words: &[&'static str]| command_of(words.iter().map(|word| word.as_bytes()));
        assert_eq!(
            command(&["/bin/sockstat", "-tn", "it's"]),
            "/bin/sockstat -tn 'it'\\''s'"
        );
        assert_eq!(command(&["/bin/sockstat", "a\nreboot"]), "/bin/sockstat ...");
        assert_eq!(command(&["/\x1b/sockstat", "a"]), "sockstat ...");
    }

    #[cfg(feature = "watch")]
    #[test]
    fn an_answer_inside_another_command_proposes_its_own() {
        let watching = Caller {
            command: "'/my bin/sockstat' watch nginx".to_owned(),
            netns: Some(("web".to_owned(), "/run/netns/web".to_owned())),
            ..Caller::default()
        };
        let sudo = watching.asking(&["why", "3000/tcp"]).sudo();
        assert_eq!(
            sudo.as_deref(),
            Some("sudo '/my bin/sockstat' why 3000/tcp -N web")
        );
    }
}
