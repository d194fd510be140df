//! Reports as JSON documents, `sockstat-why/1`. Within this version, keys are only ever added.

mod finding;
pub mod port;
pub mod unix;

pub use finding::Rows;
