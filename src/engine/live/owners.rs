//! Finds owners between looks: only those of new sockets, the cheapest way first.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use super::{Around, Scope};
use crate::engine::{Captured, Request, around_all, around_found};
use crate::model::ownership::Unseen;
use crate::model::{Context, Holder, HolderTable, Listener, Names, OwnerStatus, Owners, Socket, Store};
use crate::source::threads;

/// How many closed sockets keep their holders, for events and for looks of the last few minutes.
const GONE_MAX: usize = 10_000;
/// How many recent holders are remembered.
const RECENT_MAX: usize = 16;

/// What the searches have found so far.
///
/// The owner of a new socket is searched first among the holders of its listener and the processes that opened sockets
/// most recently, then among all processes. A socket without an owner may have been closed meanwhile; if the next look
/// still finds it, a thorough search determines why it has none. Everything else is searched again only when owners may
/// be outdated.
#[derive(Debug)]
pub(super) struct Search {
    /// Inodes without a holder, and why.
    left_over: BTreeMap<u32, OwnerStatus>,
    /// Inodes whose holder one search did not find.
    missed: BTreeSet<u32>,
    /// Whether the owners may be outdated.
    pub(super) is_outdated: bool,
    listeners: Vec<Listener>,
    /// Processes that held the newest sockets, the most recent last.
    recent: Vec<u32>,
    unseen: Unseen,
    around: Arc<Around>,
}

impl Search {
    pub(super) fn new(context: Context) -> Self {
        let owners = Owners::not_asked();
        Self {
            left_over: BTreeMap::new(),
            missed: BTreeSet::new(),
            is_outdated: true,
            listeners: Vec::new(),
            recent: Vec::new(),
            unseen: Unseen::default(),
            around: Arc::new(Around { owners, context }),
        }
    }

    /// The owners and names found so far.
    pub(super) fn around(&self) -> Arc<Around> {
        Arc::clone(&self.around)
    }

    /// Makes the next search cover everything if the holder of a socket that waits for connections or datagrams has ended:
    /// the socket is still there, so another program holds it, which may have had it all the time.
    pub(super) fn notice_ended_holders(&mut self, sockets: &Store, is_running: impl Fn(u32) -> bool) {
        let mut pids = BTreeSet::new();
        let mut slot = Socket::BLANK;
        let waiting = sockets
            .keys()
            .filter(|((protocol, _), state)| Scope::Waiting.covers(*protocol, *state));
        for (key, _) in waiting {
            if sockets.read(key, &mut slot) {
                let holders = self.around.owners.of(&slot).holders;
                pids.extend(holders.iter().map(|holder| holder.pid));
            }
        }
        self.is_outdated |= !pids.into_iter().all(is_running);
    }

    /// Finds owners for the sockets that have none yet. Returns the processor time that this took, `None` if there were
    /// no such sockets. `is_there` tells whether a socket still exists.
    ///
    /// # Errors
    /// If /proc cannot be listed.
    pub(super) fn find(
        &mut self,
        request: &Request,
        names: &Names,
        sockets: &Store,
        scope: Scope,
        is_there: impl FnMut(&Socket) -> bool,
    ) -> io::Result<Option<Duration>> {
        let begun = threads::cpu_time();
        // Only a look at everything shows which sockets are gone.
        let everything = self.is_outdated && scope == Scope::All;
        let mut missed = BTreeSet::new();
        let (mut new, mut again) = (Store::default(), Store::default());
        let (mut listeners, mut likely) = (Vec::new(), BTreeSet::new());
        let known = Arc::clone(&self.around);
        let known = &known.owners;
        sockets.each(|socket| {
            listeners.extend(Listener::of(socket));
            let Some(inode) = socket.inode.map(NonZeroU32::get) else {
                return;
            };
            let is_known = !known.holders().of(inode).is_empty() || self.left_over.contains_key(&inode);
            if socket.is_of_kernel() || (is_known && !everything) {
                return;
            }
            if everything {
                missed.extend(self.missed.get(&inode));
                return;
            }
            // Most new sockets are connections to a listener.
            likely.extend(known.at_port_of(socket).map(|holder| holder.pid));
            if self.missed.contains(&inode) {
                missed.insert(inode);
                again.insert(socket);
            } else {
                new.insert(socket);
            }
        });
        if scope == Scope::All {
            self.missed = missed;
        }
        listeners.sort_unstable();
        if !everything
            && new.is_empty()
            && again.is_empty()
            && listeners == self.listeners
            && known.is_asked()
        {
            return Ok(None);
        }
        self.listeners = listeners;
        let request = Request {
            filter: None,
            ..request.clone()
        };
        let mut found = Vec::new();
        if !new.is_empty() {
            likely.extend(&self.recent);
            let likely: Vec<u32> = likely.into_iter().collect();
            let captured = around_found(&request, &new, &likely, is_there)?;
            self.remember(captured.owners.holders().all());
            found.push((captured, &new));
        }
        if !again.is_empty() || everything {
            let asked = if everything { sockets } else { &again };
            let thorough = around_all(&request, asked)?;
            self.unseen = thorough.owners.unseen();
            found.push((thorough, asked));
        }
        self.add(found, names, sockets, scope, everything);
        self.is_outdated &= !everything;
        let cost = threads::cpu_time().saturating_sub(begun);
        Ok(Some(cost))
    }

    /// The processes that opened the last sockets are likely to open the next.
    fn remember(&mut self, holders: &[Holder]) {
        for holder in holders {
            self.recent.retain(|pid| *pid != holder.pid);
            self.recent.push(holder.pid);
        }
        let excess = self.recent.len().saturating_sub(RECENT_MAX);
        self.recent.drain(..excess);
    }

    /// Adds the results of a search.
    fn add(
        &mut self,
        found: Vec<(Captured, &Store)>,
        names: &Names,
        sockets: &Store,
        scope: Scope,
        everything: bool,
    ) {
        let mut context = self.around.context.clone();
        if everything {
            self.left_over.clear();
        }
        let known = self.around.owners.holders().all();
        let is_long = scope == Scope::All && known.len() > sockets.len() * 2 + GONE_MAX;
        let kept = (everything || is_long).then(|| {
            let mut present = BTreeSet::new();
            sockets.each(|socket| present.extend(socket.inode.map(NonZeroU32::get)));
            self.left_over.retain(|inode, _| present.contains(inode));
            // Inode numbers increase: the sockets that closed last have the highest.
            let mut gone = 0;
            let is_kept = |holder: &&Holder| {
                if present.contains(&holder.inode) {
                    return !everything;
                }
                gone += 1;
                gone <= GONE_MAX
            };
            let kept: Vec<Holder> = known.iter().rev().filter(is_kept).copied().collect();
            let pids: BTreeSet<u32> = kept.iter().map(|holder| holder.pid).collect();
            context.processes.retain(|pid, _| pids.contains(pid));
            kept
        });
        let mut fresh = Vec::new();
        for (captured, asked) in found {
            asked.each(|socket| {
                if socket.is_of_kernel() {
                    return;
                }
                let Some(inode) = socket.inode.map(NonZeroU32::get) else {
                    return;
                };
                let ownership = captured.owners.of(socket);
                self.missed.remove(&inode);
                match ownership.status {
                    // It may have been closed between two reads, or be found next time.
                    OwnerStatus::Unknown => drop(self.missed.insert(inode)),
                    _ if !ownership.holders.is_empty() => {}
                    status => drop(self.left_over.insert(inode, status)),
                }
            });
            context.processes.extend(captured.context.processes);
            context.names.users.extend(captured.context.names.users);
            context.names.homes.extend(captured.context.names.homes);
            let mut holders = captured.owners.into_holders().into_all();
            if fresh.is_empty() {
                fresh = holders;
            } else {
                fresh.append(&mut holders);
            }
        }
        context.names.interfaces.clone_from(&names.interfaces);
        let users = names.users.iter();
        context
            .names
            .users
            .extend(users.map(|(uid, name)| (*uid, name.clone())));
        let holders = match kept {
            Some(mut kept) => {
                fresh.append(&mut kept);
                HolderTable::new(fresh)
            }
            None => self.around.owners.holders().with(fresh),
        };
        self.around = Arc::new(Around {
            owners: Owners::new(holders, self.left_over.clone(), self.listeners.clone())
                .with_unseen(self.unseen),
            context,
        });
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;

    use super::*;
    use crate::engine::samples::tcp as dump;
    use crate::model::State;
    use crate::query::samples::tcp;
    use crate::source::proc::holders::Walk;
    use crate::source::tape::format::Kind;
    use crate::source::tape::testing::{record, replaying};

    /// A connection whose inode and cookie are its peer's port.
    fn connection(port: u16) -> Socket {
        Socket {
            cookie: NonZeroU64::new(port.into()),
            inode: NonZeroU32::new(port.into()),
            ..tcp("127.0.0.1", 80, "127.0.0.2", port, State::Established)
        }
    }

    #[test]
    fn a_listener_whose_holder_ended_has_another_one() {
        let holder = |(inode, pid)| Holder {
            inode,
            pid,
            fd: 3,
            tid: 0,
        };
        let holders = HolderTable::new([(1000, 7), (1001, 8), (1001, 9)].map(holder).to_vec());
        let mut search = Search::new(Context::default());
        search.is_outdated = false;
        search.around = Arc::new(Around {
            owners: Owners::new(holders, BTreeMap::new(), Vec::new()),
            context: Context::default(),
        });
        let listener = Socket {
            state: State::Listen,
            ..connection(1001)
        };
        let sockets = Store::of([&connection(1000), &listener]);
        search.notice_ended_holders(&sockets, |pid| pid != 7);
        assert!(!search.is_outdated, "connections are not looked at");
        search.notice_ended_holders(&sockets, |pid| pid != 9);
        assert!(search.is_outdated);
    }

    #[test]
    fn only_new_sockets_are_searched_until_owners_may_be_outdated() {
        let holder = |(inode, pid)| Holder {
            inode,
            pid,
            fd: 3,
            tid: 0,
        };
        let walk: io::Result<Walk> = Ok(Walk {
            holders: [(1000, 7), (1001, 7), (1002, 8)].map(holder).to_vec(),
            processes: 2,
            ..Walk::default()
        });
        let tape = vec![
            record(Kind::Fact, "owners", &true),
            record(Kind::Walk, "any", &walk),
        ];
        replaying(tape, || {
            let request = Request {
                owners: true,
                dumps: vec![dump(&[State::Established])],
                ..Request::default()
            };
            let mut search = Search::new(Context::default());
            let names = Names::default();
            let mut find = |ports: &[u16], outdated: bool| {
                search.is_outdated |= outdated;
                let sockets: Vec<Socket> = ports.iter().map(|port| connection(*port)).collect();
                let sockets = Store::of(&sockets);
                let searched = search.find(&request, &names, &sockets, Scope::All, |_| true);
                let around = search.around();
                let pid = |port| {
                    around
                        .owners
                        .of(&connection(port))
                        .holders
                        .first()
                        .map(|one| one.pid)
                };
                (searched.unwrap().is_some(), [1000, 1001, 1002, 1003].map(pid))
            };
            assert_eq!(find(&[1000, 1001], false), (true, [Some(7), Some(7), None, None]));
            assert!(!find(&[1000, 1001], false).0, "all are known");
            assert_eq!(
                find(&[1000, 1002], false),
                (true, [Some(7), Some(7), Some(8), None])
            );
            let (searched, pids) = find(&[1000, 1002, 1003], false);
            assert!(searched && pids[3].is_none());
            assert!(
                find(&[1000, 1002, 1003], false).0,
                "one that was not found is looked up again"
            );
            let (searched, pids) = find(&[1000], true);
            assert!(searched);
            assert_eq!(
                pids,
                [Some(7), Some(7), Some(8), None],
                "the holders of a closed socket are kept"
            );
        });
    }
}
