//! The cells of the table for people: what each column shows of a row, and in which tone.

mod cell;
mod column;
mod content;
mod ends;
mod queues;

pub use cell::{Cell, Tone};
pub use column::Column;
