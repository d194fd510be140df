//! The part of a filter that needs no owners, asked as a socket is read.

use crate::model::{Context, Names, Owners, Row, Socket};
use crate::query::{Expr, Match};

/// Returns whether the socket may match, by the names learned so far. `nobody` stands for owners that were not searched
/// yet. The names are lent to `context` meanwhile, because a row refers to both.
pub(super) fn may_match(
    filter: Option<&Expr>,
    socket: &Socket,
    nobody: &Owners,
    context: &mut Context,
    names: &mut Names,
) -> bool {
    let Some(filter) = filter else { return true };
    std::mem::swap(&mut context.names, names);
    let row = Row {
        socket,
        ownership: nobody.of(socket),
        context,
    };
    let matched = filter.matches(&row);
    std::mem::swap(&mut context.names, names);
    matched != Match::No
}
