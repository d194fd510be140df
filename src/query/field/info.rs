//! What the table says of one field.

use super::cost::Cost;
use super::name::Field;
use super::place::{Form, Place};

/// What kind of value a field has, when it has one. Every field can also be null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole number.
    Integer,
    /// True or false.
    Boolean,
    /// One of a few words.
    Word,
    /// Text from outside, any bytes.
    Text,
    /// An IP address.
    Address,
    /// A 64-bit number in hexadecimal, as text.
    Hex,
    /// Several words.
    Words,
    /// Several whole numbers.
    Numbers,
    /// Several texts without a fixed list.
    Texts,
    /// The list of owners.
    Owners,
    /// Several facts by name.
    Object,
}

/// Where the plain form, which is that of ss, prints a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Not, or without a word of its own.
    Nowhere,
    /// In the column with this number.
    Column(u8),
    /// In the column with this number, when owners are shown.
    Owners(u8),
    /// Behind this token, when the option for it is given.
    Token(&'static str),
}

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub struct FieldInfo {
    /// The field.
    pub field: Field,
    /// Its one name.
    pub name: &'static str,
    /// Its name inside the object that it is part of: the same without the prefix that names of those parts have.
    pub key: &'static str,
    /// Its kind.
    pub kind: Kind,
    /// The unit of a number: `bytes`, `ms`, `packets`, `connections`; empty for none.
    pub unit: &'static str,
    /// Where ss prints it.
    pub shown: Shown,
    /// What must be asked for.
    pub cost: Cost,
    /// What it means, in one line.
    pub meaning: &'static str,
    /// Of a part of an object: which object, and where in it.
    pub part: Option<Place>,
}

impl FieldInfo {
    /// The line of a part; what it costs is copied from its object later ([`with_costs`]).
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

    /// Whether its value comes from the owners, and is unknown while they are.
    pub const fn of_owner(&self) -> bool {
        self.cost.has(Cost::OWNERS)
    }

    /// The token of ss; empty where it has none.
    pub const fn token(&self) -> &'static str {
        match self.shown {
            Shown::Token(token) => token,
            _ => "",
        }
    }
}

/// The lines with the cost of each object given to its parts.
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
