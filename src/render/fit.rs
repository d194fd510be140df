//! Fits columns into the width of the terminal: by rank they are shortened, then dropped, never wrapped.

use super::cells::Column;

/// Blanks between two columns.
pub const GAP: usize = 2;

/// What a column gives up, in this order, while the table is too wide: shortened to the width, or dropped at 0.
const CONCESSIONS: &[(Column, usize)] = &[
    (Column::Command, 12),
    (Column::Command, 0),
    (Column::Cgroup, 20),
    (Column::Netns, 12),
    (Column::User, 8),
    (Column::Process, 32),
    (Column::User, 0),
    (Column::SynRecv, 0),
    (Column::RecvBuffer, 0),
    (Column::Drops, 0),
    (Column::AcceptQ, 0),
    (Column::Scope, 0),
    (Column::SendQ, 0),
    (Column::RecvQ, 0),
    // These are there only for those who ask for them.
    (Column::Cookie, 0),
    (Column::Inode, 0),
    (Column::Cgroup, 0),
    (Column::Timer, 0),
    (Column::Peer, 14),
    (Column::Process, 14),
    (Column::Local, 14),
    (Column::State, 0),
    (Column::Proto, 0),
    (Column::Peer, 0),
];

/// The columns that stay and their widths, for a terminal of `limit` columns. `natural` holds each column with
/// the width that it would like. LOCAL and PROCESS are never dropped.
pub fn fit(natural: &[(Column, usize)], limit: usize) -> Vec<(Column, usize)> {
    let mut columns = natural.to_vec();
    for (column, least) in CONCESSIONS {
        let total: usize = columns.iter().map(|(_, width)| width + GAP).sum();
        let excess = total.saturating_sub(GAP).saturating_sub(limit);
        if excess == 0 {
            break;
        }
        let Some(position) = columns.iter().position(|(present, _)| present == column) else {
            continue;
        };
        if *least == 0 {
            columns.remove(position);
        } else if let Some((_, width)) = columns.get_mut(position) {
            *width = width.saturating_sub(excess).max((*least).min(*width));
        }
    }
    shorten_named(&mut columns, limit);
    columns
}

/// Columns that were asked for by name stay; the widest of them are shortened until all fit, down to 8 each.
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

    fn kept(limit: usize) -> Vec<Column> {
        fit(LISTING, limit)
            .into_iter()
            .map(|(column, _)| column)
            .collect()
    }

    #[test]
    fn nothing_is_given_up_where_there_is_room() {
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
    fn no_more_is_given_up_than_is_too_much() {
        let total =
            |columns: &[(Column, usize)]| columns.iter().map(|(_, width)| width + GAP).sum::<usize>() - GAP;
        assert_eq!(total(LISTING), 130);
        let fitted = fit(LISTING, 129);
        assert_eq!(
            (fitted.len(), fitted[6], total(&fitted)),
            (7, (Column::Command, 39), 129)
        );
        // Down to its least width, and no wider than it was.
        assert_eq!(fit(LISTING, 102)[6], (Column::Command, 12));
        let short = [(Column::Local, 16), (Column::Command, 5)];
        assert_eq!(fit(&short, 22), [(Column::Local, 16)]);
    }

    #[test]
    fn columns_that_were_named_stay_and_share_what_there_is() {
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
