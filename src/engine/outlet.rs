//! Passes rows that match the filter to a sink, and counts them by owner status.

use std::ops::ControlFlow;

use super::Sink;
use crate::model::{Context, Owners, Row};
use crate::model::{OwnerStatus, Position, Socket, Stash};
use crate::query::{Expr, Match};

/// How many sockets of a stash are passed to a sink at a time.
const BATCH: usize = 256;

/// A sink, and how far it has got.
pub(super) struct Outlet<'a, S> {
    sink: S,
    filter: Option<&'a Expr>,
    counts: Counts,
    batch: Vec<Socket>,
    /// How far the stash has been passed on.
    position: Position,
    /// The sink accepts no more rows.
    over: bool,
}

/// Counts of the rows that were considered.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    /// The number of rows passed on per [`OwnerStatus`], in the order of [`OwnerStatus::ALL`].
    pub(super) by_status: [u64; OwnerStatus::ALL.len()],
    /// The number of rows that the filter could not decide because not all of their owners are known, in the same
    /// order.
    pub(super) undecided: [u64; OwnerStatus::ALL.len()],
}

impl<'a, S: Sink> Outlet<'a, S> {
    pub(super) fn new(sink: S, filter: Option<&'a Expr>) -> Self {
        Self {
            sink,
            filter,
            counts: Counts::default(),
            batch: Vec::new(),
            position: Position::default(),
            over: false,
        }
    }

    /// Returns the sink and the counts.
    pub(super) fn into_parts(self) -> (S, Counts) {
        (self.sink, self.counts)
    }

    /// Returns whether every row of the stash was passed on, or no more are wanted.
    pub(super) fn is_done(&self, stash: &Stash) -> bool {
        self.over || self.position == stash.end()
    }

    /// Passes on the rest of a stash.
    pub(super) fn pour(&mut self, stash: &Stash, owners: &Owners, context: &Context) {
        while !self.is_done(stash) {
            let _ = self.pour_some(stash, owners, context, |_| true);
        }
    }

    /// Passes on the next rows of a stash, as long as it is known who holds them, or that nobody does: at most twice as
    /// many as usually arrive at a time. Returns `Break` when the sink accepts no more.
    pub(super) fn pour_known(
        &mut self,
        stash: &Stash,
        owners: &Owners,
        context: &Context,
    ) -> ControlFlow<()> {
        let is_known = |inode: u32| !owners.holders().of(inode).is_empty();
        self.pour_some(stash, owners, context, is_known)?;
        self.pour_some(stash, owners, context, is_known)
    }

    /// Passes on a batch, up to the first row whose inode is not accepted.
    fn pour_some(
        &mut self,
        stash: &Stash,
        owners: &Owners,
        context: &Context,
        passes: impl Fn(u32) -> bool,
    ) -> ControlFlow<()> {
        let mut batch = std::mem::take(&mut self.batch);
        batch.resize(BATCH.min(stash.len()), Socket::BLANK);
        let mut reader = stash.reader_from(self.position);
        let mut filled = 0;
        for slot in &mut batch {
            let inode = reader.next_inode();
            if inode.is_some_and(|inode| !passes(inode.get())) || !reader.next_into(slot) {
                break;
            }
            filled += 1;
        }
        self.position = reader.position();
        let flow = self.hand(batch.get_mut(..filled).unwrap_or_default(), owners, context);
        self.batch = batch;
        flow
    }

    /// Moves the wanted sockets to the front, keeping their order, and passes them to the sink.
    pub(super) fn hand(
        &mut self,
        sockets: &mut [Socket],
        owners: &Owners,
        context: &Context,
    ) -> ControlFlow<()> {
        let mut kept = 0;
        for index in 0..sockets.len() {
            let Some(socket) = sockets.get(index) else { break };
            let ownership = owners.of(socket);
            if let Some(filter) = self.filter {
                match filter.matches(&Row {
                    socket,
                    ownership,
                    context,
                }) {
                    Match::Yes => {}
                    Match::No => continue,
                    Match::OwnersUnknown => {
                        self.counts.undecided[ownership.status as usize] += 1;
                        continue;
                    }
                }
            }
            self.counts.by_status[ownership.status as usize] += 1;
            if kept != index {
                sockets.swap(kept, index);
            }
            kept += 1;
        }
        let flow = match sockets.get_mut(..kept) {
            Some(wanted) if kept > 0 => self.sink.take(wanted, owners, context),
            _ => ControlFlow::Continue(()),
        };
        self.over |= flow.is_break();
        flow
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::num::NonZeroU32;

    use super::*;
    use crate::model::ownership::Unseen;
    use crate::model::{Holder, HolderTable, State};
    use crate::query::samples::tcp;
    use crate::query::{Mode, parse};

    /// A sink that keeps up to a given number of ports.
    struct Ports(Vec<u16>, usize);

    impl Sink for Ports {
        fn take(&mut self, sockets: &mut [Socket], _: &Owners, _: &Context) -> ControlFlow<()> {
            self.0.extend(
                sockets
                    .iter()
                    .filter_map(|socket| Some(socket.inet()?.local_port)),
            );
            if self.0.len() < self.1 {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        }
    }

    /// Listeners on these ports; the inode is the port number. 0 stands for a connection without an inode.
    fn rows(ports: impl IntoIterator<Item = u16>) -> Stash {
        let mut stash = Stash::default();
        for port in ports {
            stash.push(&Socket {
                inode: NonZeroU32::new(port.into()),
                ..tcp("::", port, "::", 0, State::Listen)
            });
        }
        stash
    }

    fn held(inodes: &[u32], why: &[(u32, OwnerStatus)]) -> Owners {
        let holders = inodes.iter().map(|inode| Holder {
            inode: *inode,
            pid: 812,
            fd: 3,
            tid: 0,
        });
        let why: BTreeMap<_, _> = why.iter().copied().collect();
        Owners::new(HolderTable::new(holders.collect()), why, Vec::new())
    }

    #[test]
    fn with_hidden_owners_only_a_negated_condition_is_undecided() {
        let matched = |word: &str, unseen: Unseen| {
            let filter = parse(&[word.to_owned()], Mode::List).unwrap().expr;
            let mut outlet = outlet(filter.as_ref());
            let owners = held(&[1], &[]).with_unseen(unseen);
            outlet.pour(&rows([1]), &owners, &Context::default());
            let (sink, counts) = outlet.into_parts();
            (sink.0.len(), counts.undecided[OwnerStatus::Known as usize])
        };
        let refused = Unseen {
            processes_refused: 1,
            ..Unseen::default()
        };
        assert_eq!(matched("pid = 812", refused), (1, 0));
        assert_eq!(matched("pid = 7", refused), (0, 0));
        assert_eq!(matched("not pid = 7", refused), (0, 1));
        assert_eq!(matched("pid != 7", refused), (0, 1));
        assert_eq!(matched("not pid = 812", refused), (0, 0));
        assert_eq!(matched("not not pid = 812", refused), (1, 0));
        assert_eq!(matched("not pid = 7", Unseen::default()), (1, 0));
    }

    fn outlet(filter: Option<&Expr>) -> Outlet<'_, Ports> {
        Outlet::new(Ports(Vec::new(), usize::MAX), filter)
    }

    #[test]
    fn rows_wait_behind_the_first_row_with_an_unknown_holder() {
        let stash = rows([1, 2, 0, 3, 4]);
        let mut outlet = outlet(None);
        let context = Context::default();
        let _ = outlet.pour_known(&stash, &held(&[1, 2, 4], &[]), &context);
        assert_eq!(outlet.sink.0, [1, 2, 0], "a row without an inode does not wait");
        assert!(!outlet.is_done(&stash));
        outlet.pour(&stash, &held(&[1, 2, 4], &[(3, OwnerStatus::Hidden)]), &context);
        assert!(outlet.is_done(&stash));
        let (sink, counts) = outlet.into_parts();
        assert_eq!(sink.0, [1, 2, 0, 3, 4]);
        assert_eq!(counts.by_status[OwnerStatus::Known as usize], 3);
        assert_eq!(counts.by_status[OwnerStatus::Hidden as usize], 1);
    }

    #[test]
    fn a_long_stash_is_passed_on_completely_and_in_order() {
        let ports = 1..=u16::try_from(BATCH * 3 + 7).unwrap();
        let stash = rows(ports.clone());
        let mut outlet = outlet(None);
        outlet.pour(&stash, &Owners::not_asked(), &Context::default());
        assert_eq!(outlet.sink.0, ports.collect::<Vec<_>>());
    }

    #[test]
    fn a_sink_that_returns_break_gets_no_more_rows() {
        let stash = rows(1..=u16::try_from(BATCH * 2).unwrap());
        let mut outlet = Outlet::new(Ports(Vec::new(), 1), None);
        outlet.pour(&stash, &Owners::not_asked(), &Context::default());
        assert!(outlet.is_done(&stash));
        assert_eq!(outlet.sink.0.len(), BATCH);
    }

    #[test]
    fn rows_that_the_filter_cannot_decide_are_counted_and_left_out() {
        let words = ["pid = 812".to_owned()];
        let filter = parse(&words, Mode::List).unwrap().expr;
        let mut outlet = outlet(filter.as_ref());
        let owners = held(&[1], &[(2, OwnerStatus::Hidden)]);
        outlet.pour(&rows([1, 2]), &owners, &Context::default());
        let (sink, counts) = outlet.into_parts();
        assert_eq!((sink.0, counts.undecided.iter().sum::<u64>()), (vec![1], 1));
    }
}
