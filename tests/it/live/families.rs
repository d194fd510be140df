//! Packet and netlink sockets compared with ss, and families that this kernel may lack.

use super::sockets::Sockets;
use super::ss::{compare, installed};
use super::truth::row_of;
use crate::run::Ran;

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

/// The sockets of a program are found in every table except unix sockets, however the program is named.
#[test]
fn what_a_program_has_open_is_in_every_table() {
    let Some(sockets) = Sockets::make(&["packet", "netlink", "raw:proto=1", "tcp-listen", "udp"]) else {
        return;
    };
    let pid = sockets.pid.to_string();
    let found = |words: &[&str]| -> std::collections::BTreeSet<String> {
        let document = Ran::of(&mut sockets.sockstat(&[&["--json"], words].concat())).json();
        let rows = document["sockets"].as_array().unwrap();
        rows.iter()
            .map(|row| row["protocol"].as_str().unwrap().to_owned())
            .collect()
    };
    let all = ["netlink", "packet", "raw", "tcp", "udp"].map(str::to_owned);
    for words in [&["pid", "=", &pid][..], &["mksock"], &["-a", "mksock"]] {
        assert!(
            all.iter().all(|name| found(words).contains(name)),
            "{words:?}: {:?}",
            found(words)
        );
    }
    assert!(!found(&["mksock"]).contains("unix"));
    for name in ["raw", "packet"] {
        assert!(found(&["-A", "all", "mksock"]).contains(name), "{name}");
    }
    assert_eq!(found(&["tcp", "mksock"]).len(), 1);
    // One word, and no option that ss has: the rows have their owners.
    assert!(
        Ran::of(&mut sockets.sockstat(&["listen"]))
            .text()
            .contains(&format!("pid={pid},"))
    );
    assert!(
        !Ran::of(&mut sockets.sockstat(&["state", "listen"]))
            .text()
            .contains("pid=")
    );
}

#[test]
fn our_own_sockets_leave_no_doubt_in_a_filter() {
    let Some(sockets) = Sockets::make(&["tcp-listen"]) else {
        return;
    };
    for by in ["auto", "proc"] {
        let mut command = sockets.sockstat(&["--exit-status", "--owners", by, "no-such-program"]);
        let ran = Ran::of(&mut command);
        assert_eq!((ran.status, &*ran.stderr), (Some(1), ""), "{by}");
    }
}

#[test]
fn a_renamed_unix_path_is_found_under_both_names() {
    let Some(sockets) = Sockets::make(&["unix-listen:path={dir}/old"]) else {
        return;
    };
    let [old, new] = ["old", "new"].map(|name| sockets.directory().join(name));
    std::fs::rename(&old, &new).unwrap();
    for name in [&old, &new] {
        let name = name.to_str().unwrap();
        let said = Ran::of(&mut sockets.sockstat(&["-H", name]));
        assert_eq!(
            said.text().lines().count(),
            1,
            "{name}: {}{}",
            said.text(),
            said.stderr
        );
        let killed = Ran::of(&mut sockets.sockstat(&["kill", "--dry-run", name]));
        assert!(
            killed.text().contains(&sockets.pid.to_string()),
            "{name}: {}",
            killed.stderr
        );
    }
    let other = sockets.directory().join("other");
    assert_eq!(
        Ran::of(&mut sockets.sockstat(&["-H", other.to_str().unwrap()])).text(),
        ""
    );
}

/// Raw, MPTCP and TCP sockets; the raw ones take protocols with and without a name.
const INET_SPECS: &[&str] = &[
    "raw",
    "raw:proto=1",
    "raw:addr=::1,proto=58",
    "raw:addr=::1,proto=89",
    "mptcp-pair",
    "mptcp-listen",
    "mptcp-listen:addr=::1",
    "tcp-listen",
];

#[test]
fn raw_and_mptcp_rows_are_those_of_ss() {
    let Some(version) = installed() else { return };
    let Some(sockets) = Sockets::make(INET_SPECS) else {
        return;
    };
    // Always with -a or -l: with sock_diag ss shows raw sockets of every state, without it (no raw_diag) those asked for.
    for words in [
        "-wan", "-wanp", "-wane", "-wlnH", "-4wan", "-Mn", "-Man", "-Manp", "-Mln", "-tMan", "-wtManp",
    ] {
        compare(&sockets, version, &[words]);
    }
    // With -r, hosts have names too, which depend on this machine: only the part after the colon is compared.
    let protocols = |text: &str| -> Vec<String> {
        let of_row = |row: &str| {
            row.split_whitespace()
                .nth(3)?
                .rsplit_once(':')
                .map(|(_, name)| name.to_owned())
        };
        let mut names: Vec<_> = text.lines().skip(1).filter_map(of_row).collect();
        names.sort();
        names
    };
    let theirs = Ran::of(sockets.program("ss").arg("-wa")).ended_with(0);
    let ours = sockets.run(&["-war"]);
    assert_eq!(protocols(ours.text()), protocols(theirs.text()));
    assert!(
        protocols(ours.text()).contains(&"ipproto-253".to_owned()),
        "{}",
        ours.text()
    );
    let table = sockets.run(&["-wa", "--table"]);
    assert!(table.text().contains("[::1]:ospf"), "{}", table.text());
}

#[test]
fn sockets_without_a_table_in_ss_are_rows_as_proc_has_them() {
    let Some(sockets) = Sockets::make(&["icmp", "icmp:port=77", "udplite", "udplite:addr=::1"]) else {
        return;
    };
    let document = sockets.run(&["-A", "icmp,udplite", "-a", "-p", "--json"]).json();
    let rows = document["sockets"].as_array().unwrap();
    assert_eq!(rows.len(), sockets.ends.len(), "{rows:?}");
    for end in &sockets.ends {
        let row = rows
            .iter()
            .find(|row| row["inode"] == end.said["inode"])
            .unwrap_or_else(|| panic!("no row for {}", end.said));
        for key in [
            "protocol",
            "family",
            "state",
            "local_address",
            "local_port",
            "uid",
        ] {
            assert_eq!(row[key], end.said[key], "{key} of {}", end.said);
        }
        assert_eq!(row["owners"][0]["pid"], end.said["pid"]);
        let name = format!(
            "{}{}",
            end.said["protocol"].as_str().unwrap(),
            if end.said["family"] == "inet6" { "6" } else { "" }
        );
        let table = std::fs::read_to_string(format!("/proc/{}/net/{name}", sockets.pid)).unwrap();
        let inode = format!(" {} ", end.said["inode"]);
        assert!(table.contains(&inode), "{name}: {table}");
    }
}

#[test]
fn rings_and_fan_out_groups_are_those_of_ss() {
    let Some(version) = installed() else { return };
    let specs = [
        "packet:ring=rx",
        "packet:proto=34525,ring=tx",
        "packet:proto=34525,device=lo,fanout=1",
        "packet:proto=34525,device=lo,fanout=6,filter=1",
    ];
    let Some(sockets) = Sockets::make(&specs) else {
        return;
    };
    for words in ["-0nO", "-0neO", "-0neObm"] {
        compare(&sockets, version, &words.split(' ').collect::<Vec<_>>());
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
    // The kernel's own ends are recognized without a search.
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
fn a_filter_program_is_a_list_of_instructions() {
    let Some(sockets) = Sockets::make(&["packet:filter=1", "packet"]) else {
        return;
    };
    let rows = |words: &[&str]| sockets.run(words).json()["sockets"].as_array().unwrap().clone();
    let programs: Vec<_> = rows(&["-0b", "--json"])
        .iter()
        .map(|row| row["filter_program"].clone())
        .filter(|program| !program.is_null())
        .collect();
    assert_eq!(programs, [serde_json::json!(["0x06 0 0 0"])]);
    assert!(
        rows(&["-0", "--json"])
            .iter()
            .all(|row| row["filter_program"].is_null()),
        "not asked"
    );
    assert_eq!(rows(&["-0", "--json", "filter_program ~ '0x06*'"]).len(), 1);
    let table = sockets.run(&["-0b", "--table"]);
    assert!(
        table.text().contains("filter of 1: 0x06 0 0 0"),
        "{}",
        table.text()
    );
}

#[test]
fn rings_and_fan_out_groups_are_fields() {
    let specs = ["packet:ring=rx", "packet:device=lo,fanout=1", "packet:proto=0"];
    let Some(sockets) = Sockets::make(&specs) else {
        return;
    };
    let rows = |words: &[&str]| sockets.run(words).json()["sockets"].as_array().unwrap().clone();
    let all = rows(&["-0", "--json"]);
    let with = |key: &str| {
        let found: Vec<_> = all.iter().filter(|row| row[key].is_object()).collect();
        assert_eq!(found.len(), 1, "{key}");
        found[0].clone()
    };
    let ring = with("rx_ring");
    assert_eq!(
        (&ring["rx_ring"]["frame_nr"], &ring["rx_ring"]["retire_ms"]),
        (&32.into(), &60.into())
    );
    assert_eq!(
        (&ring["packet"]["version"], &ring["packet"]["running"]),
        (&2.into(), &true.into())
    );
    assert_eq!(
        with("fanout")["fanout"],
        serde_json::json!({"id": 101, "type": "lb"})
    );
    assert!(
        all.iter()
            .all(|row| row["tx_ring"].is_null() && row["xdp_stats"].is_null())
    );
    // Named alone, without -e.
    let named = rows(&[
        "--json",
        "--columns",
        "rx_ring_block_size,fanout_id",
        "-0",
        "rx_ring.frame_nr = 32",
    ]);
    assert_eq!(
        named,
        [serde_json::json!({"rx_ring_block_size": 16384, "fanout_id": null})]
    );
    assert_eq!(rows(&["-0", "--json", "packet.running = false"]).len(), 1);
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
fn a_listing_of_families_that_the_kernel_lacks_says_so() {
    let Some(sockets) = Sockets::make(&["tcp-listen"]) else {
        return;
    };
    for words in ["--tipc", "-d"] {
        let lacks = !sockets.run(&[words, "--json"]).json()["gaps"]
            .as_array()
            .unwrap()
            .is_empty();
        let said = sockets.run(&[words]).stderr;
        assert_eq!(
            said.contains("hint: this kernel has no "),
            lacks,
            "{words}: {said}"
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
    // For netlink sockets, /proc reports only the local end; the sockets with which both programs ask come and go.
    let ends = |rows: Vec<String>| -> Vec<String> {
        let end = |row: &String| row.split_whitespace().nth(2).map(str::to_owned);
        let mut ends: Vec<_> = rows
            .iter()
            .filter_map(end)
            .filter(|end| !end.starts_with("4:"))
            .collect();
        ends.dedup();
        ends
    };
    let netlink = ends(words("-fnetlink", &root));
    assert!(netlink.contains(&"0:-296".to_owned()), "{netlink:?}");
    assert_eq!(netlink, ends(direct("-fnetlink")));
    // /proc has no interface names, because it may belong to another kernel.
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
