//! The command `sockstat`: parse, run, exit code; everything else is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    sockstat::command::run(std::env::args_os().collect()).into()
}
