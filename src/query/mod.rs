//! One language for fields: columns, JSON keys and filters all name facts as [`field`] does.

pub mod field;
