//! The registry of fields: every fact about a row, under its one name.
//!
//! `table` has a line for each field; three macros read it: `name` generates the enum, `registry` the facts about each
//! field, `read` its value in a [`Row`](crate::model::Row). The other files define what the lines refer to.

pub mod cost;
mod ends;
mod home;
mod info;
mod list;
mod name;
mod objects;
mod options;
mod origin;
mod other_ends;
mod owners;
mod place;
mod queues;
mod read;
mod registry;
mod structs;
mod table;
#[cfg(test)]
mod tests;
mod value;
pub mod words;

pub use cost::Cost;
pub use info::{FieldInfo, Kind, Shown};
pub use list::List;
pub use name::Field;
pub use options::{SOCKET_OPTION_NAMES, shutdown_word, socket_option_words};
pub use other_ends::TIPC_CONGESTION;
pub use place::{Form, Place};
pub use queues::{recv_q_limit, recv_q_percent};
pub use registry::{FIELDS, plain_fields, usual_fields};
pub use structs::Struct;
pub use value::{Value, part_value};
