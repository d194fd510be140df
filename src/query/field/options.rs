//! Names of socket option and shutdown bits.

use crate::model::Shutdown;

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

#[cfg(test)]
mod tests {
    use super::*;

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
