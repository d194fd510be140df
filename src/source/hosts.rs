//! Addresses of host names, ports of services and ids of users, from the system's own resolver.

use std::net::{IpAddr, ToSocketAddrs};
use std::time::Duration;

use super::{deadline, nss, tape};

/// How long a lookup may take.
const WITHIN: Duration = Duration::from_secs(5);

/// Resolves a host name.
///
/// # Errors
/// A one-line message if it has no address, or no name server answers in time.
pub fn addresses_of(name: &str) -> Result<Vec<IpAddr>, String> {
    let (addresses, error) = tape::fact(&format!("addresses of {name}"), || within(name, WITHIN, resolve));
    match error {
        Some(error) => Err(format!("cannot look up '{name}': {error}")),
        None => Ok(addresses),
    }
}

/// Returns the port of a service.
pub fn port_of(service: &str) -> Option<u16> {
    let found = nss::service_ports(vec![service.to_owned()], WITHIN);
    found.found.get(service)?.first().copied()
}

/// Returns the id of a user.
///
/// # Errors
/// A one-line message if the user does not exist, or cannot be looked up in time.
pub fn user_id_of(name: &str) -> Result<u32, String> {
    let mut answers = nss::user_ids(vec![name.to_owned()], WITHIN);
    answers.found.remove(name).ok_or_else(|| match answers.late {
        0 => "no user has this name".to_owned(),
        _ => format!("no answer within {} s", WITHIN.as_secs()),
    })
}

/// The addresses, or why there are none.
type Resolved = (Vec<IpAddr>, Option<String>);

fn resolve(name: &str) -> Resolved {
    let found = (name, 0).to_socket_addrs();
    let error = found.as_ref().err().map(ToString::to_string);
    let mut addresses: Vec<_> = found.into_iter().flatten().map(|found| found.ip()).collect();
    addresses.dedup();
    (addresses, error)
}

fn within(name: &str, time: Duration, resolve: fn(&str) -> Resolved) -> Resolved {
    let mut answers = deadline::ask(vec![name.to_owned()], 1, time, move |name: &String| {
        Some(resolve(name))
    });
    answers.found.remove(name).unwrap_or_else(|| {
        let error = format!("no name server answered within {} s", time.as_secs());
        (Vec::new(), Some(error))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_server_that_does_not_answer_is_reported() {
        let silent = |_: &str| loop {
            std::thread::park();
        };
        let (addresses, error) = within("x", Duration::ZERO, silent);
        assert!(addresses.is_empty());
        assert_eq!(error.as_deref(), Some("no name server answered within 0 s"));
        let loopback = IpAddr::from([127, 0, 0, 1]);
        assert_eq!(addresses_of("127.0.0.1"), Ok(vec![loopback]));
    }
}
