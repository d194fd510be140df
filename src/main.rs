//! The command `sockstat`: parse, run, exit code; everything else is in the library.

use std::process::ExitCode;

use sockstat::source::memory::OrEnd;

#[global_allocator]
static MEMORY: OrEnd = OrEnd;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    sockstat::command::run(&arguments).into()
}
