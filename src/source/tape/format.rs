//! The file format: a header, records of kind, key and value, and an end record with their number.
//! docs/recording.md has the layout.

use std::io::{self, Read, Write};

/// The first bytes of every recording.
pub const MAGIC: &[u8; 18] = b"sockstat-recording";
/// The version of the format that is written, and the only one that is read.
pub const VERSION: u16 = 1;
/// Maximum length of a key, which is a path, a request or a name.
const KEY_BYTES_MAX: u32 = 1 << 20;
/// Maximum length of a value, which is the text of a file or the reply to a dump; that of a million sockets with every
/// attribute fits.
const VALUE_BYTES_MAX: u32 = 1 << 30;
/// Maximum length of a file.
pub const FILE_BYTES_MAX: u64 = 2 << 30;
/// The description of a file that ends too early.
const TRUNCATED: &str = "it is truncated";
/// The kind of the last record; its value is the number of records before it.
const END: u8 = 0;

/// The kind of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    /// A netlink request and its reply.
    Netlink = 1,
    /// A file's text, by path.
    File = 2,
    /// The target of a link.
    Link = 3,
    /// The names in a directory.
    Directory = 4,
    /// The result of stat on a path.
    Metadata = 5,
    /// What a walk over processes' descriptors found.
    Walk = 6,
    /// The records of the kernel's BPF iterator.
    Bpf = 7,
    /// Name lookups.
    Names = 8,
    /// Anything else, by name: the time, the user, the kernel.
    Fact = 9,
}

impl Kind {
    const ALL: [Self; 9] = [
        Self::Netlink,
        Self::File,
        Self::Link,
        Self::Directory,
        Self::Metadata,
        Self::Walk,
        Self::Bpf,
        Self::Names,
        Self::Fact,
    ];

    fn of(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == byte)
    }
}

/// A record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its kind.
    pub kind: Kind,
    /// Its key.
    pub key: Vec<u8>,
    /// Its value.
    pub value: Vec<u8>,
}

/// The byte order of the netlink replies in a file: that of the machine that recorded them.
const BYTE_ORDER: u8 = if cfg!(target_endian = "big") { b'B' } else { b'L' };

/// Writes the header.
///
/// # Errors
/// Any error of the writer.
pub fn write_header(out: &mut impl Write) -> io::Result<()> {
    out.write_all(MAGIC)?;
    out.write_all(&[BYTE_ORDER, 0])?;
    out.write_all(&VERSION.to_le_bytes())
}

/// Writes a record.
///
/// # Errors
/// Any error of the writer, or that the record is larger than a reader would accept.
pub fn write_record(out: &mut impl Write, kind: Kind, key: &[u8], value: &[u8]) -> io::Result<()> {
    write_parts(out, kind as u8, key, value)
}

/// Writes the end record.
///
/// # Errors
/// Any error of the writer.
pub fn write_end(out: &mut impl Write, records: u64) -> io::Result<()> {
    write_parts(out, END, b"", &records.to_le_bytes())
}

fn write_parts(out: &mut impl Write, kind: u8, key: &[u8], value: &[u8]) -> io::Result<()> {
    let length = |bytes: &[u8], most: u32| {
        u32::try_from(bytes.len())
            .ok()
            .filter(|length| *length <= most)
            .ok_or_else(|| io::Error::other("a record is too large for a recording"))
    };
    out.write_all(&[kind])?;
    out.write_all(&length(key, KEY_BYTES_MAX)?.to_le_bytes())?;
    out.write_all(&length(value, VALUE_BYTES_MAX)?.to_le_bytes())?;
    out.write_all(key)?;
    out.write_all(value)
}

/// Why a file cannot be read as a recording: a sentence, with the position if there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage(pub String);

impl Damage {
    /// Whether the file ends too early but is otherwise intact.
    pub fn is_truncation(&self) -> bool {
        self.0.starts_with(TRUNCATED)
    }
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Damage {}

/// Reads the records after the magic bytes, which the caller has read, up to the end record. Never allocates more than
/// the file contains.
///
/// # Errors
/// [`Damage`], with the offset at which it was found. The records before it have been passed on.
pub fn each_record(from: impl Read, mut take: impl FnMut(Record)) -> Result<(), Damage> {
    let mut reader = Reader {
        from: from.take(FILE_BYTES_MAX),
        at: MAGIC.len() as u64,
    };
    let [order, _] = reader.array()?;
    let version = u16::from_le_bytes(reader.array()?);
    if version != VERSION {
        let message =
            format!("format version {version} is not supported: this sockstat reads version {VERSION}");
        return Err(Damage(message));
    }
    if order != BYTE_ORDER {
        let message =
            "it was made on a machine of the other byte order, and can be read only on such a machine";
        return Err(Damage(message.to_owned()));
    }
    let mut records: u64 = 0;
    loop {
        let start = reader.at;
        let [kind] = reader.array()?;
        let key_bytes = u32::from_le_bytes(reader.array()?);
        let value_bytes = u32::from_le_bytes(reader.array()?);
        if key_bytes > KEY_BYTES_MAX || value_bytes > VALUE_BYTES_MAX {
            return Err(Damage(format!(
                "the record at byte {start} exceeds the maximum length"
            )));
        }
        let key = reader.bytes(key_bytes)?;
        let value = reader.bytes(value_bytes)?;
        if kind == END {
            let counted = records.to_le_bytes();
            return if value == counted {
                Ok(())
            } else {
                Err(Damage(format!(
                    "the end at byte {start} has a wrong number of records"
                )))
            };
        }
        let Some(kind) = Kind::of(kind) else {
            return Err(Damage(format!(
                "the record at byte {start} has the unknown kind {kind}"
            )));
        };
        take(Record { kind, key, value });
        records += 1;
    }
}

struct Reader<R> {
    from: io::Take<R>,
    at: u64,
}

impl<R: Read> Reader<R> {
    fn bytes(&mut self, count: u32) -> Result<Vec<u8>, Damage> {
        let mut bytes = Vec::new();
        // Grows with the data, whatever length was claimed.
        let result = self.from.by_ref().take(count.into()).read_to_end(&mut bytes);
        // For many small records, most of the buffer would be unused.
        bytes.shrink_to_fit();
        let start = self.at;
        self.at += bytes.len() as u64;
        match result {
            Err(error) => Err(Damage(format!("cannot read it at byte {}: {error}", self.at))),
            Ok(got) if got as u64 == u64::from(count) => Ok(bytes),
            Ok(_) if self.from.limit() == 0 => {
                Err(Damage(format!("it is longer than {FILE_BYTES_MAX} bytes")))
            }
            Ok(_) => Err(Damage(format!(
                "{TRUNCATED} at byte {}, inside the record at byte {start}",
                self.at
            ))),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Damage> {
        let mut array = [0; N];
        let bytes = self.bytes(u32::try_from(N).unwrap_or(0))?;
        array.copy_from_slice(&bytes);
        Ok(array)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recording(records: &[Record]) -> Vec<u8> {
        let mut out = Vec::new();
        write_header(&mut out).unwrap();
        for record in records {
            write_record(&mut out, record.kind, &record.key, &record.value).unwrap();
        }
        write_end(&mut out, records.len() as u64).unwrap();
        out
    }

    fn read(bytes: &[u8]) -> Result<Vec<Record>, Damage> {
        let mut records = Vec::new();
        each_record(&bytes[MAGIC.len()..], |record| records.push(record))?;
        Ok(records)
    }

    fn records() -> Vec<Record> {
        Kind::ALL
            .into_iter()
            .map(|kind| Record {
                kind,
                key: b"/proc/1/comm".to_vec(),
                value: vec![kind as u8; 40],
            })
            .collect()
    }

    #[test]
    fn the_numbers_of_kinds_stay_as_they_were_in_version_1() {
        assert_eq!(Kind::ALL.map(|kind| kind as u8), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
        let names = [Kind::Netlink, Kind::File, Kind::Walk, Kind::Bpf, Kind::Fact];
        assert_eq!(names.map(|kind| kind as u8), [1, 2, 6, 7, 9]);
    }

    #[test]
    fn records_are_read_in_order() {
        assert_eq!(read(&recording(&records())), Ok(records()));
        assert_eq!(read(&recording(&[])), Ok(Vec::new()));
    }

    #[test]
    fn truncation_is_reported_with_its_position() {
        let whole = recording(&records());
        for length in MAGIC.len()..whole.len() {
            let Damage(message) = read(&whole[..length]).unwrap_err();
            assert!(
                message.contains(&format!("truncated at byte {length}")),
                "{length}: {message}"
            );
        }
    }

    #[test]
    fn false_lengths_and_counts_are_reported_with_their_position() {
        let damaged = |at: usize, bytes: &[u8]| {
            let mut whole = recording(&records());
            whole[at..at + bytes.len()].copy_from_slice(bytes);
            read(&whole).unwrap_err().0
        };
        let first = MAGIC.len() + 4;
        assert!(damaged(first, &[77]).contains("at byte 22 has the unknown kind 77"));
        assert!(damaged(first + 1, &u32::MAX.to_le_bytes()).contains("at byte 22 exceeds"));
        assert!(damaged(first + 5, &(1u32 << 29).to_le_bytes()).contains("truncated at byte"));
        assert!(damaged(MAGIC.len() + 2, &9u16.to_le_bytes()).contains("version 9"));
        assert!(damaged(MAGIC.len(), &[b'B' ^ b'L' ^ BYTE_ORDER]).contains("byte order"));
        let end = recording(&records()).len() - 8;
        assert!(damaged(end, &7u64.to_le_bytes()).contains("a wrong number of records"));
    }
}
