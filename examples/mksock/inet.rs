//! Internet sockets with the options that a command-line word requests.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};

use anyhow::{Context as _, Result, anyhow};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, Protocol, RawProtocol, RecvFlags, SendFlags, SocketFlags, SocketType, bind, getsockname,
    send, socket_with, sockopt,
};

use crate::made::Skip;
use crate::spec::Spec;
use crate::{sys, wait};

pub(crate) const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A new socket; an error is a [`Skip`] if it means that this kernel or this user cannot have one.
pub(crate) fn socket(ip: IpAddr, kind: SocketType, protocol: i32) -> Result<OwnedFd> {
    let family = if ip.is_ipv4() {
        AddressFamily::INET
    } else {
        AddressFamily::INET6
    };
    let wanted = u32::try_from(protocol)
        .ok()
        .and_then(RawProtocol::new)
        .map(Protocol::from_raw);
    socket_with(family, kind, SocketFlags::CLOEXEC, wanted).map_err(|errno| match errno {
        Errno::PROTONOSUPPORT
        | Errno::AFNOSUPPORT
        | Errno::SOCKTNOSUPPORT
        | Errno::NOPROTOOPT
        | Errno::PERM
        | Errno::ACCESS => {
            let raw = family.as_raw();
            anyhow!(Skip(format!(
                "no socket of family {raw}, protocol {protocol}: {errno}"
            )))
        }
        other => anyhow!(other).context("socket"),
    })
}

/// A socket with `v6only`, `reuseaddr`, `reuseport` and `device` set, bound to `addr` and `port`.
pub(crate) fn bound(spec: &Spec, default: IpAddr, kind: SocketType, protocol: i32) -> Result<OwnedFd> {
    let address = spec.address(default)?;
    let fd = socket(address.ip(), kind, protocol)?;
    if let Some(value) = spec.switch("v6only")? {
        sockopt::set_ipv6_v6only(&fd, value).context("IPV6_V6ONLY")?;
    }
    if spec.is_on("reuseaddr")? {
        sockopt::set_socket_reuseaddr(&fd, true).context("SO_REUSEADDR")?;
    }
    if spec.is_on("reuseport")? {
        sockopt::set_socket_reuseport(&fd, true).context("SO_REUSEPORT")?;
    }
    if let Some(name) = spec.bytes("device") {
        sys::set_option(fd.as_fd(), libc::SOL_SOCKET, libc::SO_BINDTODEVICE, name)
            .context("SO_BINDTODEVICE")?;
    }
    bind(&fd, &address).with_context(|| format!("bind to {address}"))?;
    Ok(fd)
}

/// The local address of a bound socket.
pub(crate) fn local(fd: impl AsFd) -> Result<SocketAddr> {
    let name = getsockname(fd).context("getsockname")?;
    SocketAddr::try_from(name).context("not an internet address")
}

/// Where a client on this machine reaches a socket: loopback stands in for a wildcard, and with
/// `mapped` an IPv6 socket is reached over IPv4.
pub(crate) fn reach(local: SocketAddr, mapped: bool) -> SocketAddr {
    let ip = match local.ip() {
        IpAddr::V6(_) if mapped => LOCALHOST,
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        IpAddr::V4(ip) if ip.is_unspecified() => LOCALHOST,
        other => other.to_canonical(),
    };
    SocketAddr::new(ip, local.port())
}

/// Sends `count` bytes at once and waits until they can be read at the other end.
pub(crate) fn fill(from: &OwnedFd, to: &OwnedFd, count: usize) -> Result<()> {
    if count == 0 {
        return Ok(());
    }
    send_all(from, count)?;
    let mut buffer = vec![0; count];
    wait::until(
        &format!("{count} bytes to arrive at descriptor {}", to.as_raw_fd()),
        || {
            let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
            match rustix::net::recv(to, &mut buffer[..], flags) {
                Ok((arrived, _)) => Ok(arrived == count),
                Err(Errno::AGAIN) => Ok(false),
                Err(error) => Err(anyhow!(error).context("recv")),
            }
        },
    )
}

/// Sends `count` bytes without waiting for room.
pub(crate) fn send_all(from: &OwnedFd, count: usize) -> Result<()> {
    let bytes = vec![b'x'; count];
    let mut sent = 0;
    while let Some(rest) = bytes.get(sent..).filter(|rest| !rest.is_empty()) {
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        sent += send(from, rest, flags).with_context(|| format!("only {sent} of {count} bytes fit"))?;
    }
    Ok(())
}
