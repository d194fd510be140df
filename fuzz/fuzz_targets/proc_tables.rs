//! Any bytes as files of /proc: socket tables, fdinfo and the mount table. An invalid line affects no other line.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sockstat::model::{Family, Protocol};
use sockstat::source::proc::mounts::Mounts;
use sockstat::source::proc::{families, fdinfo, net};

fuzz_target!(|bytes: &[u8]| {
    for line in bytes.split(|byte| *byte == b'\n') {
        for family in [Family::Inet, Family::Inet6] {
            for protocol in [Protocol::Tcp, Protocol::Udp, Protocol::Raw, Protocol::Icmp] {
                if let Some(socket) = net::inet_line(line, protocol, family) {
                    assert_eq!((socket.protocol, socket.family), (protocol, family));
                }
            }
        }
        if let Some(socket) = net::unix_line(line) {
            assert_eq!(socket.protocol, Protocol::Unix);
        }
        for socket in [families::packet_line(line), families::netlink_line(line)].into_iter().flatten() {
            assert!(socket.protocol.family() == Some(socket.family));
        }
        if let Some(inode) = fdinfo::socket_inode(line) {
            assert_ne!(line, inode.to_string().as_bytes());
        }
    }
    let info = fdinfo::parse(bytes);
    assert!(info.registered_sockets.len() <= bytes.len());
    if let Ok(text) = std::str::from_utf8(bytes) {
        let mounts = Mounts::parse(text, "/proc");
        assert!(mounts.cgroup2.is_none() || text.contains("cgroup2"));
    }
});
