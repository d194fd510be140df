//! Runs calls that may never return, on threads that can be abandoned, with one deadline for all.

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Time limit for calls made one after another, if no thread can be started.
const ALONE_WITHIN: Duration = Duration::from_secs(2);

/// The result of a batch of calls.
#[derive(Debug, Clone)]
pub struct Answers<K, V> {
    /// The answers that arrived in time.
    pub found: BTreeMap<K, V>,
    /// How many calls did not return in time.
    pub late: usize,
}

/// Makes a call for each key on up to `threads` threads and returns the answers that arrive before the deadline. An
/// answer of `None` counts as in time, but is omitted. Threads that are still waiting end with the process.
pub fn ask<K, V, F>(keys: Vec<K>, threads: usize, within: Duration, ask: F) -> Answers<K, V>
where
    K: Ord + Send + 'static,
    V: Send + 'static,
    F: Fn(&K) -> Option<V> + Send + Sync + 'static,
{
    let deadline = Instant::now() + within;
    ask_while(keys, threads, ask, |answers| {
        let left = deadline.saturating_duration_since(Instant::now());
        answers.recv_timeout(left).ok()
    })
}

/// Makes a call for each key on up to `threads` threads, and takes answers as long as `next` returns one.
fn ask_while<K, V, F>(
    keys: Vec<K>,
    threads: usize,
    ask: F,
    mut next: impl FnMut(&mpsc::Receiver<(K, Option<V>)>) -> Option<(K, Option<V>)>,
) -> Answers<K, V>
where
    K: Ord + Send + 'static,
    V: Send + 'static,
    F: Fn(&K) -> Option<V> + Send + Sync + 'static,
{
    let total = keys.len();
    let mut answers = Answers {
        found: BTreeMap::new(),
        late: 0,
    };
    if total == 0 {
        return answers;
    }
    let work = Arc::new(Mutex::new(keys.into_iter()));
    let ask = Arc::new(ask);
    let (sender, receiver) = mpsc::channel();
    let mut started = 0;
    for _ in 0..threads.min(total) {
        let (work, ask, sender) = (Arc::clone(&work), Arc::clone(&ask), sender.clone());
        // If a thread cannot be started, the others take over its share.
        let thread = std::thread::Builder::new()
            .name("asks".into())
            .stack_size(256 * 1024)
            .spawn(move || {
                loop {
                    let Some(key) = work.lock().ok().and_then(|mut work| work.next()) else {
                        return;
                    };
                    let answer = ask(&key);
                    if sender.send((key, answer)).is_err() {
                        return;
                    }
                }
            });
        started += usize::from(thread.is_ok());
    }
    // If there is no thread at all, this one makes the calls, and checks the clock after each.
    let begun = Instant::now();
    while started == 0
        && begun.elapsed() < ALONE_WITHIN
        && let Some(key) = work.lock().ok().and_then(|mut work| work.next())
    {
        let answer = ask(&key);
        // Cannot fail: we own the receiver.
        let _ = sender.send((key, answer));
    }
    drop(sender);
    let mut answered = 0;
    while answered < total {
        let Some((key, answer)) = next(&receiver) else {
            break;
        };
        answered += 1;
        answers.found.extend(answer.map(|answer| (key, answer)));
    }
    answers.late = total - answered;
    answers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocked_calls_delay_by_one_deadline() {
        let (release, gate) = mpsc::channel::<()>();
        let gate = Mutex::new(gate);
        let question = move |key: &u32| {
            if *key == 3 {
                return Some("quick".to_owned());
            }
            let _ = gate.lock().map(|gate| gate.recv());
            None
        };
        // The deadline expires after the first answer.
        let mut in_time = 1..=1;
        let answers = ask_while((0..10).collect(), 10, question, |receiver| {
            in_time.next().and_then(|_| receiver.recv().ok())
        });
        drop(release);
        assert_eq!(answers.found, BTreeMap::from([(3, "quick".to_owned())]));
        assert_eq!(answers.late, 9);
    }

    #[test]
    fn without_keys_no_call_is_made() {
        let answers = ask(Vec::<u32>::new(), 4, Duration::ZERO, |_| Some(()));
        assert_eq!((answers.found.len(), answers.late), (0, 0));
    }
}
