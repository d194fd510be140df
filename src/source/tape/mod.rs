//! Recordings: files with everything that a run read, and runs that read such a file instead of the machine.
//!
//! Everything that `source` reads goes through [`note`] (files through [`super::disk`], netlink through [`netlink`]),
//! which either queries the machine, queries it and records the answer, or answers from a recording. The code above
//! does not know which. A process has one tape, set before anything is read, because a partial recording would be
//! useless.
//!
//! Answers are looked up by kind and key, and returned in the order in which they were recorded; the last one is
//! returned for all further lookups. What a recording lacks reads as "not found". A replay never falls back to the
//! machine, and is only as trustworthy as its file.

mod asked;
pub mod codec;
mod create;
pub mod format;
pub mod netlink;
mod replay;
pub mod ss;
#[cfg(test)]
pub(crate) mod testing;

use std::cell::Cell;
use std::collections::HashMap;
use std::fs::File;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::SystemTime;

pub use create::create;
pub use replay::Replay;

use super::callers_files;
use crate::model::time;
use codec::Recordable;
use format::{Damage, Kind};

/// The tape of this process. If there is none, the machine is queried and nothing is recorded.
static TAPE: OnceLock<Tape> = OnceLock::new();

thread_local! {
    /// Whether this thread is inside something that is recorded as a whole.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
    /// The network namespace that this thread entered; 0 if it is in that of the run.
    static NETNS: Cell<u64> = const { Cell::new(0) };
}

#[derive(Debug)]
enum Tape {
    Recording(Mutex<Recorder>),
    Replaying(Mutex<Replay>),
}

#[derive(Debug)]
struct Recorder {
    out: BufWriter<File>,
    records: u64,
    bytes: u64,
    /// In a recording of several looks, hashes of each key and its last answer: an unchanged answer is not written
    /// again.
    last: Option<HashMap<u64, u64>>,
    /// Whether the end record was written, after which late threads must write nothing.
    ended: bool,
    failed: Option<io::Error>,
}

/// The key of the fact that ends a look, in a recording of several.
const LOOK: &[u8] = b"look";

/// Returns a key as this thread looks it up: in another network namespace, the key includes that namespace.
fn here(key: &[u8]) -> Vec<u8> {
    match NETNS.get() {
        0 => key.to_vec(),
        netns => [format!("{NETNS_PREFIX}{netns}\n").as_bytes(), key].concat(),
    }
}

/// The separator before the number of a network namespace, in keys.
const NETNS_PREFIX: &str = "in net:";

/// Declares that this thread reads in the network namespace with this inode number from now on, and does not leave it.
pub fn in_netns(inode: u64) {
    NETNS.set(inode);
}

/// Reads what belongs to no network namespace, such as processes, whichever namespace this thread is in.
pub fn outside_netns<T>(read: impl FnOnce() -> T) -> T {
    let netns = NETNS.replace(0);
    let answer = read();
    NETNS.set(netns);
    answer
}

/// Returns `work` for a thread that reads on behalf of this one: in the same network namespace, and recorded in the same
/// way.
pub fn on_behalf<T>(work: impl FnOnce() -> T) -> impl FnOnce() -> T {
    let (netns, inside) = (NETNS.get(), INSIDE.get());
    #[cfg(test)]
    let work = testing::inherited(work);
    move || {
        NETNS.set(netns);
        INSIDE.set(inside);
        work()
    }
}

/// The tape of this process, or of the test if it has its own.
fn current() -> Option<&'static Tape> {
    #[cfg(test)]
    if let Some(tape) = testing::current() {
        return Some(tape);
    }
    TAPE.get()
}

/// Ignores poisoning: the values stay consistent even if a thread panics.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts recording everything that is read, in the file that [`create`] made.
///
/// # Errors
/// If the file cannot be written.
pub fn record_to(file: File) -> io::Result<()> {
    let mut out = BufWriter::new(file);
    format::write_header(&mut out)?;
    let recorder = Recorder {
        out,
        records: 0,
        bytes: 0,
        last: None,
        ended: false,
        failed: None,
    };
    // Set only once, by the run itself. A second tape would be a bug, and has no effect.
    let _ = TAPE.set(Tape::Recording(Mutex::new(recorder)));
    Ok(())
}

/// Starts answering everything from the file, as of the last look before or at the time `at`, or the last look of all.
///
/// # Errors
/// If it cannot be opened, is not a recording, is damaged, or has no look at that time.
pub fn replay_from(path: &Path, at: Option<&str>) -> Result<(), Damage> {
    let cannot = |error: io::Error| Damage(error.to_string());
    let mut replay = load(callers_files::open(path).map_err(cannot)?)?;
    if let Some(text) = at {
        let look = look_at(&replay, text)?;
        replay.turn_to(look);
    }
    let _ = TAPE.set(Tape::Replaying(Mutex::new(replay)));
    Ok(())
}

/// The last look at or before a time. A time without a date is on the day of the last look.
fn look_at(replay: &Replay, text: &str) -> Result<usize, Damage> {
    let looks: Vec<SystemTime> = replay.looks().collect();
    let (Some(first), Some(last)) = (looks.first(), looks.last()) else {
        let message =
            "it has a single look, so --at does not apply (sockstat watch --record FILE records many)";
        return Err(Damage(message.to_owned()));
    };
    let Some(wanted) = time::end_of(text, *last) else {
        return Err(Damage(format!("'{text}' is not a time")));
    };
    let at = looks.partition_point(|look| *look <= wanted);
    at.checked_sub(1).ok_or_else(|| {
        let [first, last] = [first, last].map(|look| time::Moment::in_seconds(*look).text());
        Damage(format!(
            "it has nothing from that time: it covers {first} to {last}"
        ))
    })
}

/// Reads a recording, or a file of `ss -D`.
///
/// # Errors
/// If it is neither, or damaged.
pub fn load(mut from: impl Read) -> Result<Replay, Damage> {
    let mut start = Vec::new();
    let magic_bytes = format::MAGIC.len() as u64;
    from.by_ref()
        .take(magic_bytes)
        .read_to_end(&mut start)
        .map_err(|error| Damage(error.to_string()))?;
    if start == format::MAGIC {
        let mut replay = Replay::default();
        match format::each_record(from, |record| replay.add(&record)) {
            // If a recording was cut short, the looks before that can still be used.
            Err(damage) if damage.is_truncation() && replay.time().is_some() => {}
            read => read?,
        }
        return Ok(replay.sorted());
    }
    let answer = ss::read(start.as_slice().chain(from))?;
    Ok(Replay::of([answer]))
}

/// Ends a recording and reports its errors; for a replay, how many of its answers could not be decoded.
///
/// # Errors
/// If the file could not be written in full.
pub fn finish() -> io::Result<u64> {
    match current() {
        None => Ok(0),
        Some(Tape::Replaying(replay)) => Ok(lock(replay).odd),
        Some(Tape::Recording(recorder)) => {
            let mut recorder = lock(recorder);
            if let Some(error) = recorder.failed.take() {
                return Err(error);
            }
            recorder.ended = true;
            let records = recorder.records;
            format::write_end(&mut recorder.out, records)?;
            recorder.out.flush().map(|()| 0)
        }
    }
}

/// Returns whether this process makes or replays a recording.
pub fn is_tape() -> bool {
    current().is_some()
}

/// Returns whether answers come from a recording.
pub fn is_replaying() -> bool {
    matches!(current(), Some(Tape::Replaying(_)))
}

/// Returns whether what is read here is recorded.
pub fn is_recording() -> bool {
    recorder().is_some()
}

/// The recorder, if this thread records.
fn recorder() -> Option<MutexGuard<'static, Recorder>> {
    match current() {
        Some(Tape::Recording(recorder)) if !INSIDE.get() => Some(lock(recorder)),
        _ => None,
    }
}

fn replay() -> Option<MutexGuard<'static, Replay>> {
    match current() {
        Some(Tape::Replaying(replay)) => Some(lock(replay)),
        _ => None,
    }
}

impl Recorder {
    fn write(&mut self, kind: Kind, key: &[u8], value: &[u8]) {
        let key = here(key);
        if let Some(last) = &mut self.last
            && !(kind == Kind::Netlink && asked::is_of_sockets(&key))
        {
            let hasher = BuildHasherDefault::<DefaultHasher>::default();
            let [key, value] = [hasher.hash_one((kind as u8, &key)), hasher.hash_one(value)];
            if last.insert(key, value) == Some(value) {
                return;
            }
        }
        self.append(kind, &key, value);
    }

    fn append(&mut self, kind: Kind, key: &[u8], value: &[u8]) {
        let bytes = self.bytes + (key.len() + value.len()) as u64 + RECORD_BYTES;
        // A reader would reject a longer file.
        let is_full = self.last.is_some() && bytes + RECORD_BYTES * 2 > format::FILE_BYTES_MAX;
        if self.failed.is_some() || self.ended || is_full {
            return;
        }
        self.bytes = bytes;
        self.records += 1;
        self.failed = format::write_record(&mut self.out, kind, key, value).err();
    }
}

/// An upper limit for the overhead of a record.
const RECORD_BYTES: u64 = 64;

/// Ends a look made at this time: a recording can contain several looks. Answers that have not changed since an earlier
/// look are not written again.
pub fn end_look(time: SystemTime) {
    if let Some(mut recorder) = recorder() {
        recorder.last.get_or_insert_default();
        recorder.append(Kind::Fact, LOOK, &codec::encoded(&time));
        // Flushed, so that an abrupt end loses only what comes after this look.
        if let Err(error) = recorder.out.flush() {
            recorder.failed.get_or_insert(error);
        }
    }
}

/// Reads without recording.
pub fn unrecorded<T>(read: impl FnOnce() -> T) -> T {
    let before = INSIDE.replace(true);
    let answer = read();
    INSIDE.set(before);
    answer
}

/// Records what is read, also within [`unrecorded`].
pub fn recorded_here<T>(read: impl FnOnce() -> T) -> T {
    let before = INSIDE.replace(false);
    let answer = read();
    INSIDE.set(before);
    answer
}

/// In a replay of several looks, when each was made.
pub fn looks() -> Vec<SystemTime> {
    replay().map_or_else(Vec::new, |replay| replay.looks().collect())
}

/// In a replay of several looks, answers from this look from now on.
pub fn turn_to(look: usize) {
    if let Some(mut replay) = replay() {
        replay.turn_to(look);
    }
}

/// In a replay, whether owners were searched for during the current look.
pub fn has_searched() -> bool {
    replay().is_some_and(|replay| replay.has_searched())
}

/// Queries the machine with `live`, and records the answer if this run is recorded; or answers from a recording.
///
/// What `live` itself reads is not recorded separately, because this answer covers it.
pub fn note<T: Recordable>(kind: Kind, key: impl AsRef<[u8]>, live: impl FnOnce() -> T) -> T {
    let Some(tape) = current() else {
        return live();
    };
    let key = key.as_ref();
    match tape {
        Tape::Replaying(replay) => lock(replay).answer(kind, key).unwrap_or_else(T::absent),
        Tape::Recording(_) if INSIDE.get() => live(),
        Tape::Recording(recorder) => {
            INSIDE.set(true);
            let value = live();
            INSIDE.set(false);
            lock(recorder).write(kind, key, &codec::encoded(&value));
            value
        }
    }
}

/// Records something that [`note`] cannot enclose. [`recorded`] reads it.
pub fn write_down<T: Recordable>(kind: Kind, key: impl AsRef<[u8]>, value: &T) {
    if let Some(mut recorder) = recorder() {
        recorder.write(kind, key.as_ref(), &codec::encoded(value));
    }
}

/// In a replay, returns what was recorded.
pub fn recorded<T: Recordable>(kind: Kind, key: impl AsRef<[u8]>) -> Option<T> {
    replay()?.answer(kind, key.as_ref())
}

/// Returns whether this is a replay whose recording lacks the fact.
pub fn lacks(fact: &str) -> bool {
    replay().is_some_and(|replay| !replay.has(Kind::Fact, fact.as_bytes()))
}

/// In a replay, returns everything of a kind, regardless of its key.
pub fn all_recorded<T: Recordable>(kind: Kind) -> Vec<T> {
    let Some(replay) = replay() else {
        return Vec::new();
    };
    replay
        .all(kind)
        .filter_map(|(_, value)| codec::decoded(value))
        .collect()
}

/// A fact, by name.
pub fn fact<T: Recordable>(name: &str, live: impl FnOnce() -> T) -> T {
    note(Kind::Fact, name, live)
}

/// The time.
pub fn now() -> SystemTime {
    let of_look = replay().and_then(|replay| replay.time());
    of_look.unwrap_or_else(|| fact("time", SystemTime::now))
}

/// The effective user id.
pub fn euid() -> u32 {
    fact("euid", || rustix::process::geteuid().as_raw())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_tape_the_machine_is_queried_each_time() {
        let mut asked = 0;
        for _ in 0..2 {
            asked += fact("a", || 1u32);
        }
        assert_eq!((asked, is_replaying()), (2, false));
    }

    #[test]
    fn a_thread_reads_in_the_namespace_of_the_thread_that_it_works_for() {
        let in_blue = [b"in net:7\n", &b"a"[..]].concat();
        in_netns(7);
        let (theirs, alone) = std::thread::scope(|scope| {
            let theirs = scope.spawn(on_behalf(|| here(b"a")));
            let alone = scope.spawn(|| here(b"a"));
            (theirs.join().unwrap(), alone.join().unwrap())
        });
        assert_eq!(
            (theirs, alone, here(b"a")),
            (in_blue.clone(), b"a".to_vec(), in_blue)
        );
        assert_eq!(outside_netns(|| here(b"a")), b"a");
        in_netns(0);
        let inside =
            unrecorded(|| std::thread::scope(|scope| scope.spawn(on_behalf(|| INSIDE.get())).join()));
        assert!(inside.unwrap());
        assert!(!unrecorded(|| recorded_here(|| INSIDE.get())) && unrecorded(|| INSIDE.get()));
    }
}
