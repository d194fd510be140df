//! Closes sockets, and determines what happened to those that the kernel did not find.

use std::collections::BTreeSet;
use std::num::NonZeroU64;
use std::ops::ControlFlow;

use crate::engine::read_tables;
use crate::model::request::Dump;
use crate::model::{Protocol, Socket, State};
use crate::source::netlink::channel::Channel;
use crate::source::netlink::destroy::{Destroyed, destroy};

/// What happened to one socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was closed.
    Closed,
    /// It was gone already.
    Gone,
    /// `CAP_NET_ADMIN` is missing.
    NotPermitted,
    /// The kernel cannot close sockets of its protocol.
    NotSupported,
    /// The kernel can close sockets of its protocol, but not in time-wait (as Linux 5.10).
    TimeWaitNotSupported,
    /// It exists, but the kernel's lookup by address does not find it.
    NotReached,
    /// Another errno.
    Failed(i32),
}

impl Fate {
    /// Whether the socket no longer exists.
    pub const fn is_done(self) -> bool {
        matches!(self, Self::Closed | Self::Gone)
    }

    /// The word in the output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Gone => "gone",
            Self::NotPermitted => "not-permitted",
            Self::NotSupported | Self::TimeWaitNotSupported | Self::NotReached => "not-supported",
            Self::Failed(_) => "failed",
        }
    }
}

/// Closes the sockets; returns the results in the same order. `dumps` are the dumps that the sockets came from.
pub fn close(sockets: &[&Socket], dumps: &[Dump]) -> Vec<Fate> {
    // A separate netlink socket, not the one used for the dump.
    let mut channel = match Channel::open() {
        Ok(channel) => channel,
        Err(error) => {
            let errno = match error {
                crate::source::netlink::channel::DumpError::Channel(errno) => errno,
                _ => 0,
            };
            return vec![Fate::Failed(errno); sockets.len()];
        }
    };
    let mut results: Vec<Option<Fate>> = vec![None; sockets.len()];
    loop {
        // If several sockets share a port, the kernel finds one of them; once that is closed, it finds the next.
        let mut progress = false;
        for (socket, result) in sockets.iter().zip(&mut results) {
            if result.is_some() {
                continue;
            }
            *result = match destroy(&mut channel, socket) {
                Destroyed::NotFound => continue,
                Destroyed::Closed => {
                    progress = true;
                    Some(Fate::Closed)
                }
                Destroyed::NotPermitted => Some(Fate::NotPermitted),
                Destroyed::NotSupported if socket.state == State::TimeWait => {
                    Some(Fate::TimeWaitNotSupported)
                }
                Destroyed::NotSupported => Some(Fate::NotSupported),
                Destroyed::Failed(errno) => Some(Fate::Failed(errno)),
            };
        }
        if !progress || results.iter().all(Option::is_some) {
            break;
        }
    }
    if results.iter().all(Option::is_some) {
        return results.into_iter().flatten().collect();
    }
    let there = still_there(dumps);
    let left = |socket: &Socket| match socket.identity() {
        Some(identity) if there.contains(&identity) => Fate::NotReached,
        _ => Fate::Gone,
    };
    let settled = sockets.iter().zip(results);
    settled
        .map(|(socket, result)| result.unwrap_or_else(|| left(socket)))
        .collect()
}

/// The identities of all sockets in the dumps.
fn still_there(dumps: &[Dump]) -> BTreeSet<(Protocol, NonZeroU64)> {
    let mut there = BTreeSet::new();
    read_tables(dumps, &mut |sockets| {
        there.extend(sockets.iter().filter_map(Socket::identity));
        ControlFlow::Continue(())
    });
    there
}
