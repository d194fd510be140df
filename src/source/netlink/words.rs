//! Reads numbers from fixed kernel structures.

/// Offset of `rmem_alloc` in the memory attribute of every family (`SK_MEMINFO_*`, linux 6.18
/// include/uapi/linux/sock_diag.h).
pub(super) const RMEM_ALLOC: usize = 0;
/// Offset of `wmem_alloc`.
pub(super) const WMEM_ALLOC: usize = 8;
/// Offset of `drops`; older kernels end before it.
pub(super) const DROPS: usize = 32;

/// Returns the 32-bit number at an offset, if the structure is that long.
pub(super) fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes
        .get(at..)?
        .first_chunk()
        .map(|bytes| u32::from_ne_bytes(*bytes))
}

#[cfg(test)]
pub(super) mod tests {
    /// Numbers as the kernel lays them out.
    pub(in super::super) fn words(numbers: &[u32]) -> Vec<u8> {
        numbers.iter().flat_map(|number| number.to_ne_bytes()).collect()
    }

    /// A header with attributes behind it.
    pub(in super::super) fn message(header: Vec<u8>, attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let mut bytes = header;
        for (kind, value) in attributes {
            bytes.extend(u16::try_from(4 + value.len()).unwrap().to_ne_bytes());
            bytes.extend(kind.to_ne_bytes());
            bytes.extend(*value);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
        }
        bytes
    }
}
