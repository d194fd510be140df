//! Raw kernel structures, and the numbers in them.

use super::info::FieldInfo;
use super::name::Field;
use super::place::Place;
use crate::model::details::attributes;

/// A raw structure, with the object whose parts read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Struct<'a> {
    /// The object.
    pub object: Field,
    /// Its bytes, of any length.
    pub bytes: &'a [u8],
    /// Whether the bytes are attributes, one for each part, instead of one structure.
    pub nested: bool,
}

impl<'a> Struct<'a> {
    /// Creates parts in one structure.
    pub const fn new(object: Field, bytes: &'a [u8]) -> Self {
        Self {
            object,
            bytes,
            nested: false,
        }
    }

    /// Creates parts in separate attributes.
    pub const fn nested(object: Field, bytes: &'a [u8]) -> Self {
        Self {
            object,
            bytes,
            nested: true,
        }
    }

    /// Its parts.
    pub fn parts(&self) -> &'static [FieldInfo] {
        self.object.parts()
    }

    /// Returns the number of a part; `None` if it is absent or the kernel marks it as missing.
    pub fn value(&self, part: &FieldInfo) -> Option<u64> {
        self.number(part.part.as_ref()?)
    }

    /// The same, by the location of the part.
    #[inline]
    pub fn number(&self, place: &Place) -> Option<u64> {
        let number = if self.nested {
            let own = attributes(self.bytes).find(|(kind, _)| usize::from(*kind) == place.offset);
            match (own, place.width) {
                (own, 0) => Some(own.is_some().into()),
                (own, width) => own.and_then(|(_, value)| Some(place.number_in(value.get(..width)?))),
            }
        } else {
            place.raw(self.bytes)
        };
        number.filter(|number| Some(*number) != place.none)
    }
}

#[cfg(test)]
mod tests {
    use super::super::place::{present_at, u16_at, u32_at, u64_at};
    use super::*;
    use crate::model::details::Details;

    #[test]
    fn the_number_for_a_missing_value_is_none() {
        let long = u64_at(0).without(u64::MAX);
        assert_eq!(Struct::new(Field::Tcp, &[0xff; 8]).number(&long), None);
        assert_eq!(Struct::new(Field::Tcp, &[0; 8]).number(&long), Some(0));
    }

    #[test]
    fn nested_parts_are_separate_attributes() {
        let mut bytes = Details::default();
        bytes.push(3, &7u16.to_ne_bytes());
        bytes.push(5, &[]);
        let read = |place: Place| Struct::nested(Field::Tls, bytes.as_bytes()).number(&place);
        assert_eq!(
            (read(u16_at(3)), read(u32_at(3)), read(u16_at(4))),
            (Some(7), None, None)
        );
        assert_eq!((read(present_at(5)), read(present_at(6))), (Some(1), Some(0)));
    }
}
