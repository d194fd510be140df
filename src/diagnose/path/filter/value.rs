//! Bytes with unknown bits, and comparisons that answer yes, no or unknown.

/// One byte of a register.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// Its bits; unknown ones are 0.
    pub value: u8,
    /// The bits whose value is known.
    pub known: u8,
    /// The identity of the unknown bits, so that the same fact gets the same answer everywhere: see [`Tag`].
    pub tag: Tag,
}

/// The identity of a byte: 0 for a constant.
pub type Tag = u64;

/// The first byte of the client's port.
pub const CLIENT_PORT: Tag = 1;
/// The second byte of the client's port.
pub const CLIENT_PORT_LOW: Tag = 2;
/// The time to live of a packet from another machine.
pub const TIME_TO_LIVE: Tag = 3;
/// This bit is set in the tag of a computed value.
const COMPUTED: Tag = 1 << 63;

impl Cell {
    /// A known byte.
    pub const fn known(value: u8) -> Self {
        Self {
            value,
            known: 0xff,
            tag: 0,
        }
    }

    /// A byte of which only the bits in `known` are known, with the values in `value`.
    pub const fn partly(value: u8, known: u8, tag: Tag) -> Self {
        Self {
            value: value & known,
            known,
            tag,
        }
    }

    /// `(self & mask) ^ xor`.
    #[must_use]
    pub fn masked(self, mask: u8, xor: u8) -> Self {
        let value = (self.value & mask) ^ (xor & (self.known | !mask));
        let known = self.known | !mask;
        if known == 0xff {
            return Self::known((self.value & mask) ^ xor);
        }
        let tag = if (mask, xor) == (0xff, 0) {
            self.tag
        } else {
            computed(self.tag, u64::from(mask) << 8 | u64::from(xor))
        };
        Self {
            value: value & known,
            known,
            tag,
        }
    }
}

/// The tag of a value computed from a tagged byte (FNV-1a).
pub fn computed(tag: Tag, from: u64) -> Tag {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in tag.to_le_bytes().into_iter().chain(from.to_le_bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash | COMPUTED
}

/// Known bytes.
pub fn known(bytes: &[u8]) -> Vec<Cell> {
    bytes.iter().copied().map(Cell::known).collect()
}

/// The bytes, if all are known.
pub fn bytes(cells: &[Cell]) -> Option<Vec<u8>> {
    cells
        .iter()
        .map(|cell| (cell.known == 0xff).then_some(cell.value))
        .collect()
}

/// Yes, no, or unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// It holds for any value of the unknown bits.
    Yes,
    /// It does not hold.
    No,
    /// It depends on unknown bits.
    Unknown,
}

impl Truth {
    /// Converts a certain answer.
    pub const fn of(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }

    /// Both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, Self::Yes) => Self::Yes,
            _ => Self::Unknown,
        }
    }

    /// The opposite.
    #[must_use]
    pub const fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
        }
    }

    /// The opposite if `inverted`.
    #[must_use]
    pub const fn inverted_if(self, inverted: bool) -> Self {
        if inverted { self.not() } else { self }
    }
}

/// What is known about values beyond their bits: the port range of clients, which is the automatic range for this
/// machine and the unprivileged ports for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The lowest and highest port of the client.
    pub client_port: (u16, u16),
}

/// The smallest and the greatest value that the bytes may have, in memcmp order.
pub fn bounds(cells: &[Cell], limits: Limits) -> (Vec<u8>, Vec<u8>) {
    let mut least: Vec<u8> = cells.iter().map(|cell| cell.value).collect();
    let mut greatest: Vec<u8> = cells.iter().map(|cell| cell.value | !cell.known).collect();
    for at in 0..cells.len() {
        match cells.get(at..) {
            Some([first, second, ..]) if (first.tag, second.tag) == (CLIENT_PORT, CLIENT_PORT_LOW) => {
                let (low, high) = limits.client_port;
                if let Some(pair) = least.get_mut(at..at + 2) {
                    pair.copy_from_slice(&low.to_be_bytes());
                }
                if let Some(pair) = greatest.get_mut(at..at + 2) {
                    pair.copy_from_slice(&high.to_be_bytes());
                }
            }
            Some([first, ..]) if first.tag == TIME_TO_LIVE => {
                if let Some(byte) = least.get_mut(at) {
                    *byte = 1;
                }
            }
            _ => {}
        }
    }
    (least, greatest)
}

/// Whether the bytes equal `data`.
pub fn equal(cells: &[Cell], data: &[u8], limits: Limits) -> Truth {
    if cells.len() != data.len() {
        return Truth::Unknown;
    }
    let differs = |(cell, byte): (&Cell, &u8)| (cell.value ^ byte) & cell.known != 0;
    if cells.iter().zip(data).any(differs) {
        return Truth::No;
    }
    if cells.iter().all(|cell| cell.known == 0xff) {
        return Truth::Yes;
    }
    let (least, greatest) = bounds(cells, limits);
    if data < &*least || data > &*greatest {
        Truth::No
    } else if least == greatest {
        Truth::Yes
    } else {
        Truth::Unknown
    }
}

/// Whether the bytes are greater than or equal to `data`, in memcmp order.
pub fn at_least(cells: &[Cell], data: &[u8], limits: Limits) -> Truth {
    let (least, greatest) = bounds(cells, limits);
    if &*least >= data {
        Truth::Yes
    } else if &*greatest < data {
        Truth::No
    } else {
        Truth::Unknown
    }
}

/// Whether the bytes lie between `low` and `high`, inclusive.
pub fn between(cells: &[Cell], low: &[u8], high: &[u8], limits: Limits) -> Truth {
    let (least, greatest) = bounds(cells, limits);
    let below = if &*greatest <= high {
        Truth::Yes
    } else if &*least > high {
        Truth::No
    } else {
        Truth::Unknown
    };
    at_least(cells, low, limits).and(below)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        client_port: (32_768, 60_999),
    };

    fn port() -> [Cell; 2] {
        [
            Cell::partly(0, 0, CLIENT_PORT),
            Cell::partly(0, 0, CLIENT_PORT_LOW),
        ]
    }

    #[test]
    fn masked_out_bits_are_known() {
        let flags = Cell::partly(0x02, 0x3f, 9);
        assert_eq!(flags.masked(0x12, 0), Cell::known(2));
        let one = flags.masked(0xc0, 0);
        assert_eq!((one.value, one.known), (0, 0x3f));
        assert_ne!(one.tag, 9);
        assert_eq!(equal(&[one], &[0x01], LIMITS), Truth::No);
        assert_eq!(equal(&[one], &[0x80], LIMITS), Truth::Unknown);
        assert_eq!(Cell::partly(0, 0, 9).masked(0, 7), Cell::known(7));
    }

    #[test]
    fn the_interval_of_a_port_decides_what_its_bits_do_not() {
        let port = port();
        assert_eq!(equal(&port, &80u16.to_be_bytes(), LIMITS), Truth::No);
        assert_eq!(equal(&port, &61_000u16.to_be_bytes(), LIMITS), Truth::No);
        assert_eq!(equal(&port, &40_000u16.to_be_bytes(), LIMITS), Truth::Unknown);
        assert_eq!(at_least(&port, &1024u16.to_be_bytes(), LIMITS), Truth::Yes);
        assert_eq!(at_least(&port, &61_000u16.to_be_bytes(), LIMITS), Truth::No);
        let between = |low: u16, high: u16| between(&port, &low.to_be_bytes(), &high.to_be_bytes(), LIMITS);
        assert_eq!(between(1024, 65_535), Truth::Yes);
        assert_eq!(between(0, 1023), Truth::No);
        assert_eq!(between(0, 40_000), Truth::Unknown);
    }

    #[test]
    fn known_bytes_compare_as_memcmp_does() {
        let cells = known(&[10, 0, 0, 7]);
        assert_eq!(equal(&cells, &[10, 0, 0, 7], LIMITS), Truth::Yes);
        assert_eq!(at_least(&cells, &[10, 0, 0, 8], LIMITS), Truth::No);
        assert_eq!(
            between(&cells, &[10, 0, 0, 0], &[10, 255, 255, 255], LIMITS),
            Truth::Yes
        );
    }
}
