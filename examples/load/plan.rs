//! Distributes a load over processes: pure arithmetic, no I/O.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use anyhow::{Result, bail};

/// The first port of the listeners.
pub(crate) const FIRST_PORT: u16 = 10_000;

/// Connections to one address before the next one is used, well below the number of local ports.
const PAIRS_PER_ADDRESS: u64 = 16_384;

/// Addresses set aside for each process: enough for a million connections of one process.
const ADDRESSES_PER_PROCESS: u32 = 64;

/// Descriptors that a process has besides its sockets: standard streams, temporary listeners, what the runtime opens.
const OTHER_DESCRIPTORS: u64 = 16;

/// The kind of the sockets of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// `AF_INET`
    V4,
    /// `AF_INET6` with IPv6 addresses
    V6,
    /// `AF_INET6` with v4-mapped addresses
    Mapped,
}

/// A load in numbers.
pub(crate) struct Load {
    pub(crate) tcp_pairs: u64,
    pub(crate) unix_pairs: u64,
    pub(crate) processes: u64,
    pub(crate) listeners: u64,
    pub(crate) v4_percent: u64,
    pub(crate) v6_percent: u64,
}

impl Load {
    /// The kind of connection number `pair`: every hundred in a row have the requested percentages.
    pub(crate) fn kind(&self, pair: u64) -> Kind {
        match pair % 100 {
            place if place < self.v4_percent => Kind::V4,
            place if place < self.v4_percent + self.v6_percent => Kind::V6,
            _ => Kind::Mapped,
        }
    }
}

/// The part of `total` that is number `index` of `parts` nearly equal parts.
pub(crate) fn share(total: u64, parts: u64, index: u64) -> Range<u64> {
    total * index / parts..total * (index + 1) / parts
}

/// The address to which connection number `nth` of one process goes. No two processes use the same one.
pub(crate) fn server_address(kind: Kind, worker: u32, nth: u64) -> IpAddr {
    let block = u32::try_from(nth / PAIRS_PER_ADDRESS).unwrap_or(u32::MAX);
    let number = worker * ADDRESSES_PER_PROCESS + block.min(ADDRESSES_PER_PROCESS - 1) + 1;
    match kind {
        Kind::V4 => Ipv4Addr::from_bits(0x7f01_0000 + number).into(),
        Kind::V6 => Ipv6Addr::from_bits((0xfd00 << 112) + u128::from(number)).into(),
        Kind::Mapped => Ipv4Addr::from_bits(0x7f80_0000 + number).to_ipv6_mapped().into(),
    }
}

/// Every IPv6 address that some process of the load listens at.
pub(crate) fn server_addresses(load: &Load) -> impl Iterator<Item = IpAddr> {
    let workers = u32::try_from(load.processes).unwrap_or(u32::MAX);
    let blocks = load
        .tcp_pairs
        .div_ceil(load.processes)
        .div_ceil(PAIRS_PER_ADDRESS);
    (0..workers).flat_map(move |worker| {
        (0..blocks).map(move |block| server_address(Kind::V6, worker, block * PAIRS_PER_ADDRESS))
    })
}

/// Refuses a load that does not fit into the descriptors a process may have, and reports what would fit.
pub(crate) fn fits(load: &Load, descriptors: u64) -> Result<()> {
    let sockets = 2 * (load.tcp_pairs + load.unix_pairs);
    let room = descriptors.saturating_sub(OTHER_DESCRIPTORS) / 4 * 4;
    let per_process =
        2 * load.tcp_pairs.div_ceil(load.processes) + 2 * load.unix_pairs.div_ceil(load.processes);
    if per_process > room {
        // Two less than the room, because TCP and unix pairs are rounded up separately.
        let enough = sockets.div_ceil(room.saturating_sub(4).max(1));
        bail!(
            "{sockets} sockets over {} processes are {per_process} for each, but the hard limit of open files is \
             {descriptors}; use --processes {enough}",
            load.processes
        );
    }
    let leader = load.listeners + 2 * load.processes;
    if leader > room {
        bail!(
            "the leader would need {leader} descriptors, the hard limit is {descriptors}: use fewer --processes or --listeners"
        );
    }
    Ok(())
}
