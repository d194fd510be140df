//! What is asked of the machine: the tables, owners and names that a run wants.
//!
//! `plan` and the commands write these types, `engine` and `source` read them. They name what is wanted, never how it is
//! found.

pub mod condition;
pub mod dump;
pub mod filter_names;
pub mod netns;
pub mod owners;

pub use condition::{Condition, Question};
pub use dump::{Dump, Wanted};
pub use filter_names::{FilterNames, ResolvedNames};
pub use owners::{Facts, NamesWanted, OwnersBy, PeerKinds};
