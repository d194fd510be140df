//! The library behind the command `sockstat`.
//!
//! A run goes one way. [`cli`] holds what was typed and nothing more. [`plan`] says what it means: which tables are
//! read, what the kernel filters, which owners and names are looked for, in which form rows are shown. [`source`]
//! is the only I/O: it captures plain data ([`model`]) and hands it on in batches, with a gap for whatever it could
//! not read. From there on all is pure: [`join`] brings sockets, holders and processes together, [`query`] filters
//! and sorts by the one vocabulary in [`query::field`], [`render`] makes text. [`diagnose`] says why a
//! port cannot be bound or reached. Each module of [`command`] ties these
//! together for one subcommand. docs/architecture.md has the long form.

pub mod cli;
pub mod command;
pub mod diagnose;
pub mod exit;
pub mod join;
pub mod model;
pub mod plan;
pub mod query;
pub mod render;
pub mod source;
