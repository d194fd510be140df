//! Counts rows as they arrive.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::ephemeral::Ephemeral;
use super::listeners::Listeners;
use super::machine;
use super::page::{Kind, Page};
use super::programs::Programs;
use super::receivers::Receivers;
use super::words::{self, directions};
use crate::model::summary::{Figure, Summary};
use crate::model::{Family, Protocol, Row, State};

/// How many values a label may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Programs.
    pub programs: usize,
    /// Listeners.
    pub listeners: usize,
}

/// The counts of a run.
#[derive(Debug)]
pub struct Tally {
    limits: Limits,
    /// Counts of sockets, and the kernel's figures.
    summary: Summary,
    queued: BTreeMap<(Protocol, &'static str), u64>,
    listeners: Listeners,
    receivers: Receivers,
    programs: Programs,
    ephemeral: Ephemeral,
}

impl Tally {
    /// Creates empty counts. `ports` is the range that the kernel chooses from.
    pub fn new(limits: Limits, ports: RangeInclusive<u16>) -> Self {
        Self {
            limits,
            summary: Summary::default(),
            queued: BTreeMap::new(),
            listeners: Listeners::new(ports.clone()),
            receivers: Receivers::new(ports.clone()),
            programs: Programs::default(),
            ephemeral: Ephemeral::new(ports),
        }
    }

    /// Adds the kernel's figures.
    pub fn figures(&mut self, figures: &Summary) {
        for figure in Figure::ALL {
            if let Some(value) = figures.get(*figure) {
                self.summary.set(*figure, value);
            }
        }
    }

    /// Counts a row.
    pub fn add(&mut self, row: &Row<'_>) {
        let socket = row.socket;
        let program = words::program(row);
        self.summary.add(socket);
        for (direction, bytes) in directions(row) {
            *self.queued.entry((socket.protocol, direction)).or_default() += bytes;
        }
        self.listeners.add(row, &program);
        self.receivers.add(row, &program);
        self.programs.add(row, program);
        self.ephemeral.add(socket);
    }

    /// Writes every family.
    pub(super) fn write(mut self, page: &mut Page) {
        self.write_sockets(page);
        self.listeners.write(page, self.limits.listeners);
        self.receivers.write(page);
        self.programs.write(page, self.limits.programs);
        self.ephemeral.write(page);
        machine::write(page, &self.summary);
    }

    fn write_sockets(&mut self, page: &mut Page) {
        // TCP states are always present, even at 0, because a rate over a series with gaps is wrong.
        for family in [Family::Inet, Family::Inet6] {
            for state in State::ALL {
                self.summary
                    .counts
                    .entry((Protocol::Tcp, family, state))
                    .or_default();
            }
        }
        page.family(
            "sockets",
            Kind::Gauge,
            "Sockets by protocol, address family and state",
        );
        for ((protocol, family, state), count) in &self.summary.counts {
            let labels = [
                ("protocol", protocol.name()),
                ("family", family.name()),
                ("state", words::state(*state)),
            ];
            page.sample(&labels, *count);
        }
        page.family(
            "queued_bytes",
            Kind::Gauge,
            "Bytes in the queues of sockets that are not listeners: received and not read, or sent and not acknowledged",
        );
        for ((protocol, direction), bytes) in &self.queued {
            page.sample(&[("protocol", protocol.name()), ("direction", direction)], *bytes);
        }
    }
}
