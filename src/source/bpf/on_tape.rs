//! The iterator's records in recordings.

use super::{Facts, Narrow, Record, Refusal, Stats, Wanted};
use crate::model::Holder;
use crate::source::tape::codec::recordable;
use crate::source::tape::{self, format::Kind};

/// The iterator's records, or why it could not be used.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    records: Vec<Record>,
    stats: Option<Stats>,
    refusal: String,
}

/// The recording key of a run over all processes. The text is part of the recording format and does not follow names
/// in this code.
pub(super) fn key(wanted: Wanted) -> String {
    let narrow = match wanted.narrow {
        Narrow::Any => "Any",
        Narrow::Inet => "Inet",
        Narrow::Tcp => "Tcp",
        Narrow::Udp => "Udp",
        Narrow::Unix => "Unix",
    };
    let (listeners_only, facts) = (wanted.listeners_only, wanted.facts);
    format!("Wanted {{ listeners_only: {listeners_only}, narrow: {narrow}, facts: {facts} }}")
}

/// The recording key of a run over this many processes.
pub(super) fn key_of_processes(wanted: Wanted, count: usize) -> String {
    format!("{} of {count} processes", key(wanted))
}

/// Runs `live`, or returns what is recorded.
pub(super) fn holders(
    key: String,
    sink: &mut dyn FnMut(&Record),
    live: impl FnOnce(&mut dyn FnMut(&Record)) -> Result<Stats, Refusal>,
) -> Result<Stats, Refusal> {
    if tape::is_replaying() {
        let missing = || Refusal::Recorded("missing from the recording".to_owned());
        let outcome = tape::recorded::<Outcome>(Kind::Bpf, key).ok_or_else(missing)?;
        let stats = outcome.stats.ok_or(Refusal::Recorded(outcome.refusal))?;
        outcome.records.iter().for_each(sink);
        return Ok(stats);
    }
    if !tape::is_recording() {
        return live(sink);
    }
    let mut records = Vec::new();
    let result = live(&mut |record| {
        records.push(*record);
        sink(record);
    });
    let outcome = Outcome {
        records,
        stats: result.as_ref().ok().copied(),
        refusal: result.as_ref().err().map(ToString::to_string).unwrap_or_default(),
    };
    tape::write_down(Kind::Bpf, key, &outcome);
    result
}

/// In a replay, returns every holder that a recorded run of the iterator saw.
pub fn recorded_holders() -> Vec<Holder> {
    let outcomes = tape::all_recorded::<Outcome>(Kind::Bpf);
    let records = outcomes.iter().flat_map(|outcome| &outcome.records);
    let holder = |record: &Record| Holder {
        inode: record.inode,
        pid: record.pid,
        fd: record.fd,
        tid: record.tid,
    };
    records.map(holder).collect()
}

recordable!(Record {
    pid,
    tid,
    fd,
    inode,
    facts
});
recordable!(Facts {
    netns,
    reuseaddr,
    reuseport,
    v6only
});
recordable!(Stats {
    records,
    set_up,
    pid_namespace_level
});
recordable!(Outcome {
    records,
    stats,
    refusal
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_recordings_stay_as_they_were_in_version_1() {
        let narrow = [Narrow::Any, Narrow::Inet, Narrow::Tcp, Narrow::Udp, Narrow::Unix];
        let keys = narrow.map(|narrow| {
            key(Wanted {
                narrow,
                ..Wanted::default()
            })
        });
        let expected = ["Any", "Inet", "Tcp", "Udp", "Unix"]
            .map(|narrow| format!("Wanted {{ listeners_only: false, narrow: {narrow}, facts: false }}"));
        assert_eq!(keys, expected);
        let all = Wanted {
            listeners_only: true,
            narrow: Narrow::Tcp,
            facts: true,
        };
        assert_eq!(
            key_of_processes(all, 3),
            "Wanted { listeners_only: true, narrow: Tcp, facts: true } of 3 processes"
        );
    }
}
