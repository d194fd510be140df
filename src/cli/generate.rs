//! What is generated from the options: completions and the man page.

use clap::CommandFactory;
use clap_complete::Shell;

use super::Cli;

/// The completion script of a shell.
pub fn completions(shell: Shell) -> Vec<u8> {
    let mut out = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "sockstat", &mut out);
    out
}

/// The help text, without colours, folded for 100 columns.
pub fn help() -> String {
    Cli::command().term_width(100).render_long_help().to_string()
}

/// The man page, in roff.
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
Shows the sockets of this network namespace and the programs that hold them, from the kernel's sock_diag
interface and from /proc.
On a terminal it prints a table that fits; into a pipe it prints the fields of
.BR ss (8)
with
.BR -n ,
in the same order. With
.B --json
it prints one JSON document, which is the form for scripts.
.PP
A socket whose owner cannot be seen is still a row and says why. What could not be read is told on standard
error, with what to do about it.
.PP
Without any of
.B -t -u -w -x -M -4 -6 -f -A -a -l -B
and without a state, TCP and UDP sockets are selected, in every state, with their owners; sockets in time-wait
are then only counted unless there is a filter.
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
a state, or else a program. The expressions of
.BR ss (8)
.RB ( "state established" ,
.BR "sport = :22" ,
.BR "dst 10/8 and not dport = :443" )
work as well.
.SH OWNERS
Another user's processes can be looked into with CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH, so usually by root only.
Where no owner can be named, the table says why:
.TP
.B hidden
a process that we may not look into may hold it
.TP
.B none
its program closed it
.TP
.B not accepted yet
it waits in the queue of a listener, whose owner is named
.TP
.B in flight
it may be inside a message between processes
.TP
.B in another pid namespace
we see only part of the machine's processes
.TP
.B kernel
the kernel itself uses it
.TP
.B vanished
it, or its process, ended while we looked
.SH EXIT STATUS
0 done, even without a row; 1 it could not be done; 2 the command line was wrong. With
.BR --exit-status :
0 with rows, 1 without, 3 without rows and with an incomplete view.
.SH ENVIRONMENT
.TP
.B NO_COLOR, CLICOLOR_FORCE
no colours, or colours also into a pipe
.TP
.B COLUMNS
the width of a table that does not go to a terminal
.SH OTHER COMMANDS OF THIS NAME
FreeBSD and an older Debian package have a different command
.B sockstat
with other letters.
.SH SEE ALSO
.BR ss (8),
.BR netstat (8),
.BR lsof (8),
.BR sock_diag (7),
.BR proc (5)
"#;
