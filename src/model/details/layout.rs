//! Structures of the kernel as tables: each part with its name, its unit and where it lies.
//!
//! A table says once what columns, JSON, filters, documentation and tests ask.

use super::attributes;

/// One part of a structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its one name in the vocabulary.
    pub name: &'static str,
    /// Its name inside the object that holds all parts; shorter where the word alone means something else.
    pub key: &'static str,
    /// The kernel's name, without the prefix that all of a structure have.
    pub kernel_name: &'static str,
    /// Unit of the number: `us`, `bytes`, `packets`; empty for none.
    pub unit: &'static str,
    /// Where its first byte is; among nested attributes, which of them.
    pub offset: usize,
    /// How many bytes it takes: 1, 2, 4 or 8; 0 for an attribute that is only there or not.
    pub width: usize,
    /// Its lowest bit, if it shares its bytes with others.
    pub shift: u32,
    /// How many bits it has; 0 for all of its bytes.
    pub bits: u32,
    /// What it is.
    pub form: Form,
    /// The number by which the kernel says that there is no value.
    pub none: Option<u64>,
    /// What it means, in one line.
    pub meaning: &'static str,
}

/// What the number of a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A number in its unit.
    Number,
    /// A number that is written in hexadecimal.
    Hex,
    /// A bit.
    Flag,
    /// One of these words, by number.
    Word(&'static [(u64, &'static str)]),
}

impl Part {
    /// A number of whole bytes that the kernel calls by the same name, but for the unit.
    pub const fn number(
        name: &'static str,
        kernel_name: &'static str,
        unit: &'static str,
        offset: usize,
        width: usize,
        meaning: &'static str,
    ) -> Self {
        Self {
            name,
            key: name,
            kernel_name,
            unit,
            offset,
            width,
            shift: 0,
            bits: 0,
            form: Form::Number,
            none: None,
            meaning,
        }
    }

    /// The same, with another name inside its object.
    #[must_use]
    pub const fn key(mut self, key: &'static str) -> Self {
        self.key = key;
        self
    }

    /// The same, where this number stands for no value.
    #[must_use]
    pub const fn without(mut self, none: u64) -> Self {
        self.none = Some(none);
        self
    }

    /// The same, as some of its bits.
    #[must_use]
    pub const fn bits(mut self, shift: u32, bits: u32) -> Self {
        self.shift = shift;
        self.bits = bits;
        self
    }

    /// The same, in another form.
    #[must_use]
    pub const fn form(mut self, form: Form) -> Self {
        self.form = form;
        self
    }

    /// The number at its place in a structure, as the kernel wrote it; `None` if the structure ends before it.
    pub fn raw(&self, bytes: &[u8]) -> Option<u64> {
        bytes
            .get(self.offset..self.offset.checked_add(self.width)?)
            .map(|own| self.number_in(own))
    }

    /// The number out of its own bytes, of which there are at most eight.
    fn number_in(&self, own: &[u8]) -> u64 {
        let number = match own.len() {
            1 => own.first().copied().map(u64::from),
            2 => own.first_chunk().map(|bytes| u16::from_ne_bytes(*bytes).into()),
            4 => own.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes).into()),
            _ => own.first_chunk().map(|bytes| u64::from_ne_bytes(*bytes)),
        };
        let number = number.unwrap_or(0) >> self.shift;
        match self.bits {
            0 => number,
            bits => number & ((1 << bits) - 1),
        }
    }
}

/// A structure as it came, with the table that reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Struct<'a> {
    /// Its parts.
    pub parts: &'static [Part],
    /// Its bytes, of any length.
    pub bytes: &'a [u8],
    /// Whether the bytes are attributes, one for each part, and not one structure.
    pub nested: bool,
}

impl<'a> Struct<'a> {
    /// Parts in one structure.
    pub const fn new(parts: &'static [Part], bytes: &'a [u8]) -> Self {
        Self {
            parts,
            bytes,
            nested: false,
        }
    }

    /// Parts in attributes of their own.
    pub const fn nested(parts: &'static [Part], bytes: &'a [u8]) -> Self {
        Self {
            parts,
            bytes,
            nested: true,
        }
    }

    /// The number of a part; `None` if it is not there, or the kernel says that there is no value.
    pub fn value(&self, part: &Part) -> Option<u64> {
        let number = if self.nested {
            let own = attributes(self.bytes).find(|(kind, _)| usize::from(*kind) == part.offset);
            match (own, part.width) {
                (own, 0) => Some(own.is_some().into()),
                (own, width) => own.and_then(|(_, value)| Some(part.number_in(value.get(..width)?))),
            }
        } else {
            part.raw(self.bytes)
        };
        number.filter(|number| Some(*number) != part.none)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Details;
    use super::*;

    #[test]
    fn parts_are_read_where_they_lie_and_are_unknown_behind_the_end() {
        let word = Part::number("a", "a", "", 2, 2, "");
        assert_eq!(
            word.raw(&[0, 0, 1, 2, 3]),
            Some(u16::from_ne_bytes([1, 2]).into())
        );
        assert_eq!(word.raw(&[0, 0, 1]), None);
        let nibble = Part::number("b", "b", "", 0, 1, "").bits(4, 4);
        assert_eq!(nibble.raw(&[0x7a]), Some(7));
        let long = Part::number("c", "c", "", 0, 8, "").without(u64::MAX);
        assert_eq!(Struct::new(&[], &[0xff; 8]).value(&long), None);
        assert_eq!(long.raw(&[0xff; 8]), Some(u64::MAX));
    }

    #[test]
    fn nested_parts_are_attributes_of_their_own() {
        let mut bytes = Details::default();
        bytes.push(3, &7u16.to_ne_bytes());
        bytes.push(5, &[]);
        let read = |offset, width| {
            let part = Part::number("a", "a", "", offset, width, "");
            Struct::nested(&[], bytes.as_bytes()).value(&part)
        };
        assert_eq!((read(3, 2), read(3, 4), read(4, 2)), (Some(7), None, None));
        assert_eq!((read(5, 0), read(6, 0)), (Some(1), Some(0)));
    }
}
