//! Executes the rules of nf_tables (linux 6.18 net/netfilter/nf_tables_core.c, nft_do_chain).

use super::connection::Hook;
use super::effect::{Effect, Refusal};
use super::nat::Wanted;
use super::packet::{Packet, Tracking};
use super::place::RulePlace;
use super::value::{Cell, Truth, at_least, between, bytes, computed, equal};
use super::walk::{Stop, Walk};
use crate::model::packet_filter::{Data, Expression, ObjectOf, Register, Set, Verdict};
use crate::render::escape;

/// The result of a hook or a chain for a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passage {
    /// It passes.
    Passed,
    /// It is dropped there.
    Dropped(RulePlace),
    /// It is dropped, and its sender is notified.
    Rejected(RulePlace, Refusal),
}

/// The `NFT_OBJECT_*` kinds that decide whether a rule matches.
const QUOTA: u32 = 2;
const LIMIT: u32 = 4;
const CONNLIMIT: u32 = 5;
const SYNPROXY: u32 = 10;

impl<'a> Walk<'a> {
    /// Executes a base chain. `hook` is `None` on a device, whose hooks are outside those of IP.
    ///
    /// # Errors
    /// See [`Stop`].
    pub fn base_chain(
        &mut self,
        table: usize,
        chain: usize,
        packet: &mut Packet,
        hook: Option<Hook>,
    ) -> Result<Passage, Stop> {
        /// `NFT_JUMP_STACK_SIZE`.
        const STACK: usize = 16;
        let filter = self.filter;
        let chains = filter.tables.get(table).map_or(&[][..], |table| &table.chains);
        let policy = if chains.get(chain).is_some_and(|chain| chain.drops) {
            Passage::Dropped(RulePlace::Policy { table, chain })
        } else {
            Passage::Passed
        };
        let mut stack: Vec<(usize, usize)> = Vec::new();
        let (mut at, mut rule) = (chain, 0);
        loop {
            let effect = match chains.get(at).and_then(|chain| chain.rules.get(rule)) {
                None => Effect::Return,
                Some(one) => {
                    self.at = Some(RulePlace::Rule {
                        table,
                        chain: at,
                        rule,
                    });
                    self.spend(1 + one.expressions.len() as u64)?;
                    self.rule(table, &one.expressions, packet, hook)?
                }
            };
            let place = RulePlace::Rule {
                table,
                chain: at,
                rule,
            };
            match effect {
                Effect::Next | Effect::Break => rule += 1,
                Effect::Accept => return Ok(Passage::Passed),
                Effect::Drop => return Ok(Passage::Dropped(place)),
                Effect::Reject(refusal) => return Ok(Passage::Rejected(place, refusal)),
                Effect::Return => match stack.pop() {
                    Some(caller) => (at, rule) = caller,
                    None => return Ok(policy),
                },
                Effect::Jump(to) => {
                    if stack.len() >= STACK {
                        return Err(self.give_up("jumps that are nested too deeply"));
                    }
                    stack.push((at, rule + 1));
                    (at, rule) = (to, 0);
                }
                Effect::Goto(to) => (at, rule) = (to, 0),
            }
        }
    }

    fn rule(
        &mut self,
        table: usize,
        expressions: &'a [Expression],
        packet: &mut Packet,
        hook: Option<Hook>,
    ) -> Result<Effect, Stop> {
        for expression in expressions {
            match self.expression(table, expression, packet, hook)? {
                Effect::Next => {}
                effect => return Ok(effect),
            }
        }
        Ok(Effect::Next)
    }

    #[allow(clippy::too_many_lines, reason = "an arm for each kind of expression")]
    fn expression(
        &mut self,
        table: usize,
        expression: &'a Expression,
        packet: &mut Packet,
        hook: Option<Hook>,
    ) -> Result<Effect, Stop> {
        match expression {
            Expression::NoEffect => {}
            Expression::Immediate { to, data } => return self.take(table, *to, data),
            Expression::Load { to, what } => match self.load_from(*what, packet, hook)? {
                Some(cells) => self.store(*to, &cells),
                None => return Ok(Effect::Break),
            },
            Expression::Compare {
                from,
                operation,
                data,
            } => {
                let cells = self.load(*from, data.len());
                let truth = compare(&cells, *operation, data, self.limits);
                return self.goes_on(truth, &cells, &[&operation.to_le_bytes(), &**data].concat());
            }
            Expression::Range {
                from,
                negated,
                low,
                high,
            } => {
                let cells = self.load(*from, low.len());
                let truth = between(&cells, low, high, self.limits).inverted_if(*negated);
                return self.goes_on(truth, &cells, &[&[u8::from(*negated)], &**low, &**high].concat());
            }
            Expression::Bitwise { from, to, mask, xor } => self.bitwise(*from, *to, mask, xor),
            Expression::ByteOrder {
                from,
                to,
                bytes,
                size,
            } => self.swap(*from, *to, *bytes, *size),
            Expression::Lookup {
                set,
                from,
                to,
                inverted,
            } => {
                return self.lookup(table, set, *from, *to, *inverted, packet);
            }
            Expression::SetMeta { key, from } => {
                const MARK: u32 = 3;
                const PKTTYPE: u32 = 19;
                match *key {
                    MARK => {
                        let cells = self.load(*from, 4);
                        packet.mark = *cells.first_chunk().unwrap_or(&packet.mark);
                    }
                    PKTTYPE => return Err(self.give_up("a packet type that a rule changes")),
                    _ => {}
                }
            }
            Expression::SetConnection { key, from } => {
                const MARK: u32 = 3;
                const ZONE: u32 = 17;
                match *key {
                    MARK if matches!(packet.tracking, Tracking::Tracked { .. }) => {
                        let cells = self.load(*from, 4);
                        self.connection.mark = *cells.first_chunk().unwrap_or(&self.connection.mark);
                    }
                    ZONE => return Err(self.give_up("a connection tracking zone")),
                    _ => {}
                }
            }
            Expression::Write { base, offset, bytes } => {
                if touches(*base, *offset, *bytes, packet) {
                    return Err(self.give_up("a rule that rewrites addresses or ports"));
                }
            }
            Expression::Object { of } => return self.object(table, of, packet),
            Expression::Update { set, is_limited } => {
                self.change(table, set);
                if *is_limited && !self.ask_here(packet.id, "the limit of a set element")? {
                    return Ok(Effect::Break);
                }
            }
            Expression::NoTrack => {
                if packet.tracking == Tracking::NotSeen {
                    packet.tracking = Tracking::Untracked;
                }
            }
            Expression::Undecidable(about) => {
                if !self.ask_here(packet.id, about)? {
                    return Ok(Effect::Break);
                }
            }
            Expression::Reject { kind, code } => return Ok(Effect::Reject(refusal(*kind, *code, packet.v6))),
            Expression::Match(extension) => {
                if !self.xt_matches(extension, packet)? {
                    return Ok(Effect::Break);
                }
            }
            Expression::Other(name) => {
                let name = escape::text(name);
                return Err(self.give_up(format!("the expression '{name}'")));
            }
            Expression::Nat { .. }
            | Expression::Masquerade
            | Expression::Redirect { .. }
            | Expression::Target(_) => {
                let hook = hook.ok_or_else(|| self.give_up("NAT on a device"))?;
                return self.translation(expression, packet, hook);
            }
        }
        Ok(Effect::Next)
    }

    /// Continues if the condition holds.
    fn goes_on(&mut self, truth: Truth, cells: &[Cell], test: &[u8]) -> Result<Effect, Stop> {
        let goes_on = self.decide(truth, cells, test)?;
        Ok(if goes_on { Effect::Next } else { Effect::Break })
    }

    /// Loads a constant or the value of a map.
    fn take(&mut self, table: usize, to: Register, data: &'a Data) -> Result<Effect, Stop> {
        match (to, data) {
            (Some(to), Data::Value(bytes)) => {
                self.store(to, &super::value::known(bytes));
                Ok(Effect::Next)
            }
            (None, Data::Verdict(verdict)) => self.verdict(table, verdict),
            _ => Err(self.give_up("an unknown kind of value")),
        }
    }

    fn verdict(&self, table: usize, verdict: &Verdict) -> Result<Effect, Stop> {
        let chain = |name: &[u8]| {
            let chain = self.index.chain(table, name);
            chain.ok_or_else(|| self.give_up("a jump to a missing chain"))
        };
        Ok(match verdict {
            Verdict::Accept => Effect::Accept,
            Verdict::Drop => Effect::Drop,
            Verdict::Continue => Effect::Next,
            Verdict::Break => Effect::Break,
            Verdict::Return => Effect::Return,
            Verdict::Jump(name) => Effect::Jump(chain(name)?),
            Verdict::Goto(name) => Effect::Goto(chain(name)?),
            Verdict::Queue => return Err(self.give_up("a program that receives the packet (queue)")),
            Verdict::Other(_) => return Err(self.give_up("an unknown verdict")),
        })
    }

    fn bitwise(&mut self, from: u8, to: u8, mask: &[u8], xor: &[u8]) {
        let cells = self.load(from, mask.len());
        let mut masked = Vec::new();
        for (at, (cell, mask)) in cells.iter().zip(mask).enumerate() {
            let new = cell.masked(*mask, xor.get(at).copied().unwrap_or(0));
            if new.tag != cell.tag
                && let Some(word) = self.words.get(&cell.tag).copied()
            {
                self.words.insert(new.tag, word);
            }
            masked.push(new);
        }
        self.store(to, &masked);
    }

    fn swap(&mut self, from: u8, to: u8, bytes: u8, size: u8) {
        let mut cells = self.load(from, usize::from(bytes));
        if cfg!(target_endian = "little") {
            for word in cells.chunks_mut(usize::from(size.max(1))) {
                word.reverse();
            }
        }
        // Once the two bytes of the client's port are swapped, its range no longer applies to them.
        for cell in cells.iter_mut().filter(|cell| cell.known != 0xff) {
            cell.tag = computed(cell.tag, u64::from(size));
        }
        self.store(to, &cells);
    }

    fn lookup(
        &mut self,
        table: usize,
        set: &'a [u8],
        from: u8,
        to: Option<Register>,
        inverted: bool,
        packet: &Packet,
    ) -> Result<Effect, Stop> {
        let found = self.look_up(table, set, from, packet.id)?;
        match (found, to) {
            (Some(_), _) if inverted => Ok(Effect::Break),
            (Some(_), None) => Ok(Effect::Next),
            (Some(element), Some(to)) => match &element.data {
                Some(data) => self.take(table, to, data),
                None => Err(self.give_up("a map element without a value")),
            },
            (None, _) if inverted => Ok(Effect::Next),
            (None, _) => Ok(Effect::Break),
        }
    }

    fn object(&mut self, table: usize, of: &'a ObjectOf, packet: &Packet) -> Result<Effect, Stop> {
        let kind = match of {
            ObjectOf::Fixed { kind, .. } => *kind,
            ObjectOf::Key { set, from } => {
                let Some(element) = self.look_up(table, set, *from, packet.id)? else {
                    return Ok(Effect::Break);
                };
                let is_map = self
                    .index
                    .set(table, set)
                    .is_some_and(|(set, _)| set.has(Set::OBJECT));
                let objects = self
                    .filter
                    .tables
                    .get(table)
                    .map_or(&[][..], |table| &table.objects);
                let named = objects
                    .iter()
                    .filter(|object| element.object.as_deref() == Some(&*object.name));
                // Objects of different kinds may share a name: the one that decides counts.
                let kinds: Vec<u32> = named.map(|object| object.kind).collect();
                let deciding = kinds
                    .iter()
                    .copied()
                    .find(|kind| [QUOTA, LIMIT, CONNLIMIT, SYNPROXY].contains(kind));
                match deciding.or(kinds.first().copied()) {
                    Some(kind) if is_map => kind,
                    _ => return Err(self.give_up("a missing object")),
                }
            }
        };
        let about = match kind {
            QUOTA => "a quota",
            LIMIT => "a rate limit",
            CONNLIMIT => "the number of connections",
            SYNPROXY => return Err(self.give_up("a SYN proxy (synproxy)")),
            _ => return Ok(Effect::Next),
        };
        Ok(if self.ask_here(packet.id, about)? {
            Effect::Next
        } else {
            Effect::Break
        })
    }

    fn translation(
        &mut self,
        expression: &Expression,
        packet: &mut Packet,
        hook: Hook,
    ) -> Result<Effect, Stop> {
        match expression {
            Expression::Target(extension) => return self.xt_target(extension, packet, hook),
            Expression::Masquerade => self.set_source(self.masquerade(packet), None, packet),
            Expression::Redirect { port } => {
                let Some(address) = self.redirection(hook, packet) else {
                    return Ok(Effect::Drop);
                };
                let wanted = Wanted {
                    address: Some(address),
                    port: self.port_of(*port)?,
                };
                self.set_destination(wanted, packet);
            }
            Expression::Nat {
                is_source,
                family,
                address,
                port,
                flags,
            } => {
                const IPV6: u32 = 10;
                const NETMAP: u32 = 0x40;
                // In a table of both families, a NAT rule applies to one of them.
                if (*family == IPV6) != packet.v6 {
                    return Ok(Effect::Next);
                }
                if flags & NETMAP != 0 {
                    return Err(self.give_up("NAT of a whole network"));
                }
                let address = match address {
                    Some((low, high)) => {
                        let length = if packet.v6 { 16 } else { 4 };
                        let (first, last) = (self.load(*low, length), self.load(*high, length));
                        if first != last {
                            return Err(self.give_up("NAT to one of several addresses"));
                        }
                        Some(self.address_of(bytes(&first), packet.v6)?)
                    }
                    None => None,
                };
                let port = self.port_of(*port)?;
                if *is_source {
                    self.set_source(address.or(packet.source), port, packet);
                } else {
                    self.set_destination(Wanted { address, port }, packet);
                }
            }
            _ => return Err(self.give_up("an unknown kind of NAT")),
        }
        Ok(Effect::Accept)
    }

    /// A port in registers.
    fn port_of(&self, registers: Option<(u8, u8)>) -> Result<Option<u16>, Stop> {
        let Some((low, high)) = registers else {
            return Ok(None);
        };
        let (first, last) = (self.load(low, 2), self.load(high, 2));
        if first != last {
            return Err(self.give_up("NAT to one of several ports"));
        }
        match bytes(&first).as_deref().and_then(|bytes| bytes.first_chunk()) {
            Some(bytes) => Ok(Some(u16::from_be_bytes(*bytes))),
            None => Err(self.give_up("the port that a NAT rule chooses")),
        }
    }
}

fn compare(cells: &[Cell], operation: u32, data: &[u8], limits: super::value::Limits) -> Truth {
    let at_most = || between(cells, &[], data, limits);
    match operation {
        0 => equal(cells, data, limits),
        1 => equal(cells, data, limits).not(),
        2 => at_least(cells, data, limits).not(),
        3 => at_most(),
        4 => at_most().not(),
        5 => at_least(cells, data, limits),
        _ => Truth::Unknown,
    }
}

/// Whether a write changes addresses, ports or flags. Other writes do not affect a prediction.
fn touches(base: u32, offset: u32, bytes: u32, packet: &Packet) -> bool {
    let end = offset.saturating_add(bytes);
    match base {
        1 if packet.v6 => end > 6 && !(offset == 7 && bytes == 1),
        // The type of service, and the checksum.
        1 => !(end <= 2 && offset >= 1 || offset >= 10 && end <= 12),
        _ => true,
    }
}

/// `NFT_REJECT_*`: how the sender is notified (linux 6.18 net/netfilter/nft_reject.c).
fn refusal(kind: u32, code: u8, v6: bool) -> Refusal {
    const RESET: u32 = 1;
    const EITHER: u32 = 2;
    match (kind, code, v6) {
        (RESET, ..) => Refusal::Reset,
        (EITHER, ..) => {
            // No route, port, host, and administratively prohibited.
            let codes = if v6 { [0, 4, 3, 1] } else { [0, 3, 1, 13] };
            Refusal::Unreachable(codes.get(usize::from(code)).copied().unwrap_or(code))
        }
        _ => Refusal::Unreachable(code),
    }
}
