//! Starts threads, which may fail: when `ulimit -u` is reached, or in a full pids cgroup, the work runs on this thread
//! instead. Reports the processor time of a thread, including that of its helpers.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, Scope, ScopedJoinHandle};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::sync::oneshot;

use super::tape;

thread_local! {
    /// Processor time of the scoped threads that this one started and that have ended, in nanoseconds.
    static HELPERS: Arc<AtomicU64> = Arc::default();
}

/// Returns the processor time of this thread so far, including that of scoped threads that it started and that have
/// ended.
pub fn cpu_time() -> Duration {
    let own = Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default();
    own + Duration::from_nanos(HELPERS.with(|helpers| helpers.load(Ordering::Relaxed)))
}

/// Starts a scoped thread that reads on behalf of this one. If no thread can be started, returns `None` and drops
/// `work`.
pub fn spawn_scoped<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: &str,
    work: impl FnOnce() -> T + Send + 'scope,
) -> Option<ScopedJoinHandle<'scope, T>> {
    let work = tape::on_behalf(work);
    let helpers = HELPERS.with(Arc::clone);
    let work = move || {
        let done = work();
        let nanoseconds = u64::try_from(cpu_time().as_nanos()).unwrap_or(u64::MAX);
        helpers.fetch_add(nanoseconds, Ordering::Relaxed);
        done
    };
    let builder = Builder::new().name(name.to_owned());
    builder.spawn_scoped(scope, work).ok()
}

/// Runs `work` on a separate thread, which ends with the process at the latest. If no thread can be started, runs it on
/// this one before returning.
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
        // The caller may have given up.
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
    fn the_time_of_helpers_counts_and_waiting_does_not() {
        let before = cpu_time();
        let spent = thread::scope(|scope| {
            let works = || {
                while cpu_time() < Duration::from_millis(20) {}
                thread::scope(|scope| spawn_scoped(scope, "nested", || {}).unwrap().join().unwrap());
                cpu_time()
            };
            spawn_scoped(scope, "works", works).unwrap().join().unwrap()
        });
        assert!(cpu_time() >= before + spent, "{spent:?}");
        let (sender, receiver) = mpsc::channel::<()>();
        let before = (cpu_time(), std::time::Instant::now());
        let waited = receiver.recv_timeout(Duration::from_millis(200));
        drop(sender);
        assert!(waited.is_err() && cpu_time() < before.0 + before.1.elapsed() / 2);
    }

    #[test]
    fn work_is_done_without_a_thread_too() {
        // A stack of this size fits into no address space.
        for (stack_bytes, elsewhere) in [(64 * 1024, true), (usize::MAX / 4, false)] {
            let (sender, receiver) = mpsc::channel();
            start_by(Builder::new().stack_size(stack_bytes), move || {
                sender.send(thread::current().id()).unwrap();
            });
            assert_eq!(receiver.recv().unwrap() != thread::current().id(), elsewhere);
        }
    }
}
