//! The cells of the table for people: what each column shows of a row, and how loud.

mod cell;
mod column;
mod content;
mod ends;
mod queues;

pub use cell::{Cell, Tone};
pub use column::Column;
