//! The cells of the table for people: the content of each column, and its tone.

mod cell;
mod column;
mod content;
mod ends;
mod queues;

pub use cell::{Cell, Tone};
pub use column::Column;
