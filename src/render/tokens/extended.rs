//! Identity and options (`-e`).

use super::place::push_cgroup;
use crate::model::Row;
use crate::model::other_ends::NetlinkPair;
use crate::model::{Endpoints, Shutdown, Socket, UnixPair};
use crate::render::packet;
use crate::render::text::{push_hex, push_number};
use crate::render::token::token;

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
        Endpoints::Tipc(_) | Endpoints::ProtocolOnly(_) => push_identity(out, socket),
        Endpoints::Netlink(pair) => push_netlink_extended(out, pair),
        // ss prints nothing for these.
        Endpoints::Vsock(_) => {}
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

/// ` <->`, with a dash for each direction that was shut down.
fn push_arrows(out: &mut Vec<u8>, shutdown: Option<Shutdown>) {
    if let Some(shutdown) = shutdown {
        out.push(b' ');
        out.push(if shutdown.receive() { b'-' } else { b'<' });
        out.push(b'-');
        out.push(if shutdown.send() { b'-' } else { b'>' });
    }
}

/// What ss prints for netlink sockets: kernel addresses, which only /proc reports (hashed), and the first 32 groups.
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
