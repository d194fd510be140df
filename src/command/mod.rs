//! The subcommands. Each reads as a table of contents; what they know is in the modules below them.

pub mod why;
