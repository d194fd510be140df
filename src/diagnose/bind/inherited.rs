//! Whether a process was given its socket by another: the signs, and what they say. Pure.

/// What tells an inherited descriptor from one that the process made itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signs {
    /// Another holder of the socket that is an ancestor.
    pub from_holder: Option<u32>,
    /// The socket was made in another cgroup than the process is in.
    pub other_cgroup: bool,
    /// Who made the socket, if that is another user.
    pub other_user: Option<String>,
    /// The descriptor stays open over exec.
    pub no_close_on_exec: bool,
    /// Its parent has ended (process 1 took it over), and it is no service of systemd, whose parent that is.
    pub parent_gone: bool,
}

/// A process that was given its socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inherited {
    /// Which, and by what signs.
    pub sentence: String,
    /// Whether the signs leave no doubt.
    pub sure: bool,
}

/// What the signs say of the process `name`; `None` if they do not speak of inheritance.
pub fn judge(name: &str, signs: &Signs) -> Option<Inherited> {
    let sure = signs.from_holder.is_some() || signs.other_cgroup;
    let likely = signs.no_close_on_exec && signs.parent_gone;
    if !sure && !likely {
        return None;
    }
    let mut evidence = Vec::new();
    if let Some(pid) = signs.from_holder {
        evidence.push(format!("its ancestor {pid} holds the same socket"));
    }
    if signs.other_cgroup {
        evidence.push("it was made in another cgroup".to_owned());
    }
    if let Some(user) = &signs.other_user {
        evidence.push(format!("user {user} made it"));
    }
    if signs.no_close_on_exec {
        evidence.push("no close-on-exec".to_owned());
    }
    if signs.parent_gone {
        evidence.push("its parent is gone".to_owned());
    }
    let perhaps = if sure { "" } else { "perhaps " };
    Some(Inherited {
        sentence: format!("{name} has {perhaps}inherited it: {}", evidence.join(", ")),
        sure,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentence(name: &str, signs: &Signs) -> Option<String> {
        judge(name, signs).map(|inherited| inherited.sentence)
    }

    #[test]
    fn one_weak_sign_says_nothing_and_two_say_perhaps() {
        let weak = Signs {
            no_close_on_exec: true,
            other_user: Some("root".to_owned()),
            ..Signs::default()
        };
        assert_eq!(
            sentence("a 2", &weak),
            None,
            "a server that gave up its privileges"
        );
        let orphan = Signs {
            parent_gone: true,
            other_user: None,
            ..weak.clone()
        };
        assert_eq!(
            sentence("a 2", &orphan).as_deref(),
            Some("a 2 has perhaps inherited it: no close-on-exec, its parent is gone")
        );
        let worker = Signs {
            from_holder: Some(1),
            ..weak
        };
        assert_eq!(
            sentence("a 2", &worker).as_deref(),
            Some(
                "a 2 has inherited it: its ancestor 1 holds the same socket, user root made it, no close-on-exec"
            )
        );
    }
}
