//! Any bytes as the kernel's answer to a dump: read, decoded and packed, without a panic.
//!
//! The first byte picks the protocol that was asked for. The rest is taken twice: as a whole datagram, and as the
//! payload of one message, so that the decoders are reached without a valid netlink header.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sockstat::model::{Protocol, Socket, Stash};
use sockstat::source::netlink::{channel, inet, unix};

const PROTOCOLS: [Protocol; 6] = [
    Protocol::Tcp,
    Protocol::Udp,
    Protocol::Udplite,
    Protocol::Raw,
    Protocol::Mptcp,
    Protocol::Unix,
];

/// Decodes one payload into `slot`, which still holds whatever the one before left there.
fn decode(payload: &[u8], protocol: Protocol, slot: &mut Socket, stash: &mut Stash) {
    let decoded = match protocol {
        Protocol::Unix => unix::decode(payload, slot),
        protocol => inet::decode(payload, protocol, true, slot),
    };
    if decoded {
        stash.push(slot);
        // A slot that was used before must not show in what it is used for next.
        let mut fresh = Socket::BLANK;
        match protocol {
            Protocol::Unix => unix::decode(payload, &mut fresh),
            protocol => inet::decode(payload, protocol, true, &mut fresh),
        };
        assert_eq!(*slot, fresh, "an earlier socket shows through");
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, bytes)) = bytes.split_first() else {
        return;
    };
    let protocol = PROTOCOLS[usize::from(*choice) % PROTOCOLS.len()];
    let mut slot = Socket::BLANK;
    let mut stash = Stash::default();
    decode(bytes, protocol, &mut slot, &mut stash);
    // What is lost or refused is the caller's to report; here every outcome is as good.
    let _ = channel::replay(bytes, 0, |payload| decode(payload, protocol, &mut slot, &mut stash));
    let mut reader = stash.reader();
    let mut read = Socket::BLANK;
    let mut count = 0;
    while reader.next_into(&mut read) {
        count += 1;
    }
    assert_eq!(count, stash.len(), "every packed socket comes out again");
});
