//! `-D FILE`: the kernel's raw messages about TCP sockets, as `ss -D` writes them. They can be read with
//! `TCPDIAG_FILE=FILE ss -t` or `sockstat --replay FILE`.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, bail};

use super::out;
use crate::engine::Request;
use crate::exit::Exit;
use crate::model::request::Dump;
use crate::model::{Context, Owners, Row};
use crate::model::{Family, Protocol, Socket};
use crate::query::{Expr, Match};
use crate::source::netlink::channel::{Channel, DumpError};
use crate::source::netlink::inet;
use crate::source::netlink::request::{self, Table};
use crate::source::tape::{self, ss};

/// How many times a dump is tried if replies are lost.
const TRIES: usize = 3;

/// Writes the messages about the requested TCP sockets that may match the filter; `-` stands for standard output.
///
/// # Errors
/// If TCP was not requested, the kernel does not answer, or the file cannot be written.
pub fn run(plan: &Request, file: &Path) -> anyhow::Result<Exit> {
    let dump = plan.dumps.iter().find(|dump| dump.protocol == Protocol::Tcp);
    let Some(dump) = dump else {
        bail!("-D writes only TCP sockets, but the options exclude them");
    };
    let messages = messages(dump, plan.filter.as_ref()).map_err(|error| match error {
        DumpError::Kernel(errno) | DumpError::Channel(errno) => {
            anyhow::Error::new(std::io::Error::from_raw_os_error(errno)).context("cannot list TCP sockets")
        }
        _ => anyhow::anyhow!("the kernel's list of TCP sockets is incomplete: run sockstat again"),
    })?;
    if file == Path::new("-") {
        return out::print_binary(&messages);
    }
    let written = tape::create(file).and_then(|mut file| file.write_all(&messages));
    written.with_context(|| {
        format!(
            "cannot write {}",
            crate::render::escape::text(file.as_os_str().as_encoded_bytes())
        )
    })?;
    Ok(Exit::Done)
}

fn messages(dump: &Dump, filter: Option<&Expr>) -> Result<Vec<u8>, DumpError> {
    let families = [(dump.v4, Family::Inet), (dump.v6, Family::Inet6)];
    let one_by_one: Vec<Table> = families
        .into_iter()
        .filter(|(wanted, _)| *wanted)
        .map(|(_, family)| Table::Inet(Protocol::Tcp, family))
        .collect();
    if dump.v4 && dump.v6 {
        match tables(dump, filter, &[Table::TcpBoth]) {
            // A kernel without the legacy request.
            Err(DumpError::Kernel(libc::EINVAL)) => {}
            result => return result,
        }
    }
    tables(dump, filter, &one_by_one)
}

fn tables(dump: &Dump, filter: Option<&Expr>, tables: &[Table]) -> Result<Vec<u8>, DumpError> {
    let mut channel = Channel::open()?;
    let mut wanted = Wanted {
        dump,
        filter,
        owners: Owners::not_asked(),
        context: Context::default(),
        slot: Socket::BLANK,
    };
    let mut messages = Vec::new();
    for table in tables {
        let request = request::Request {
            table: *table,
            states: dump.requested_states(),
            parts: dump.parts,
            local_port: dump.local_port.unwrap_or(0),
            peer_port: dump.peer_port.unwrap_or(0),
            bytecode: None,
        };
        let before = messages.len();
        let mut result = Ok(());
        for _ in 0..TRIES {
            messages.truncate(before);
            let take = |payload: &[u8]| {
                if wanted.wants(payload) {
                    ss::push_message(&mut messages, payload);
                }
            };
            result = channel.dump(
                &mut request.encode(),
                take,
                || std::ops::ControlFlow::Continue(()),
            );
            if result != Err(DumpError::Lost) {
                break;
            }
        }
        result?;
    }
    ss::push_end(&mut messages);
    Ok(messages)
}

struct Wanted<'a> {
    dump: &'a Dump,
    filter: Option<&'a Expr>,
    owners: Owners,
    context: Context,
    slot: Socket,
}

impl Wanted<'_> {
    /// Whether the socket may match the filter, given that its owners are unknown here.
    fn wants(&mut self, payload: &[u8]) -> bool {
        if !inet::decode(
            payload,
            Protocol::Tcp,
            crate::model::request::Wanted::Attributes,
            &mut self.slot,
        ) || !self.dump.wants(&self.slot)
        {
            return false;
        }
        let row = Row {
            socket: &self.slot,
            ownership: self.owners.of(&self.slot),
            context: &self.context,
        };
        self.filter.is_none_or(|filter| filter.matches(&row) != Match::No)
    }
}
