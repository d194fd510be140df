//! Any bytes as the kernel's rules: nf_tables replies and a table of iptables-legacy, decoded without a panic.
//!
//! The input is a sequence of replies: type of the request (u16), length (u32, both little-endian), payload. Type 0xffff is
//! a table of iptables-legacy: family (u8), `struct ipt_getinfo` (84 bytes), entries.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sockstat::source::packet_filter::legacy;
use sockstat::source::packet_filter::nft::Tables;

const ELEMENTS: u16 = 13;
const LEGACY: u16 = 0xffff;

fuzz_target!(|bytes: &[u8]| {
    let mut tables = Tables::default();
    let mut rest = bytes;
    while let Some((header, tail)) = rest.split_first_chunk::<6>() {
        let [low, high, length @ ..] = *header;
        let length = tail.len().min(u32::from_le_bytes(length) as usize);
        let (payload, next) = tail.split_at(length);
        rest = next;
        let Some(body) = payload.get(4..) else { continue };
        match u16::from_le_bytes([low, high]) {
            ELEMENTS => tables.take_elements(payload[0], body),
            LEGACY if payload.len() > 85 => {
                let _ = legacy::decode(payload[0] & 1 == 1, b"filter", &payload[1..85], &payload[85..]);
            }
            kind => tables.take(kind, payload[0], body),
        }
    }
});
