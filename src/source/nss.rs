//! Names from the system's own databases (nsswitch): users, hosts, services.
//!
//! Lookups can block for as long as a directory server or a dead name server makes them wait. They run on separate
//! threads, concurrently where that helps, with one deadline. Late names are omitted.
#![allow(
    unsafe_code,
    reason = "getpwuid_r and getnameinfo have no wrapper that honours nsswitch without more crates"
)]

use std::ffi::{CStr, CString};
use std::net::{IpAddr, ToSocketAddrs};
use std::time::Duration;

use super::deadline::{Answers, ask};
use super::tape::{self, codec::Recordable, format::Kind};

/// Number of threads for host lookups; more would only queue up at the name server.
const HOST_THREADS: usize = 32;

/// Login names of `uids`. A uid without a name is omitted.
pub fn users(uids: Vec<u32>, within: Duration) -> Answers<u32, String> {
    // One thread suffices: the first lookup loads the modules, and the others are quick unless the server is dead.
    on_tape("users", uids, |uids| ask(uids, 1, within, |uid| user_name(*uid)))
}

/// Host names of `addresses`. An address without a name is omitted.
pub fn hosts(addresses: Vec<IpAddr>, within: Duration) -> Answers<IpAddr, String> {
    on_tape("hosts", addresses, |addresses| {
        ask(addresses, HOST_THREADS, within, |address| {
            host_name(address.to_canonical())
        })
    })
}

/// Service names of (port, is UDP) pairs. A port without a name is omitted.
pub fn services(ports: Vec<(u16, bool)>, within: Duration) -> Answers<(u16, bool), String> {
    on_tape("services", ports, |ports| {
        ask(ports, 1, within, |(port, udp)| service_name(*port, *udp))
    })
}

/// All addresses of hosts by name.
pub fn host_addresses(names: Vec<String>, within: Duration) -> Answers<String, Vec<IpAddr>> {
    let addresses = |name: &String| {
        let found = (name.as_str(), 0).to_socket_addrs().ok()?;
        let mut addresses: Vec<IpAddr> = found.map(|address| address.ip()).collect();
        addresses.sort_unstable();
        addresses.dedup();
        (!addresses.is_empty()).then_some(addresses)
    };
    on_tape("addresses", names, |names| {
        ask(names, HOST_THREADS, within, addresses)
    })
}

/// All ports of services by name, over TCP and UDP.
pub fn service_ports(names: Vec<String>, within: Duration) -> Answers<String, Vec<u16>> {
    on_tape("ports", names, |names| {
        ask(names, 1, within, |name: &String| ports_of(name))
    })
}

/// User ids by login name.
pub fn user_ids(names: Vec<String>, within: Duration) -> Answers<String, u32> {
    on_tape("user ids", names, |names| {
        ask(names, 1, within, |name: &String| user_id(name))
    })
}

/// Looks up names, or returns those in a recording, which may include other keys.
fn on_tape<K: Recordable + Ord, V: Recordable>(
    what: &str,
    keys: Vec<K>,
    ask: impl FnOnce(Vec<K>) -> Answers<K, V>,
) -> Answers<K, V> {
    let (found, late) = tape::note(Kind::Names, what, || {
        let answers = ask(keys);
        (answers.found, answers.late)
    });
    Answers { found, late }
}

fn user_name(uid: u32) -> Option<String> {
    passwd_entry(|entry, buffer, length, result| {
        // SAFETY: `passwd_entry` passes valid pointers, and the buffer's own length.
        unsafe { libc::getpwuid_r(uid, entry, buffer, length, result) }
    })
    .map(|(name, _)| name)
}

fn user_id(name: &str) -> Option<u32> {
    let name = CString::new(name).ok()?;
    passwd_entry(|entry, buffer, length, result| {
        // SAFETY: as in `user_name`, and `name` is a C string that lives through the call.
        unsafe { libc::getpwnam_r(name.as_ptr(), entry, buffer, length, result) }
    })
    .map(|(_, uid)| uid)
}

/// Runs one of the `getpw*_r` functions with a buffer that grows on demand; returns login name and uid.
fn passwd_entry(
    get: impl Fn(*mut libc::passwd, *mut libc::c_char, usize, *mut *mut libc::passwd) -> libc::c_int,
) -> Option<(String, u32)> {
    let mut buffer = vec![0u8; 4096];
    loop {
        let mut entry = std::mem::MaybeUninit::<libc::passwd>::uninit();
        let mut result = std::ptr::null_mut();
        let code = get(
            entry.as_mut_ptr(),
            buffer.as_mut_ptr().cast(),
            buffer.len(),
            &raw mut result,
        );
        if code == libc::ERANGE && buffer.len() < 1 << 20 {
            buffer.resize(buffer.len() * 2, 0);
            continue;
        }
        if code != 0 || result.is_null() {
            return None;
        }
        // SAFETY: the call succeeded, so `result` points to `entry`, which is filled in, and its name is a C
        // string inside `buffer`.
        let (name, uid) = unsafe { (CStr::from_ptr((*result).pw_name), (*result).pw_uid) };
        return Some((name.to_string_lossy().into_owned(), uid));
    }
}

fn ports_of(service: &str) -> Option<Vec<u16>> {
    let service = CString::new(service).ok()?;
    let mut ports = Vec::new();
    for kind in [libc::SOCK_STREAM, libc::SOCK_DGRAM] {
        // SAFETY: an addrinfo of zeros is a valid hint.
        let mut hints: libc::addrinfo = unsafe { std::mem::zeroed() };
        hints.ai_family = libc::AF_INET;
        hints.ai_socktype = kind;
        let mut list = std::ptr::null_mut();
        // SAFETY: the name is a C string, hints and list are valid for the call.
        let code = unsafe {
            libc::getaddrinfo(
                std::ptr::null(),
                service.as_ptr(),
                &raw const hints,
                &raw mut list,
            )
        };
        if code != 0 || list.is_null() {
            continue;
        }
        // SAFETY: getaddrinfo succeeded with AF_INET: the first entry's address is a sockaddr_in, maybe unaligned
        // for us; the list is freed once and not used afterwards.
        unsafe {
            if !(*list).ai_addr.is_null() {
                let address = (*list).ai_addr.cast::<libc::sockaddr_in>().read_unaligned();
                ports.push(u16::from_be(address.sin_port));
            }
            libc::freeaddrinfo(list);
        }
    }
    ports.sort_unstable();
    ports.dedup();
    (!ports.is_empty()).then_some(ports)
}

fn host_name(address: IpAddr) -> Option<String> {
    name_info(address, 0, libc::NI_NAMEREQD, Wanted::Host)
}

fn service_name(port: u16, udp: bool) -> Option<String> {
    let flags = if udp { libc::NI_DGRAM } else { 0 };
    let name = name_info(
        std::net::Ipv4Addr::UNSPECIFIED.into(),
        port,
        flags,
        Wanted::Service,
    )?;
    // Without an entry, getnameinfo returns the number.
    (name != port.to_string()).then_some(name)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Host,
    Service,
}

fn name_info(address: IpAddr, port: u16, flags: libc::c_int, wanted: Wanted) -> Option<String> {
    let mut text = [0u8; 1025]; // NI_MAXHOST
    let length = libc::socklen_t::try_from(text.len()).ok()?;
    let (host, host_length, service, service_length) = match wanted {
        Wanted::Host => (text.as_mut_ptr().cast(), length, std::ptr::null_mut(), 0),
        Wanted::Service => (std::ptr::null_mut(), 0, text.as_mut_ptr().cast(), length),
    };
    let call = |address: *const libc::sockaddr, size: usize| {
        let size = libc::socklen_t::try_from(size).unwrap_or(0);
        // SAFETY: `address` points to a socket address of `size` bytes; host or service point to `text` and its
        // length, the other is null with length 0.
        unsafe { libc::getnameinfo(address, size, host, host_length, service, service_length, flags) }
    };
    let code = match address {
        IpAddr::V4(address) => {
            // SAFETY: a sockaddr_in of zeros is valid.
            let mut socket_address: libc::sockaddr_in = unsafe { std::mem::zeroed() };
            socket_address.sin_family = libc::sa_family_t::try_from(libc::AF_INET).ok()?;
            socket_address.sin_port = port.to_be();
            socket_address.sin_addr.s_addr = u32::from_ne_bytes(address.octets());
            call((&raw const socket_address).cast(), size_of::<libc::sockaddr_in>())
        }
        IpAddr::V6(address) => {
            // SAFETY: a sockaddr_in6 of zeros is valid.
            let mut socket_address: libc::sockaddr_in6 = unsafe { std::mem::zeroed() };
            socket_address.sin6_family = libc::sa_family_t::try_from(libc::AF_INET6).ok()?;
            socket_address.sin6_port = port.to_be();
            socket_address.sin6_addr.s6_addr = address.octets();
            call(
                (&raw const socket_address).cast(),
                size_of::<libc::sockaddr_in6>(),
            )
        }
    };
    if code != 0 {
        return None;
    }
    Some(
        CStr::from_bytes_until_nul(&text)
            .ok()?
            .to_string_lossy()
            .into_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_resolve_back_to_ids() {
        let within = Duration::from_secs(10);
        assert_eq!(user_ids(vec!["root".into()], within).found.get("root"), Some(&0));
        assert!(user_ids(vec!["no such user".into()], within).found.is_empty());
        assert!(
            service_ports(vec!["no-such-service".into()], within)
                .found
                .is_empty()
        );
        let loopback = host_addresses(vec!["127.0.0.1".into()], within);
        assert_eq!(loopback.found["127.0.0.1"], [IpAddr::from([127, 0, 0, 1])]);
    }

    #[test]
    fn root_has_a_name_and_an_unused_uid_has_none() {
        let found = users(vec![0, 4_000_000_001], Duration::from_secs(10));
        assert_eq!(found.found.get(&0).map(String::as_str), Some("root"));
        assert_eq!(found.found.get(&4_000_000_001), None);
        assert_eq!(found.late, 0);
    }
}
