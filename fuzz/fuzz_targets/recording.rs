//! Any bytes as a file for `--replay`: read or refused without a panic, and never with more memory than a small
//! multiple of the file. Everything that a run requests is then looked up in it.
//!
//! The first byte picks the request; the rest is the file. If it does not begin like a recording, it is also tried
//! after a valid header, so that records are reached.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sockstat::model::{Family, Protocol, Socket, StateSet};
use sockstat::model::request::{Parts, Wanted};
use sockstat::source::netlink::channel::replay_answer;
use sockstat::source::netlink::inet;
use sockstat::source::netlink::request::{Request, Table};
use sockstat::source::tape::codec::decoded;
use sockstat::source::tape::format::{Kind, MAGIC, write_header};
use sockstat::source::tape::{Replay, load, netlink};

const TABLES: [Table; 4] = [
    Table::TcpBoth,
    Table::Inet(Protocol::Tcp, Family::Inet),
    Table::Inet(Protocol::Udp, Family::Inet6),
    Table::Unix,
];

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, file)) = bytes.split_first() else {
        return;
    };
    let table = TABLES[usize::from(*choice) % TABLES.len()];
    if let Ok(mut replay) = load(file) {
        ask(&mut replay, table);
    }
    if !file.starts_with(MAGIC) {
        let mut with_header = Vec::new();
        write_header(&mut with_header).expect("a vector takes everything");
        with_header.extend_from_slice(file);
        if let Ok(mut replay) = load(with_header.as_slice()) {
            ask(&mut replay, table);
        }
    }
    let _ = decoded::<Vec<(u32, Option<String>)>>(file);
    let _ = decoded::<std::io::Result<Vec<u8>>>(file);
});

fn ask(replay: &mut Replay, table: Table) {
    let request = Request {
        table,
        states: StateSet::ALL,
        parts: Parts::NONE,
        local_port: 0,
        peer_port: 0,
        bytecode: None,
    };
    let answers = netlink::answer(replay, &request.encode());
    let mut slot = Socket::BLANK;
    let _ = replay_answer(&answers, |payload| {
        inet::decode(payload, Protocol::Tcp, Wanted::Details, &mut slot);
    });
    for key in [&b"time"[..], b"/proc/1/comm", b"a"] {
        let _ = replay.answer::<std::time::SystemTime>(Kind::Fact, key);
        let _ = replay.answer::<std::io::Result<Vec<u8>>>(Kind::File, key);
    }
}
