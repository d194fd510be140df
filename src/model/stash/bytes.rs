//! Encodes and decodes numbers of packed records.

/// Appends a number.
pub(super) fn put32(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_ne_bytes());
}

/// Appends a count. Most queues and many uids are 0, which takes a flag and no bytes.
pub(super) fn put_count(out: &mut Vec<u8>, value: Option<u32>, present: u32, zero: u32) -> u32 {
    match value {
        None => 0,
        Some(0) => zero,
        Some(value) => {
            put32(out, value);
            present
        }
    }
}

/// Reads what [`put_count`] wrote.
pub(super) fn take_count(input: &mut &[u8], flags: u32, present: u32, zero: u32) -> Option<u32> {
    if flags & present != 0 {
        Some(take32(input))
    } else {
        (flags & zero != 0).then_some(0)
    }
}

/// Returns the next N bytes. [`super::Stash::push`] wrote them, so they exist; otherwise zeros.
pub(super) fn take<const N: usize>(input: &mut &[u8]) -> [u8; N] {
    let Some((head, rest)) = input.split_first_chunk::<N>() else {
        *input = &[];
        return [0; N];
    };
    *input = rest;
    *head
}

/// The next number.
pub(super) fn take32(input: &mut &[u8]) -> u32 {
    u32::from_ne_bytes(take(input))
}

/// The next long number.
pub(super) fn take64(input: &mut &[u8]) -> u64 {
    u64::from_ne_bytes(take(input))
}
