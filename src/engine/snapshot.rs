//! Collects the sockets of some dumps, and their owners on demand, for commands that need all of them at once.

use std::io;
use std::num::NonZeroU32;
use std::ops::ControlFlow;

use super::Request;
use super::join::{Others, needs_owner};
use super::owners::{How, owners_of, scan};
use super::tables::read_tables;
use crate::model::request::{Dump, OwnersBy};
use crate::model::{Gap, Holder, HolderTable, Owners, Socket, Stash};
use crate::source::proc::ProcRoot;

/// Sockets of our own network namespace.
#[derive(Debug)]
pub struct Snapshot {
    /// The sockets, in the kernel's order.
    pub sockets: Vec<Socket>,
    /// Their owners; not searched for until [`Snapshot::find_owners`].
    pub owners: Owners,
    /// How owners were found.
    pub owners_by: How,
    /// What could not be read.
    pub gaps: Vec<Gap>,
    dumps: Vec<Dump>,
}

impl Snapshot {
    /// Reads the sockets of these dumps that are `wanted`. Tables under /proc are not narrowed by a dump's condition,
    /// so `wanted` must check it too.
    pub fn read(dumps: Vec<Dump>, wanted: impl Fn(&Socket) -> bool) -> Self {
        let mut found = Vec::new();
        let gaps = read_tables(&dumps, &mut |sockets| {
            found.extend(sockets.iter().filter(|socket| wanted(socket)).cloned());
            ControlFlow::Continue(())
        });
        Self {
            sockets: found,
            owners: Owners::not_asked(),
            owners_by: How::NotLooked,
            gaps,
            dumps,
        }
    }

    /// The dumps that were read.
    pub fn dumps(&self) -> &[Dump] {
        &self.dumps
    }

    /// Finds the owners of all sockets, and the reasons for missing owners, as a listing does.
    pub fn find_owners(&mut self, by: OwnersBy) {
        let owned = |socket: &Socket| needs_owner(socket.inode, socket.state, socket.backend);
        if !self.sockets.iter().any(owned) {
            self.owners = Owners::new(HolderTable::default(), [].into(), Vec::new());
            return;
        }
        let request = Request {
            dumps: self.dumps.clone(),
            owners: true,
            owners_by: by,
            ..Request::default()
        };
        let mut stash = Stash::default();
        for socket in &self.sockets {
            stash.push(socket);
        }
        match owners_of(&request, &ProcRoot::default(), &stash, &Others::default()) {
            Ok((owners, how)) => (self.owners, self.owners_by) = (owners, how),
            Err(error) => self.gaps.push(Gap::loss(
                "owners-unreadable",
                format!("cannot list /proc: {error}"),
            )),
        }
    }
}

/// Finds the holders of sockets known only by inode, of any protocol.
///
/// # Errors
/// If /proc cannot be listed.
pub fn holders_of(inodes: impl IntoIterator<Item = u32>, by: OwnersBy) -> io::Result<Vec<Holder>> {
    let mut wanted: Vec<u32> = inodes.into_iter().collect();
    wanted.sort_unstable();
    wanted.dedup();
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let request = Request {
        owners: true,
        owners_by: by,
        ..Request::default()
    };
    Ok(scan(&request, &ProcRoot::default(), Some(&wanted))?.walk.holders)
}

/// The inodes of the sockets, without those that have none.
pub fn inodes<'a>(sockets: impl IntoIterator<Item = &'a Socket>) -> impl Iterator<Item = u32> {
    let inodes = sockets.into_iter().filter_map(|socket| socket.inode);
    inodes.map(NonZeroU32::get)
}

#[cfg(test)]
mod tests {
    use super::super::samples::{dump_of, listener, tcp};
    use super::*;
    use crate::model::gap::is_complete;
    use crate::model::{OwnerStatus, State};
    use crate::source::proc::holders::Walk;
    use crate::source::tape::format::{Kind, Record};
    use crate::source::tape::testing::{record, replaying};

    fn holder(inode: u32, pid: u32) -> Holder {
        Holder {
            inode,
            pid,
            fd: 3,
            tid: 0,
        }
    }

    /// Listeners on 80 and 81, and one that no longer has an inode; process 7 holds the first.
    fn machine() -> Vec<Record> {
        let walk: io::Result<Walk> = Ok(Walk {
            holders: vec![holder(80, 7), holder(99, 9)],
            ..Walk::default()
        });
        let closed = super::super::samples::TcpSocket {
            inode: 0,
            ..listener(82)
        };
        vec![
            dump_of(&[listener(80), listener(81), closed], true),
            record(Kind::Walk, "the walk", &walk),
        ]
    }

    fn read(ports: &[u16]) -> Snapshot {
        Snapshot::read(vec![tcp(&[State::Listen])], |socket| {
            socket.inet().is_some_and(|pair| ports.contains(&pair.local_port))
        })
    }

    #[test]
    fn only_wanted_sockets_are_kept_and_owners_are_not_searched_unasked() {
        let snapshot = replaying(machine(), || read(&[81, 82]));
        assert_eq!(inodes(&snapshot.sockets).collect::<Vec<_>>(), [81]);
        assert_eq!((snapshot.sockets.len(), snapshot.dumps().len()), (2, 1));
        assert_eq!(snapshot.owners_by, How::NotLooked);
        assert!(is_complete(&snapshot.gaps));
    }

    #[test]
    fn owners_are_those_of_a_listing() {
        let snapshot = replaying(machine(), || {
            let mut snapshot = read(&[80, 81]);
            snapshot.find_owners(OwnersBy::Proc);
            snapshot
        });
        let owned = snapshot.owners.of(&snapshot.sockets[0]);
        assert_eq!((owned.status, owned.holders[0].pid), (OwnerStatus::Known, 7));
        let other = snapshot.owners.of(&snapshot.sockets[1]);
        assert!(other.holders.is_empty() && other.status != OwnerStatus::NotAsked);
        assert_eq!(snapshot.owners_by, How::Walk("requested".to_owned()));
        assert!(snapshot.owners.holders().of(99).is_empty(), "not one of ours");
    }

    #[test]
    fn no_process_is_read_for_sockets_that_have_no_owner() {
        let snapshot = replaying(machine(), || {
            let mut snapshot = read(&[82]);
            snapshot.find_owners(OwnersBy::Proc);
            snapshot
        });
        assert_eq!(snapshot.owners_by, How::NotLooked);
        let status = snapshot.owners.of(&snapshot.sockets[0]).status;
        assert_ne!(status, OwnerStatus::NotAsked);
    }

    #[test]
    fn a_missing_dump_leaves_the_snapshot_incomplete() {
        assert!(!is_complete(&replaying(vec![], || read(&[80])).gaps));
    }

    #[test]
    fn holders_are_found_by_inodes_in_any_order() {
        let found = replaying(machine(), || holders_of([99, 80, 99, 5], OwnersBy::Proc).unwrap());
        assert_eq!(found, [holder(80, 7), holder(99, 9)]);
        let found = replaying(machine(), || holders_of([], OwnersBy::Proc).unwrap());
        assert_eq!(found, []);
    }
}
