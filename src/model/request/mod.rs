//! Requests: the tables, owners and names that a run wants.
//!
//! `plan` and the commands create these types, `engine` and `source` read them. They say what is wanted, not how
//! to find it.

pub mod condition;
pub mod dump;
pub mod filter_names;
pub mod netns;
pub mod owners;
pub mod parts;

pub use condition::{Condition, Question};
pub use dump::{Dump, Wanted};
pub use filter_names::{FilterNames, ResolvedNames};
pub use owners::{Facts, NamesWanted, OwnersBy, PeerKinds};
pub use parts::Parts;
