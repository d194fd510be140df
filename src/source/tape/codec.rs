//! Encodes values as bytes: little-endian numbers, lengths before their contents. Decoding trusts nothing: a length
//! that exceeds the remaining bytes is an error, and nothing is allocated ahead of the data.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::net::IpAddr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::model::Holder;

/// Bytes to decode.
#[derive(Clone, Copy, Debug)]
pub struct Bytes<'a>(pub &'a [u8]);

impl<'a> Bytes<'a> {
    /// Takes the next `count` bytes.
    pub fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn chunk<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }
}

/// A value that can be recorded.
pub trait Recordable: Sized {
    /// Appends the value.
    fn encode(&self, out: &mut Vec<u8>);

    /// Decodes it; `None` if the bytes are not of this type.
    fn decode(bytes: &mut Bytes<'_>) -> Option<Self>;

    /// The value if a recording has none.
    fn absent() -> Self;
}

macro_rules! number {
    ($($number:ty),*) => {$(
        impl Recordable for $number {
            fn encode(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }

            fn decode(bytes: &mut Bytes<'_>) -> Option<Self> {
                bytes.chunk().map(Self::from_le_bytes)
            }

            fn absent() -> Self {
                0
            }
        }
    )*};
}

number!(u8, u16, u32, u64, i32);

impl Recordable for bool {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn decode(bytes: &mut Bytes<'_>) -> Option<Self> {
        match u8::decode(bytes)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    fn absent() -> Self {
        false
    }
}

/// At least one byte, like every value.
impl Recordable for () {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(0);
    }

    fn decode(bytes: &mut Bytes<'_>) -> Option<Self> {
        u8::decode(bytes).map(|_| ())
    }

    fn absent() -> Self {}
}

impl Recordable for usize {
    fn encode(&self, out: &mut Vec<u8>) {
        (*self as u64).encode(out);
    }

    fn decode(bytes: &mut Bytes<'_>) -> Option<Self> {
        u64::decode(bytes)?.try_into().ok()
    }

    fn absent() -> Self {
        0
    }
}

impl<T: Recordable> Recordable for Vec<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        self.len().encode(out);
        for one in self {
            one.encode(out);
        }
    }

    fn decode(bytes: &mut Bytes<'_>) -> Option<Self> {
        let count = usize::decode(bytes)?;
        // Every value takes at least one byte.
        if count > bytes.0.len() {
            return None;
        }
        (0..count).map(|_| T::decode(bytes)).collect()
    }

    fn absent() -> Self {
        Self::new()
    }
}

impl Recordable for String {
    fn encode(&self, out: &mut Vec<u8>) {
        self.as_bytes().to_vec().encode(out);
    }

    fn decode(bytes: &mut Bytes<'_>) -> Option<Self> {
        Self::from_utf8(Vec::decode(bytes)?).ok()
    }

    fn absent() -> Self {
        Self::new()
    }
}

impl Recordable for Box<[u8]> {
    fn encode(&self, out: &mut Vec<u8>) {
        self.to_vec().encode(out);
    }

    fn decode(bytes: &mut Bytes<'_>) -> Option<Self> {
        Vec::decode(bytes).map(Into::into)
    }

    fn absent() -> Self {
        Self::default()
    }
}

impl Recordable for OsString {
    fn encode(&self, out: &mut Vec<u8>) {
        self.as_bytes().to_vec().encode(out);
    }

    fn decode(bytes: &mut Bytes<'_>) -> Option<Self> {
        Vec::decode(bytes).map(Self::from_vec)
    }

    fn absent() -> Self {
        Self::new()
    }
}

impl Recordable for PathBuf {
    fn encode(&self, out: &mut Vec<u8>) {
        self.as_os_str().to_owned().encode(out);
    }

    fn decode(bytes: &mut Bytes<'_>) -> Option<Self> {
        OsString::decode(bytes).map(Into::into)
    }

    fn absent() -> Self {
        Self::new()
    }
}

impl<T: Recordable> Recordable for Option<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        self.is_some().encode(out);
        if let Some(value) = self {
            value.encode(out);
        }
    }

    fn decode(bytes: &mut Bytes<'_>) -> Option<Self> {
        if bool::decode(bytes)? {
            T::decode(bytes).map(Some)
        } else {
            Some(None)
        }
    }

    fn absent() -> Self {
        None
    }
}

/// An error is its errno; a missing value is "not found".
impl<T: Recordable> Recordable for io::Result<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Ok(value) => {
                0i32.encode(out);
                value.encode(out);
            }
            Err(error) => error
                .raw_os_error()
                .filter(|errno| *errno > 0)
                .unwrap_or(libc::EIO)
                .encode(out),
        }
    }

    fn decode(bytes: &mut Bytes<'_>) -> Option<Self> {
        match i32::decode(bytes)? {
            0 => T::decode(bytes).map(Ok),
            errno => Some(Err(io::Error::from_raw_os_error(errno))),
        }
    }

    fn absent() -> Self {
        Err(io::Error::from_raw_os_error(libc::ENOENT))
    }
}

impl<K: Recordable + Ord, V: Recordable> Recordable for BTreeMap<K, V> {
    fn encode(&self, out: &mut Vec<u8>) {
        self.len().encode(out);
        for (key, value) in self {
            key.encode(out);
            value.encode(out);
        }
    }

    fn decode(bytes: &mut Bytes<'_>) -> Option<Self> {
        let count = usize::decode(bytes)?;
        if count > bytes.0.len() {
            return None;
        }
        (0..count)
            .map(|_| Some((K::decode(bytes)?, V::decode(bytes)?)))
            .collect()
    }

    fn absent() -> Self {
        Self::new()
    }
}

macro_rules! together {
    ($($name:ident $at:tt),*) => {
        impl<$($name: Recordable),*> Recordable for ($($name,)*) {
            fn encode(&self, out: &mut Vec<u8>) {
                $(self.$at.encode(out);)*
            }

            fn decode(bytes: &mut Bytes<'_>) -> Option<Self> {
                Some(($($name::decode(bytes)?,)*))
            }

            fn absent() -> Self {
                ($($name::absent(),)*)
            }
        }
    };
}

together!(A 0, B 1);
together!(A 0, B 1, C 2);
together!(A 0, B 1, C 2, D 3);

impl Recordable for IpAddr {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::V4(address) => address.octets().to_vec().encode(out),
            Self::V6(address) => address.octets().to_vec().encode(out),
        }
    }

    fn decode(bytes: &mut Bytes<'_>) -> Option<Self> {
        let octets = Vec::decode(bytes)?;
        let v4 = || <[u8; 4]>::try_from(octets.as_slice()).ok().map(Self::from);
        v4().or_else(|| <[u8; 16]>::try_from(octets.as_slice()).ok().map(Self::from))
    }

    fn absent() -> Self {
        Self::from([0; 4])
    }
}

/// Nanoseconds.
impl Recordable for Duration {
    fn encode(&self, out: &mut Vec<u8>) {
        u64::try_from(self.as_nanos()).unwrap_or(u64::MAX).encode(out);
    }

    fn decode(bytes: &mut Bytes<'_>) -> Option<Self> {
        u64::decode(bytes).map(Self::from_nanos)
    }

    fn absent() -> Self {
        Self::ZERO
    }
}

/// Nanoseconds since 1970.
impl Recordable for SystemTime {
    fn encode(&self, out: &mut Vec<u8>) {
        self.duration_since(UNIX_EPOCH).unwrap_or_default().encode(out);
    }

    fn decode(bytes: &mut Bytes<'_>) -> Option<Self> {
        Some(UNIX_EPOCH + Duration::decode(bytes)?)
    }

    fn absent() -> Self {
        UNIX_EPOCH
    }
}

impl Recordable for Holder {
    fn encode(&self, out: &mut Vec<u8>) {
        (self.inode, self.pid, self.fd, self.tid).encode(out);
    }

    fn decode(bytes: &mut Bytes<'_>) -> Option<Self> {
        let (inode, pid, fd, tid) = Recordable::decode(bytes)?;
        Some(Self { inode, pid, fd, tid })
    }

    fn absent() -> Self {
        Self {
            inode: 0,
            pid: 0,
            fd: 0,
            tid: 0,
        }
    }
}

/// A value as bytes.
pub fn encoded<T: Recordable>(value: &T) -> Vec<u8> {
    let mut out = Vec::new();
    value.encode(&mut out);
    out
}

/// Decodes the value that takes up all of these bytes.
pub fn decoded<T: Recordable>(bytes: &[u8]) -> Option<T> {
    let mut bytes = Bytes(bytes);
    T::decode(&mut bytes).filter(|_| bytes.0.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn round<T: Recordable + std::fmt::Debug + PartialEq>(value: T) {
        let bytes = encoded(&value);
        assert_eq!(decoded::<T>(&bytes), Some(value));
        for length in 0..bytes.len() {
            assert_eq!(decoded::<T>(&bytes[..length]), None, "cut at {length}");
        }
    }

    #[test]
    fn values_come_back() {
        round((7u16, true, "a b".to_owned(), vec![1u8, 2]));
        round(Some(BTreeMap::from([(1u32, "root".to_owned())])));
        round(vec![IpAddr::from([127, 0, 0, 1]), IpAddr::from([1; 16])]);
        round((Duration::from_millis(1500), UNIX_EPOCH + Duration::new(9, 7)));
        round(Holder {
            inode: 1,
            pid: 2,
            fd: 3,
            tid: 4,
        });
        let refused: io::Result<u32> = Err(io::Error::from_raw_os_error(libc::EACCES));
        let again: io::Result<u32> = decoded(&encoded(&refused)).unwrap();
        assert_eq!(again.unwrap_err().raw_os_error(), Some(libc::EACCES));
    }

    #[test]
    fn a_count_that_cannot_be_is_refused_before_anything_is_allocated() {
        assert_eq!(decoded::<Vec<u64>>(&u64::MAX.to_le_bytes()), None);
        assert_eq!(decoded::<BTreeMap<u32, u32>>(&u64::MAX.to_le_bytes()), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_value_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decoded::<Vec<(u32, io::Result<Vec<u8>>)>>(&bytes);
            let _ = decoded::<BTreeMap<String, Option<IpAddr>>>(&bytes);
        }
    }
}
