//! Finds who uses a port in other network namespaces: not a conflict, but often what people are looking for.

use std::ops::ControlFlow;

use super::processes::owners_of;
use super::snapshot::local_ports;
use crate::diagnose::bind::owner::Owner;
use crate::engine::{read_tables, snapshot};
use crate::model::request::{Dump, OwnersBy};
use crate::model::{Protocol, State, StateSet};
use crate::source::netns::enter_others;
use crate::source::tape;

/// The owners of listeners (for UDP, of bound sockets) on the port in other network namespaces that we may enter.
pub fn owners(protocol: Protocol, port: u16, by: OwnersBy) -> Vec<Owner> {
    // A thread of its own, because it stays in the last namespace that it entered.
    let looked = std::thread::Builder::new().name("netns".into()).spawn(move || {
        let name = format!("{} {port} in other network namespaces", protocol.name());
        tape::fact(&name, || inodes(protocol, port))
    });
    // If no thread can be started, nothing is read: this thread must stay in its namespace.
    let inodes = looked.ok().and_then(|thread| thread.join().ok());
    owners_of(inodes.unwrap_or_default(), by)
}

fn inodes(protocol: Protocol, port: u16) -> Vec<u32> {
    let state = match protocol {
        Protocol::Udp => State::Unconnected,
        _ => State::Listen,
    };
    let dump = Dump {
        condition: Some(local_ports(port, port)),
        ..Dump::new(protocol, StateSet::of(state))
    };
    let mut inodes = Vec::new();
    enter_others(|| {
        read_tables(std::slice::from_ref(&dump), &mut |sockets| {
            inodes.extend(snapshot::inodes(&*sockets));
            ControlFlow::Continue(())
        });
    });
    inodes
}
