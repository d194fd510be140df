//! Dumps recorded on kernels with features that this machine may lack (tests/kernels/record.py), through decoders and
//! writers.

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

#[test]
fn tipc_of_linux_6_12() {
    let sockets = recorded(Protocol::Tipc, "tipc-6.12");
    assert_eq!(
        plain(&sockets),
        [
            "ti_sq SYN-SENT 0 1 0:2128376810 - ino:410 sk:f",
            "ti_sq LISTEN 1 0 0:4293228583 - ino:407 sk:e",
            "ti_st CLOSE-WAIT 1 0 0:2610725467 - ino:415 sk:14",
            "ti_rd UNCONN 0 0 0:3824761139 - ino:412 sk:11",
            "ti_rd UNCONN 0 0 0:2733925206 - uid:1000 ino:414 sk:13",
            "ti_rd UNCONN 0 0 0:286100813 - ino:413 sk:12",
            "ti_st ESTAB 2 0 0:4186039706 0:3299467047 ino:408 sk:c",
            "ti_st ESTAB 0 0 0:3299467047 0:4186039706 ino:409 sk:d",
            "ti_sq LISTEN 0 0 0:1065275572 - ino:393 sk:15",
            "ti_st LISTEN 0 0 0:275518271 - ino:406 sk:b",
            "ti_dg UNCONN 2 0 0:3904203408 - ino:411 sk:10",
        ]
    );
    let rows = json(&sockets);
    let connected = &rows[6];
    for (field, expected) in [
        ("protocol", "tipc".into()),
        ("family", "tipc".into()),
        ("type", "stream".into()),
        ("local_node", 0.into()),
        ("peer_ref", 3_299_467_047_u32.into()),
        ("service_type", 4711.into()),
        ("service_instance", 5.into()),
        ("tipc_congestion", "none".into()),
        ("recv_q", 2.into()),
        ("drops", 0.into()),
        ("published", serde_json::Value::Null),
        ("local_address", serde_json::Value::Null),
    ] {
        assert_eq!(connected[field], expected, "{field}");
    }
    let accept_q = &rows[1]["accept_q"];
    assert_eq!(*accept_q, 1, "a connection that waits");
    assert!(
        rows[1]["backlog"].is_null() && rows[1]["accept_queue_full"] != true,
        "{}",
        rows[1]
    );
    assert_eq!(
        (&rows[10]["published"], &rows[3]["published"]),
        (&true.into(), &false.into())
    );
    let group = &rows[5]["tipc_group"];
    assert_eq!((&group["id"], &group["instance"]), (&5000.into(), &8.into()));
    assert_eq!(
        (&group["open"], &group["node_scope"]),
        (&true.into(), &false.into())
    );
}

#[test]
fn empty_messages_of_states_that_were_not_requested_are_no_sockets() {
    let lines = plain(&recorded(Protocol::Tipc, "tipc-listen-6.12"));
    assert_eq!(lines.len(), 3);
    assert!(lines.iter().all(|line| line.contains("LISTEN")), "{lines:?}");
}

#[test]
fn smc_that_fell_back_to_tcp() {
    let sockets = recorded(Protocol::Smc, "smc-6.1");
    assert_eq!(
        plain(&sockets),
        [
            "smc LISTEN 0 0 127.0.0.9:5104 0.0.0.0:* uid:1000 ino:11115 sk:b <->",
            "smc ESTAB 0 0 127.0.0.1:46520 127.0.0.1:5101 ino:11110 sk:1001 <->",
            "smc UNCONN 0 0 127.0.0.9:5103 0.0.0.0:* ino:11108 sk:9 <->",
            "smc UNCONN 0 0 0.0.0.0:* 0.0.0.0:* ino:11106 sk:8 <->",
            "smc ESTAB 0 0 127.0.0.1:5101 127.0.0.1:46518 ino:290 sk:1002 <->",
            "smc ESTAB 0 0 127.0.0.1:5101 127.0.0.1:46508 ino:286 sk:1003 <->",
            "smc ESTAB 0 0 127.0.0.1:46508 127.0.0.1:5101 ino:282 sk:1004 <->",
            "smc LISTEN 0 0 127.0.0.1:5101 0.0.0.0:* ino:249 sk:1 <->",
            "smc ESTAB 0 0 [::1]:5102 [::1]:56102 ino:0 sk:1005 <->",
            "smc ESTAB 0 0 [::1]:56102 [::1]:5102 ino:293 sk:1006 <->",
            "smc LISTEN 0 0 0.0.0.0:5102 0.0.0.0:* ino:291 sk:6 <->",
        ]
    );
    let rows = json(&sockets);
    let reason = |row: usize| {
        let smc = &rows[row]["smc"];
        (
            smc["mode"].clone(),
            smc["state"].clone(),
            smc["fallback_reason"].clone(),
        )
    };
    let null = serde_json::Value::Null;
    assert_eq!(reason(1), ("fallback".into(), "active".into(), "3030000".into()));
    assert_eq!(reason(4), ("fallback".into(), "active".into(), "3010000".into()));
    assert_eq!(reason(3), (null.clone(), "init".into(), null.clone()));
    assert_eq!(reason(7), (null.clone(), "listen".into(), null));
    assert_eq!(rows[5]["smc"]["peer_diagnosis"], "3030000");
    assert_eq!(rows[2]["state"], "bound");
    assert!(
        rows.iter()
            .all(|row| row["recv_q"].is_null() && row["smc_connection"].is_null())
    );
}
