//! One language for fields: columns, JSON keys and filters all name facts as [`field`] does.
//!
//! A filter goes from words to a tree ([`parse`]), gets its names from outside ([`Expr::names`],
//! [`Expr::resolve`]), is split into what the kernel can drop and the rest ([`pushdown()`]), and is asked about
//! rows ([`Expr::matches`]). All of it is pure: no look-ups, no clock, no printing.

mod address;
pub mod condition;
pub mod error;
mod eval;
pub mod expr;
pub mod field;
mod lexer;
pub mod names;
pub mod nearest;
mod number;
mod operand;
mod parser;
pub mod pattern;
pub mod prefix;
pub mod pushdown;
pub mod ranges;
pub mod sort;
mod subject;
mod vocabulary;
mod word;

pub use error::FilterError;
pub use eval::Match;
pub use expr::{Expr, Predicate, ProtocolSet};
pub use names::{NamesFound, NamesWanted};
pub use parser::{Mode, Parsed, parse};
pub use subject::{field_names, nearest_field};
