//! One remedy for a verdict.

use crate::render::page::Page;

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cure {
    /// What to type; `None` for advice that is not a command.
    pub command: Option<String>,
    /// What it does.
    pub sentence: String,
    /// Its cost.
    pub harm: Harm,
    /// The privileges that the command needs.
    pub rights: Rights,
}

/// The privileges that a command needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Rights {
    /// None: anybody may run it.
    #[default]
    Anybody,
    /// Only root may run it.
    Root,
    /// This user or root may run it.
    User(Option<u32>),
    /// Only this user may run it. Others type `instead`, if there is such a command.
    Only {
        /// The user.
        uid: Option<u32>,
        /// What others type, as root.
        instead: Option<String>,
    },
}

/// The reader of an answer, who may type its commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reader<'a> {
    /// The effective user id.
    pub uid: u32,
    /// This program as the word of a command, with its full path, because sudo has its own search path.
    pub program: &'a str,
    /// The network namespace that was examined (`-N`).
    pub netns: Option<Netns<'a>>,
}

/// A network namespace in commands, quoted for the shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Netns<'a> {
    /// As it was typed.
    pub word: &'a str,
    /// Its file.
    pub path: &'a str,
}

/// What a cure costs, in rising order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Harm {
    /// Nothing.
    None,
    /// The machine is configured differently afterwards.
    Configures,
    /// The kernel closes or forgets a connection.
    ClosesConnection,
    /// A program ends.
    EndsProgram,
}

impl Harm {
    /// The code in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Configures => "configures",
            Self::ClosesConnection => "closes-connection",
            Self::EndsProgram => "ends-program",
        }
    }
}

impl Cure {
    /// Advice without a command.
    pub fn advice(sentence: impl Into<String>) -> Self {
        Self {
            command: None,
            sentence: sentence.into(),
            harm: Harm::None,
            rights: Rights::Anybody,
        }
    }

    /// A command to copy.
    pub fn command(command: impl Into<String>, sentence: impl Into<String>, harm: Harm) -> Self {
        Self {
            command: Some(command.into()),
            sentence: sentence.into(),
            harm,
            rights: Rights::Anybody,
        }
    }

    /// Sets the privileges that the command needs.
    #[must_use]
    pub fn with_rights(mut self, rights: Rights) -> Self {
        self.rights = rights;
        self
    }

    /// Rewrites the command as the reader has to type it.
    fn typed_by(&mut self, reader: Reader<'_>) {
        let needs_root = match &self.rights {
            Rights::Anybody => false,
            Rights::Root => true,
            Rights::User(uid) => *uid != Some(reader.uid),
            Rights::Only { uid, instead } => {
                let is_another = *uid != Some(reader.uid);
                if is_another {
                    self.command.clone_from(instead);
                }
                is_another
            }
        };
        let with_sudo = needs_root && reader.uid != 0;
        self.command = self.command.take().map(|command| {
            let command = in_netns(command, reader.netns);
            match command.strip_prefix("sockstat ") {
                Some(words) if with_sudo => format!("sudo {} {words}", reader.program),
                None if with_sudo && !command.starts_with("sudo ") => format!("sudo {command}"),
                _ => command,
            }
        });
    }
}

/// Adapts the command to the namespace that was examined: sockstat enters it with -N, sysctl has to be run inside it.
fn in_netns(command: String, netns: Option<Netns<'_>>) -> String {
    match (netns, command.split_once(' ')) {
        (Some(netns), Some(("sockstat", words))) => format!("sockstat -N {} {words}", netns.word),
        (Some(netns), Some(("sysctl", _))) => format!("nsenter --net={} {command}", netns.path),
        _ => command,
    }
}

/// Rewrites the commands as the reader has to type them: with `sudo` if they need more privileges than the reader has.
pub fn typed_by(cures: &mut [Cure], reader: Reader<'_>) {
    for cure in cures {
        cure.typed_by(reader);
    }
}

/// Writes cures as rows, in order.
pub(super) fn write_rows(page: &mut Page, cures: &[Cure]) {
    if !cures.is_empty() {
        page.gap();
    }
    for (at, cure) in cures.iter().enumerate() {
        let label = if at == 0 { "to fix" } else { "or" };
        match &cure.command {
            Some(command) => page.command(label, command, &cure.sentence),
            None => page.row(label, &cure.sentence),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(command: &str, rights: Rights, uid: u32) -> Option<String> {
        let mut cures = [Cure::command(command, "", Harm::None).with_rights(rights)];
        typed_by(&mut cures, reader(uid, None));
        cures[0].command.take()
    }

    fn reader(uid: u32, netns: Option<Netns<'_>>) -> Reader<'_> {
        Reader {
            uid,
            program: "/opt/sockstat",
            netns,
        }
    }

    #[test]
    fn commands_apply_to_the_namespace_that_was_examined() {
        let netns = Netns {
            word: "blue",
            path: "/run/netns/blue",
        };
        for (command, uid, expected) in [
            ("sockstat kill :80", 0, "sockstat -N blue kill :80"),
            (
                "sockstat -K sport = :80",
                7,
                "sudo /opt/sockstat -N blue -K sport = :80",
            ),
            (
                "sysctl -w a=1",
                7,
                "sudo nsenter --net=/run/netns/blue sysctl -w a=1",
            ),
            ("sleep 3", 0, "sleep 3"),
        ] {
            let rights = if command == "sleep 3" {
                Rights::Anybody
            } else {
                Rights::Root
            };
            let mut cures = [Cure::command(command, "", Harm::None).with_rights(rights)];
            typed_by(&mut cures, reader(uid, Some(netns)));
            assert_eq!(cures[0].command.as_deref(), Some(expected));
        }
    }

    #[test]
    fn commands_work_as_typed_by_the_reader() {
        let only = |instead: Option<&str>| Rights::Only {
            uid: Some(7),
            instead: instead.map(str::to_owned),
        };
        for (command, rights, uid, expected) in [
            ("sleep 3", Rights::Anybody, 7, "sleep 3"),
            ("sysctl -w a=1", Rights::Root, 7, "sudo sysctl -w a=1"),
            ("sysctl -w a=1", Rights::Root, 0, "sysctl -w a=1"),
            ("sockstat kill :80", Rights::User(Some(7)), 7, "sockstat kill :80"),
            (
                "sockstat kill :80",
                Rights::User(Some(8)),
                7,
                "sudo /opt/sockstat kill :80",
            ),
            ("kill 812", Rights::User(None), 7, "sudo kill 812"),
            ("kill 812", Rights::User(Some(7)), 0, "kill 812"),
            (
                "podman stop a",
                only(Some("sudo -u b podman stop a")),
                7,
                "podman stop a",
            ),
            (
                "podman stop a",
                only(Some("sudo -u b podman stop a")),
                8,
                "sudo -u b podman stop a",
            ),
            ("podman stop a", only(Some("x")), 8, "sudo x"),
            ("podman stop a", only(Some("x")), 0, "x"),
        ] {
            assert_eq!(typed(command, rights, uid).as_deref(), Some(expected));
        }
        assert_eq!(typed("podman stop a", only(None), 0), None);
    }
}
