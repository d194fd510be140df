//! Applies the part of a filter that needs no owners to a socket as it is read.

use crate::model::{Context, Names, Owners, Row, Socket};
use crate::query::{Expr, Match};

/// Returns whether the socket may match, given the names learned so far. `nobody` stands for owners that were not
/// searched for yet. The names move into `context` for the duration of the call, because a row refers to both.
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
