//! Messages of rtnetlink, whose numbers are in the machine's byte order.

use std::net::IpAddr;

use netlink_packet_core::NLM_F_REQUEST;

pub(super) use crate::source::netlink::attributes::Attributes;

/// Returns a request: `struct nlmsghdr`, followed by `header`.
pub(super) fn message(kind: u16, flags: u16, header: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 4];
    bytes.extend(kind.to_ne_bytes());
    bytes.extend((NLM_F_REQUEST | flags).to_ne_bytes());
    bytes.extend([0; 8]);
    bytes.extend_from_slice(header);
    set_length(&mut bytes);
    bytes
}

fn set_length(bytes: &mut [u8]) {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    if let Some(field) = bytes.first_chunk_mut() {
        *field = length.to_ne_bytes();
    }
}

/// Appends an attribute.
pub(super) fn push(bytes: &mut Vec<u8>, kind: u16, value: &[u8]) {
    let length = u16::try_from(value.len() + 4).unwrap_or(u16::MAX);
    bytes.extend(length.to_ne_bytes());
    bytes.extend(kind.to_ne_bytes());
    bytes.extend_from_slice(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    set_length(bytes);
}

/// Appends an address.
pub(super) fn push_address(bytes: &mut Vec<u8>, kind: u16, address: IpAddr) {
    match address {
        IpAddr::V4(v4) => push(bytes, kind, &v4.octets()),
        IpAddr::V6(v6) => push(bytes, kind, &v6.octets()),
    }
}

/// An address of four or sixteen bytes.
pub(super) fn address(value: &[u8]) -> Option<IpAddr> {
    match value.len() {
        4 => value.first_chunk::<4>().map(|bytes| IpAddr::from(*bytes)),
        16 => value.first_chunk::<16>().map(|bytes| IpAddr::from(*bytes)),
        _ => None,
    }
}

/// A number of four bytes; 0 if it is truncated.
pub(super) fn word(value: &[u8]) -> u32 {
    value.first_chunk().map_or(0, |bytes| u32::from_ne_bytes(*bytes))
}
