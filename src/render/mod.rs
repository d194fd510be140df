//! Formats rows as text: the table for people, plain columns and JSON for programs.
//!
//! Pure: renderers write into a buffer that the caller passes. All text from outside goes through [`escape`].

pub mod cells;
pub mod columns;
pub mod csv;
pub mod decimal;
pub mod details;
pub mod escape;
pub mod facts;
pub mod fit;
pub mod form;
pub mod groups;
pub mod growing;
pub mod human;
pub mod json;
pub mod lines;
pub mod metrics;
pub mod multihomed;
pub mod name;
pub mod other_ends;
pub mod owner;
pub mod packet;
pub mod page;
pub mod plain;
pub mod reference;
pub mod safe;
pub mod shell;
pub mod snapshot;
pub mod span;
pub mod summary;
pub mod table;
pub mod tcp;
pub mod text;
mod tipc;
pub mod token;
pub mod tokens;
pub mod totals;
pub mod ulp;
pub mod word;
