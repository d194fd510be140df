//! Who holds a socket, and how to name them.

use crate::model::Name;
use crate::model::OwnerStatus;
use crate::model::ownership::Unseen;

use super::inherited::Inherited;
use super::owner::Owner;
use crate::diagnose::stopped::Stopped;

/// Who holds a socket.
#[derive(Clone, Debug)]
pub struct Holders {
    /// What is known about them.
    pub status: OwnerStatus,
    /// The processes, starting with the one that a person would name first.
    pub owners: Vec<Owner>,
    /// Those that are stopped.
    pub stopped: Option<Stopped>,
    /// The process that started them and probably holds the socket too, if it cannot be inspected.
    pub hidden_master: Option<Owner>,
    /// Whether none of them belongs to the user who created the socket while some processes cannot be inspected.
    pub creator_is_unseen: bool,
    /// How the holders that did not create the socket got it.
    pub inherited: Vec<Inherited>,
    /// Whether systemd holds it, as process 1 or as a user's manager.
    pub by_systemd: bool,
    /// For a socket that systemd holds: the unit that requests the port, according to its unit file.
    pub socket_unit: Option<Name>,
    /// The user who created the socket, known even if its process is hidden.
    pub user: Option<Name>,
    /// What may have hidden holders.
    pub unseen: Unseen,
}

impl Default for Holders {
    fn default() -> Self {
        Self {
            status: OwnerStatus::NotAsked,
            owners: Vec::new(),
            stopped: None,
            hidden_master: None,
            creator_is_unseen: false,
            inherited: Vec::new(),
            by_systemd: false,
            socket_unit: None,
            user: None,
            unseen: Unseen::default(),
        }
    }
}

impl Holders {
    /// The first owner, and how many more there are: `nginx 812 +4`.
    pub fn owner_name(&self) -> Option<String> {
        let first = self.owners.first()?;
        let more = self.owners.len() - 1;
        let name = first.title();
        Some(if more > 0 { format!("{name} +{more}") } else { name })
    }

    /// The holders, in words for use within a sentence.
    pub fn who(&self) -> String {
        self.owner_name().unwrap_or_else(|| self.nameless(true))
    }

    /// The same for the start of a sentence.
    pub fn subject(&self) -> String {
        self.owner_name().unwrap_or_else(|| self.nobody(true))
    }

    /// The same if no process can be named. `may_see_more` says whether more privileges would name it.
    fn nameless(&self, may_see_more: bool) -> String {
        let of = self
            .user
            .as_ref()
            .map_or_else(String::new, |user| format!(" of user {user}"));
        match self.status {
            OwnerStatus::Hidden if of.is_empty() => "a process that you may not inspect".to_owned(),
            OwnerStatus::Hidden if may_see_more => format!("a process{of}"),
            OwnerStatus::Hidden => format!("a process{of}, or the kernel,"),
            OwnerStatus::Kernel => "the kernel itself".to_owned(),
            OwnerStatus::InFlight => format!("a socket{of}, in flight between processes,"),
            OwnerStatus::Elsewhere => format!("a process{of} in another pid namespace"),
            _ => format!("a socket{of}"),
        }
    }

    /// The holders except the first, a few of them by name.
    pub(super) fn others(&self) -> Option<String> {
        const NAMED: usize = 4;
        let others = self.owners.get(1..).filter(|others| !others.is_empty())?;
        let named: Vec<_> = others.iter().take(NAMED).map(Owner::title).collect();
        let more = others.len().saturating_sub(NAMED);
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        Some(named.join(", ") + &more)
    }

    /// The holders besides the first: those that were found, and those that probably hold it but cannot be inspected.
    pub(super) fn also(&self) -> Option<String> {
        let seen = self.others().map(|others| format!("by {others}"));
        let unseen = match &self.hidden_master {
            Some(master) => {
                let their = if seen.is_some() { "their" } else { "its" };
                let title = master.title();
                Some(format!(
                    "probably by {their} parent {title}, which you may not inspect"
                ))
            }
            None => self.creator_is_unseen.then(|| {
                let user = self.user_shown();
                format!("perhaps by processes of user {user}, which you may not inspect")
            }),
        };
        let parts: Vec<_> = seen.into_iter().chain(unseen).collect();
        (!parts.is_empty()).then(|| parts.join(", and "))
    }

    /// A sentence that says how to find a hidden owner; empty if the owner is not hidden.
    pub(super) fn hidden(&self, sudo: Option<&str>) -> String {
        match (self.status, sudo) {
            (OwnerStatus::Hidden, _) if self.unseen.out_of_descriptors => {
                "It was not found: the limit of open files is too low (ulimit -n).".to_owned()
            }
            (OwnerStatus::Hidden, Some(sudo)) => format!("It is hidden from you: {sudo} names it."),
            (OwnerStatus::Hidden, None) => {
                "You may not inspect it (needs CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH, unless a security module forbids it).".to_owned()
            }
            _ => String::new(),
        }
    }

    /// The user, or a question mark.
    pub(super) fn user_shown(&self) -> String {
        self.user.as_ref().map_or_else(|| "?".to_owned(), Name::to_string)
    }

    /// The subject of a sentence if no process can be named. `may_see_more` says whether more privileges would name it.
    pub(super) fn nobody(&self, may_see_more: bool) -> String {
        let mut text = self.nameless(may_see_more);
        if let Some(first) = text.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holders(pids: &[u32]) -> Holders {
        let owner = |pid: &u32| Owner {
            pid: *pid,
            program: b"nginx".to_vec(),
            ..Owner::default()
        };
        Holders {
            status: OwnerStatus::Known,
            owners: pids.iter().map(owner).collect(),
            ..Holders::default()
        }
    }

    #[test]
    fn the_first_owner_stands_for_all() {
        assert_eq!(holders(&[]).owner_name(), None);
        assert_eq!(holders(&[1]).who(), "nginx 1");
        assert_eq!(holders(&[1, 2, 3]).who(), "nginx 1 +2");
        assert_eq!(holders(&[1]).others(), None);
        assert_eq!(
            holders(&[1, 2, 3, 4, 5, 6]).others().as_deref(),
            Some("nginx 2, nginx 3, nginx 4, nginx 5 and 1 more")
        );
    }

    #[test]
    fn holders_that_cannot_be_inspected_are_mentioned() {
        let unseen = Holders {
            creator_is_unseen: true,
            user: Some("root".into()),
            ..holders(&[8])
        };
        assert_eq!(
            unseen.also().as_deref(),
            Some("perhaps by processes of user root, which you may not inspect")
        );
        let master = Holders {
            hidden_master: holders(&[7]).owners.pop(),
            owners: holders(&[8, 9]).owners,
            ..unseen
        };
        assert_eq!(
            master.also().as_deref(),
            Some("by nginx 9, and probably by their parent nginx 7, which you may not inspect")
        );
        assert_eq!(holders(&[8]).also(), None);
    }

    #[test]
    fn without_an_owner_the_status_and_the_user_are_named() {
        let of = |status, user: Option<&str>| Holders {
            status,
            user: user.map(Name::from),
            ..Holders::default()
        };
        assert_eq!(of(OwnerStatus::Kernel, None).who(), "the kernel itself");
        assert_eq!(of(OwnerStatus::Hidden, Some("a")).who(), "a process of user a");
        assert_eq!(
            of(OwnerStatus::Hidden, None).who(),
            "a process that you may not inspect"
        );
        assert_eq!(
            of(OwnerStatus::Hidden, Some("a")).nobody(true),
            "A process of user a"
        );
        assert_eq!(
            of(OwnerStatus::Hidden, Some("a")).nobody(false),
            "A process of user a, or the kernel,"
        );
        assert_eq!(
            of(OwnerStatus::Hidden, None).hidden(Some("sudo x")),
            "It is hidden from you: sudo x names it."
        );
        assert_eq!(of(OwnerStatus::Known, None).hidden(Some("sudo x")), "");
        assert_eq!(
            of(OwnerStatus::InFlight, Some("a")).who(),
            "a socket of user a, in flight between processes,"
        );
        assert_eq!(
            of(OwnerStatus::Elsewhere, None).who(),
            "a process in another pid namespace"
        );
        for status in [OwnerStatus::InFlight, OwnerStatus::Elsewhere] {
            assert_eq!(of(status, None).hidden(None), "", "no privilege would show it");
        }
        let starved = Holders {
            unseen: Unseen {
                out_of_descriptors: true,
                ..Unseen::default()
            },
            ..of(OwnerStatus::Hidden, None)
        };
        assert!(starved.hidden(Some("sudo x")).contains("ulimit -n"));
    }
}
