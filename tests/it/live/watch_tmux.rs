//! The live screen in a real terminal (tmux): it leaves the terminal as it found it on each way out, and follows the
//! terminal's size, type and locale.

use super::sockets::Sockets;
use super::tmux::Terminal;
use super::tools::is_installed;
use crate::skip::skip;

const SOCKSTAT: &str = env!("CARGO_BIN_EXE_sockstat");

/// More looks at the screen than any of these needs.
const LOOKS_MAX: usize = 20_000;

/// Looks at the screen until it is as wanted.
#[track_caller]
fn wait_until(terminal: &Terminal<'_>, what: &str, is_so: impl Fn(&str) -> bool) -> String {
    let mut text = String::new();
    for _ in 0..LOOKS_MAX {
        text = terminal.lines(&[]).join("\n");
        if is_so(&text) {
            return text;
        }
    }
    panic!("no {what} on:\n{text}");
}

#[track_caller]
fn wait_for(terminal: &Terminal<'_>, wanted: &str) -> String {
    wait_until(terminal, &format!("'{wanted}'"), |text| text.contains(wanted))
}

/// Sockets, and a file name for each state of the terminal.
#[track_caller]
fn sockets() -> Option<Sockets> {
    if !is_installed("tmux") {
        skip("tmux is not installed");
        return None;
    }
    Sockets::make(&["tcp-listen:port=3000", "tcp-pair"])
}

#[test]
fn the_terminal_is_left_as_it_was_on_each_way_out() {
    let Some(sockets) = sockets() else { return };
    let state = |name: &str| sockets.directory().join(name);
    let [before, after, pid] = ["before", "after", "pid"].map(state);
    let script = format!(
        "stty -a > {before}; sh -c 'echo $$ > {pid}; exec {SOCKSTAT} watch'; \
         echo ended with $?; stty -a > {after}; echo THE-END; read line",
        before = before.display(),
        pid = pid.display(),
        after = after.display(),
    );
    for way in ["q", "C-c", "p", "TERM", "HUP", "QUIT"] {
        let terminal = Terminal::start(&sockets, (100, 30), &script);
        wait_for(&terminal, "3000/tcp");
        assert_eq!(terminal.flags(), "1 0", "the alternate screen, without a cursor");
        match way {
            "TERM" | "HUP" | "QUIT" => {
                let pid = std::fs::read_to_string(&pid).unwrap();
                let mut kill = std::process::Command::new("kill");
                assert!(kill.args(["-s", way, pid.trim()]).status().unwrap().success());
            }
            key => terminal.presses(key),
        }
        let text = wait_for(&terminal, "THE-END");
        assert!(text.contains("ended with 0"), "{way}: {text}");
        assert_eq!(terminal.flags(), "0 1", "{way}: {text}");
        // What was on the screen before is there again; `p` leaves what was shown.
        assert_eq!(text.contains("q quit"), way == "p", "{way}: {text}");
        let [before, after] = [&before, &after].map(|file| std::fs::read_to_string(file).unwrap());
        assert_eq!(before, after, "{way}");
    }
}

#[test]
fn a_shell_can_stop_and_continue_it() {
    let Some(sockets) = sockets() else { return };
    if !is_installed("bash") {
        skip("bash is not installed");
        return;
    }
    let terminal = Terminal::start(
        &sockets,
        (100, 30),
        "PS1='ready> ' exec bash --norc --noprofile -i",
    );
    wait_for(&terminal, "ready>");
    terminal.types(&format!("{SOCKSTAT} watch\n"));
    wait_for(&terminal, "3000/tcp");
    terminal.presses("C-z");
    wait_for(&terminal, "Stopped");
    assert_eq!(terminal.flags(), "0 1", "the shell has its screen");
    // The shell reads what is typed as ever.
    terminal.types("echo the-$((40 + 2))\n");
    wait_for(&terminal, "the-42");
    terminal.types("fg\n");
    wait_for(&terminal, "3000/tcp");
    assert_eq!(terminal.flags(), "1 0");
    terminal.presses("2");
    wait_for(&terminal, "ESTAB");
    terminal.presses("q");
    wait_for(&terminal, "the-42");
    assert_eq!(terminal.flags(), "0 1");
}

#[test]
fn it_follows_the_size_of_the_terminal() {
    let Some(sockets) = sockets() else { return };
    let terminal = Terminal::start(&sockets, (120, 40), &format!("exec {SOCKSTAT} watch"));
    wait_for(&terminal, "ACCEPT-Q");
    for (columns, rows) in [(60, 20), (140, 50), (40, 12), (20, 5), (10, 3), (80, 24)] {
        terminal.resize((columns, rows));
        let text = wait_until(&terminal, "screen of that size", |text| {
            let lines: Vec<&str> = text.lines().collect();
            let last = lines.last().is_some_and(|line| line.contains("q quit"));
            let has_port = text.contains("3000/tcp");
            let is_whole = last && lines.len() == rows;
            has_port && (is_whole || columns < 20 || rows < 5)
        });
        let lines = text.lines();
        assert!(lines.clone().count() <= rows, "{columns}x{rows}:\n{text}");
        let widest = lines.map(|line| line.chars().count()).max();
        assert!(widest <= Some(columns), "{columns}x{rows}:\n{text}");
    }
}

#[test]
fn a_plain_terminal_gets_ascii_and_no_colours() {
    let Some(sockets) = sockets() else { return };
    let script = format!("exec env TERM=linux NO_COLOR=1 LC_ALL=C {SOCKSTAT} watch");
    let terminal = Terminal::start(&sockets, (100, 30), &script);
    wait_for(&terminal, "3000/tcp");
    terminal.presses("2");
    wait_for(&terminal, "ESTAB");
    terminal.presses("Tab");
    let text = wait_for(&terminal, "-- tcp");
    assert!(text.is_ascii(), "{text}");
    let styled = terminal.lines(&["-e"]).join("\n");
    // The parameters of each style: 30 to 38, 40 to 48 and 90 to 107 are colours.
    let is_colour = |parameter: &str| {
        let number: Option<u8> = parameter.parse().ok();
        number.is_some_and(|number| matches!(number, 30..=38 | 40..=48 | 90..=107))
    };
    let styles = styled.split("\u{1b}[").skip(1);
    let styles = styles.filter_map(|rest| rest.split_once('m').map(|(parameters, _)| parameters));
    for style in styles {
        assert!(!style.split([';', ':']).any(is_colour), "{style}: {styled}");
    }
    terminal.presses("q");
}

#[test]
fn it_goes_back_to_looks_with_an_earlier_filter() {
    let Some(sockets) = sockets() else { return };
    let script = format!("exec {SOCKSTAT} watch --interval 200ms");
    let terminal = Terminal::start(&sockets, (100, 30), &script);
    let header = |text: &str| text.lines().next().unwrap_or_default().to_owned();
    wait_for(&terminal, "3000/tcp");
    wait_for(&terminal, "out/tcp");
    terminal.types("/state established");
    terminal.presses("Enter");
    let is_filtered = |text: &str| header(text).contains("/ state established");
    let is_back = |text: &str| header(text).contains(" AT ") && text.contains(" 0/");
    wait_until(&terminal, "filtered rows", |text| {
        is_filtered(text) && header(text).contains("live") && !text.contains(" 0/")
    });
    // The queue of the listener is that of a look before the filter.
    let mut text = String::new();
    for _ in 0..LOOKS_MAX {
        let before = header(&text);
        terminal.presses("[");
        text = wait_until(&terminal, "earlier look", |text| {
            header(text).contains(" AT ") && header(text) != before
        });
        if is_back(&text) {
            break;
        }
        assert!(is_filtered(&text), "{text}");
    }
    assert!(is_back(&text) && !is_filtered(&text), "{text}");
    // Forward again: the look after the last without the filter has it.
    for _ in 0..LOOKS_MAX {
        if is_filtered(&text) {
            break;
        }
        let before = header(&text);
        terminal.presses("]");
        text = wait_until(&terminal, "later look", |text| header(text) != before);
    }
    assert!(is_filtered(&text) && !text.contains(" 0/"), "{text}");
    terminal.presses("Space");
    wait_until(&terminal, "live rows", |text| {
        is_filtered(text) && header(text).contains("live")
    });
    terminal.presses("q");
}
