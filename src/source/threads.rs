//! Starts threads that may be unavailable: when `ulimit -u` is reached, or in a full pids cgroup, the same work runs
//! on this thread.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, Scope, ScopedJoinHandle};

use tokio::sync::oneshot;

/// Starts a scoped thread; `None` if none is available, and `work` is dropped.
pub fn spawn_scoped<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: &str,
    work: impl FnOnce() -> T + Send + 'scope,
) -> Option<ScopedJoinHandle<'scope, T>> {
    #[cfg(test)]
    let work = super::tape::testing::inherited(work);
    let builder = Builder::new().name(name.to_owned());
    builder.spawn_scoped(scope, work).ok()
}

/// Runs `work` on a separate thread, which ends with the process at the latest; or on this one, before returning, if
/// none is available.
pub fn start(name: &str, work: impl FnOnce() + Send + 'static) {
    start_by(Builder::new().name(name.to_owned()), work);
}

fn start_by(builder: Builder, work: impl FnOnce() + Send + 'static) {
    let ours = Arc::new(Mutex::new(Some(work)));
    let theirs = Arc::clone(&ours);
    if builder.spawn(move || run(&theirs)).is_err() {
        run(&ours);
    }
}

fn run(work: &Mutex<Option<impl FnOnce()>>) {
    let work = work.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(work) = work {
        work();
    }
}

/// Waits for blocking work in asynchronous code; `None` if it panicked.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (sender, receiver) = oneshot::channel();
    start("blocking", move || {
        // The waiter may have given up.
        let _ = sender.send(work());
    });
    receiver.await.ok()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    #[test]
    fn work_is_done_without_a_thread_too() {
        // No address space has room for such a stack.
        for (stack_bytes, elsewhere) in [(64 * 1024, true), (usize::MAX / 4, false)] {
            let (sender, receiver) = mpsc::channel();
            start_by(Builder::new().stack_size(stack_bytes), move || {
                sender.send(thread::current().id()).unwrap();
            });
            assert_eq!(receiver.recv().unwrap() != thread::current().id(), elsewhere);
        }
    }
}
