//! Reads a table of iptables-legacy: getsockopt on any datagram socket of its family (linux 6.18
//! net/ipv4/netfilter/ip_tables.c, do_ipt_get_ctl; net/ipv6/netfilter/ip6_tables.c).
#![allow(unsafe_code, reason = "these options have no safe wrapper")]

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};

/// `IPT_SO_GET_INFO` and `IPT_SO_GET_ENTRIES`; those of IPv6 are the same.
const GET_INFO: libc::c_int = 64;
const GET_ENTRIES: libc::c_int = 65;
/// `struct ipt_getinfo`, and where its fields are.
const INFO_BYTES: usize = 84;
const INFO_SIZE_AT: usize = 80;
/// `struct ipt_get_entries` without its entries.
const ENTRIES_HEADER_BYTES: usize = 40;
/// The length of a table's name.
const NAME_BYTES: usize = 32;
/// The maximum size of a table.
const ENTRIES_BYTES_MAX: usize = 64 << 20;

/// Returns `struct ipt_getinfo` and the entries of a table. The table must exist, otherwise the kernel would create it.
pub(super) fn read(v6: bool, table: &[u8]) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let family = if v6 {
        AddressFamily::INET6
    } else {
        AddressFamily::INET
    };
    let socket = socket_with(family, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
    let level = if v6 { libc::IPPROTO_IPV6 } else { libc::IPPROTO_IP };
    let mut info = vec![0; INFO_BYTES];
    set_name(&mut info, table)?;
    option(&socket, level, GET_INFO, &mut info)?;
    let size = info
        .get(INFO_SIZE_AT..)
        .and_then(|rest| rest.first_chunk())
        .map_or(0, |bytes| u32::from_ne_bytes(*bytes));
    let bytes = usize::try_from(size).unwrap_or(usize::MAX);
    if bytes > ENTRIES_BYTES_MAX {
        return Err(io::Error::from_raw_os_error(libc::E2BIG));
    }
    let mut entries = vec![0; ENTRIES_HEADER_BYTES + bytes];
    set_name(&mut entries, table)?;
    if let Some(field) = entries.get_mut(NAME_BYTES..NAME_BYTES + 4) {
        field.copy_from_slice(&size.to_ne_bytes());
    }
    option(&socket, level, GET_ENTRIES, &mut entries)?;
    entries.drain(..ENTRIES_HEADER_BYTES);
    Ok((info, entries))
}

fn set_name(bytes: &mut [u8], table: &[u8]) -> io::Result<()> {
    match bytes.get_mut(..table.len()) {
        Some(field) if table.len() < NAME_BYTES => {
            field.copy_from_slice(table);
            Ok(())
        }
        _ => Err(io::ErrorKind::InvalidInput.into()),
    }
}

/// Gets an option. The kernel also reads `value` as the argument.
fn option(socket: &OwnedFd, level: libc::c_int, name: libc::c_int, value: &mut [u8]) -> io::Result<()> {
    let mut length = libc::socklen_t::try_from(value.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: the descriptor is open; the kernel reads and writes at most `length` bytes of `value`, which are there,
    // and `length` itself.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            level,
            name,
            value.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}
