//! One language for fields: columns, JSON keys and filters use the same names, those of [`field`].
//!
//! A filter is parsed into a tree ([`parse`]), has its names resolved ([`Expr::names`], [`Expr::resolve`]), is split
//! into what the kernel can check and the rest ([`mod@pushdown`]), and is evaluated on rows ([`Expr::matches`]). All of
//! it is pure: no lookups, no clock, no output.

mod address;
mod bare_words;
mod display;
mod end;
mod ends;
pub mod error;
mod eval;
pub mod expr;
pub mod field;
mod filter_words;
mod grammar;
pub mod group;
mod lexer;
mod mode;
pub mod names;
pub mod nearest;
mod number;
mod operand;
mod other_ends;
mod owner_field;
mod parser;
pub mod pattern;
pub mod pushdown;
pub mod ranges;
#[cfg(test)]
pub(crate) mod samples;
pub mod sort;
mod subject;
#[cfg(test)]
mod tests;
mod unresolved;
mod vocabulary;
mod word;

pub use error::FilterError;
pub use eval::Match;
pub use expr::{Expr, Predicate, ProtocolSet};
pub use filter_words::FilterWords;
pub use mode::Mode;
pub use parser::{MAX_LENGTH, Parsed, parse};
pub use subject::{field_names, field_of, nearest_field};
pub use vocabulary::words;
