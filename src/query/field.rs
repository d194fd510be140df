//! The vocabulary: every fact that a row can tell, under the one name it has.
//!
//! Columns, JSON keys, CSV headers, filter fields, sort keys, group keys and the documentation come from
//! [`FIELDS`]. A field's value is computed from a [`Row`] and nothing else.

mod list;
mod parts;

pub use list::List;

use std::net::IpAddr;
use std::num::NonZeroU32;

use crate::model::Row;
use crate::model::details::kind;
use crate::model::details::layout::{Form, Part, Struct};
use crate::model::details::sctp::Addresses;
use crate::model::numbers::netlink_protocol_name;
use crate::model::other_ends::vsock_number;
use crate::model::{Endpoints, OwnerStatus, Process, Protocol, Shutdown, Socket, Timer};

/// The name of a fact. The order is the order of keys in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "FIELDS says what each one means")]
#[repr(u16)]
pub enum Field {
    Protocol,
    Family,
    Type,
    State,
    LocalAddress,
    LocalPort,
    PeerAddress,
    PeerPort,
    Interface,
    V6only,
    Scope,
    Path,
    PeerPath,
    PeerInode,
    PeerProcess,
    PeerPid,
    PeerOwners,
    RecvQ,
    SendQ,
    AcceptQ,
    Backlog,
    AcceptQueueFull,
    SynRecv,
    RecvQPercent,
    Drops,
    Uid,
    User,
    Process,
    Pid,
    OwnerStatus,
    Owners,
    Context,
    SocketContext,
    Cgroup,
    Unit,
    Container,
    ContainerId,
    Pod,
    Mark,
    Shutdown,
    SocketOptions,
    IpProtocol,
    Ethertype,
    FilterInstructions,
    FilterProgram,
    QueueId,
    KernelProtocol,
    NetlinkProtocol,
    Portid,
    PeerPortid,
    PeerGroup,
    NetlinkGroups,
    LocalCid,
    PeerCid,
    Timer,
    TimerExpiresMs,
    Retransmits,
    Memory,
    Tos,
    Tclass,
    ClassId,
    Congestion,
    Tcp,
    Vegas,
    Dctcp,
    Bbr,
    Ulp,
    Tls,
    Subflow,
    Mptcp,
    Sctp,
    SctpSettings,
    Association,
    LocalAddresses,
    PeerAddresses,
    Packet,
    RxRing,
    TxRing,
    Fanout,
    XdpRings,
    XdpUmem,
    XdpStats,
    Inode,
    Cookie,
    Netns,
    NetnsName,
    // Parts of objects: in the order of their tables.
    RmemAlloc,
    Rcvbuf,
    WmemAlloc,
    Sndbuf,
    FwdAlloc,
    WmemQueued,
    Optmem,
    MemoryBacklog,
    MemoryDrops,
    CaState,
    TcpRetransmits,
    Probes,
    Backoff,
    OptTimestamps,
    OptSack,
    OptWscale,
    OptEcn,
    OptEcnSeen,
    OptSynData,
    OptUsecTs,
    OptTfoChild,
    SndWscale,
    RcvWscale,
    DeliveryRateAppLimited,
    FastopenClientFail,
    RtoUs,
    AtoUs,
    Mss,
    RcvMssBytes,
    Unacked,
    Sacked,
    Lost,
    Retrans,
    Fackets,
    LastDataSentMs,
    LastAckSentMs,
    LastDataRecvMs,
    LastAckRecvMs,
    PmtuBytes,
    RcvSsthreshBytes,
    RttUs,
    RttvarUs,
    Ssthresh,
    Cwnd,
    AdvmssBytes,
    Reordering,
    RcvRttUs,
    RcvSpaceBytes,
    TotalRetrans,
    PacingRateBytesPerS,
    MaxPacingRateBytesPerS,
    BytesAcked,
    BytesReceived,
    SegsOut,
    SegsIn,
    NotsentBytes,
    MinRttUs,
    DataSegsIn,
    DataSegsOut,
    DeliveryRateBytesPerS,
    BusyTimeUs,
    RwndLimitedUs,
    SndbufLimitedUs,
    Delivered,
    DeliveredCe,
    BytesSent,
    BytesRetrans,
    DsackDups,
    ReordSeen,
    RcvOoopack,
    SndWndBytes,
    RcvWndBytes,
    Rehash,
    TotalRto,
    TotalRtoRecoveries,
    TotalRtoTimeMs,
    ReceivedCe,
    DeliveredE1Bytes,
    DeliveredE0Bytes,
    DeliveredCeBytes,
    ReceivedE1Bytes,
    ReceivedE0Bytes,
    ReceivedCeBytes,
    VegasEnabled,
    VegasRttcnt,
    VegasRttUs,
    VegasMinrttUs,
    DctcpEnabled,
    DctcpCeState,
    DctcpAlpha,
    DctcpAbEcn,
    DctcpAbTot,
    BbrBwBytesPerS,
    BbrMinRttUs,
    BbrPacingGain,
    BbrCwndGain,
    TlsVersion,
    TlsCipher,
    TlsTxconf,
    TlsRxconf,
    TlsZcRoTx,
    TlsRxNoPad,
    SubflowTokenRem,
    SubflowTokenLoc,
    SubflowRelwriteSeq,
    SubflowMapSeq,
    SubflowMapSfseq,
    SubflowSsnOffset,
    SubflowMapDatalen,
    SubflowFlags,
    SubflowIdRem,
    SubflowIdLoc,
    MptcpSubflows,
    MptcpAddAddrSignal,
    MptcpAddAddrAccepted,
    MptcpSubflowsMax,
    MptcpAddAddrSignalMax,
    MptcpAddAddrAcceptedMax,
    MptcpFallback,
    MptcpRemoteKey,
    MptcpToken,
    MptcpWriteSeq,
    MptcpSndUna,
    MptcpRcvNxt,
    MptcpLocalAddrUsed,
    MptcpLocalAddrMax,
    MptcpCsumEnabled,
    MptcpRetransmits,
    MptcpBytesRetrans,
    MptcpBytesSent,
    MptcpBytesReceived,
    MptcpBytesAcked,
    MptcpSubflowsTotal,
    MptcpEndpLaminarMax,
    MptcpEndpFullmeshMax,
    MptcpLastDataSentMs,
    MptcpLastDataRecvMs,
    MptcpLastAckRecvMs,
    SctpTag,
    SctpState,
    SctpRwndBytes,
    SctpUnackdata,
    SctpPenddata,
    SctpInstrms,
    SctpOutstrms,
    SctpInqueue,
    SctpOutqueue,
    SctpOverallError,
    SctpMaxBurst,
    SctpMaxsegBytes,
    SctpPeerRwndBytes,
    SctpPeerTag,
    SctpPeerCapable,
    SctpPeerSack,
    SctpIsacks,
    SctpOsacks,
    SctpOpackets,
    SctpIpackets,
    SctpRtxchunks,
    SctpOutofseqtsns,
    SctpIdupchunks,
    SctpGapcnt,
    SctpOuodchunks,
    SctpIuodchunks,
    SctpOodchunks,
    SctpIodchunks,
    SctpOctrlchunks,
    SctpIctrlchunks,
    SctpPrimaryState,
    SctpPrimaryCwndBytes,
    SctpPrimarySrttTicks,
    SctpPrimaryRtoMs,
    SctpPrimaryHbintervalTicks,
    SctpPrimaryPathmaxrxt,
    SctpPrimarySackdelayMs,
    SctpPrimarySsthreshBytes,
    SctpPrimaryPartialAckedBytes,
    SctpPrimaryFlightBytes,
    SctpPrimaryErrors,
    SctpAutocloseS,
    SctpAdaptationInd,
    SctpPdPointBytes,
    SctpNodelay,
    SctpDisableFragments,
    SctpV4mapped,
    SctpFragInterleave,
    SctpType,
    PacketVersion,
    PacketCopyThresh,
    PacketTstamp,
    PacketRunning,
    PacketAuxdata,
    PacketOrigdev,
    PacketVnethdr,
    PacketLoss,
    RxRingBlockSize,
    RxRingBlockNr,
    RxRingFrameSize,
    RxRingFrameNr,
    RxRingRetireMs,
    RxRingFeatures,
    TxRingBlockSize,
    TxRingBlockNr,
    TxRingFrameSize,
    TxRingFrameNr,
    TxRingRetireMs,
    TxRingFeatures,
    FanoutId,
    FanoutType,
    XdpRxEntries,
    XdpTxEntries,
    XdpFillEntries,
    XdpCompletionEntries,
    UmemSize,
    UmemId,
    UmemNumPages,
    UmemChunkSize,
    UmemHeadroom,
    UmemIfindex,
    UmemQueueId,
    UmemZeroCopy,
    UmemRefs,
    XdpRxDropped,
    XdpRxInvalid,
    XdpRxFull,
    XdpFillRingEmpty,
    XdpTxInvalid,
    XdpTxRingEmpty,
}

/// What kind of value a field has, when it has one. Every field can also be null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole number.
    Integer,
    /// True or false.
    Boolean,
    /// One of a few words.
    Word,
    /// Text from outside, any bytes.
    Text,
    /// An IP address.
    Address,
    /// A 64-bit number in hexadecimal, as text.
    Hex,
    /// Several words.
    Words,
    /// Several whole numbers.
    Numbers,
    /// Several texts without a fixed list.
    Texts,
    /// The list of owners.
    Owners,
    /// Several facts by name.
    Object,
}

/// One entry of the registry.
#[derive(Clone, Copy, Debug)]
pub struct FieldInfo {
    /// The field.
    pub field: Field,
    /// Its one name.
    pub name: &'static str,
    /// Its kind.
    pub kind: Kind,
    /// The unit of a number: `bytes`, `ms`, `packets`, `connections`; empty for none.
    pub unit: &'static str,
    /// Whether it comes from the owners, and is unknown while they are.
    pub of_owner: bool,
    /// What it means, in one line.
    pub meaning: &'static str,
    /// Of a part of an object: the object, and where the part is in it.
    pub part: Option<(Field, &'static Part)>,
}

const fn entry(
    field: Field,
    name: &'static str,
    kind: Kind,
    unit: &'static str,
    meaning: &'static str,
) -> FieldInfo {
    let of_owner = matches!(
        field,
        Field::Process
            | Field::Pid
            | Field::OwnerStatus
            | Field::Owners
            | Field::Context
            | Field::SocketContext
            | Field::PeerProcess
            | Field::PeerPid
            | Field::PeerOwners
            | Field::Unit
            | Field::Container
            | Field::ContainerId
            | Field::Pod
    );
    FieldInfo {
        field,
        name,
        kind,
        unit,
        of_owner,
        meaning,
        part: None,
    }
}

/// The registry, in the order of [`Field`].
pub const FIELDS: &[FieldInfo] =
    &joined::<{ WHOLE.len() + parts::COUNT }>(WHOLE, &parts::entries::<{ parts::COUNT }>());

const fn joined<const LENGTH: usize>(first: &[FieldInfo], second: &[FieldInfo]) -> [FieldInfo; LENGTH] {
    let mut all = [first[0]; LENGTH];
    let mut index = 0;
    while index < LENGTH {
        all[index] = if index < first.len() {
            first[index]
        } else {
            second[index - first.len()]
        };
        index += 1;
    }
    all
}

/// The fields that a row shows when none are named.
pub fn usual_fields() -> impl Iterator<Item = Field> {
    WHOLE.iter().map(|info| info.field)
}

/// What stands for itself and is no part of an object.
const WHOLE: &[FieldInfo] = &[
    entry(
        Field::Protocol,
        "protocol",
        Kind::Word,
        "",
        "tcp, udp, udplite, raw, icmp, mptcp, sctp, unix, packet, netlink, vsock, xdp",
    ),
    entry(
        Field::Family,
        "family",
        Kind::Word,
        "",
        "address family of the socket: inet, inet6, unix, packet, netlink, vsock, xdp",
    ),
    entry(
        Field::Type,
        "type",
        Kind::Word,
        "",
        "socket type: stream, dgram, raw, seqpacket, packet",
    ),
    entry(
        Field::State,
        "state",
        Kind::Word,
        "",
        "listen, established, syn-sent, syn-recv, fin-wait-1, fin-wait-2, time-wait, close-wait, last-ack, closing, unconnected, bound",
    ),
    entry(
        Field::LocalAddress,
        "local_address",
        Kind::Address,
        "",
        "IP address the socket is bound to; 0.0.0.0 or :: for all",
    ),
    entry(
        Field::LocalPort,
        "local_port",
        Kind::Integer,
        "",
        "local port; null for none",
    ),
    entry(
        Field::PeerAddress,
        "peer_address",
        Kind::Address,
        "",
        "IP address of the other end; null when not connected",
    ),
    entry(
        Field::PeerPort,
        "peer_port",
        Kind::Integer,
        "",
        "port of the other end; null when not connected",
    ),
    entry(
        Field::Interface,
        "interface",
        Kind::Text,
        "",
        "interface that the socket is bound to",
    ),
    entry(
        Field::V6only,
        "v6only",
        Kind::Boolean,
        "",
        "IPV6_V6ONLY; known for IPv6 sockets that listen or are bound",
    ),
    entry(
        Field::Scope,
        "scope",
        Kind::Word,
        "",
        "from where a listening or bound socket can be reached: loopback, link-local, private, public, all-v4, all-v6, all",
    ),
    entry(
        Field::Path,
        "path",
        Kind::Text,
        "",
        "name of a unix socket; an abstract name starts with @",
    ),
    entry(
        Field::PeerPath,
        "peer_path",
        Kind::Text,
        "",
        "name of the other end of a unix socket, or of the listener at which it waits",
    ),
    entry(
        Field::PeerInode,
        "peer_inode",
        Kind::Integer,
        "",
        "inode of the other end of a unix socket; of an IP connection where that is on this machine and was asked for",
    ),
    entry(
        Field::PeerProcess,
        "peer_process",
        Kind::Text,
        "",
        "program of the first owner of the other end, if that is on this machine",
    ),
    entry(
        Field::PeerPid,
        "peer_pid",
        Kind::Integer,
        "",
        "process id of the first owner of the other end, if that is on this machine",
    ),
    entry(
        Field::PeerOwners,
        "peer_owners",
        Kind::Owners,
        "",
        "every descriptor that refers to the other end, as in owners; of a unix socket with several senders or waiting clients: to any of them; null when the other end is not on this machine or not known",
    ),
    entry(
        Field::RecvQ,
        "recv_q",
        Kind::Integer,
        "bytes",
        "received and not yet read; null for listeners",
    ),
    entry(
        Field::SendQ,
        "send_q",
        Kind::Integer,
        "bytes",
        "sent or queued and not yet acknowledged; null for listeners",
    ),
    entry(
        Field::AcceptQ,
        "accept_q",
        Kind::Integer,
        "connections",
        "connections that wait to be accepted; listeners only",
    ),
    entry(
        Field::Backlog,
        "backlog",
        Kind::Integer,
        "connections",
        "limit of the accept queue; listeners only",
    ),
    entry(
        Field::AcceptQueueFull,
        "accept_queue_full",
        Kind::Boolean,
        "",
        "whether the accept queue holds more than its limit, so that connections are dropped; listeners only",
    ),
    entry(
        Field::SynRecv,
        "syn_recv",
        Kind::Integer,
        "connections",
        "half-open connections at the address of a TCP listener, when named",
    ),
    entry(
        Field::RecvQPercent,
        "recv_q_percent",
        Kind::Integer,
        "",
        "how full the receive buffer of a UDP, UDP-Lite or raw socket is, in percent, when named or with -m",
    ),
    entry(
        Field::Drops,
        "drops",
        Kind::Integer,
        "packets",
        "packets dropped at this socket since it was made",
    ),
    entry(
        Field::Uid,
        "uid",
        Kind::Integer,
        "",
        "user id that owns the socket; null where the kernel keeps none",
    ),
    entry(Field::User, "user", Kind::Text, "", "login name of uid"),
    entry(
        Field::Process,
        "process",
        Kind::Text,
        "",
        "program of the first owner, as a person would name it",
    ),
    entry(
        Field::Pid,
        "pid",
        Kind::Integer,
        "",
        "process id of the first owner",
    ),
    entry(
        Field::OwnerStatus,
        "owner_status",
        Kind::Word,
        "",
        "known, hidden, none, queued, in-flight, elsewhere, kernel, unknown, not-asked",
    ),
    entry(
        Field::Owners,
        "owners",
        Kind::Owners,
        "",
        "every descriptor that refers to the socket: pid, tid, fd, comm, program, exe, cmdline, user, started_at, context, cgroup, unit, container; null when not asked or unknown",
    ),
    entry(
        Field::Context,
        "context",
        Kind::Text,
        "",
        "security context of the first owner (SELinux; or the label of AppArmor or Smack), with -Z or when named",
    ),
    entry(
        Field::SocketContext,
        "socket_context",
        Kind::Text,
        "",
        "SELinux context of the socket itself, by way of its owner, with -z or when named",
    ),
    entry(
        Field::Cgroup,
        "cgroup",
        Kind::Text,
        "",
        "v2 cgroup of the task that created the socket",
    ),
    entry(
        Field::Unit,
        "unit",
        Kind::Text,
        "",
        "systemd unit of the task that created the socket; of the first owner where its cgroup does not tell",
    ),
    entry(
        Field::Container,
        "container",
        Kind::Text,
        "",
        "container of the same, by its name, or by 12 digits of its identifier where the name is not known",
    ),
    entry(
        Field::ContainerId,
        "container_id",
        Kind::Text,
        "",
        "identifier of the container, 64 hexadecimal digits; null for LXC and systemd-nspawn, which have names alone",
    ),
    entry(
        Field::Pod,
        "pod",
        Kind::Text,
        "",
        "pod of the same: NAMESPACE/NAME, or its identifier where that is not known",
    ),
    entry(
        Field::Mark,
        "mark",
        Kind::Integer,
        "",
        "SO_MARK; needs CAP_NET_ADMIN",
    ),
    entry(
        Field::Shutdown,
        "shutdown",
        Kind::Word,
        "",
        "directions that were shut down: none, receive, send, both",
    ),
    entry(
        Field::SocketOptions,
        "socket_options",
        Kind::Words,
        "",
        "options set on the socket, by the names of ss --inet-sockopt",
    ),
    entry(
        Field::IpProtocol,
        "ip_protocol",
        Kind::Integer,
        "",
        "IP protocol number of a raw socket",
    ),
    entry(
        Field::Ethertype,
        "ethertype",
        Kind::Integer,
        "",
        "Ethernet protocol that a packet socket takes: 3 for all, 0 while it takes none",
    ),
    entry(
        Field::FilterInstructions,
        "filter_instructions",
        Kind::Integer,
        "",
        "length of a packet socket's filter program; null without one, and without CAP_NET_ADMIN",
    ),
    entry(
        Field::FilterProgram,
        "filter_program",
        Kind::Texts,
        "",
        "filter program of a packet socket, each instruction as code, jump if true, jump if false and operand; asked by -b; null without one, and without CAP_NET_ADMIN",
    ),
    entry(
        Field::QueueId,
        "queue_id",
        Kind::Integer,
        "",
        "queue of the interface that an XDP socket is bound to",
    ),
    entry(
        Field::KernelProtocol,
        "kernel_protocol",
        Kind::Text,
        "",
        "the kernel's name for the protocol of a socket that no dump tells of: TCP, ALG, CAN_RAW; null for all others",
    ),
    entry(
        Field::NetlinkProtocol,
        "netlink_protocol",
        Kind::Word,
        "",
        "netlink family: rtnl, genl, uevent, audit and so on; a number where it has no name",
    ),
    entry(
        Field::Portid,
        "portid",
        Kind::Integer,
        "",
        "address of a netlink socket: 0 for the kernel, often the process id of whoever made it",
    ),
    entry(
        Field::PeerPortid,
        "peer_portid",
        Kind::Integer,
        "",
        "address that a netlink socket was connected to; null when not connected",
    ),
    entry(
        Field::PeerGroup,
        "peer_group",
        Kind::Integer,
        "",
        "multicast group that a netlink socket was connected to; null for none",
    ),
    entry(
        Field::NetlinkGroups,
        "netlink_groups",
        Kind::Numbers,
        "",
        "multicast groups that a netlink socket has joined",
    ),
    entry(
        Field::LocalCid,
        "local_cid",
        Kind::Integer,
        "",
        "context id of a VM socket; null for any",
    ),
    entry(
        Field::PeerCid,
        "peer_cid",
        Kind::Integer,
        "",
        "context id of the other end of a VM socket; null when not connected",
    ),
    entry(
        Field::Timer,
        "timer",
        Kind::Word,
        "",
        "running timer: on, keepalive, timewait, persist, delack",
    ),
    entry(
        Field::TimerExpiresMs,
        "timer_expires_ms",
        Kind::Integer,
        "ms",
        "time until the timer ends",
    ),
    entry(
        Field::Retransmits,
        "retransmits",
        Kind::Integer,
        "packets",
        "retransmits or probes so far",
    ),
    entry(
        Field::Memory,
        "memory",
        Kind::Object,
        "",
        "memory of the socket and its limits; asked by -m",
    ),
    entry(
        Field::Tos,
        "tos",
        Kind::Integer,
        "",
        "IP_TOS: DSCP and ECN bits of packets sent over IPv4; asked by --tos",
    ),
    entry(
        Field::Tclass,
        "tclass",
        Kind::Integer,
        "",
        "IPV6_TCLASS: the same over IPv6; asked by --tos",
    ),
    entry(
        Field::ClassId,
        "class_id",
        Kind::Integer,
        "",
        "class of the net_cls cgroup, or else SO_PRIORITY; asked by --tos",
    ),
    entry(
        Field::Congestion,
        "congestion",
        Kind::Text,
        "",
        "congestion control of a TCP socket; asked by -i",
    ),
    entry(
        Field::Tcp,
        "tcp",
        Kind::Object,
        "",
        "what TCP knows of a connection; asked by -i",
    ),
    entry(
        Field::Vegas,
        "vegas",
        Kind::Object,
        "",
        "measurements of vegas and its relatives; asked by -i",
    ),
    entry(
        Field::Dctcp,
        "dctcp",
        Kind::Object,
        "",
        "measurements of dctcp; asked by -i",
    ),
    entry(
        Field::Bbr,
        "bbr",
        Kind::Object,
        "",
        "measurements of bbr; asked by -i",
    ),
    entry(
        Field::Ulp,
        "ulp",
        Kind::Text,
        "",
        "protocol that the kernel runs on top of a TCP socket: tls, mptcp; asked by -i",
    ),
    entry(
        Field::Tls,
        "tls",
        Kind::Object,
        "",
        "TLS in the kernel; asked by -i",
    ),
    entry(
        Field::Subflow,
        "subflow",
        Kind::Object,
        "",
        "what makes a TCP connection a subflow of multipath TCP; asked by -i",
    ),
    entry(
        Field::Mptcp,
        "mptcp",
        Kind::Object,
        "",
        "what multipath TCP knows of a connection; asked by -i",
    ),
    entry(
        Field::Sctp,
        "sctp",
        Kind::Object,
        "",
        "measurements of an SCTP association; asked by -i",
    ),
    entry(
        Field::SctpSettings,
        "sctp_settings",
        Kind::Object,
        "",
        "what was set for an SCTP endpoint; asked by -i",
    ),
    entry(
        Field::Association,
        "association",
        Kind::Word,
        "",
        "state of an SCTP association in SCTP's words: closed, cookie-wait, cookie-echoed, established, shutdown-pending, shutdown-sent, shutdown-received, shutdown-ack-sent; null for an endpoint",
    ),
    entry(
        Field::LocalAddresses,
        "local_addresses",
        Kind::Texts,
        "",
        "all IP addresses of an SCTP socket; asked by -i or -m",
    ),
    entry(
        Field::PeerAddresses,
        "peer_addresses",
        Kind::Texts,
        "",
        "all IP addresses of the other end of an SCTP association; asked by -i or -m",
    ),
    entry(
        Field::Packet,
        "packet",
        Kind::Object,
        "",
        "version and flags of a packet socket; asked by -e",
    ),
    entry(
        Field::RxRing,
        "rx_ring",
        Kind::Object,
        "",
        "receive ring of a packet socket; null without one; asked by -e",
    ),
    entry(
        Field::TxRing,
        "tx_ring",
        Kind::Object,
        "",
        "send ring of a packet socket; null without one; asked by -e",
    ),
    entry(
        Field::Fanout,
        "fanout",
        Kind::Object,
        "",
        "group of packet sockets that share packets; null for none; asked by -e",
    ),
    entry(
        Field::XdpRings,
        "xdp_rings",
        Kind::Object,
        "",
        "rings of an XDP socket; asked by -e",
    ),
    entry(
        Field::XdpUmem,
        "xdp_umem",
        Kind::Object,
        "",
        "frame memory of an XDP socket; asked by -e",
    ),
    entry(
        Field::XdpStats,
        "xdp_stats",
        Kind::Object,
        "",
        "counters of an XDP socket; asked by -e",
    ),
    entry(
        Field::Inode,
        "inode",
        Kind::Integer,
        "",
        "inode of the socket; null where no program holds it",
    ),
    entry(
        Field::Cookie,
        "cookie",
        Kind::Hex,
        "",
        "unique for the socket since boot",
    ),
    entry(
        Field::Netns,
        "netns",
        Kind::Integer,
        "",
        "inode of the network namespace",
    ),
    entry(
        Field::NetnsName,
        "netns_name",
        Kind::Text,
        "",
        "name of the network namespace, if it has one (ip netns, docker)",
    ),
];

/// Names of `INET_DIAG_SOCKOPT` bits, lowest first (linux 6.18 include/uapi/linux/inet_diag.h).
pub const SOCKET_OPTION_NAMES: [&str; 11] = [
    "recverr",
    "is_icsk",
    "freebind",
    "hdrincl",
    "mc_loop",
    "transparent",
    "mc_all",
    "nodefrag",
    "bind_addr_no_port",
    "recverr_rfc4884",
    "defer_connect",
];

/// A field's value in one row.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// Unknown, not applicable, or not asked.
    Null,
    /// True or false.
    Bool(bool),
    /// A number in the field's unit.
    Integer(u64),
    /// A word of the vocabulary.
    Word(&'static str),
    /// Text from outside; not sanitised.
    Text(&'a [u8]),
    /// The name of a unix socket, its first NUL still in place if it is abstract; not sanitised.
    UnixName(&'a [u8]),
    /// An IP address.
    Address(IpAddr),
    /// A network, by its first address and the length of its prefix.
    Subnet(IpAddr, u8),
    /// A number shown in hexadecimal.
    Hex(u64),
    /// Option bits; see [`socket_option_words`].
    SocketOptions(u16),
    /// Several numbers.
    Numbers(&'a [u32]),
    /// Several texts; nothing in them comes from outside as text.
    Texts(List<'a>),
    /// All owners in the row, which for `peer_owners` is that of the other end.
    Owners(Row<'a>),
    /// Parts of a structure of the kernel.
    Struct(Struct<'a>),
}

/// The names of the option bits that are set.
pub fn socket_option_words(bits: u16) -> impl Iterator<Item = &'static str> {
    SOCKET_OPTION_NAMES
        .into_iter()
        .enumerate()
        .filter(move |(bit, _)| bits & (1 << bit) != 0)
        .map(|(_, name)| name)
}

/// The word for a shutdown mask.
pub const fn shutdown_word(shutdown: Shutdown) -> &'static str {
    match (shutdown.receive(), shutdown.send()) {
        (false, false) => "none",
        (true, false) => "receive",
        (false, true) => "send",
        (true, true) => "both",
    }
}

/// The value of a part of a structure; null for a number that should be a word and is none known here.
pub fn part_value(part: &Part, structure: &Struct<'_>) -> Value<'static> {
    let Some(number) = structure.value(part) else {
        return Value::Null;
    };
    match part.form {
        Form::Number => Value::Integer(number),
        Form::Hex => Value::Hex(number),
        Form::Flag => Value::Bool(number != 0),
        Form::Word(words) => {
            let known = words.iter().find(|(own, _)| *own == number);
            known.map_or(Value::Null, |(_, word)| Value::Word(word))
        }
    }
}

impl Field {
    /// Its registry entry.
    pub fn info(self) -> &'static FieldInfo {
        &FIELDS[self as usize]
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.info().name
    }

    /// The field of that name. Aliases belong to the parser.
    pub fn from_name(name: &str) -> Option<Self> {
        FIELDS
            .iter()
            .find(|info| info.name == name)
            .map(|info| info.field)
    }

    /// Its value in `row`.
    pub fn value<'a>(self, row: &Row<'a>) -> Value<'a> {
        let socket = row.socket;
        match self {
            Self::Protocol => Value::Word(socket.protocol.name()),
            Self::Family => Value::Word(socket.family.name()),
            Self::Type => socket.kind.map_or(Value::Null, |kind| Value::Word(kind.name())),
            Self::State => Value::Word(socket.state.name()),
            Self::LocalAddress
            | Self::LocalPort
            | Self::PeerAddress
            | Self::PeerPort
            | Self::Interface
            | Self::V6only
            | Self::Path
            | Self::PeerPath
            | Self::PeerInode => self.of_endpoints(row),
            Self::Ethertype
            | Self::FilterInstructions
            | Self::FilterProgram
            | Self::QueueId
            | Self::KernelProtocol
            | Self::NetlinkProtocol
            | Self::Portid
            | Self::PeerPortid
            | Self::PeerGroup
            | Self::NetlinkGroups
            | Self::LocalCid
            | Self::PeerCid => self.of_other_ends(row),
            Self::Scope => socket
                .scope()
                .map_or(Value::Null, |scope| Value::Word(scope.name())),
            Self::RecvQ => integer(socket.recv_q()),
            Self::SendQ => integer(socket.send_q()),
            Self::AcceptQ => integer(socket.accept_q()),
            Self::Backlog => integer(socket.backlog()),
            Self::AcceptQueueFull => match (socket.accept_q(), socket.backlog()) {
                (Some(_), Some(_)) => Value::Bool(socket.accept_queue_is_full()),
                _ => Value::Null,
            },
            Self::SynRecv => integer(row.context.half_open.of(socket)),
            Self::RecvQPercent => integer(socket.recv_q_percent()),
            Self::Drops => integer(socket.drops),
            Self::Uid => integer(socket.uid),
            Self::User => text(socket.uid.and_then(|uid| row.context.names.users.get(&uid))),
            Self::Process | Self::Pid | Self::Owners | Self::Context | Self::SocketContext => {
                self.of_owners(row)
            }
            Self::PeerProcess => Self::Process.of_peer(row),
            Self::PeerPid => Self::Pid.of_peer(row),
            Self::PeerOwners => Self::Owners.of_peer(row),
            Self::OwnerStatus => Value::Word(row.ownership.status.name()),
            Self::Cgroup => text(
                socket
                    .cgroup_id
                    .and_then(|id| row.context.names.cgroups.get(&id.get())),
            ),
            Self::Unit => text(row.home().and_then(|home| home.unit.as_ref())),
            Self::Pod => text(row.home().and_then(|home| home.pod.as_ref())),
            Self::Container => {
                let container = row.home().and_then(|home| home.container.as_ref());
                container.map_or(Value::Null, |it| Value::Text(it.title().as_bytes()))
            }
            Self::ContainerId => {
                let container = row.home().and_then(|home| home.container.as_ref());
                text(container.and_then(|it| it.id.as_ref()))
            }
            Self::Mark => integer(socket.mark),
            Self::Shutdown => socket
                .shutdown
                .map_or(Value::Null, |it| Value::Word(shutdown_word(it))),
            Self::SocketOptions => socket.socket_options.map_or(Value::Null, Value::SocketOptions),
            Self::IpProtocol => integer(socket.ip_protocol),
            Self::Timer | Self::TimerExpiresMs | Self::Retransmits => self.of_timer(socket.timer),
            Self::Tos => integer(socket.details.number(kind::TOS)),
            Self::Tclass => integer(socket.details.number(kind::TCLASS)),
            Self::ClassId => integer(socket.details.number(kind::CLASS_ID)),
            Self::Congestion => socket.details.congestion().map_or(Value::Null, Value::Text),
            Self::Ulp => socket
                .details
                .ulp()
                .map_or(Value::Null, |ulp| Value::Text(ulp.name)),
            Self::Association | Self::LocalAddresses | Self::PeerAddresses => self.of_sctp(socket),
            Self::Inode => integer(socket.inode.map(NonZeroU32::get)),
            Self::Cookie => socket
                .cookie
                .map_or(Value::Null, |cookie| Value::Hex(cookie.get())),
            Self::NetnsName => text(row.namespace().and_then(|namespace| namespace.name.as_ref())),
            Self::Netns => integer(row.namespace().and_then(|namespace| namespace.inode)),
            object_or_part => match object_or_part.info().part {
                None => object_or_part
                    .structure(socket)
                    .map_or(Value::Null, Value::Struct),
                Some((object, part)) => {
                    let structure = object.structure(socket);
                    structure.map_or(Value::Null, |it| part_value(part, &it))
                }
            },
        }
    }

    fn of_sctp(self, socket: &Socket) -> Value<'_> {
        let details = &socket.details;
        match self {
            Self::LocalAddresses => addresses(details.addresses(kind::LOCALS)),
            Self::PeerAddresses => addresses(details.addresses(kind::PEERS)),
            _ => {
                let association = details.association();
                association.map_or(Value::Null, |state| Value::Word(state.name()))
            }
        }
    }

    fn of_owners<'a>(self, row: &Row<'a>) -> Value<'a> {
        match self {
            Self::Process => match row.processes().next() {
                Some(Process { program, .. }) => Value::Text(program),
                None => Value::Null,
            },
            Self::Pid => integer(row.ownership.holders.first().map(|holder| holder.pid)),
            Self::Context => bytes(
                row.processes()
                    .next()
                    .and_then(|it| it.security_context.as_deref()),
            ),
            Self::SocketContext => bytes(row.security_context()),
            _ => match row.ownership.status {
                // It has one, who is not known.
                OwnerStatus::Queued if row.ownership.holders.is_empty() => Value::Null,
                OwnerStatus::Known | OwnerStatus::Queued | OwnerStatus::None | OwnerStatus::Kernel => {
                    Value::Owners(*row)
                }
                _ => Value::Null,
            },
        }
    }

    /// The same of the other end.
    fn of_peer<'a>(self, row: &Row<'a>) -> Value<'a> {
        row.of_peer().map_or(Value::Null, |peer| self.of_owners(&peer))
    }

    fn of_timer(self, timer: Option<Timer>) -> Value<'static> {
        let Some(timer) = timer else { return Value::Null };
        match self {
            Self::Timer => Value::Word(timer.kind.name()),
            Self::TimerExpiresMs => integer(timer.expires_ms),
            _ => Value::Integer(timer.retransmits.into()),
        }
    }

    fn of_endpoints<'a>(self, row: &Row<'a>) -> Value<'a> {
        match &row.socket.endpoints {
            Endpoints::Inet(pair) => {
                let connected = !pair.peer_address.is_unspecified() || pair.peer_port != 0;
                // A raw socket's "port" is its IP protocol, and has a field of its own.
                let has_ports = row.socket.protocol != Protocol::Raw;
                match self {
                    Self::LocalAddress => Value::Address(pair.local_address),
                    Self::LocalPort if has_ports && pair.local_port != 0 => {
                        Value::Integer(pair.local_port.into())
                    }
                    Self::PeerAddress if connected => Value::Address(pair.peer_address),
                    Self::PeerPort if connected && has_ports => Value::Integer(pair.peer_port.into()),
                    Self::Interface => interface(row),
                    Self::V6only => pair.v6only.map_or(Value::Null, Value::Bool),
                    Self::PeerInode => integer(row.peer().and_then(|peer| peer.inode).map(NonZeroU32::get)),
                    _ => Value::Null,
                }
            }
            Endpoints::Unix(pair) => match self {
                Self::Path => pair.name.as_deref().map_or(Value::Null, Value::UnixName),
                Self::PeerPath => row
                    .peer()
                    .and_then(|peer| peer.name)
                    .map_or(Value::Null, Value::UnixName),
                Self::PeerInode => integer(pair.peer_inode.map(NonZeroU32::get)),
                _ => Value::Null,
            },
            Endpoints::Packet(_) | Endpoints::Xdp(_) if self == Self::Interface => interface(row),
            Endpoints::Vsock(pair) => match self {
                Self::LocalPort => integer(vsock_number(pair.local_port)),
                Self::PeerPort => integer(vsock_number(pair.peer_port)),
                _ => Value::Null,
            },
            Endpoints::Packet(_) | Endpoints::Xdp(_) | Endpoints::Netlink(_) | Endpoints::Undumped(_) => {
                Value::Null
            }
        }
    }

    fn of_other_ends<'a>(self, row: &Row<'a>) -> Value<'a> {
        match (self, &row.socket.endpoints) {
            (Self::Ethertype, Endpoints::Packet(end)) => Value::Integer(end.ethertype.into()),
            (Self::FilterInstructions, Endpoints::Packet(_)) => {
                let program = row.socket.details.get(kind::PACKET_FILTER);
                integer(program.and_then(|program| u32::try_from(program.len() / 8).ok()))
            }
            (Self::FilterProgram, Endpoints::Packet(_)) => {
                let program = row.socket.details.get(kind::PACKET_FILTER);
                program.map_or(Value::Null, |program| Value::Texts(List::Program(program)))
            }
            (Self::QueueId, Endpoints::Xdp(end)) => integer(end.interface.map(|_| end.queue_id)),
            (Self::KernelProtocol, Endpoints::Undumped(name)) => Value::Text(name.as_bytes()),
            (Self::NetlinkProtocol, Endpoints::Netlink(pair)) => {
                netlink_protocol_name(pair.protocol).map_or(Value::Null, Value::Word)
            }
            (Self::Portid, Endpoints::Netlink(pair)) => Value::Integer(pair.portid.into()),
            (Self::PeerPortid, Endpoints::Netlink(pair)) if pair.is_connected() => {
                Value::Integer(pair.peer_portid.into())
            }
            (Self::PeerGroup, Endpoints::Netlink(pair)) => {
                integer(Some(pair.peer_group).filter(|group| *group != 0))
            }
            (Self::NetlinkGroups, Endpoints::Netlink(pair)) => Value::Numbers(&pair.groups),
            (Self::LocalCid, Endpoints::Vsock(pair)) => integer(vsock_number(pair.local_cid)),
            (Self::PeerCid, Endpoints::Vsock(pair)) => integer(vsock_number(pair.peer_cid)),
            _ => Value::Null,
        }
    }
}

fn interface<'a>(row: &Row<'a>) -> Value<'a> {
    text(row.socket.interface().and_then(|index| row.interface(index)))
}

fn addresses(addresses: Option<Addresses<'_>>) -> Value<'_> {
    addresses.map_or(Value::Null, |addresses| Value::Texts(List::Addresses(addresses)))
}

fn integer<'a, T: Into<u64>>(number: Option<T>) -> Value<'a> {
    number.map_or(Value::Null, |number| Value::Integer(number.into()))
}

fn bytes(bytes: Option<&[u8]>) -> Value<'_> {
    bytes.map_or(Value::Null, Value::Text)
}

fn text(string: Option<&String>) -> Value<'_> {
    string.map_or(Value::Null, |string| Value::Text(string.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registry_is_in_the_order_of_the_enum_and_names_are_unique() {
        for (index, info) in FIELDS.iter().enumerate() {
            assert_eq!(info.field as usize, index, "{}", info.name);
            assert_eq!(Field::from_name(info.name), Some(info.field));
            assert!(
                info.name
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
            );
        }
    }

    #[test]
    fn option_bits_are_read_lowest_first() {
        assert_eq!(
            socket_option_words(0b101).collect::<Vec<_>>(),
            ["recverr", "freebind"]
        );
        assert_eq!(
            socket_option_words(1 << 10).collect::<Vec<_>>(),
            ["defer_connect"]
        );
        assert_eq!(
            socket_option_words(0xf800).count(),
            0,
            "bits of newer kernels have no name"
        );
    }
}
