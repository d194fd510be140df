//! The output format of a listing, and what must be captured for it.

use super::Place;
use crate::cli::ListArgs;
use crate::model::request::PeerKinds;
use crate::query::field::{Cost, Field};
use crate::query::group::GroupKey;
use crate::render::cells::Column;
use crate::render::form::Form;
use crate::render::lines::Lines;
use crate::render::table::TableView;

/// The output format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Lines, as rows arrive.
    Lines(Lines),
    /// The table for people.
    Table(TableView),
    /// One JSON document with these keys in each row.
    Json(Vec<Field>),
    /// Groups of rows, counted.
    Groups(Grouping),
    /// The process ids of owners.
    Pids,
}

/// The form of whatever a listing, `-s`, `-E` or `-K` prints: the one requested, else the table on a terminal and plain
/// columns elsewhere.
pub fn form(args: &ListArgs, place: &Place) -> Form {
    match (args.json, args.jsonl, args.csv) {
        (true, ..) => Form::Json,
        (_, true, _) => Form::Jsonl,
        (.., true) => Form::Csv,
        _ if args.table || (place.is_terminal && !args.plain) => Form::Table,
        _ => Form::Plain,
    }
}

/// How rows are counted by groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grouping {
    /// What the rows of a group have in common.
    pub keys: Vec<GroupKey>,
    /// The format of groups.
    pub form: Form,
    /// The heading line.
    pub header: bool,
}

impl Output {
    /// Returns the fields that determine what must be captured. Having room for owners is not a request for them.
    pub(super) fn needed_fields(&self) -> Vec<Field> {
        match self {
            Self::Json(fields) | Self::Lines(Lines::Json(fields) | Lines::JsonWithArguments(fields)) => {
                fields.clone()
            }
            Self::Lines(Lines::Csv(columns) | Lines::Blanks(columns)) => columns.fields.clone(),
            Self::Lines(Lines::Ss(_)) | Self::Groups(_) | Self::Pids => Vec::new(),
            Self::Table(view) => {
                let shown = view.columns.iter().flat_map(|column| column.fields().to_vec());
                shown.collect()
            }
        }
    }

    /// Returns the kinds of sockets whose other end is shown. `needs` is what the format requires, `by_name` what the
    /// user named. The other ends of unix sockets come from a table that is read anyway. Those of IP sockets require a
    /// search among all sockets, so they are shown only together with owners.
    pub(super) fn peers(&self, owners: bool, needs: Cost, by_name: Cost) -> PeerKinds {
        let (with_peer_column, with_owner_column) = match self {
            Self::Table(view) => (
                view.columns.contains(&Column::Peer),
                view.columns.contains(&Column::Peer) && view.columns.contains(&Column::Process),
            ),
            _ => (needs.has(Cost::PEERS), owners && needs.has(Cost::PEER_OWNERS)),
        };
        PeerKinds {
            unix: with_peer_column || by_name.has(Cost::PEERS),
            inet: with_owner_column || by_name.has(Cost::PEERS),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_requested_form_wins_over_the_terminal() {
        let named = |set: fn(&mut ListArgs), is_terminal| {
            let mut args = ListArgs::default();
            set(&mut args);
            let place = Place {
                is_terminal,
                ..Place::default()
            };
            form(&args, &place)
        };
        for is_terminal in [true, false] {
            assert_eq!(named(|args| args.json = true, is_terminal), Form::Json);
            assert_eq!(named(|args| args.jsonl = true, is_terminal), Form::Jsonl);
            assert_eq!(named(|args| args.csv = true, is_terminal), Form::Csv);
            assert_eq!(named(|args| args.table = true, is_terminal), Form::Table);
            assert_eq!(named(|args| args.plain = true, is_terminal), Form::Plain);
        }
        assert_eq!(named(|_| {}, true), Form::Table);
        assert_eq!(named(|_| {}, false), Form::Plain);
    }
}
