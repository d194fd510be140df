//! Walks netlink attributes.

/// Iterates over the attributes in some bytes, up to the first malformed one: number and value. (The iterator of
/// netlink-packet-core lends its values for one step only, but nested attributes are needed for longer.)
pub(crate) struct Attributes<'a>(pub(crate) &'a [u8]);

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
