//! The namespaces that a run read, in recordings.

use std::path::PathBuf;

use super::{View, Way};
use crate::source::tape::codec::{Bytes, Recordable};

impl Recordable for View {
    fn encode(&self, out: &mut Vec<u8>) {
        (self.inode, self.pid).encode(out);
        self.name.encode(out);
        self.is_own.encode(out);
        // A replay enters nothing: the result is only read back.
        let paths: Vec<PathBuf> = self.ways.iter().map(Way::path).collect();
        paths.encode(out);
    }

    fn decode(bytes: &mut Bytes<'_>) -> Option<Self> {
        let (inode, pid) = Recordable::decode(bytes)?;
        let (name, is_own) = (Recordable::decode(bytes)?, Recordable::decode(bytes)?);
        let paths: Vec<PathBuf> = Recordable::decode(bytes)?;
        Some(Self {
            inode,
            name,
            is_own,
            ways: paths.into_iter().map(Way::from).collect(),
            pid,
        })
    }

    fn absent() -> Self {
        Self::default()
    }
}
