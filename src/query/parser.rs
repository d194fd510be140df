//! Parses filter words into a tree and its selection of states and protocols.

use std::sync::Arc;

use super::error::FilterError;
use super::expr::{Expr, Predicate, ProtocolSet};
use super::field::Field;
use super::mode::Mode;
use super::{grammar, pushdown};
use crate::model::StateSet;

/// Maximum length of a filter, in bytes.
pub const MAX_LENGTH: usize = 1 << 20;

const EMPTY: &str = "the filter is empty";
const EMPTY_HINT: &str = "give a port, a program or another condition (is a variable unset?)";

/// A parsed filter.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// The filter as one text, to which the spans of errors refer.
    pub text: Arc<str>,
    /// The states it selects, if it mentions states: they replace the options' selection.
    pub states: Option<StateSet>,
    /// The protocols that can match, if it mentions protocols, families or unix names.
    pub protocols: Option<ProtocolSet>,
    /// The remaining condition; `None` for none.
    pub expr: Option<Expr>,
    /// Bare words taken as program names: when no row matches, one of them may be a misspelt subcommand or field.
    pub words: Vec<String>,
    /// Whether a bare word is a state: `listen`, where ss would have `state listening`.
    pub has_bare_state: bool,
}

/// Parses a filter from the words of a command line (or the lines of a file), in order.
///
/// # Errors
/// What is wrong, where, and what was expected. A filter of only empty words is an error; in [`Mode::Kill`] so is one
/// that excludes nothing, because every match is terminated or closed.
pub fn parse(words: &[String], mode: Mode) -> Result<Parsed, FilterError> {
    let text: Arc<str> = words.join(" ").into();
    if text.len() > MAX_LENGTH {
        return Err(FilterError::new(
            &text,
            0..1,
            "the filter is longer than 1 MiB",
            "",
        ));
    }
    let is_blank = text.trim().is_empty();
    // An empty word comes from an unset variable; a listing without words means everything.
    if is_blank && (mode == Mode::Kill || words.iter().any(|word| word.trim().is_empty())) {
        return Err(FilterError::new(&text, 0..text.len(), EMPTY, EMPTY_HINT));
    }
    let (expr, words) = grammar::read(&text, mode)?;
    let (states, expr) = take_states(expr, &text)?;
    let protocols = names_protocols(&expr).then(|| pushdown::protocols(&expr));
    let expr = match expr {
        Expr::Constant(true) => None,
        expr => Some(expr),
    };
    // The tree decides, not the words: a filter without a condition must never terminate or close anything.
    if mode == Mode::Kill && expr.is_none() && states.is_none() {
        return Err(FilterError::new(
            &text,
            0..text.len(),
            "the filter matches every socket",
            EMPTY_HINT,
        ));
    }
    Ok(Parsed {
        text,
        states,
        protocols,
        expr,
        words: words.programs,
        has_bare_state: words.has_state,
    })
}

/// Extracts the state words that always apply from the tree.
fn take_states(expr: Expr, text: &str) -> Result<(Option<StateSet>, Expr), FilterError> {
    let about_states = |it: &Predicate| matches!(it, Predicate::States(_) | Predicate::Text(Field::State, _));
    if !expr.any(about_states) {
        return Ok((None, expr));
    }
    let states = pushdown::states(&expr);
    if states.is_empty() {
        return Err(FilterError::new(
            text,
            0..text.len(),
            "the filter leaves no state",
            "",
        ));
    }
    let parts = match expr {
        Expr::And(parts) => parts,
        single => vec![single],
    };
    let rest = parts
        .into_iter()
        .filter(|part| !matches!(part, Expr::Is(Predicate::States(_))));
    Ok((Some(states), Expr::and(rest)))
}

fn names_protocols(expr: &Expr) -> bool {
    expr.any(|predicate| match predicate {
        Predicate::Protocols(_) => true,
        Predicate::Word(field, _)
        | Predicate::Text(field, _)
        | Predicate::Has(field)
        | Predicate::Number(field, _) => {
            matches!(
                field,
                Field::Family | Field::Protocol | Field::Path | Field::PeerPath | Field::PeerInode
            ) || field.only_of().is_some()
        }
        _ => false,
    })
}
