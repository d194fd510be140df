//! The JSON form of findings and cures.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::diagnose::bind::circumstance::Circumstance;
use crate::diagnose::bind::cure::Cure;
use crate::diagnose::bind::inherited::Inherited;
use crate::diagnose::json::{raw, sentence};
use crate::model::{Context, Ownership, Row};
use crate::model::{OwnerStatus, Socket};
use crate::query::field::FIELDS;
use crate::render::json::push_row;

/// The schema version.
pub(super) const SCHEMA: &str = "sockstat-why/1";

/// The context of socket rows: processes, names and owners.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    /// Processes and names of the capture.
    pub context: &'a Context,
    /// Who holds each existing socket, in the order of the report.
    pub ownership: &'a [Ownership<'a>],
}

impl Rows<'_> {
    /// A socket, with its index, as a row with every field.
    pub(super) fn row(&self, (at, socket): (usize, &Socket)) -> Box<RawValue> {
        let fields: Vec<_> = FIELDS.iter().map(|info| info.field).collect();
        let unknown = Ownership {
            status: OwnerStatus::NotAsked,
            holders: &[],
            may_be_more: false,
        };
        let row = Row {
            socket,
            ownership: self.ownership.get(at).copied().unwrap_or(unknown),
            context: self.context,
        };
        raw(|out| push_row(out, &row, &fields))
    }
}

/// One entry of `findings`.
#[derive(Serialize)]
pub(super) struct FindingDocument {
    pub(super) code: &'static str,
    pub(super) effect: &'static str,
    pub(super) how: &'static str,
    pub(super) sentence: String,
    pub(super) inherited: Vec<String>,
    pub(super) socket: Option<Box<RawValue>>,
}

impl FindingDocument {
    /// A circumstance, about a socket or the port as a whole.
    pub(super) fn of_circumstance(circumstance: &Circumstance, socket: Option<Box<RawValue>>) -> Self {
        Self {
            code: circumstance.kind.name(),
            effect: "explains",
            how: circumstance.how.name(),
            sentence: sentence(&circumstance.sentence),
            inherited: Vec::new(),
            socket,
        }
    }
}

/// Sentences about holders that inherited the socket.
pub(super) fn sentences(inherited: &[Inherited]) -> Vec<String> {
    inherited.iter().map(|one| sentence(&one.sentence)).collect()
}

/// One entry of `cures`.
#[derive(Serialize)]
pub(super) struct CureDocument {
    command: Option<String>,
    sentence: String,
    harm: &'static str,
}

/// The entries of `cures`.
pub(super) fn cures(cures: &[Cure]) -> Vec<CureDocument> {
    cures
        .iter()
        .map(|cure| CureDocument {
            command: cure.command.as_deref().map(sentence),
            sentence: sentence(&cure.sentence),
            harm: cure.harm.name(),
        })
        .collect()
}
