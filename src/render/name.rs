//! Names chosen by somebody else: of units, containers, users, interfaces.

use std::fmt;

use super::{escape, shell};

/// A name from outside. It can be shown only in escaped form.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Box<[u8]>);

impl Name {
    /// Returns the raw bytes, for look-ups and comparisons.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the name as a word of a command to paste; `None` if it must not be pasted (see [`shell::name`]).
    pub fn in_shell(&self) -> Option<String> {
        shell::name(&self.0)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&escape::text(&self.0))
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", escape::text(&self.0))
    }
}

impl From<&str> for Name {
    fn from(name: &str) -> Self {
        Self(name.as_bytes().into())
    }
}

impl From<String> for Name {
    fn from(name: String) -> Self {
        Self(name.into_bytes().into())
    }
}

impl From<Vec<u8>> for Name {
    fn from(name: Vec<u8>) -> Self {
        Self(name.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_shown_escaped_and_pasted_quoted_or_not_at_all() {
        let name = Name::from("a b\\\u{202e}\n");
        assert_eq!(name.to_string(), "a b\\\\\\xe2\\x80\\xae\\x0a");
        assert_eq!(name.in_shell(), None);
        let name = Name::from("a b\\x2d");
        assert_eq!(name.to_string(), "a b\\\\x2d");
        assert_eq!(name.in_shell().as_deref(), Some("'a b\\x2d'"));
        assert_eq!(name.as_bytes(), b"a b\\x2d");
    }
}
