//! From filter words to what they ask for: a tree, and what it says about the selection of states and protocols.

use std::sync::Arc;

use super::error::FilterError;
use super::expr::{Expr, Predicate, ProtocolSet};
use super::field::Field;
use super::mode::Mode;
use super::{grammar, pushdown};
use crate::model::StateSet;

/// The longest filter, in bytes.
pub const MAX_LENGTH: usize = 1 << 20;

const EMPTY: &str = "the filter is empty";
const EMPTY_HINT: &str = "give a port, a program or another condition (is a variable unset?)";

/// A filter that was understood.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// The filter as one text, to which the spans of errors refer.
    pub text: Arc<str>,
    /// The states it asks for, when it says something about states: they replace the selection made by options.
    pub states: Option<StateSet>,
    /// The protocols that can match, when it says something about protocols, families or unix names.
    pub protocols: Option<ProtocolSet>,
    /// What else has to hold; `None` for everything.
    pub expr: Option<Expr>,
    /// Bare words that were taken as names of programs: when no row matches, one of them may be a misspelt
    /// subcommand or field.
    pub words: Vec<String>,
}

/// Reads a filter from the words of a command line (or the lines of a file), in order.
///
/// # Errors
/// What is wrong, where, and what was expected. A filter of empty words is an error; in [`Mode::Kill`] so is one
/// that leaves nothing out, because each match is ended or closed.
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
    // A word that is empty comes from a variable that is not set; without any word a listing means everything.
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
    // The tree decides, not the words: nothing may be ended or closed by a filter that asks for nothing.
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
        words,
    })
}

/// Takes the state words that always have to hold out of the tree.
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
