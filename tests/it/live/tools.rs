//! Third-party programs that parse our output.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::run::Ran;
use crate::skip::skip;

/// The output of a program with this on its standard input, run outside our namespaces; it must succeed. `None`,
/// with a skip, if it is not installed.
#[track_caller]
pub(crate) fn through(program: &str, arguments: &[&str], input: &[u8]) -> Option<String> {
    let ran = attempt(program, arguments, input)?.ended_with(0);
    Some(ran.text().to_owned())
}

/// The same, however it ends.
#[track_caller]
pub(crate) fn attempt(program: &str, arguments: &[&str], input: &[u8]) -> Option<Ran> {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let Ok(mut child) = command.spawn() else {
        skip(&format!("{program} is not installed"));
        return None;
    };
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // A program that ends before it has read everything does not matter here.
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let ran = Ran::from(child.wait_with_output().unwrap());
    let _ = writer.join();
    Some(ran)
}

/// Whether there is a program of that name.
pub(crate) fn is_installed(program: &str) -> bool {
    Command::new(program)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok()
}

/// Whether Python is there, and has a package.
pub(crate) fn has_python_package(package: &str) -> bool {
    Command::new("python3")
        .args(["-c", &format!("import {package}")])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
