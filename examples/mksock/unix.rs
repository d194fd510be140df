//! Unix sockets, with any name that the kernel accepts.

use std::ffi::OsStr;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;

use anyhow::{Context as _, Result, bail};
use rustix::net::{AddressFamily, SocketFlags, SocketType, accept_with, listen, socket_with, socketpair};

use crate::inet;
use crate::made::Made;
use crate::spec::Spec;
use crate::state::State;
use crate::sys;

/// The name of a word as bytes of `sun_path`, padded with `x` to `long` bytes; `None` without one.
fn name(spec: &Spec) -> Result<Option<Vec<u8>>> {
    let mut name = match (spec.bytes("path"), spec.bytes("abstract")) {
        (Some(_), Some(_)) => bail!("a unix socket has a path or an abstract name, not both"),
        (Some(path), None) => path.to_vec(),
        (None, Some(name)) => [b"\0", name].concat(),
        (None, None) => return Ok(None),
    };
    let long = spec.count("long")?;
    if long > name.len() {
        name.resize(long, b'x');
    }
    Ok(Some(name))
}

fn socket(kind: SocketType) -> Result<OwnedFd> {
    socket_with(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None).context("socket")
}

fn kind(spec: &Spec, default: SocketType) -> Result<SocketType> {
    match spec.bytes("type") {
        None => Ok(default),
        Some(b"stream") => Ok(SocketType::STREAM),
        Some(b"dgram") => Ok(SocketType::DGRAM),
        Some(b"seqpacket") => Ok(SocketType::SEQPACKET),
        Some(_) => bail!("type is stream, dgram or seqpacket"),
    }
}

fn bind(spec: &Spec, made: &mut Made, fd: &OwnedFd, name: &[u8]) -> Result<()> {
    sys::bind_unix(fd.as_fd(), name).with_context(|| format!("binding the socket of {}", spec.text))?;
    if name.first().is_some_and(|&byte| byte != 0) {
        // The kernel takes a path only up to a NUL.
        let path = name.split(|&byte| byte == 0).next().unwrap_or(name);
        made.paths.push(OsStr::from_bytes(path).into());
    }
    Ok(())
}

/// A listener; without a name in the word the kernel gives it an abstract one.
fn listener(spec: &Spec, made: &mut Made, default: SocketType) -> Result<OwnedFd> {
    let fd = socket(kind(spec, default)?)?;
    bind(spec, made, &fd, &name(spec)?.unwrap_or_default())?;
    listen(&fd, spec.parsed("backlog")?.unwrap_or(128)).context("listen")?;
    Ok(fd)
}

fn client(listener: &OwnedFd, kind: SocketType) -> Result<OwnedFd> {
    let fd = socket(kind)?;
    // If the queue is full, this must fail instead of blocking.
    rustix::io::ioctl_fionbio(&fd, true).context("FIONBIO")?;
    let name = sys::unix_name(listener.as_fd()).context("getsockname")?;
    sys::connect_unix(fd.as_fd(), name.get(..name.len().min(108)).unwrap_or(&[]))
        .context("connecting to a unix listener")?;
    rustix::io::ioctl_fionbio(&fd, false).context("FIONBIO")?;
    Ok(fd)
}

/// `unix-listen` and `unix-seqpacket`; `queued=N` clients are connected and not accepted.
pub(crate) fn listening(spec: &Spec, made: &mut Made, default: SocketType) -> Result<()> {
    let kind = kind(spec, default)?;
    let listener = listener(spec, made, default)?;
    let clients = (0..spec.count("queued")?)
        .map(|_| client(&listener, kind))
        .collect::<Result<Vec<_>>>()?;
    made.add("listener", listener, State::Listen)?;
    for client in clients {
        made.add("client", client, State::Established)?;
    }
    Ok(())
}

/// `unix-dgram` and `unix-stream`: bound if there is a name, not connected.
pub(crate) fn unconnected(spec: &Spec, made: &mut Made, kind: SocketType) -> Result<()> {
    let fd = socket(kind)?;
    if let Some(name) = name(spec)? {
        bind(spec, made, &fd, &name)?;
    }
    made.add("bound", fd, State::Unconnected).map(drop)
}

/// `unix-senders`: a bound datagram socket, and `count` others that are connected to it.
pub(crate) fn senders(spec: &Spec, made: &mut Made) -> Result<()> {
    let receiver = socket(SocketType::DGRAM)?;
    bind(spec, made, &receiver, &name(spec)?.unwrap_or_default())?;
    let address = sys::unix_name(receiver.as_fd()).context("getsockname")?;
    let inode = rustix::fs::fstat(&receiver).context("fstat")?.st_ino;
    made.add("receiver", receiver, State::Unconnected)?;
    for _ in 0..spec.count("count")? {
        let sender = socket(SocketType::DGRAM)?;
        sys::connect_unix(sender.as_fd(), &address).context("connecting to the receiver")?;
        made.add("sender", sender, State::Established)?.peer_inode = Some(inode);
    }
    Ok(())
}

/// `unix-pair`: two connected sockets; `unread=N` bytes wait at the first.
pub(crate) fn pair(spec: &Spec, made: &mut Made) -> Result<()> {
    let kind = kind(spec, SocketType::STREAM)?;
    let (first, second) =
        socketpair(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None).context("socketpair")?;
    inet::fill(&second, &first, spec.count("unread")?)?;
    add_pair(made, ("first", first), ("second", second))
}

/// `unix-stream-client`: a listener, the connection it accepted and its client.
pub(crate) fn stream_client(spec: &Spec, made: &mut Made) -> Result<()> {
    let listener = listener(spec, made, SocketType::STREAM)?;
    let client = client(&listener, kind(spec, SocketType::STREAM)?)?;
    let server = accept_with(&listener, SocketFlags::CLOEXEC).context("accept")?;
    inet::fill(&client, &server, spec.count("unread")?)?;
    made.add("listener", listener, State::Listen)?;
    add_pair(made, ("server", server), ("client", client))
}

/// Adds two connected sockets, each with the inode of the other.
pub(crate) fn add_pair(
    made: &mut Made,
    (first_role, first): (&'static str, OwnedFd),
    (second_role, second): (&'static str, OwnedFd),
) -> Result<()> {
    let inode_of = |fd: &OwnedFd| rustix::fs::fstat(fd).map(|stat| stat.st_ino).context("fstat");
    let (first_inode, second_inode) = (inode_of(&first)?, inode_of(&second)?);
    made.add(first_role, first, State::Established)?.peer_inode = Some(second_inode);
    made.add(second_role, second, State::Established)?.peer_inode = Some(first_inode);
    Ok(())
}
