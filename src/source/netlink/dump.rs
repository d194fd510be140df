//! Runs the dump of one protocol and passes its sockets on, one datagram at a time.

use std::ops::ControlFlow;
use std::thread;

use super::bytecode::{Supported, encode};
use super::channel::{Channel, DumpError};
use super::request::{Request, Table};
use super::{inet, netlinks, packet, smc, tipc, unix, vsock, xdp};
use crate::model::request::Dump;
use crate::model::{Family, Protocol, Socket, Stash, State, StateSet};
use crate::source::threads;

/// Takes sockets, a few hundred at a time, and returns whether it wants more. The slice is reused.
pub type Emit<'a> = dyn FnMut(&mut [Socket]) -> ControlFlow<()> + 'a;

/// How many times to try a dump whose replies are lost. The caller must drop duplicates.
const TRIES: usize = 3;

/// Reads the sockets that `dump` wants and passes those of each datagram to `emit`, some 250 plain sockets at
/// most.
///
/// # Errors
/// The first failed request ends the dump. Sockets passed on before stay valid.
pub fn run(channel: &mut Channel, dump: &Dump, emit: &mut Emit<'_>) -> Result<(), DumpError> {
    let mut batch = Batch::of(dump.protocol);
    for table in tables(dump) {
        match run_table(channel, dump, table, &mut batch, emit) {
            // A kernel without the legacy request replies EINVAL; then each family is requested separately.
            Err(DumpError::Kernel(libc::EINVAL)) if table == Table::TcpBoth => {
                for family in [Family::Inet, Family::Inet6] {
                    run_table(
                        channel,
                        dump,
                        Table::Inet(dump.protocol, family),
                        &mut batch,
                        emit,
                    )?;
                }
            }
            result => result?,
        }
    }
    Ok(())
}

/// Reads one table. The kernel keeps sockets that are only bound in a table of their own, and each walk is slow on
/// a full machine, so they are requested concurrently. They come last.
fn run_table(
    channel: &mut Channel,
    dump: &Dump,
    table: Table,
    batch: &mut Batch,
    emit: &mut Emit<'_>,
) -> Result<(), DumpError> {
    let states = dump.requested_states();
    let bound = states.intersection(StateSet::of(State::Bound));
    let others = states.without(bound);
    if bound.is_empty() || others.is_empty() || dump.is_small() {
        return ask(channel, dump, table, states, batch, emit, || {});
    }
    thread::scope(|scope| {
        let begin = || threads::spawn_scoped(scope, "bound", move || stash(dump, table, bound));
        // If the kernel filters, the length of its reply does not show how many sockets it has to walk through.
        let mut bound_dump = dump.is_narrowed().then(begin);
        ask(channel, dump, table, others, batch, emit, || {
            bound_dump.get_or_insert_with(begin);
        })?;
        match bound_dump.flatten().map(thread::ScopedJoinHandle::join) {
            Some(Ok(Ok(stash))) => batch.replay(&stash, emit),
            // The concurrent request was not started, or failed: requesting here again reports the error.
            _ => ask(channel, dump, table, bound, batch, emit, || {}),
        }
    })
}

/// Returns the sockets of a table in these states, packed, through a channel of its own.
fn stash(dump: &Dump, table: Table, states: StateSet) -> Result<Stash, DumpError> {
    let mut stash = Stash::default();
    let keep = &mut |sockets: &mut [Socket]| {
        for socket in &*sockets {
            stash.push(socket);
        }
        ControlFlow::Continue(())
    };
    let mut batch = Batch::of(dump.protocol);
    ask(
        &mut Channel::open()?,
        dump,
        table,
        states,
        &mut batch,
        keep,
        || {},
    )?;
    Ok(stash)
}

/// Sends as much of the condition as the kernel accepts: it replies EINVAL to an unknown operation and EPERM to a
/// forbidden one, both before the first socket. Calls `grown` if the reply turns out to be long.
fn ask(
    channel: &mut Channel,
    dump: &Dump,
    table: Table,
    states: StateSet,
    batch: &mut Batch,
    emit: &mut Emit<'_>,
    mut grown: impl FnMut(),
) -> Result<(), DumpError> {
    if states.is_empty() {
        return Ok(());
    }
    let program = |supported| {
        dump.condition
            .as_ref()
            .and_then(|condition| encode(condition, supported))
    };
    let without_marks = Supported {
        mark: false,
        ..Supported::ALL
    };
    let mut programs = vec![
        program(Supported::ALL),
        program(without_marks),
        program(Supported {
            cgroup: false,
            ..without_marks
        }),
        program(Supported::BASIC),
        None,
    ];
    programs.dedup();
    let mut result = Ok(());
    for bytecode in programs {
        let request = Request {
            table,
            states,
            parts: dump.parts,
            local_port: dump.local_port.unwrap_or(0),
            peer_port: dump.peer_port.unwrap_or(0),
            bytecode,
        };
        result = repeat(channel, &request, dump, batch, emit, &mut grown);
        match result {
            Err(DumpError::Kernel(errno @ (libc::EINVAL | libc::EPERM))) if request.bytecode.is_some() => {
                channel.filter_refused = Some(errno);
            }
            _ => break,
        }
    }
    result
}

fn repeat(
    channel: &mut Channel,
    request: &Request,
    dump: &Dump,
    batch: &mut Batch,
    emit: &mut Emit<'_>,
    grown: &mut impl FnMut(),
) -> Result<(), DumpError> {
    let mut message = request.encode();
    let mut result = Ok(());
    for _ in 0..TRIES {
        let batch = std::cell::RefCell::new(&mut *batch);
        result = channel.long_dump(
            &mut message,
            |payload| batch.borrow_mut().add(payload, dump),
            || batch.borrow_mut().flush(emit),
            &mut *grown,
        );
        if result != Err(DumpError::Lost) {
            break;
        }
    }
    result
}

/// Returns the tables of a dump: one for TCP over both families, else one per family.
fn tables(dump: &Dump) -> Vec<Table> {
    match (dump.protocol, dump.v4, dump.v6) {
        (Protocol::Unix, ..) => vec![Table::Unix],
        (Protocol::Packet, ..) => vec![Table::Packet],
        (Protocol::Netlink, ..) => vec![Table::Netlink],
        (Protocol::Vsock, ..) => vec![Table::Vsock],
        (Protocol::Xdp, ..) => vec![Table::Xdp],
        (Protocol::Tipc, ..) => vec![Table::Tipc],
        (Protocol::Smc, ..) => vec![Table::Smc],
        (Protocol::Tcp, true, true) => vec![Table::TcpBoth],
        (protocol, v4, v6) => [(v4, Family::Inet), (v6, Family::Inet6)]
            .into_iter()
            .filter(|(wanted, _)| *wanted)
            .map(|(_, family)| Table::Inet(protocol, family))
            .collect(),
    }
}

/// Decoded sockets of one datagram, in reused slots.
struct Batch {
    protocol: Protocol,
    slots: Vec<Socket>,
    filled: usize,
}

impl Batch {
    fn of(protocol: Protocol) -> Self {
        Self {
            protocol,
            slots: Vec::new(),
            filled: 0,
        }
    }

    /// Passes on packed sockets, as many at a time as there are slots.
    fn replay(&mut self, stash: &Stash, emit: &mut Emit<'_>) -> Result<(), DumpError> {
        let mut reader = stash.reader();
        self.slots.resize(self.slots.len().max(1), Socket::BLANK);
        loop {
            let slots = self.slots.iter_mut();
            self.filled = slots
                .map_while(|slot| reader.next_into(slot).then_some(()))
                .count();
            if self.filled == 0 {
                return Ok(());
            }
            if self.flush(emit).is_break() {
                return Err(DumpError::Stopped);
            }
        }
    }

    fn add(&mut self, payload: &[u8], dump: &Dump) {
        if self.filled == self.slots.len() {
            self.slots.push(Socket::BLANK);
        }
        let Some(slot) = self.slots.get_mut(self.filled) else {
            return;
        };
        let decoded = match self.protocol {
            Protocol::Unix => unix::decode(payload, slot),
            Protocol::Packet => packet::decode(payload, dump.wanted, slot),
            Protocol::Netlink => netlinks::decode(payload, dump.wanted, slot),
            Protocol::Vsock => vsock::decode(payload, slot),
            Protocol::Xdp => xdp::decode(payload, dump.wanted, slot),
            Protocol::Tipc => tipc::decode(payload, slot),
            Protocol::Smc => smc::decode(payload, slot),
            protocol => inet::decode(payload, protocol, dump.wanted, slot),
        };
        if decoded && dump.wants(slot) {
            self.filled += 1;
        }
    }

    fn flush(&mut self, emit: &mut Emit<'_>) -> ControlFlow<()> {
        let filled = std::mem::take(&mut self.filled);
        match self.slots.get_mut(..filled) {
            Some(sockets) if filled > 0 => emit(sockets),
            _ => ControlFlow::Continue(()),
        }
    }
}
