//! TCP and MPTCP sockets: bound, listening, connecting and connected.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd as _, OwnedFd};

use anyhow::{Context as _, Result, anyhow, bail};
use rustix::io::Errno;
use rustix::net::{SocketType, accept_with, connect, listen, sockopt};

use crate::end::End;
use crate::inet::{self, LOCALHOST};
use crate::made::Made;
use crate::spec::Spec;
use crate::state::State;
use crate::tuned::{self, Settings};
use crate::{sys, wait};

/// Tries before a connection attempt is given up: the maximum of `TCP_SYNCNT`, which takes hours.
const TRIES: i32 = 127;

/// How long a listener waits for the first data of a connection, in seconds.
const DEFER_S: i32 = 600;

/// A connection within this process, and the listener that accepted it.
pub(crate) struct Connection {
    pub(crate) listener: OwnedFd,
    pub(crate) server: OwnedFd,
    pub(crate) client: OwnedFd,
}

/// `tcp-bound`
pub(crate) fn bound(spec: &Spec, made: &mut Made) -> Result<()> {
    let fd = inet::bound(spec, LOCALHOST, SocketType::STREAM, libc::IPPROTO_TCP)?;
    made.add("bound", fd, State::Bound).map(drop)
}

/// A listener with the options of the word; `IPPROTO_TCP` or `IPPROTO_MPTCP`.
pub(crate) fn listener(spec: &Spec, default: IpAddr, protocol: i32) -> Result<OwnedFd> {
    let fd = inet::bound(spec, default, SocketType::STREAM, protocol)?;
    listen(&fd, spec.parsed("backlog")?.unwrap_or(128)).context("listen")?;
    Ok(fd)
}

/// `tcp-listen`
pub(crate) fn listening(spec: &Spec, made: &mut Made) -> Result<()> {
    let listener = listener(spec, LOCALHOST, libc::IPPROTO_TCP)?;
    let full = spec.is_on("full")?;
    let queued = if full {
        // The queue is full once it is longer than the backlog.
        usize::try_from(spec.parsed("backlog")?.unwrap_or(128))? + 1
    } else {
        spec.count("queued")?
    };
    let clients = (0..queued)
        .map(|_| client(spec, &listener))
        .collect::<Result<Vec<_>>>()?;
    let waiting = if full {
        Some(hanging_client(spec, &listener, false)?)
    } else {
        None
    };
    let listener_family = made.add("listener", listener, State::Listen)?.family;
    for client in clients {
        let end = made.add("client", client, State::Established)?;
        let queued = end.mirrored("queued", listener_family, State::Established);
        made.push(queued);
    }
    if let Some(client) = waiting {
        add_hanging(made, "waiting", client)?;
    }
    Ok(())
}

/// `mptcp-listen`
pub(crate) fn mptcp_listening(spec: &Spec, made: &mut Made) -> Result<()> {
    let listener = listener(spec, LOCALHOST, libc::IPPROTO_MPTCP)?;
    add_with_subflow(made, "listener", listener, State::Listen)
}

/// Adds an MPTCP socket and the TCP subflow that the kernel shows with it.
fn add_with_subflow(made: &mut Made, role: &'static str, fd: OwnedFd, state: State) -> Result<()> {
    let end = made.add(role, fd, state)?.clone();
    let mut subflow = end.without_descriptor("subflow", state);
    subflow.protocol = "tcp";
    // A subflow is reported with the inode of its MPTCP socket, and so has the same holders.
    subflow.inode = end.inode;
    subflow.holders = end.holders;
    made.push(subflow);
    Ok(())
}

fn client_socket(spec: &Spec, listener: &OwnedFd) -> Result<(OwnedFd, SocketAddr)> {
    let target = inet::reach(inet::local(listener)?, spec.is_on("mapped")?);
    let protocol =
        sys::get_int(listener.as_fd(), libc::SOL_SOCKET, libc::SO_PROTOCOL).context("SO_PROTOCOL")?;
    Ok((inet::socket(target.ip(), SocketType::STREAM, protocol)?, target))
}

fn client(spec: &Spec, listener: &OwnedFd) -> Result<OwnedFd> {
    let (client, target) = client_socket(spec, listener)?;
    if spec.count("fastopen")? > 0 {
        tuned::send_with_syn(&client, target)?;
        wait::until_state(&client, State::Established)?;
        return Ok(client);
    }
    // A listener that is full by mistake must cause an error instead of a long wait.
    connect_without_waiting(&client, target)?;
    wait::until_state(&client, State::Established).with_context(|| format!("connecting to {target}"))?;
    rustix::io::ioctl_fionbio(&client, false).context("FIONBIO")?;
    Ok(client)
}

/// A client whose handshake does not complete, and the address it connects to; `drops_replies` makes it drop the replies.
fn hanging_client(spec: &Spec, listener: &OwnedFd, drops_replies: bool) -> Result<(OwnedFd, SocketAddr)> {
    let (client, target) = client_socket(spec, listener)?;
    if drops_replies {
        sys::drop_incoming(client.as_fd()).context("SO_ATTACH_FILTER")?;
    }
    sys::set_int(client.as_fd(), libc::IPPROTO_TCP, libc::TCP_SYNCNT, TRIES).context("TCP_SYNCNT")?;
    connect_without_waiting(&client, target)?;
    wait::until_state(&client, State::SynSent)?;
    Ok((client, target))
}

/// Adds such a client; `getpeername` knows no peer before the connection is established.
fn add_hanging<'a>(
    made: &'a mut Made,
    role: &'static str,
    (client, target): (OwnedFd, SocketAddr),
) -> Result<&'a mut End> {
    let end = made.add(role, client, State::SynSent)?;
    end.peer = Some(target);
    Ok(end)
}

fn connect_without_waiting(client: &OwnedFd, target: SocketAddr) -> Result<()> {
    rustix::io::ioctl_fionbio(client, true).context("FIONBIO")?;
    match connect(client, &target) {
        Ok(()) | Err(Errno::INPROGRESS) => Ok(()),
        Err(error) => Err(anyhow!(error).context(format!("connecting to {target}"))),
    }
}

/// An established connection over loopback; `mapped=1` makes it an IPv4 client of a dual-stack listener.
pub(crate) fn connection(spec: &Spec, protocol: i32) -> Result<Connection> {
    let default = if spec.is_on("mapped")? {
        Ipv6Addr::UNSPECIFIED.into()
    } else {
        LOCALHOST
    };
    let listener = listener(spec, default, protocol)?;
    if inet::local(&listener)?.is_ipv4() && spec.is_on("mapped")? {
        bail!("mapped=1 wants an IPv6 address in addr");
    }
    let client = client(spec, &listener)?;
    let server = accept_with(&listener, rustix::net::SocketFlags::CLOEXEC).context("accept")?;
    wait::until_state(&server, State::Established)?;
    Ok(Connection {
        listener,
        server,
        client,
    })
}

/// `tcp-pair`
pub(crate) fn pair(spec: &Spec, made: &mut Made) -> Result<()> {
    let settings = Settings::of(spec)?;
    let Connection {
        listener,
        server,
        client,
    } = connection(spec, libc::IPPROTO_TCP)?;
    drop(settings);
    for end in [&server, &client] {
        tuned::set_options(spec, end)?;
    }
    inet::fill(&client, &server, spec.count("unread")?)?;
    if spec.is_on("keepalive")? {
        sockopt::set_socket_keepalive(&client, true).context("SO_KEEPALIVE")?;
    }
    if spec.is_on("persist")? {
        tuned::fill_up(&client)?;
    }
    let unacked = spec.count("unacked")?;
    if unacked > 0 {
        wait::until("all bytes to be acknowledged", || {
            Ok(sys::unacknowledged_bytes(client.as_fd())? == 0)
        })?;
        sys::drop_incoming(server.as_fd()).context("SO_ATTACH_FILTER")?;
        inet::send_all(&client, unacked)?;
    }
    if spec.is_on("listener")? {
        made.add("listener", listener, State::Listen)?;
    }
    made.add("server", server, State::Established)?;
    made.add("client", client, State::Established).map(drop)
}

/// `mptcp-pair`
pub(crate) fn mptcp_pair(spec: &Spec, made: &mut Made) -> Result<()> {
    let Connection { server, client, .. } = connection(spec, libc::IPPROTO_MPTCP)?;
    add_with_subflow(made, "server", server, State::Established)?;
    add_with_subflow(made, "client", client, State::Established)
}

/// `syn-sent`: the listener receives nothing, so the client keeps retrying.
pub(crate) fn syn_sent(spec: &Spec, made: &mut Made) -> Result<()> {
    let listener = listener(spec, LOCALHOST, libc::IPPROTO_TCP)?;
    sys::drop_incoming(listener.as_fd()).context("SO_ATTACH_FILTER")?;
    let client = hanging_client(spec, &listener, false)?;
    made.add("listener", listener, State::Listen)?;
    add_hanging(made, "client", client).map(drop)
}

/// `syn-recv`: the client sends a SYN and does not receive the answer, or with `defer=1` it has connected and
/// the listener (`TCP_DEFER_ACCEPT`) waits for its first data.
pub(crate) fn syn_recv(spec: &Spec, made: &mut Made) -> Result<()> {
    let listener = listener(spec, LOCALHOST, libc::IPPROTO_TCP)?;
    let set = |name, value| sys::set_int(listener.as_fd(), libc::IPPROTO_TCP, name, value);
    set(libc::TCP_SYNCNT, TRIES).context("TCP_SYNCNT")?;
    let mut clients = Vec::new();
    for _ in 0..spec.parsed("count")?.unwrap_or(1) {
        let client_end = if spec.is_on("defer")? {
            set(libc::TCP_DEFER_ACCEPT, DEFER_S).context("TCP_DEFER_ACCEPT")?;
            made.add("client", client(spec, &listener)?, State::Established)?
        } else {
            add_hanging(made, "client", hanging_client(spec, &listener, true)?)?
        };
        clients.push(client_end.clone());
    }
    let family = made.add("listener", listener, State::Listen)?.family;
    for client_end in clients {
        made.push(client_end.mirrored("request", family, State::SynRecv));
    }
    Ok(())
}
