//! The live screen, without a terminal: frames, messages in any order, and what the terminal shows of them.

mod frames;
mod history;
mod keys;
mod known;
mod properties;
mod scene;
mod terminal;
