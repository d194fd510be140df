//! Any bytes as the kernel's answer to a dump: read, decoded and packed, without a panic.
//!
//! The first byte picks the requested protocol, and how much of each socket is wanted. The rest is used twice: as a
//! whole datagram, and as the payload of one message, so that the decoders are reached without a valid netlink header.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sockstat::model::request::Wanted;
use sockstat::model::{Context, OwnerStatus, Ownership, Protocol, Row, Socket, Stash};
use sockstat::query::field::FIELDS;
use sockstat::render::{csv, details, tcp};
use sockstat::source::netlink::{channel, inet, netlinks, packet, smc, tipc, unix, vsock, xdp};

const PROTOCOLS: [Protocol; 14] = [
    Protocol::Tcp,
    Protocol::Udp,
    Protocol::Udplite,
    Protocol::Raw,
    Protocol::Mptcp,
    Protocol::Unix,
    Protocol::Sctp,
    Protocol::Packet,
    Protocol::Netlink,
    Protocol::Vsock,
    Protocol::Xdp,
    Protocol::Dccp,
    Protocol::Tipc,
    Protocol::Smc,
];

#[derive(Clone, Copy)]
struct Asked {
    protocol: Protocol,
    wanted: Wanted,
}

impl Asked {
    fn decode(self, payload: &[u8], slot: &mut Socket) -> bool {
        match self.protocol {
            Protocol::Unix => unix::decode(payload, slot),
            Protocol::Packet => packet::decode(payload, self.wanted, slot),
            Protocol::Netlink => netlinks::decode(payload, self.wanted, slot),
            Protocol::Vsock => vsock::decode(payload, slot),
            Protocol::Xdp => xdp::decode(payload, self.wanted, slot),
            Protocol::Tipc => tipc::decode(payload, slot),
            Protocol::Smc => smc::decode(payload, slot),
            protocol => inet::decode(payload, protocol, self.wanted, slot),
        }
    }

    /// Decodes one payload into `slot`, which still holds what the previous payload left there.
    fn take(self, payload: &[u8], slot: &mut Socket, stash: &mut Stash) {
        if self.decode(payload, slot) {
            stash.push(slot);
            read_details(slot);
            let mut fresh = Socket::BLANK;
            self.decode(payload, &mut fresh);
            assert_eq!(*slot, fresh, "an earlier socket shows through");
        }
    }
}

/// Everything that is read from the kept attributes.
fn read_details(socket: &Socket) {
    let mut out = Vec::new();
    details::push_memory(&mut out, &socket.details);
    details::push_tos(&mut out, &socket.details);
    tcp::push_info(&mut out, socket, true);
    let context = Context::default();
    let row = Row {
        socket,
        ownership: Ownership {
            may_be_more: false,
            status: OwnerStatus::NotAsked,
            holders: &[],
        },
        context: &context,
    };
    for info in FIELDS {
        csv::push_csv(&mut out, &info.field.value(&row));
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, bytes)) = bytes.split_first() else {
        return;
    };
    let asked = Asked {
        protocol: PROTOCOLS[usize::from(*choice & 0x3f) % PROTOCOLS.len()],
        wanted: match choice >> 6 {
            0 => Wanted::Row,
            2 => Wanted::Attributes,
            _ => Wanted::Details,
        },
    };
    let mut slot = Socket::BLANK;
    let mut stash = Stash::default();
    asked.take(bytes, &mut slot, &mut stash);
    // The caller reports what is lost or refused; here any outcome is fine.
    let _ = channel::replay(bytes, 0, |payload| asked.take(payload, &mut slot, &mut stash));
    let mut reader = stash.reader();
    let mut read = Socket::BLANK;
    let mut count = 0;
    while reader.next_into(&mut read) {
        count += 1;
    }
    assert_eq!(count, stash.len(), "every packed socket comes out again");
});
