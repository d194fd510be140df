//! One netlink socket with its reused receive buffer. No other file uses netlink-sys.
//!
//! A dump is produced inside our own system calls (linux 6.18 net/netlink/af_netlink.c: the first part in send, each
//! next part in the recv that returns the previous one). There is nothing to wait for, so this is blocking code. The
//! kernel refuses a second dump on a busy socket, so each concurrent dump needs its own channel.

mod datagram;
mod recorded;

use std::io;
use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use netlink_sys::protocols::{NETLINK_NETFILTER, NETLINK_ROUTE, NETLINK_SOCK_DIAG, NETLINK_XFRM};
use netlink_sys::{Socket, SocketAddr};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

pub use super::error::DumpError;
use crate::source::tape::{self, netlink::Heard};
use crate::source::threads;
use datagram::{Progress, read_datagram};
use recorded::play;
pub use recorded::replay_answer;

/// The kernel fills at most 32 KiB per datagram; twice that leaves room for future kernels.
const RECEIVE_BYTES: usize = 64 * 1024;
/// The maximum size of a datagram; longer ones are rejected.
const RECEIVE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The receive buffer for messages, which has room for a few thousand.
const MESSAGES_BYTES: libc::c_int = 1024 * 1024;
/// Number of datagrams (some 2,000 sockets) after which a second thread pays off.
const ALONE_DATAGRAMS: usize = 8;
/// How many datagrams (of mostly 32 KiB) the receiving thread may be ahead.
const AHEAD_DATAGRAMS: usize = 8;

/// An open netlink socket in the network namespace of the thread that opened it.
#[derive(Debug)]
pub struct Channel {
    /// None in a replay.
    socket: Option<Socket>,
    buffer: Vec<u8>,
    sequence: u32,
    /// Errno of the last filter that the kernel refused.
    pub filter_refused: Option<i32>,
}

impl Channel {
    /// Opens a channel to sock_diag.
    ///
    /// # Errors
    /// [`DumpError::Channel`] where netlink or sock_diag is missing or forbidden (gVisor, seccomp, SELinux).
    pub fn open() -> Result<Self, DumpError> {
        let mut socket = None;
        let errno = tape::fact("sock_diag", || open_into(&mut socket, NETLINK_SOCK_DIAG));
        Self::of(socket, errno)
    }

    /// Opens a channel to nfnetlink, for nf_tables.
    ///
    /// # Errors
    /// As [`Channel::open`].
    pub fn open_netfilter() -> Result<Self, DumpError> {
        let mut socket = None;
        let errno = tape::fact("nfnetlink", || open_into(&mut socket, NETLINK_NETFILTER));
        Self::of(socket, errno)
    }

    /// Opens a channel to rtnetlink: routes, interfaces, neighbours.
    ///
    /// # Errors
    /// As [`Channel::open`].
    pub fn open_route() -> Result<Self, DumpError> {
        let mut socket = None;
        let errno = tape::fact("rtnetlink", || open_into(&mut socket, NETLINK_ROUTE));
        Self::of(socket, errno)
    }

    /// Opens a channel to xfrm: IPsec.
    ///
    /// # Errors
    /// As [`Channel::open`].
    pub fn open_xfrm() -> Result<Self, DumpError> {
        let mut socket = None;
        let errno = tape::fact("xfrm", || open_into(&mut socket, NETLINK_XFRM));
        Self::of(socket, errno)
    }

    fn of(socket: Option<Socket>, errno: i32) -> Result<Self, DumpError> {
        if errno != 0 {
            return Err(DumpError::Channel(errno));
        }
        Ok(Self {
            socket,
            buffer: vec![0; RECEIVE_BYTES],
            sequence: 0,
            filter_refused: None,
        })
    }

    /// Sends `request` (a whole netlink message, see [`super::request`]) and passes the payload of each reply,
    /// without the netlink header, to `take`. Several replies share one datagram; `datagram_end` is called after
    /// the last one of each datagram and may end the dump.
    ///
    /// # Errors
    /// See [`DumpError`]. Replies before the error were passed on.
    pub fn dump(
        &mut self,
        request: &mut [u8],
        take: impl FnMut(&[u8]),
        datagram_end: impl FnMut() -> ControlFlow<()>,
    ) -> Result<(), DumpError> {
        self.on_tape(request, take, datagram_end, |channel, request, receiver| {
            channel.send(request)?;
            loop {
                if channel.read_next(receiver)? == Progress::Done {
                    return Ok(());
                }
            }
        })
    }

    /// Like [`Channel::dump`], for replies that may be long. Once a reply turns out to be long, it calls `grown` and
    /// receives on a second thread, so that the kernel and the caller work concurrently.
    ///
    /// # Errors
    /// As [`Channel::dump`].
    pub fn long_dump(
        &mut self,
        request: &mut [u8],
        take: impl FnMut(&[u8]),
        datagram_end: impl FnMut() -> ControlFlow<()>,
        grown: impl FnOnce(),
    ) -> Result<(), DumpError> {
        self.on_tape(request, take, datagram_end, |channel, request, receiver| {
            channel.send(request)?;
            for _ in 0..ALONE_DATAGRAMS {
                if channel.read_next(receiver)? == Progress::Done {
                    return Ok(());
                }
            }
            grown();
            let sequence = channel.sequence;
            // Taken by the receiver: the second thread, or this one if there is no other.
            let channel = Mutex::new(Some(channel));
            let take_channel = || channel.lock().unwrap_or_else(PoisonError::into_inner).take();
            thread::scope(|scope| {
                let (filled, ready) = mpsc::sync_channel(AHEAD_DATAGRAMS);
                let (used, free) = mpsc::channel();
                let ahead = threads::spawn_scoped(scope, "receive", move || {
                    if let Some(channel) = take_channel() {
                        channel.receive_ahead(&free, &filled);
                    }
                });
                if ahead.is_none()
                    && let Some(channel) = take_channel()
                {
                    while channel.read_next(receiver)? == Progress::More {}
                    return Ok(());
                }
                loop {
                    // The receiving thread ends by itself only after the last datagram, which is reported below.
                    let datagram: Vec<u8> = ready.recv().map_err(|_| DumpError::Lost)??;
                    if receiver.read(&datagram, sequence)? == Progress::Done {
                        return Ok(());
                    }
                    // If the receiving thread is gone, no one takes the buffer back.
                    let _ = used.send(datagram);
                }
            })
        })
    }

    /// In a replay, replies from the recording. Otherwise queries the kernel with `ask`, and records the reply if this
    /// run is recorded.
    fn on_tape<T: FnMut(&[u8]), E: FnMut() -> ControlFlow<()>>(
        &mut self,
        request: &mut [u8],
        mut take: T,
        mut datagram_end: E,
        ask: impl FnOnce(&mut Self, &mut [u8], &mut Receiver<T, E>) -> Result<(), DumpError>,
    ) -> Result<(), DumpError> {
        if let Some(recorded) = tape::netlink::replayed(request) {
            return play(&recorded, &mut take, &mut datagram_end);
        }
        let mut receiver = Receiver {
            take,
            datagram_end,
            heard: tape::netlink::listen(request),
            stopped: false,
        };
        let result = ask(self, request, &mut receiver);
        receiver.end(self.sequence, result)
    }

    fn send(&mut self, request: &mut [u8]) -> Result<(), DumpError> {
        self.sequence = self.sequence.wrapping_add(1);
        super::request::set_sequence(request, self.sequence);
        let kernel = SocketAddr::new(0, 0);
        let socket = self.socket.as_ref().ok_or(DumpError::Channel(libc::EBADF))?;
        retry(|| socket.send_to(request, &kernel, 0)).map_err(|error| DumpError::of_channel(&error))?;
        Ok(())
    }

    /// Receives one datagram and reads it.
    fn read_next<T: FnMut(&[u8]), E: FnMut() -> ControlFlow<()>>(
        &mut self,
        receiver: &mut Receiver<T, E>,
    ) -> Result<Progress, DumpError> {
        let length = self.receive()?;
        receiver.read(self.buffer.get(..length).unwrap_or_default(), self.sequence)
    }

    /// Receives until the dump ends, an error occurs, or the reader is gone. Buffers come back through `free`.
    fn receive_ahead(
        &mut self,
        free: &mpsc::Receiver<Vec<u8>>,
        filled: &mpsc::SyncSender<Result<Vec<u8>, DumpError>>,
    ) {
        loop {
            let received = self.receive();
            let datagram = received.map(|length| {
                let mut datagram = free.try_recv().unwrap_or_default();
                datagram.clear();
                datagram.extend_from_slice(self.buffer.get(..length).unwrap_or_default());
                datagram
            });
            let last = match &datagram {
                Ok(datagram) => !matches!(
                    read_datagram(datagram, self.sequence, &mut |_| {}),
                    Ok(Progress::More)
                ),
                Err(_) => true,
            };
            if filled.send(datagram).is_err() || last {
                return;
            }
        }
    }

    /// Receives the next datagram from the kernel into the buffer; returns its length in bytes.
    fn receive(&mut self) -> Result<usize, DumpError> {
        let socket = self.socket.as_ref().ok_or(DumpError::Channel(libc::EBADF))?;
        receive(socket, &mut self.buffer, 0)
    }
}

/// The receivers of a reply: the caller, and the recording if this run is recorded.
struct Receiver<T, E> {
    take: T,
    datagram_end: E,
    heard: Option<Heard>,
    /// The caller has stopped, but the recording continues.
    stopped: bool,
}

impl<T: FnMut(&[u8]), E: FnMut() -> ControlFlow<()>> Receiver<T, E> {
    /// Reads one datagram. A recording gets the whole reply even if the caller stops, because a replay may read further
    /// and must not take the missing rest for a loss.
    fn read(&mut self, datagram: &[u8], sequence: u32) -> Result<Progress, DumpError> {
        Heard::datagram(&mut self.heard, datagram);
        if self.stopped {
            return read_datagram(datagram, sequence, &mut |_| {});
        }
        let progress = read_datagram(datagram, sequence, &mut self.take);
        if (self.datagram_end)().is_break() {
            if self.heard.is_none() {
                return Err(DumpError::Stopped);
            }
            self.stopped = true;
        }
        progress
    }

    /// Ends the recording of the reply. A caller that stopped ignores errors of the rest.
    fn end(self, sequence: u32, result: Result<(), DumpError>) -> Result<(), DumpError> {
        if let Some(heard) = self.heard {
            heard.end(sequence, result);
        }
        if self.stopped {
            Err(DumpError::Stopped)
        } else {
            result
        }
    }
}

/// Receives the next datagram from the kernel into the buffer; returns its length in bytes.
fn receive(socket: &Socket, buffer: &mut Vec<u8>, flags: libc::c_int) -> Result<usize, DumpError> {
    loop {
        let received = retry(|| socket.recv_from(&mut &mut buffer[..], libc::MSG_TRUNC | flags));
        let (length, sender) = match received {
            Ok(received) => received,
            Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => return Err(DumpError::Lost),
            Err(error) => return Err(DumpError::of_channel(&error)),
        };
        if sender.port_number() != 0 {
            // Ignores datagrams that are not from the kernel.
            continue;
        }
        if length > buffer.len() {
            // Truncated. The caller starts over with room for a datagram of this size.
            buffer.resize(length.next_power_of_two().min(RECEIVE_BYTES_MAX), 0);
            return Err(DumpError::Lost);
        }
        return Ok(length);
    }
}

/// A socket that receives messages of multicast groups. They are not recorded.
#[derive(Debug)]
pub struct Subscription {
    socket: Socket,
    buffer: Vec<u8>,
}

impl Subscription {
    /// Joins groups (bit 0 is group 1) in the network namespace of this thread. Needs no privilege.
    ///
    /// # Errors
    /// [`DumpError::Channel`].
    pub fn open(groups: u32) -> Result<Self, DumpError> {
        let of_channel = |error: io::Error| DumpError::of_channel(&error);
        let mut socket = Socket::new(NETLINK_SOCK_DIAG).map_err(of_channel)?;
        // The kernel caps this at net.core.rmem_max: messages are then lost sooner, which is reported.
        let _ = socket.set_rx_buf_sz(MESSAGES_BYTES);
        socket.bind(&SocketAddr::new(0, groups)).map_err(of_channel)?;
        Ok(Self {
            socket,
            buffer: vec![0; RECEIVE_BYTES],
        })
    }

    /// Waits until one of them has messages or has failed, but at most `within`. Returns for each whether it does.
    pub fn wait<'a>(
        subscriptions: impl IntoIterator<Item = &'a Self>,
        within: Option<Duration>,
    ) -> Vec<bool> {
        let mut waits: Vec<PollFd<'_>> = subscriptions
            .into_iter()
            .map(|subscription| PollFd::new(&subscription.socket, PollFlags::IN))
            .collect();
        let within = within.and_then(|within| Timespec::try_from(within).ok());
        // If interrupted, nothing is ready, and the caller waits again.
        let _ = poll(&mut waits, within.as_ref());
        waits.iter().map(|wait| !wait.revents().is_empty()).collect()
    }

    /// Receives the next messages and passes them to `take` as [`Channel::dump`] does. Returns false if there are none.
    ///
    /// # Errors
    /// [`DumpError::Lost`] if the kernel had no room for some. It then drops further messages until the queue is empty,
    /// without reporting it again (linux 6.18 net/netlink/af_netlink.c, netlink_overrun, netlink_rcv_wake).
    pub fn messages(&mut self, mut take: impl FnMut(&[u8])) -> Result<bool, DumpError> {
        let length = match receive(&self.socket, &mut self.buffer, libc::MSG_DONTWAIT) {
            Err(DumpError::Channel(libc::EAGAIN)) => return Ok(false),
            result => result?,
        };
        let datagram = self.buffer.get(..length).unwrap_or_default();
        // Unsolicited messages have the sequence number 0.
        read_datagram(datagram, 0, &mut take)?;
        Ok(true)
    }
}

/// Opens a socket; returns the errno, or 0 on success.
fn open_into(socket: &mut Option<Socket>, protocol: isize) -> i32 {
    match Socket::new(protocol) {
        Ok(opened) => {
            *socket = Some(opened);
            0
        }
        Err(error) => error.raw_os_error().unwrap_or(libc::EIO),
    }
}

/// Repeats a system call while signals interrupt it.
fn retry<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// Parses bytes from a recording or a fuzzer in the same way as a live dump.
///
/// # Errors
/// As [`Channel::dump`].
pub fn replay(bytes: &[u8], sequence: u32, mut take: impl FnMut(&[u8])) -> Result<(), DumpError> {
    match read_datagram(bytes, sequence, &mut take)? {
        Progress::Done => Ok(()),
        Progress::More => Err(DumpError::Lost),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use netlink_packet_core::{NLMSG_DONE, NLMSG_ERROR};

    fn message(kind: u16, sequence: u32, payload: &[u8]) -> Vec<u8> {
        let mut bytes = u32::try_from(16 + payload.len()).unwrap().to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(2u16.to_ne_bytes());
        bytes.extend(sequence.to_ne_bytes());
        bytes.extend([0; 4]);
        bytes.extend(payload);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    fn read(bytes: &[u8]) -> (Vec<Vec<u8>>, Result<(), DumpError>) {
        let mut taken = Vec::new();
        let result = replay(bytes, 7, |payload| taken.push(payload.to_vec()));
        (taken, result)
    }

    #[test]
    fn replies_are_read_until_done() {
        let bytes = [
            message(20, 7, b"abcde"),
            message(20, 7, b"f"),
            message(3, 7, &[0; 4]),
        ]
        .concat();
        assert_eq!(read(&bytes), (vec![b"abcde".to_vec(), b"f".to_vec()], Ok(())));
    }

    #[test]
    fn an_errno_inside_done_is_an_error_like_one_in_an_error_message() {
        for kind in [NLMSG_DONE, NLMSG_ERROR] {
            let bytes = message(kind, 7, &(-2i32).to_ne_bytes());
            assert_eq!(read(&bytes), (vec![], Err(DumpError::Kernel(2))));
        }
    }

    #[test]
    fn replies_to_other_requests_and_control_messages_are_skipped() {
        let bytes = [
            message(20, 6, b"old"),
            message(1, 7, b"noop"),
            message(3, 7, &[0; 4]),
        ]
        .concat();
        assert_eq!(read(&bytes), (vec![], Ok(())));
    }

    #[test]
    fn truncated_and_hostile_bytes_end_the_walk() {
        let whole = [message(20, 7, b"abcd"), message(20, 7, b"efgh")].concat();
        for length in 0..whole.len() {
            let (taken, result) = read(&whole[..length]);
            assert!(taken.len() <= 1);
            assert_eq!(result, Err(DumpError::Lost));
        }
        let mut lies = message(20, 7, b"abcd");
        lies[..4].copy_from_slice(&u32::MAX.to_ne_bytes());
        assert_eq!(read(&lies), (vec![], Err(DumpError::Lost)));
    }
}
