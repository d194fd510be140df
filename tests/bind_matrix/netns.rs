//! A private network namespace for one thread: lo is up, and a veth pair stands in for a real interface.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::thread;

use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};
use rustix::thread::UnshareFlags;

use super::skip::skip;

/// The card's address.
pub(crate) const CARD_V4: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 5);
/// The card's global address.
pub(crate) const CARD_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 5);
/// The card's link-local address.
pub(crate) const CARD_LINK_LOCAL: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 5);
/// The index of lo in every network namespace.
pub(crate) const LO: u32 = 1;

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Runs `test` on its own thread in a new network namespace, and passes it the index of the second device. Prints the
/// reason and returns if that is not allowed.
pub(crate) fn run(test: impl FnOnce(u32) + Send + 'static) {
    // A child of another test would hold our sockets between fork and exec.
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let outcome = thread::spawn(|| {
        if let Err(error) = unshare() {
            skip(&format!("no network namespace: {error}"));
            return;
        }
        let card = set_up();
        test(card);
    });
    if let Err(panic) = outcome.join() {
        std::panic::resume_unwind(panic);
    }
}

/// Moves this thread into another new namespace, with lo down.
pub(crate) fn leave() {
    unshare().unwrap();
}

fn unshare() -> rustix::io::Result<()> {
    // SAFETY: no descriptor table is unshared, only this thread's network namespace.
    #[allow(
        unsafe_code,
        reason = "rustix marks every unshare as unsafe because of CLONE_FILES"
    )]
    unsafe {
        rustix::thread::unshare_unsafe(UnshareFlags::NEWNET)
    }
}

fn set_up() -> u32 {
    const RTM_NEWLINK: u16 = 16;
    const RTM_NEWADDR: u16 = 20;
    const CREATE: u16 = 0x400;
    let mut socket = Socket::new(NETLINK_ROUTE).unwrap();
    socket.bind_auto().unwrap();
    let ask = |kind, flags, body: &[u8]| request(&socket, kind, flags, body);
    let link = |index: u32, up: u32| {
        let mut body = vec![0; 4];
        body.extend(index.to_ne_bytes());
        body.extend(up.to_ne_bytes());
        body.extend(up.to_ne_bytes());
        body
    };
    ask(RTM_NEWLINK, 0, &link(LO, 1));
    let info = attribute(18, &attribute(1, b"veth\0"));
    ask(
        RTM_NEWLINK,
        CREATE,
        &[link(0, 1), attribute(3, b"card\0"), info].concat(),
    );
    let card: u32 = std::fs::read_to_string("/proc/thread-self/net/dev_snmp6/card").map_or(0, |text| {
        let index = text.lines().find_map(|line| line.strip_prefix("ifIndex"));
        index.map_or(0, |index| index.trim().parse().unwrap())
    });
    assert_ne!(card, 0, "the card exists");
    let address = |family: u8, prefix, scope, octets: &[u8]| {
        // IFA_F_NODAD: the address is usable at once.
        let mut body = vec![family, prefix, 2, scope];
        body.extend(card.to_ne_bytes());
        [body, attribute(2, octets), attribute(1, octets)].concat()
    };
    ask(RTM_NEWADDR, CREATE, &address(2, 24, 0, &CARD_V4.octets()));
    ask(RTM_NEWADDR, CREATE, &address(10, 64, 0, &CARD_V6.octets()));
    ask(
        RTM_NEWADDR,
        CREATE,
        &address(10, 64, 253, &CARD_LINK_LOCAL.octets()),
    );
    card
}

/// Creates a tunnel that receives UDP on the port: its socket belongs to the kernel.
pub(crate) fn vxlan(port: u16) {
    const RTM_NEWLINK: u16 = 16;
    const CREATE: u16 = 0x400;
    const UP: u32 = 1;
    let mut socket = Socket::new(NETLINK_ROUTE).unwrap();
    socket.bind_auto().unwrap();
    // IFLA_VXLAN_ID, IFLA_VXLAN_PORT
    let data = [
        attribute(1, &7u32.to_ne_bytes()),
        attribute(15, &port.to_be_bytes()),
    ]
    .concat();
    let info = attribute(18, &[attribute(1, b"vxlan\0"), attribute(2, &data)].concat());
    let head = [[0; 8].as_slice(), &UP.to_ne_bytes(), &UP.to_ne_bytes()].concat();
    request(
        &socket,
        RTM_NEWLINK,
        CREATE,
        &[head, attribute(3, b"tunnel\0"), info].concat(),
    );
}

fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(4 + value.len()).unwrap();
    let mut bytes = [length.to_ne_bytes(), kind.to_ne_bytes()].concat();
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// Sends one rtnetlink request and waits for its acknowledgement.
fn request(socket: &Socket, kind: u16, flags: u16, body: &[u8]) {
    const REQUEST_AND_ACK: u16 = 5;
    let length = u32::try_from(16 + body.len()).unwrap();
    let mut message = length.to_ne_bytes().to_vec();
    message.extend(kind.to_ne_bytes());
    message.extend((REQUEST_AND_ACK | flags).to_ne_bytes());
    message.extend([0; 8]);
    message.extend(body);
    socket.send_to(&message, &SocketAddr::new(0, 0), 0).unwrap();
    let mut answer = vec![0; 8192];
    let (length, _) = socket.recv_from(&mut &mut answer[..], 0).unwrap();
    let error = i32::from_ne_bytes(answer[16..20].try_into().unwrap());
    assert!(
        length >= 20 && error == 0,
        "rtnetlink request {kind}: error {error}"
    );
}
