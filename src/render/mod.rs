//! Rows into text.
pub mod escape;
pub mod human;
pub mod json;
pub mod text;
