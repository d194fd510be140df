//! JSON: one envelope, and rows with the keys of the registry.
//!
//! Rows are written by hand, directly into the output buffer: a serialiser would build each row first. Strings are
//! escaped with [`escape`](super::escape) and then as JSON requires, so that any bytes can be read back.

mod envelope;
mod owner;
mod row;
pub(crate) mod string;
mod value;

pub(crate) use envelope::push_gap;
pub use envelope::{Envelope, SCHEMA};
pub use row::push_row;
pub(crate) use string::{push_key, push_optional, push_string};
pub(crate) use value::push_value;
