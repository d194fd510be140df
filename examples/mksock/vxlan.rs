//! A socket of the kernel's own: it has an inode and a port, and no process ever held it.

use std::process::Command;

use anyhow::{Result, anyhow, bail};

use crate::end::End;
use crate::made::{Made, Skip};
use crate::spec::Spec;
use crate::state::State;
use crate::wait;

/// `vxlan`: a tunnel device, up, that listens on UDP `port` (4789).
pub(crate) fn kernel_socket(spec: &Spec, made: &mut Made) -> Result<()> {
    if !made.private_netns {
        bail!(Skip(
            "a vxlan device wants a network namespace of its own".to_owned()
        ));
    }
    let port: u16 = spec.parsed("port")?.unwrap_or(4789);
    let number = port.to_string();
    ip(&[
        "link",
        "add",
        "vx0",
        "type",
        "vxlan",
        "id",
        "1",
        "dstport",
        &number,
        "local",
        "127.0.0.1",
    ])?;
    ip(&["link", "set", "vx0", "up"])?;
    let mut found = None;
    wait::until("the socket of the vxlan device", || {
        found = wait::udp_inode(port)?;
        Ok(found.is_some())
    })?;
    let (local, inode) = found.ok_or_else(|| anyhow!("the socket of the vxlan device is gone"))?;
    made.push(End {
        spec: spec.text.clone(),
        role: "kernel",
        protocol: "udp",
        family: "inet",
        kind: "dgram",
        state: State::Unconnected,
        local: Some(local),
        peer: None,
        path: None,
        inode: Some(inode),
        peer_inode: None,
        cookie: None,
        uid: None,
        holders: Vec::new(),
        more: Vec::new(),
    });
    Ok(())
}

fn ip(words: &[&str]) -> Result<()> {
    let output = Command::new("ip")
        .args(words)
        .output()
        .map_err(|error| Skip(format!("cannot run ip: {error}")))?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr);
        bail!(Skip(format!("ip {}: {}", words.join(" "), message.trim())));
    }
    Ok(())
}
