//! The counters of a connection, from which rates are computed.

use crate::model::details::kind;
use crate::model::{Protocol, Socket};
use crate::query::field::Field;

/// Counters of a connection since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Bytes received in order.
    pub received: u64,
    /// Bytes acknowledged by the peer.
    pub sent: u64,
    /// The smoothed round-trip time, in microseconds.
    pub rtt_us: u32,
    /// Segments retransmitted.
    pub retransmits: u32,
}

impl Figures {
    /// The counters in the details of a socket; `None` if it has none (UDP, listeners, kernels before 4.2).
    pub fn of(socket: &Socket) -> Option<Self> {
        if socket.protocol != Protocol::Tcp || socket.is_listener() {
            return None;
        }
        let info = socket.details.get(kind::INFO)?;
        let part = |field: Field| {
            let place = field.place();
            let bytes = info.get(place.offset..place.offset + place.width)?;
            Some(match *bytes {
                [a, b, c, d] => u32::from_ne_bytes([a, b, c, d]).into(),
                _ => u64::from_ne_bytes(bytes.try_into().ok()?),
            })
        };
        let short = |field| u32::try_from(part(field).unwrap_or(0)).unwrap_or(u32::MAX);
        Some(Self {
            received: part(Field::BytesReceived)?,
            sent: part(Field::BytesAcked)?,
            rtt_us: short(Field::RttUs),
            retransmits: short(Field::TotalRetrans),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::State;

    #[test]
    fn figures_come_from_tcp_info_and_unknown_ones_are_not_0() {
        let mut socket = Socket {
            state: State::Established,
            ..Socket::BLANK
        };
        assert_eq!(Figures::of(&socket), None);
        let mut info = [0; 136];
        info[68..72].copy_from_slice(&12_400u32.to_ne_bytes());
        info[120..128].copy_from_slice(&7u64.to_ne_bytes());
        info[128..136].copy_from_slice(&9u64.to_ne_bytes());
        socket.details.push(kind::INFO, &info);
        let expected = Figures {
            received: 9,
            sent: 7,
            rtt_us: 12_400,
            retransmits: 0,
        };
        assert_eq!(Figures::of(&socket), Some(expected));
        socket.details.clear();
        socket.details.push(kind::INFO, &info[..100]);
        assert_eq!(Figures::of(&socket), None, "a kernel that has no such counters");
    }
}
