//! Where and when a row was captured.

use super::value::{Value, time};
use crate::model::machine::Machine;
use crate::model::time::Moment;
use crate::model::{Name, Row};

/// A part of what identifies the machine.
pub(super) fn machine<'a>(row: &Row<'a>, part: fn(&'a Machine) -> Option<&'a Name>) -> Value<'a> {
    super::value::text(part(&row.context.origin.machine))
}

pub(super) fn taken_at<'a>(row: &Row<'a>) -> Value<'a> {
    time(row.context.origin.taken_at.map(Moment::exact))
}
