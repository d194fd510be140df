//! Keywords for numbers inside kernel structures.

type Words = &'static [(u64, &'static str)];

/// `enum tcp_ca_state` (linux 6.18 include/uapi/linux/tcp.h).
pub const CA_STATES: Words = &[
    (0, "open"),
    (1, "disorder"),
    (2, "cwr"),
    (3, "recovery"),
    (4, "loss"),
];

/// `enum tcp_fastopen_client_fail` (linux 6.18 include/uapi/linux/tcp.h).
pub const FASTOPEN_FAILS: Words = &[
    (0, "unspec"),
    (1, "cookie-unavailable"),
    (2, "data-not-acked"),
    (3, "syn-retransmitted"),
];

/// `enum smc_state` (linux 6.18 net/smc/smc.h).
pub const SMC_STATES: Words = &[
    (1, "active"),
    (2, "init"),
    (7, "closed"),
    (10, "listen"),
    (20, "peer-close-wait-1"),
    (21, "peer-close-wait-2"),
    (22, "app-close-wait-1"),
    (23, "app-close-wait-2"),
    (24, "app-fin-close-wait"),
    (25, "peer-fin-close-wait"),
    (26, "peer-abort-wait"),
    (27, "process-abort"),
];

/// `SMC_DIAG_MODE_*` (linux 6.18 include/uapi/linux/smc_diag.h).
pub const SMC_MODES: Words = &[(0, "smc-r"), (1, "fallback"), (2, "smc-d")];

/// `enum smc_lgr_role` (linux 6.18 net/smc/smc_core.h).
pub const SMC_ROLES: Words = &[(0, "client"), (1, "server")];

/// `TLS_1_2_VERSION` and the next (linux 6.18 include/uapi/linux/tls.h).
pub const VERSIONS: Words = &[(0x303, "1.2"), (0x304, "1.3")];

/// `TLS_CIPHER_*`.
pub const CIPHERS: Words = &[
    (51, "aes-gcm-128"),
    (52, "aes-gcm-256"),
    (53, "aes-ccm-128"),
    (54, "chacha20-poly1305"),
    (55, "sm4-gcm"),
    (56, "sm4-ccm"),
    (57, "aria-gcm-128"),
    (58, "aria-gcm-256"),
];

/// Who encrypts (`TLS_CONF_*`), in ss's words.
pub const CONFIGURATIONS: Words = &[(1, "none"), (2, "sw"), (3, "hw"), (4, "hw-record")];

/// How a fanout group distributes packets (linux 6.18 include/uapi/linux/if_packet.h), in ss's words where it has
/// them.
pub const FANOUTS: Words = &[
    (0, "hash"),
    (1, "lb"),
    (2, "cpu"),
    (3, "roll"),
    (4, "random"),
    (5, "qm"),
    (6, "cbpf"),
    (7, "ebpf"),
];
