//! Keeps a constant number of TIME-WAIT sockets.
//!
//! The kernel drops a TIME-WAIT socket after 60 seconds (`TCP_TIMEWAIT_LEN`, linux 6.18 include/net/tcp.h). A
//! connection with the same ports may replace one that uses timestamps, so each is made again in time and their number
//! does not change.

use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::net::sockopt::set_socket_reuseaddr;
use rustix::net::{AddressFamily, SocketFlags, SocketType, accept_with, bind, connect, listen, socket_with};

use crate::die_with_parent;

/// How old a TIME-WAIT socket gets before it is renewed.
const RENEW_AFTER: Duration = Duration::from_secs(45);

/// Local ports used at each address, and the first of them.
const PORTS: u32 = 20_000;
const FIRST_PORT: u16 = 30_000;

/// The first address of the client ends, and the server that they connect to: nothing else in the namespace uses them.
const FIRST_CLIENT: Ipv4Addr = Ipv4Addr::new(127, 250, 0, 1);
const SERVER: Ipv4Addr = Ipv4Addr::new(127, 251, 0, 1);
const SERVER_PORT: u16 = 9_000;

/// Makes `count` TIME-WAIT sockets, reports that, and renews them until standard input ends.
pub(crate) fn keep(count: u32) -> Result<()> {
    die_with_parent()?;
    let server = socket_with(
        AddressFamily::INET,
        SocketType::STREAM,
        SocketFlags::CLOEXEC,
        None,
    )?;
    bind(&server, &SocketAddr::from((SERVER, SERVER_PORT)))?;
    let mut made_at = Vec::new();
    // It listens only while connections are made, so that its listener is in no measurement.
    listen(&server, 16)?;
    for number in 0..count {
        made_at.push(Instant::now());
        leave_one(&server, number)?;
    }
    drop(server);
    println!("up");
    renew(&mut made_at)
}

fn renew(made_at: &mut [Instant]) -> Result<()> {
    let ended = end_of_input();
    while ended.recv_timeout(Duration::from_secs(1)) == Err(RecvTimeoutError::Timeout) {
        if made_at.iter().all(|made| made.elapsed() < RENEW_AFTER) {
            continue;
        }
        let server = socket_with(
            AddressFamily::INET,
            SocketType::STREAM,
            SocketFlags::CLOEXEC,
            None,
        )?;
        set_socket_reuseaddr(&server, true)?;
        bind(&server, &SocketAddr::from((SERVER, SERVER_PORT)))?;
        listen(&server, 16)?;
        for (number, made) in (0..)
            .zip(made_at.iter_mut())
            .filter(|(_, made)| made.elapsed() >= RENEW_AFTER)
        {
            *made = Instant::now();
            leave_one(&server, number)?;
        }
    }
    Ok(())
}

/// Opens connection number `number` and closes it, the client end first, so that its TIME-WAIT stays.
fn leave_one(server: &OwnedFd, number: u32) -> Result<()> {
    let address = Ipv4Addr::from_bits(FIRST_CLIENT.to_bits() + number / PORTS);
    let port = FIRST_PORT + u16::try_from(number % PORTS).unwrap_or(0);
    let client = socket_with(
        AddressFamily::INET,
        SocketType::STREAM,
        SocketFlags::CLOEXEC,
        None,
    )?;
    set_socket_reuseaddr(&client, true)?;
    bind(&client, &SocketAddr::from((address, port)))?;
    connect(&client, &SocketAddr::from((SERVER, SERVER_PORT)))
        .with_context(|| format!("cannot connect from {address}:{port} for a TIME-WAIT socket"))?;
    let accepted = accept_with(server, SocketFlags::CLOEXEC)?;
    drop(client);
    drop(accepted);
    Ok(())
}

/// A channel that is disconnected when standard input ends.
fn end_of_input() -> Receiver<()> {
    let (open, ended) = channel();
    std::thread::spawn(move || {
        let _rest = std::io::stdin().read_to_end(&mut Vec::new());
        drop(open);
    });
    ended
}
