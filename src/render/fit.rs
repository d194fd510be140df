//! Fits columns into the width of the terminal: they are shortened and then dropped, but never wrapped.
//!
//! The other end of a connection is dropped first, then the program's arguments, then the middle of addresses, then
//! whole columns by rank. A port, a pid and a queue marked `full` are never truncated ([`super::span`]).

use super::cells::Column;

/// Blanks between two columns.
pub const GAP: usize = 2;

/// A column and the widths at which its content is reduced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Width {
    /// The column.
    pub column: Column,
    /// The width at which nothing is truncated.
    pub natural: usize,
    /// The width without the other ends of connections.
    pub without_other_end: usize,
    /// The minimum width at which no port, pid or queue is truncated.
    pub least: usize,
    /// The same, with names shorter than desirable.
    pub tightest: usize,
    /// Whether a cell needs action. Such a column is dropped after the others, but before a STATE column that
    /// distinguishes rows.
    pub is_alarming: bool,
    /// A hash of the text of its cells, if it is the same in all of them: such a column is the least informative.
    pub same_text: Option<u64>,
}

impl Width {
    /// Returns the widths needed for the cells of both.
    #[must_use]
    pub fn widened(self, other: Self) -> Self {
        Self {
            column: self.column,
            natural: self.natural.max(other.natural),
            without_other_end: self.without_other_end.max(other.without_other_end),
            least: self.least.max(other.least),
            tightest: self.tightest.max(other.tightest),
            is_alarming: self.is_alarming || other.is_alarming,
            same_text: self.same_text.filter(|text| other.same_text == Some(*text)),
        }
    }

    /// A column that may be truncated anywhere.
    #[cfg(test)]
    pub(super) fn plain(column: Column, natural: usize) -> Self {
        Self {
            column,
            natural,
            without_other_end: natural,
            least: natural.min(8),
            tightest: natural.min(8),
            is_alarming: false,
            same_text: None,
        }
    }
}

/// What a column gives up.
#[derive(Clone, Copy)]
enum Give {
    /// The other ends of connections.
    OtherEnd,
    /// Everything beyond this width that may be truncated.
    Beyond(usize),
    /// Everything that may be truncated, leaving names shorter than desirable.
    Tightest,
    /// The whole column, if all its cells are the same.
    SameColumn,
    /// The whole column.
    Column,
    /// The whole column, even if a cell needs action.
    EvenAlarming,
}

/// What is dropped, in this order, while the table is too wide.
const CONCESSIONS: &[(Column, Give)] = &[
    (Column::Process, Give::OtherEnd),
    (Column::Command, Give::Beyond(12)),
    (Column::Command, Give::Column),
    (Column::Cgroup, Give::Beyond(20)),
    (Column::Netns, Give::Beyond(12)),
    (Column::User, Give::Beyond(8)),
    (Column::Process, Give::Beyond(32)),
    (Column::Peer, Give::Beyond(24)),
    (Column::Local, Give::Beyond(24)),
    (Column::User, Give::Column),
    (Column::SynRecv, Give::Column),
    (Column::RecvBuffer, Give::Column),
    (Column::Drops, Give::Column),
    (Column::AcceptQ, Give::Column),
    (Column::Scope, Give::Column),
    (Column::SendQ, Give::Column),
    (Column::RecvQ, Give::Column),
    // Present only if requested.
    (Column::Cookie, Give::Column),
    (Column::Inode, Give::Column),
    (Column::Cgroup, Give::Column),
    (Column::Timer, Give::Column),
    (Column::Peer, Give::Beyond(18)),
    (Column::Local, Give::Beyond(18)),
    (Column::Peer, Give::Beyond(0)),
    (Column::Local, Give::Beyond(0)),
    (Column::Proto, Give::SameColumn),
    (Column::Process, Give::Beyond(0)),
    (Column::State, Give::SameColumn),
    // Most cells of these columns are empty. They must not push out STATE, which may be all that distinguishes rows.
    (Column::SynRecv, Give::EvenAlarming),
    (Column::Drops, Give::EvenAlarming),
    (Column::SendQ, Give::EvenAlarming),
    (Column::RecvQ, Give::EvenAlarming),
    (Column::Scope, Give::EvenAlarming),
    (Column::RecvBuffer, Give::EvenAlarming),
    (Column::AcceptQ, Give::EvenAlarming),
    (Column::Proto, Give::Column),
    (Column::Process, Give::Tightest),
    (Column::State, Give::Column),
    (Column::Peer, Give::Column),
    (Column::State, Give::EvenAlarming),
];

/// Returns the columns that are kept, and their widths, for a terminal of width `limit`. LOCAL and PROCESS are never
/// dropped.
pub fn fit(natural: &[Width], limit: usize) -> Vec<(Column, usize)> {
    let mut columns: Vec<(Width, usize)> = natural.iter().map(|width| (*width, width.natural)).collect();
    for (column, give) in CONCESSIONS {
        let total: usize = columns.iter().map(|(_, width)| width + GAP).sum();
        let excess = total.saturating_sub(GAP).saturating_sub(limit);
        if excess == 0 {
            break;
        }
        let Some(position) = columns.iter().position(|(present, _)| present.column == *column) else {
            continue;
        };
        let Some((of_column, width)) = columns.get_mut(position) else {
            continue;
        };
        let floor = match give {
            Give::OtherEnd => of_column.without_other_end,
            Give::Beyond(floor) => *floor,
            Give::Tightest => of_column.tightest,
            Give::SameColumn if of_column.same_text.is_none() => continue,
            Give::Column if of_column.is_alarming => continue,
            Give::Column | Give::SameColumn | Give::EvenAlarming => {
                columns.remove(position);
                continue;
            }
        };
        let least = match give {
            Give::Tightest => of_column.tightest,
            _ => of_column.least,
        };
        let floor = floor.max(least).min(*width);
        *width = width.saturating_sub(excess).max(floor);
    }
    let mut columns: Vec<(Column, usize)> = columns
        .into_iter()
        .map(|(width, given)| (width.column, given))
        .collect();
    shorten_named(&mut columns, limit);
    columns
}

/// Columns requested by name are kept; the widest are shortened until all fit, down to 8 cells each.
fn shorten_named(columns: &mut [(Column, usize)], limit: usize) {
    const LEAST: usize = 8;
    loop {
        let total: usize = columns.iter().map(|(_, width)| *width + GAP).sum();
        let excess = total.saturating_sub(GAP).saturating_sub(limit);
        let named = columns
            .iter_mut()
            .filter(|(column, width)| matches!(column, Column::Field(_)) && *width > LEAST);
        match named.max_by_key(|(_, width)| *width) {
            Some((_, width)) if excess > 0 => *width -= 1,
            _ => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LISTING: &[(Column, usize)] = &[
        (Column::Proto, 5),
        (Column::Local, 16),
        (Column::Scope, 9),
        (Column::AcceptQ, 8),
        (Column::User, 16),
        (Column::Process, 24),
        (Column::Command, 40),
    ];

    /// Fits columns that may be truncated anywhere.
    fn fit(natural: &[(Column, usize)], limit: usize) -> Vec<(Column, usize)> {
        let natural: Vec<Width> = natural
            .iter()
            .map(|(column, width)| Width::plain(*column, *width))
            .collect();
        super::fit(&natural, limit)
    }

    fn kept(limit: usize) -> Vec<Column> {
        fit(LISTING, limit)
            .into_iter()
            .map(|(column, _)| column)
            .collect()
    }

    #[test]
    fn nothing_is_dropped_if_there_is_room() {
        assert_eq!(fit(LISTING, 130), LISTING);
    }

    #[test]
    fn the_command_line_goes_first_and_local_and_process_stay() {
        use Column::{AcceptQ, Local, Process, Proto, Scope, User};
        assert_eq!(kept(80), [Proto, Local, Scope, AcceptQ, User, Process]);
        assert_eq!(kept(60), [Proto, Local, Scope, Process]);
        assert!(kept(20).contains(&Local) && kept(20).contains(&Process));
        assert!(!kept(20).contains(&User));
    }

    proptest! {
        #[test]
        fn the_result_fits_down_to_thirty_columns(limit in 30usize..200) {
            let total: usize = fit(LISTING, limit).iter().map(|(_, width)| width + GAP).sum();
            prop_assert!(total - GAP <= limit);
        }
    }

    #[test]
    fn the_other_end_is_dropped_first_and_a_full_queue_last() {
        let connections = [
            Width::plain(Column::Proto, 5),
            Width::plain(Column::Local, 20),
            Width {
                is_alarming: true,
                ..Width::plain(Column::AcceptQ, 12)
            },
            Width::plain(Column::Scope, 9),
            Width {
                without_other_end: 13,
                least: 13,
                ..Width::plain(Column::Process, 40)
            },
        ];
        let width_of = |limit, column| {
            let fitted = super::fit(&connections, limit);
            fitted.into_iter().find(|(present, _)| *present == column)
        };
        assert_eq!(width_of(80, Column::Process), Some((Column::Process, 26)));
        assert_eq!(width_of(67, Column::Process), Some((Column::Process, 13)));
        assert_eq!(width_of(60, Column::Scope), None);
        assert_eq!(width_of(60, Column::AcceptQ), Some((Column::AcceptQ, 12)));
        assert_eq!(width_of(30, Column::AcceptQ), None);
        assert_eq!(
            width_of(30, Column::Process),
            Some((Column::Process, 13)),
            "its pid is kept"
        );
    }

    #[test]
    fn a_uniform_column_is_dropped_before_the_protocol_and_that_before_the_state() {
        let with = |same_text| {
            [
                Width {
                    same_text,
                    ..Width::plain(Column::Proto, 5)
                },
                Width::plain(Column::State, 10),
                Width {
                    least: 17,
                    ..Width::plain(Column::Local, 17)
                },
                Width {
                    least: 14,
                    ..Width::plain(Column::Process, 20)
                },
            ]
        };
        let kept = |same_text| -> Vec<Column> {
            let fitted = super::fit(&with(same_text), 46);
            fitted.into_iter().map(|(column, _)| column).collect()
        };
        assert_eq!(kept(Some(1)), [Column::State, Column::Local, Column::Process]);
        assert_eq!(kept(None), [Column::State, Column::Local, Column::Process]);
        let merged = |other| with(Some(1))[0].widened(with(other)[0]).same_text;
        assert_eq!(
            (merged(Some(1)), merged(Some(2)), merged(None)),
            (Some(1), None, None)
        );
    }

    #[test]
    fn a_state_that_distinguishes_rows_is_kept_longer_than_a_full_queue() {
        use Column::{AcceptQ, Local, Process, Proto, State};
        let listing = |same_text| {
            [
                Width::plain(Column::Proto, 5),
                Width {
                    same_text,
                    ..Width::plain(Column::State, 10)
                },
                Width {
                    is_alarming: true,
                    ..Width::plain(Column::AcceptQ, 8)
                },
                Width {
                    least: 15,
                    ..Width::plain(Column::Local, 15)
                },
                Width {
                    least: 14,
                    ..Width::plain(Column::Process, 14)
                },
            ]
        };
        let kept = |same_text, limit| -> Vec<Column> {
            let fitted = super::fit(&listing(same_text), limit);
            fitted.into_iter().map(|(column, _)| column).collect()
        };
        assert_eq!(kept(None, 52), [Proto, State, Local, Process]);
        assert_eq!(kept(Some(1), 52), [Proto, AcceptQ, Local, Process]);
        assert_eq!(kept(None, 45), [State, Local, Process]);
        assert_eq!(kept(None, 31), [Local, Process]);
    }

    #[test]
    fn no_more_is_dropped_than_necessary() {
        let total =
            |columns: &[(Column, usize)]| columns.iter().map(|(_, width)| width + GAP).sum::<usize>() - GAP;
        assert_eq!(total(LISTING), 130);
        let fitted = fit(LISTING, 129);
        assert_eq!(
            (fitted.len(), fitted[6], total(&fitted)),
            (7, (Column::Command, 39), 129)
        );
        // Down to its minimum width, and no wider than before.
        assert_eq!(fit(LISTING, 102)[6], (Column::Command, 12));
        let short = [(Column::Local, 16), (Column::Command, 5)];
        assert_eq!(fit(&short, 22), [(Column::Local, 16)]);
    }

    #[test]
    fn columns_requested_by_name_are_kept_and_share_the_width() {
        use crate::query::field::Field;
        let named = |widths: [usize; 2]| {
            let [one, two] = widths;
            [
                (Column::Field(Field::Path), one),
                (Column::Field(Field::Cgroup), two),
            ]
        };
        assert_eq!(fit(&named([30, 10]), 32), named([20, 10]), "the widest first");
        assert_eq!(fit(&named([30, 30]), 32), named([15, 15]));
        assert_eq!(fit(&named([30, 10]), 5), named([8, 8]), "no narrower");
        assert_eq!(fit(&named([6, 20]), 5), named([6, 8]));
    }
}
