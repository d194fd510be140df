//! Structures of the kernel as tables: each part with its name, its unit and where it lies.
//!
//! A table says once what columns, JSON, filters, documentation and tests ask.

/// One part of a structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its one name in the vocabulary.
    pub name: &'static str,
    /// The kernel's name, without the prefix that all of a structure have.
    pub kernel_name: &'static str,
    /// Unit of the number: `us`, `bytes`, `packets`; empty for none.
    pub unit: &'static str,
    /// Where its first byte is.
    pub offset: usize,
    /// How many bytes it takes: 1, 2, 4 or 8.
    pub width: usize,
    /// Its lowest bit, if it shares its byte with others.
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
    /// A bit.
    Flag,
    /// One of these words, by number.
    Word(&'static [&'static str]),
}

impl Part {
    /// A part of whole bytes that the kernel calls by the same name, but for the unit.
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

    /// The same, where this number stands for no value.
    #[must_use]
    pub const fn without(mut self, none: u64) -> Self {
        self.none = Some(none);
        self
    }

    /// The same, as some bits of its byte.
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

    /// The number as the kernel wrote it; `None` if the structure ends before it.
    pub fn raw(&self, bytes: &[u8]) -> Option<u64> {
        let mut number = [0; 8];
        let end = self.offset.checked_add(self.width)?;
        let part = bytes.get(self.offset..end)?;
        // The machine's byte order: the number is at the front of eight bytes, or at their end.
        let start = if cfg!(target_endian = "big") {
            8 - part.len()
        } else {
            0
        };
        number.get_mut(start..start + part.len())?.copy_from_slice(part);
        let number = u64::from_ne_bytes(number) >> self.shift;
        Some(match self.bits {
            0 => number,
            bits => number & ((1 << bits) - 1),
        })
    }

    /// The number; `None` if the structure ends before it, or the kernel says that there is no value.
    pub fn value(&self, bytes: &[u8]) -> Option<u64> {
        self.raw(bytes).filter(|number| Some(*number) != self.none)
    }
}

/// A structure as it came, with the table that reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Struct<'a> {
    /// Its parts.
    pub parts: &'static [Part],
    /// Its bytes, of any length.
    pub bytes: &'a [u8],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_read_where_they_lie_and_are_unknown_behind_the_end() {
        let word = Part::number("a", "a", "", 2, 2, "");
        assert_eq!(
            word.value(&[0, 0, 1, 2, 3]),
            Some(u64::from(u16::from_ne_bytes([1, 2])))
        );
        assert_eq!(word.value(&[0, 0, 1]), None);
        let nibble = Part::number("b", "b", "", 0, 1, "").bits(4, 4);
        assert_eq!(nibble.value(&[0x7a]), Some(7));
        let long = Part::number("c", "c", "", 0, 8, "").without(u64::MAX);
        assert_eq!(long.value(&[0xff; 8]), None);
        assert_eq!(long.raw(&[0xff; 8]), Some(u64::MAX));
    }
}
