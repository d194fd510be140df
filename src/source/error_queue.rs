//! The ICMP messages in response to a socket's packets (`IP_RECVERR`, ip(7)).

#![allow(unsafe_code, reason = "rustix has neither the option nor the queue")]

use std::mem::{size_of, size_of_val};
use std::os::fd::{AsRawFd as _, BorrowedFd};
use std::ptr;

/// An ICMP message: its type and code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Icmp {
    /// Of IPv4.
    V4(u8, u8),
    /// Of IPv6.
    V6(u8, u8),
}

/// Makes the kernel keep the messages for a socket of this family. Without that, [`take`] finds none.
pub fn keep(socket: BorrowedFd<'_>, is_v6: bool) {
    let on: libc::c_int = 1;
    let (level, option) = if is_v6 {
        (libc::IPPROTO_IPV6, libc::IPV6_RECVERR)
    } else {
        (libc::IPPROTO_IP, libc::IP_RECVERR)
    };
    let length = libc::socklen_t::try_from(size_of::<libc::c_int>()).unwrap_or(0);
    // SAFETY: the option is an int, and `on` is one that outlives the call.
    unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            option,
            ptr::from_ref(&on).cast(),
            length,
        );
    }
}

/// Takes the next message. For TCP sockets, there are messages since Linux 5.13 (net/ipv4/tcp_ipv4.c, tcp_v4_err).
#[allow(
    clippy::useless_conversion,
    reason = "the type of the length is another in musl"
)]
pub fn take(socket: BorrowedFd<'_>) -> Option<Icmp> {
    let mut control = [0_u64; 64];
    // SAFETY: all fields are integers and pointers, for which 0 is valid.
    let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
    header.msg_control = control.as_mut_ptr().cast();
    header.msg_controllen = size_of_val(&control).try_into().unwrap_or(0);
    // SAFETY: the header has no name and no buffers, and its control buffer is `control`, with its length.
    let got = unsafe {
        libc::recvmsg(
            socket.as_raw_fd(),
            &raw mut header,
            libc::MSG_ERRQUEUE | libc::MSG_DONTWAIT,
        )
    };
    if got < 0 {
        return None;
    }
    // SAFETY: recvmsg filled the control buffer, so that the macros stay within it; the kernel writes this structure
    // after a header of this level and type, and it may be unaligned.
    let error = unsafe {
        let mut message = libc::CMSG_FIRSTHDR(&raw const header);
        loop {
            let head = message.as_ref()?;
            if matches!(
                (head.cmsg_level, head.cmsg_type),
                (libc::IPPROTO_IP, libc::IP_RECVERR) | (libc::IPPROTO_IPV6, libc::IPV6_RECVERR)
            ) {
                break ptr::read_unaligned(libc::CMSG_DATA(message).cast::<libc::sock_extended_err>());
            }
            message = libc::CMSG_NXTHDR(&raw const header, message);
        }
    };
    match error.ee_origin {
        libc::SO_EE_ORIGIN_ICMP => Some(Icmp::V4(error.ee_type, error.ee_code)),
        libc::SO_EE_ORIGIN_ICMP6 => Some(Icmp::V6(error.ee_type, error.ee_code)),
        _ => None,
    }
}
