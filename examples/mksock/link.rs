//! Packet, netlink, VM and XDP sockets.

use std::os::fd::{AsFd as _, OwnedFd};

use anyhow::{Context as _, Result, bail};

use crate::made::{Made, Skip};
use crate::spec::Spec;
use crate::state::State;
use crate::sys;

/// `SOCK_PACKET`: deprecated, but still supported.
const OBSOLETE: i32 = 10;
/// `NETLINK_ADD_MEMBERSHIP`.
const ADD_MEMBERSHIP: i32 = 1;

fn open(family: i32, kind: i32, protocol: i32) -> Result<OwnedFd> {
    sys::socket(family, kind, protocol)
        .map_err(|error| Skip(format!("no socket of family {family}: {error}")).into())
}

/// `TPACKET_V3`.
const TPACKET_V3: i32 = 2;
/// Time after which the kernel hands a block over.
const RETIRE_MS: u32 = 60;
/// The number of a fan-out group is the sum of this and its kind.
const GROUP: i32 = 100;

/// `struct tpacket_req` or `tpacket_req3`: size and number of blocks, size and number of frames and so on.
fn set_ring(fd: &OwnedFd, option: i32, request: &[u32]) -> Result<()> {
    let bytes: Vec<u8> = request.iter().flat_map(|number| number.to_ne_bytes()).collect();
    sys::set_option(fd.as_fd(), libc::SOL_PACKET, option, &bytes).context("a ring")
}

/// `packet`: takes `proto`, on `device` if it has one.
pub(crate) fn packet(spec: &Spec, made: &mut Made) -> Result<()> {
    let kind = match spec.text_of("type").as_deref() {
        None | Some("raw") => libc::SOCK_RAW,
        Some("dgram") => libc::SOCK_DGRAM,
        Some("packet") => OBSOLETE,
        Some(other) => bail!("a packet socket of type {other}"),
    };
    let ethertype: u16 = spec.parsed("proto")?.unwrap_or(3);
    let fd = open(libc::AF_PACKET, kind, i32::from(ethertype.to_be()))?;
    if let Some(device) = spec.text_of("device") {
        let index = std::fs::read_to_string(format!("/sys/class/net/{device}/ifindex"))
            .unwrap_or_else(|_| "1".to_owned());
        let index: i32 = index.trim().parse().context("an interface index")?;
        // struct sockaddr_ll
        let mut address = [0; 20];
        address[..2].copy_from_slice(&family_bytes(libc::AF_PACKET));
        address[2..4].copy_from_slice(&ethertype.to_be_bytes());
        address[4..8].copy_from_slice(&index.to_ne_bytes());
        sys::bind_bytes(fd.as_fd(), &address).with_context(|| format!("binding to {device}"))?;
    }
    match spec.text_of("ring").as_deref() {
        None => {}
        Some("rx") => {
            sys::set_int(fd.as_fd(), libc::SOL_PACKET, libc::PACKET_VERSION, TPACKET_V3)
                .context("PACKET_VERSION")?;
            set_ring(&fd, libc::PACKET_RX_RING, &[16384, 4, 2048, 32, RETIRE_MS, 0, 1])?;
        }
        Some("tx") => set_ring(&fd, libc::PACKET_TX_RING, &[4096, 2, 2048, 4])?,
        Some(other) => bail!("a ring {other}"),
    }
    if let Some(kind) = spec.parsed::<i32>("fanout")? {
        let group = GROUP + kind;
        sys::set_int(
            fd.as_fd(),
            libc::SOL_PACKET,
            libc::PACKET_FANOUT,
            kind << 16 | group,
        )
        .context("PACKET_FANOUT")?;
    }
    if spec.parsed("filter")? == Some(1) {
        sys::drop_incoming(fd.as_fd()).context("attaching a filter")?;
    }
    let told = sys::unix_name(fd.as_fd()).context("getsockname")?;
    let end = made.add("packet", fd, State::Unconnected)?;
    let number = told.first_chunk().map_or(0, |bytes| u16::from_be_bytes(*bytes));
    // An obsolete socket does not report what it receives.
    let number = if kind == OBSOLETE { ethertype } else { number };
    end.more.push(("ethertype", number.into()));
    Ok(())
}

/// `bare`: made by socket(2) with the numbers `family`, `type` and `proto`, and left alone.
pub(crate) fn bare(spec: &Spec, made: &mut Made) -> Result<()> {
    let number = |key, usual| anyhow::Ok(spec.parsed(key)?.unwrap_or(usual));
    let (family, kind) = (
        number("family", libc::AF_INET)?,
        number("type", libc::SOCK_STREAM)?,
    );
    let fd = open(family, kind, number("proto", 0)?)?;
    made.add("bare", fd, State::Unconnected).map(drop)
}

/// `netlink`: of the family `proto`, bound unless `bind=0`, a member of `group`, connected to `peer_group`.
pub(crate) fn netlink(spec: &Spec, made: &mut Made) -> Result<()> {
    let protocol: u32 = spec.parsed("proto")?.unwrap_or(0);
    let fd = open(libc::AF_NETLINK, libc::SOCK_RAW, i32::try_from(protocol)?)?;
    if spec.parsed("bind")?.unwrap_or(1) == 1 {
        let portid = spec.parsed("portid")?.unwrap_or(0);
        sys::bind_bytes(fd.as_fd(), &netlink_address(portid, 0)).context("bind")?;
    }
    if let Some(group) = spec.parsed("group")? {
        sys::set_int(fd.as_fd(), libc::SOL_NETLINK, ADD_MEMBERSHIP, group).context("joining a group")?;
    }
    let peer_group: u32 = spec.parsed("peer_group")?.unwrap_or(0);
    if peer_group > 0 {
        let groups = 1 << (peer_group - 1);
        sys::connect_bytes(fd.as_fd(), &netlink_address(0, groups)).context("connect")?;
    }
    let told = sys::unix_name(fd.as_fd()).context("getsockname")?;
    let portid = told
        .get(2..6)
        .and_then(<[u8]>::first_chunk)
        .map_or(0, |bytes| u32::from_ne_bytes(*bytes));
    let end = made.add("netlink", fd, State::Unconnected)?;
    end.more.push(("portid", portid.into()));
    Ok(())
}

/// `struct sockaddr_nl`.
fn netlink_address(portid: u32, groups: u32) -> [u8; 12] {
    let mut address = [0; 12];
    address[..2].copy_from_slice(&family_bytes(libc::AF_NETLINK));
    address[4..8].copy_from_slice(&portid.to_ne_bytes());
    address[8..].copy_from_slice(&groups.to_ne_bytes());
    address
}

/// `vsock`: listens on `port` of this machine.
pub(crate) fn vsock(spec: &Spec, made: &mut Made) -> Result<()> {
    let fd = open(libc::AF_VSOCK, libc::SOCK_STREAM, 0)?;
    // struct sockaddr_vm: family, nothing, port, context id (any), flags
    let port: u32 = spec.parsed("port")?.unwrap_or(u32::MAX);
    let mut address = [0; 16];
    address[..2].copy_from_slice(&family_bytes(libc::AF_VSOCK));
    address[4..8].copy_from_slice(&port.to_ne_bytes());
    address[8..12].copy_from_slice(&u32::MAX.to_ne_bytes());
    sys::bind_bytes(fd.as_fd(), &address).context("bind")?;
    rustix::net::listen(&fd, 1).context("listen")?;
    made.add("vsock", fd, State::Listen).map(drop)
}

/// `xdp`: not bound to any queue.
pub(crate) fn xdp(_: &Spec, made: &mut Made) -> Result<()> {
    let fd = open(libc::AF_XDP, libc::SOCK_RAW, 0)?;
    made.add("xdp", fd, State::Unconnected).map(drop)
}

fn family_bytes(family: i32) -> [u8; 2] {
    u16::try_from(family).unwrap_or(0).to_ne_bytes()
}
