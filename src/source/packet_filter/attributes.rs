//! Netlink attributes of nf_tables, whose numbers are big-endian.

use crate::model::packet_filter::Name;
pub(super) use crate::source::netlink::attributes::Attributes;

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
