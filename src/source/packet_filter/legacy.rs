//! Reads and decodes the tables of iptables-legacy that exist.

use std::io;

use super::legacy_socket;
use crate::model::packet_filter::{Extension, LegacyEntry, LegacyTable, LegacyTarget, Unread};
use crate::source::{disk, tape};

/// How many times to try to read a table that changes meanwhile.
const TRIES: usize = 8;
/// The length of `struct xt_entry_match` and `struct xt_entry_target` without their data.
const EXTENSION_HEADER_BYTES: usize = 32;
const NAME_AT: usize = 2;
const NAME_BYTES: usize = 29;
const REVISION_AT: usize = 31;
/// The name of the target at the start of a user-defined chain.
const ERROR: &[u8] = b"ERROR";

/// Where the fields of `struct ipt_entry` and `struct ip6t_entry` are.
struct Layout {
    bytes: usize,
    address_bytes: usize,
    interfaces: usize,
    protocol: usize,
    flags: usize,
    inverted: usize,
    target: usize,
    next: usize,
}

const V4: Layout = Layout {
    bytes: 112,
    address_bytes: 4,
    interfaces: 16,
    protocol: 80,
    flags: 82,
    inverted: 83,
    target: 88,
    next: 90,
};

const V6: Layout = Layout {
    bytes: 168,
    address_bytes: 16,
    interfaces: 64,
    protocol: 128,
    flags: 131,
    inverted: 132,
    target: 140,
    next: 142,
};

/// Reads every table that exists.
///
/// # Errors
/// See [`Unread`].
pub fn read() -> Result<Vec<LegacyTable>, Unread> {
    let mut tables = Vec::new();
    for (v6, list) in [(false, "ip_tables_names"), (true, "ip6_tables_names")] {
        let names = match disk::read(format!("/proc/thread-self/net/{list}")) {
            Ok(names) => names,
            // The kernel has none.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(unread(&error)),
        };
        for name in names.split(|byte| *byte == b'\n').filter(|name| !name.is_empty()) {
            let (info, entries) = read_table(v6, name).map_err(|error| unread(&error))?;
            // A truncated table is not used at all.
            let table = decode(v6, name, &info, &entries).ok_or(Unread::Failed(0))?;
            tables.push(table);
        }
    }
    Ok(tables)
}

fn unread(error: &io::Error) -> Unread {
    match error.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => Unread::NeedsNetAdmin,
        Some(libc::E2BIG) => Unread::TooLarge,
        errno => Unread::Failed(errno.unwrap_or(0)),
    }
}

fn read_table(v6: bool, table: &[u8]) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let name = format!(
        "ip{}tables table {}",
        if v6 { "6" } else { "" },
        String::from_utf8_lossy(table)
    );
    tape::fact(&name, || {
        let mut result = legacy_socket::read(v6, table);
        for _ in 1..TRIES {
            match &result {
                // What the kernel returns if the size has changed.
                Err(error) if error.raw_os_error() == Some(libc::EAGAIN) => {
                    result = legacy_socket::read(v6, table);
                }
                _ => break,
            }
        }
        result
    })
}

/// Decodes a table from `struct ipt_getinfo` and its entries; `None` if they are malformed.
pub fn decode(v6: bool, name: &[u8], info: &[u8], blob: &[u8]) -> Option<LegacyTable> {
    let five = |at: usize| -> Option<[u32; 5]> {
        let mut numbers = [0; 5];
        for (index, number) in numbers.iter_mut().enumerate() {
            *number = word(info, at + 4 * index)?;
        }
        Some(numbers)
    };
    let mut table = LegacyTable {
        v6,
        name: name.into(),
        hooks: word(info, 32)?,
        begins: five(36)?,
        policies: five(56)?,
        entries: Vec::new(),
    };
    let layout = if v6 { &V6 } else { &V4 };
    let mut offset = 0;
    while offset < blob.len() {
        let next = usize::from(short(blob, offset + layout.next)?);
        let entry = blob.get(offset..offset + next.max(layout.bytes))?;
        table.entries.push(decode_entry(v6, layout, offset, entry)?);
        offset += next.max(layout.bytes);
    }
    Some(table)
}

fn decode_entry(v6: bool, layout: &Layout, offset: usize, entry: &[u8]) -> Option<LegacyEntry> {
    let address = |index: usize| -> Option<Box<[u8]>> {
        let at = index * layout.address_bytes;
        entry.get(at..at + layout.address_bytes).map(Into::into)
    };
    let mut interfaces = [[0; 16]; 4];
    for (index, name) in interfaces.iter_mut().enumerate() {
        *name = *entry.get(layout.interfaces + 16 * index..)?.first_chunk()?;
    }
    let flags = *entry.get(layout.flags)?;
    let (protocol, is_goto, is_fragment) = if v6 {
        let counts = flags & 1 != 0;
        let protocol = if counts { short(entry, layout.protocol)? } else { 0 };
        (protocol, flags & 4 != 0, false)
    } else {
        (short(entry, layout.protocol)?, flags & 2 != 0, flags & 1 != 0)
    };
    let target = usize::from(short(entry, layout.target)?);
    let mut matches = Vec::new();
    // The traffic class (IP6T_F_TOS), which predictions do not know.
    if v6 && flags & 2 != 0 {
        matches.push(Extension {
            name: (*b"tos").into(),
            revision: 0,
            info: Box::default(),
        });
    }
    let mut at = layout.bytes;
    while at < target {
        let (extension, bytes) = extension(entry.get(at..target)?)?;
        matches.push(extension);
        at += bytes;
    }
    let (extension, _) = extension(entry.get(target..)?)?;
    let target = match &*extension.name {
        b"" => LegacyTarget::Standard(word(&extension.info, 0)?.cast_signed()),
        ERROR => LegacyTarget::Begin(up_to_nul(&extension.info).into()),
        _ => LegacyTarget::Extension(extension),
    };
    Some(LegacyEntry {
        offset: u32::try_from(offset).ok()?,
        next: u32::try_from(offset + entry.len()).ok()?,
        addresses: [address(0)?, address(1)?, address(2)?, address(3)?],
        interfaces: interfaces
            .as_flattened()
            .iter()
            .any(|byte| *byte != 0)
            .then(|| Box::new(interfaces)),
        protocol,
        flags: u8::from(is_fragment) | (u8::from(is_goto) << 1),
        inverted: *entry.get(layout.inverted)?,
        matches,
        target,
    })
}

/// A match or target and its length.
fn extension(bytes: &[u8]) -> Option<(Extension, usize)> {
    let length = usize::from(short(bytes, 0)?);
    let whole = bytes.get(..length)?;
    let extension = Extension {
        name: up_to_nul(whole.get(NAME_AT..NAME_AT + NAME_BYTES)?).into(),
        revision: *whole.get(REVISION_AT)?,
        info: whole.get(EXTENSION_HEADER_BYTES..)?.into(),
    };
    Some((extension, length))
}

fn up_to_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes
        .get(at..)?
        .first_chunk()
        .map(|bytes| u32::from_ne_bytes(*bytes))
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    bytes
        .get(at..)?
        .first_chunk()
        .map(|bytes| u16::from_ne_bytes(*bytes))
}
