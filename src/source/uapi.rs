//! Constants of the kernel interface that neither libc nor the netlink crates have (linux 6.18, headers as named).
//!
//! Constants that those crates have are used from there. The address families and protocols below are theirs, converted
//! to the width of netlink messages.

pub(crate) use netlink_packet_sock_diag::constants::{
    AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_UNIX, IPPROTO_RAW, IPPROTO_SCTP, IPPROTO_TCP, IPPROTO_UDP,
    IPPROTO_UDPLITE,
};

/// `AF_VSOCK`, as in a diag message.
pub(crate) const AF_VSOCK: u8 = byte(libc::AF_VSOCK);
/// `IPPROTO_DCCP`, as in a diag request.
pub(crate) const IPPROTO_DCCP: u8 = byte(libc::IPPROTO_DCCP);
/// `AF_XDP`, as in a diag message.
pub(crate) const AF_XDP: u8 = byte(libc::AF_XDP);

/// `AF_TIPC`, as in a diag message.
pub(crate) const AF_TIPC: u8 = byte(libc::AF_TIPC);

/// `AF_SMC` (include/linux/socket.h), as in a diag message.
pub(crate) const AF_SMC: u8 = 43;

/// The legacy dump request, which reads TCP over both IP families (include/uapi/linux/inet_diag.h).
pub(crate) const TCPDIAG_GETSOCK: u16 = 18;

/// The pseudo-state of a TCP socket that is only bound (include/net/tcp_states.h, `TCP_BOUND_INACTIVE`).
pub(crate) const TCP_BOUND_INACTIVE: u8 = 13;

/// Attributes of an inet request (include/uapi/linux/inet_diag.h).
pub(crate) const INET_DIAG_REQ_BYTECODE: u16 = 1;
pub(crate) const INET_DIAG_REQ_PROTOCOL: u16 = 3;

/// Attributes of an inet reply that netlink-packet-sock-diag lacks (include/uapi/linux/inet_diag.h).
pub(crate) const INET_DIAG_CGROUP_ID: u16 = 21;
pub(crate) const INET_DIAG_SOCKOPT: u16 = 22;

/// Operations of a filter program (include/uapi/linux/inet_diag.h).
pub(crate) mod bytecode {
    pub(crate) const JMP: u8 = 1;
    pub(crate) const S_GE: u8 = 2;
    pub(crate) const S_LE: u8 = 3;
    pub(crate) const D_GE: u8 = 4;
    pub(crate) const D_LE: u8 = 5;
    pub(crate) const AUTO: u8 = 6;
    pub(crate) const S_COND: u8 = 7;
    pub(crate) const D_COND: u8 = 8;
    pub(crate) const DEV_COND: u8 = 9;
    pub(crate) const MARK_COND: u8 = 10;
    pub(crate) const S_EQ: u8 = 11;
    pub(crate) const D_EQ: u8 = 12;
    pub(crate) const CGROUP_COND: u8 = 13;
}

/// An attribute of a unix reply that netlink-packet-sock-diag lacks, and the bit that requests it
/// (include/uapi/linux/unix_diag.h).
pub(crate) const UNIX_DIAG_UID: u16 = 7;
pub(crate) const UDIAG_SHOW_UID: u32 = 0x40;

/// Attributes of a packet reply, and the bits that request them (include/uapi/linux/packet_diag.h).
pub(crate) mod packet {
    pub(crate) const INFO: u16 = 0;
    pub(crate) const RX_RING: u16 = 2;
    pub(crate) const TX_RING: u16 = 3;
    pub(crate) const FANOUT: u16 = 4;
    pub(crate) const UID: u16 = 5;
    pub(crate) const MEMINFO: u16 = 6;
    pub(crate) const FILTER: u16 = 7;
    pub(crate) const SHOW_INFO: u32 = 0x01;
    pub(crate) const SHOW_RING_CFG: u32 = 0x04;
    pub(crate) const SHOW_FANOUT: u32 = 0x08;
    pub(crate) const SHOW_MEMINFO: u32 = 0x10;
    pub(crate) const SHOW_FILTER: u32 = 0x20;
}

/// Attributes of a netlink reply, and the bits that request them (include/uapi/linux/netlink_diag.h).
pub(crate) mod netlink {
    pub(crate) const MEMINFO: u16 = 0;
    pub(crate) const GROUPS: u16 = 1;
    pub(crate) const SHOW_MEMINFO: u32 = 0x01;
    pub(crate) const SHOW_GROUPS: u32 = 0x02;
    /// `NDIAG_PROTO_ALL`: the sockets of every netlink protocol.
    pub(crate) const ALL_PROTOCOLS: u8 = 255;
}

/// Attributes of an XDP reply, and the bits that request them (include/uapi/linux/xdp_diag.h).
pub(crate) mod xdp {
    pub(crate) const INFO: u16 = 1;
    pub(crate) const UID: u16 = 2;
    pub(crate) const RX_RING: u16 = 3;
    pub(crate) const TX_RING: u16 = 4;
    pub(crate) const UMEM: u16 = 5;
    pub(crate) const FILL_RING: u16 = 6;
    pub(crate) const COMPLETION_RING: u16 = 7;
    pub(crate) const MEMINFO: u16 = 8;
    pub(crate) const STATS: u16 = 9;
    pub(crate) const SHOW_INFO: u32 = 0x01;
    pub(crate) const SHOW_RING_CFG: u32 = 0x02;
    pub(crate) const SHOW_UMEM: u32 = 0x04;
    pub(crate) const SHOW_MEMINFO: u32 = 0x08;
    pub(crate) const SHOW_STATS: u32 = 0x10;
}

/// Attributes of an SMC reply (include/uapi/linux/smc_diag.h).
pub(crate) mod smc {
    pub(crate) const CONNINFO: u16 = 1;
    pub(crate) const LGRINFO: u16 = 2;
    pub(crate) const SHUTDOWN: u16 = 3;
    pub(crate) const DMBINFO: u16 = 4;
    pub(crate) const FALLBACK: u16 = 5;
}

/// Attributes of a TIPC reply (include/uapi/linux/tipc_netlink.h).
pub(crate) mod tipc {
    /// Of the socket, within the nest `TIPC_NLA_SOCK`.
    pub(crate) mod sock {
        pub(crate) const NEST: u16 = 2;
        pub(crate) const ADDR: u16 = 1;
        pub(crate) const REF: u16 = 2;
        pub(crate) const CON: u16 = 3;
        pub(crate) const HAS_PUBL: u16 = 4;
        pub(crate) const STAT: u16 = 5;
        pub(crate) const TYPE: u16 = 6;
        pub(crate) const INO: u16 = 7;
        pub(crate) const UID: u16 = 8;
        pub(crate) const STATE: u16 = 9;
        pub(crate) const COOKIE: u16 = 10;
        pub(crate) const GROUP: u16 = 12;
    }
    /// Of its connection.
    pub(crate) mod connection {
        pub(crate) const FLAG: u16 = 1;
        pub(crate) const NODE: u16 = 2;
        pub(crate) const SOCK: u16 = 3;
        pub(crate) const TYPE: u16 = 4;
        pub(crate) const INST: u16 = 5;
    }
    /// Of its queues.
    pub(crate) mod statistics {
        pub(crate) const RCVQ: u16 = 0;
        pub(crate) const SENDQ: u16 = 1;
        pub(crate) const LINK_CONG: u16 = 2;
        pub(crate) const CONN_CONG: u16 = 3;
        pub(crate) const DROP: u16 = 4;
    }
}

/// The groups that report freed sockets, bit 0 for group 1 (include/uapi/linux/sock_diag.h, `enum sknetlink_groups`).
pub(crate) mod freed {
    pub(crate) const INET_TCP: u32 = 1 << 0;
    pub(crate) const INET_UDP: u32 = 1 << 1;
    pub(crate) const INET6_TCP: u32 = 1 << 2;
    pub(crate) const INET6_UDP: u32 = 1 << 3;
}

/// A socket that accepts connections, in the flags of /proc/net/unix (`__SO_ACCEPTCON`, include/uapi/linux/net.h).
pub(crate) const SO_ACCEPTCON: u64 = 0x1_0000;

/// `SS_UNCONNECTED` (include/uapi/linux/net.h).
pub(crate) const SS_UNCONNECTED: i32 = 1;

/// Compare the file tables of two tasks (kcmp(2), include/uapi/linux/kcmp.h).
pub(crate) const KCMP_FILES: libc::c_int = 2;

/// Commands, program and attach types of bpf(2) (include/uapi/linux/bpf.h).
pub(crate) mod bpf {
    pub(crate) const PROG_LOAD: libc::c_int = 5;
    pub(crate) const PROG_QUERY: libc::c_int = 16;
    pub(crate) const LINK_CREATE: libc::c_int = 28;
    pub(crate) const ITER_CREATE: libc::c_int = 33;
    pub(crate) const PROG_TYPE_TRACING: u32 = 26;
    pub(crate) const TRACE_ITER: u32 = 28;
    /// `BPF_F_QUERY_EFFECTIVE`.
    pub(crate) const QUERY_EFFECTIVE: u32 = 1;
    pub(crate) const CGROUP_INET_SOCK_CREATE: u32 = 2;
    pub(crate) const CGROUP_INET4_BIND: u32 = 8;
    pub(crate) const CGROUP_INET6_BIND: u32 = 9;
    pub(crate) const CGROUP_INET4_POST_BIND: u32 = 12;
    pub(crate) const CGROUP_INET6_POST_BIND: u32 = 13;
    pub(crate) const CGROUP_INET_INGRESS: u32 = 0;
    pub(crate) const CGROUP_INET_EGRESS: u32 = 1;
    pub(crate) const CGROUP_INET4_CONNECT: u32 = 10;
    pub(crate) const CGROUP_INET6_CONNECT: u32 = 11;
    pub(crate) const CGROUP_UDP4_SENDMSG: u32 = 14;
    pub(crate) const CGROUP_UDP6_SENDMSG: u32 = 15;
    pub(crate) const SK_LOOKUP: u32 = 36;
    pub(crate) const TCX_INGRESS: u32 = 46;
    pub(crate) const TCX_EGRESS: u32 = 47;
}

/// Converts a libc constant that fits into a byte.
const fn byte(number: libc::c_int) -> u8 {
    assert!(0 <= number && number <= 255);
    number.to_le_bytes()[0]
}

/// The same, in two bytes.
pub(crate) const fn short(number: libc::c_int) -> u16 {
    assert!(0 <= number && number <= 65_535);
    let bytes = number.to_le_bytes();
    u16::from_le_bytes([bytes[0], bytes[1]])
}
