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

/// Records a structure as its fields, in this order.
macro_rules! recordable {
    ($Type:ty { $($field:ident),* }) => {
        impl $crate::source::tape::codec::Recordable for $Type {
            fn encode(&self, out: &mut Vec<u8>) {
                $($crate::source::tape::codec::Recordable::encode(&self.$field, out);)*
            }

            fn decode(bytes: &mut $crate::source::tape::codec::Bytes<'_>) -> Option<Self> {
                $(let $field = $crate::source::tape::codec::Recordable::decode(bytes)?;)*
                Some(Self { $($field),* })
            }

            fn absent() -> Self {
                Self { $($field: $crate::source::tape::codec::Recordable::absent()),* }
            }
        }
    };
}
pub(crate) use recordable;

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

/// Records a type as another one: how to convert it, how to convert it back, and its value if a recording has none.
macro_rules! recorded_as {
    ($($Type:ty => $Other:ty: $encode:expr, $decode:expr, $absent:expr;)*) => {$(
        impl Recordable for $Type {
            fn encode(&self, out: &mut Vec<u8>) {
                let encode: fn(&Self) -> $Other = $encode;
                encode(self).encode(out);
            }

            fn decode(bytes: &mut Bytes<'_>) -> Option<Self> {
                let decode: fn($Other) -> Option<Self> = $decode;
                decode(Recordable::decode(bytes)?)
            }

            fn absent() -> Self {
                $absent
            }
        }
    )*};
}

recorded_as! {
    bool => u8: |it| u8::from(*it), |byte| (byte < 2).then_some(byte == 1), false;
    // Takes at least one byte, like every value.
    () => u8: |()| 0, |_| Some(()), ();
    usize => u64: |it| *it as u64, |number| number.try_into().ok(), 0;
    String => Vec<u8>: |it| it.as_bytes().to_vec(), |bytes| Self::from_utf8(bytes).ok(), Self::new();
    Box<[u8]> => Vec<u8>: |it| it.to_vec(), |bytes| Some(bytes.into()), Self::default();
    OsString => Vec<u8>: |it| it.as_bytes().to_vec(), |bytes| Some(Self::from_vec(bytes)), Self::new();
    PathBuf => OsString: |it| it.as_os_str().to_owned(), |name| Some(name.into()), Self::new();
    IpAddr => Vec<u8>: octets, |bytes| address_of(&bytes), Self::from([0; 4]);
    // In nanoseconds.
    Duration => u64: |it| u64::try_from(it.as_nanos()).unwrap_or(u64::MAX), |ns| Some(Self::from_nanos(ns)), Self::ZERO;
    // Since 1970.
    SystemTime => Duration:
        |it| it.duration_since(UNIX_EPOCH).unwrap_or_default(), |since| UNIX_EPOCH.checked_add(since), UNIX_EPOCH;
}

fn octets(address: &IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().into(),
        IpAddr::V6(address) => address.octets().into(),
    }
}

fn address_of(octets: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(octets).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(octets).map(IpAddr::from))
        .ok()
}

recordable!(Holder { inode, pid, fd, tid });

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

/// An error is recorded as its errno; a missing value reads as "not found".
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
        Some(Vec::<(K, V)>::decode(bytes)?.into_iter().collect())
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

/// Encodes a value as bytes.
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
            assert_eq!(decoded::<T>(&bytes[..length]), None, "truncated at {length}");
        }
    }

    #[test]
    fn values_are_decoded_as_encoded() {
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
    fn an_impossible_count_is_rejected_before_anything_is_allocated() {
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
