//! Renders an nf_tables rule in nft's syntax; `…` stands for parts that are not simple.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::model::packet_filter::{Data, Expression, Load, Rule, Set, Table, Verdict};
use crate::render::escape;

/// The content of a register, in words.
#[derive(Clone, Debug, Default)]
struct Loaded {
    text: String,
    kind: Value,
    mask: Option<Box<[u8]>>,
}

/// How a value is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Value {
    #[default]
    Hex,
    Address,
    Port,
    Name,
    Host,
    Protocol,
    NfProto,
    State,
}

/// How many elements of a set in a rule are printed.
const ELEMENTS_MAX: usize = 6;

/// Returns the text of a rule.
pub fn rule_text(table: &Table, rule: &Rule) -> String {
    let mut writer = Writer {
        table,
        parts: Vec::new(),
        registers: std::array::from_fn(|_| Loaded::default()),
        constants: std::array::from_fn(|_| None),
        family: None,
        protocol: None,
    };
    for expression in &rule.expressions {
        writer.write(expression);
    }
    writer.flush();
    writer.parts.join(" ")
}

struct Writer<'a> {
    table: &'a Table,
    parts: Vec<String>,
    registers: [Loaded; 16],
    constants: [Option<&'a [u8]>; 16],
    /// Conditions that are printed only if the next expression does not imply them: the family, as text, and the
    /// protocol.
    family: Option<String>,
    protocol: Option<u8>,
}

impl<'a> Writer<'a> {
    fn flush(&mut self) {
        self.parts.extend(self.family.take());
        self.flush_protocol();
    }

    fn flush_protocol(&mut self) {
        if let Some(protocol) = self.protocol.take() {
            self.parts
                .push(format!("meta l4proto {}", protocol_name(protocol)));
        }
    }

    fn write(&mut self, expression: &'a Expression) {
        match expression {
            Expression::Load { to, what } => {
                let loaded = self.loaded(*what);
                self.set(*to, loaded);
            }
            Expression::Bitwise { from, to, mask, .. } => {
                let mut loaded = self.get(*from);
                loaded.mask = Some(mask.clone());
                self.set(*to, loaded);
            }
            Expression::Immediate {
                to: Some(to),
                data: Data::Value(bytes),
            } => {
                if let Some(constant) = self.constants.get_mut(usize::from(*to) / 4) {
                    *constant = Some(bytes);
                }
            }
            Expression::Compare {
                from,
                operation,
                data,
            } => self.compare(*from, *operation, data),
            Expression::Range {
                from,
                negated,
                low,
                high,
            } => {
                let loaded = self.get(*from);
                self.flush();
                let not = if *negated { "!= " } else { "" };
                let (low, high) = (value(loaded.kind, low), value(loaded.kind, high));
                self.parts.push(format!("{} {not}{low}-{high}", loaded.text));
            }
            Expression::Lookup {
                set,
                from,
                to,
                inverted,
            } => self.lookup(set, *from, to.is_some(), *inverted),
            Expression::NoEffect | Expression::ByteOrder { .. } => {}
            other => {
                self.flush();
                let words = self.words(other);
                self.parts.push(words);
            }
        }
    }

    fn get(&self, at: u8) -> Loaded {
        self.registers
            .get(usize::from(at) / 4)
            .cloned()
            .unwrap_or_default()
    }

    fn set(&mut self, at: u8, loaded: Loaded) {
        if let Some(register) = self.registers.get_mut(usize::from(at) / 4) {
            *register = loaded;
        }
    }

    fn loaded(&mut self, what: Load) -> Loaded {
        let (text, kind) = match what {
            Load::Meta(key) => meta(key),
            Load::Connection { key, direction } => connection(key, direction),
            Load::Payload {
                base: 1,
                offset,
                bytes,
            } => {
                self.family = None;
                network(offset, bytes)
            }
            Load::Payload {
                base: 2,
                offset,
                bytes,
            } => {
                let protocol = self.protocol.take().map_or("th", protocol_name);
                transport(protocol, offset, bytes)
            }
            Load::Fib { result: 3, flags: 2 } => ("fib daddr type".to_owned(), Value::Host),
            Load::Fib { .. } => ("fib …".to_owned(), Value::Hex),
            Load::Payload { .. } | Load::Unknown { .. } => ("…".to_owned(), Value::Hex),
        };
        Loaded {
            text,
            kind,
            mask: None,
        }
    }

    fn compare(&mut self, from: u8, operation: u32, data: &[u8]) {
        let loaded = self.get(from);
        if operation == 0 && loaded.kind == Value::Protocol && loaded.mask.is_none() {
            self.flush_protocol();
            self.protocol = data.first().copied();
            return;
        }
        let operator = match operation {
            0 => "",
            1 => "!= ",
            2 => "< ",
            3 => "<= ",
            4 => "> ",
            _ => ">= ",
        };
        // Implied by an address or another part of the IP header.
        self.flush();
        if loaded.kind == Value::NfProto {
            self.family = Some(format!("{} {operator}{}", loaded.text, value(loaded.kind, data)));
            return;
        }
        let text = match &loaded.mask {
            None => format!("{} {operator}{}", loaded.text, value(loaded.kind, data)),
            Some(mask) if loaded.kind == Value::Address => {
                let prefix: u32 = mask.iter().map(|byte| byte.count_ones()).sum();
                format!("{} {operator}{}/{prefix}", loaded.text, value(loaded.kind, data))
            }
            // `ct state established,related` means "one of these bits".
            Some(mask) if operation == 1 && data.iter().all(|byte| *byte == 0) => {
                format!("{} {}", loaded.text, value(loaded.kind, mask))
            }
            Some(mask) => format!(
                "{} & {} {operator}{}",
                loaded.text,
                value(loaded.kind, mask),
                value(loaded.kind, data)
            ),
        };
        self.parts.push(text);
    }

    fn lookup(&mut self, name: &[u8], from: u8, is_map: bool, inverted: bool) {
        self.flush();
        let set = self.table.sets.iter().find(|set| &*set.name == name);
        let count = set.map_or(1, |set| set.fields.len().max(1));
        let mut at = from;
        let mut fields = Vec::new();
        for field in 0..count {
            let loaded = self.get(at);
            let bytes = set.and_then(|set| set.fields.get(field).copied()).unwrap_or(4);
            at = at.saturating_add(u8::try_from(bytes.next_multiple_of(4)).unwrap_or(4));
            fields.push(loaded);
        }
        let key: Vec<&str> = fields.iter().map(|field| &*field.text).collect();
        let operator = match (is_map, inverted) {
            (true, _) => "vmap ",
            (false, true) => "!= ",
            (false, false) => "",
        };
        let of = match (set, &*fields) {
            (Some(set), [field]) if set.has(Set::ANONYMOUS) && !is_map => elements(set, field.kind),
            (Some(set), _) if set.has(Set::ANONYMOUS) => "{ … }".to_owned(),
            _ => format!("@{}", escape::text(name)),
        };
        self.parts.push(format!("{} {operator}{of}", key.join(" . ")));
    }

    fn words(&self, expression: &Expression) -> String {
        let target = |address: Option<(u8, u8)>, port: Option<(u8, u8)>| {
            let constant =
                |at: Option<(u8, u8)>| at.and_then(|(at, _)| *self.constants.get(usize::from(at) / 4)?);
            let mut text = String::new();
            if address.is_some() || port.is_some() {
                text.push_str(" to ");
            }
            if address.is_some() {
                text.push_str(
                    &constant(address).map_or("…".to_owned(), |bytes| value(Value::Address, bytes)),
                );
            }
            if port.is_some() {
                let _ = write!(
                    text,
                    ":{}",
                    constant(port).map_or("…".to_owned(), |bytes| value(Value::Port, bytes))
                );
            }
            text
        };
        match expression {
            Expression::Immediate {
                data: Data::Verdict(verdict),
                ..
            } => verdict_text(verdict),
            Expression::Reject { kind: 1, .. } => "reject with tcp reset".to_owned(),
            Expression::Reject { kind: 2, code } => match code {
                0 => "reject with icmpx no-route".to_owned(),
                2 => "reject with icmpx host-unreachable".to_owned(),
                3 => "reject with icmpx admin-prohibited".to_owned(),
                _ => "reject".to_owned(),
            },
            Expression::Reject { .. } => "reject".to_owned(),
            Expression::Nat {
                is_source: true,
                address,
                port,
                ..
            } => format!("snat{}", target(*address, *port)),
            Expression::Nat { address, port, .. } => format!("dnat{}", target(*address, *port)),
            Expression::Masquerade => "masquerade".to_owned(),
            Expression::Redirect { port } => format!("redirect{}", target(None, *port)),
            Expression::NoTrack => "notrack".to_owned(),
            Expression::Match(extension) => format!("match {}", escape::text(&extension.name)),
            Expression::Target(extension) => escape::text(&extension.name),
            Expression::Undecidable(what) => format!("({what})"),
            Expression::SetMeta { key: 3, .. } => "meta mark set …".to_owned(),
            Expression::SetConnection { key: 3, .. } => "ct mark set …".to_owned(),
            _ => "…".to_owned(),
        }
    }
}

fn verdict_text(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Accept => "accept".to_owned(),
        Verdict::Drop => "drop".to_owned(),
        Verdict::Return => "return".to_owned(),
        Verdict::Jump(chain) => format!("jump {}", escape::text(chain)),
        Verdict::Goto(chain) => format!("goto {}", escape::text(chain)),
        Verdict::Queue => "queue".to_owned(),
        Verdict::Continue | Verdict::Break | Verdict::Other(_) => "…".to_owned(),
    }
}

fn elements(set: &Set, kind: Value) -> String {
    let mut shown: Vec<String> = Vec::new();
    let mut sorted: Vec<_> = set
        .elements
        .iter()
        .filter(|element| !element.is_catch_all)
        .collect();
    sorted.sort_by_key(|element| (&*element.key, !element.is_end));
    let interval = set.has(Set::INTERVAL);
    for (at, element) in sorted.iter().enumerate().filter(|(_, element)| !element.is_end) {
        let start = value(kind, &element.key);
        let end = sorted
            .get(at + 1)
            .map(|next| before(&next.key))
            .filter(|_| interval);
        shown.push(match end {
            Some(end) if *end != *element.key => format!("{start}-{}", value(kind, &end)),
            _ => start,
        });
        if shown.len() == ELEMENTS_MAX {
            shown.push("…".to_owned());
            break;
        }
    }
    format!("{{ {} }}", shown.join(", "))
}

/// The predecessor of a number.
fn before(key: &[u8]) -> Vec<u8> {
    let mut key = key.to_vec();
    for byte in key.iter_mut().rev() {
        let (less, borrow) = byte.overflowing_sub(1);
        *byte = less;
        if !borrow {
            break;
        }
    }
    key
}

fn protocol_name(protocol: u8) -> &'static str {
    match protocol {
        1 => "icmp",
        6 => "tcp",
        17 => "udp",
        58 => "ipv6-icmp",
        132 => "sctp",
        _ => "th",
    }
}

fn meta(key: u32) -> (String, Value) {
    let (text, kind) = match key {
        3 => ("meta mark", Value::Host),
        4 => ("iif", Value::Host),
        5 => ("oif", Value::Host),
        6 => ("iifname", Value::Name),
        7 => ("oifname", Value::Name),
        10 => ("meta skuid", Value::Host),
        15 => ("meta nfproto", Value::NfProto),
        16 => ("meta l4proto", Value::Protocol),
        19 => ("meta pkttype", Value::Hex),
        21 => ("iifgroup", Value::Host),
        22 => ("oifgroup", Value::Host),
        _ => ("meta …", Value::Hex),
    };
    (text.to_owned(), kind)
}

fn connection(key: u32, direction: Option<u8>) -> (String, Value) {
    let direction = match direction {
        Some(0) => "original ",
        Some(_) => "reply ",
        None => "",
    };
    let (text, kind) = match key {
        0 => ("state", Value::State),
        1 => ("direction", Value::Hex),
        2 => ("status", Value::Host),
        3 => ("mark", Value::Host),
        8 | 19 | 21 => ("saddr", Value::Address),
        9 | 20 | 22 => ("daddr", Value::Address),
        11 => ("proto-src", Value::Port),
        12 => ("proto-dst", Value::Port),
        _ => ("…", Value::Hex),
    };
    (format!("ct {direction}{text}"), kind)
}

fn network(offset: u32, bytes: u8) -> (String, Value) {
    let (text, kind) = match (offset, bytes) {
        (12, 1..=4) => ("ip saddr", Value::Address),
        (16, 1..=4) => ("ip daddr", Value::Address),
        (9, 1) => ("ip protocol", Value::Protocol),
        (8, 16) => ("ip6 saddr", Value::Address),
        (24, 16) => ("ip6 daddr", Value::Address),
        (6, 1) => ("ip6 nexthdr", Value::Protocol),
        (8, 1) => ("ip ttl", Value::Hex),
        _ => ("@nh,…", Value::Hex),
    };
    (text.to_owned(), kind)
}

fn transport(protocol: &str, offset: u32, bytes: u8) -> (String, Value) {
    match (offset, bytes) {
        (0, 2) => (format!("{protocol} sport"), Value::Port),
        (2, 2) => (format!("{protocol} dport"), Value::Port),
        (13, 1) => (format!("{protocol} flags"), Value::Hex),
        _ => (format!("{protocol} …"), Value::Hex),
    }
}

fn value(kind: Value, bytes: &[u8]) -> String {
    let hex = || {
        bytes
            .iter()
            .fold("0x".to_owned(), |text, byte| format!("{text}{byte:02x}"))
    };
    match (kind, bytes.len()) {
        (Value::Address, 16) => bytes
            .first_chunk()
            .map_or_else(hex, |bytes: &[u8; 16]| Ipv6Addr::from(*bytes).to_string()),
        (Value::Address, 1..=4) => {
            // A shorter one is the prefix of a network.
            let mut whole = [0; 4];
            for (to, from) in whole.iter_mut().zip(bytes) {
                *to = *from;
            }
            let prefix = if bytes.len() < 4 {
                format!("/{}", 8 * bytes.len())
            } else {
                String::new()
            };
            format!("{}{prefix}", Ipv4Addr::from(whole))
        }
        (Value::Port, 2) => bytes
            .first_chunk()
            .map_or_else(hex, |bytes| u16::from_be_bytes(*bytes).to_string()),
        // include/uapi/linux/netfilter.h, enum nf_proto.
        (Value::NfProto, 1) if bytes == [2] => "ipv4".to_owned(),
        (Value::NfProto, 1) if bytes == [10] => "ipv6".to_owned(),
        (Value::Name, _) => {
            let name = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
            // Without a zero it is a prefix.
            let star = if bytes.contains(&0) { "" } else { "*" };
            format!("\"{}{star}\"", escape::text(name))
        }
        (Value::Host, 4) => bytes
            .first_chunk()
            .map_or_else(hex, |bytes| u32::from_ne_bytes(*bytes).to_string()),
        (Value::Protocol, 1) => bytes
            .first()
            .map_or_else(hex, |byte| protocol_name(*byte).to_owned()),
        (Value::State, 4) => bytes
            .first_chunk()
            .map_or_else(hex, |bytes| states(u32::from_ne_bytes(*bytes))),
        _ => hex(),
    }
}

fn states(bits: u32) -> String {
    let names = [
        (1, "invalid"),
        (2, "established"),
        (4, "related"),
        (8, "new"),
        (64, "untracked"),
    ];
    let set: Vec<&str> = names
        .iter()
        .filter(|(bit, _)| bits & bit != 0)
        .map(|(_, name)| *name)
        .collect();
    set.join(",")
}
