//! The half of `why` that looks at the machine: sockets on a port, their options and owners, sysctls, a trial.

pub mod docker;
pub mod elsewhere;
pub mod options;
pub mod process;
pub mod snapshot;
pub mod system;
pub mod systemd;
pub mod trial;

/// `INET_DIAG_REQ_BYTECODE` for "the local port is `port`": one S_EQ instruction, whose argument is the second
/// word (linux 6.18 net/ipv4/inet_diag.c; since 4.16).
pub fn local_port_is(port: u16) -> Vec<u8> {
    const S_EQ: u8 = 11;
    let mut code = vec![S_EQ, 8];
    code.extend(12u16.to_ne_bytes());
    code.extend([0, 0]);
    code.extend(port.to_ne_bytes());
    code
}
