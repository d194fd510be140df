//! The same comparison through the program: `sockstat why -j`, compared with what the kernel then does.

use std::os::unix::process::CommandExt;
use std::process::Command;

use serde_json::Value;

use super::sockets::Options;

/// Runs `sockstat why -j` for one attempt, as `user`, and returns its one answer.
pub(crate) fn answer(options: &Options, port: u16, more: &[&str], user: u32) -> Value {
    let place = match options.address {
        std::net::IpAddr::V4(address) => format!("{address}:{port}"),
        std::net::IpAddr::V6(address) => format!("[{address}]:{port}"),
    };
    let uid = options.uid.to_string();
    let mut arguments = vec!["why", "-j", "--uid", &uid];
    arguments.push(if options.reuseaddr {
        "--reuseaddr"
    } else {
        "--no-reuseaddr"
    });
    arguments.extend(options.v6only.then_some("--v6only"));
    arguments.extend(options.reuseport.then_some("--reuseport"));
    arguments.extend((options.protocol == sockstat::model::Protocol::Udp).then_some("--udp"));
    let device = options.device.map(|device| format!("--device={device}"));
    arguments.extend(device.as_deref());
    arguments.extend(more);
    arguments.push(&place);
    let document = run(&arguments, user);
    assert_eq!(document["schema"], "sockstat-why/1");
    let answers = document["answers"].as_array().unwrap();
    assert_eq!(answers.len(), 1, "{document}");
    answers[0].clone()
}

/// Runs the program and reads its document.
pub(crate) fn run(arguments: &[&str], user: u32) -> Value {
    let output = command(arguments, user).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!(
            "{arguments:?}: {error}: {}",
            String::from_utf8_lossy(&output.stderr)
        )
    })
}

/// The program with its arguments, to be run as `user`.
pub(crate) fn command(arguments: &[&str], user: u32) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sockstat"));
    command.args(arguments).env_remove("SUDO_UID");
    if user != 0 {
        command.uid(user).gid(user);
    }
    command
}
