//! Who has a port in other network namespaces: not a conflict, but often what people look for.

use std::collections::BTreeMap;
use std::fs::File;
use std::num::NonZeroU32;
use std::ops::ControlFlow;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::processes::owners_of;
use super::snapshot::local_ports;
use crate::diagnose::bind::owner::Owner;
use crate::engine::read_tables;
use crate::model::request::{Dump, OwnersBy};
use crate::model::{Protocol, State, StateSet};
use crate::source::tape;

/// The owners of listeners (UDP: bound sockets) on the port in other network namespaces than ours, as far as we
/// may enter them.
pub fn owners(protocol: Protocol, port: u16, by: OwnersBy) -> Vec<Owner> {
    // The thread is not used for anything else: it does not come back from where it goes.
    let looked = std::thread::Builder::new().name("netns".into()).spawn(move || {
        let name = format!("{} {port} in other network namespaces", protocol.name());
        tape::fact(&name, || inodes(protocol, port))
    });
    // Without a thread nobody looks: this one must stay where it is.
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
    for namespace in other_namespaces().into_values() {
        if move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network)).is_err() {
            continue;
        }
        read_tables(std::slice::from_ref(&dump), &mut |sockets| {
            inodes.extend(
                sockets
                    .iter()
                    .filter_map(|socket| socket.inode)
                    .map(NonZeroU32::get),
            );
            ControlFlow::Continue(())
        });
    }
    inodes
}

/// The network namespaces of all processes but our own, by inode.
fn other_namespaces() -> BTreeMap<u64, File> {
    let mut found = BTreeMap::new();
    let Ok(own) = std::fs::metadata("/proc/thread-self/ns/net") else {
        return found;
    };
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return found;
    };
    for entry in entries.filter_map(Result::ok) {
        let is_process = entry
            .file_name()
            .as_encoded_bytes()
            .iter()
            .all(u8::is_ascii_digit);
        let path = entry.path().join("ns/net");
        let Some(namespace) = std::fs::metadata(&path).ok().filter(|_| is_process) else {
            continue;
        };
        if namespace.ino() != own.ino() && !found.contains_key(&namespace.ino()) {
            found.extend(File::open(&path).ok().map(|file| (namespace.ino(), file)));
        }
    }
    found
}
