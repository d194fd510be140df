//! The state of one run: the facts, the connection, the registers, the oracle, and how much work is left.

use std::collections::HashMap;

use super::connection::Connection;
use super::facts::Facts;
use super::index::Index;
use super::oracle::{Oracle, Question};
use super::place::RulePlace;
use super::value::{CLIENT_PORT, CLIENT_PORT_LOW, Cell, Limits, TIME_TO_LIVE, Tag, Truth};
use crate::model::network::{RouteAnswer, RouteQuery};
use crate::model::packet_filter::PacketFilter;

/// The size of the registers in bytes.
pub const REGISTERS: usize = 64;

/// Why a run ends early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The routing table must be queried first.
    Missing(RouteQuery),
    /// This cannot be predicted.
    GiveUp(Question),
    /// The rules take too long.
    Exhausted,
}

/// One run.
#[derive(Debug)]
pub struct Walk<'a> {
    /// What is known about the machine.
    pub facts: &'a Facts,
    /// Its rules.
    pub filter: &'a PacketFilter,
    /// Where chains and sets are.
    pub index: &'a Index<'a>,
    /// Answers to questions.
    pub oracle: Oracle,
    /// The connection.
    pub connection: Connection,
    /// The interface of link-local addresses.
    pub zone: Option<u32>,
    /// What is known about the client's port.
    pub limits: Limits,
    /// The registers.
    pub registers: [Cell; REGISTERS],
    /// The rule being executed.
    pub at: Option<RulePlace>,
    /// How many steps are left.
    pub budget: &'a std::cell::Cell<u64>,
    /// Descriptions of unknown bytes.
    pub words: HashMap<Tag, &'static str>,
    /// Sets that this run's packets have changed: table and name.
    pub changed: Vec<(usize, &'a [u8])>,
}

impl<'a> Walk<'a> {
    /// Counts steps of work.
    ///
    /// # Errors
    /// If too much work was done.
    pub fn spend(&self, steps: u64) -> Result<(), Stop> {
        let left = self.budget.get().checked_sub(steps).ok_or(Stop::Exhausted)?;
        self.budget.set(left);
        Ok(())
    }

    /// Asks the oracle.
    ///
    /// # Errors
    /// If too many questions were asked.
    pub fn ask(&mut self, key: Vec<u8>, about: impl Into<String>) -> Result<bool, Stop> {
        let rule = self.at;
        let about = about.into();
        let question = || Question { about, rule };
        self.oracle.ask(key, question).map_err(|_| Stop::Exhausted)
    }

    /// Asks about something in the current rule that is not a value, such as a rate limit. The answer may differ from
    /// packet to packet.
    ///
    /// # Errors
    /// If too many questions were asked.
    pub fn ask_here(&mut self, packet: u8, about: &str) -> Result<bool, Stop> {
        let key = format!("{:?} {packet} {about}", self.at);
        self.ask(key.into_bytes(), about)
    }

    /// Decides a comparison of these bytes; asks the oracle if the result is unknown.
    ///
    /// # Errors
    /// If too many questions were asked.
    pub fn decide(&mut self, truth: Truth, cells: &[Cell], test: &[u8]) -> Result<bool, Stop> {
        match truth {
            Truth::Yes => Ok(true),
            Truth::No => Ok(false),
            Truth::Unknown => {
                let mut key = Vec::new();
                for cell in cells {
                    key.extend(cell.tag.to_le_bytes());
                    key.push(cell.value);
                }
                key.extend_from_slice(test);
                self.ask(key, self.describe(cells))
            }
        }
    }

    fn describe(&self, cells: &[Cell]) -> String {
        let unknown = cells.iter().filter(|cell| cell.known != 0xff);
        let words = unknown.map(|cell| match cell.tag {
            CLIENT_PORT | CLIENT_PORT_LOW => "the client's port",
            TIME_TO_LIVE => "the packet's time to live",
            tag => self
                .words
                .get(&tag)
                .copied()
                .unwrap_or("a part of the packet that is not known in advance"),
        });
        words.into_iter().next().unwrap_or("something").to_owned()
    }

    /// Gives up at the current rule.
    pub fn give_up(&self, about: impl Into<String>) -> Stop {
        Stop::GiveUp(Question {
            about: about.into(),
            rule: self.at,
        })
    }

    /// The routing table's answer.
    ///
    /// # Errors
    /// If it must be queried first.
    pub fn route(&self, query: RouteQuery) -> Result<RouteAnswer, Stop> {
        self.facts.routes.get(&query).copied().ok_or(Stop::Missing(query))
    }

    /// Returns unknown bytes, and remembers their description.
    pub fn unknown(&mut self, tag: Tag, what: &'static str, bytes: usize) -> Vec<Cell> {
        (0..bytes as u64)
            .map(|at| {
                let tag = super::value::computed(tag, at);
                self.words.insert(tag, what);
                Cell::partly(0, 0, tag)
            })
            .collect()
    }

    /// Reads bytes from the registers.
    pub fn load(&self, from: u8, length: usize) -> Vec<Cell> {
        let from = usize::from(from);
        (from..from + length)
            .map(|at| self.registers.get(at).copied().unwrap_or_default())
            .collect()
    }

    /// Writes bytes to the registers, with zeros up to a multiple of four.
    pub fn store(&mut self, to: u8, cells: &[Cell]) {
        let to = usize::from(to);
        for at in 0..cells.len().next_multiple_of(4) {
            if let Some(register) = self.registers.get_mut(to + at) {
                *register = cells.get(at).copied().unwrap_or(Cell::known(0));
            }
        }
    }

    /// Remembers that packets of this run changed a set.
    pub fn change(&mut self, table: usize, set: &'a [u8]) {
        self.changed.push((table, set));
    }
}
