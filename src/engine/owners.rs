//! Finds the holders of sockets: with the kernel's BPF iterator if it is permitted and worthwhile, otherwise by the
//! walk over /proc.

use std::borrow::Cow;
use std::io;
use std::num::NonZeroU32;
use std::time::Duration;

use super::Request;
use super::join::Others;
use super::resolve::resolve_owners;
use crate::model::request::OwnersBy;
use crate::model::{Gap, Holder, HolderTable, Owners, Protocol, Stash};
use crate::source::proc::ProcRoot;
use crate::source::proc::holders::{Look, Walk, crowded_processes, has_descriptors, walk, walk_if_few};
use crate::source::{bpf, namespaces, tape};

/// With fewer descriptors than this, walking over /proc is faster: two threads walk over this many in the millisecond
/// that it takes to set up the iterator.
const WORTH_IT_DESCRIPTORS: u64 = 2000;
/// With at least this many descriptors in total and per process, attaching to each process separately pays off.
const CROWDED_DESCRIPTORS: u64 = 20_000;
const CROWDED_DESCRIPTORS_EACH: u64 = 100;

/// How owners were found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum How {
    /// They were not searched for.
    #[default]
    NotLooked,
    /// With the BPF iterator: its set-up time, and how many records it returned.
    Bpf(Duration, u64),
    /// By walking over /proc, and why.
    Walk(String),
}

/// The result of a scan.
#[derive(Debug)]
pub struct Scan {
    /// The holders, and how many processes could not be read.
    pub walk: Walk,
    /// How they were found.
    pub how: How,
}

/// Returns the request, without owners if it is replayed from a recording that has none.
pub fn unless_recorded<'a>(request: &'a Request, gaps: &mut Vec<Gap>) -> Cow<'a, Request> {
    if !request.owners || tape::fact("owners", || true) {
        return Cow::Borrowed(request);
    }
    let loss = Gap::loss("not-recorded", "the recording has no owners");
    gaps.push(loss.with_remedy("record a run with owners (-p)"));
    Cow::Owned(Request {
        owners: false,
        ..request.clone()
    })
}

/// Finds the owners of a few rows and of the sockets at their other ends, and reports how. Only these sockets are
/// searched for, and there is no search at all if no row can have an owner.
///
/// # Errors
/// If the root of /proc cannot be listed.
pub(super) fn owners_of(
    request: &Request,
    root: &ProcRoot,
    rows: &Stash,
    others: &Others,
) -> io::Result<(Owners, How)> {
    let mut wanted: Vec<u32> = rows
        .heads()
        .filter(|head| !head.of_kernel)
        .filter_map(|head| head.inode)
        .map(NonZeroU32::get)
        .collect();
    wanted.extend(&others.inodes);
    wanted.sort_unstable();
    let mut found = if wanted.is_empty() {
        Scan {
            walk: Walk::default(),
            how: How::NotLooked,
        }
    } else {
        scan(request, root, Some(&wanted))?
    };
    let holders = HolderTable::new(std::mem::take(&mut found.walk.holders));
    let dumps = [&request.dumps[..], &request.others].concat();
    let owners = resolve_owners(root, &request.views, &dumps, rows, others, holders, &found.walk);
    Ok((owners, found.how))
}

/// Finds the holders of these inodes (sorted), or of every socket that the request can show.
///
/// # Errors
/// If the root of /proc cannot be listed.
pub fn scan(request: &Request, root: &ProcRoot, wanted: Option<&[u32]>) -> io::Result<Scan> {
    let look = Look {
        wanted,
        thorough: None,
    };
    let why = match request.owners_by {
        OwnersBy::Proc => "requested".to_owned(),
        _ if root.is_given() => "--proc-root is given".to_owned(),
        by => {
            // Counting descriptors first costs up to a tenth of a walk. It is skipped where a dump may be big, because
            // many descriptors are likely then.
            let likely_many = !request.is_small() && has_descriptors(root, WORTH_IT_DESCRIPTORS);
            if by == OwnersBy::Auto
                && !likely_many
                && let Some(walk) = walk_if_few(root, look, WORTH_IT_DESCRIPTORS)?
            {
                let how = How::Walk("few descriptors are open".to_owned());
                return Ok(Scan { walk, how });
            }
            match by_bpf(request, root, wanted) {
                Ok(scan) => return Ok(scan),
                Err(refusal) => refusal.to_string(),
            }
        }
    };
    Ok(Scan {
        walk: walk(root, look)?,
        how: How::Walk(why),
    })
}

fn by_bpf(request: &Request, root: &ProcRoot, wanted: Option<&[u32]>) -> Result<Scan, bpf::Refusal> {
    let mut holders = Vec::new();
    let narrow = bpf::Wanted {
        listeners_only: request.is_listeners_only(),
        narrow: narrow(request),
        facts: false,
    };
    let mut take = |record: &bpf::Record| {
        if wanted.is_none_or(|wanted| wanted.binary_search(&record.inode).is_ok()) {
            holders.push(Holder {
                inode: record.inode,
                pid: record.pid,
                fd: record.fd,
                tid: record.tid,
            });
        }
    };
    // If nothing else runs meanwhile, and few processes have many descriptors each, all cores search at once.
    let crowded = if request.is_small() && namespaces::proc_is_ours() && bpf::visits_all_threads() {
        crowded_processes(root, CROWDED_DESCRIPTORS, CROWDED_DESCRIPTORS_EACH)
    } else {
        None
    };
    let shared = crowded.and_then(|pids| bpf::holders_of(&pids, narrow, &mut take).ok());
    let stats = match shared {
        Some(stats) => stats,
        None => bpf::holders(narrow, &mut take)?,
    };
    // The iterator skips no process. What only /proc reports (io_uring files, descriptors in flight) is read only if a
    // socket remains without a holder.
    let walk = Walk {
        holders,
        ..Walk::default()
    };
    Ok(Scan {
        walk,
        how: How::Bpf(stats.set_up, stats.records),
    })
}

/// Returns how far the iterator can be narrowed for the protocols of the request.
fn narrow(request: &Request) -> bpf::Narrow {
    if request.dumps.is_empty() {
        return bpf::Narrow::Any;
    }
    let all = |test: fn(Protocol) -> bool| request.dumps.iter().all(|dump| test(dump.protocol));
    if all(Protocol::is_tcp) {
        bpf::Narrow::Tcp
    } else if all(|protocol| matches!(protocol, Protocol::Udp | Protocol::Udplite | Protocol::Icmp)) {
        bpf::Narrow::Udp
    } else if all(|protocol| protocol == Protocol::Unix) {
        bpf::Narrow::Unix
    } else if all(|protocol| protocol.is_inet() && protocol != Protocol::Smc) {
        bpf::Narrow::Inet
    } else {
        bpf::Narrow::Any
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{Proc, codes, tcp};
    use super::*;
    use crate::model::request::Dump;
    use crate::model::{State, StateSet};
    use crate::source::tape::format::Kind;
    use crate::source::tape::testing::{record, replaying};

    fn request(protocols: &[Protocol], states: StateSet) -> Request {
        Request {
            dumps: protocols
                .iter()
                .map(|protocol| Dump::new(*protocol, states))
                .collect(),
            ..Request::default()
        }
    }

    #[test]
    fn the_iterator_is_asked_for_no_more_than_the_dumps_can_show() {
        let narrowed = |protocols: &[Protocol]| narrow(&request(protocols, StateSet::ALL));
        assert_eq!(narrowed(&[Protocol::Tcp, Protocol::Mptcp]), bpf::Narrow::Tcp);
        assert_eq!(narrowed(&[Protocol::Udp]), bpf::Narrow::Udp);
        assert_eq!(narrowed(&[Protocol::Tcp, Protocol::Udp]), bpf::Narrow::Inet);
        assert_eq!(narrowed(&[Protocol::Unix]), bpf::Narrow::Unix);
        assert_eq!(narrowed(&[Protocol::Unix, Protocol::Tcp]), bpf::Narrow::Any);
        assert_eq!(narrowed(&[]), bpf::Narrow::Any, "sockets known only by inode");
    }

    #[test]
    fn the_iterator_is_narrowed_to_listeners_if_nothing_else_is_shown() {
        let listeners = StateSet::of(State::Listen);
        assert!(request(&[Protocol::Tcp], listeners).is_listeners_only());
        assert!(!request(&[Protocol::Tcp], StateSet::ALL).is_listeners_only());
        assert!(!request(&[Protocol::Unix], listeners).is_listeners_only());
        assert!(!request(&[], listeners).is_listeners_only());
    }

    #[test]
    fn a_recording_without_owners_is_replayed_without_them_and_with_a_gap() {
        let request = Request {
            owners: true,
            ..request(&[Protocol::Tcp], StateSet::ALL)
        };
        let recorded = |has_owners: bool, asked: bool| {
            let fact = record(Kind::Fact, "owners", &has_owners);
            let request = Request {
                owners: asked,
                ..request.clone()
            };
            let mut gaps = Vec::new();
            let owners = replaying(vec![fact], || unless_recorded(&request, &mut gaps).owners);
            (owners, codes(&gaps))
        };
        assert_eq!(recorded(true, true), (true, vec![]));
        assert_eq!(recorded(false, true), (false, vec!["not-recorded"]));
        assert_eq!(recorded(false, false), (false, vec![]));
    }

    #[test]
    fn the_reason_for_walking_is_reported() {
        let proc = Proc::new("why-walk").process(7, "seven", &[80]);
        let root = ProcRoot::given(proc.path().to_owned());
        for (owners_by, why) in [
            (OwnersBy::Proc, "requested"),
            (OwnersBy::Auto, "--proc-root is given"),
            (OwnersBy::Bpf, "--proc-root is given"),
        ] {
            let request = Request {
                owners_by,
                ..Request::default()
            };
            let scan = scan(&request, &root, None).unwrap();
            assert_eq!(scan.how, How::Walk(why.to_owned()));
            assert_eq!(scan.walk.holders.len(), 1);
        }
    }

    #[test]
    fn only_the_inodes_of_a_few_rows_are_searched_for() {
        let proc = Proc::new("few").process(7, "seven", &[80, 81, 82]);
        let root = ProcRoot::given(proc.path().to_owned());
        let request = proc.request(tcp(&[State::Listen]));
        let looked = |inodes: &[u32], others: &[u32]| {
            let mut stash = Stash::default();
            for inode in inodes {
                stash.push(&crate::model::Socket {
                    inode: NonZeroU32::new(*inode),
                    ..crate::query::samples::tcp("::", 80, "::", 0, State::Listen)
                });
            }
            let others = Others {
                inodes: others.to_vec(),
                queued: false,
            };
            let (owners, how) = owners_of(&request, &root, &stash, &others).unwrap();
            let held = owners.holders().all().iter().map(|holder| holder.inode);
            (held.collect::<Vec<_>>(), how != How::NotLooked)
        };
        assert_eq!(looked(&[0], &[]), (vec![], false));
        assert_eq!(looked(&[82], &[80]), (vec![80, 82], true));
        assert_eq!(looked(&[0], &[81]), (vec![81], true));
    }
}
