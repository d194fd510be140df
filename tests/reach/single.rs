//! Single causes, each really set up, with the answers of the command as JSON and as text.

use serde_json::Value;

use crate::compare::set_up;
use crate::stage::Stage;

pub(crate) const SOCKSTAT: &str = env!("CARGO_BIN_EXE_sockstat");

/// The answer for one address.
pub(crate) fn answer(stage: &Stage, arguments: &[&str]) -> Value {
    let words = [&["reach", "-j"], arguments].concat();
    let text = stage.server.run(
        "sh",
        &["-c", "\"$0\" \"$@\" || true", SOCKSTAT, words[0], words[1]]
            .into_iter()
            .chain(words[2..].iter().copied())
            .collect::<Vec<_>>(),
        "",
    );
    let document: Value = serde_json::from_str(&text.unwrap()).unwrap();
    document["answers"][0].clone()
}

/// The human-readable answer.
pub(crate) fn text(stage: &Stage, arguments: &[&str]) -> String {
    let mut words = vec!["-c", "\"$0\" \"$@\" || true", SOCKSTAT, "reach"];
    words.extend(arguments);
    stage.server.run("sh", &words, "").unwrap()
}

pub(crate) fn step<'a>(answer: &'a Value, name: &str) -> &'a Value {
    let steps = answer["steps"].as_array().unwrap();
    steps
        .iter()
        .find(|step| step["step"] == name)
        .unwrap_or(&Value::Null)
}

pub(crate) fn nft(stage: &Stage, rules: &str) {
    stage
        .server
        .run("nft", &["-f", "-"], &format!("flush ruleset\n{rules}"))
        .unwrap();
}

#[test]
fn routes_interfaces_and_neighbours() {
    let Some((stage, _servers)) = set_up() else { return };
    stage.server.sh(
        "ip route add blackhole 10.91.0.0/16\nip route add prohibit 10.92.0.0/16\nip route add unreachable 10.93.0.0/16",
    );
    for (place, why) in [
        ("10.91.0.1:80", "EINVAL"),
        ("10.92.0.1:80", "EACCES"),
        ("10.93.0.1:80", "EHOSTUNREACH"),
        ("10.94.0.1:80", "ENETUNREACH"),
    ] {
        let answer = answer(&stage, &[place]);
        assert_eq!(answer["outcome"], "unreachable", "{answer:#}");
        let route = step(&answer, "route");
        assert_eq!(route["ok"], false, "{answer:#}");
        assert!(route["sentence"].as_str().unwrap().contains(why), "{answer:#}");
    }
    // A source that the reverse path filter rejects on this interface.
    stage.server.sh("sysctl -qw net.ipv4.conf.s0.rp_filter=1");
    let spoofed = answer(&stage, &["--from", "10.78.0.9%s0", "10.77.0.1:80"]);
    assert_eq!(spoofed["outcome"], "timeout", "{spoofed:#}");
    stage
        .server
        .sh("sysctl -qw net.ipv4.conf.s0.rp_filter=0 net.ipv4.conf.all.rp_filter=0");
    // A neighbour that does not exist, after an attempt to resolve it.
    let _ = stage.server.run(
        "timeout",
        &[
            "0.2",
            "sh",
            "-c",
            "echo > /dev/udp/10.77.0.55/9; ping -c 1 10.77.0.55",
        ],
        "",
    );
    let absent = answer(&stage, &["10.77.0.55:80"]);
    assert_eq!(absent["outcome"], "unknown", "{absent:#}");
    // The other end of the link goes down.
    stage.client.sh("ip link set c0 down");
    let cut = answer(&stage, &["10.77.0.2:80"]);
    assert_eq!(cut["outcome"], "timeout", "{cut:#}");
    assert_eq!(
        step(&cut, "interface")["sentence"],
        "s0 has no carrier",
        "{cut:#}"
    );
}

#[test]
fn the_rule_that_stops_it_is_named_with_a_command_that_shows_it() {
    let Some((stage, _servers)) = set_up() else { return };
    nft(
        &stage,
        "table inet filter { chain input { type filter hook input priority 0; tcp dport 80 drop comment \"closed\"; }; }",
    );
    let from_there = answer(&stage, &["--from", "10.77.0.2", "10.77.0.1:80"]);
    assert_eq!(from_there["outcome"], "timeout", "{from_there:#}");
    assert_eq!(from_there["outcome_if_open"], "timeout");
    let culprit = &from_there["culprit"];
    assert_eq!(culprit["family"], "inet");
    assert_eq!(culprit["chain"], "input");
    assert_eq!(culprit["hook"], "input");
    assert_eq!(culprit["rule"], "tcp dport 80 drop");
    assert_eq!(culprit["show"], "sudo nft -a list chain inet filter input");
    let said = text(&stage, &["--from", "10.77.0.2", "10.77.0.1:80"]);
    let handle = culprit["handle"].as_u64().unwrap();
    let line = format!(
        "No: it would time out, dropped by inet filter input, rule handle {handle}: tcp dport 80 drop  # \"closed\".\n"
    );
    assert!(said.starts_with(&line), "{said}");
    let cure = format!(
        "sudo nft insert rule inet filter input position {handle} ip saddr 10.77.0.2 tcp dport 80 accept"
    );
    assert!(said.contains(&cure), "{said}");
    // The remedy works.
    stage.server.sh(cure.strip_prefix("sudo ").unwrap());
    assert_eq!(
        answer(&stage, &["--from", "10.77.0.2", "10.77.0.1:80"])["outcome"],
        "connected"
    );
    // It lets nobody else in.
    assert_eq!(
        answer(&stage, &["--from", "10.77.0.3", "10.77.0.1:80"])["outcome"],
        "timeout"
    );

    let why = stage
        .server
        .run("sh", &["-c", "\"$0\" why 80 || true", SOCKSTAT], "")
        .unwrap();
    assert!(!why.contains("this machine only"), "one client is let in: {why}");
    nft(
        &stage,
        "table inet f { chain i { type filter hook input priority 0; iifname != \"lo\" tcp dport 80 drop; }; }",
    );
    let why = stage
        .server
        .run("sh", &["-c", "\"$0\" why 80 || true", SOCKSTAT], "")
        .unwrap();
    let note = "reachable from this machine only: dropped by inet f i, rule handle";
    assert!(why.contains(note), "{why}");

    nft(
        &stage,
        "table ip f { chain i { type filter hook input priority 0; policy drop; iifname \"lo\" accept; }; }",
    );
    let policy = answer(&stage, &["10.77.0.1:80"]);
    assert_eq!(policy["outcome"], "connected", "{policy:#}");
    let elsewhere = &policy["elsewhere"][0];
    assert_eq!(elsewhere["outcome"], "timeout", "{policy:#}");
    assert_eq!(elsewhere["culprit"]["rule"], "policy drop");
    assert!(elsewhere["culprit"]["handle"].is_null());
    assert!(text(&stage, &["10.77.0.1:80"]).contains("from elsewhere"));

    nft(&stage, "");
    stage.server.sh(
        "iptables-legacy -A INPUT -p udp -j ACCEPT\niptables-legacy -A INPUT -p tcp --dport 80 -j REJECT",
    );
    let legacy = answer(&stage, &["--from", "10.77.0.2", "10.77.0.1:80"]);
    assert_eq!(legacy["outcome"], "refused", "{legacy:#}");
    assert_eq!(legacy["culprit"]["family"], "iptables-legacy");
    assert_eq!(legacy["culprit"]["handle"], 2);
    assert_eq!(
        legacy["culprit"]["show"],
        "sudo iptables-legacy -t filter -L INPUT 2 -n -v"
    );
}

#[test]
fn answers_that_are_stopped_and_connections_that_are_sent_on() {
    let Some((stage, _servers)) = set_up() else { return };
    nft(
        &stage,
        "table inet f { chain o { type filter hook output priority 0; tcp sport 80 drop; }; }",
    );
    let said = text(&stage, &["--from", "10.77.0.2", "10.77.0.1:80"]);
    assert!(
        said.starts_with("No: it would time out, it arrives, but the answer is dropped by inet f o,"),
        "{said}"
    );
    // A port as docker publishes it, with the container behind it.
    nft(
        &stage,
        "table ip nat { chain pre { type nat hook prerouting priority -100; tcp dport 8081 dnat to 10.78.0.2:80; }; \
         chain out { type nat hook output priority -100; tcp dport 8081 dnat to 10.78.0.2:80; }; }",
    );
    let sent = answer(&stage, &["--from", "10.77.0.2", "10.77.0.1:8081"]);
    assert_eq!(
        (&sent["outcome"], &sent["forwarded_to"]),
        (&"forwarded".into(), &"10.78.0.2:80".into()),
        "{sent:#}"
    );
    nft(
        &stage,
        "table ip6 nat { chain pre { type nat hook prerouting priority -100; tcp dport 81 redirect to :80; }; }",
    );
    let redirected = answer(&stage, &["--from", "fd77::2", "[fd77::1]:81"]);
    assert_eq!(redirected["outcome"], "connected", "{redirected:#}");
    assert_eq!(redirected["outcome_if_closed"], "refused", "{redirected:#}");
    nft(
        &stage,
        "table inet f { chain i { type filter hook input priority 0; tcp dport 80 limit rate 1/hour accept; tcp dport 80 drop; }; }",
    );
    let limited = answer(&stage, &["10.77.0.1:80"]);
    assert_eq!(limited["outcome"], "unknown");
    let because = limited["unknown_because"][0].as_str().unwrap();
    assert!(
        because.starts_with("a rate limit (inet f i, rule handle"),
        "{because}"
    );
}

#[test]
fn without_the_right_to_read_rules_nothing_is_said_to_arrive() {
    let Some((stage, _servers)) = set_up() else { return };
    let words = [
        "-c",
        "\"$0\" \"$@\" || true",
        "setpriv",
        "--bounding-set=-net_admin",
        "--inh-caps=-net_admin",
        SOCKSTAT,
        "reach",
        "-j",
        "10.77.0.1:80",
    ];
    let document = stage.server.run("sh", &words, "").unwrap();
    let document: Value = serde_json::from_str(&document).unwrap();
    let answer = &document["answers"][0];
    assert_eq!(answer["outcome"], "unknown", "{answer:#}");
    assert_eq!(
        answer["unknown_because"][0],
        "packet filters not examined (needs CAP_NET_ADMIN)"
    );
    assert!(document["connects"].is_null());
}
