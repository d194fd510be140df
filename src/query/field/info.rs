//! What the table says about one field.

use super::cost::Cost;
use super::name::Field;
use super::place::{Form, Place};

/// The type of a field's value. Every field can also be null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An integer.
    Integer,
    /// A boolean.
    Boolean,
    /// A keyword from a fixed list.
    Word,
    /// Text from outside: arbitrary bytes.
    Text,
    /// An IP address.
    Address,
    /// A 64-bit number in hexadecimal, as text.
    Hex,
    /// A point in time, as text: RFC 3339 in UTC.
    Time,
    /// A list of keywords.
    Words,
    /// A list of integers.
    Numbers,
    /// A list of texts without a fixed set.
    Texts,
    /// The list of owners.
    Owners,
    /// Named facts.
    Object,
}

/// Where the plain output, which follows ss, prints a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Nowhere, or without a token of its own.
    Nowhere,
    /// In the column with this number.
    Column(u8),
    /// In the column with this number, if owners are shown.
    Owners(u8),
    /// After this token, if the corresponding option is given.
    Token(&'static str),
    /// Nowhere, and in no other format either unless it is named: `sockstat/1` promises the other keys.
    IfNamed,
}

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub struct FieldInfo {
    /// The field.
    pub field: Field,
    /// Its name.
    pub name: &'static str,
    /// Its name inside its object: the same without the prefix that the parts of an object share.
    pub key: &'static str,
    /// Its type.
    pub kind: Kind,
    /// The unit of a number: `bytes`, `ms`, `packets`, `connections`; empty for none.
    pub unit: &'static str,
    /// Where ss prints it.
    pub shown: Shown,
    /// What must be requested.
    pub cost: Cost,
    /// A description, in one line.
    pub meaning: &'static str,
    /// For a part of an object: which object, and where in it.
    pub part: Option<Place>,
}

impl FieldInfo {
    /// The line of a part; [`with_costs`] later copies the cost from its object.
    pub(super) const fn part(
        field: Field,
        name: &'static str,
        unit: &'static str,
        token: &'static str,
        place: Place,
        prefix: &str,
        meaning: &'static str,
    ) -> Self {
        Self {
            field,
            name,
            key: without_prefix(name, prefix),
            kind: match place.form {
                Form::Number => Kind::Integer,
                Form::Hex => Kind::Hex,
                Form::Flag => Kind::Boolean,
                Form::Word(_) => Kind::Word,
            },
            unit,
            shown: if token.is_empty() {
                Shown::Nowhere
            } else {
                Shown::Token(token)
            },
            cost: Cost::NOTHING,
            meaning,
            part: Some(place),
        }
    }

    /// Returns whether its value comes from the owners, and is unknown while they are.
    pub const fn of_owner(&self) -> bool {
        self.cost.has(Cost::OWNERS)
    }

    /// The token of ss; empty if it has none.
    pub const fn token(&self) -> &'static str {
        match self.shown {
            Shown::Token(token) => token,
            _ => "",
        }
    }
}

/// Copies the cost of each object to its parts.
pub(super) const fn with_costs<const COUNT: usize>(mut lines: [FieldInfo; COUNT]) -> [FieldInfo; COUNT] {
    let mut index = 0;
    while index < COUNT {
        assert!(lines[index].field as usize == index);
        if let Some(place) = lines[index].part {
            lines[index].cost = lines[place.object as usize].cost;
        }
        index += 1;
    }
    lines
}

const fn without_prefix(name: &'static str, prefix: &str) -> &'static str {
    let (bytes, prefix) = (name.as_bytes(), prefix.as_bytes());
    let mut index = 0;
    while index < prefix.len() {
        if index >= bytes.len() || bytes[index] != prefix[index] {
            return name;
        }
        index += 1;
    }
    name.split_at(prefix.len()).1
}
