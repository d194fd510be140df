//! Reports sockets that are, or would be, closed: rows with a word in front, sentences, or JSON. Pure.

use std::fmt::Write as _;

use super::act::Fate;
use super::protected::Protected;
use crate::model::Gap;
use crate::model::Row;
use crate::query::field::Field;
use crate::render::growing::with_word;
use crate::render::json::{self, push_gap, push_optional};
use crate::render::lines::Lines;
use crate::render::table::TableView;

/// The width of the first column: the longest word.
const WORD: usize = "not-permitted".len();
/// How many protected sockets are named one by one.
const PROTECTED_MAX: usize = 5;

/// What is reported about one socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// Nothing was done yet.
    WouldClose,
    /// It is left alone.
    Protected(Protected),
    /// An attempt was made to close it.
    Tried(Fate),
}

impl Said {
    /// The word in the output.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::WouldClose => "would-close",
            Self::Protected(_) => "spared",
            Self::Tried(fate) => fate.name(),
        }
    }

    /// Why it was not closed.
    fn reason(&self) -> Option<String> {
        match self {
            Self::Protected(why) => Some(why.reason()),
            Self::Tried(fate) => reason(*fate),
            Self::WouldClose => None,
        }
    }
}

fn reason(fate: Fate) -> Option<String> {
    Some(match fate {
        Fate::Closed | Fate::Gone => return None,
        Fate::NotPermitted => "CAP_NET_ADMIN is missing".to_owned(),
        Fate::NotSupported => "the kernel cannot close sockets of this protocol".to_owned(),
        Fate::TimeWaitNotSupported => {
            "this kernel cannot close sockets in time-wait; they end by themselves within a minute".to_owned()
        }
        Fate::NotReached => {
            "the kernel cannot find it by its addresses: it is only bound, or another socket receives what is sent to them"
                .to_owned()
        }
        Fate::Failed(errno) => std::io::Error::from_raw_os_error(errno).to_string(),
    })
}

/// The rows, each preceded by its status word.
pub fn rows<'a>(said: impl IntoIterator<Item = (&'a Said, Row<'a>)>, lines: &Lines) -> Vec<u8> {
    let mut out = Vec::new();
    let mut push = |word: &str, rest: &[u8]| {
        if !rest.is_empty() {
            out.extend_from_slice(format!("{word:WORD$} ").as_bytes());
            out.extend_from_slice(rest);
        }
    };
    let mut line = Vec::new();
    lines.push_header(&mut line);
    push("Result", &line);
    for (said, row) in said {
        line.clear();
        lines.push_row(&mut line, &row);
        push(said.word(), &line);
    }
    out
}

/// The table, with a column for the status words.
pub fn table<'a>(said: impl IntoIterator<Item = (&'a Said, Row<'a>)>, view: &TableView) -> String {
    with_word(
        "RESULT",
        said.into_iter().map(|(said, row)| (said.word(), row)),
        view,
    )
}

/// One JSON document, `sockstat-destroy/1`.
pub fn document<'a>(
    said: impl IntoIterator<Item = (&'a Said, Row<'a>)>,
    fields: &[Field],
    gaps: &[Gap],
    dry_run: bool,
) -> Vec<u8> {
    let mut out = format!(
        "{{\"schema\":\"sockstat-destroy/1\",\"version\":\"{}\",\"dry_run\":{dry_run},\"gaps\":[",
        env!("CARGO_PKG_VERSION")
    )
    .into_bytes();
    for (index, gap) in gaps.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        push_gap(&mut out, gap);
    }
    out.extend_from_slice(b"],\"sockets\":[");
    for (index, (said, row)) in said.into_iter().enumerate() {
        out.extend_from_slice(if index == 0 { b"\n" } else { b",\n" });
        out.extend_from_slice(format!("{{\"result\":\"{}\",\"reason\":", said.word()).as_bytes());
        push_optional(&mut out, said.reason().as_deref().map(str::as_bytes));
        out.extend_from_slice(b",\"socket\":");
        json::push_row(&mut out, &row, fields);
        out.push(b'}');
    }
    out.extend_from_slice(b"\n]}\n");
    out
}

/// Which sockets were protected, and how to close them anyway; then which failed, and the remedy. `sudo` is the command
/// to run with more privileges, for a user who is not root.
pub fn complaints<'a>(
    said: impl IntoIterator<Item = (&'a Said, Row<'a>)>,
    sudo: Option<&str>,
    dry_run: bool,
) -> String {
    let mut text = String::new();
    let mut protected = 0;
    let mut failed: Vec<(Fate, u64)> = Vec::new();
    for (said, row) in said {
        match said {
            Said::Protected(why) => {
                protected += 1;
                if protected <= PROTECTED_MAX {
                    push_protected(&mut text, why, &row);
                }
            }
            Said::Tried(fate) if !fate.is_done() => {
                match failed.iter_mut().find(|(known, _)| known == fate) {
                    Some((_, count)) => *count += 1,
                    None => failed.push((*fate, 1)),
                }
            }
            Said::WouldClose | Said::Tried(_) => {}
        }
    }
    if protected > PROTECTED_MAX {
        let _ = writeln!(text, "spared: {} more", protected - PROTECTED_MAX);
    }
    for (fate, count) in failed {
        let sockets = if count == 1 { "socket" } else { "sockets" };
        let why = reason(fate).unwrap_or_default();
        let _ = write!(text, "{count} {sockets} not closed: {why}");
        match (fate, sudo) {
            (Fate::NotPermitted, Some(command)) => {
                let _ = write!(text, ": sudo {command}");
            }
            (Fate::NotSupported, _) => {
                text.push_str(
                    ", or was built without CONFIG_INET_DIAG_DESTROY; `kill` ends the program instead",
                );
            }
            _ => {}
        }
        text.push('\n');
    }
    if dry_run {
        text.push_str("nothing was closed\n");
    }
    text
}

fn push_protected(text: &mut String, why: &Protected, row: &Row<'_>) {
    let Some(pair) = row.socket.inet() else { return };
    let end = |address, port| std::net::SocketAddr::new(address, port);
    let _ = write!(text, "spared: {}", end(pair.local_address, pair.local_port));
    let mut ways = Vec::new();
    if pair.peer_port != 0 {
        let _ = write!(text, " to {}", end(pair.peer_address, pair.peer_port));
        ways.push(format!("peer port (dport = :{})", pair.peer_port));
    }
    if let Some(holder) = row.ownership.holders.first() {
        ways.push(format!("pid (pid = {})", holder.pid));
    }
    let _ = write!(text, ", {}", why.reason());
    if !ways.is_empty() {
        let _ = write!(text, "; a filter that names its {} closes it", ways.join(" or "));
    }
    text.push('\n');
}
