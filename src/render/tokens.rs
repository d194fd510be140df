//! The tokens that ss prints behind the addresses, for `-p`, `-o` and `-e` (iproute2 7.1, `ss -n`).

use super::text::{push_hex, push_number};
use super::token::token;
use super::{escape, packet};
use crate::model::Row;
use crate::model::other_ends::NetlinkPair;
use crate::model::{Endpoints, OwnerStatus, Shutdown, Socket, Timer, UnixPair};

/// What ss tells of each holder beside its name, process and descriptor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Users {
    /// `tid=T` (`-T`).
    pub threads: bool,
    /// `proc_ctx=C`, the security context of the process (`-Z`).
    pub contexts: bool,
    /// `sock_ctx=C`, that of the socket (`-z`).
    pub socket_contexts: bool,
}

/// ` users:(("NAME",pid=P,fd=F),…)`, nothing without a known holder. With all of `shown`:
/// `("NAME",pid=P,tid=T,proc_ctx=C,fd=F,sock_ctx=C)`.
///
/// A quote inside a name is escaped: it would end the name for whoever parses this.
pub fn push_users(out: &mut Vec<u8>, row: &Row<'_>, shown: Users) {
    if row.ownership.status != OwnerStatus::Known {
        return;
    }
    for (index, holder) in row.ownership.holders.iter().enumerate() {
        if index == 0 {
            out.extend_from_slice(token!(Owners));
        } else {
            out.extend_from_slice(b",(");
        }
        out.push(b'"');
        let process = row.process(holder);
        match process {
            Some(process) => escape::push_also(out, &process.comm, |c| c == '"'),
            None => out.push(b'?'),
        }
        out.extend_from_slice(b"\",pid=");
        push_number(out, holder.pid);
        if shown.threads {
            out.extend_from_slice(b",tid=");
            push_number(out, if holder.tid == 0 { holder.pid } else { holder.tid });
        }
        if shown.contexts {
            out.extend_from_slice(token!("," Context));
            push_context(
                out,
                process.and_then(|process| process.security_context.as_deref()),
            );
        }
        out.extend_from_slice(b",fd=");
        push_number(out, holder.fd);
        if shown.socket_contexts {
            out.extend_from_slice(token!("," SocketContext));
            push_context(out, row.security_context());
        }
        out.push(b')');
    }
    out.push(b')');
}

/// A security context. SELinux has no blanks and brackets in them, AppArmor has: `/usr/sbin/ntpd (enforce)`.
fn push_context(out: &mut Vec<u8>, context: Option<&[u8]>) {
    match context {
        Some(context) => escape::push_also(out, context, |c| matches!(c, ' ' | '(' | ')' | '"')),
        None => out.extend_from_slice(b"unavailable"),
    }
}

/// ` timer:(NAME,TIME,RETRANSMITS)`, nothing without a timer.
pub fn push_timer(out: &mut Vec<u8>, timer: Option<Timer>) {
    let Some(timer) = timer else { return };
    out.extend_from_slice(token!(Timer));
    out.extend_from_slice(timer.kind.name().as_bytes());
    out.push(b',');
    push_timer_time(out, timer.expires_ms.unwrap_or(0));
    out.push(b',');
    push_number(out, timer.retransmits);
    out.push(b')');
}

/// ss's way to write a time: `119min`, `1min30sec`, `12sec`, `9.501sec`, `003ms`, and nothing for 0.
fn push_timer_time(out: &mut Vec<u8>, ms: u32) {
    let (minutes, seconds, rest) = (ms / 60_000, ms / 1000 % 60, ms % 1000);
    if minutes > 0 {
        push_number(out, minutes);
        out.extend_from_slice(b"min");
        if minutes <= 9 && seconds > 0 {
            push_number(out, seconds);
            out.extend_from_slice(b"sec");
        }
    } else if seconds > 0 {
        push_number(out, seconds);
        if seconds <= 9 && rest > 0 {
            out.push(b'.');
            push_three_digits(out, rest);
        }
        out.extend_from_slice(b"sec");
    } else if rest > 0 {
        push_three_digits(out, rest);
        out.extend_from_slice(b"ms");
    }
}

fn push_three_digits(out: &mut Vec<u8>, number: u32) {
    for unit in [100, 10, 1] {
        push_number(out, number / unit % 10);
    }
}

/// The tokens of `-e`: ` uid:U ino:I sk:COOKIE fwmark:0xM cgroup:PATH v6only:B <->` for IP sockets,
/// ` <-> ino:I dev:A/B peers: …` for unix ones.
pub fn push_extended(out: &mut Vec<u8>, row: &Row<'_>) {
    let socket = row.socket;
    match &socket.endpoints {
        Endpoints::Inet(pair) => {
            push_identity(out, socket);
            if let Some(mark) = socket.mark.filter(|mark| *mark != 0) {
                out.extend_from_slice(token!(Mark));
                push_hex(out, mark);
            }
            push_cgroup(out, row);
            if let Some(v6only) = pair.v6only {
                out.extend_from_slice(token!(V6only));
                out.push(if v6only { b'1' } else { b'0' });
            }
            push_arrows(out, socket.shutdown);
        }
        Endpoints::Unix(pair) => push_unix_extended(out, socket, pair),
        Endpoints::Packet(_) => {
            push_identity(out, socket);
            packet::push_info(out, &socket.details);
        }
        Endpoints::Xdp(_) => {
            push_identity(out, socket);
            packet::push_xdp(out, &socket.details);
        }
        Endpoints::Undumped(_) => push_identity(out, socket),
        Endpoints::Netlink(pair) => push_netlink_extended(out, pair),
        // ss has nothing to say of these.
        Endpoints::Vsock(_) => {}
    }
}

/// ` netns:NAME`, or the number of the namespace, or `?`.
pub fn push_netns(out: &mut Vec<u8>, row: &Row<'_>) {
    out.extend_from_slice(token!(NetnsName));
    let namespace = row.namespace();
    match namespace.and_then(|it| it.name.as_deref()) {
        Some(name) => escape::push_also(out, name.as_bytes(), |c| c == ' '),
        None => match namespace.and_then(|it| it.inode) {
            Some(inode) => push_number(out, inode),
            None => out.push(b'?'),
        },
    }
}

fn push_identity(out: &mut Vec<u8>, socket: &Socket) {
    if let Some(uid) = socket.uid.filter(|uid| *uid != 0) {
        out.extend_from_slice(token!(Uid));
        push_number(out, uid);
    }
    out.extend_from_slice(token!(Inode));
    push_number(out, socket.inode.map_or(0, std::num::NonZeroU32::get));
    if let Some(cookie) = socket.cookie {
        out.extend_from_slice(token!(Cookie));
        push_hex(out, cookie.get());
    }
}

/// ` cgroup:PATH`, nothing where the kernel keeps none.
pub fn push_cgroup(out: &mut Vec<u8>, row: &Row<'_>) {
    let Some(id) = row.socket.cgroup_id else { return };
    out.extend_from_slice(token!(Cgroup));
    match row.context.names.cgroups.get(&id.get()) {
        Some(path) => escape::push_also(out, path.as_bytes(), |c| c == ' '),
        None => {
            out.extend_from_slice(b"unreachable:");
            push_hex(out, id.get());
        }
    }
}

/// ` <->`, with a dash in the place of each direction that was shut down.
fn push_arrows(out: &mut Vec<u8>, shutdown: Option<Shutdown>) {
    if let Some(shutdown) = shutdown {
        out.push(b' ');
        out.push(if shutdown.receive() { b'-' } else { b'<' });
        out.push(b'-');
        out.push(if shutdown.send() { b'-' } else { b'>' });
    }
}

/// What ss says of netlink sockets: addresses in the kernel, which only /proc tells (hashed), and the first 32 groups.
fn push_netlink_extended(out: &mut Vec<u8>, pair: &NetlinkPair) {
    out.extend_from_slice(b" sk=0 cb=0");
    out.extend_from_slice(token!(NetlinkGroups));
    let groups = pair
        .groups
        .iter()
        .filter_map(|group| 1u32.checked_shl(group.checked_sub(1)?))
        .fold(0, |bits, bit| bits | bit);
    for shift in (0..32).step_by(4).rev() {
        push_hex(out, groups >> shift & 15);
    }
}

fn push_unix_extended(out: &mut Vec<u8>, socket: &Socket, pair: &UnixPair) {
    push_arrows(out, socket.shutdown);
    if let Some(file) = pair.file {
        out.extend_from_slice(b" ino:");
        push_number(out, file.inode);
        out.extend_from_slice(b" dev:");
        push_number(out, file.device >> 20);
        out.push(b'/');
        push_number(out, file.device & 0xf_ffff);
    }
    if socket.is_listener() {
        out.extend_from_slice(b" peers:");
        for inode in &pair.pending {
            out.push(b' ');
            push_number(out, *inode);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TimerKind;

    #[test]
    fn timers_are_written_as_ss_writes_them() {
        let timer = |ms| {
            let mut out = Vec::new();
            push_timer(
                &mut out,
                Some(Timer {
                    kind: TimerKind::Keepalive,
                    expires_ms: Some(ms),
                    retransmits: 2,
                }),
            );
            String::from_utf8(out).unwrap()
        };
        for (ms, text) in [
            (119 * 60_000, "119min"),
            (90_000, "1min30sec"),
            (120_000, "2min"),
            (600_000 + 5000, "10min"),
            (12_345, "12sec"),
            (9_501, "9.501sec"),
            (9_000, "9sec"),
            (3, "003ms"),
            (0, ""),
        ] {
            assert_eq!(timer(ms), format!(" timer:(keepalive,{text},2)"));
        }
    }
}
