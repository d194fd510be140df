//! What `--tipcinfo` shows about a TIPC socket (iproute2 7.1 misc/ss.c, `tipc_show_sock`).

use super::text::push_number;
use crate::model::{Endpoints, Socket, SocketType};

/// Appends ` type:STREAM cong:none  drop:0 publ via {TYPE,INSTANCE}`, as far as it applies.
pub(super) fn push_info(out: &mut Vec<u8>, socket: &Socket) {
    let Endpoints::Tipc(pair) = &socket.endpoints else {
        return;
    };
    out.extend_from_slice(b" type:");
    let kind = socket.kind.map_or("", SocketType::name);
    out.extend(kind.bytes().map(|byte| byte.to_ascii_uppercase()));
    out.extend_from_slice(b" cong:");
    out.extend_from_slice(if pair.is_link_congested {
        b"link"
    } else if pair.is_connection_congested {
        b"conn"
    } else {
        b"none"
    });
    out.extend_from_slice(b"  drop:");
    push_number(out, socket.drops.unwrap_or(0));
    if pair.is_published {
        out.extend_from_slice(b" publ");
    }
    if let Some([kind, instance]) = pair.service {
        out.extend_from_slice(b" via {");
        push_number(out, kind);
        out.push(b',');
        push_number(out, instance);
        out.push(b'}');
    }
}
