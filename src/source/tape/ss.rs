//! Reads what `ss -D FILE` writes (iproute2 7.1 misc/ss.c): netlink messages with TCP sockets, concatenated as
//! received, without a file header. There are end-of-dump messages in between. `ss` itself stops at the first one; this
//! reader continues, because `ss` writes the IPv6 half after it.

use std::io::Read;

use netlink_packet_core::{NLM_F_MULTIPART, NLMSG_DONE, NLMSG_ERROR};
use netlink_packet_sock_diag::SOCK_DIAG_BY_FAMILY;

use super::asked::KEY_OF_SS;
use super::codec;
use super::format::{Damage, Kind, Record};
use super::netlink::Answer;
use crate::source::uapi::TCPDIAG_GETSOCK;

const HEADER_BYTES: usize = size_of::<libc::nlmsghdr>();
/// More than any machine's sockets take.
const FILE_BYTES_MAX: u64 = 1 << 30;

/// Reads such a file as a single record: a dump of TCP over both families.
///
/// # Errors
/// If it is not such a file, or ends in the middle of a message.
pub fn read(from: impl Read) -> Result<Record, Damage> {
    let mut bytes = Vec::new();
    let got = from.take(FILE_BYTES_MAX).read_to_end(&mut bytes);
    if got.map_err(|error| Damage(error.to_string()))? as u64 == FILE_BYTES_MAX {
        return Err(Damage(format!("it is longer than {FILE_BYTES_MAX} bytes")));
    }
    let mut at = 0;
    let mut ended = false;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let Some((length, kind)) = message(rest) else {
            return Err(Damage(if at == 0 {
                "it is neither a recording nor a dump by `ss -D`".to_owned()
            } else {
                format!("it is damaged, or truncated inside the message at byte {at}")
            }));
        };
        match kind {
            NLMSG_DONE => ended = true,
            NLMSG_ERROR => {
                return Err(Damage(format!(
                    "it contains an error of the kernel, at byte {at}"
                )));
            }
            // Gives all messages the same sequence number, so that they belong to one dump.
            _ => {
                ended = false;
                super::netlink::set_sequence(&mut bytes, at, 0);
            }
        }
        at += length.next_multiple_of(4);
    }
    if bytes.is_empty() {
        return Err(Damage(
            "it is empty: neither a recording nor a dump by `ss -D`".to_owned(),
        ));
    }
    if !ended {
        return Err(Damage(format!(
            "it is truncated at byte {}, before the end of the dump",
            bytes.len()
        )));
    }
    let messages = without_ends(&bytes);
    Ok(Record {
        kind: Kind::Netlink,
        key: KEY_OF_SS.to_vec(),
        value: codec::encoded(&Answer::whole(messages)),
    })
}

/// Appends a message in this format; `payload` is what follows the netlink header.
pub fn push_message(messages: &mut Vec<u8>, payload: &[u8]) {
    push(messages, SOCK_DIAG_BY_FAMILY, payload);
}

/// Appends the message that ends a dump.
pub fn push_end(messages: &mut Vec<u8>) {
    push(messages, NLMSG_DONE, &[0; 4]);
}

fn push(messages: &mut Vec<u8>, kind: u16, payload: &[u8]) {
    let length = u32::try_from(HEADER_BYTES + payload.len()).unwrap_or(u32::MAX);
    messages.extend(length.to_ne_bytes());
    messages.extend(kind.to_ne_bytes());
    messages.extend(NLM_F_MULTIPART.to_ne_bytes());
    messages.extend([0; 8]);
    messages.extend_from_slice(payload);
    messages.resize(messages.len().next_multiple_of(4), 0);
}

/// Returns the length and type of the first message, if such a file can contain it.
fn message(rest: &[u8]) -> Option<(usize, u16)> {
    let length = usize::try_from(u32::from_ne_bytes(*rest.first_chunk()?)).ok()?;
    let kind = u16::from_ne_bytes(*rest.get(4..)?.first_chunk()?);
    let known = matches!(
        kind,
        NLMSG_ERROR | NLMSG_DONE | TCPDIAG_GETSOCK | SOCK_DIAG_BY_FAMILY
    );
    (known && length >= HEADER_BYTES && length <= rest.len()).then_some((length, kind))
}

fn without_ends(bytes: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((length, kind)) = message(rest) {
        let (one, tail) = rest.split_at(length.next_multiple_of(4).min(rest.len()));
        if kind != NLMSG_DONE {
            kept.extend_from_slice(one);
        }
        rest = tail;
    }
    kept
}
