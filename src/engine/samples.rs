//! Simulated machines for tests: recorded replies of the kernel, and directories that look like /proc.

use std::fs;
use std::ops::ControlFlow;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::{Captured, Request, Sink, stream};
use crate::model::request::{Dump, OwnersBy, Parts};
use crate::model::{Context, Gap, OwnerStatus, Owners, Protocol, Socket, State, StateSet};
use crate::query::{Expr, Mode, parse};
use crate::source::netlink::request::{Request as Question, Table};
use crate::source::tape::format::{Kind, Record};
use crate::source::tape::netlink::Answer;
use crate::source::tape::testing::{record, reply};

/// A TCP socket of 127.0.0.1 as the kernel reports it; a cookie of 0 means none.
#[derive(Clone, Copy)]
pub(super) struct TcpSocket {
    pub(super) port: u16,
    pub(super) state: u8,
    pub(super) inode: u32,
    pub(super) cookie: u32,
}

pub(super) const LISTEN: u8 = 10;
pub(super) const ESTABLISHED: u8 = 1;

/// A listener; port, inode and cookie are the same number.
pub(super) fn listener(port: u16) -> TcpSocket {
    TcpSocket {
        port,
        state: LISTEN,
        inode: port.into(),
        cookie: port.into(),
    }
}

fn message(kind: u16, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(16 + payload.len()).unwrap();
    [
        &length.to_ne_bytes()[..],
        &kind.to_ne_bytes(),
        &2u16.to_ne_bytes(),
        &[0; 8],
        payload,
    ]
    .concat()
}

impl TcpSocket {
    /// `struct inet_diag_msg`.
    fn message(&self) -> Vec<u8> {
        let mut bytes = vec![0; 72];
        bytes[..2].copy_from_slice(&[2, self.state]);
        bytes[4..6].copy_from_slice(&self.port.to_be_bytes());
        bytes[8..12].copy_from_slice(&[127, 0, 0, 1]);
        bytes[44..48].copy_from_slice(&self.cookie.to_ne_bytes());
        bytes[68..72].copy_from_slice(&self.inode.to_ne_bytes());
        message(20, &bytes)
    }
}

/// The reply to a dump of all TCP sockets: these sockets in one datagram, and an end message if `whole`.
pub(super) fn dump_of(sockets: &[TcpSocket], whole: bool) -> Record {
    let mut datagram: Vec<u8> = sockets.iter().flat_map(TcpSocket::message).collect();
    if whole {
        datagram.extend(message(3, &[0; 4]));
    }
    let question = Question {
        table: Table::TcpBoth,
        states: StateSet::ALL,
        parts: Parts::NONE,
        local_port: 0,
        peer_port: 0,
        bytecode: None,
    };
    let answer = Answer {
        datagrams: vec![datagram],
        ..Answer::default()
    };
    reply(&question.encode(), &answer)
}

/// The reply to the dump of a table, as it was recorded on a real kernel (tests/kernels/record.py).
pub(super) fn recorded_dump(table: Table, dump: &[u8]) -> Record {
    let question = Question {
        table,
        states: StateSet::ALL,
        parts: Parts::NONE,
        local_port: 0,
        peer_port: 0,
        bytecode: None,
    };
    let answer = Answer {
        sequence: 7,
        datagrams: vec![dump.to_vec()],
        ..Answer::default()
    };
    reply(&question.encode(), &answer)
}

/// The record of a file.
pub(super) fn file(path: &str, text: &str) -> Record {
    let text: std::io::Result<Vec<u8>> = Ok(text.as_bytes().to_vec());
    record(Kind::File, path, &text)
}

/// All TCP sockets in these states.
pub(super) fn tcp(states: &[State]) -> Dump {
    Dump::new(Protocol::Tcp, StateSet::of_all(states))
}

pub(super) fn codes(gaps: &[Gap]) -> Vec<&'static str> {
    gaps.iter().map(|gap| gap.code).collect()
}

pub(super) fn filter(words: &str) -> Option<Expr> {
    let words: Vec<String> = words.split_whitespace().map(Into::into).collect();
    parse(&words, Mode::List).unwrap().expr
}

/// A directory with the contents of /proc, removed when dropped.
pub(super) struct Proc(PathBuf);

impl Proc {
    pub(super) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("sockstat-engine-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(path.join("net")).unwrap();
        Self(path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn file(self, name: &str, text: &str) -> Self {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    /// Writes the TCP table.
    pub(super) fn tcp(self, sockets: &[TcpSocket]) -> Self {
        let mut text = "  sl  local_address rem_address\n".to_owned();
        for TcpSocket {
            port, state, inode, ..
        } in sockets
        {
            let line = format!(
                "0: 0100007F:{port:04X} 00000000:0000 {state:02X} 00000000:00000000 00:00000000 00000000 0 0 {inode} 1\n"
            );
            text.push_str(&line);
        }
        self.file("net/tcp", &text)
    }

    /// Adds a process that holds these sockets.
    pub(super) fn process(self, pid: u32, comm: &str, inodes: &[u32]) -> Self {
        let this = self.file(&format!("{pid}/comm"), &format!("{comm}\n"));
        let descriptors = this.0.join(format!("{pid}/fd"));
        fs::create_dir_all(&descriptors).unwrap();
        for (fd, inode) in inodes.iter().enumerate() {
            symlink(format!("socket:[{inode}]"), descriptors.join(fd.to_string())).unwrap();
        }
        this
    }

    /// A request for these sockets, with their owners.
    pub(super) fn request(&self, dump: Dump) -> Request {
        Request {
            dumps: vec![dump],
            owners: true,
            owners_by: OwnersBy::Proc,
            proc_root: Some(self.0.clone()),
            ..Request::default()
        }
    }
}

impl Drop for Proc {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A sink that keeps the port, owner status and first owner of at most `most` rows.
pub(super) struct Rows {
    pub(super) rows: Vec<(u16, OwnerStatus, Option<u32>)>,
    most: usize,
}

impl Rows {
    pub(super) fn ports(&self) -> Vec<u16> {
        self.rows.iter().map(|(port, ..)| *port).collect()
    }
}

impl Sink for Rows {
    fn take(&mut self, sockets: &mut [Socket], owners: &Owners, _: &Context) -> ControlFlow<()> {
        for socket in sockets.iter() {
            let ownership = owners.of(socket);
            let pid = ownership.holders.first().map(|holder| holder.pid);
            let port = socket.inet().unwrap().local_port;
            self.rows.push((port, ownership.status, pid));
        }
        if self.rows.len() < self.most {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    }
}

/// Executes a request.
pub(super) fn rows(request: &Request, most: usize) -> (Rows, Captured) {
    stream(
        request,
        Rows {
            rows: Vec::new(),
            most,
        },
    )
    .unwrap()
}
