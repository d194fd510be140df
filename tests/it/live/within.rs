//! Runs the library's engine inside the namespace of live sockets: a thread enters it, and the threads that it starts
//! are in it.

use std::fs::File;
use std::os::fd::AsFd as _;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use sockstat::cli::ListArgs;
use sockstat::engine::Request;
use sockstat::engine::{Captured, Sink, stream};
use sockstat::model::Socket;
use sockstat::model::request::Dump;
use sockstat::model::{Context, Owners, Row};
use sockstat::plan::{ListPlan, Place};
use sockstat::query::{FilterError, Mode, Parsed, parse};
use sockstat::source::lookup;
use sockstat::source::proc::ProcRoot;

use super::enter::is_root;
use super::sockets::Sockets;
use crate::skip::skip;

/// Runs `work` on a thread inside the namespace. Skips and returns `None` for an ordinary user.
#[track_caller]
pub(crate) fn within<T: Send>(sockets: &Sockets, work: impl FnOnce() -> T + Send) -> Option<T> {
    if !is_root() {
        skip("only root can enter a network namespace with one thread");
        return None;
    }
    let netns = File::open(format!("/proc/{}/ns/net", sockets.pid)).unwrap();
    let result = std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            move_into_link_name_space(netns.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
            work()
        });
        thread.join()
    });
    match result {
        Ok(value) => Some(value),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// A filter with its names looked up, no filter for the empty text; or what is wrong with it.
pub(crate) fn filter(text: &str) -> Result<Parsed, FilterError> {
    let words: Vec<String> = if text.is_empty() {
        Vec::new()
    } else {
        vec![text.to_owned()]
    };
    let mut parsed = parse(&words, Mode::List)?;
    if let Some(expr) = parsed.expr.take() {
        let found = lookup::find(expr.names(), &ProcRoot::default());
        parsed.expr = Some(expr.resolve(&found)?);
    }
    Ok(parsed)
}

/// What the program plans for these options and this filter.
pub(crate) fn plan(options: &[&str], filter: Parsed) -> Request {
    use clap::Parser as _;
    let args = ListArgs::try_parse_from(["sockstat"].iter().chain(options)).unwrap();
    ListPlan::new(&args, filter, &Place::default()).unwrap().capture
}

/// Runs a plan and returns each of its rows through `tell`, sorted.
pub(crate) fn rows<T: Ord + Send>(plan: &Request, tell: fn(&Row<'_>) -> T) -> (Vec<T>, Captured) {
    let sink = Told {
        tell,
        rows: Vec::new(),
    };
    let (sink, captured) = stream(plan, sink).unwrap();
    let mut rows = sink.rows;
    rows.sort();
    (rows, captured)
}

/// One request for each family instead of one for both.
pub(crate) fn by_family(dumps: &[Dump]) -> Vec<Dump> {
    let of = |dump: &Dump, v4: bool| Dump {
        v4: dump.v4 && v4,
        v6: dump.v6 && !v4,
        ..dump.clone()
    };
    let split = |dump: &Dump| {
        if dump.protocol.is_inet() {
            vec![of(dump, true), of(dump, false)]
        } else {
            vec![dump.clone()]
        }
    };
    dumps.iter().flat_map(split).collect()
}

struct Told<T> {
    tell: fn(&Row<'_>) -> T,
    rows: Vec<T>,
}

impl<T: Send> Sink for Told<T> {
    fn take(
        &mut self,
        sockets: &mut [Socket],
        owners: &Owners,
        context: &Context,
    ) -> std::ops::ControlFlow<()> {
        self.rows.extend(sockets.iter().map(|socket| {
            (self.tell)(&Row {
                socket,
                ownership: owners.of(socket),
                context,
            })
        }));
        std::ops::ControlFlow::Continue(())
    }
}
