//! The program behind a socket, in labelled rows.

use std::fmt::Write as _;
use std::time::SystemTime;

use crate::render::page::Page;
use crate::render::{escape, human};

use super::holders::Holders;
use super::owner::{Owner, title};

/// The width of row labels.
pub(super) const LABELS: usize = 10;

/// Writes what is known about the first holder, and who else holds the socket. `clients` are the connections on the
/// port.
pub(super) fn rows(page: &mut Page, holders: &Holders, now: SystemTime, clients: Clients) {
    let Some(owner) = holders.owners.first() else {
        return;
    };
    page.gap();
    if let Some(command) = owner.command_line() {
        page.row("command", &command);
    }
    page.row("user", &user(owner, now));
    if !owner.parents.is_empty() {
        let chain: Vec<_> = owner
            .parents
            .iter()
            .map(|(comm, pid)| title(comm, *pid))
            .collect();
        page.row("parents", &chain.join(" < "));
    }
    if let Some(unit) = holders.socket_unit.as_ref().or(owner.unit.as_ref()) {
        page.row("unit", &unit.to_string());
    }
    if let Some(container) = &owner.container {
        page.row("container", &container.to_string());
    }
    if owner.binary_deleted {
        page.row(
            "binary",
            "its file has been deleted or replaced since it was started",
        );
    }
    if let Some(stopped) = &holders.stopped {
        let and_term = if stopped.are_all() {
            ", and TERM takes effect only then"
        } else {
            ""
        };
        page.row("stopped", &format!("{}{and_term}", stopped.for_clients()));
    }
    if let Some(others) = holders.also() {
        page.row(
            "also held",
            &format!("{others}: the port is free only when all have closed the socket"),
        );
    }
    for inherited in holders.inherited.iter().take(2) {
        page.row("inherited", &inherited.sentence);
    }
    for sentence in clients.sentences(owner).into_iter().flatten() {
        page.row("clients", &sentence);
    }
}

/// The process's user, start time and directory.
fn user(owner: &Owner, now: SystemTime) -> String {
    let mut text = owner
        .user
        .as_ref()
        .map_or_else(|| "?".to_owned(), ToString::to_string);
    if let Some(age) = owner.started_at.and_then(|at| now.duration_since(at).ok()) {
        let ms = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
        let _ = write!(text, ", started {} ago", human::duration_ms(ms));
    }
    if let Some(directory) = &owner.directory {
        let _ = write!(text, " in {}", escape::text(directory));
    }
    text
}

/// A server's connections on the port.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clients {
    /// The connections that it has not accepted yet.
    pub(super) queued: usize,
    /// All other connections.
    pub(super) accepted: usize,
}

impl Clients {
    /// What happens to connections when the server ends: those in its accept queue are reset at once (linux 6.18
    /// net/ipv4/inet_connection_sock.c, inet_csk_listen_stop), the others are closed in the usual way.
    fn sentences(self, owner: &Owner) -> [Option<String>; 2] {
        let program = escape::text(&owner.program);
        let connections = |count| format!("{count} connection{}", if count == 1 { "" } else { "s" });
        let them = |count| if count == 1 { "it" } else { "them" };
        [
            (self.accepted > 0).then(|| {
                let connections = connections(self.accepted);
                let them = them(self.accepted);
                format!("{connections}: after {program} ends, a server without SO_REUSEADDR waits up to 60 s for {them}")
            }),
            (self.queued > 0).then(|| {
                let connections = connections(self.queued);
                let them = them(self.queued);
                format!("{connections} not accepted yet: the kernel resets {them} when {program} ends")
            }),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_use_singular_and_plural() {
        let owner = Owner {
            program: b"node".to_vec(),
            ..Owner::default()
        };
        let said = |queued, accepted| {
            Clients { queued, accepted }
                .sentences(&owner)
                .map(Option::unwrap_or_default)
        };
        let [accepted, queued] = said(1, 2);
        assert!(
            accepted.starts_with("2 connections: ") && accepted.ends_with(" for them"),
            "{accepted}"
        );
        assert_eq!(
            queued,
            "1 connection not accepted yet: the kernel resets it when node ends"
        );
        assert_eq!(said(0, 0), [String::new(), String::new()]);
    }
}
