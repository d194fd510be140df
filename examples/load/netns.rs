//! The load's network namespace: creates it, raises its limits, and hands it to an ordinary user.
#![allow(unsafe_code)] // unshare(2) and two ioctl(2) calls have no safe wrapper.

use std::fs;
use std::net::IpAddr;
use std::os::fd::OwnedFd;

use anyhow::{Context, Result, ensure};
use rustix::io::Errno;
use rustix::ioctl::{Opcode, Setter, ioctl};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
use rustix::process::{DumpableBehavior, Gid, Uid, getegid, geteuid, set_dumpable_behavior};
use rustix::thread::{
    CapabilitySet, CapabilitySets, UnshareFlags, set_capabilities, set_thread_groups, set_thread_res_gid,
    set_thread_res_uid, unshare_unsafe,
};

use crate::{Args, plan};

/// `lo` is number 1 in every network namespace.
const LOOPBACK_INDEX: i32 = 1;

#[allow(clippy::cast_possible_truncation)] // Request numbers have 32 bits, the type of the constant varies with libc.
const SET_FLAGS: Opcode = libc::SIOCSIFFLAGS as Opcode;
#[allow(clippy::cast_possible_truncation)] // As above.
const SET_ADDRESS: Opcode = libc::SIOCSIFADDR as Opcode;

/// Moves this process into a network namespace of its own; without privilege, into a user namespace first.
pub(crate) fn enter(uid: Option<u32>) -> Result<()> {
    // SAFETY: the flags share no file table or memory, and this process has one thread only.
    let made = unsafe { unshare_unsafe(UnshareFlags::NEWNET) };
    match made {
        Err(Errno::PERM) => {
            ensure!(uid.is_none(), "--uid can only be used by root");
            enter_as_user()
        }
        made => made.context("cannot make a network namespace"),
    }
}

fn enter_as_user() -> Result<()> {
    let (uid, gid) = (geteuid().as_raw(), getegid().as_raw());
    // SAFETY: as above.
    unsafe { unshare_unsafe(UnshareFlags::NEWUSER | UnshareFlags::NEWNET) }
        .context("cannot make a user namespace; is it forbidden here (user.max_user_namespaces)?")?;
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/gid_map", format!("{gid} {gid} 1"))?;
    fs::write("/proc/self/uid_map", format!("{uid} {uid} 1"))?;
    Ok(())
}

/// Drops the remaining privileges, so that a command of the same user may inspect this process.
pub(crate) fn become_user(uid: Option<u32>) -> Result<()> {
    if let Some(uid) = uid {
        let (user, group) = (Uid::from_raw(uid), Gid::from_raw(uid));
        set_thread_groups(&[])?;
        set_thread_res_gid(group, group, group)?;
        set_thread_res_uid(user, user, user)?;
    }
    if !geteuid().is_root() {
        let none = CapabilitySet::empty();
        set_capabilities(
            None,
            CapabilitySets {
                effective: none,
                permitted: none,
                inheritable: none,
            },
        )?;
    }
    // A change of user makes a process undumpable, and its descriptors invisible to that very user.
    set_dumpable_behavior(DumpableBehavior::Dumpable)?;
    Ok(())
}

/// Makes room for a million connections: ports, addresses, TIME-WAIT sockets.
pub(crate) fn widen(args: &Args) -> Result<()> {
    let last = plan::FIRST_PORT + args.listeners;
    let one_port = args.one_port.unwrap_or(last);
    set("net/ipv4/ip_local_port_range", "1024 65535")?;
    // Connections must not take the ports of the listeners.
    set(
        "net/ipv4/ip_local_reserved_ports",
        &format!("{}-{last},{one_port}", plan::FIRST_PORT),
    )?;
    set("net/ipv4/ip_unprivileged_port_start", "0")?;
    if args.time_wait > 0 {
        set(
            "net/ipv4/tcp_max_tw_buckets",
            &(args.time_wait + 1000).to_string(),
        )?;
    }
    loopback_up().context("cannot bring the loopback device of the new namespace up")?;
    if args.v6 > 0 {
        own_ipv6_addresses(args).context("cannot give the loopback device an IPv6 address")?;
    }
    Ok(())
}

fn set(name: &str, value: &str) -> Result<()> {
    fs::write(format!("/proc/sys/{name}"), value)
        .with_context(|| format!("cannot set {} to {value}", name.replace('/', ".")))
}

/// Sets `IFF_UP` on `lo`, which also gives it 127.0.0.1/8 and `::1`.
fn loopback_up() -> Result<()> {
    // SAFETY: ifreq is plain data for which all zero bytes are a value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(*b"lo") {
        *to = libc::c_char::from_ne_bytes([from]);
    }
    request.ifr_ifru.ifru_flags = libc::c_short::try_from(libc::IFF_UP)?;
    let socket = datagram(AddressFamily::INET)?;
    // SAFETY: SIOCSIFFLAGS reads one ifreq.
    unsafe { ioctl(&socket, Setter::<SET_FLAGS, _>::new(request))? };
    Ok(())
}

/// Gives `lo` every IPv6 address that the processes will listen at.
fn own_ipv6_addresses(args: &Args) -> Result<()> {
    let socket = datagram(AddressFamily::INET6)?;
    for address in plan::server_addresses(&args.load()) {
        let IpAddr::V6(address) = address else {
            continue;
        };
        let request = libc::in6_ifreq {
            ifr6_addr: libc::in6_addr {
                s6_addr: address.octets(),
            },
            ifr6_prefixlen: 128,
            ifr6_ifindex: LOOPBACK_INDEX,
        };
        // SAFETY: SIOCSIFADDR on an AF_INET6 socket reads one in6_ifreq.
        unsafe { ioctl(&socket, Setter::<SET_ADDRESS, _>::new(request)) }
            .with_context(|| format!("{address}"))?;
    }
    Ok(())
}

fn datagram(family: AddressFamily) -> rustix::io::Result<OwnedFd> {
    socket_with(family, SocketType::DGRAM, SocketFlags::CLOEXEC, None)
}
