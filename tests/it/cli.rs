//! The command line from outside: invalid input gives one clear line, a hint and exit status 2; a closed pipe is not
//! an error.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;

use crate::run::{Ran, sockstat};

fn run(arguments: &[&str]) -> Ran {
    Ran::of(&mut sockstat(arguments))
}

#[test]
fn bad_input_gets_one_clear_line_a_hint_and_exit_2() {
    let cases: &[(&[&str], &str, &str)] = &[
        (&["--no-such-flag"], "unknown option '--no-such-flag'", "hint: "),
        (&["-Y"], "unknown option '-Y'", "hint: "),
        (
            &["--lisetning"],
            "unknown option '--lisetning'",
            "did you mean '--listening'?",
        ),
        (&["-f", "nonsense"], "unknown family 'nonsense'", "inet6"),
        (&["-A", "nonsense"], "unknown table 'nonsense'", "unix_stream"),
        (
            &["-P", "tcp"],
            "unknown option '-P'",
            "an older command of this name",
        ),
        (&["-c"], "unknown option '-c'", "an older command of this name"),
        (
            &["--color", "blue"],
            "invalid value 'blue' for '--color'",
            "always",
        ),
        (&["--proc-root", "/nonexistent"], "/nonexistent", "hint: "),
        (
            &["completions", "nosuchshell"],
            "invalid value 'nosuchshell'",
            "fish",
        ),
    ];
    for (arguments, message, hint) in cases {
        let ran = run(arguments).ended_with(2);
        let lines: Vec<_> = ran.stderr.lines().collect();
        assert_eq!(lines.len(), 2, "{arguments:?}: {}", ran.stderr);
        assert!(
            lines[0].starts_with("error: ") && lines[0].contains(message),
            "{arguments:?}: {}",
            ran.stderr
        );
        assert!(lines[1].contains(hint), "{arguments:?}: {}", ran.stderr);
        assert!(ran.stdout.is_empty(), "{arguments:?} printed something");
    }
}

#[test]
fn a_proc_root_is_for_listings_and_one_without_tables_is_a_loss() {
    let empty = env!("CARGO_TARGET_TMPDIR");
    for command in ["why", "reach", "free", "wait", "kill", "events"] {
        let ran = run(&["--proc-root", empty, command, "80"]).ended_with(2);
        assert!(
            ran.stderr
                .contains(&format!("{command} and --proc-root cannot be used together")),
            "{}",
            ran.stderr
        );
    }
    let ran = run(&["--proc-root", empty, "-tlp", "--json"]).ended_with(0);
    let document = ran.json();
    let codes: Vec<_> = document["gaps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|gap| &gap["code"])
        .collect();
    assert!(codes.iter().any(|code| *code == "table-unreadable"), "{codes:?}");
    assert_eq!(document["complete"], false);
    assert!(
        ran.stderr.contains("there is no table for them below"),
        "{}",
        ran.stderr
    );
}

/// As from an unset variable in a script: `sockstat kill --yes "$PORT"`.
#[test]
fn an_empty_word_is_a_usage_error_for_every_command() {
    let commands: &[&[&str]] = &[
        &["kill", "--yes"],
        &["kill", "--yes", "--all"],
        &["kill", "--yes", "--socket"],
        &["-K", "--yes"],
        &["-tK", "--yes"],
        &["wait", "--timeout", "1s"],
        &["wait", "--gone", "--timeout", "1s"],
        &["free"],
        &["why"],
        &["reach"],
        &["events"],
        &["-tln", "--exit-status"],
    ];
    for command in commands {
        for blank in ["", " ", "\t"] {
            let ran = run(&[command, &[blank][..]].concat()).ended_with(2);
            assert!(
                ran.stdout.is_empty() && ran.stderr.starts_with("error: "),
                "{command:?} {blank:?}: {}",
                ran.stderr
            );
        }
    }
    for command in [
        &["kill", "--yes"][..],
        &["-K", "--yes"],
        &["-K", "--yes", "-F", "/dev/null"],
    ] {
        let ran = run(command).ended_with(2);
        assert!(ran.stderr.contains("the filter is empty"), "{}", ran.stderr);
    }
}

#[test]
fn a_wrong_filter_points_at_the_byte() {
    for filter in [
        &["( dport"][..],
        &["sport = :nosuchservice"],
        &["dport", "="],
        &["sport = :80 and"],
        &["( :80"],
        &["recv_q > lots"],
    ] {
        let ran = run(filter).ended_with(2);
        let lines: Vec<_> = ran.stderr.lines().collect();
        assert_eq!(lines.len(), 3, "{filter:?}: {}", ran.stderr);
        assert!(lines[0].starts_with("error: "), "{filter:?}: {}", ran.stderr);
        assert_eq!(lines[1].trim(), filter.join(" "), "the words as they were typed");
        assert!(
            lines[2].trim_start().starts_with('^'),
            "{filter:?}: {}",
            ran.stderr
        );
        assert!(ran.stdout.is_empty());
    }
}

#[test]
fn help_and_version_are_no_errors() {
    for (arguments, word) in [
        (["--help"], "--listening"),
        (["-h"], "--listening"),
        (["-V"], "sockstat "),
        (["--version"], "sockstat "),
        (["-v"], "sockstat "),
    ] {
        let ran = run(&arguments).ended_with(0);
        assert!(ran.text().contains(word), "{arguments:?}: {}", ran.text());
        assert_eq!(ran.stderr, "");
    }
    assert_eq!(
        run(&["-V"]).text().trim(),
        concat!("sockstat ", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn help_lists_the_commands_first() {
    let help = run(&["--help"]).ended_with(0);
    for arguments in [&["-h"][..], &["help"], &["-t", "-h"]] {
        assert_eq!(run(arguments).ended_with(0).text(), help.text(), "{arguments:?}");
    }
    let commands = help.text().split("Which sockets:").next().unwrap();
    for example in ["sockstat why 3000", "sockstat kill :3000", "sockstat help why"] {
        assert!(commands.contains(example), "{}", help.text());
    }
    let of_why = run(&["help", "why"]).ended_with(0);
    assert!(of_why.text().contains("--reuseport") && of_why.text().contains("Exit status:"));
    for arguments in [&["why", "-h"][..], &["why", "--help"], &["-h", "why"]] {
        assert_eq!(
            run(arguments).ended_with(0).text(),
            of_why.text(),
            "{arguments:?}"
        );
    }
    let unknown = run(&["help", "wiat"]).ended_with(2);
    assert!(
        unknown.stderr.contains("did you mean 'wait'?"),
        "{}",
        unknown.stderr
    );
}

#[test]
fn options_before_a_command_never_make_it_a_filter() {
    let port = "1/udp";
    let after = run(&["why", "-u4n", "--quiet", port]);
    let before = run(&["-u4n", "--quiet", "why", port]).ended_with(after.status.unwrap());
    assert_eq!(before.text(), after.text());
    let misplaced = run(&["--timeout", "1s", "wait", "80"]).ended_with(2);
    assert!(
        misplaced.stderr.contains("hint: sockstat wait --timeout 1s 80"),
        "{}",
        misplaced.stderr
    );
    let unknown = run(&["-tl", "wait"]).ended_with(2);
    assert!(
        unknown.stderr.contains("sockstat -tl -- wait"),
        "{}",
        unknown.stderr
    );
    for filter in [
        &["--", "wait"][..],
        &["process", "=", "wait"],
        &["-tl", "--", "wait"],
    ] {
        run(filter).ended_with(0);
    }
}

#[test]
fn letters_bundle_and_repeat() {
    for arguments in [
        &["-tulpn"][..],
        &["-tulpn46"],
        &["-tf", "inet"],
        &["-ttt"],
        &["-a", "-l", "-a"],
        &["-nr", "-rn"],
        &["-HQtan"],
        &["-tan", "state", "listening", "-H"],
    ] {
        run(arguments).ended_with(0);
    }
}

#[test]
fn an_old_habit_shows_the_port() {
    // Elsewhere `sockstat -p 80` takes a port; here -p shows owners and 80 is a filter.
    let ran = run(&["-p", "80", "--json"]).ended_with(0);
    let document = ran.json();
    for row in document["sockets"].as_array().unwrap() {
        assert!(row["local_port"] == 80 || row["peer_port"] == 80, "{row}");
        assert_ne!(row["owner_status"], "not-asked");
    }
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    // Long output, so that something is still to be written when the reader is gone.
    for arguments in [
        &["--help"][..],
        &["-axtu", "--json"],
        &["-axtup"],
        &["man"],
        &["completions", "bash"],
        &["-axtu", "--table"],
    ] {
        let mut child = sockstat(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0), "{arguments:?}: {said}");
        assert!(
            !said.contains("panicked") && !said.contains("pipe"),
            "{arguments:?}: {said}"
        );
    }
}

#[test]
fn the_first_line_can_be_taken_alone() {
    let mut child = sockstat(["-tulpn"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut first)
        .unwrap();
    assert!(first.starts_with("Netid State"), "{first}");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn colours_are_for_terminals_or_on_demand() {
    let table = ["-tuxa", "--table"];
    let is_coloured = |ran: Ran| ran.stdout.contains(&0x1b);
    assert!(!is_coloured(run(&table)), "a pipe gets no colours");
    assert!(is_coloured(run(&["-tuxa", "--table", "--color", "always"])));
    assert!(is_coloured(Ran::of(sockstat(table).env("CLICOLOR_FORCE", "1"))));
    assert!(!is_coloured(Ran::of(
        sockstat(["-tuxa", "--table", "--color", "never"]).env("CLICOLOR_FORCE", "1")
    )));
    assert!(!is_coloured(Ran::of(sockstat(table).env("NO_COLOR", "1"))));
    assert!(
        !is_coloured(run(&["-tuxa", "--color", "always", "--json"])),
        "JSON never has colours"
    );
}

#[test]
fn the_table_keeps_to_the_width() {
    for width in ["40", "80", "200"] {
        let ran = Ran::of(sockstat(["-tuxap", "--table"]).env("COLUMNS", width)).ended_with(0);
        let limit: usize = width.parse().unwrap();
        // The last line is the totals, which are text and not a row.
        let lines: Vec<_> = ran.text().lines().collect();
        for line in &lines[..lines.len() - 1] {
            assert!(
                unicode_width::UnicodeWidthStr::width(*line) <= limit,
                "wider than {width}: {line}"
            );
        }
    }
}

#[test]
fn the_exit_status_tells_whether_there_were_rows() {
    // A port that no socket of this machine can have on both sides: 0 is none.
    let none = ["--exit-status", "-tan", "sport = :1 and sport = :2"];
    run(&none).ended_with(1);
    run(&none[1..]).ended_with(0);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    run(&["--exit-status", "-tln", &port]).ended_with(0);
    run(&["--exit-status", "--nonsense"]).ended_with(2);
}

#[test]
fn quiet_suppresses_the_lines_about_losses() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/proc");
    let loud = run(&["--proc-root", root, "-tan"]).ended_with(0);
    assert!(!loud.stderr.is_empty(), "tables under another root are a loss");
    let quiet = run(&["--proc-root", root, "-tan", "--quiet"]).ended_with(0);
    assert_eq!(quiet.stderr, "");
    assert_eq!(loud.stdout, quiet.stdout);
}

#[test]
fn a_misspelt_subcommand_gets_a_hint_when_nothing_matches() {
    let ran = run(&["complations"]).ended_with(0);
    assert!(
        ran.stderr.contains("did you mean 'completions'?"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_line_of_another_command_without_rows_gets_a_hint() {
    for (line, hint) in [
        ("lsof -i :1", "drop the word 'lsof': sockstat :1\n"),
        ("ss -tlnp", "drop the word 'ss': sockstat -tlnp\n"),
        ("netstat -antp", "drop the word 'netstat': sockstat -antp\n"),
        ("-tulnp grep 1", "drop the word 'grep': sockstat -tulnp 1\n"),
        ("peer 192.0.2.1", "'dst 192.0.2.1' selects by the peer"),
        ("listning", "did you mean 'listening'?"),
        ("-u root", "did you mean 'user = root'?"),
    ] {
        let ran = run(&line.split(' ').collect::<Vec<_>>()).ended_with(0);
        assert!(ran.stderr.contains(hint), "{line}: {}", ran.stderr);
    }
}

#[test]
fn every_place_is_answered_and_the_worst_decides() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = listener.local_addr().unwrap().port().to_string();
    let free = run(&["free"]).ended_with(0).text().trim().to_owned();
    let ran = run(&["why", "--quiet", &free, &taken]).ended_with(1);
    let answers: Vec<_> = ran
        .text()
        .lines()
        .filter(|line| line.contains("/tcp is "))
        .collect();
    assert!(answers.len() >= 2 && answers[0].contains(&free), "{}", ran.text());
    run(&["why", &free, &free]).ended_with(0);
    assert!(
        run(&["why", &free, "-"])
            .ended_with(2)
            .stderr
            .contains("must be the only place")
    );
    let empty = run(&["why", "-"]).ended_with(2);
    assert!(
        empty.stderr.starts_with("error: standard input is empty")
            && empty.stderr.contains("| sockstat why -"),
        "{}",
        empty.stderr
    );

    let late = run(&["wait", "--timeout", "50ms", &taken, &free]).ended_with(1);
    assert!(
        late.stderr.contains(&free) && !late.stderr.contains(&taken),
        "{}",
        late.stderr
    );
    run(&["wait", "--timeout", "5s", &taken, "127.0.0.1", &taken]).ended_with(0);
}

#[test]
fn reach_understands_places_as_people_paste_them() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let url = format!("http://me:secret@127.0.0.1:{port}/a?b#c");
    for arguments in [
        &["127.0.0.1", &port][..],
        &["127.0.0.1", "--port", &port],
        &[&url],
        &["-4", &port],
    ] {
        // Without permission to read the packet filter, the answer is never "yes".
        let ran = run(&[&["reach"], arguments].concat());
        let said = ran.text();
        let is_yes = ran.status == Some(0) && said.starts_with("Yes");
        let is_open = ran.status == Some(3) && said.contains("packet filters were not examined");
        assert!(is_yes || is_open, "{arguments:?}: {said}");
    }
    for (arguments, message) in [
        (&["localhost:nonsense"][..], "known service"),
        (&["localhost"], "write localhost:PORT"),
        (&["127.0.0.1:80", "443"], "unexpected word '443'"),
        (&["127.0.0.1:80", "--port", "443"], "already names a port"),
    ] {
        let ran = run(&[&["reach"], arguments].concat()).ended_with(2);
        assert!(ran.stderr.contains(message), "{arguments:?}: {}", ran.stderr);
    }
}

#[test]
fn a_pid_in_place_of_a_port_gets_a_hint() {
    let own = std::process::id().to_string();
    let ran = run(&["-tl", &own]).ended_with(0);
    if ran.text().lines().count() < 2 {
        assert!(
            ran.stderr.contains(&format!("did you mean 'pid = {own}'?")),
            "{}",
            ran.stderr
        );
    }
}
