//! Displays a [`Name`], always escaped.

use std::fmt;

use super::{escape, shell};
use crate::model::Name;

impl Name {
    /// Returns the name as a word of a command to paste; `None` if it is unsafe to paste (see [`shell::name`]).
    pub fn in_shell(&self) -> Option<String> {
        shell::name(self.as_bytes())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&escape::text(self.as_bytes()))
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", escape::text(self.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_shown_escaped_and_quoted_for_a_shell_if_safe() {
        let name = Name::from("a b\\\u{202e}\n");
        assert_eq!(name.to_string(), "a b\\\\\\xe2\\x80\\xae\\x0a");
        assert_eq!(name.in_shell(), None);
        let name = Name::from("a b\\x2d");
        assert_eq!(name.to_string(), "a b\\\\x2d");
        assert_eq!(name.in_shell().as_deref(), Some("'a b\\x2d'"));
        assert_eq!(name.as_bytes(), b"a b\\x2d");
    }
}
