//! `why`: would bind and listen work, and if not, why and what to do.

pub mod look;
pub mod run;
