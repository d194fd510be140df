//! The programs view: sockets grouped by holder, or by another field of `--by`.

use std::collections::{BTreeMap, BTreeSet};

use super::data::Data;
use crate::model::{OwnerStatus, Row, State};
use crate::query::field::{Field, Value};
use crate::query::group::GroupKey;
use crate::render::escape;
use crate::render::text::written;
use crate::render::word::push_word;

/// The fields to group by, which `b` cycles through.
pub(super) const BY: &[Field] = &[
    Field::Process,
    Field::Pid,
    Field::User,
    Field::Unit,
    Field::Container,
    Field::PeerAddress,
    Field::State,
    Field::LocalPort,
];

/// A row.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// The value that its sockets have in common, as shown.
    pub name: String,
    /// The processes that hold them.
    pub pids: BTreeSet<u32>,
    /// Whether they are grouped by program, which has the pid of its topmost process beside its name.
    pub is_program: bool,
    /// How many sockets it has.
    pub sockets: usize,
    /// How many of them listen, are established, and are in CLOSE-WAIT.
    pub states: [usize; 3],
    /// Bytes per second, received and sent.
    pub rate: (f64, f64),
    /// The unit of the first process.
    pub unit: String,
}

/// The group of sockets whose unit or container is not known, because a holder is not. A filter leaves them out: no filter
/// selects this group.
pub(super) const NOT_KNOWN: &str = "? not known";

/// Whether a holder that is not known may have a value that the known holders and the creator lack.
fn may_have(row: &Row<'_>) -> bool {
    let ownership = &row.ownership;
    let is_seen = |holder| row.process(holder).is_some();
    match ownership.status {
        _ if row.home_of_creator().is_some() => false,
        OwnerStatus::None | OwnerStatus::Kernel => false,
        OwnerStatus::Known | OwnerStatus::Queued if !ownership.holders.is_empty() => {
            ownership.may_be_more || !ownership.holders.iter().all(is_seen)
        }
        _ => true,
    }
}

/// The name of the group that a row belongs to. Each reason for a missing owner is a group of its own.
pub(super) fn name(row: &Row<'_>, by: Field) -> String {
    let value = GroupKey {
        field: by,
        prefix: None,
    }
    .value(row);
    match (by, row.ownership.status, &value) {
        (Field::Process | Field::Pid, OwnerStatus::None, _) => "none (closed)".to_owned(),
        (Field::Process | Field::Pid, OwnerStatus::Hidden, _) => "? hidden".to_owned(),
        (Field::Process | Field::Pid, status, Value::Null) => format!("? {}", status.name()),
        (Field::Unit | Field::Container, _, Value::Null) if may_have(row) => NOT_KNOWN.to_owned(),
        (_, _, Value::Null) => "-".to_owned(),
        (_, _, Value::Text(text)) => escape::text(text),
        _ => written(|out| push_word(out, &value)),
    }
}

/// The groups, those with most sockets first.
pub(super) fn programs(data: &Data, by: Field) -> Vec<Group> {
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    data.followed.known().each(|socket| {
        let row = data.row(socket);
        let name = name(&row, by);
        let group = groups.entry(name).or_insert_with_key(|name| Group {
            name: name.clone(),
            pids: BTreeSet::new(),
            is_program: by == Field::Process,
            sockets: 0,
            states: [0; 3],
            rate: (0.0, 0.0),
            unit: row
                .home()
                .and_then(|home| home.unit.as_ref())
                .map(ToString::to_string)
                .unwrap_or_default(),
        });
        if row.ownership.status == OwnerStatus::Known {
            group
                .pids
                .extend(row.ownership.holders.iter().map(|holder| holder.pid));
        }
        group.sockets += 1;
        let states = [State::Listen, State::Established, State::CloseWait];
        for (count, state) in group.states.iter_mut().zip(states) {
            *count += usize::from(socket.state == state);
        }
        if let Some(rates) = socket.identity().and_then(|key| data.counted.rates(key)) {
            group.rate.0 += rates.mean.0;
            group.rate.1 += rates.mean.1;
        }
    });
    let mut groups: Vec<Group> = groups.into_values().collect();
    groups.sort_by(|a, b| b.sockets.cmp(&a.sockets).then_with(|| a.name.cmp(&b.name)));
    groups
}
