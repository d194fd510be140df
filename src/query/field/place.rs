//! The layout of kernel structures, and how to read numbers from them.

use super::name::Field;

/// The location of a part in the structure of its object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The object.
    pub object: Field,
    /// The offset of its first byte; for nested attributes, the attribute type.
    pub offset: usize,
    /// Its size in bytes: 1, 2, 4 or 8; 0 for an attribute without a value, which is present or absent.
    pub width: usize,
    /// Its lowest bit, if it shares its bytes with others.
    pub shift: u32,
    /// How many bits it has; 0 for all of its bytes.
    pub bits: u32,
    /// Its type.
    pub form: Form,
    /// Whether it is two 32-bit numbers, the low half first on every machine.
    pub low_half_first: bool,
    /// The number that the kernel uses for a missing value.
    pub none: Option<u64>,
}

/// The type of a part's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A number in its unit.
    Number,
    /// A number printed in hexadecimal.
    Hex,
    /// A flag.
    Flag,
    /// One of these keywords, by number.
    Word(&'static [(u64, &'static str)]),
}

const fn at(offset: usize, width: usize) -> Place {
    Place {
        object: Field::Protocol,
        offset,
        width,
        shift: 0,
        bits: 0,
        form: Form::Number,
        low_half_first: false,
        none: None,
    }
}

/// A byte at an offset.
pub(super) const fn u8_at(offset: usize) -> Place {
    at(offset, 1)
}

/// A 16-bit number at an offset.
pub(super) const fn u16_at(offset: usize) -> Place {
    at(offset, 2)
}

/// A 32-bit number at an offset.
pub(super) const fn u32_at(offset: usize) -> Place {
    at(offset, 4)
}

/// A 64-bit number at an offset.
pub(super) const fn u64_at(offset: usize) -> Place {
    at(offset, 8)
}

/// A nested attribute of this type that is present or absent.
pub(super) const fn present_at(kind: usize) -> Place {
    at(kind, 0).flag()
}

impl Place {
    /// The same, in the structure behind `object`.
    pub(super) const fn of(mut self, object: Field) -> Self {
        self.object = object;
        self
    }

    /// The same, with this number for a missing value.
    pub(super) const fn without(mut self, none: u64) -> Self {
        self.none = Some(none);
        self
    }

    /// The same, restricted to some of its bits.
    pub(super) const fn bits(mut self, shift: u32, bits: u32) -> Self {
        self.shift = shift;
        self.bits = bits;
        self
    }

    /// The same, restricted to a bit-field of C: the first one is in the lowest bits of the byte on little-endian machines,
    /// and in the highest on others.
    pub(super) const fn bit_field(self, first: u32, bits: u32) -> Self {
        let shift = if cfg!(target_endian = "big") {
            8 - first - bits
        } else {
            first
        };
        self.bits(shift, bits)
    }

    /// The same, as two 32-bit numbers, the low half first.
    pub(super) const fn low_half_first(mut self) -> Self {
        self.low_half_first = true;
        self
    }

    /// The same, restricted to one of its bits.
    pub(super) const fn bit(self, shift: u32) -> Self {
        self.bits(shift, 1).flag()
    }

    /// The same, as a boolean.
    pub(super) const fn flag(mut self) -> Self {
        self.form = Form::Flag;
        self
    }

    /// The same, in hexadecimal.
    pub(super) const fn hex(mut self) -> Self {
        self.form = Form::Hex;
        self
    }

    /// The same, as one of these keywords.
    pub(super) const fn words(mut self, words: &'static [(u64, &'static str)]) -> Self {
        self.form = Form::Word(words);
        self
    }

    /// Reads the number from a structure as the kernel wrote it; `None` if the structure ends before it.
    #[inline]
    pub fn raw(&self, bytes: &[u8]) -> Option<u64> {
        bytes
            .get(self.offset..self.offset.checked_add(self.width)?)
            .map(|own| self.number_in(own))
    }

    /// Reads the number from its own bytes, at most eight.
    #[inline]
    pub(super) fn number_in(&self, own: &[u8]) -> u64 {
        let number = match own.len() {
            1 => own.first().copied().map(u64::from),
            2 => own.first_chunk().map(|bytes| u16::from_ne_bytes(*bytes).into()),
            4 => own.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes).into()),
            _ => own.first_chunk().map(|bytes| u64::from_ne_bytes(*bytes)),
        };
        let mut number = number.unwrap_or(0);
        if cfg!(target_endian = "big") && self.low_half_first {
            number = number.rotate_left(32);
        }
        let number = number >> self.shift;
        match self.bits {
            0 => number,
            bits => number & ((1 << bits) - 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_read_at_their_offsets_and_unknown_beyond_the_end() {
        let word = u16_at(2);
        assert_eq!(
            word.raw(&[0, 0, 1, 2, 3]),
            Some(u16::from_ne_bytes([1, 2]).into())
        );
        assert_eq!(word.raw(&[0, 0, 1]), None);
        assert_eq!(u8_at(0).bits(4, 4).raw(&[0x7a]), Some(7));
        let (first, second) = if cfg!(target_endian = "big") {
            (7, 10)
        } else {
            (10, 7)
        };
        assert_eq!(u8_at(0).bit_field(0, 4).raw(&[0x7a]), Some(first));
        assert_eq!(u8_at(0).bit_field(4, 4).raw(&[0x7a]), Some(second));
        let halves = [7u32.to_ne_bytes(), 1u32.to_ne_bytes()].concat();
        assert_eq!(u64_at(0).low_half_first().raw(&halves), Some((1 << 32) + 7));
        assert_eq!(u64_at(0).without(u64::MAX).raw(&[0xff; 8]), Some(u64::MAX));
    }
}
