//! `struct mptcp_info` (linux 6.18 include/uapi/linux/mptcp.h): what multipath TCP knows of a whole connection, of
//! which each path is a TCP socket with its own measurements.

use super::layout::{Form, Part, Struct};
use super::{Details, kind};

const fn part(
    name: &'static str,
    key: &'static str,
    unit: &'static str,
    offset: usize,
    width: usize,
    meaning: &'static str,
) -> Part {
    Part::number(name, key, unit, offset, width, meaning).key(key)
}

const fn small(name: &'static str, key: &'static str, offset: usize, meaning: &'static str) -> Part {
    part(name, key, "", offset, 1, meaning)
}

const fn bytes(name: &'static str, key: &'static str, offset: usize, meaning: &'static str) -> Part {
    part(name, key, "bytes", offset, 8, meaning)
}

const fn sequence(name: &'static str, key: &'static str, offset: usize, meaning: &'static str) -> Part {
    part(name, key, "", offset, 8, meaning)
}

const fn ms(name: &'static str, key: &'static str, offset: usize, meaning: &'static str) -> Part {
    part(name, key, "ms", offset, 4, meaning)
}

/// Its parts, by offset. Kernels before 6.5 end before the counters, before 6.11 before the times.
#[rustfmt::skip]
pub const MPTCP_INFO: [Part; 26] = [
    small("mptcp_subflows", "subflows", 0, "paths beside the first"),
    small("mptcp_add_addr_signal", "add_addr_signal", 1, "our addresses that the peer was told"),
    small("mptcp_add_addr_accepted", "add_addr_accepted", 2, "addresses of the peer that were taken up"),
    small("mptcp_subflows_max", "subflows_max", 3, "limit of paths beside the first"),
    small("mptcp_add_addr_signal_max", "add_addr_signal_max", 4, "addresses that there are to tell the peer"),
    small("mptcp_add_addr_accepted_max", "add_addr_accepted_max", 5, "limit of the peer's addresses that are taken up"),
    part("mptcp_fallback", "fallback", "", 8, 4, "it is plain TCP, because the peer or a middlebox wants no multipath")
        .bits(0, 1).form(Form::Flag),
    part("mptcp_remote_key", "remote_key", "", 8, 4, "the peer's key has come").bits(1, 1).form(Form::Flag),
    part("mptcp_token", "token", "", 12, 4, "our token of the connection, which its paths name as theirs")
        .form(Form::Hex),
    sequence("mptcp_write_seq", "write_seq", 16, "sequence number of the next byte that the program writes"),
    sequence("mptcp_snd_una", "snd_una", 24, "first sequence number that is not acknowledged"),
    sequence("mptcp_rcv_nxt", "rcv_nxt", 32, "sequence number of the next byte from the peer"),
    small("mptcp_local_addr_used", "local_addr_used", 40, "our addresses from which paths were opened"),
    small("mptcp_local_addr_max", "local_addr_max", 41, "addresses from which paths may be opened"),
    small("mptcp_csum_enabled", "csum_enabled", 42, "data has checksums of its own").form(Form::Flag),
    part("mptcp_retransmits", "retransmits", "", 44, 4, "times that data was sent again, on whichever path"),
    bytes("mptcp_bytes_retrans", "bytes_retrans", 48, "data sent again"),
    bytes("mptcp_bytes_sent", "bytes_sent", 56, "data sent"),
    bytes("mptcp_bytes_received", "bytes_received", 64, "data received"),
    bytes("mptcp_bytes_acked", "bytes_acked", 72, "data acknowledged by the peer"),
    small("mptcp_subflows_total", "subflows_total", 80, "paths there are, the first included"),
    small("mptcp_endp_laminar_max", "endp_laminar_max", 81, "endpoints of the kind laminar; since Linux 6.18"),
    small("mptcp_endp_fullmesh_max", "endp_fullmesh_max", 82, "endpoints of the kind fullmesh; since Linux 6.18"),
    ms("mptcp_last_data_sent_ms", "last_data_sent_ms", 84, "time since data was sent"),
    ms("mptcp_last_data_recv_ms", "last_data_recv_ms", 88, "time since data came"),
    ms("mptcp_last_ack_recv_ms", "last_ack_recv_ms", 92, "time since an acknowledgement came"),
];

impl Details {
    /// What multipath TCP knows, if it was asked for and came. Of the caller it is to know that the socket is one of
    /// MPTCP.
    pub fn mptcp_info(&self) -> Option<Struct<'_>> {
        self.get(kind::INFO).map(|bytes| Struct::new(&MPTCP_INFO, bytes))
    }
}
