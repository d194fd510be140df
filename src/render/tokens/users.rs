//! The holders of a socket (`-p`).

use crate::model::OwnerStatus;
use crate::model::Row;
use crate::render::escape;
use crate::render::text::push_number;
use crate::render::token::token;

/// What ss prints for each holder in addition to its name, process and descriptor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Users {
    /// `tid=T` (`-T`).
    pub threads: bool,
    /// `proc_ctx=C`, the security context of the process (`-Z`).
    pub contexts: bool,
    /// `sock_ctx=C`, the security context of the socket (`-z`).
    pub socket_contexts: bool,
}

/// ` users:(("NAME",pid=P,fd=F),…)`; empty without a known holder. With everything in `shown`:
/// `("NAME",pid=P,tid=T,proc_ctx=C,fd=F,sock_ctx=C)`.
///
/// A quote in a name is escaped, because a parser would take it as the end of the name.
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

/// A security context. SELinux contexts have no blanks or brackets; AppArmor's do: `/usr/sbin/ntpd (enforce)`.
fn push_context(out: &mut Vec<u8>, context: Option<&[u8]>) {
    match context {
        Some(context) => escape::push_also(out, context, |c| matches!(c, ' ' | '(' | ')' | '"')),
        None => out.extend_from_slice(b"unavailable"),
    }
}
