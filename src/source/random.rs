//! Random numbers.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use super::tape;

/// Returns a random number: the standard library seeds its hashers from the kernel.
pub fn seed() -> u64 {
    tape::fact("random number", || RandomState::new().build_hasher().finish())
}
