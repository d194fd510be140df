//! Packet and netlink sockets beside ss, and families that this kernel may lack.

use super::sockets::Sockets;
use super::ss::{compare, installed};
use super::truth::row_of;

const SPECS: &[&str] = &[
    "packet",
    "packet:type=dgram,proto=2054,device=lo",
    "packet:type=packet,proto=2048",
    "packet:proto=35020",
    "packet:proto=0",
    "packet:proto=2048,filter=1",
    "netlink",
    "netlink:portid=4294967000",
    "netlink:proto=15,peer_group=2",
    "netlink:proto=16,group=3",
    "netlink:bind=0,group=5",
    "tcp-listen",
    "unix-listen:path={dir}/x",
];

#[test]
fn packet_and_netlink_rows_are_those_of_ss() {
    let Some(version) = installed() else { return };
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    for words in [
        "-0n",
        "-0np",
        "-an0",
        "-0n4a",
        "-f link -n",
        "-f netlink -n",
        "-f netlink -ne",
        "-anA p_raw,netlink",
        "-aA packet -nH",
        "-0nO -b",
        "-0nemO",
        "-f netlink -nemO",
        "-anx0t",
    ] {
        let words: Vec<_> = words.split(' ').collect();
        compare(&sockets, version, &words);
    }
}

#[test]
fn every_packet_and_netlink_socket_is_a_row_with_its_facts() {
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    let rows = sockets.run(&["-a", "-p", "--json"]).json()["sockets"]
        .as_array()
        .unwrap()
        .clone();
    for end in sockets.of_kind("packet").chain(sockets.of_kind("netlink")) {
        let row = row_of(end, &rows).unwrap_or_else(|| panic!("no row for {}", end.said));
        for key in [
            "protocol",
            "family",
            "type",
            "state",
            "inode",
            "cookie",
            "ethertype",
            "portid",
            "pid",
            "fd",
        ] {
            let shown = match key {
                "fd" => &row["owners"][0]["fd"],
                key => &row[key],
            };
            assert_eq!(shown, &end.said[key], "{key} of {}", end.said);
        }
    }
    // The kernel's own ends are named as such without a search.
    let kernels: Vec<_> = rows
        .iter()
        .filter(|row| {
            row["protocol"] == "netlink"
                && row["portid"] == 0
                && row["netlink_groups"] == serde_json::json!([])
        })
        .collect();
    assert!(!kernels.is_empty());
    assert!(kernels.iter().all(|row| row["owner_status"] == "kernel"));
}

#[test]
fn filters_of_other_families_select_their_rows() {
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    for (words, count) in [
        ("-0 src link:arp", 1),
        ("-0 src link:*:lo", 1),
        ("-0 dev = lo", 1),
        ("-0 ethertype = 0x88cc", 1),
        ("-f netlink src netlink:rtnl:-296", 1),
        ("-f netlink netlink_groups = 5", 1),
        ("-f netlink dst netlink:2", 1),
        ("-A packet_dgram", 2),
        ("-f netlink sport = :80", 0),
        // Without a table, the filter says which.
        ("ethertype = 2054", 1),
        ("netlink_groups in (3, 5)", 2),
    ] {
        let words: Vec<_> = words.split(' ').chain(["--json"]).collect();
        let document = sockets.run(&words).json();
        assert_eq!(document["sockets"].as_array().unwrap().len(), count, "{words:?}");
    }
}

#[test]
fn families_without_a_table_are_a_note_and_no_error() {
    let Some(sockets) = Sockets::make(&["tcp-listen"]) else {
        return;
    };
    for words in ["--tipc", "-d", "-S", "-A smc", "-f tipc", "--xdp"] {
        let words: Vec<_> = words.split(' ').chain(["--json"]).collect();
        let ran = sockets.run(&words);
        assert_eq!(ran.stderr, "", "{words:?}");
        let document = ran.json();
        let gaps = document["gaps"].as_array().unwrap();
        assert!(
            gaps.iter()
                .all(|gap| gap["level"] == "note" && gap["code"] == "family-missing"),
            "{words:?}: {gaps:?}"
        );
    }
}

#[test]
fn tables_of_proc_stand_in_for_sock_diag() {
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    let root = sockets.directory().join("proc");
    std::fs::create_dir_all(root.join("net")).unwrap();
    for name in ["packet", "netlink"] {
        std::fs::copy(
            format!("/proc/{}/net/{name}", sockets.pid),
            root.join("net").join(name),
        )
        .unwrap();
    }
    let words = |options: &str, root: &std::path::Path| {
        let root = root.to_str().unwrap().to_owned();
        let ran = sockets.run(&[options, "-n", "--plain", "--proc-root", &root]);
        let mut rows: Vec<String> = ran.text().lines().map(str::to_owned).collect();
        rows.sort();
        rows
    };
    let direct = |options: &str| {
        let ran = sockets.run(&[options, "-n", "--plain"]);
        let mut rows: Vec<String> = ran.text().lines().map(str::to_owned).collect();
        rows.sort();
        rows
    };
    // /proc has no names for interfaces, which are another kernel's perhaps.
    let direct_rows: Vec<_> = direct("-0")
        .iter()
        .map(|row| row.replace(":lo ", ":if1"))
        .collect();
    let told: Vec<_> = words("-0", &root);
    let fields = |rows: &[String]| -> Vec<Vec<String>> {
        rows.iter()
            .map(|row| row.split_whitespace().map(str::to_owned).collect())
            .collect()
    };
    assert_eq!(fields(&told), fields(&direct_rows));
}
