//! The place of a rule.

/// A rule or a policy, by its indexes in the packet filter.
#[allow(missing_docs, reason = "each field is the index of what it names")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RulePlace {
    /// A rule of nf_tables.
    Rule { table: usize, chain: usize, rule: usize },
    /// The policy of a chain of nf_tables.
    Policy { table: usize, chain: usize },
    /// A rule of iptables-legacy, the policy included: its table, its index among the table's entries, and the hook.
    Legacy { table: usize, entry: usize, hook: u32 },
}
