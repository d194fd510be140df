//! The half of `why` that looks at the machine: sockets on a port, their options and owners, sysctls, a trial.

pub mod ask;
pub mod caveats;
pub mod docker;
pub mod elsewhere;
pub mod netns;
pub mod options;
pub mod process;
pub mod snapshot;
pub mod system;
pub mod systemd;
pub mod trial;
pub mod unix;

/// `INET_DIAG_REQ_BYTECODE` for "the local port is between these": S_GE and S_LE, both of which must hold.
pub fn local_port_between(from: u16, to: u16) -> Vec<u8> {
    const S_GE: u8 = 2;
    const S_LE: u8 = 3;
    let mut code = Vec::with_capacity(16);
    // "No" jumps behind the end of the program, counted from the instruction itself.
    for (instruction, no, port) in [(S_GE, 20u16, from), (S_LE, 12, to)] {
        code.extend([instruction, 8]);
        code.extend(no.to_ne_bytes());
        code.extend([0, 0]);
        code.extend(port.to_ne_bytes());
    }
    code
}

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
