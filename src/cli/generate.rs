//! Completions, help text and man page, generated from the options.

use clap::CommandFactory;
use clap_complete::Shell;

use super::Cli;

/// Returns the completion script for a shell.
pub fn completions(shell: Shell) -> Vec<u8> {
    let mut out = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "sockstat", &mut out);
    out
}

/// Returns the help text, without colour, wrapped at 100 columns.
pub fn help() -> String {
    Cli::command().term_width(100).render_long_help().to_string()
}

/// Returns the man page, in roff.
///
/// # Errors
/// Only if writing into memory fails.
pub fn man_page() -> std::io::Result<Vec<u8>> {
    let mut command = Cli::command();
    command.build();
    let man = clap_mangen::Man::new(command).date("").manual("User Commands");
    let mut out = Vec::new();
    man.render_title(&mut out)?;
    man.render_name_section(&mut out)?;
    man.render_synopsis_section(&mut out)?;
    out.extend_from_slice(DESCRIPTION);
    man.render_options_section(&mut out)?;
    man.render_subcommands_section(&mut out)?;
    out.extend_from_slice(SECTIONS);
    Ok(out)
}

const DESCRIPTION: &[u8] = br".SH DESCRIPTION
.B sockstat
lists the sockets of this network namespace with the programs that hold them. It reads the kernel's sock_diag
interface and /proc.
On a terminal it prints a table that fits the width. Into a pipe it prints the fields of
.B ss -n
in the same order. With
.B --json
it prints one JSON document, the form for scripts.
.PP
A socket whose owner cannot be seen is still a row, and says why. Standard error lists what could not be read,
with a remedy.
.PP
Without
.B -t -u -w -x -S -M -0 --vsock --xdp -4 -6 -f -A -a -l -B
and without a state word, the selection is TCP and UDP in all states, with owners. Without a filter, sockets in time-wait are then only
counted.
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
Seeing the sockets of other users' processes needs CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH: usually, root.
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
0 if there are rows, 1 if not, 3 if not but the view is incomplete.
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
