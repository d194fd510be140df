//! The library behind the command `sockstat`.
//!
//! Data flows in one direction. [`cli`] holds what was typed and nothing more. [`plan`] turns it into typed requests: which tables
//! are read, what the kernel filters, which owners and names are wanted, in which form rows are shown. [`engine`] carries
//! out a request: it lets [`source`], the only I/O, read sockets, holders and names, joins them, and passes on
//! rows in batches, with a gap for whatever could not be read. [`query`] filters and sorts rows by the vocabulary in
//! [`query::field`], [`render`] turns them into text; both are pure. [`diagnose`] says
//! why a port cannot be bound or reached. Each module of [`command`] ties these together for one
//! subcommand. [`model`] has the data that all of them share. docs/architecture.md has the long form.

pub mod cli;
pub mod command;
pub mod diagnose;
pub mod engine;
pub mod exit;
pub mod model;
pub mod plan;
pub mod query;
pub mod render;
pub mod source;
#[cfg(feature = "watch")]
pub mod watch;
