//! The states in which TCP connections end.
//!
//! To keep a segment from arriving, the receiving socket gets a packet filter that drops everything, which needs no
//! privilege and affects no other socket.

use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};

use anyhow::{Context as _, Result, bail};
use rustix::net::{Shutdown, shutdown};

use crate::end::End;
use crate::made::Made;
use crate::spec::Spec;
use crate::state::State;
use crate::tcp::{self, Connection};
use crate::{sys, wait};

/// `fin-wait-1`, `fin-wait-2`, `close-wait`, `last-ack`, `closing`: both ends keep their descriptors.
pub(crate) fn held(spec: &Spec, made: &mut Made, state: State) -> Result<()> {
    let sides = Sides::open(spec)?;
    let other_state = sides.bring_to(state)?;
    made.add(sides.role, sides.named, state)?;
    made.add(sides.other_role, sides.other, other_state).map(drop)
}

/// `orphan`: as above, and then the named end is closed by its process.
pub(crate) fn orphan(spec: &Spec, made: &mut Made) -> Result<()> {
    let state = match spec.bytes("state") {
        None | Some(b"fin-wait-2") => State::FinWait2,
        Some(b"fin-wait-1") => State::FinWait1,
        Some(b"last-ack") => State::LastAck,
        Some(b"closing") => State::Closing,
        Some(_) => bail!("an orphan is in fin-wait-1, fin-wait-2, last-ack or closing"),
    };
    let sides = Sides::open(spec)?;
    if let Some(seconds) = spec.parsed("linger2")? {
        sys::set_int(sides.named.as_fd(), libc::IPPROTO_TCP, libc::TCP_LINGER2, seconds)
            .context("TCP_LINGER2")?;
    }
    let other_state = sides.bring_to(state)?;
    made.push(closed(spec, sides.role, sides.named, state)?);
    made.add(sides.other_role, sides.other, other_state).map(drop)
}

/// `time-wait`: the named end closed first, and the other is gone.
pub(crate) fn time_wait(spec: &Spec, made: &mut Made) -> Result<()> {
    let sides = Sides::open(spec)?;
    shut(&sides.named)?;
    wait::until_state(&sides.named, State::FinWait2)?;
    // In TIME-WAIT, the descriptor no longer knows the peer, so it is read before.
    let end = closed_later(spec, sides.role, &sides.named, State::TimeWait)?;
    drop(sides.other);
    wait::until_state(&sides.named, State::Unconnected)?;
    drop(sides.named);
    made.push(end);
    Ok(())
}

/// The two ends of a connection: the one that the test names, and the other.
struct Sides {
    role: &'static str,
    named: OwnedFd,
    other_role: &'static str,
    other: OwnedFd,
}

impl Sides {
    fn open(spec: &Spec) -> Result<Self> {
        let Connection { server, client, .. } = tcp::connection(spec, libc::IPPROTO_TCP)?;
        match spec.bytes("side") {
            None | Some(b"server") => Ok(Self {
                role: "server",
                named: server,
                other_role: "client",
                other: client,
            }),
            Some(b"client") => Ok(Self {
                role: "client",
                named: client,
                other_role: "server",
                other: server,
            }),
            Some(_) => bail!("side is server or client"),
        }
    }

    /// Brings the named end to the state and returns that of the other.
    fn bring_to(&self, state: State) -> Result<State> {
        let other_state = match state {
            State::FinWait1 => {
                drop_incoming(&self.other)?;
                shut(&self.named)?;
                State::Established
            }
            State::FinWait2 => {
                shut(&self.named)?;
                State::CloseWait
            }
            State::CloseWait => {
                shut(&self.other)?;
                State::FinWait2
            }
            State::LastAck => {
                shut(&self.other)?;
                wait::until_state(&self.other, State::FinWait2)?;
                drop_incoming(&self.other)?;
                shut(&self.named)?;
                State::FinWait2
            }
            State::Closing => {
                drop_incoming(&self.other)?;
                shut(&self.named)?;
                wait::until_state(&self.named, State::FinWait1)?;
                shut(&self.other)?;
                State::FinWait1
            }
            _ => bail!("{} is not a state in which a held connection ends", state.name()),
        };
        wait::until_state(&self.named, state)?;
        wait::until_state(&self.other, other_state)?;
        Ok(other_state)
    }
}

fn shut(fd: &OwnedFd) -> Result<()> {
    shutdown(fd, Shutdown::Write).with_context(|| format!("shutdown of descriptor {}", fd.as_raw_fd()))
}

fn drop_incoming(fd: &OwnedFd) -> Result<()> {
    sys::drop_incoming(fd.as_fd()).context("SO_ATTACH_FILTER")
}

/// What is known about a socket that will be closed: its addresses and its cookie, which the kernel
/// keeps through FIN-WAIT and TIME-WAIT.
fn closed_later(spec: &Spec, role: &'static str, fd: &OwnedFd, state: State) -> Result<End> {
    let open = End::of(&spec.text, role, fd.as_fd(), state)?;
    let mut end = open.without_descriptor(role, state);
    end.cookie = open.cookie;
    Ok(end)
}

fn closed(spec: &Spec, role: &'static str, fd: OwnedFd, state: State) -> Result<End> {
    let end = closed_later(spec, role, &fd, state)?;
    drop(fd);
    Ok(end)
}
