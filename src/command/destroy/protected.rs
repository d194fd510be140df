//! Determines which matching sockets are left alone because this session may depend on them. Pure.

use crate::model::End;
use crate::model::Row;
use crate::model::{Holder, OwnerStatus};
use crate::query::expr::OwnerField;
use crate::query::ranges::Ranges;
use crate::query::{Expr, Predicate};
use crate::render::escape;

/// Why a socket is protected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Protected {
    /// This process, or one that started it, holds it.
    Ours(String),
    /// A remote login server holds it.
    Sshd(String),
    /// Its holder is unknown, and may be one of the above.
    Unseen,
}

impl Protected {
    /// The reason, as the end of a sentence.
    pub fn reason(&self) -> String {
        match self {
            Self::Ours(name) => format!("held by {name}, which started this program"),
            Self::Sshd(name) => format!("held by {name}, so a login may depend on it"),
            Self::Unseen => "its owner cannot be seen, and a login may depend on it".to_owned(),
        }
    }
}

/// Why the socket is protected; `None` if it is not. `ours` are this process and its ancestors. A socket that the
/// filter names by its peer port or by the pid of a holder is closed, regardless of who holds it.
pub fn protected(row: &Row<'_>, ours: &[u32], filter: Option<&Expr>) -> Option<Protected> {
    if filter.is_some_and(|filter| names(filter, row, true)) {
        return None;
    }
    let holders = row.ownership.holders;
    let name = |holder: &Holder| {
        let comm = row.process(holder).map(|process| escape::text(&process.comm));
        format!("{} {}", comm.unwrap_or_else(|| "?".to_owned()), holder.pid)
    };
    if let Some(holder) = holders.iter().find(|holder| ours.contains(&holder.pid)) {
        return Some(Protected::Ours(name(holder)));
    }
    let is_sshd = |holder: &&Holder| {
        row.process(holder)
            .is_some_and(|process| serves_logins(&process.comm))
    };
    if let Some(holder) = holders.iter().find(is_sshd) {
        return Some(Protected::Sshd(name(holder)));
    }
    let unseen = match row.ownership.status {
        OwnerStatus::None | OwnerStatus::Kernel => false,
        _ => holders.is_empty(),
    };
    unseen.then_some(Protected::Unseen)
}

/// OpenSSH's server: `sshd`, and since 9.8 `sshd-session` and `sshd-auth`.
fn serves_logins(comm: &[u8]) -> bool {
    comm == b"sshd" || comm.starts_with(b"sshd-")
}

/// Whether the filter gives the exact peer port or the exact pid of a holder, rather than a range that includes it.
fn names(filter: &Expr, row: &Row<'_>, positive: bool) -> bool {
    let says = |ranges: &Ranges, number: u64| ranges.as_slice().contains(&(number, number));
    match filter {
        Expr::And(parts) | Expr::Or(parts) => parts.iter().any(|part| names(part, row, positive)),
        Expr::Not(inner) => names(inner, row, !positive),
        Expr::Is(Predicate::End(test)) if positive && test.end == End::Peer => {
            let port = row.socket.inet().map(|pair| pair.peer_port);
            let ports = test.ports.as_ref();
            ports
                .zip(port)
                .is_some_and(|(ports, port)| port != 0 && says(ports, port.into()))
        }
        Expr::Is(Predicate::OwnerNumber(OwnerField::Pid, pids)) if positive => {
            let mut holders = row.ownership.holders.iter();
            holders.any(|holder| says(pids, holder.pid.into()))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Context, Ownership};
    use crate::model::{Endpoints, InetPair, Process, Socket, State};
    use crate::query::{Mode, parse};

    fn judged(comm: &str, status: OwnerStatus, filter: &str) -> Option<Protected> {
        let pair = InetPair {
            local_address: "10.0.0.1".parse().unwrap(),
            local_port: 22,
            peer_address: "10.0.0.2".parse().unwrap(),
            peer_port: 50_000,
            interface: None,
            v6only: None,
        };
        let socket = Socket {
            state: State::Established,
            endpoints: Endpoints::Inet(pair),
            ..Socket::BLANK
        };
        let process = Process {
            pid: 7,
            comm: comm.as_bytes().into(),
            ..Process::default()
        };
        let context = Context {
            processes: [(7, process)].into(),
            ..Context::default()
        };
        let holder = Holder {
            inode: 1,
            pid: 7,
            fd: 3,
            tid: 0,
        };
        let holders = if matches!(status, OwnerStatus::Known | OwnerStatus::Queued) {
            &[holder][..]
        } else {
            &[]
        };
        let row = Row {
            socket: &socket,
            ownership: Ownership {
                status,
                holders,
                may_be_more: false,
            },
            context: &context,
        };
        let words: Vec<_> = filter.split_whitespace().map(str::to_owned).collect();
        let filter = parse(&words, Mode::Kill).unwrap().expr.unwrap();
        let ours: &[u32] = if comm == "bash" { &[7, 1] } else { &[8, 1] };
        protected(&row, ours, Some(&filter))
    }

    #[test]
    fn ancestors_and_sshd_are_protected_and_others_are_not() {
        let known = |comm| judged(comm, OwnerStatus::Known, "sport = :22");
        assert_eq!(known("bash"), Some(Protected::Ours("bash 7".into())));
        for sshd in ["sshd", "sshd-session", "sshd-auth"] {
            assert_eq!(known(sshd), Some(Protected::Sshd(format!("{sshd} 7"))));
        }
        assert_eq!(known("sshdx"), None);
        assert_eq!(known("nginx"), None);
        let queued = judged("sshd", OwnerStatus::Queued, "22");
        assert_eq!(queued, Some(Protected::Sshd("sshd 7".into())));
    }

    #[test]
    fn sockets_with_a_hidden_owner_are_protected() {
        for status in [OwnerStatus::Hidden, OwnerStatus::Elsewhere, OwnerStatus::InFlight] {
            assert_eq!(judged("sshd", status, "22"), Some(Protected::Unseen));
            assert_eq!(judged("sshd", status, "dport = :50000"), None);
        }
        for nobody in [OwnerStatus::None, OwnerStatus::Kernel] {
            assert_eq!(judged("sshd", nobody, "22"), None);
        }
    }

    #[test]
    fn sockets_that_the_filter_names_are_not_protected() {
        let judge = |filter| judged("sshd", OwnerStatus::Known, filter);
        for named in [
            "dport = :50000",
            "peer_port = 50000",
            "pid = 7",
            "dst 10.0.0.2:50000",
            "sport = :22 and ( dport = :50000 or dport = :9 )",
            "not not pid = 7",
        ] {
            assert_eq!(judge(named), None, "{named}");
        }
        for vague in [
            "sport = :22",
            "dport gt 1000",
            "dport = :50001",
            "dport != :50000",
            "not dport = :50000",
            "dst 10.0.0.2",
            "pid gt 1",
            "pid != 7",
        ] {
            assert!(judge(vague).is_some(), "{vague}");
        }
    }
}
