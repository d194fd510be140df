//! What the kernel reports about TCP sockets, compared token by token with the installed `ss`, and as fields.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::normal;
use super::sockets::Sockets;
use super::ss::installed;
use crate::attempts::eventually;
use crate::run::Ran;

const SPECS: &[&str] = &[
    "tcp-listen:queued=2",
    "tcp-listen:addr=::,v6only=1",
    "tcp-pair:keepalive=1,unread=10",
    "tcp-pair:addr=::1,unread=1000,tos=16,priority=3",
    "tcp-pair:mark=4660,tos=8",
    "tcp-pair:unacked=5000,congestion=cubic",
    "tcp-pair:persist=1",
    "tcp-pair:congestion=bbr,unread=100000",
    "tcp-pair:congestion=reno,pacing=1000000",
    "tcp-pair:congestion=vegas,unread=10",
    "tcp-pair:congestion=dctcp,unread=10",
    "tcp-pair:ulp=tls",
    "tcp-pair:sack=0",
    "tcp-pair:wscale=0",
    "tcp-pair:timestamps=0",
    "tcp-pair:ecn=1,unread=10",
    "tcp-pair:fastopen=1",
    "syn-sent",
    "syn-recv",
    "fin-wait-1",
    "close-wait",
    "time-wait",
    "mptcp-pair",
    "uid",
];

const OPTIONS: &[&str] = &["-tanOemoi", "--tos", "--cgroup", "--inet-sockopt"];

/// Tokens that these sockets must show on any kernel, so that two empty outputs do not count as agreement.
const EXPECTED: &[&str] = &[
    "timer:(keepalive",
    "timer:(on",
    "timer:(persist",
    "timer:(timewait",
    "uid",
    "ino",
    "sk",
    "fwmark",
    "v6only",
    "<->",
    "-->",
    "tos",
    "tclass",
    "class_id",
    "inet-sockopt",
    "skmem",
    "ts",
    "sack",
    "ecn",
    "fastopen",
    "cubic",
    "reno",
    "wscale",
    "rto",
    "backoff",
    "rtt",
    "ato",
    "mss",
    "pmtu",
    "rcvmss",
    "advmss",
    "cwnd",
    "bytes_sent",
    "bytes_retrans",
    "bytes_acked",
    "bytes_received",
    "segs_out",
    "segs_in",
    "data_segs_out",
    "data_segs_in",
    "send",
    "lastsnd",
    "lastrcv",
    "lastack",
    "pacing_rate",
    "delivery_rate",
    "delivered",
    "app_limited",
    "busy",
    "rwnd_limited",
    "unacked",
    "retrans",
    "lost",
    "rcv_space",
    "rcv_ssthresh",
    "notsent",
    "minrtt",
    "snd_wnd",
];

/// Tokens whose value is a time since or until something: ours must be between those of ss before and after.
const MOVING: [&str; 8] = [
    "lastsnd",
    "lastrcv",
    "lastack",
    "busy",
    "rwnd_limited",
    "last_data_sent",
    "last_data_recv",
    "last_ack_recv",
];

/// Tokens that connections of multipath TCP must show.
const EXPECTED_MPTCP: &[&str] = &[
    "skmem",
    "subflows_max",
    "remote_key",
    "token",
    "write_seq",
    "snd_una",
    "rcv_nxt",
    "subflows_total",
];

/// Tokens added in iproute2 6.6, in 6.8 and later.
const NEW: [&str; 16] = [
    "rcv_wnd",
    "rehash",
    "usec_ts",
    "local_addr_used",
    "local_addr_max",
    "csum_enabled",
    "retransmits",
    "bytes_retrans",
    "bytes_sent",
    "bytes_received",
    "bytes_acked",
    "subflows_total",
    "endp_laminar_max",
    "last_data_sent",
    "last_data_recv",
    "last_ack_recv",
];

/// The tokens of the first three, and all others: TCP tokens that ss has had for long have the same names.
const NEW_OF_TCP: usize = 3;

#[test]
fn every_token_is_that_of_ss() {
    tokens_agree(SPECS, OPTIONS, EXPECTED, &NEW[..NEW_OF_TCP]);
}

#[test]
fn every_token_of_multipath_tcp_is_that_of_ss() {
    let specs = ["mptcp-listen", "mptcp-pair", "mptcp-pair:addr=::1"];
    tokens_agree(&specs, &["-ManOemi"], EXPECTED_MPTCP, &NEW);
    tokens_agree(&specs, &["-MnOi"], &["token"], &NEW);
}

/// Compares all tokens of all rows with those of ss, which has none of the `new` ones before 6.6.
fn tokens_agree(specs: &[&str], options: &[&str], expected: &[&str], new: &[&str]) {
    let Some(version) = installed() else { return };
    let Some(sockets) = Sockets::make(specs) else {
        return;
    };
    let has_other_user = sockets.of_kind("uid").next().is_some();
    let theirs = || {
        let mut rows = rows(Ran::of(sockets.program("ss").args(options)).ended_with(0).text());
        for row in rows.values_mut() {
            if version < (7, 1) {
                normal::name_delack(row);
            }
            if version < (6, 6) {
                sequences_in_decimal(row);
            }
        }
        rows
    };
    eventually(|| {
        let before = theirs();
        let mut ours = rows(sockets.run(options).text());
        let after = theirs();
        let seen: BTreeSet<_> = ours
            .values()
            .flatten()
            .map(|token| name(token).to_owned())
            .collect();
        for row in ours.values_mut().filter(|_| version < (6, 6)) {
            row.retain(|token| !new.contains(&name(token)));
        }
        let missing: Vec<_> = expected
            .iter()
            // An ordinary user has no sockets of others, and its own are those of root in its namespace.
            .filter(|token| **token != "uid" || has_other_user)
            .filter(|token| !seen.contains(**token))
            .collect();
        let complaints = compare(&before, &ours, &after);
        if missing.is_empty() && complaints.is_empty() {
            Ok(())
        } else {
            Err(format!("no socket shows {missing:?}\n{}", complaints.join("\n")))
        }
    });
}

/// Tokens behind the addresses of each socket, by its state, addresses and cookie. ss leaves the second line of
/// a socket without details empty.
fn rows(text: &str) -> BTreeMap<String, Vec<String>> {
    let mut rows = BTreeMap::new();
    for line in text.lines().skip(1) {
        let mut fields = line.split_whitespace().map(str::to_owned);
        let key: Vec<_> = fields.by_ref().take(5).collect();
        rows.insert(key.join(" "), fields.collect());
    }
    rows
}

/// Sequence numbers of multipath TCP are in decimal since iproute2 6.6; before, ss prints them in hexadecimal.
fn sequences_in_decimal(row: &mut [String]) {
    for token in row {
        if let Some((
            name @ ("seq" | "sfseq" | "ssnoff" | "maplen" | "write_seq" | "snd_una" | "rcv_nxt"),
            hex,
        )) = token.split_once(':')
        {
            *token = format!("{name}:{}", u64::from_str_radix(hex, 16).unwrap());
        }
    }
}

/// The name of a token: up to its colon; of a timer with its kind.
fn name(token: &str) -> &str {
    if token.starts_with("timer:(") {
        token.split(',').next().unwrap_or(token)
    } else {
        token.split(':').next().unwrap_or(token)
    }
}

fn compare(
    before: &BTreeMap<String, Vec<String>>,
    ours: &BTreeMap<String, Vec<String>>,
    after: &BTreeMap<String, Vec<String>>,
) -> Vec<String> {
    let mut complaints = Vec::new();
    if !before.keys().eq(ours.keys()) || !after.keys().eq(ours.keys()) {
        complaints.push("not the same rows".to_owned());
    }
    for (key, row) in ours {
        let (Some(before), Some(after)) = (before.get(key), after.get(key)) else {
            continue;
        };
        let agree = row.len() == before.len()
            && row.len() == after.len()
            && row
                .iter()
                .zip(before.iter().zip(after))
                .all(|(token, (before, after))| agrees(before, token, after));
        if !agree {
            complaints.push(format!(
                "{key}\n  ss   {}\n  ours {}\n  ss   {}",
                before.join(" "),
                row.join(" "),
                after.join(" ")
            ));
        }
    }
    complaints
}

fn agrees(before: &str, ours: &str, after: &str) -> bool {
    if ours == before || ours == after {
        return true;
    }
    if name(ours) != name(before) || name(ours) != name(after) {
        return false;
    }
    if ours.starts_with("timer:(") {
        // The time until it ends, and with it the unit, goes down; retransmits may go up.
        return true;
    }
    if !MOVING.contains(&name(ours)) {
        return false;
    }
    let number = |token: &str| {
        let value = token.split(':').nth(1)?;
        let end = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
        value.get(..end)?.parse::<u64>().ok()
    };
    match (number(before), number(ours), number(after)) {
        (Some(before), Some(ours), Some(after)) => before <= ours && ours <= after,
        _ => false,
    }
}

/// Rows of JSON, which must be there.
#[track_caller]
fn json(sockets: &Sockets, arguments: &[&str]) -> Vec<Value> {
    sockets.run(arguments).json()["sockets"]
        .as_array()
        .unwrap()
        .clone()
}

#[test]
fn mptcp_has_its_own_object() {
    let Some(sockets) = Sockets::make(&["mptcp-listen", "mptcp-pair"]) else {
        return;
    };
    let rows = json(&sockets, &["-Manj", "-i"]);
    let connected: Vec<_> = rows.iter().filter(|row| row["state"] == "established").collect();
    assert_eq!(connected.len(), 2);
    for row in connected {
        let info = &row["mptcp"];
        assert_eq!(
            (&info["remote_key"], &info["fallback"]),
            (&true.into(), &false.into())
        );
        assert!(info["write_seq"].as_u64().is_some_and(|number| number > 0));
        assert!(row["tcp"].is_null(), "the connection is none of TCP");
        // The paths name this token as well.
        let token = info["token"].as_str().unwrap();
        let path = json(&sockets, &["-tanj", &format!("subflow_token_loc = {token}")]);
        assert_eq!(path.len(), 1, "{token}");
    }
    let listener = rows.iter().find(|row| row["state"] == "listen").unwrap();
    assert!(listener["mptcp"].is_null());
    // By name, in a filter and on a terminal.
    assert_eq!(json(&sockets, &["-Manj", "mptcp.token gt 0"]).len(), 2);
    let table = sockets.run(&["-Mni", "--table"]);
    assert!(
        table.text().contains("1 subflow, ") && table.text().contains("token "),
        "{}",
        table.text()
    );
}

#[test]
fn the_same_facts_are_fields() {
    let Some(sockets) = Sockets::make(&[
        "tcp-pair:unread=1000,tos=16,congestion=reno",
        "tcp-listen",
        "udp:unread=100",
    ]) else {
        return;
    };
    let asked = json(&sockets, &["-tuanj", "-im", "--tos"]);
    let server = &sockets.ends.iter().find(|end| end.role == "server").unwrap().said;
    let of = |rows: &[Value], port: &Value| {
        let mut found = rows
            .iter()
            .filter(|row| row["local_port"] == *port && row["state"] == "established");
        found.next().unwrap().clone()
    };
    let row = of(&asked, &server["local_port"]);
    assert_eq!((&row["congestion"], &row["tos"]), (&"reno".into(), &16.into()));
    assert_eq!(
        (&row["tcp"]["data_segs_in"], &row["tcp"]["opt_sack"]),
        (&1.into(), &true.into())
    );
    assert_eq!(row["tcp"]["bytes_received"], 1000);
    assert!(row["tcp"]["rtt_us"].as_u64().is_some_and(|us| us > 0));
    assert!(
        row["tcp"]["last_ack_sent_ms"].is_null(),
        "the kernel does not keep it"
    );
    assert!(row["memory"]["rcvbuf"].as_u64().is_some_and(|bytes| bytes > 1000));
    let listener = asked.iter().find(|row| row["state"] == "listen").unwrap();
    assert!(listener["tcp"].is_null() && listener["memory"].is_object());
    let udp = asked.iter().find(|row| row["protocol"] == "udp").unwrap();
    assert!(
        udp["tcp"].is_null()
            && udp["memory"]["rmem_alloc"]
                .as_u64()
                .is_some_and(|bytes| bytes >= 100)
    );
    let unasked = of(&json(&sockets, &["-tanj"]), &server["local_port"]);
    assert!(unasked["tcp"].is_null() && unasked["memory"].is_null() && unasked["tos"].is_null());
    // Requested only by name: in columns, filters and orders.
    let named = json(
        &sockets,
        &[
            "-tanj",
            "--columns",
            "state,tcp.mss,rcvbuf",
            "tcp.mss gt 1k and rcvbuf gt 1k",
        ],
    );
    assert_eq!(named.len(), 2);
    assert!(
        named
            .iter()
            .all(|row| row["mss"].as_u64().is_some_and(|mss| mss > 1024))
    );
    assert!(json(&sockets, &["-tanj", "rtt gt 1h"]).is_empty());
    let sorted = sockets.run(&[
        "-tanH",
        "--plain",
        "--columns",
        "bytes_received",
        "--sort",
        "bytes_received:desc",
    ]);
    assert_eq!(sorted.text().lines().next(), Some("1000"));
}
