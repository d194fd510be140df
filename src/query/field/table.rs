//! The one table of fields: each line defines a field's name, kind, unit, ss token, cost, value and description.
//!
//! Everything is derived from it: JSON keys and their order, CSV headers, `--columns`, filters, `--sort`, `--by`, ss
//! tokens, `sockstat columns`, docs/columns.md, docs/json.md and docs/schema.json. It has two sections:
//!
//! - Whole fields, in the order of keys in JSON: variant, name, kind, unit, where ss prints it, what must be
//!   requested, value in `row` (whose socket is `socket`), description.
//! - Parts of objects, in the order of keys inside their object, below the object's variant and the prefix that is
//!   dropped inside the object: variant, name, unit, ss token, location in the object's structure, description. A part
//!   costs what its object costs.
//!
//! A token that ends with `:` is followed by the value; any other stands alone.

/// Passes the lines to another macro: `table!(names)`.
macro_rules! table {
    ($reader:ident) => {
        $reader! {
            |row, socket|

            Protocol,           "protocol",            Word,    "",            Column(1),                NOTHING,                               word(socket.protocol.name()),                                        "tcp, udp, udplite, raw, icmp, mptcp, sctp, dccp, unix, packet, netlink, vsock, xdp, tipc, smc";
            Family,             "family",              Word,    "",            Nowhere,                  NOTHING,                               word(socket.family.name()),                                          "address family of the socket: inet, inet6, unix, packet, netlink, vsock, xdp, tipc";
            Type,               "type",                Word,    "",            Nowhere,                  NOTHING,                               word(socket.kind.map(SocketType::name)),                             "socket type: stream, dgram, raw, rdm, seqpacket, dccp, packet";
            State,              "state",               Word,    "",            Column(2),                NOTHING,                               word(socket.state.name()),                                           "listen, established, syn-sent, syn-recv, fin-wait-1, fin-wait-2, time-wait, close-wait, last-ack, closing, unconnected, bound";
            LocalAddress,       "local_address",       Address, "",            Column(5),                NOTHING,                               ends::local_address(socket),                                         "IP address the socket is bound to; 0.0.0.0 or :: for all";
            LocalPort,          "local_port",          Integer, "",            Column(6),                NOTHING,                               ends::local_port(socket),                                            "local port; null for none";
            PeerAddress,        "peer_address",        Address, "",            Column(7),                NOTHING,                               ends::peer_address(socket),                                          "IP address of the other end; null when not connected";
            PeerPort,           "peer_port",           Integer, "",            Column(8),                NOTHING,                               ends::peer_port(socket),                                             "port of the other end; null when not connected";
            Interface,          "interface",           Text,    "",            Nowhere,                  NOTHING,                               ends::interface(row),                                                "interface that the socket is bound to";
            V6only,             "v6only",              Boolean, "",            Token("v6only:"),         NOTHING,                               ends::v6only(socket),                                                "IPV6_V6ONLY; known for IPv6 sockets that listen or are bound";
            Scope,              "scope",               Word,    "",            Nowhere,                  NOTHING,                               word(socket.scope().map(Scope::name)),                               "where a listening or bound socket can be reached from: loopback, link-local, private, public, all-v4, all-v6, all";
            Path,               "path",                Text,    "",            Nowhere,                  NOTHING,                               ends::path(socket),                                                  "name of a unix socket; an abstract name starts with @";
            PeerPath,           "peer_path",           Text,    "",            Nowhere,                  PEERS,                                 ends::peer_path(row),                                                "name of the other end of a unix socket, or of the listener in whose queue it waits";
            PeerInode,          "peer_inode",          Integer, "",            Nowhere,                  PEERS,                                 ends::peer_inode(row),                                               "inode of the other end: of a unix socket or, if named, of an IP connection on this machine";
            PeerProcess,        "peer_process",        Text,    "",            Nowhere,                  PEER_OWNERS.and(PROCESSES),            owners::of_peer(row, owners::process),                               "program of the first owner of the other end, if that is on this machine";
            PeerPid,            "peer_pid",            Integer, "",            Nowhere,                  PEER_OWNERS,                           owners::of_peer(row, owners::pid),                                   "process id of the first owner of the other end, if that is on this machine";
            PeerOwners,         "peer_owners",         Owners,  "",            Nowhere,                  PEER_OWNERS.and(PROCESSES).and(USERS), owners::of_peer(row, owners::all),                                   "every descriptor that refers to the other end, as in owners; for a unix socket with several senders or waiting clients, to any of them; null if the other end is unknown or on another machine";
            RecvQ,              "recv_q",              Integer, "bytes",       Column(3),                NOTHING,                               integer(socket.recv_q()),                                            "received but not yet read; null for listeners";
            SendQ,              "send_q",              Integer, "bytes",       Column(4),                NOTHING,                               integer(socket.send_q()),                                            "sent or queued but not yet acknowledged; null for listeners";
            AcceptQ,            "accept_q",            Integer, "connections", Nowhere,                  NOTHING,                               integer(socket.accept_q()),                                          "connections waiting to be accepted; listeners only";
            Backlog,            "backlog",             Integer, "connections", Nowhere,                  NOTHING,                               integer(socket.backlog()),                                           "limit of the accept queue; listeners only";
            AcceptQueueFull,    "accept_queue_full",   Boolean, "",            Nowhere,                  NOTHING,                               queues::accept_queue_full(socket),                                   "whether the accept queue holds more than its limit, so that connections are dropped; listeners only";
            SynRecv,            "syn_recv",            Integer, "connections", Nowhere,                  HALF_OPEN,                             integer(row.context.half_open.of(socket)),                           "half-open connections to a TCP listener; read only when named";
            RecvQPercent,       "recv_q_percent",      Integer, "",            Nowhere,                  MEMORY,                                integer(queues::recv_q_percent(socket)),                             "fill level of the receive buffer of a UDP, UDP-Lite or raw socket, in percent; read with -m or when named";
            Drops,              "drops",               Integer, "packets",     Nowhere,                  ATTRIBUTES.and(DROPS),                 integer(socket.drops),                                               "packets dropped at this socket since it was created";
            Uid,                "uid",                 Integer, "",            Token("uid:"),            NOTHING,                               integer(socket.uid),                                                 "user id that owns the socket; null where the kernel keeps none";
            User,               "user",                Text,    "",            Nowhere,                  USERS,                                 owners::user(row),                                                   "login name of uid";
            Process,            "process",             Text,    "",            Owners(9),                OWNERS.and(PROCESSES),                 owners::process(row),                                                "program of the first owner: the executable, or for an interpreter its script";
            Pid,                "pid",                 Integer, "",            Owners(10),               OWNERS,                                owners::pid(row),                                                    "process id of the first owner";
            Fd,                 "fd",                  Integer, "",            Nowhere,                  OWNERS,                                owners::fd(row),                                                     "descriptor of the socket in the first owner";
            OwnerStatus,        "owner_status",        Word,    "",            Nowhere,                  OWNERS,                                word(row.ownership.status.name()),                                   "known, hidden, none, queued, in-flight, elsewhere, kernel, unknown, not-asked";
            Owners,             "owners",              Owners,  "",            Token("users:(("),        OWNERS.and(PROCESSES).and(USERS),      owners::all(row),                                                    "every descriptor that refers to the socket: pid, tid, fd, comm, program, exe, cmdline, user, started_at, context, cgroup, unit, container; null when not requested or unknown";
            Context,            "context",             Text,    "",            Token("proc_ctx="),       OWNERS.and(CONTEXTS),                  owners::context(row),                                                "SELinux context of the first owner, or its AppArmor or Smack label; read with -Z or when named";
            SocketContext,      "socket_context",      Text,    "",            Token("sock_ctx="),       OWNERS.and(SOCKET_CONTEXTS),           bytes(row.security_context()),                                       "SELinux context of the socket itself, read through its owner; read with -z or when named";
            Cgroup,             "cgroup",              Text,    "",            Token("cgroup:"),         ATTRIBUTES.and(CGROUPS),               home::cgroup(row),                                                   "v2 cgroup of the task that created the socket";
            Unit,               "unit",                Text,    "",            Nowhere,                  HOME,                                  home::unit(row),                                                     "systemd unit of the task that created the socket, or of the first owner if that cgroup is unknown";
            Container,          "container",           Text,    "",            Nowhere,                  HOME,                                  home::container(row),                                                "container of the task that created the socket: its name, or the first 12 digits of its identifier if the name is unknown";
            ContainerId,        "container_id",        Text,    "",            Nowhere,                  HOME,                                  home::container_id(row),                                             "identifier of the container, 64 hexadecimal digits; null for LXC and systemd-nspawn, which have only names";
            Pod,                "pod",                 Text,    "",            Nowhere,                  HOME,                                  home::pod(row),                                                      "pod of the task that created the socket: NAMESPACE/NAME, or its identifier if the name is unknown";
            Mark,               "mark",                Integer, "",            Token("fwmark:0x"),       ATTRIBUTES,                            integer(socket.mark),                                                "SO_MARK; needs CAP_NET_ADMIN";
            Shutdown,           "shutdown",            Word,    "",            Nowhere,                  ATTRIBUTES,                            word(socket.shutdown.map(shutdown_word)),                            "directions that were shut down: none, receive, send, both";
            SocketOptions,      "socket_options",      Words,   "",            Token("inet-sockopt: ("), ATTRIBUTES,                            socket.socket_options.map_or(Value::Null, Value::SocketOptions),            "options set on the socket, named as in ss --inet-sockopt";
            IpProtocol,         "ip_protocol",         Integer, "",            Nowhere,                  ATTRIBUTES,                            integer(socket.ip_protocol),                                         "IP protocol number of a raw socket";
            Ethertype,          "ethertype",           Integer, "",            Nowhere,                  NOTHING,                               other_ends::ethertype(socket),                                       "EtherType that a packet socket receives: 3 for all, 0 for none";
            FilterInstructions, "filter_instructions", Integer, "",            Nowhere,                  FILTERS,                               other_ends::filter_instructions(socket),                             "length of a packet socket's filter program; null without one, and without CAP_NET_ADMIN";
            FilterProgram,      "filter_program",      Texts,   "",            Token("bpf filter ("),    FILTERS,                               other_ends::filter_program(socket),                                  "filter program of a packet socket, each instruction as code, jump if true, jump if false and operand; shown with -b; null without one, and without CAP_NET_ADMIN";
            QueueId,            "queue_id",            Integer, "",            Nowhere,                  NOTHING,                               other_ends::queue_id(socket),                                        "queue of the interface that an XDP socket is bound to";
            KernelProtocol,     "kernel_protocol",     Text,    "",            Nowhere,                  NOTHING,                               other_ends::kernel_protocol(socket),                                 "the kernel's name for the protocol of a socket missing from every dump, such as TCP, ALG or CAN_RAW; null for all others";
            NetlinkProtocol,    "netlink_protocol",    Word,    "",            Nowhere,                  NOTHING,                               other_ends::netlink_protocol(socket),                                "netlink family: rtnl, genl, uevent, audit and so on; null for one without a name";
            Portid,             "portid",              Integer, "",            Nowhere,                  NOTHING,                               other_ends::portid(socket),                                          "port id of a netlink socket: 0 for the kernel, often the process id of its creator";
            PeerPortid,         "peer_portid",         Integer, "",            Nowhere,                  NOTHING,                               other_ends::peer_portid(socket),                                     "port id that a netlink socket is connected to; null when not connected";
            PeerGroup,          "peer_group",          Integer, "",            Nowhere,                  NOTHING,                               other_ends::peer_group(socket),                                      "multicast group that a netlink socket is connected to; null for none";
            NetlinkGroups,      "netlink_groups",      Numbers, "",            Token("groups=0x"),       NOTHING,                               other_ends::netlink_groups(socket),                                  "multicast groups that a netlink socket has joined";
            LocalCid,           "local_cid",           Integer, "",            Nowhere,                  NOTHING,                               other_ends::local_cid(socket),                                       "context id of a VM socket; null for any";
            PeerCid,            "peer_cid",            Integer, "",            Nowhere,                  NOTHING,                               other_ends::peer_cid(socket),                                        "context id of the other end of a VM socket; null when not connected";
            Timer,              "timer",               Word,    "",            Token("timer:("),         NOTHING,                               word(socket.timer.map(|timer| timer.kind.name())),                   "running timer: on, keepalive, timewait, persist, delack";
            TimerExpiresMs,     "timer_expires_ms",    Integer, "ms",          Nowhere,                  NOTHING,                               integer(socket.timer.and_then(|timer| timer.expires_ms)),            "time until the timer expires";
            Retransmits,        "retransmits",         Integer, "packets",     Nowhere,                  NOTHING,                               integer(socket.timer.map(|timer| timer.retransmits)),                "retransmissions or probes so far";
            Memory,             "memory",              Object,  "",            Token("skmem:("),         MEMORY,                                object(objects::memory(socket)),                                   "memory of the socket and its limits; shown with -m";
            Tos,                "tos",                 Integer, "",            Token("tos:"),            TOS,                                   integer(socket.details.number(kind::TOS)),                           "IP_TOS: DSCP and ECN bits of packets sent over IPv4; shown with --tos";
            Tclass,             "tclass",              Integer, "",            Token("tclass:"),         CLASS,                                 integer(socket.details.number(kind::TCLASS)),                        "IPV6_TCLASS: DSCP and ECN bits of packets sent over IPv6; shown with --tos";
            ClassId,            "class_id",            Integer, "",            Token("class_id:"),       CLASS,                                 integer(socket.details.number(kind::CLASS_ID)),                      "class of the net_cls cgroup, or SO_PRIORITY if there is none; shown with --tos";
            Congestion,         "congestion",          Text,    "",            Nowhere,                  CONGESTION,                            bytes(socket.details.congestion()),                                  "congestion control of a TCP socket; shown with -i";
            Tcp,                "tcp",                 Object,  "",            Nowhere,                  INFO,                                  object(objects::tcp(socket)),                                      "state of a TCP connection, as in struct tcp_info; shown with -i";
            Vegas,              "vegas",               Object,  "",            Nowhere,                  MEASURES,                              object(whole(socket, kind::VEGASINFO, Field::Vegas)),                                    "measurements of Vegas-like congestion control; shown with -i";
            Dctcp,              "dctcp",               Object,  "",            Token("dctcp:("),         MEASURES,                              object(whole(socket, kind::DCTCPINFO, Field::Dctcp)),                                    "measurements of DCTCP; shown with -i";
            Bbr,                "bbr",                 Object,  "",            Token("bbr:("),           MEASURES,                              object(whole(socket, kind::BBRINFO, Field::Bbr)),                                      "measurements of BBR; shown with -i";
            Ulp,                "ulp",                 Text,    "",            Token("tcp-ulp-"),        INFO,                                  bytes(socket.details.ulp().map(|ulp| ulp.name)),                     "protocol that the kernel runs on top of a TCP socket: tls, mptcp; shown with -i";
            Tls,                "tls",                 Object,  "",            Nowhere,                  INFO,                                  object(objects::tls(socket)),                                      "TLS in the kernel; shown with -i";
            Subflow,            "subflow",             Object,  "",            Nowhere,                  INFO,                                  object(objects::subflow(socket)),                                  "subflow data of a TCP connection that is part of Multipath TCP; shown with -i";
            Mptcp,              "mptcp",               Object,  "",            Nowhere,                  INFO,                                  object(objects::mptcp(socket)),                                    "state of a Multipath TCP connection; shown with -i";
            Sctp,               "sctp",                Object,  "",            Nowhere,                  INFO,                                  object(objects::sctp(socket)),                                     "measurements of an SCTP association; shown with -i";
            SctpSettings,       "sctp_settings",       Object,  "",            Nowhere,                  INFO,                                  object(objects::sctp_settings(socket)),                            "settings of an SCTP endpoint; shown with -i";
            Association,        "association",         Word,    "",            Nowhere,                  NOTHING,                               word(socket.details.association().map(Association::name)),           "state of an SCTP association: closed, cookie-wait, cookie-echoed, established, shutdown-pending, shutdown-sent, shutdown-received, shutdown-ack-sent; null for an endpoint";
            LocalAddresses,     "local_addresses",     Texts,   "",            Token("locals:"),         INFO,                                  texts(socket.details.addresses(kind::LOCALS).map(List::Addresses)),                   "all IP addresses of an SCTP socket; shown with -i or -m";
            PeerAddresses,      "peer_addresses",      Texts,   "",            Token("peers:"),          INFO,                                  texts(socket.details.addresses(kind::PEERS).map(List::Addresses)),                    "all IP addresses of the other end of an SCTP association; shown with -i or -m";
            Dccp,               "dccp",                Object,  "",            Nowhere,                  INFO,                                  object(objects::dccp(socket)),                                       "measurements of a DCCP connection; shown with -i";
            Packet,             "packet",              Object,  "",            Nowhere,                  NOTHING,                               object(whole(socket, kind::PACKET_INFO, Field::Packet)),                                   "version and flags of a packet socket; shown with -e";
            RxRing,             "rx_ring",             Object,  "",            Token("ring_rx("),        RINGS,                                 object(whole(socket, kind::PACKET_RX_RING, Field::RxRing)),                                  "receive ring of a packet socket; null without one; shown with -e";
            TxRing,             "tx_ring",             Object,  "",            Token("ring_tx("),        RINGS,                                 object(whole(socket, kind::PACKET_TX_RING, Field::TxRing)),                                  "send ring of a packet socket; null without one; shown with -e";
            Fanout,             "fanout",              Object,  "",            Token("fanout("),         RINGS,                                 object(whole(socket, kind::PACKET_FANOUT, Field::Fanout)),                                   "group of packet sockets that share packets; null for none; shown with -e";
            XdpRings,           "xdp_rings",           Object,  "",            Nowhere,                  RINGS,                                 object(objects::xdp_rings(socket)),                                "rings of an XDP socket; shown with -e";
            XdpUmem,            "xdp_umem",            Object,  "",            Token("umem("),           RINGS,                                 object(whole(socket, kind::XDP_UMEM, Field::XdpUmem)),                                 "frame memory (UMEM) of an XDP socket; shown with -e";
            XdpStats,           "xdp_stats",           Object,  "",            Token("stats("),          RINGS,                                 object(whole(socket, kind::XDP_STATS, Field::XdpStats)),                                "counters of an XDP socket; shown with -e";
            LocalNode,          "local_node",          Integer, "",            Nowhere,                  NOTHING,                               other_ends::local_node(socket),                                      "address of our TIPC node; 0 before it has one";
            LocalRef,           "local_ref",           Integer, "",            Nowhere,                  NOTHING,                               other_ends::local_ref(socket),                                       "number of a TIPC socket on its node";
            PeerNode,           "peer_node",           Integer, "",            Nowhere,                  NOTHING,                               other_ends::peer_node(socket),                                       "node of the other end of a TIPC connection";
            PeerRef,            "peer_ref",            Integer, "",            Nowhere,                  NOTHING,                               other_ends::peer_ref(socket),                                        "number of the other end of a TIPC connection";
            ServiceType,        "service_type",        Integer, "",            Nowhere,                  NOTHING,                               other_ends::service(socket, |[kind, _]| kind),                       "type of the TIPC service that a connection was made to; null for one made by socket number";
            ServiceInstance,    "service_instance",    Integer, "",            Nowhere,                  NOTHING,                               other_ends::service(socket, |[_, instance]| instance),               "instance of the TIPC service that a connection was made to";
            Published,          "published",           Boolean, "",            Nowhere,                  NOTHING,                               other_ends::published(socket),                                       "whether services are bound to a TIPC socket; null when connected";
            TipcCongestion,     "tipc_congestion",     Word,    "",            Nowhere,                  NOTHING,                               other_ends::tipc_congestion(socket),                                 "what a TIPC socket waits for before it can send: none, link, conn";
            TipcGroup,          "tipc_group",          Object,  "",            Nowhere,                  NOTHING,                               object(objects::tipc_group(socket)),                                 "communication group that a TIPC socket has joined";
            Smc,                "smc",                 Object,  "",            Nowhere,                  NOTHING,                               object(whole(socket, kind::SMC, Field::Smc)),                        "mode of an SMC socket, and why it does not use shared memory";
            SmcConnection,      "smc_connection",      Object,  "",            Nowhere,                  NOTHING,                               object(whole(socket, kind::SMC_CONNECTION, Field::SmcConnection)),   "buffers of an SMC connection over shared memory";
            SmcLink,            "smc_link",            Object,  "",            Nowhere,                  NOTHING,                               object(whole(socket, kind::SMC_LINK, Field::SmcLink)),               "RDMA link of an SMC-R connection";
            SmcDmb,             "smc_dmb",             Object,  "",            Nowhere,                  NOTHING,                               object(whole(socket, kind::SMC_DMB, Field::SmcDmb)),                 "memory of an SMC-D connection";
            Inode,              "inode",               Integer, "",            Token("ino:"),            NOTHING,                               integer(socket.inode.map(NonZeroU32::get)),                          "inode of the socket; null if no program holds it";
            Cookie,             "cookie",              Hex,     "",            Token("sk:"),             NOTHING,                               hex(socket.cookie.map(NonZeroU64::get)),                             "identifier of the socket, unique since boot";
            Netns,              "netns",               Integer, "",            Nowhere,                  NOTHING,                               integer(row.namespace().and_then(|namespace| namespace.inode)),      "inode of the network namespace";
            NetnsName,          "netns_name",          Text,    "",            Token("netns:"),          NAMESPACES,                            text(row.namespace().and_then(|namespace| namespace.name.as_ref())), "name of the network namespace, if it has one (ip netns, docker)";

            // The nine counters of a socket's memory (`INET_DIAG_SKMEMINFO`, linux 6.18 net/core/sock.c).
Host,               "host",                Text,    "",            IfNamed,                  MACHINE,                               origin::machine(row, |machine| machine.host.as_ref()),               "host name of the machine; shown when named";
            MachineId,          "machine_id",          Text,    "",            IfNamed,                  MACHINE,                               origin::machine(row, |machine| machine.machine_id.as_ref()),         "id of the machine (/etc/machine-id), 32 hexadecimal digits, shared by clones of an image; shown when named";
            BootId,             "boot_id",             Text,    "",            IfNamed,                  MACHINE,                               origin::machine(row, |machine| machine.boot_id.as_ref()),            "id of this boot; with the cookie it identifies a socket across machines; shown when named";
            TakenAt,            "taken_at",            Time,    "",            IfNamed,                  NOTHING,                               origin::taken_at(row),                                               "when the capture began, in UTC to the millisecond; shown when named";
            Exe,                "exe",                 Text,    "",            IfNamed,                  OWNERS.and(PROCESSES),                 owners::exe(row),                                                    "file that the first owner runs; ends with (deleted) when it was removed or replaced; shown when named";
            StartedAt,          "started_at",          Time,    "",            IfNamed,                  OWNERS.and(PROCESSES),                 owners::started_at(row),                                             "when the first owner was started, in UTC; shown when named";
            Reachable,          "reachable",           Word,    "",            IfNamed,                  REACHABLE,                             word(row.context.reachability.of(socket).map(Reachable::name)),      "whether other machines can reach a TCP or UDP listener through its address and the packet filter: yes, filtered, loopback, unknown; shown when named, in the listing only";
            OwnerCount,         "owner_count",         Integer, "",            IfNamed,                  OWNERS,                                owners::count(row),                                                  "number of processes that hold the socket; null if unknown; shown when named";

            [parts of Memory, "memory_"] {
                RmemAlloc,     "rmem_alloc",     "bytes",   "r",  u32_at(0),  "memory of packets received but not yet read";
                Rcvbuf,        "rcvbuf",         "bytes",   "rb", u32_at(4),  "limit of receive memory";
                WmemAlloc,     "wmem_alloc",     "bytes",   "t",  u32_at(8),  "memory of packets handed to the network";
                Sndbuf,        "sndbuf",         "bytes",   "tb", u32_at(12), "limit of send memory";
                FwdAlloc,      "fwd_alloc",      "bytes",   "f",  u32_at(16), "memory reserved but not used";
                WmemQueued,    "wmem_queued",    "bytes",   "w",  u32_at(20), "memory of packets queued for sending or for retransmission";
                Optmem,        "optmem",         "bytes",   "o",  u32_at(24), "memory of options and filters";
                MemoryBacklog, "memory_backlog", "bytes",   "bl", u32_at(28), "memory of packets that wait because the socket is in use";
                MemoryDrops,   "memory_drops",   "packets", "d",  u32_at(32), "same as drops";
            }

            // `struct tcp_info` (linux 6.18 include/uapi/linux/tcp.h). The state is omitted because the row has it. So
            // are the last four bytes: 6.18 keeps two accurate ECN counters there, 7.0 a set of bits, and nothing in
            // the reply tells them apart.
            [parts of Tcp, "tcp_"] {
                CaState,                "ca_state",                    "",        "",                u8_at(1).words(CA_STATES),                 "congestion control state";
                TcpRetransmits,         "tcp_retransmits",             "",        "",                u8_at(2),                                  "consecutive retransmission timeouts";
                Probes,                 "probes",                      "",        "",                u8_at(3),                                  "unanswered zero-window or keepalive probes";
                Backoff,                "backoff",                     "",        "backoff:",        u8_at(4),                                  "how often the retransmission timeout was doubled";
                OptTimestamps,          "opt_timestamps",              "",        "ts",              u8_at(5).bit(0),                           "timestamps were negotiated";
                OptSack,                "opt_sack",                    "",        "sack",            u8_at(5).bit(1),                           "selective acknowledgements were negotiated";
                OptWscale,              "opt_wscale",                  "",        "wscale:",         u8_at(5).bit(2),                           "window scaling was negotiated";
                OptEcn,                 "opt_ecn",                     "",        "ecn",             u8_at(5).bit(3),                           "explicit congestion notification was negotiated";
                OptEcnSeen,             "opt_ecn_seen",                "",        "ecnseen",         u8_at(5).bit(4),                           "at least one packet arrived with an ECN mark";
                OptSynData,             "opt_syn_data",                "",        "fastopen",        u8_at(5).bit(5),                           "data in the SYN was acknowledged (fast open)";
                OptUsecTs,              "opt_usec_ts",                 "",        "usec_ts",         u8_at(5).bit(6),                           "timestamps count microseconds";
                OptTfoChild,            "opt_tfo_child",               "",        "",                u8_at(5).bit(7),                           "accepted through fast open";
                SndWscale,              "snd_wscale",                  "",        "",                u8_at(6).bit_field(0, 4),                  "scale of the peer's window, as a power of two";
                RcvWscale,              "rcv_wscale",                  "",        "",                u8_at(6).bit_field(4, 4),                  "scale of our window, as a power of two";
                DeliveryRateAppLimited, "delivery_rate_app_limited",   "",        "app_limited",     u8_at(7).bit_field(0, 1).flag(),           "delivery_rate was limited by the program, which had too little to send";
                FastopenClientFail,     "fastopen_client_fail",        "",        "",                u8_at(7).bit_field(1, 2).words(FASTOPEN_FAILS), "why fast open was not used";
                RtoUs,                  "rto_us",                      "us",      "rto:",            u32_at(8),                                 "retransmission timeout";
                AtoUs,                  "ato_us",                      "us",      "ato:",            u32_at(12),                                "timeout of a delayed acknowledgement";
                Mss,                    "mss",                         "bytes",   "mss:",            u32_at(16),                                "largest segment sent";
                RcvMssBytes,            "rcv_mss_bytes",               "bytes",   "rcvmss:",         u32_at(20),                                "largest segment sent by the peer, estimated";
                Unacked,                "unacked",                     "packets", "unacked:",        u32_at(24),                                "sent but not yet acknowledged";
                Sacked,                 "sacked",                      "packets", "sacked:",         u32_at(28),                                "selectively acknowledged";
                Lost,                   "lost",                        "packets", "lost:",           u32_at(32),                                "considered lost";
                Retrans,                "retrans",                     "packets", "retrans:",        u32_at(36),                                "retransmitted but not yet acknowledged";
                Fackets,                "fackets",                     "packets", "fackets:",        u32_at(40),                                "0 since Linux 4.15";
                LastDataSentMs,         "last_data_sent_ms",           "ms",      "lastsnd:",        u32_at(44),                                "time since data was sent";
                LastAckSentMs,          "last_ack_sent_ms",            "ms",      "",                u32_at(48).without(0),                     "not tracked by the kernel";
                LastDataRecvMs,         "last_data_recv_ms",           "ms",      "lastrcv:",        u32_at(52),                                "time since data arrived";
                LastAckRecvMs,          "last_ack_recv_ms",            "ms",      "lastack:",        u32_at(56),                                "time since an acknowledgement arrived";
                PmtuBytes,              "pmtu_bytes",                  "bytes",   "pmtu:",           u32_at(60),                                "path MTU";
                RcvSsthreshBytes,       "rcv_ssthresh_bytes",          "bytes",   "rcv_ssthresh:",   u32_at(64),                                "size up to which our window may currently grow";
                RttUs,                  "rtt_us",                      "us",      "rtt:",            u32_at(68).without(0),                     "round trip time, smoothed";
                RttvarUs,               "rttvar_us",                   "us",      "/",               u32_at(72),                                "mean deviation of the round trip time";
                Ssthresh,               "ssthresh",                    "packets", "ssthresh:",       u32_at(76).without(INFINITE),              "slow start threshold; null if none is set yet";
                Cwnd,                   "cwnd",                        "packets", "cwnd:",           u32_at(80),                                "congestion window";
                AdvmssBytes,            "advmss_bytes",                "bytes",   "advmss:",         u32_at(84),                                "largest segment that we announced to the peer";
                Reordering,             "reordering",                  "packets", "reordering:",     u32_at(88),                                "reordering tolerated before a packet is considered lost";
                RcvRttUs,               "rcv_rtt_us",                  "us",      "rcv_rtt:",        u32_at(92).without(0),                     "round trip time, estimated by the receiver";
                RcvSpaceBytes,          "rcv_space_bytes",             "bytes",   "rcv_space:",      u32_at(96),                                "data that the program reads per round trip; used to size the receive buffer";
                TotalRetrans,           "total_retrans",               "packets", "/",               u32_at(100),                               "retransmitted since the beginning";
                PacingRateBytesPerS,    "pacing_rate_bytes_per_s",     "bytes/s", "pacing_rate ",    u64_at(104).without(UNKNOWN_64),           "rate at which segments are spaced";
                MaxPacingRateBytesPerS, "max_pacing_rate_bytes_per_s", "bytes/s", "/",               u64_at(112).without(UNKNOWN_64),           "limit of the pacing rate; null for none";
                BytesAcked,             "bytes_acked",                 "bytes",   "bytes_acked:",    u64_at(120),                               "acknowledged by the peer; SYN and FIN count as one";
                BytesReceived,          "bytes_received",              "bytes",   "bytes_received:", u64_at(128),                               "received in order; SYN and FIN count as one";
                SegsOut,                "segs_out",                    "packets", "segs_out:",       u32_at(136),                               "segments sent";
                SegsIn,                 "segs_in",                     "packets", "segs_in:",        u32_at(140),                               "segments received";
                NotsentBytes,           "notsent_bytes",               "bytes",   "notsent:",        u32_at(144),                               "in the send queue but not sent yet";
                MinRttUs,               "min_rtt_us",                  "us",      "minrtt:",         u32_at(148).without(UNKNOWN_32),           "smallest recent round trip time";
                DataSegsIn,             "data_segs_in",                "packets", "data_segs_in:",   u32_at(152),                               "segments with data received";
                DataSegsOut,            "data_segs_out",               "packets", "data_segs_out:",  u32_at(156),                               "segments with data sent";
                DeliveryRateBytesPerS,  "delivery_rate_bytes_per_s",   "bytes/s", "delivery_rate ",  u64_at(160),                               "rate at which data recently reached the peer";
                BusyTimeUs,             "busy_time_us",                "us",      "busy:",           u64_at(168),                               "time with data to send";
                RwndLimitedUs,          "rwnd_limited_us",             "us",      "rwnd_limited:",   u64_at(176),                               "part of the busy time that was limited by the peer's window";
                SndbufLimitedUs,        "sndbuf_limited_us",           "us",      "sndbuf_limited:", u64_at(184),                               "part of the busy time that was limited by the send buffer";
                Delivered,              "delivered",                   "packets", "delivered:",      u32_at(192),                               "delivered to the peer, retransmissions included";
                DeliveredCe,            "delivered_ce",                "packets", "delivered_ce:",   u32_at(196),                               "delivered to the peer with a congestion mark";
                BytesSent,              "bytes_sent",                  "bytes",   "bytes_sent:",     u64_at(200),                               "data sent, retransmissions included";
                BytesRetrans,           "bytes_retrans",               "bytes",   "bytes_retrans:",  u64_at(208),                               "data retransmitted";
                DsackDups,              "dsack_dups",                  "packets", "dsack_dups:",     u32_at(216),                               "duplicates that the peer reported";
                ReordSeen,              "reord_seen",                  "",        "reord_seen:",     u32_at(220),                               "reordering events";
                RcvOoopack,             "rcv_ooopack",                 "packets", "rcv_ooopack:",    u32_at(224),                               "received out of order";
                SndWndBytes,            "snd_wnd_bytes",               "bytes",   "snd_wnd:",        u32_at(228),                               "window of the peer";
                RcvWndBytes,            "rcv_wnd_bytes",               "bytes",   "rcv_wnd:",        u32_at(232),                               "our window";
                Rehash,                 "rehash",                      "",        "rehash:",         u32_at(236),                               "how often the flow hash was changed to try another path";
                TotalRto,               "total_rto",                   "",        "",                u16_at(240),                               "retransmission timeouts since the beginning";
                TotalRtoRecoveries,     "total_rto_recoveries",        "",        "",                u16_at(242),                               "recoveries from retransmission timeouts";
                TotalRtoTimeMs,         "total_rto_time_ms",           "ms",      "",                u32_at(244),                               "time spent recovering from retransmission timeouts";
                ReceivedCe,             "received_ce",                 "packets", "",                u32_at(248),                               "received with a congestion mark";
                DeliveredE1Bytes,       "delivered_e1_bytes",          "bytes",   "",                u32_at(252),                               "delivered with the mark ECT(1), by accurate ECN";
                DeliveredE0Bytes,       "delivered_e0_bytes",          "bytes",   "",                u32_at(256),                               "delivered with the mark ECT(0), by accurate ECN";
                DeliveredCeBytes,       "delivered_ce_bytes",          "bytes",   "",                u32_at(260),                               "delivered with a congestion mark, by accurate ECN";
                ReceivedE1Bytes,        "received_e1_bytes",           "bytes",   "",                u32_at(264),                               "received with the mark ECT(1), by accurate ECN";
                ReceivedE0Bytes,        "received_e0_bytes",           "bytes",   "",                u32_at(268),                               "received with the mark ECT(0), by accurate ECN";
                ReceivedCeBytes,        "received_ce_bytes",           "bytes",   "",                u32_at(272),                               "received with a congestion mark, by accurate ECN";
            }

            // `struct tcpvegas_info` (linux 6.18 include/uapi/linux/inet_diag.h), of vegas, yeah, illinois, westwood and nv.
            [parts of Vegas, "vegas_"] {
                VegasEnabled,  "vegas_enabled",   "",   "", u32_at(0).flag(),             "whether the algorithm is in effect; false while it falls back to Reno";
                VegasRttcnt,   "vegas_rttcnt",    "",   "", u32_at(4),                    "measurements made during the last round trip";
                VegasRttUs,    "vegas_rtt_us",    "us", "", u32_at(8).without(INFINITE),  "round trip time that the algorithm works with";
                VegasMinrttUs, "vegas_minrtt_us", "us", "", u32_at(12).without(INFINITE), "smallest round trip time";
            }

            // `struct tcp_dctcp_info`.
            [parts of Dctcp, "dctcp_"] {
                DctcpEnabled, "dctcp_enabled",  "",       "",          u16_at(0).flag(), "false if the peer lacks ECN and it falls back to Reno";
                DctcpCeState, "dctcp_ce_state", "",       "ce_state:", u16_at(2).flag(), "whether the last packet had a congestion mark";
                DctcpAlpha,   "dctcp_alpha",    "1/1024", "alpha:",    u32_at(4),        "estimated share of marked bytes";
                DctcpAbEcn,   "dctcp_ab_ecn",   "bytes",  "ab_ecn:",   u32_at(8),        "acknowledged with a congestion mark in this window";
                DctcpAbTot,   "dctcp_ab_tot",   "bytes",  "ab_tot:",   u32_at(12),       "acknowledged in this window";
            }

            // `struct tcp_bbr_info`.
            [parts of Bbr, "bbr_"] {
                BbrBwBytesPerS, "bbr_bw_bytes_per_s", "bytes/s", "bw:",          u64_at(0).low_half_first(),    "estimated bandwidth";
                BbrMinRttUs,    "bbr_min_rtt_us",     "us",      "mrtt:",        u32_at(8).without(UNKNOWN_32), "smallest round trip time of the last 10 s";
                BbrPacingGain,  "bbr_pacing_gain",    "1/256",   "pacing_gain:", u32_at(12),                    "gain applied to the pacing rate";
                BbrCwndGain,    "bbr_cwnd_gain",      "1/256",   "cwnd_gain:",   u32_at(16),                    "gain applied to the congestion window";
            }

            // Attributes inside `INET_ULP_INFO_TLS` (linux 6.18 include/uapi/linux/tls.h): attribute types take the
            // place of offsets.
            [parts of Tls, "tls_"] {
                TlsVersion, "tls_version",   "", "version: ", u16_at(1).words(VERSIONS),       "TLS version";
                TlsCipher,  "tls_cipher",    "", "cipher: ",  u16_at(2).words(CIPHERS),        "name of the cipher";
                TlsTxconf,  "tls_txconf",    "", "txconf: ",  u16_at(3).words(CONFIGURATIONS), "who encrypts: none, the kernel (sw), the device (hw)";
                TlsRxconf,  "tls_rxconf",    "", "rxconf: ",  u16_at(4).words(CONFIGURATIONS), "who decrypts: none, the kernel (sw), the device (hw)";
                TlsZcRoTx,  "tls_zc_ro_tx",  "", "zc_ro_tx",  present_at(5),                   "files are sent without copying";
                TlsRxNoPad, "tls_rx_no_pad", "", "no_pad_rx", present_at(6),                   "the peer is trusted to send no padding";
            }

            // Attributes inside `INET_ULP_INFO_MPTCP` (linux 6.18 include/uapi/linux/mptcp.h).
            [parts of Subflow, "subflow_"] {
                SubflowTokenRem,    "subflow_token_rem",    "", "token:",  u32_at(1).hex(), "token of the peer's connection";
                SubflowTokenLoc,    "subflow_token_loc",    "", "/",       u32_at(2).hex(), "token of our connection, which its subflows share";
                SubflowRelwriteSeq, "subflow_relwrite_seq", "", "",        u32_at(3),       "relative number of the next byte to send; needs CAP_NET_ADMIN";
                SubflowMapSeq,      "subflow_map_seq",      "", "seq:",    u64_at(4),       "sequence number of the mapping in the connection; needs CAP_NET_ADMIN";
                SubflowMapSfseq,    "subflow_map_sfseq",    "", "sfseq:",  u32_at(5),       "sequence number of the mapping in the subflow; needs CAP_NET_ADMIN";
                SubflowSsnOffset,   "subflow_ssn_offset",   "", "ssnoff:", u32_at(6),       "offset of the subflow's sequence numbers; needs CAP_NET_ADMIN";
                SubflowMapDatalen,  "subflow_map_datalen",  "", "maplen:", u16_at(7),       "length of the mapping; needs CAP_NET_ADMIN";
                SubflowFlags,       "subflow_flags",        "", "flags:",  u32_at(8),       "bits: 1 MP_CAPABLE by the peer, 2 by us, 4 MP_JOIN by the peer, 8 by us, 16 backup by the peer, 32 by us, 64 fully established, 128 connected, 256 mapping valid";
                SubflowIdRem,       "subflow_id_rem",       "", "(id:",    u8_at(9),        "address id of the peer";
                SubflowIdLoc,       "subflow_id_loc",       "", "(id:",    u8_at(10),       "our address id";
            }

            // `struct mptcp_info` (linux 6.18 include/uapi/linux/mptcp.h). Kernels before 6.5 lack the counters,
            // before 6.11 the times.
            [parts of Mptcp, "mptcp_"] {
                MptcpSubflows,           "mptcp_subflows",              "",      "subflows:",              u8_at(0),         "subflows besides the first";
                MptcpAddAddrSignal,      "mptcp_add_addr_signal",       "",      "add_addr_signal:",       u8_at(1),         "addresses that we announced to the peer";
                MptcpAddAddrAccepted,    "mptcp_add_addr_accepted",     "",      "add_addr_accepted:",     u8_at(2),         "addresses that we accepted from the peer";
                MptcpSubflowsMax,        "mptcp_subflows_max",          "",      "subflows_max:",          u8_at(3),         "limit on subflows besides the first";
                MptcpAddAddrSignalMax,   "mptcp_add_addr_signal_max",   "",      "add_addr_signal_max:",   u8_at(4),         "addresses available to announce to the peer";
                MptcpAddAddrAcceptedMax, "mptcp_add_addr_accepted_max", "",      "add_addr_accepted_max:", u8_at(5),         "limit on addresses that we accept from the peer";
                MptcpFallback,           "mptcp_fallback",              "",      "fallback",               u32_at(8).bit(0), "fell back to plain TCP, because the peer or a middlebox does not support multipath";
                MptcpRemoteKey,          "mptcp_remote_key",            "",      "remote_key",             u32_at(8).bit(1), "the peer's key has arrived";
                MptcpToken,              "mptcp_token",                 "",      "token:",                 u32_at(12).hex(), "our token of the connection, which its subflows carry";
                MptcpWriteSeq,           "mptcp_write_seq",             "",      "write_seq:",             u64_at(16),       "sequence number of the next byte that the program writes";
                MptcpSndUna,             "mptcp_snd_una",               "",      "snd_una:",               u64_at(24),       "first sequence number that is not acknowledged";
                MptcpRcvNxt,             "mptcp_rcv_nxt",               "",      "rcv_nxt:",               u64_at(32),       "sequence number of the next byte from the peer";
                MptcpLocalAddrUsed,      "mptcp_local_addr_used",       "",      "local_addr_used:",       u8_at(40),        "our addresses from which subflows were opened";
                MptcpLocalAddrMax,       "mptcp_local_addr_max",        "",      "local_addr_max:",        u8_at(41),        "addresses from which subflows may be opened";
                MptcpCsumEnabled,        "mptcp_csum_enabled",          "",      "csum_enabled:",          u8_at(42).flag(), "checksums of the data are in use";
                MptcpRetransmits,        "mptcp_retransmits",           "",      "retransmits:",           u32_at(44),       "retransmissions, on any subflow";
                MptcpBytesRetrans,       "mptcp_bytes_retrans",         "bytes", "bytes_retrans:",         u64_at(48),       "data retransmitted";
                MptcpBytesSent,          "mptcp_bytes_sent",            "bytes", "bytes_sent:",            u64_at(56),       "data sent";
                MptcpBytesReceived,      "mptcp_bytes_received",        "bytes", "bytes_received:",        u64_at(64),       "data received";
                MptcpBytesAcked,         "mptcp_bytes_acked",           "bytes", "bytes_acked:",           u64_at(72),       "data acknowledged by the peer";
                MptcpSubflowsTotal,      "mptcp_subflows_total",        "",      "subflows_total:",        u8_at(80),        "subflows, the first included";
                MptcpEndpLaminarMax,     "mptcp_endp_laminar_max",      "",      "endp_laminar_max:",      u8_at(81),        "laminar endpoints; since Linux 6.18";
                MptcpEndpFullmeshMax,    "mptcp_endp_fullmesh_max",     "",      "",                       u8_at(82),        "fullmesh endpoints; since Linux 6.18";
                MptcpLastDataSentMs,     "mptcp_last_data_sent_ms",     "ms",    "last_data_sent:",        u32_at(84),       "time since data was sent";
                MptcpLastDataRecvMs,     "mptcp_last_data_recv_ms",     "ms",    "last_data_recv:",        u32_at(88),       "time since data arrived";
                MptcpLastAckRecvMs,      "mptcp_last_ack_recv_ms",      "ms",    "last_ack_recv:",         u32_at(92),       "time since an acknowledgement arrived";
            }

            // The part of `struct tcp_info` that DCCP fills in (linux 6.12 net/dccp/diag.c, ccids/ccid3.c).
            // A zero was not measured.
            [parts of Dccp, "dccp_"] {
                DccpRetransmits, "dccp_retransmits", "",      "", u8_at(2),             "retransmissions since the last acknowledgement";
                DccpProbes,      "dccp_probes",      "",      "", u8_at(3),             "unanswered probes";
                DccpBackoff,     "dccp_backoff",     "",      "", u8_at(4),             "how often the retransmission timeout was doubled";
                DccpAckVector,   "dccp_ack_vector",  "",      "", u8_at(5).bit(1),      "acknowledgements list the packets that arrived";
                DccpRtoUs,       "dccp_rto_us",      "us",    "", u32_at(8).without(0),   "retransmission timeout; measured by CCID 3";
                DccpPmtuBytes,   "dccp_pmtu_bytes",  "bytes", "", u32_at(60).without(0),  "path MTU";
                DccpRttUs,       "dccp_rtt_us",      "us",    "", u32_at(68).without(0),  "round-trip time; measured by CCID 3";
                DccpRcvRttUs,    "dccp_rcv_rtt_us",  "us",    "", u32_at(92).without(0),  "round-trip time measured by the receiver of CCID 3";
            }

            // `struct sctp_info` (linux 6.18 include/linux/sctp.h) of associations. The address of the primary path is
            // omitted because it is one of the peer's addresses; so is what the kernel leaves 0.
            [parts of Sctp, "sctp_"] {
                SctpTag,                      "sctp_tag",                         "",        "tag:",       u32_at(0).hex(),  "our verification tag";
                SctpState,                    "sctp_state",                       "",        "state:",     u32_at(4),        "number of the association's state";
                SctpRwndBytes,                "sctp_rwnd_bytes",                  "bytes",   "rwnd:",      u32_at(8),        "our window";
                SctpUnackdata,                "sctp_unackdata",                   "",        "unackdata:", u16_at(12),       "chunks not acknowledged";
                SctpPenddata,                 "sctp_penddata",                    "",        "penddata:",  u16_at(14),       "chunks still missing below the highest one received";
                SctpInstrms,                  "sctp_instrms",                     "",        "instrms:",   u16_at(16),       "streams from the peer";
                SctpOutstrms,                 "sctp_outstrms",                    "",        "outstrms:",  u16_at(18),       "streams to the peer";
                SctpInqueue,                  "sctp_inqueue",                     "",        "inqueue:",   u32_at(24),       "chunks in the receive queue";
                SctpOutqueue,                 "sctp_outqueue",                    "",        "outqueue:",  u32_at(28),       "chunks in the send queue";
                SctpOverallError,             "sctp_overall_error",               "",        "overerr:",   u32_at(32),       "errors since the peer last answered";
                SctpMaxBurst,                 "sctp_max_burst",                   "",        "maxburst:",  u32_at(36),       "packets that may be sent in a burst";
                SctpMaxsegBytes,              "sctp_maxseg_bytes",                "bytes",   "maxseg:",    u32_at(40),       "longest message that is not split";
                SctpPeerRwndBytes,            "sctp_peer_rwnd_bytes",             "bytes",   "prwnd:",     u32_at(44),       "window of the peer";
                SctpPeerTag,                  "sctp_peer_tag",                    "",        "ptag:",      u32_at(48).hex(), "verification tag of the peer";
                SctpPeerCapable,              "sctp_peer_capable",                "",        "pcapable:",  u8_at(52),        "capabilities of the peer, as bits: 1 AUTH, 2 PR-SCTP, 4 ASCONF, 8 stream reset, 16 IPv6, 32 IPv4, 64 ECN, 128 interleaving";
                SctpPeerSack,                 "sctp_peer_sack",                   "",        "psack:",     u8_at(53),        "bits: 1 zero window announced, 2 generation of the last SACK chunk, 4 SACK chunk due";
                SctpIsacks,                   "sctp_isacks",                      "packets", "",           u64_at(56),       "SACK chunks received";
                SctpOsacks,                   "sctp_osacks",                      "packets", "",           u64_at(64),       "SACK chunks sent";
                SctpOpackets,                 "sctp_opackets",                    "packets", "",           u64_at(72),       "packets sent";
                SctpIpackets,                 "sctp_ipackets",                    "packets", "",           u64_at(80),       "packets received";
                SctpRtxchunks,                "sctp_rtxchunks",                   "",        "",           u64_at(88),       "chunks retransmitted";
                SctpOutofseqtsns,             "sctp_outofseqtsns",                "",        "",           u64_at(96),       "chunks discarded because they were beyond the window";
                SctpIdupchunks,               "sctp_idupchunks",                  "",        "",           u64_at(104),      "duplicate chunks received";
                SctpGapcnt,                   "sctp_gapcnt",                      "",        "",           u64_at(112),      "gap blocks in the SACK chunks received";
                SctpOuodchunks,               "sctp_ouodchunks",                  "",        "",           u64_at(120),      "unordered data chunks sent";
                SctpIuodchunks,               "sctp_iuodchunks",                  "",        "",           u64_at(128),      "unordered data chunks received";
                SctpOodchunks,                "sctp_oodchunks",                   "",        "",           u64_at(136),      "ordered data chunks sent";
                SctpIodchunks,                "sctp_iodchunks",                   "",        "",           u64_at(144),      "ordered data chunks received";
                SctpOctrlchunks,              "sctp_octrlchunks",                 "",        "",           u64_at(152),      "control chunks sent";
                SctpIctrlchunks,              "sctp_ictrlchunks",                 "",        "",           u64_at(160),      "control chunks received";
                SctpPrimaryState,             "sctp_primary_state",               "",        "",           u32_at(296),      "primary path: 0 inactive, 1 potentially failed, 2 active, 3 unconfirmed";
                SctpPrimaryCwndBytes,         "sctp_primary_cwnd_bytes",          "bytes",   "",           u32_at(300),      "primary path: congestion window";
                SctpPrimarySrttTicks,         "sctp_primary_srtt_ticks",          "",        "",           u32_at(304),      "primary path: round trip time, in ticks of the kernel's clock (CONFIG_HZ a second)";
                SctpPrimaryRtoMs,             "sctp_primary_rto_ms",              "ms",      "",           u32_at(308),      "primary path: retransmission timeout";
                SctpPrimaryHbintervalTicks,   "sctp_primary_hbinterval_ticks",    "",        "",           u32_at(312),      "primary path: time between heartbeats, in ticks of the kernel's clock";
                SctpPrimaryPathmaxrxt,        "sctp_primary_pathmaxrxt",          "",        "",           u32_at(316),      "primary path: number of errors after which it counts as failed";
                SctpPrimarySackdelayMs,       "sctp_primary_sackdelay_ms",        "ms",      "",           u32_at(320),      "primary path: delay before an acknowledgement";
                SctpPrimarySsthreshBytes,     "sctp_primary_ssthresh_bytes",      "bytes",   "",           u32_at(328),      "primary path: slow start threshold";
                SctpPrimaryPartialAckedBytes, "sctp_primary_partial_acked_bytes", "bytes",   "",           u32_at(332),      "primary path: bytes acknowledged since the congestion window last grew";
                SctpPrimaryFlightBytes,       "sctp_primary_flight_bytes",        "bytes",   "",           u32_at(336),      "primary path: bytes in flight";
                SctpPrimaryErrors,            "sctp_primary_errors",              "",        "",           u16_at(340),      "primary path: errors since it last answered";
            }

            // What programs set, in the same structure; the kernel fills it only for endpoints.
            [parts of SctpSettings, "sctp_"] {
                SctpAutocloseS,       "sctp_autoclose_s",       "s",     "autoclose:", u32_at(344),       "idle time after which it closes by itself; 0 for never";
                SctpAdaptationInd,    "sctp_adaptation_ind",    "",      "adapind:",   u32_at(348),       "adaptation layer indication";
                SctpPdPointBytes,     "sctp_pd_point_bytes",    "bytes", "pdpoint:",   u32_at(352),       "message length from which partial delivery starts";
                SctpNodelay,          "sctp_nodelay",           "",      "nodelay:",   u8_at(356).flag(), "small messages are sent at once";
                SctpDisableFragments, "sctp_disable_fragments", "",      "nofrag:",    u8_at(357).flag(), "long messages are rejected instead of split";
                SctpV4mapped,         "sctp_v4mapped",          "",      "v4mapped:",  u8_at(358).flag(), "IPv4 addresses are shown mapped into IPv6";
                SctpFragInterleave,   "sctp_frag_interleave",   "",      "fraginl:",   u8_at(359),        "whether pieces of messages may be mixed: 0 to 2";
                SctpType,             "sctp_type",              "",      "",           u32_at(360),       "0 one-to-many, 1 high bandwidth, 2 one-to-one";
            }

            // `struct packet_diag_info` (linux 6.18 include/uapi/linux/packet_diag.h), without the interface, which a row has.
            [parts of Packet, "packet_"] {
                PacketVersion,    "packet_version",     "",      "ver:",        u32_at(4),         "layout of its rings: 0 TPACKET_V1, 1 TPACKET_V2, 2 TPACKET_V3";
                PacketCopyThresh, "packet_copy_thresh", "bytes", "cpy_thresh:", u32_at(12),        "length from which packets are copied even with a ring";
                PacketTstamp,     "packet_tstamp",      "",      "",            u32_at(16),        "PACKET_TIMESTAMP: where timestamps are taken";
                PacketRunning,    "packet_running",     "",      "running",     u32_at(20).bit(0), "whether it receives packets";
                PacketAuxdata,    "packet_auxdata",     "",      "auxdata",     u32_at(20).bit(1), "PACKET_AUXDATA: lengths and VLAN are passed with each packet";
                PacketOrigdev,    "packet_origdev",     "",      "origdev",     u32_at(20).bit(2), "PACKET_ORIGDEV: reports the physical interface, not the bonded one";
                PacketVnethdr,    "packet_vnethdr",     "",      "vnethdr",     u32_at(20).bit(3), "PACKET_VNET_HDR: packets start with a virtio header";
                PacketLoss,       "packet_loss",        "",      "loss",        u32_at(20).bit(4), "PACKET_LOSS: malformed packets of the send ring are skipped";
            }

            // `struct packet_diag_ring` of the receive ring.
            [parts of RxRing, "rx_ring_"] {
                RxRingBlockSize, "rx_ring_block_size", "bytes", "blk_size:",   u32_at(0),        "receive ring: length of a block";
                RxRingBlockNr,   "rx_ring_block_nr",   "",      "blk_nr:",     u32_at(4),        "receive ring: blocks";
                RxRingFrameSize, "rx_ring_frame_size", "bytes", "frm_size:",   u32_at(8),        "receive ring: length of a frame";
                RxRingFrameNr,   "rx_ring_frame_nr",   "",      "frm_nr:",     u32_at(12),       "receive ring: frames";
                RxRingRetireMs,  "rx_ring_retire_ms",  "ms",    "tmo:",        u32_at(16),       "receive ring: time after which a block is handed over even if it is not full";
                RxRingFeatures,  "rx_ring_features",   "",      "features:0x", u32_at(24).hex(), "receive ring: bits of TPACKET_V3";
            }

            // The same for the transmit ring.
            [parts of TxRing, "tx_ring_"] {
                TxRingBlockSize, "tx_ring_block_size", "bytes", "blk_size:",   u32_at(0),        "send ring: length of a block";
                TxRingBlockNr,   "tx_ring_block_nr",   "",      "blk_nr:",     u32_at(4),        "send ring: blocks";
                TxRingFrameSize, "tx_ring_frame_size", "bytes", "frm_size:",   u32_at(8),        "send ring: length of a frame";
                TxRingFrameNr,   "tx_ring_frame_nr",   "",      "frm_nr:",     u32_at(12),       "send ring: frames";
                TxRingRetireMs,  "tx_ring_retire_ms",  "ms",    "tmo:",        u32_at(16),       "send ring: time after which a block is handed over";
                TxRingFeatures,  "tx_ring_features",   "",      "features:0x", u32_at(24).hex(), "send ring: bits of TPACKET_V3";
            }

            // `PACKET_DIAG_FANOUT`.
            [parts of Fanout, "fanout_"] {
                FanoutId,   "fanout_id",   "", "id:",   u32_at(0).bits(0, 16),                 "identifier of the fanout group";
                FanoutType, "fanout_type", "", "type:", u32_at(0).bits(16, 16).words(FANOUTS), "how the group distributes packets";
            }

            // Attributes (linux 6.18 net/tipc/group.c, `tipc_group_fill_sock_diag`): their types take the place of offsets.
            [parts of TipcGroup, "tipc_group_"] {
                TipcGroupId,           "tipc_group_id",            "", "", u32_at(0),     "number of the group, which is the type of its service";
                TipcGroupOpen,         "tipc_group_open",          "", "", present_at(1), "whether the socket can receive from the group";
                TipcGroupNodeScope,    "tipc_group_node_scope",    "", "", present_at(2), "members are on this node only";
                TipcGroupClusterScope, "tipc_group_cluster_scope", "", "", present_at(3), "members are in the whole cluster";
                TipcGroupInstance,     "tipc_group_instance",      "", "", u32_at(4),     "number of this member, which is the instance of its service";
                TipcGroupBcSendNext,   "tipc_group_bc_send_next",  "", "", u32_at(5),     "number of its next broadcast";
            }

            // `enum smc_state` and the mode; reasons are those of net/smc/smc_clc.h (`SMC_CLC_DECL_*`).
            [parts of Smc, "smc_"] {
                SmcState,          "smc_state",           "", "", u8_at(0).words(SMC_STATES),     "state of the SMC socket, in the terms of SMC";
                SmcMode,           "smc_mode",            "", "", u8_at(1).without(255).words(SMC_MODES),      "mode of a connection: smc-r over RDMA, smc-d within the machine, or fallback to TCP";
                SmcFallbackReason, "smc_fallback_reason", "", "", u32_at(4).without(0).hex(),     "reason for the fallback to TCP: 3010000 the peer has no SMC, 3030000 no device";
                SmcPeerDiagnosis,  "smc_peer_diagnosis",  "", "", u32_at(8).without(0).hex(),     "reason that the peer reports for the fallback";
            }

            [parts of SmcConnection, "smc_"] {
                SmcToken,           "smc_token",            "",      "", u32_at(0).hex(), "token of the connection";
                SmcSndbufBytes,     "smc_sndbuf_bytes",     "bytes", "", u32_at(4),       "send buffer";
                SmcRmbeBytes,       "smc_rmbe_bytes",       "bytes", "", u32_at(8),       "receive buffer";
                SmcPeerRmbeBytes,   "smc_peer_rmbe_bytes",  "bytes", "", u32_at(12),      "receive buffer of the peer";
                SmcRxProdWrap,      "smc_rx_prod_wrap",     "",      "", u16_at(18),      "times that the peer's write position wrapped around";
                SmcRxProdBytes,     "smc_rx_prod_bytes",    "bytes", "", u32_at(20),      "the peer's write position in our receive buffer";
                SmcRxConsWrap,      "smc_rx_cons_wrap",     "",      "", u16_at(26),      "times that the peer's read position wrapped around";
                SmcRxConsBytes,     "smc_rx_cons_bytes",    "bytes", "", u32_at(28),      "the peer's read position in its receive buffer";
                SmcTxProdWrap,      "smc_tx_prod_wrap",     "",      "", u16_at(34),      "times that our write position wrapped around";
                SmcTxProdBytes,     "smc_tx_prod_bytes",    "bytes", "", u32_at(36),      "our write position in the peer's receive buffer";
                SmcTxConsWrap,      "smc_tx_cons_wrap",     "",      "", u16_at(42),      "times that our read position wrapped around";
                SmcTxConsBytes,     "smc_tx_cons_bytes",    "bytes", "", u32_at(44),      "our read position in our receive buffer";
                SmcRxProdFlags,     "smc_rx_prod_flags",    "",      "", u8_at(48).hex(), "flags that the peer set as a writer";
                SmcRxStateFlags,    "smc_rx_state_flags",   "",      "", u8_at(49).hex(), "flags of the peer's connection state";
                SmcTxProdFlags,     "smc_tx_prod_flags",    "",      "", u8_at(50).hex(), "flags that we set as a writer";
                SmcTxStateFlags,    "smc_tx_state_flags",   "",      "", u8_at(51).hex(), "flags of our connection state";
            }

            [parts of SmcLink, "smc_link_"] {
                SmcLinkId,   "smc_link_id",   "", "", u8_at(0),                    "number of the link";
                SmcLinkPort, "smc_link_port", "", "", u8_at(65),                   "port of the RDMA device";
                SmcLinkRole, "smc_link_role", "", "", u8_at(146).words(SMC_ROLES), "role of this end: client, server";
            }

            [parts of SmcDmb, "smc_dmb_"] {
                SmcDmbLinkId,    "smc_dmb_link_id",    "", "", u32_at(0).hex(),  "number of the link group";
                SmcDmbPeerGid,   "smc_dmb_peer_gid",   "", "", u64_at(8).hex(),  "device of the peer";
                SmcDmbMyGid,     "smc_dmb_my_gid",     "", "", u64_at(16).hex(), "our device";
                SmcDmbToken,     "smc_dmb_token",      "", "", u64_at(24).hex(), "our memory";
                SmcDmbPeerToken, "smc_dmb_peer_token", "", "", u64_at(32).hex(), "the peer's memory";
            }

            // One attribute for each ring (linux 6.18 include/uapi/linux/xdp_diag.h): attribute types take the place
            // of offsets.
            [parts of XdpRings, "xdp_"] {
                XdpRxEntries,         "xdp_rx_entries",         "", "rx(entries:", u32_at(kind::XDP_RX_RING as usize),         "entries of the receive ring";
                XdpTxEntries,         "xdp_tx_entries",         "", "tx(entries:", u32_at(kind::XDP_TX_RING as usize),         "entries of the send ring";
                XdpFillEntries,       "xdp_fill_entries",       "", "fr(entries:", u32_at(kind::XDP_FILL_RING as usize),       "entries of the fill ring";
                XdpCompletionEntries, "xdp_completion_entries", "", "cr(entries:", u32_at(kind::XDP_COMPLETION_RING as usize), "entries of the completion ring";
            }

            // `struct xdp_diag_umem`.
            [parts of XdpUmem, "umem_"] {
                UmemSize,      "umem_size",       "bytes", "size:",       u64_at(0),         "UMEM: size";
                UmemId,        "umem_id",         "",      "id:",         u32_at(8),         "UMEM: identifier; sockets can share one";
                UmemNumPages,  "umem_num_pages",  "",      "num_pages:",  u32_at(12),        "UMEM: pages";
                UmemChunkSize, "umem_chunk_size", "bytes", "chunk_size:", u32_at(16),        "UMEM: length of a frame";
                UmemHeadroom,  "umem_headroom",   "bytes", "headroom:",   u32_at(20),        "UMEM: free space before each packet";
                UmemIfindex,   "umem_ifindex",    "",      "ifindex:",    u32_at(24),        "UMEM: index of the interface";
                UmemQueueId,   "umem_queue_id",   "",      "qid:",        u32_at(28),        "UMEM: queue of that interface";
                UmemZeroCopy,  "umem_zero_copy",  "",      "zc:",         u32_at(32).bit(0), "UMEM: whether the device accesses it directly (zero copy)";
                UmemRefs,      "umem_refs",       "",      "refs:",       u32_at(36),        "UMEM: sockets that use it";
            }

            // `struct xdp_diag_stats`.
            [parts of XdpStats, "xdp_"] {
                XdpRxDropped,     "xdp_rx_dropped",      "packets", "rx dropped:",         u64_at(0),  "packets dropped after they were received";
                XdpRxInvalid,     "xdp_rx_invalid",      "packets", "rx invalid:",         u64_at(8),  "dropped because the frame was invalid";
                XdpRxFull,        "xdp_rx_full",         "packets", "rx queue full:",      u64_at(16), "dropped because the receive ring was full";
                XdpFillRingEmpty, "xdp_fill_ring_empty", "",        "rx fill ring empty:", u64_at(24), "how often the fill ring was empty";
                XdpTxInvalid,     "xdp_tx_invalid",      "packets", "tx invalid:",         u64_at(32), "not sent because the frame was invalid";
                XdpTxRingEmpty,   "xdp_tx_ring_empty",   "",        "tx ring empty:",      u64_at(40), "how often the send ring was empty";
            }
        }
    };
}

pub(super) use table;
