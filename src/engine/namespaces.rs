//! Reads sockets of several network namespaces, one namespace after the other.

use std::collections::BTreeSet;
use std::io;
use std::net::IpAddr;
use std::ops::ControlFlow;
use std::path::PathBuf;

use super::tables::Tables;
use crate::model::request::Dump;
use crate::model::{Gap, Socket};
use crate::source::netlink::channel::Channel;
use crate::source::netns::{Keeper, View, Views};
use crate::source::proc::ProcRoot;
use crate::source::system;
use crate::source::tape;

/// Like [`crate::source::netlink::dump::Emit`], but may be called on another thread.
type Emit<'a> = dyn FnMut(&mut [Socket]) -> ControlFlow<()> + Send + 'a;

/// How a namespace was read.
enum Read {
    Inside,
    /// Through the tables of a process in it.
    FromProc,
    /// Not at all.
    Refused(io::Error),
    /// It was removed meanwhile.
    Gone,
}

/// Reads the dumps in every namespace, and passes on the sockets, each with the index of its namespace. `emit` is
/// called in the namespace of the sockets, so that it can look up names there.
///
/// Returns what could not be read.
pub fn read(views: &Views, root: &ProcRoot, dumps: &[Dump], emit: &mut Emit<'_>) -> Vec<Gap> {
    read_and_hold(views, root, dumps, emit).0
}

/// The same, and also returns our own netlink sockets, which are among the sockets that were read.
pub(super) fn read_and_hold(
    views: &Views,
    root: &ProcRoot,
    dumps: &[Dump],
    emit: &mut Emit<'_>,
) -> (Vec<Gap>, Vec<Channel>) {
    if views.views.is_empty() {
        let mut tables = Tables::open(root);
        tables.read(dumps, emit);
        return tables.into_parts();
    }
    let gaps = on_a_thread(|| read_each(&views.views, dumps, emit)).unwrap_or_else(|error| {
        let message = format!("cannot start a thread to enter network namespaces: {error}");
        vec![Gap::loss("netns-closed", message)]
    });
    (gaps, Vec::new())
}

/// Returns the addresses in every namespace, without loopback and link-local ones. Namespaces that cannot be read
/// contribute none; [`read`] reports them.
pub fn addresses(views: &Views, root: &ProcRoot) -> BTreeSet<IpAddr> {
    if views.views.is_empty() {
        return system::addresses(root).into_iter().collect();
    }
    let of_view = |view: &View| match access_to(view) {
        Access::To(root, _) => system::addresses(&root),
        Access::None(_) => Vec::new(),
    };
    on_a_thread(|| views.views.iter().flat_map(of_view).collect()).unwrap_or_default()
}

/// Runs `work` in every namespace that can be entered. Returns the results, each with the index of its namespace.
///
/// # Errors
/// If a thread for it cannot be started.
pub fn in_each<T: Send>(views: &Views, work: impl Fn() -> T + Send + Sync) -> io::Result<Vec<(u32, T)>> {
    if views.views.is_empty() {
        return Ok(vec![(0, work())]);
    }
    on_a_thread(|| {
        let numbered = (0..).zip(views.views.iter());
        let entered = numbered.filter(|(_, view)| matches!(access_to(view), Access::To(_, Read::Inside)));
        entered.map(|(number, _)| (number, work())).collect()
    })
}

/// Runs `work` in the namespace with this index, if it can be entered.
pub(super) fn inside(views: &Views, number: u32, work: impl FnOnce() + Send) {
    let view = usize::try_from(number).ok().and_then(|at| views.views.get(at));
    if let Some(view) = view {
        // If no thread can be started, the namespace counts as one that cannot be entered.
        let _ = on_a_thread(|| match access_to(view) {
            Access::To(_, Read::Inside) => work(),
            Access::To(..) | Access::None(_) => {}
        });
    }
}

/// Returns the indices of namespaces that can no longer be entered.
pub fn gone(views: &Views) -> BTreeSet<u32> {
    let numbered = (0..).zip(views.views.iter());
    let gone = numbered.filter(|(_, view)| view.has_no_way());
    gone.map(|(number, _)| number).collect()
}

/// Runs code that enters namespaces, on a thread of its own: a pool's thread would stay in the wrong namespace.
fn on_a_thread<T: Send>(work: impl FnOnce() -> T + Send) -> io::Result<T> {
    std::thread::scope(|scope| {
        let traveller = std::thread::Builder::new().name("netns".into());
        let handle = traveller.spawn_scoped(scope, work)?;
        Ok(handle
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

fn read_each(views: &[View], dumps: &[Dump], emit: &mut Emit<'_>) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let mut from_proc = 0;
    let mut refused: Vec<(&View, io::Error)> = Vec::new();
    let (mut kept, mut kept_by_sockets) = (Vec::new(), Vec::new());
    // Our own namespace, if included, comes first, while this thread is still in it.
    for (number, view) in views.iter().enumerate() {
        let mut stopped = false;
        let mut marked = |sockets: &mut [Socket]| {
            for socket in &mut *sockets {
                socket.netns = u32::try_from(number).unwrap_or(u32::MAX);
            }
            let flow = emit(sockets);
            stopped = flow.is_break();
            flow
        };
        match read_one(view, dumps, &mut marked, &mut gaps) {
            Read::Inside | Read::Gone => {}
            Read::FromProc => from_proc += 1,
            Read::Refused(error) => match view.kept_by(&error) {
                Some((Keeper::Descriptor, path)) => kept.push((view, path)),
                Some((Keeper::Socket, path)) => kept_by_sockets.push((view, path)),
                None => refused.push((view, error)),
            },
        }
        if stopped {
            break;
        }
    }
    gaps.extend(gap_of_tables(from_proc));
    gaps.extend(gap_of_refused(&refused));
    gaps.extend(gap_of_kept(&kept));
    gaps.extend(gap_of_kept_by_sockets(&kept_by_sockets));
    gaps
}

/// How the tables of a namespace can be read, or why not.
enum Access {
    To(ProcRoot, Read),
    None(Read),
}

/// Enters a namespace with this thread, or finds a process in it whose tables can be read from outside.
fn access_to(view: &View) -> Access {
    let entered = if view.is_own {
        Ok(())
    } else {
        tape::in_netns(view.inode.unwrap_or_default());
        tape::fact("entered", || view.enter())
    };
    match (entered, view.pid) {
        (Ok(()), _) => Access::To(ProcRoot::default(), Read::Inside),
        (Err(error), _) if view.is_gone(&error) => Access::None(Read::Gone),
        (Err(_), Some(pid)) => Access::To(ProcRoot::of_process(pid), Read::FromProc),
        (Err(error), None) => Access::None(Read::Refused(error)),
    }
}

fn read_one(view: &View, dumps: &[Dump], emit: &mut Emit<'_>, gaps: &mut Vec<Gap>) -> Read {
    let (root, read) = match access_to(view) {
        Access::To(root, read) => (root, read),
        Access::None(read) => return read,
    };
    let mut tables = Tables::open(&root);
    tables.read(dumps, emit);
    // What is missing in every namespace is reported once.
    let new = tables.gaps.into_iter().filter(|gap| !gaps.contains(gap));
    let new: Vec<_> = new.collect();
    gaps.extend(new);
    read
}

fn gap_of_tables(count: u64) -> Option<Gap> {
    let message = format!(
        "{} read from /proc/PID/net, which lacks cookies, interfaces, backlogs, and TCP sockets that are only bound",
        if count == 1 {
            "1 network namespace could not be entered and was".to_owned()
        } else {
            format!("{count} network namespaces could not be entered and were")
        }
    );
    (count > 0).then(|| Gap::loss("netns-from-proc", message).with_count(count))
}

fn gap_of_kept(kept: &[(&View, PathBuf)]) -> Option<Gap> {
    let (_, descriptor) = kept.first()?;
    let message = match kept {
        [(view, _)] => format!(
            "1 network namespace was not read, because only descriptors lead to it ({})",
            view.title()
        ),
        _ => format!(
            "{} network namespaces were not read, because only descriptors lead to them",
            kept.len()
        ),
    };
    let gap = Gap::loss("netns-kept", message).with_count(kept.len() as u64);
    Some(gap.with_remedy(format!("-N {} reads it", descriptor.display())))
}

fn gap_of_kept_by_sockets(kept: &[(&View, PathBuf)]) -> Option<Gap> {
    let (view, socket) = kept.first()?;
    let socket = socket.display();
    let message = match kept {
        [_] => format!(
            "1 network namespace was not read, because only sockets lead to it ({}, {socket})",
            view.title()
        ),
        _ => format!(
            "{} network namespaces were not read, because only sockets lead to them ({socket}, …)",
            kept.len()
        ),
    };
    Some(Gap::loss("netns-kept", message).with_count(kept.len() as u64))
}

fn gap_of_refused(refused: &[(&View, io::Error)]) -> Option<Gap> {
    const NAMED_MAX: usize = 3;
    let (_, error) = refused.first()?;
    let titles: Vec<_> = refused
        .iter()
        .take(NAMED_MAX)
        .map(|(view, _)| view.title())
        .collect();
    let more = if refused.len() > NAMED_MAX { ", …" } else { "" };
    let message = format!(
        "cannot enter {} ({}{more}): {error}",
        if refused.len() == 1 {
            "1 network namespace".to_owned()
        } else {
            format!("{} network namespaces", refused.len())
        },
        titles.join(", ")
    );
    Some(Gap::loss("netns-closed", message).with_count(refused.len() as u64))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn view(name: &str) -> View {
        View {
            name: Some(name.to_owned()),
            inode: Some(1),
            ways: vec![Path::new("/nonexistent").into()],
            ..View::default()
        }
    }

    #[test]
    fn all_namespaces_that_cannot_be_entered_are_one_gap() {
        let views = Views {
            views: ["a", "b", "c", "d"].map(view).into(),
            gaps: Vec::new(),
        };
        let gaps = read(&views, &ProcRoot::default(), &[], &mut |_| {
            ControlFlow::Continue(())
        });
        assert_eq!(gaps.len(), 1, "{gaps:?}");
        assert_eq!((gaps[0].code, gaps[0].count), ("netns-closed", Some(4)));
        assert!(gaps[0].message.contains("(a, b, c, …)"), "{}", gaps[0].message);
    }

    #[test]
    fn a_namespace_kept_only_by_a_descriptor_is_a_gap_with_its_path() {
        let kept = View {
            inode: Some(7),
            ways: vec![crate::source::netns::Way::Descriptor("/proc/812/fd/5".into())],
            ..View::default()
        };
        let gaps = read_each(&[kept], &[], &mut |_| ControlFlow::Continue(()));
        let [gap] = gaps.as_slice() else {
            panic!("{gaps:?}")
        };
        assert_eq!((gap.code, gap.count), ("netns-kept", Some(1)));
        assert!(gap.message.contains("net:[7]"), "{}", gap.message);
        assert_eq!(gap.remedy.as_deref(), Some("-N /proc/812/fd/5 reads it"));
    }

    #[test]
    fn what_only_sockets_keep_is_a_gap_with_one_of_them() {
        let kept = |inode| View {
            inode: Some(inode),
            ways: vec![crate::source::netns::Way::Socket("/proc/812/fd/5".into())],
            ..View::default()
        };
        let views = [kept(7), kept(8)];
        for (views, wanted) in [
            (&views[..1], "only sockets lead to it (net:[7], /proc/812/fd/5)"),
            (&views, "only sockets lead to them (/proc/812/fd/5, …)"),
        ] {
            let gaps = read_each(views, &[], &mut |_| ControlFlow::Continue(()));
            let [gap] = gaps.as_slice() else {
                panic!("{gaps:?}")
            };
            assert_eq!((gap.code, gap.count), ("netns-kept", Some(views.len() as u64)));
            assert!(gap.message.ends_with(wanted), "{}", gap.message);
            assert_eq!(gap.remedy, None);
        }
    }
}
