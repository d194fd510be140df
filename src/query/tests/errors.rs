//! Filters that are rejected, and very long ones.

use super::*;

#[test]
fn errors_point_at_the_fault() {
    for (filter, expected) in [
        (
            "state = listen and recvq > 0",
            "error: unknown field 'recvq'\n  state = listen and recvq > 0\n                     ^^^^^ did you mean 'recv_q'?",
        ),
        (
            "xyzzy = 1",
            "error: unknown field 'xyzzy'\n  xyzzy = 1\n  ^^^^^ run 'sockstat columns' for the fields",
        ),
        (
            "state lisen",
            "error: unknown state 'lisen'\n  state lisen\n        ^^^^^ did you mean 'listen'?",
        ),
        (
            "protocol = tpc",
            "error: invalid value 'tpc' for 'protocol'\n  protocol = tpc\n             ^^^ did you mean 'tcp'?",
        ),
        (
            "dport =",
            "error: missing value after 'dport'\n  dport =\n         ^ quote a value that contains operators or blanks",
        ),
        (
            "dport = 99999",
            "error: invalid value '99999' for 'dport'\n  dport = 99999\n          ^^^^^ expected a port of at most 65535",
        ),
        (
            "dport = (80)",
            "error: missing value after 'dport'\n  dport = (80)\n          ^ use 'in' for a list, as in sport in (80, 443)",
        ),
        (
            "(sport 22",
            "error: unclosed parenthesis\n  (sport 22\n  ^ missing )",
        ),
        ("sport 22)", "error: unexpected ')'\n  sport 22)\n          ^"),
        ("()", "error: unexpected ')'\n  ()\n   ^"),
        (
            "sport 22 or",
            "error: the filter ends too early\n  sport 22 or\n             ^ missing condition",
        ),
        (
            "> 5",
            "error: missing field before '>'\n  > 5\n  ^ as in recv_q > 0",
        ),
        (
            "pid 812",
            "error: missing comparison after 'pid'\n  pid 812\n  ^^^ did you mean 'pid = 812'?",
        ),
        (
            "user or sport 22",
            "error: missing comparison after 'user'\n  user or sport 22\n  ^^^^ as in user = X; for a program of that name, process = user",
        ),
        (
            "recv_q > 5q",
            "error: invalid value '5q' for 'recv_q'\n  recv_q > 5q\n           ^^ expected a number of bytes, as in 1500 or 64k",
        ),
        (
            "path > 5",
            "error: 'path' has no order: it works only with =, !=, in and like\n  path > 5\n         ^",
        ),
        (
            "process ~ /(/",
            "error: invalid regular expression: unclosed group\n  process ~ /(/\n            ^^^",
        ),
        (
            "sport = 80, 443",
            "error: unexpected comma\n  sport = 80, 443\n            ^ use 'in' for a list, as in sport in (80, 443)",
        ),
        (
            "process = 'x",
            "error: unclosed quote\n  process = 'x\n            ^^ missing closing '",
        ),
        (
            "10.0.0.300",
            "error: invalid address '10.0.0.300'\n  10.0.0.300\n  ^^^^^^^^^^ expected an address, as in 10.0.0.1, 10.0.0.0/8, ::1 or [::1]:443",
        ),
        (
            "exclude all",
            "error: the filter leaves no state\n  exclude all\n  ^^^^^^^^^^^",
        ),
        (
            "53/upd",
            "error: unknown protocol 'upd'\n  53/upd\n  ^^^^^^ as in 53/udp or 80/tcp",
        ),
        (
            "owners = 5",
            "error: 'owners' is a list\n  owners = 5\n           ^ compare one of its parts, as in pid = 812 or process = nginx",
        ),
        (
            "sport in ()",
            "error: the list is empty\n  sport in ()\n           ^^",
        ),
    ] {
        assert_eq!(fails(filter), expected);
    }
}

#[test]
fn big_filters_get_an_answer_or_a_clear_error() {
    let nested = |depth: usize| format!("{}sport 22{}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(matched(&nested(100)), "ssh");
    assert!(fails(&nested(101)).starts_with("error: parentheses are nested more than 100 deep"));
    assert!(fails(&nested(500_000)).starts_with("error: parentheses are nested more than 100 deep"));
    assert_eq!(matched(&format!("{} sport 22", "not ".repeat(10_000))), "ssh");
    let ports: Vec<String> = (20..5020).map(|port| port.to_string()).collect();
    assert_eq!(
        matched(&format!("local_port in ({})", ports.join(", "))),
        "web conn ssh rest dns"
    );
    assert_eq!(matched(&ports.join(" ")), "web conn out ssh rest dns");
    let chain: Vec<String> = (20..5020).map(|port| format!("sport = {port}")).collect();
    assert_eq!(matched(&chain.join(" or ")), "web conn ssh rest dns");
    assert!(fails(&"x ".repeat(600_000)).contains("longer than 1 MiB"));
}
