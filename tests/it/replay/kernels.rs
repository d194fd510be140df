//! Dumps recorded on kernels that have what this machine may lack (tests/kernels/record.py), through decoders and writers.

use super::{decode, json, plain};
use sockstat::model::{Protocol, Socket};

/// The sockets of a dump in tests/data/kernels.
fn recorded(protocol: Protocol, name: &str) -> Vec<Socket> {
    let home = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/kernels");
    let bytes = std::fs::read(format!("{home}/{name}.dump")).unwrap();
    let (sockets, ended) = decode(protocol, &bytes);
    assert_eq!(ended, Ok(()));
    sockets
}

#[test]
fn dccp_of_linux_6_1() {
    let v4 = recorded(Protocol::Dccp, "dccp-6.1");
    assert_eq!(
        plain(&v4),
        [
            "dccp LISTEN 0 0 127.0.0.1:5001 0.0.0.0:* ino:10381 sk:1 cgroup:unreachable:1 <->",
            "dccp ESTAB 0 0 127.0.0.1:58652 127.0.0.1:5001 ino:10382 sk:2 cgroup:unreachable:1 <->",
            "dccp ESTAB 0 0 127.0.0.1:5001 127.0.0.1:58652 ino:10383 sk:3 cgroup:unreachable:1 <->",
            "dccp FIN-WAIT-1 0 0 127.0.0.1:5001 127.0.0.1:58654 timer:(on,2.828sec,0) ino:0 sk:a cgroup:unreachable:1 ---",
            "dccp CLOSING 0 0 127.0.0.1:58670 127.0.0.1:5001 timer:(on,2.772sec,0) ino:0 sk:b cgroup:unreachable:1 ---",
            "dccp CLOSE-WAIT 0 0 127.0.0.1:5001 127.0.0.1:58670 ino:10391 sk:9 cgroup:unreachable:1 ---",
        ]
    );
    let rows = json(&v4);
    assert_eq!(rows[1]["type"], "dccp");
    assert_eq!(rows[1]["dccp"]["pmtu_bytes"], 65_535);
    assert_eq!(rows[1]["dccp"]["ack_vector"], true);
    assert!(rows[1]["dccp"]["rtt_us"].is_null() && rows[1]["tcp"].is_null());
    assert!(rows[0]["dccp"].is_null(), "nothing is measured for a listener");
    for queue in ["recv_q", "send_q", "accept_q", "backlog"] {
        assert!(rows.iter().all(|row| row[queue].is_null()), "{queue}");
    }
    assert_eq!(rows[1]["memory"]["rmem_alloc"], 2304);
    let v6 = plain(&recorded(Protocol::Dccp, "dccp6-6.1"));
    assert_eq!(
        v6[0],
        "dccp LISTEN 0 0 *:5003 *:* ino:10387 sk:7 cgroup:unreachable:1 v6only:0 <->"
    );
    assert_eq!(
        v6[2], "dccp ESTAB 0 0 [::1]:41676 [::1]:5003 ino:10388 sk:8 cgroup:unreachable:1 <->",
        "PARTOPEN"
    );
}

#[test]
fn dccp_since_linux_6_8_has_bound_sockets_and_another_number_for_partopen() {
    let states = |name| {
        let sockets = recorded(Protocol::Dccp, name);
        sockets.iter().map(|it| it.state.name()).collect::<Vec<_>>()
    };
    let [established, bound] = ["established", "bound"];
    assert_eq!(
        states("dccp-6.12"),
        [
            "listen",
            bound,
            established,
            established,
            established,
            established,
            "time-wait"
        ]
    );
    assert_eq!(states("dccp6-6.12"), ["listen", established, established]);
}
