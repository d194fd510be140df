//! UDP, UDP-Lite, raw and ping sockets.

use std::fs;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;

use anyhow::{Context as _, Result};
use rustix::net::{SocketType, bind, connect, sockopt};

use crate::inet::{self, LOCALHOST};
use crate::made::Made;
use crate::spec::Spec;
use crate::state::State;

/// The protocol number for experiments (RFC 3692): nothing else listens to it.
const EXPERIMENT: i32 = 253;

/// `udp` and `udplite`: bound; with `unread=N`, one datagram of N bytes waits.
pub(crate) fn bound(spec: &Spec, made: &mut Made, protocol: i32) -> Result<()> {
    let fd = inet::bound(spec, LOCALHOST, SocketType::DGRAM, protocol)?;
    let unread = spec.count("unread")?;
    if unread > 0 {
        let target = inet::reach(inet::local(&fd)?, false);
        let sender = inet::socket(target.ip(), SocketType::DGRAM, protocol)?;
        connect(&sender, &target).with_context(|| format!("connecting to {target}"))?;
        inet::fill(&sender, &fd, unread)?;
    }
    if spec.is_on("overflow")? {
        overflow(&fd, protocol)?;
    }
    made.add("bound", fd, State::Unconnected).map(drop)
}

/// Makes the receive buffer as small as it gets, and sends more than fits.
fn overflow(fd: &OwnedFd, protocol: i32) -> Result<()> {
    sockopt::set_socket_recv_buffer_size(fd, 1).context("SO_RCVBUF")?;
    let target = inet::reach(inet::local(fd)?, false);
    let sender = inet::socket(target.ip(), SocketType::DGRAM, protocol)?;
    connect(&sender, &target).with_context(|| format!("connecting to {target}"))?;
    (0..20).try_for_each(|_| inet::send_all(&sender, 500))
}

/// `udp-connected`: two sockets, each connected to the other.
pub(crate) fn connected(spec: &Spec, made: &mut Made) -> Result<()> {
    let server = inet::bound(spec, LOCALHOST, SocketType::DGRAM, libc::IPPROTO_UDP)?;
    let target = inet::reach(inet::local(&server)?, false);
    let client = inet::socket(target.ip(), SocketType::DGRAM, libc::IPPROTO_UDP)?;
    connect(&client, &target).with_context(|| format!("connecting to {target}"))?;
    let back = inet::local(&client)?;
    connect(&server, &back).with_context(|| format!("connecting to {back}"))?;
    inet::fill(&client, &server, spec.count("unread")?)?;
    made.add("server", server, State::Established)?;
    made.add("client", client, State::Established).map(drop)
}

/// `raw`: bound; the kernel shows its protocol number as its port.
pub(crate) fn raw(spec: &Spec, made: &mut Made) -> Result<()> {
    let ip = spec.parsed("addr")?.unwrap_or(LOCALHOST);
    let fd = inet::socket(ip, SocketType::RAW, spec.parsed("proto")?.unwrap_or(EXPERIMENT))?;
    bind(&fd, &SocketAddr::new(ip, 0)).with_context(|| format!("bind to {ip}"))?;
    made.add("raw", fd, State::Unconnected).map(drop)
}

/// `icmp`: a ping socket; `port` is the identifier of its echo requests.
pub(crate) fn ping(spec: &Spec, made: &mut Made) -> Result<()> {
    if made.private_netns {
        let path = "/proc/sys/net/ipv4/ping_group_range";
        let gid = rustix::process::getegid().as_raw();
        fs::write(path, format!("{gid} {gid}")).with_context(|| format!("writing {path}"))?;
    }
    let ip = spec.address(LOCALHOST)?.ip();
    let protocol = if ip.is_ipv4() {
        libc::IPPROTO_ICMP
    } else {
        libc::IPPROTO_ICMPV6
    };
    let fd = inet::bound(spec, LOCALHOST, SocketType::DGRAM, protocol)?;
    made.add("ping", fd, State::Unconnected).map(drop)
}
