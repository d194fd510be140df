//! Makes one TCP connection and closes it again (`reach --try`).

use std::net::{IpAddr, TcpStream};
use std::time::Duration;

use super::tape;

/// Time limit for a connection.
const PATIENCE: Duration = Duration::from_secs(3);

/// Whether a connection was accepted, and what the kernel's answer means. Recordings contain these words; `None` if the
/// recording that is replayed has none.
pub fn connect_once(address: IpAddr, port: u16) -> Option<(bool, String)> {
    tape::fact(&format!("connection to {address} {port}"), || {
        Some(connect(address, port))
    })
}

fn connect(address: IpAddr, port: u16) -> (bool, String) {
    match TcpStream::connect_timeout(&(address, port).into(), PATIENCE) {
        Ok(_) => (true, "a connection was accepted".to_owned()),
        Err(error) => {
            let meaning = match error.raw_os_error() {
                Some(libc::ECONNREFUSED) => {
                    "refused: the machine answers, but nothing listens there".to_owned()
                }
                Some(libc::EHOSTUNREACH) => {
                    "host unreachable: no router or host answers for that address".to_owned()
                }
                Some(libc::ENETUNREACH) => "no route to that network".to_owned(),
                Some(libc::EADDRNOTAVAIL) => "no local port is left for that destination".to_owned(),
                Some(libc::EACCES | libc::EPERM) => {
                    "forbidden by a local packet filter or security module".to_owned()
                }
                _ if error.kind() == std::io::ErrorKind::TimedOut => {
                    "no answer within 3 s: packets are dropped".to_owned()
                }
                _ => error.to_string(),
            };
            (false, meaning)
        }
    }
}
