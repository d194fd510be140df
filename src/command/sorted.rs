//! Sorts rows. They are packed as they arrive, so that a million of them fit into memory.

use std::cmp::Ordering;
use std::ops::ControlFlow;

use super::sinks::row;
use crate::engine::Sink;
use crate::model::{Context, Owners, Position, Socket, Stash, State};
use crate::query::sort::{self, SortKey};

/// How many rows are sorted together before they are packed.
const RUN_LENGTH: usize = 4096;

/// Collects rows to sort later; with a small limit, keeps only a few more rows than that.
pub(super) struct Sorter {
    order: Vec<SortKey>,
    limit: usize,
    hide_time_wait: bool,
    /// Rows in time-wait that were left out.
    pub(super) hidden: u64,
    /// Rows received and not left out, including those beyond the limit.
    pub(super) seen: u64,
    pending: Vec<Socket>,
    /// The sorted runs, one after the other.
    packed: Stash,
    /// Where each run begins.
    runs: Vec<Position>,
    /// The position of each row, in order; empty until they are sorted.
    rows: Vec<Position>,
}

impl Sorter {
    pub(super) fn new(order: &[SortKey], limit: Option<usize>, hide_time_wait: bool) -> Self {
        Self {
            order: order.to_vec(),
            limit: limit.unwrap_or(usize::MAX),
            hide_time_wait,
            hidden: 0,
            seen: 0,
            pending: Vec::new(),
            packed: Stash::default(),
            runs: Vec::new(),
            rows: Vec::new(),
        }
    }

    /// Sorts the rows: merges the runs.
    pub(super) fn sort(&mut self, owners: &Owners, context: &Context) {
        self.pack(owners, context);
        let order = |a: &Head, b: &Head| {
            compare(&self.order, &a.socket, &b.socket, owners, context).then(a.run.cmp(&b.run))
        };
        let ends = self.runs.iter().skip(1).copied().chain([self.packed.end()]);
        let runs = self.runs.iter().copied().zip(ends).enumerate();
        let heads = runs.filter_map(|(run, (next, end))| {
            let mut head = Head {
                run,
                socket: Socket::BLANK,
                at: next,
                next,
                end,
            };
            head.advance(&self.packed).then(|| Box::new(head))
        });
        // The smallest one last.
        let mut heads: Vec<Box<Head>> = heads.collect();
        heads.sort_by(|a, b| order(b, a));
        while let Some(mut head) = heads.pop().filter(|_| self.rows.len() < self.limit) {
            self.rows.push(head.at);
            if head.advance(&self.packed) {
                let at = heads.partition_point(|other| order(other, &head).is_gt());
                heads.insert(at, head);
            }
        }
    }

    /// How many rows there are, after they were sorted.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Passes on the rows in order.
    pub(super) fn each(&self, mut take: impl FnMut(&Socket) -> ControlFlow<()>) -> ControlFlow<()> {
        let mut socket = Socket::BLANK;
        for position in &self.rows {
            if self.packed.reader_from(*position).next_into(&mut socket) {
                take(&socket)?;
            }
        }
        ControlFlow::Continue(())
    }

    /// The rows themselves.
    pub(super) fn sockets(&self) -> Vec<Socket> {
        let mut sockets = Vec::with_capacity(self.len());
        let _ = self.each(|socket| {
            sockets.push(socket.clone());
            ControlFlow::Continue(())
        });
        sockets
    }

    /// Packs the pending rows as a sorted run.
    fn pack(&mut self, owners: &Owners, context: &Context) {
        let order = &self.order;
        self.pending.sort_by(|a, b| compare(order, a, b, owners, context));
        self.runs.push(self.packed.end());
        for socket in self.pending.drain(..) {
            self.packed.push(&socket);
        }
    }

    /// Drops pending rows that are beyond the limit.
    fn prune(&mut self, owners: &Owners, context: &Context) {
        let (order, limit) = (&self.order, self.limit);
        if limit == 0 {
            self.pending.clear();
        } else if self.pending.len() > limit {
            self.pending
                .select_nth_unstable_by(limit - 1, |a, b| compare(order, a, b, owners, context));
            self.pending.truncate(limit);
        }
    }
}

/// The first row of a run that is not merged yet.
struct Head {
    run: usize,
    socket: Socket,
    at: Position,
    next: Position,
    end: Position,
}

impl Head {
    /// Reads the next row; returns false at the end of the run.
    fn advance(&mut self, packed: &Stash) -> bool {
        let mut reader = packed.reader_from(self.next);
        if self.next == self.end || !reader.next_into(&mut self.socket) {
            return false;
        }
        self.at = self.next;
        self.next = reader.position();
        true
    }
}

/// The order of `--sort`, or the default one.
fn compare(order: &[SortKey], a: &Socket, b: &Socket, owners: &Owners, context: &Context) -> Ordering {
    if order.is_empty() {
        sort::by_default(a, b)
    } else {
        sort::by_keys(order, &row(a, owners, context), &row(b, owners, context))
    }
}

impl Sink for Sorter {
    fn take(&mut self, sockets: &mut [Socket], owners: &Owners, context: &Context) -> ControlFlow<()> {
        for socket in sockets {
            if self.hide_time_wait && socket.state == State::TimeWait {
                self.hidden += 1;
            } else {
                self.seen += 1;
                self.pending.push(std::mem::replace(socket, Socket::BLANK));
            }
        }
        if self.limit <= RUN_LENGTH {
            // Not at every batch: pruning only this often keeps its cost in proportion to the rows that arrived.
            if self.pending.len() / 2 > self.limit {
                self.prune(owners, context);
            }
        } else if self.pending.len() >= RUN_LENGTH {
            self.pack(owners, context);
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::field::Field;
    use crate::query::samples::{context, tcp};

    /// The ports of `count` rows, in scrambled order.
    fn ports(count: u32) -> Vec<u16> {
        let port = |at: u32| u16::try_from(at * 7919 % 60_000).unwrap();
        (0..count).map(port).collect()
    }

    fn sorted(count: u32, order: &[SortKey], limit: Option<usize>) -> Vec<u16> {
        let (owners, context) = (Owners::not_asked(), context());
        let mut rows = Sorter::new(order, limit, true);
        for batch in ports(count).chunks(250) {
            let mut sockets: Vec<_> = batch
                .iter()
                .map(|port| tcp("10.0.0.1", *port, "10.0.0.2", 80, State::Established))
                .collect();
            sockets.push(tcp("10.0.0.1", 1, "10.0.0.2", 80, State::TimeWait));
            assert!(rows.take(&mut sockets, &owners, &context).is_continue());
        }
        rows.sort(&owners, &context);
        assert_eq!(
            (rows.seen, rows.hidden),
            (count.into(), count.div_ceil(250).into())
        );
        let of = |socket: &Socket| socket.inet().map_or(0, |pair| pair.local_port);
        rows.sockets().iter().map(of).collect()
    }

    #[test]
    fn many_runs_are_merged_in_order() {
        for count in [0, 1, 100, 20_000] {
            let mut expected = ports(count);
            expected.sort_unstable();
            assert_eq!(sorted(count, &[], None), expected, "{count}");
            let descending = SortKey {
                field: Field::LocalPort,
                descending: true,
            };
            expected.reverse();
            assert_eq!(sorted(count, &[descending], None), expected, "{count}");
        }
    }

    #[test]
    fn a_limit_keeps_the_first_rows() {
        let mut expected = ports(20_000);
        expected.sort_unstable();
        for limit in [0, 1, 100, 4096, 4097, 10_000, 30_000] {
            let first = expected.get(..limit).unwrap_or(&expected);
            assert_eq!(sorted(20_000, &[], Some(limit)), first, "{limit}");
        }
    }
}
