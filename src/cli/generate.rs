//! Completions, help text and man page, generated from the options.

use std::io::{self, Write as _};

use clap_complete::Shell;
use clap_mangen::Man;

use super::{commands, shells};

/// Returns the completion script for a shell. The scripts of bash, zsh, fish and elvish ask this program for values; that of
/// PowerShell completes only commands and options.
pub fn completions(shell: Shell) -> Vec<u8> {
    match shell {
        Shell::Bash => return shells::BASH.into(),
        Shell::Zsh => return shells::ZSH.into(),
        Shell::Fish => return shells::FISH.into(),
        Shell::Elvish => return shells::ELVISH.into(),
        _ => {}
    }
    let mut out = Vec::new();
    clap_complete::generate(shell, &mut commands::command(), "sockstat", &mut out);
    out
}

/// Returns the help text, without colour, wrapped at 100 columns.
pub fn help() -> String {
    commands::help(Some(100))
}

/// Returns the man page, in roff: one page with every command.
///
/// # Errors
/// Only if writing into memory fails.
pub fn man_page() -> io::Result<Vec<u8>> {
    let command = commands::command();
    let man = Man::new(command.clone()).date("").manual("User Commands");
    let mut out = Vec::new();
    man.render_title(&mut out)?;
    man.render_name_section(&mut out)?;
    man.render_synopsis_section(&mut out)?;
    out.extend_from_slice(DESCRIPTION);
    man.render_options_section(&mut out)?;
    out.extend_from_slice(COMMANDS);
    for subcommand in command.get_subcommands().filter(|command| !command.is_hide_set()) {
        man_section(subcommand, &mut out)?;
    }
    out.extend_from_slice(SECTIONS);
    Ok(out)
}

/// Appends the part of the man page about one command.
fn man_section(command: &clap::Command, out: &mut Vec<u8>) -> io::Result<()> {
    let name = command.get_name();
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    writeln!(out, ".SS \"{}\"", roff(usage))?;
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    writeln!(out, "{}.", roff(&about))?;
    // Its own options; those that every command has are above.
    let own = command.clone().mut_args(|arg| {
        let is_common = arg.is_global_set() || arg.get_id() == "help";
        let is_hidden = arg.is_hide_set() || is_common;
        arg.hide(is_hidden)
    });
    let mut options = Vec::new();
    Man::new(own).render_options_section(&mut options)?;
    for line in String::from_utf8_lossy(&options).lines() {
        if !line.starts_with(".SH ") && !line.starts_with(".ie ") && !line.starts_with(".el ") {
            writeln!(out, "{line}")?;
        }
    }
    let exit = commands::exit_statuses(name);
    if !exit.is_empty() {
        writeln!(out, ".PP\nExit status: {}.", roff(exit))?;
    }
    writeln!(out, ".PP\n.nf")?;
    for example in commands::examples(name) {
        writeln!(out, ".B {}", roff(example))?;
    }
    writeln!(out, ".fi")
}

/// Escapes what roff would interpret.
fn roff(text: &str) -> String {
    text.replace('\\', "\\e")
        .replace('-', "\\-")
        .replace('"', "\\(dq")
}

const COMMANDS: &[u8] = br".SH COMMANDS
The first word that is not an option may be a command. The options
.B -t -u -4 -6 -n -N -j --color --quiet --proc-root --record --replay --at
may stand before or after it; all others must follow it. After
.BR -- ,
a word is always part of a filter.
.PP
WHERE is
.BR PORT ,
.BR PORT/udp ,
.BR ADDRESS:PORT ,
.BR [IPV6]:PORT ,
.BR NAME:PORT ,
.B /path
of a unix socket or the abstract
.BR @name .
";

const DESCRIPTION: &[u8] = br".SH DESCRIPTION
.B sockstat
lists the sockets of this network namespace with the programs that hold them. It reads the kernel's sock_diag
interface and /proc.
On a terminal it prints a table that fits the width. In a pipe it prints the fields of
.B ss -n
in the same order. With
.B --json
it prints one JSON document, for scripts.
.PP
A socket whose owner cannot be seen still has a row, which says why. Standard error lists what could not be read,
with a remedy.
.PP
Without
.B -t -u -w -x -S -M -0 --vsock --xdp -4 -6 -f -A -a -l -B
and without a state word, the selection is TCP and UDP in all states, with owners. Sockets in time-wait are then only
counted, unless there is a filter.
";

const SECTIONS: &[u8] = br#".SH FILTER
Words that are not options select rows: a port
.RB ( 3000 ,
.BR :3000 ,
.BR 8000-8100 ),
an address
.RB ( 10.0.0.0/8 ,
.BR [::1]:80 ),
a path or abstract name
.RB ( /run/app.sock ,
.BR @name ),
a state, or otherwise a program. The expressions of
.BR ss (8)
.RB ( "state established" ,
.BR "sport = :22" ,
.BR "dst 10/8 and not dport = :443" )
work as well.
.SH OWNERS
Seeing the owners of other users' sockets needs CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH, that is, usually root.
If no owner can be named, the table says why:
.TP
.B hidden
a process that you may not inspect may hold it
.TP
.B none
its program closed it
.TP
.B not accepted yet
it waits in the accept queue of a listener, whose owner is named
.TP
.B in flight
it may be inside a message between processes (SCM_RIGHTS)
.TP
.B in another pid namespace
only part of the machine's processes is visible
.TP
.B kernel
the kernel itself uses it
.TP
.B vanished
it, or its process, ended while sockstat read the tables
.SH EXIT STATUS
0 on success, even without rows; 1 on failure; 2 on a usage error. With
.BR --exit-status :
0 if there are rows, 1 if there are none, 3 if there are none and the view is incomplete.
.SH ENVIRONMENT
.TP
.B NO_COLOR, CLICOLOR_FORCE
disable colour; enable colour even into a pipe
.TP
.B COLUMNS
width of a table that is not printed on a terminal
.SH OTHER COMMANDS OF THIS NAME
FreeBSD and an older Debian package have a different command
.B sockstat
with other options.
.SH SEE ALSO
.BR ss (8),
.BR netstat (8),
.BR lsof (8),
.BR sock_diag (7),
.BR proc (5)
"#;
