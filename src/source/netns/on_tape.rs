//! Which namespaces a run looked into, on tape.

use super::View;
use crate::source::tape::codec::{Bytes, Taped};

impl Taped for View {
    fn encode(&self, out: &mut Vec<u8>) {
        (self.inode, self.pid).encode(out);
        self.name.encode(out);
        self.is_own.encode(out);
        self.paths.encode(out);
    }

    fn decode(bytes: &mut Bytes<'_>) -> Option<Self> {
        let (inode, pid) = Taped::decode(bytes)?;
        Some(Self {
            inode,
            name: Taped::decode(bytes)?,
            is_own: Taped::decode(bytes)?,
            paths: Taped::decode(bytes)?,
            pid,
        })
    }

    fn missing() -> Self {
        Self::default()
    }
}
