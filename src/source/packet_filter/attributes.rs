//! Netlink attributes of nf_tables, whose numbers are big-endian.

use crate::model::packet_filter::Name;

/// The attributes in some bytes, up to the first that is malformed: number and value. (The iterator of
/// netlink-packet-core lends its values for one step only, and nested attributes are kept for longer.)
pub(super) struct Attributes<'a>(pub(super) &'a [u8]);

/// The bits of an attribute's type without its flags (`NLA_TYPE_MASK`).
const KIND: u16 = 0x3fff;

impl<'a> Iterator for Attributes<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (length, rest) = self.0.split_first_chunk()?;
        let kind = u16::from_ne_bytes(*rest.first_chunk()?);
        let length = usize::from(u16::from_ne_bytes(*length));
        let value = self.0.get(4..length)?;
        self.0 = self.0.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind & KIND, value))
    }
}

/// The value of one attribute.
pub(super) fn attribute(bytes: &[u8], number: u16) -> Option<&[u8]> {
    Attributes(bytes)
        .find(|(kind, _)| *kind == number)
        .map(|(_, value)| value)
}

/// A number of four bytes.
pub(super) fn number(value: &[u8]) -> u32 {
    value.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes))
}

/// A number of eight bytes.
pub(super) fn long(value: &[u8]) -> u64 {
    value.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

/// A name, up to its NUL.
pub(super) fn name(value: &[u8]) -> Name {
    value.split(|byte| *byte == 0).next().unwrap_or_default().into()
}
