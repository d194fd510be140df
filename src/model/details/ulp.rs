//! The upper-layer protocol of a TCP socket, in nested attributes (`INET_DIAG_ULP_INFO`): kernel TLS (linux 6.18
//! include/uapi/linux/tls.h), or the subflow data of multipath TCP (include/uapi/linux/mptcp.h).

use super::{Details, attributes, kind};

const NAME: u16 = 1;
const TLS_NEST: u16 = 2;
const MPTCP_NEST: u16 = 3;

/// The parts of the attribute.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ulp<'a> {
    /// Its name: `tls`, `mptcp`, `espintcp`, `smc`.
    pub name: &'a [u8],
    /// Attributes of TLS.
    pub tls: Option<&'a [u8]>,
    /// Attributes of the subflow.
    pub subflow: Option<&'a [u8]>,
}

impl Details {
    /// Returns the upper-layer protocol, if there is one.
    pub fn ulp(&self) -> Option<Ulp<'_>> {
        let mut ulp = Ulp::default();
        for (kind, value) in attributes(self.get(kind::ULP_INFO)?) {
            match kind {
                NAME => ulp.name = value.split(|byte| *byte == 0).next().unwrap_or_default(),
                TLS_NEST => ulp.tls = Some(value),
                MPTCP_NEST => ulp.subflow = Some(value),
                _ => {}
            }
        }
        Some(ulp)
    }
}
