//! Gives a TCP connection more to report: socket options, namespace settings, queued data.

use std::fs;
use std::net::SocketAddr;
use std::os::fd::{AsFd as _, OwnedFd};

use anyhow::{Context as _, Result, anyhow, bail};
use rustix::io::Errno;
use rustix::net::{SendFlags, send};

use crate::inet;
use crate::made::Skip;
use crate::spec::Spec;
use crate::sys;

/// Keys of settings, 0 or more, and the files below /proc/sys/net/ipv4 that hold them.
const SETTINGS: [(&str, &str); 5] = [
    ("sack", "tcp_sack"),
    ("wscale", "tcp_window_scaling"),
    ("timestamps", "tcp_timestamps"),
    ("ecn", "tcp_ecn"),
    ("fastopen", "tcp_fastopen"),
];

/// TCP Fast Open on both sides, for every listener, without cookies.
const FASTOPEN_ALL: &str = "1543";

/// Settings of the network namespace; restored when this is dropped.
pub(crate) struct Settings(Vec<(String, String)>);

impl Settings {
    /// Sets what the word requests.
    pub(crate) fn of(spec: &Spec) -> Result<Self> {
        let mut before = Self(Vec::new());
        for (key, file) in SETTINGS {
            let Some(value) = spec.parsed::<u32>(key)? else {
                continue;
            };
            let path = format!("/proc/sys/net/ipv4/{file}");
            let old = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
            let value = if key == "fastopen" && value > 0 {
                FASTOPEN_ALL.to_owned()
            } else {
                value.to_string()
            };
            fs::write(&path, value).with_context(|| format!("writing {path}"))?;
            before.0.push((path, old));
        }
        Ok(before)
    }
}

impl Drop for Settings {
    fn drop(&mut self) {
        for (path, value) in &self.0 {
            let _ = fs::write(path, value);
        }
    }
}

/// With `fastopen=1` the first byte goes with the SYN: connecting waits for it.
pub(crate) fn send_with_syn(client: &OwnedFd, target: SocketAddr) -> Result<()> {
    rustix::net::sendto(client, b"x", SendFlags::from_bits_retain(0x2000_0000), &target)
        .map(drop)
        .or_else(|error| match error {
            Errno::INPROGRESS => Ok(()),
            error => Err(anyhow!(error).context(format!("sending with the SYN to {target}"))),
        })
}

/// Sets the options of the word on a connected socket.
pub(crate) fn set_options(spec: &Spec, fd: &OwnedFd) -> Result<()> {
    let six = inet::local(fd)?.is_ipv6();
    if let Some(name) = spec.bytes("congestion") {
        match sys::set_option(fd.as_fd(), libc::IPPROTO_TCP, libc::TCP_CONGESTION, name) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let name = name.escape_ascii();
                bail!(Skip(format!("no congestion control {name} in this kernel")));
            }
            Err(error) => bail!(anyhow!(error).context("TCP_CONGESTION")),
        }
    }
    if let Some(name) = spec.bytes("ulp")
        && let Err(error) = sys::set_option(fd.as_fd(), libc::IPPROTO_TCP, libc::TCP_ULP, name)
    {
        bail!(Skip(format!("no TCP_ULP {}: {error}", name.escape_ascii())));
    }
    if let Some(tos) = spec.parsed("tos")? {
        sys::set_int(fd.as_fd(), libc::IPPROTO_IP, libc::IP_TOS, tos).context("IP_TOS")?;
        if six {
            sys::set_int(fd.as_fd(), libc::IPPROTO_IPV6, libc::IPV6_TCLASS, tos).context("IPV6_TCLASS")?;
        }
    }
    for (key, name) in [
        ("priority", libc::SO_PRIORITY),
        ("mark", libc::SO_MARK),
        ("pacing", libc::SO_MAX_PACING_RATE),
    ] {
        if let Some(value) = spec.parsed(key)? {
            sys::set_int(fd.as_fd(), libc::SOL_SOCKET, name, value).with_context(|| key.to_owned())?;
        }
    }
    Ok(())
}

/// Sends until no more fits: nobody reads at the other end, so its window closes and the sender probes it.
pub(crate) fn fill_up(client: &OwnedFd) -> Result<()> {
    let bytes = vec![b'x'; 65536];
    loop {
        match send(client, &bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL) {
            Ok(_) => {}
            Err(Errno::AGAIN) => return Ok(()),
            Err(error) => bail!(anyhow!(error).context("send")),
        }
    }
}
