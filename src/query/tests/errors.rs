//! Filters that are refused, and very long ones.

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
            "error: unknown field 'xyzzy'\n  xyzzy = 1\n  ^^^^^ 'sockstat columns' lists the fields",
        ),
        (
            "state lisen",
            "error: unknown state 'lisen'\n  state lisen\n        ^^^^^ did you mean 'listen'?",
        ),
        (
            "protocol = tpc",
            "error: 'tpc' is no value for 'protocol'\n  protocol = tpc\n             ^^^ did you mean 'tcp'?",
        ),
        (
            "dport =",
            "error: a value is missing behind 'dport'\n  dport =\n         ^ quote a value that has operators or blanks in it",
        ),
        (
            "dport = 99999",
            "error: '99999' is no value for 'dport'\n  dport = 99999\n          ^^^^^ a port is at most 65535",
        ),
        (
            "dport = (80)",
            "error: a value is missing behind 'dport'\n  dport = (80)\n          ^ a list goes with in, as in sport in (80, 443)",
        ),
        (
            "(sport 22",
            "error: a parenthesis is not closed\n  (sport 22\n  ^ the ) is missing",
        ),
        (
            "sport 22)",
            "error: ')' is not expected here\n  sport 22)\n          ^",
        ),
        ("()", "error: ')' is not expected here\n  ()\n   ^"),
        (
            "sport 22 or",
            "error: the filter ends too early\n  sport 22 or\n             ^ a condition is missing here",
        ),
        (
            "> 5",
            "error: '>' has no field before it\n  > 5\n  ^ as in recv_q > 0",
        ),
        (
            "pid 812",
            "error: 'pid' needs a comparison behind it\n  pid 812\n  ^^^ as in pid = X; a program of that name: process = pid",
        ),
        (
            "recv_q > 5q",
            "error: '5q' is no value for 'recv_q'\n  recv_q > 5q\n           ^^ expected a number of bytes, as in 1500 or 64k",
        ),
        (
            "path > 5",
            "error: 'path' has no order: only = != in and like compare it\n  path > 5\n         ^",
        ),
        (
            "process ~ /(/",
            "error: the regular expression is not valid: unclosed group\n  process ~ /(/\n            ^^^",
        ),
        (
            "sport = 80, 443",
            "error: a comma is not expected here\n  sport = 80, 443\n            ^ a list goes with in, as in sport in (80, 443)",
        ),
        (
            "process = 'x",
            "error: a quoted word does not end\n  process = 'x\n            ^^ the closing ' is missing",
        ),
        (
            "10.0.0.300",
            "error: '10.0.0.300' is no address\n  10.0.0.300\n  ^^^^^^^^^^ expected an address, as in 10.0.0.1, 10.0.0.0/8, ::1 or [::1]:443",
        ),
        (
            "exclude all",
            "error: no state is left to look for\n  exclude all\n  ^^^^^^^^^^^",
        ),
        (
            "53/upd",
            "error: unknown protocol 'upd'\n  53/upd\n  ^^^^^^ as in 53/udp or 80/tcp",
        ),
        (
            "owners = 5",
            "error: 'owners' is a list\n  owners = 5\n           ^ compare a part of it, as in pid = 812 or process = nginx",
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
    assert!(fails(&nested(101)).starts_with("error: parentheses nest deeper than 100"));
    assert!(fails(&nested(500_000)).starts_with("error: parentheses nest deeper than 100"));
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
