//! Where the task that created a socket belongs: cgroup, systemd unit, container, pod.

use super::value::{Value, bytes, text};
use crate::model::Row;
use crate::model::cgroup::Container;

pub(super) fn cgroup<'a>(row: &Row<'a>) -> Value<'a> {
    let id = row.socket.cgroup_id;
    text(id.and_then(|id| row.context.names.cgroups.get(&id.get())))
}

pub(super) fn unit<'a>(row: &Row<'a>) -> Value<'a> {
    text(row.home().and_then(|home| home.unit.as_ref()))
}

pub(super) fn container<'a>(row: &Row<'a>) -> Value<'a> {
    let container = row.home().and_then(|home| home.container.as_ref());
    bytes(container.map(Container::title))
}

pub(super) fn container_id<'a>(row: &Row<'a>) -> Value<'a> {
    let container = row.home().and_then(|home| home.container.as_ref());
    bytes(container.and_then(|it| it.id.as_deref()).map(str::as_bytes))
}

pub(super) fn pod<'a>(row: &Row<'a>) -> Value<'a> {
    text(row.home().and_then(|home| home.pod.as_ref()))
}
