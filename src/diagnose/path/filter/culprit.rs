//! Names a rule or policy, the command that shows it, and the rule to insert before it.

use std::net::{IpAddr, SocketAddr};

use super::connection::Hook;
use super::place::RulePlace;
use super::words::rule_text;
use crate::model::packet_filter::{
    Chain, Expression, Family, Kind, LegacyTable, LegacyTarget, PacketFilter, Rule, Table,
};
use crate::render::{escape, shell};

/// A rule or policy by its names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Culprit {
    /// `inet`, `ip`, …; `iptables-legacy` or `ip6tables-legacy`.
    pub family: &'static str,
    /// The table.
    pub table: String,
    /// The chain.
    pub chain: String,
    /// The hook, for a chain that is attached to one.
    pub hook: Option<&'static str>,
    /// The rule's number; `None` for a policy.
    pub handle: Option<u64>,
    /// The rule or policy in words.
    pub rule: String,
    /// Its comment.
    pub comment: Option<String>,
    /// The command that shows it; `None` if a name cannot be pasted.
    pub show: Option<String>,
    /// The command that lets the connection pass; `None` if no command is certain to be harmless.
    pub cure: Option<String>,
}

/// The connection that a cure lets pass.
#[derive(Clone, Copy, Debug)]
pub struct Passing {
    /// `tcp` or `udp`.
    pub protocol: &'static str,
    /// The destination as the rule sees it.
    pub to: SocketAddr,
    /// The only source, if one was given.
    pub from: Option<IpAddr>,
}

impl Culprit {
    /// One line: `inet filter input, rule handle 7: tcp dport 80 drop  # "comment"`.
    pub fn line(&self) -> String {
        let place = format!("{} {} {}", self.family, self.table, self.chain);
        let comment = self
            .comment
            .as_ref()
            .map_or_else(String::new, |comment| format!("  # \"{comment}\""));
        match self.handle {
            Some(number) if self.family.ends_with("legacy") => {
                format!(
                    "{} -t {}, chain {}, rule {number}: {}{comment}",
                    self.family, self.table, self.chain, self.rule
                )
            }
            None if self.family.ends_with("legacy") => {
                format!(
                    "{} of {} -t {}, chain {}",
                    self.rule, self.family, self.table, self.chain
                )
            }
            Some(handle) => format!("{place}, rule handle {handle}: {}{comment}", self.rule),
            None => format!("{} of chain {place}", self.rule),
        }
    }
}

/// Names the rule at a place; `passing` is the connection that a cure should let pass.
pub fn name(filter: &PacketFilter, place: RulePlace, passing: Option<Passing>) -> Option<Culprit> {
    match place {
        RulePlace::Rule { table, chain, rule } => {
            let table = filter.tables.get(table)?;
            let chain = table.chains.get(chain)?;
            let rule = (rule, chain.rules.get(rule)?);
            Some(of_nft(table, chain, Some(rule), passing))
        }
        RulePlace::Policy { table, chain } => {
            let table = filter.tables.get(table)?;
            Some(of_nft(table, table.chains.get(chain)?, None, passing))
        }
        RulePlace::Legacy { table, entry, hook } => {
            of_legacy(filter.legacy.get(table)?, entry, hook, passing)
        }
    }
}

/// `rule` is the rule and its position in the chain; `None` for the policy.
fn of_nft(table: &Table, chain: &Chain, rule: Option<(usize, &Rule)>, passing: Option<Passing>) -> Culprit {
    let names = shell::name(&table.name).zip(shell::name(&chain.name));
    let (number, rule) = rule.map_or((None, None), |(at, rule)| (Some(at as u64 + 1), Some(rule)));
    let of_iptables = iptables_nft(table, rule)
        .zip(names.as_ref())
        .map(|(tool, (table, chain))| iptables_commands(tool, [table, chain], number, passing));
    let place = names.map(|(table_name, chain)| format!("{} {table_name} {chain}", table.family.name()));
    let ip = matches!(table.family, Family::Inet | Family::Ip | Family::Ip6);
    let hook = chain
        .hook
        .as_ref()
        .filter(|_| ip)
        .and_then(|hook| hook_name(hook.number));
    let cure = passing
        .zip(place.as_ref())
        .filter(|_| ip && chain.kind == Kind::Filter)
        .map(|(passing, place)| {
            let source = passing.from.map_or_else(String::new, |from| {
                format!("{} saddr {from} ", if from.is_ipv4() { "ip" } else { "ip6" })
            });
            let matches = format!("{source}{} dport {} accept", passing.protocol, passing.to.port());
            match rule {
                Some(rule) => format!("sudo nft insert rule {place} position {} {matches}", rule.handle),
                None => format!("sudo nft add rule {place} {matches}"),
            }
        });
    let of_nft = (place.map(|place| format!("sudo nft -a list chain {place}")), cure);
    let (show, cure) = of_iptables.map_or(of_nft, |(show, cure)| (Some(show), cure));
    Culprit {
        family: table.family.name(),
        table: escape::text(&table.name),
        chain: escape::text(&chain.name),
        hook,
        handle: rule.map(|rule| rule.handle),
        rule: rule.map_or_else(|| "policy drop".to_owned(), |rule| rule_text(table, rule)),
        comment: rule.and_then(|rule| rule.comment.as_deref()).map(escape::text),
        show,
        cure,
    }
}

/// Returns the tool that made an nf_tables rule or policy, if that was iptables-nft: its tables have the names of the
/// iptables tables, built-in chains are in capitals, and each rule has a counter (iptables 1.8 iptables/nft.c).
fn iptables_nft(table: &Table, rule: Option<&Rule>) -> Option<&'static str> {
    const TABLES: [&[u8]; 5] = [b"filter", b"nat", b"mangle", b"raw", b"security"];
    let tool = match table.family {
        Family::Ip => "iptables-nft",
        Family::Ip6 => "ip6tables-nft",
        _ => return None,
    };
    let is_built_in = |chain: &Chain| {
        let hook = chain.hook.as_ref().and_then(|hook| hook_name(hook.number));
        hook.is_some_and(|hook| *chain.name == *hook.to_uppercase().as_bytes())
    };
    let has_counter = rule.is_none_or(|rule| rule.expressions.contains(&Expression::NoEffect));
    let has_its_names =
        TABLES.iter().any(|name| **name == *table.name) && table.chains.iter().any(is_built_in);
    (has_its_names && has_counter).then_some(tool)
}

/// The iptables commands that show a rule (or, for a policy, the chain: `number` is `None`) and that let a connection
/// pass before it. Accepting rules belong only in the filter table.
fn iptables_commands(
    tool: &str,
    [table, chain]: [&String; 2],
    number: Option<u64>,
    passing: Option<Passing>,
) -> (String, Option<String>) {
    let shown = number.map_or_else(String::new, |number| format!(" {number}"));
    let show = format!("sudo {tool} -t {table} -L {chain}{shown} -n -v");
    let cure = passing.filter(|_| table == "filter").map(|passing| {
        let source = passing
            .from
            .map_or_else(String::new, |from| format!("-s {from} "));
        let place = match number {
            Some(number) => format!("-I {chain} {number}"),
            None => format!("-A {chain}"),
        };
        format!(
            "sudo {tool} -t {table} {place} {source}-p {} --dport {} -j ACCEPT",
            passing.protocol,
            passing.to.port()
        )
    });
    (show, cure)
}

fn hook_name(number: u32) -> Option<&'static str> {
    [
        Hook::Prerouting,
        Hook::Input,
        Hook::Forward,
        Hook::Output,
        Hook::Postrouting,
    ]
    .into_iter()
    .find(|hook| hook.number() == number)
    .map(Hook::name)
}

/// The iptables-legacy chain of an entry, and the entry's number in it.
fn legacy_chain(table: &LegacyTable, entry: usize) -> Option<(String, u64, bool)> {
    let mut chain = None;
    let mut number = 0;
    for (at, one) in table.entries.iter().enumerate() {
        let hook = (0..5)
            .find(|hook| table.hooks & (1 << hook) != 0 && table.begins.get(*hook) == Some(&one.offset));
        if let Some(name) = hook.and_then(|hook| hook_name(u32::try_from(hook).unwrap_or(u32::MAX))) {
            (chain, number) = (Some(name.to_uppercase()), 0);
        }
        if let LegacyTarget::Begin(name) = &one.target {
            (chain, number) = (Some(escape::text(name)), 0);
            continue;
        }
        number += 1;
        if at == entry {
            let is_policy = (0..5)
                .any(|hook| table.hooks & (1 << hook) != 0 && table.policies.get(hook) == Some(&one.offset));
            return Some((chain?, number, is_policy));
        }
    }
    None
}

fn of_legacy(table: &LegacyTable, entry: usize, hook: u32, passing: Option<Passing>) -> Option<Culprit> {
    let (chain, number, is_policy) = legacy_chain(table, entry)?;
    let tool = if table.v6 {
        "ip6tables-legacy"
    } else {
        "iptables-legacy"
    };
    let name = shell::name(&table.name).zip(shell::name(chain.as_bytes()));
    let target = match &table.entries.get(entry)?.target {
        LegacyTarget::Standard(-1) => "DROP".to_owned(),
        LegacyTarget::Extension(extension) => escape::text(&extension.name),
        _ => "…".to_owned(),
    };
    let number = (!is_policy).then_some(number);
    let commands = name.map(|(table, chain)| iptables_commands(tool, [&table, &chain], number, passing));
    let (show, cure) = commands.map_or((None, None), |(show, cure)| (Some(show), cure));
    Some(Culprit {
        family: tool,
        table: escape::text(&table.name),
        hook: hook_name(hook),
        handle: number,
        rule: if is_policy {
            format!("policy {target}")
        } else {
            format!("-j {target}")
        },
        comment: None,
        show,
        chain,
        cure,
    })
}
