//! The protocol on top of a TCP socket, in nested attributes (`INET_DIAG_ULP_INFO`): TLS in the kernel (linux 6.18
//! include/uapi/linux/tls.h), and what makes a TCP connection a subflow of multipath TCP (include/uapi/linux/mptcp.h).

use super::layout::{Form, Part, Struct};
use super::{Details, attributes, kind};

const NAME: u16 = 1;
const TLS_NEST: u16 = 2;
const MPTCP_NEST: u16 = 3;

const VERSIONS: &[(u64, &str)] = &[(0x303, "1.2"), (0x304, "1.3")];

/// Ciphers by their number (`TLS_CIPHER_*`).
pub const CIPHERS: &[(u64, &str)] = &[
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
pub const CONFIGURATIONS: &[(u64, &str)] = &[(1, "none"), (2, "sw"), (3, "hw"), (4, "hw-record")];

const fn tls(
    name: &'static str,
    key: &'static str,
    attribute: usize,
    width: usize,
    meaning: &'static str,
) -> Part {
    Part::number(name, key, "", attribute, width, meaning).key(key)
}

/// TLS in the kernel.
pub const TLS: [Part; 6] = [
    tls("tls_version", "version", 1, 2, "version of TLS").form(Form::Word(VERSIONS)),
    tls("tls_cipher", "cipher", 2, 2, "cipher").form(Form::Word(CIPHERS)),
    tls(
        "tls_txconf",
        "txconf",
        3,
        2,
        "who encrypts: none, the kernel (sw), the device (hw)",
    )
    .form(Form::Word(CONFIGURATIONS)),
    tls("tls_rxconf", "rxconf", 4, 2, "who decrypts").form(Form::Word(CONFIGURATIONS)),
    tls("tls_zc_ro_tx", "zc_ro_tx", 5, 0, "files are sent without a copy").form(Form::Flag),
    tls(
        "tls_rx_no_pad",
        "rx_no_pad",
        6,
        0,
        "the peer is trusted to send no padding",
    )
    .form(Form::Flag),
];

/// A subflow of multipath TCP. What is marked needs `CAP_NET_ADMIN`.
pub const SUBFLOW: [Part; 10] = [
    tls(
        "subflow_token_rem",
        "token_rem",
        1,
        4,
        "token of the peer's connection",
    )
    .form(Form::Hex),
    tls(
        "subflow_token_loc",
        "token_loc",
        2,
        4,
        "token of our connection, by which subflows belong together",
    )
    .form(Form::Hex),
    tls(
        "subflow_relwrite_seq",
        "relwrite_seq",
        3,
        4,
        "relative number of the next byte to send; needs CAP_NET_ADMIN",
    ),
    tls(
        "subflow_map_seq",
        "map_seq",
        4,
        8,
        "sequence number of the mapping in the connection; needs CAP_NET_ADMIN",
    ),
    tls(
        "subflow_map_sfseq",
        "map_sfseq",
        5,
        4,
        "sequence number of the mapping in the subflow; needs CAP_NET_ADMIN",
    ),
    tls(
        "subflow_ssn_offset",
        "ssn_offset",
        6,
        4,
        "offset of the subflow's sequence numbers; needs CAP_NET_ADMIN",
    ),
    tls(
        "subflow_map_datalen",
        "map_datalen",
        7,
        2,
        "length of the mapping; needs CAP_NET_ADMIN",
    ),
    tls(
        "subflow_flags",
        "flags",
        8,
        4,
        "bits: 1 capable by the peer, 2 by us, 4 joined by the peer, 8 by us, 16 backup by the peer, 32 by us, 64 fully established, 128 connected, 256 mapping valid",
    ),
    tls("subflow_id_rem", "id_rem", 9, 1, "address id of the peer"),
    tls("subflow_id_loc", "id_loc", 10, 1, "our address id"),
];

/// The parts of the attribute.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ulp<'a> {
    /// Its name: `tls`, `mptcp`, `espintcp`, `smc`.
    pub name: &'a [u8],
    /// TLS.
    pub tls: Option<Struct<'a>>,
    /// The subflow.
    pub subflow: Option<Struct<'a>>,
}

impl Details {
    /// The protocol on top, if there is one.
    pub fn ulp(&self) -> Option<Ulp<'_>> {
        let mut ulp = Ulp::default();
        for (kind, value) in attributes(self.get(kind::ULP_INFO)?) {
            match kind {
                NAME => ulp.name = value.split(|byte| *byte == 0).next().unwrap_or_default(),
                TLS_NEST => ulp.tls = Some(Struct::nested(&TLS, value)),
                MPTCP_NEST => ulp.subflow = Some(Struct::nested(&SUBFLOW, value)),
                _ => {}
            }
        }
        Some(ulp)
    }
}
