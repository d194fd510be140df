//! Reads nf_tables (linux 6.18 net/netfilter/nf_tables_api.c): tables, chains, rules, sets, elements, objects. The
//! generation number is read before and after; if it changed, everything is read again.

use std::collections::HashMap;
use std::ops::ControlFlow;

use netlink_packet_core::{NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST};

use super::attributes::{Attributes, attribute, long, name, number};
use super::{expression, set, unread};
use crate::model::packet_filter::{Chain, Family, Hook, Kind, Name, Object, Rule, Set, Table, Unread};
use crate::source::netlink::channel::{Channel, DumpError};

/// How many times to try to read rules that change meanwhile.
const TRIES: usize = 8;
/// The maximum number of rules, and of elements in all sets together. With more, the outcome is "unknown".
const RULES_MAX: usize = 200_000;
const ELEMENTS_MAX: usize = 200_000;

/// `NFNL_SUBSYS_NFTABLES`, in the upper byte of a message's type.
const SUBSYSTEM: u16 = 10 << 8;
/// `NFT_MSG_*`.
const GET_TABLE: u16 = 1;
const GET_CHAIN: u16 = 4;
const GET_RULE: u16 = 7;
const GET_SET: u16 = 10;
const GET_ELEMENTS: u16 = 13;
const GET_GENERATION: u16 = 16;
const GET_OBJECT: u16 = 19;

/// `struct nfgenmsg`.
const HEADER_BYTES: usize = 4;
/// `NFT_TABLE_F_DORMANT`.
const DORMANT: u32 = 1;
/// The type of a comment among a rule's user data (libnftnl, `NFTNL_UDATA_RULE_COMMENT`).
const COMMENT: u8 = 0;

/// Reads every table. None if the kernel lacks nf_tables.
///
/// # Errors
/// See [`Unread`].
pub fn read() -> Result<Vec<Table>, Unread> {
    let mut channel = match Channel::open_netfilter() {
        Ok(channel) => channel,
        // The kernel has no nfnetlink.
        Err(DumpError::Channel(libc::EPROTONOSUPPORT)) => return Ok(Vec::new()),
        Err(error) => return Err(unread(error)),
    };
    for _ in 0..TRIES {
        let Some(before) = generation(&mut channel)? else {
            return Ok(Vec::new());
        };
        let tables = match read_once(&mut channel) {
            // During the read, a set or a table was removed, or the kernel noticed changes.
            Err(DumpError::Lost | DumpError::Kernel(libc::ENOENT | libc::EINTR | libc::EAGAIN)) => continue,
            result => result.map_err(unread)?,
        };
        if generation(&mut channel)? == Some(before) {
            return Ok(tables);
        }
    }
    Err(Unread::Changing)
}

/// The generation number; `None` if the kernel lacks nf_tables.
fn generation(channel: &mut Channel) -> Result<Option<u32>, Unread> {
    let mut generation = None;
    let mut request = message(GET_GENERATION, NLM_F_ACK, 0, &[]);
    let asked = channel.dump(
        &mut request,
        |payload| {
            generation = payload
                .get(HEADER_BYTES..)
                .and_then(|body| attribute(body, 1))
                .map(number);
        },
        || ControlFlow::Continue(()),
    );
    match asked {
        Ok(()) => Ok(generation),
        // What nfnetlink returns for a missing subsystem.
        Err(DumpError::Kernel(libc::EINVAL | libc::EOPNOTSUPP)) => Ok(None),
        Err(error) => Err(unread(error)),
    }
}

fn read_once(channel: &mut Channel) -> Result<Vec<Table>, DumpError> {
    let mut tables = Tables::default();
    for kind in [GET_TABLE, GET_CHAIN, GET_RULE, GET_SET] {
        dump(channel, kind, |family, body, _| tables.take(kind, family, body))?;
        if tables.rules > RULES_MAX {
            return Err(DumpError::Stopped);
        }
    }
    let mut left = ELEMENTS_MAX;
    for table in &mut tables.tables {
        for set in &mut table.sets {
            if left == 0 {
                break;
            }
            read_elements(channel, table.family, &table.name, set, left)?;
            left = left.saturating_sub(set.elements.len());
        }
    }
    // Kernels before 4.10 have no objects.
    match dump(channel, GET_OBJECT, |family, body, _| {
        tables.take(GET_OBJECT, family, body);
    }) {
        Ok(()) | Err(DumpError::Kernel(libc::EINVAL | libc::EOPNOTSUPP)) => Ok(tables.tables),
        Err(error) => Err(error),
    }
}

/// Requests everything of a kind. `take` gets the family and the attributes of each reply.
fn dump(
    channel: &mut Channel,
    kind: u16,
    mut take: impl FnMut(u8, &[u8], &mut ControlFlow<()>),
) -> Result<(), DumpError> {
    dump_of(channel, &mut message(kind, NLM_F_DUMP, 0, &[]), &mut take)
}

fn dump_of(
    channel: &mut Channel,
    request: &mut [u8],
    take: &mut impl FnMut(u8, &[u8], &mut ControlFlow<()>),
) -> Result<(), DumpError> {
    let flow = std::cell::Cell::new(ControlFlow::Continue(()));
    channel.dump(
        request,
        |payload| {
            if let (Some(family), Some(body)) = (payload.first(), payload.get(HEADER_BYTES..)) {
                let mut next = flow.get();
                take(*family, body, &mut next);
                flow.set(next);
            }
        },
        || flow.get(),
    )
}

/// Reads the elements of one set, up to `most`; a set with more is incomplete.
fn read_elements(
    channel: &mut Channel,
    family: Family,
    table: &Name,
    set: &mut Set,
    most: usize,
) -> Result<(), DumpError> {
    let names = [(1, &**table), (2, &*set.name)];
    let mut request = message(GET_ELEMENTS, NLM_F_DUMP, number_of(family), &names);
    let elements = &mut set.elements;
    let read = dump_of(channel, &mut request, &mut |_, body, flow| {
        set::decode_elements(body, elements);
        if elements.len() > most {
            *flow = ControlFlow::Break(());
        }
    });
    match read {
        Ok(()) => set.complete = true,
        // The channel is in the middle of a dump and cannot be reused.
        Err(DumpError::Stopped) => *channel = Channel::open_netfilter()?,
        Err(error) => return Err(error),
    }
    Ok(())
}

/// A request: `struct nlmsghdr`, `struct nfgenmsg`, and names.
pub(super) fn message(kind: u16, flags: u16, family: u8, names: &[(u16, &[u8])]) -> Vec<u8> {
    let mut bytes = vec![0; 4];
    bytes.extend((SUBSYSTEM | kind).to_ne_bytes());
    bytes.extend((NLM_F_REQUEST | flags).to_ne_bytes());
    bytes.extend([0; 8]);
    bytes.extend([family, 0, 0, 0]);
    for (kind, name) in names {
        let length = u16::try_from(name.len() + 5).unwrap_or(u16::MAX);
        bytes.extend(length.to_ne_bytes());
        bytes.extend(kind.to_ne_bytes());
        bytes.extend_from_slice(name);
        bytes.push(0);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    }
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    if let Some(field) = bytes.first_chunk_mut() {
        *field = length.to_ne_bytes();
    }
    bytes
}

/// `NFPROTO_*`.
const FAMILIES: [(u8, Family); 6] = [
    (1, Family::Inet),
    (2, Family::Ip),
    (3, Family::Arp),
    (5, Family::Netdev),
    (7, Family::Bridge),
    (10, Family::Ip6),
];

fn family_of(number: u8) -> Option<Family> {
    FAMILIES
        .into_iter()
        .find(|(known, _)| *known == number)
        .map(|(_, family)| family)
}

fn number_of(family: Family) -> u8 {
    FAMILIES
        .into_iter()
        .find(|(_, known)| *known == family)
        .map_or(0, |(number, _)| number)
}

/// The tables read so far, and an index of chains.
#[derive(Debug, Default)]
pub struct Tables {
    /// The tables.
    pub tables: Vec<Table>,
    by_name: HashMap<(Family, Name), usize>,
    chains: HashMap<(usize, Name), usize>,
    rules: usize,
}

impl Tables {
    /// Takes one reply to a request of this kind: its family and its attributes. Malformed objects are left out, so
    /// that predictions give up at rules that refer to them.
    pub fn take(&mut self, kind: u16, family: u8, body: &[u8]) {
        let _ = self.taken(kind, family, body);
    }

    /// Takes one reply to a request for the elements of a set.
    pub fn take_elements(&mut self, family: u8, body: &[u8]) {
        let (Some(family), Some(table), Some(set)) =
            (family_of(family), attribute(body, 1), attribute(body, 2))
        else {
            return;
        };
        let at = self.by_name.get(&(family, name(table)));
        let table = at.and_then(|at| self.tables.get_mut(*at));
        let named = name(set);
        if let Some(set) = table.and_then(|table| table.sets.iter_mut().find(|set| set.name == named)) {
            set::decode_elements(body, &mut set.elements);
            set.complete = true;
        }
    }

    fn taken(&mut self, kind: u16, family: u8, body: &[u8]) -> Option<()> {
        let family = family_of(family)?;
        let of = name(attribute(body, 1)?);
        if kind == GET_TABLE {
            let dormant = attribute(body, 2).is_some_and(|flags| number(flags) & DORMANT != 0);
            self.by_name.insert((family, of.clone()), self.tables.len());
            self.tables.push(Table {
                family,
                name: of,
                dormant,
                chains: Vec::new(),
                sets: Vec::new(),
                objects: Vec::new(),
            });
            return Some(());
        }
        let at = *self.by_name.get(&(family, of))?;
        let table = self.tables.get_mut(at)?;
        match kind {
            GET_CHAIN => {
                let chain = chain(body)?;
                self.chains.insert((at, chain.name.clone()), table.chains.len());
                table.chains.push(chain);
            }
            GET_RULE => {
                let chain = *self.chains.get(&(at, name(attribute(body, 2)?)))?;
                table.chains.get_mut(chain)?.rules.push(rule(body));
                self.rules += 1;
            }
            GET_SET => table.sets.push(set::decode(body)?),
            GET_OBJECT => table.objects.push(Object {
                name: name(attribute(body, 2)?),
                kind: number(attribute(body, 3)?),
            }),
            _ => {}
        }
        Some(())
    }
}

fn chain(body: &[u8]) -> Option<Chain> {
    let mut chain = Chain {
        name: name(attribute(body, 3)?),
        hook: None,
        drops: false,
        kind: Kind::Filter,
        rules: Vec::new(),
    };
    for (kind, value) in Attributes(body) {
        match kind {
            4 => chain.hook = Some(hook(value)),
            5 => chain.drops = number(value) == 0,
            7 => {
                chain.kind = match &*name(value) {
                    b"filter" => Kind::Filter,
                    b"nat" => Kind::Nat,
                    b"route" => Kind::Route,
                    _ => Kind::Other,
                };
            }
            _ => {}
        }
    }
    Some(chain)
}

fn hook(nest: &[u8]) -> Hook {
    let mut hook = Hook {
        number: 0,
        priority: 0,
        devices: Vec::new(),
    };
    for (kind, value) in Attributes(nest) {
        match kind {
            1 => hook.number = number(value),
            2 => hook.priority = number(value).cast_signed(),
            3 => hook.devices.push(name(value)),
            4 => hook
                .devices
                .extend(Attributes(value).map(|(kind, value)| match kind {
                    1 => name(value),
                    // A prefix of device names (linux 6.16).
                    _ => [&*name(value), b"*"].concat().into(),
                })),
            _ => {}
        }
    }
    hook.devices.dedup();
    hook
}

fn rule(body: &[u8]) -> Rule {
    let mut rule = Rule {
        handle: 0,
        comment: None,
        expressions: Vec::new(),
    };
    for (kind, value) in Attributes(body) {
        match kind {
            3 => rule.handle = long(value),
            4 => rule.expressions = expression::decode_list(value),
            7 => rule.comment = comment(value),
            _ => {}
        }
    }
    rule
}

/// The comment in the user data of a rule, which is a sequence of type, length and bytes.
fn comment(mut data: &[u8]) -> Option<Name> {
    while let [kind, length, rest @ ..] = data {
        let (value, next) = rest.split_at_checked(usize::from(*length))?;
        if *kind == COMMENT {
            return Some(name(value));
        }
        data = next;
    }
    None
}
