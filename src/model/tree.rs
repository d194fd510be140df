//! Conditions of any kind of test, joined by `and`, `or` and `not`.

use std::fmt;

/// One test of a [`Tree`].
pub trait Test: Clone + fmt::Display {
    /// Whether an `and` within an `and`, or an `or` within an `or`, becomes part of the outer one. Conditions for the
    /// kernel keep their nesting, because the bytes of a request are the key of its reply in recordings.
    const FLATTENS: bool;

    /// Returns the test that holds exactly where this one does not, if there is one.
    fn opposite(&self) -> Option<Self> {
        None
    }
}

/// A condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tree<T> {
    /// True or false for everything, such as `src *` or a contradiction.
    Constant(bool),
    /// All of these.
    And(Vec<Self>),
    /// At least one of these.
    Or(Vec<Self>),
    /// The negation. Undecided stays undecided.
    Not(Box<Self>),
    /// One test.
    Is(T),
}

impl<T: Test> Tree<T> {
    /// The conjunction, without constant true parts.
    pub fn and(parts: impl IntoIterator<Item = Self>) -> Self {
        Self::joined(parts, true)
    }

    /// The disjunction, without constant false parts.
    pub fn or(parts: impl IntoIterator<Item = Self>) -> Self {
        Self::joined(parts, false)
    }

    fn joined(parts: impl IntoIterator<Item = Self>, all: bool) -> Self {
        let mut kept = Vec::new();
        for part in parts {
            match part {
                Self::Constant(truth) if truth == all => {}
                Self::Constant(_) => return part,
                Self::And(inner) if all && T::FLATTENS => kept.extend(inner),
                Self::Or(inner) if !all && T::FLATTENS => kept.extend(inner),
                part => kept.push(part),
            }
        }
        match kept.len() {
            0 => Self::Constant(all),
            1 => kept.remove(0),
            _ if all => Self::And(kept),
            _ => Self::Or(kept),
        }
    }

    /// The negation, without a double `not`.
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Self::Constant(truth) => Self::Constant(!truth),
            Self::Not(inner) => *inner,
            Self::Is(test) => match test.opposite() {
                Some(opposite) => Self::Is(opposite),
                None => Self::Not(Box::new(Self::Is(test))),
            },
            other => Self::Not(Box::new(other)),
        }
    }

    /// Visits every test.
    pub fn each<'a>(&'a self, visit: &mut impl FnMut(&'a T)) {
        match self {
            Self::Constant(_) => {}
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|part| part.each(visit)),
            Self::Not(inner) => inner.each(visit),
            Self::Is(test) => visit(test),
        }
    }

    /// Returns whether any test in it fulfils `wanted`.
    pub fn any(&self, wanted: impl Fn(&T) -> bool) -> bool {
        let mut found = false;
        self.each(&mut |test| found |= wanted(test));
        found
    }

    /// Returns the condition with each test replaced. A test that `replace` cannot express must be approximated, in the
    /// direction of its second argument: with `over`, the result holds wherever `self` does (so such a test becomes
    /// true, or false below a `not`); otherwise it is the other way round.
    #[must_use]
    pub fn map<U: Test>(&self, over: bool, replace: &mut impl FnMut(&T, bool) -> Tree<U>) -> Tree<U> {
        match self {
            Self::Constant(truth) => Tree::Constant(*truth),
            Self::And(parts) => Tree::and(
                parts
                    .iter()
                    .map(|part| part.map(over, replace))
                    .collect::<Vec<_>>(),
            ),
            Self::Or(parts) => Tree::or(
                parts
                    .iter()
                    .map(|part| part.map(over, replace))
                    .collect::<Vec<_>>(),
            ),
            Self::Not(inner) => inner.map(!over, replace).negated(),
            Self::Is(test) => replace(test, over),
        }
    }

    /// Returns a condition that is true wherever `self` is, with only the tests to `keep`; the others are approximated.
    #[must_use]
    pub fn weakened(&self, keep: impl Fn(&T) -> bool) -> Self {
        self.map(true, &mut |test, over| {
            if keep(test) {
                Self::Is(test.clone())
            } else {
                Self::Constant(over)
            }
        })
    }
}

impl<T: Test> fmt::Display for Tree<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (parts, word) = match self {
            Self::Constant(true) => return f.write_str("everything"),
            Self::Constant(false) => return f.write_str("nothing"),
            Self::Is(test) => return test.fmt(f),
            Self::Not(inner) => (std::slice::from_ref(&**inner), "not "),
            Self::And(parts) => (&parts[..], " and "),
            Self::Or(parts) => (&parts[..], " or "),
        };
        for (index, part) in parts.iter().enumerate() {
            if index > 0 || matches!(self, Self::Not(_)) {
                f.write_str(word)?;
            }
            match part {
                Self::And(_) | Self::Or(_) => write!(f, "({part})")?,
                part => part.fmt(f)?,
            }
        }
        Ok(())
    }
}
