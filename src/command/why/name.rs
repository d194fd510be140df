//! `why` for a unix name.

use super::{How, unseen};
use crate::cli::WhyArgs;
use crate::command::caller::Caller;
use crate::command::read::{holders, processes, snapshot};
use crate::command::{losses, out};
use crate::diagnose::bind::Outcome;
use crate::diagnose::bind::cure::typed_by;
use crate::diagnose::bind::holders::Holders;
use crate::diagnose::bind::json::{Rows, unix as document};
use crate::diagnose::bind::systemd::Listen;
use crate::diagnose::bind::unix::facts::{UnixFacts, is_abstract, printable};
use crate::diagnose::bind::unix::judge::judge;
use crate::diagnose::bind::unix::text;
use crate::exit::Exit;
use crate::model::Context;
use crate::model::request::OwnersBy;
use crate::model::unix_path::{FileKind, Target};
use crate::model::{Socket, SocketType};
use crate::source::{tape, unix_paths};

/// Reads who holds the name, judges and prints.
pub(super) fn answer(args: &WhyArgs, how: How, caller: &Caller, name: Vec<u8>) -> anyhow::Result<Exit> {
    let uid = how.uid;
    let path = (!is_abstract(&name)).then(|| unix_paths::look(&name, uid == tape::euid()));
    let (snapshot, context, sockets) = sockets_of(&name, how.owners_by);
    let is_socket = path
        .as_ref()
        .is_some_and(|path| path.target == Target::File(FileKind::Socket));
    let is_bound = (is_socket && sockets.is_empty() && !args.no_probe)
        .then(|| unix_paths::is_bound(&name))
        .flatten();
    let facts = UnixFacts {
        name,
        kind: if args.udp {
            SocketType::Dgram
        } else {
            SocketType::Stream
        },
        uid,
        path,
        is_bound,
        sockets,
    };
    let mut verdict = judge(&facts);
    typed_by(&mut verdict.cures, caller.reader());
    let about = verdict.socket.and_then(|at| facts.sockets.get(at));
    let unseen = unseen(about.map(|(_, holders)| holders), caller);
    let mut gaps = snapshot.gaps.clone();
    if !how.quiet {
        out::complain(&losses::lines(&gaps));
        out::complain(&how.lines(&unseen));
    }
    gaps.extend(unseen);
    if how.json {
        let sockets = facts.sockets.iter();
        let ownership: Vec<_> = sockets.map(|(socket, _)| snapshot.owners.of(socket)).collect();
        let rows = Rows {
            context: &context,
            ownership: &ownership,
        };
        let version = env!("CARGO_PKG_VERSION");
        out::print(&document::render(&facts, &verdict, rows, &gaps, version))?;
    } else {
        let sudo = caller.sudo();
        let width = caller.text_width();
        let text = text::render(&facts, &verdict, tape::now(), sudo.as_deref(), width);
        out::print(text.as_bytes())?;
    }
    Ok(match verdict.bind {
        Outcome::Ok => Exit::Done,
        Outcome::Undecidable => Exit::Incomplete,
        Outcome::Fails(_) => Exit::Failed,
    })
}

/// The sockets bound to a name, and who holds them.
pub(in crate::command) fn sockets_of(
    name: &[u8],
    by: OwnersBy,
) -> (snapshot::Snapshot, Context, Vec<(Socket, Holders)>) {
    let mut snapshot = snapshot::read_unix(name);
    snapshot.find_owners(by);
    let sockets: Vec<Socket> = snapshot.existing.iter().map(|one| one.socket.clone()).collect();
    let owned = sockets
        .iter()
        .flat_map(|socket| snapshot.owners.of(socket).holders);
    let pids: Vec<u32> = owned.map(|holder| holder.pid).collect();
    let uids: Vec<u32> = sockets.iter().filter_map(|socket| socket.uid).collect();
    let context = processes::read(&pids, &uids);
    let shown = printable(name);
    let with_holders = |socket: Socket| {
        let ownership = snapshot.owners.of(&socket);
        let holders = holders::of_socket(
            &socket,
            &ownership,
            snapshot.owners.unseen(),
            &context,
            Listen::Unix(&shown),
        );
        (socket, holders)
    };
    let sockets = sockets.into_iter().map(with_holders).collect();
    (snapshot, context, sockets)
}
