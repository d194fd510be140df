//! Runs one protocol's dump and hands its sockets on, a datagram at a time.

use std::ops::ControlFlow;

use super::bytecode::{Supported, encode};
use super::channel::{Channel, DumpError};
use super::request::{Request, Table};
use super::{inet, netlinks, packet, unix, vsock, xdp};
use crate::model::{Family, Protocol, Socket};
use crate::plan::Dump;

/// What takes sockets, some hundred at a time, and says whether it wants more. The slice is reused.
pub type Emit<'a> = dyn FnMut(&mut [Socket]) -> ControlFlow<()> + 'a;

/// How often a dump is repeated when answers were lost. Doubles are the caller's to drop.
const TRIES: usize = 3;

/// Reads the sockets that `dump` wants and hands each datagram's worth of them to `emit`, some 250 plain
/// sockets at most.
///
/// # Errors
/// The first request that fails ends the dump. Sockets handed on before stay valid.
pub fn run(channel: &mut Channel, dump: &Dump, emit: &mut Emit<'_>) -> Result<(), DumpError> {
    let mut batch = Batch {
        protocol: dump.protocol,
        slots: Vec::new(),
        filled: 0,
    };
    for table in tables(dump) {
        match run_table(channel, dump, table, &mut batch, emit) {
            // A kernel without the legacy request answers EINVAL: ask family by family.
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

/// Asks with as much of the condition as the kernel takes: an operation that it does not know is EINVAL, one
/// that the caller may not use EPERM, and both come before the first socket.
fn run_table(
    channel: &mut Channel,
    dump: &Dump,
    table: Table,
    batch: &mut Batch,
    emit: &mut Emit<'_>,
) -> Result<(), DumpError> {
    let states = dump.requested_states();
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
            extensions: dump.extensions,
            local_port: dump.local_port.unwrap_or(0),
            peer_port: dump.peer_port.unwrap_or(0),
            bytecode,
        };
        result = repeat(channel, &request, dump, batch, emit);
        let refused = matches!(result, Err(DumpError::Kernel(libc::EINVAL | libc::EPERM)));
        if !refused || request.bytecode.is_none() {
            break;
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
) -> Result<(), DumpError> {
    let mut message = request.encode();
    let mut result = Ok(());
    for _ in 0..TRIES {
        let batch = std::cell::RefCell::new(&mut *batch);
        result = channel.dump(
            &mut message,
            |payload| batch.borrow_mut().add(payload, dump),
            || batch.borrow_mut().flush(emit),
        );
        if result != Err(DumpError::Lost) {
            break;
        }
    }
    result
}

/// The tables of a dump: one for TCP over both families, else one per family.
fn tables(dump: &Dump) -> Vec<Table> {
    match (dump.protocol, dump.v4, dump.v6) {
        (Protocol::Unix, ..) => vec![Table::Unix],
        (Protocol::Packet, ..) => vec![Table::Packet],
        (Protocol::Netlink, ..) => vec![Table::Netlink],
        (Protocol::Vsock, ..) => vec![Table::Vsock],
        (Protocol::Xdp, ..) => vec![Table::Xdp],
        (Protocol::Tcp, true, true) => vec![Table::TcpBoth],
        (protocol, v4, v6) => [(v4, Family::Inet), (v6, Family::Inet6)]
            .into_iter()
            .filter(|(wanted, _)| *wanted)
            .map(|(_, family)| Table::Inet(protocol, family))
            .collect(),
    }
}

/// Decoded sockets of one datagram, in slots that are used again.
struct Batch {
    protocol: Protocol,
    slots: Vec<Socket>,
    filled: usize,
}

impl Batch {
    fn add(&mut self, payload: &[u8], dump: &Dump) {
        if self.filled == self.slots.len() {
            self.slots.push(Socket::BLANK);
        }
        let Some(slot) = self.slots.get_mut(self.filled) else {
            return;
        };
        let decoded = match self.protocol {
            Protocol::Unix => unix::decode(payload, slot),
            Protocol::Packet => packet::decode(payload, slot),
            Protocol::Netlink => netlinks::decode(payload, slot),
            Protocol::Vsock => vsock::decode(payload, slot),
            Protocol::Xdp => xdp::decode(payload, slot),
            protocol => inet::decode(payload, protocol, dump.all_attributes, slot),
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
