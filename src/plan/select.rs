//! Which tables, families and states the options select, by the rules of ss 7.1.
//!
//! As in ss there is one set of states for all tables: each option adds the states that its table shows by
//! default. What differs is said in docs/ss-differences.md: `-4 -6` is both, options unite whatever their order.

use std::collections::BTreeSet;

use crate::cli::{ListArgs, UsageError};
use crate::model::{Protocol, SocketType, State, StateSet};
use crate::query::ProtocolSet;

use super::Dump;

/// A table as ss counts them: unix sockets are three.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// An IP protocol.
    Inet(Protocol),
    /// Unix sockets of one type.
    Unix(SocketType),
}

/// What is selected.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "options of their own")]
pub struct Selection {
    /// The tables.
    pub tables: BTreeSet<Table>,
    /// The tables that were named, not only part of a family or of everything.
    pub named: BTreeSet<Table>,
    /// IPv4 sockets.
    pub v4: bool,
    /// IPv6 sockets.
    pub v6: bool,
    /// The states, for all tables.
    pub states: StateSet,
    /// Whether the states were asked for (`-a -l -B`, `state X`), or are the defaults of tables.
    pub states_asked: bool,
    /// Nothing was selected: TCP and UDP, every state, with owners.
    pub by_default: bool,
    /// Every table there is was asked for, and this version does not have them all.
    pub everything: bool,
}

const INET: [Protocol; 6] = [
    Protocol::Raw,
    Protocol::Icmp,
    Protocol::Udp,
    Protocol::Udplite,
    Protocol::Tcp,
    Protocol::Mptcp,
];
const UNIX: [SocketType; 3] = [SocketType::Stream, SocketType::Dgram, SocketType::Seqpacket];

fn all_inet() -> impl Iterator<Item = Table> {
    INET.into_iter().map(Table::Inet)
}

fn all_unix() -> impl Iterator<Item = Table> {
    UNIX.into_iter().map(Table::Unix)
}

/// Whether the options name a table or a family.
///
/// # Errors
/// One that is not known.
pub fn selects_tables(args: &ListArgs) -> Result<bool, UsageError> {
    let choice = Choice::named(args)?;
    Ok(!choice.is_empty() || !choice.excluded.is_empty() || choice.v4 || choice.v6)
}

impl Selection {
    /// What the options select, and the states and protocols that the filter speaks of.
    ///
    /// # Errors
    /// An unknown family or table, or a combination that selects nothing.
    pub fn of(
        args: &ListArgs,
        state_words: Option<StateSet>,
        protocols: Option<ProtocolSet>,
    ) -> Result<Self, UsageError> {
        let mut choice = Choice::named(args)?;
        let asked = if args.all {
            Some(StateSet::ALL)
        } else if args.listening {
            Some(StateSet::LISTENING)
        } else if args.bound {
            Some(StateSet::of(State::Bound))
        } else {
            None
        };
        let asked = state_words.or(asked);
        let by_default = choice.is_empty() && asked.is_none();
        if by_default {
            choice.defaults(protocols);
        }
        let everything = choice.is_empty();
        if everything {
            choice.members.extend(all_inet().chain(all_unix()));
        }
        let selection = Self {
            tables: choice.members.difference(&choice.excluded).copied().collect(),
            named: choice.named,
            v4: choice.v4 || !choice.v6,
            v6: choice.v6 || !choice.v4,
            states: asked.unwrap_or(choice.states),
            states_asked: asked.is_some() || by_default,
            by_default,
            everything,
        };
        if selection.tables.is_empty() {
            return Err(UsageError::new("these options select no table")
                .with_hint("sockstat -A all,!tcp is all but TCP"));
        }
        if selection.states.is_empty() {
            return Err(UsageError::new("these words select no state")
                .with_hint("`exclude` takes states away from all"));
        }
        Ok(selection)
    }

    /// Whether a column that names the table says anything.
    pub fn has_several_tables(&self) -> bool {
        self.tables.len() > 1
    }

    /// Whether only sockets that wait for something can be shown: listeners and unconnected ones.
    pub fn is_listening_view(&self) -> bool {
        self.states.without(StateSet::LISTENING).is_empty()
    }

    /// The dumps, in the order in which ss prints tables.
    pub fn dumps(&self) -> Vec<Dump> {
        let mut dumps = Vec::new();
        let types: Vec<_> = UNIX
            .into_iter()
            .filter(|kind| self.tables.contains(&Table::Unix(*kind)))
            .collect();
        if !types.is_empty() {
            let types = if types.len() == UNIX.len() {
                Vec::new()
            } else {
                types
            };
            dumps.push(Dump {
                types,
                ..Dump::new(Protocol::Unix, self.states)
            });
        }
        for protocol in INET
            .into_iter()
            .filter(|protocol| self.tables.contains(&Table::Inet(*protocol)))
        {
            // The kernel ignores the states of raw sockets, and so ss shows them all.
            let raw = matches!(protocol, Protocol::Raw | Protocol::Icmp) && !self.states_asked;
            dumps.push(Dump {
                v4: self.v4,
                v6: self.v6,
                named: self.named.contains(&Table::Inet(protocol)),
                ..Dump::new(protocol, if raw { StateSet::ALL } else { self.states })
            });
        }
        dumps
    }
}

/// The choice as it is built up, option by option.
#[derive(Default)]
struct Choice {
    members: BTreeSet<Table>,
    named: BTreeSet<Table>,
    excluded: BTreeSet<Table>,
    v4: bool,
    v6: bool,
    states: StateSet,
}

impl Choice {
    /// What the options name.
    fn named(args: &ListArgs) -> Result<Self, UsageError> {
        let mut choice = Self::default();
        choice.letters(args);
        for family in &args.family {
            choice.family(family)?;
        }
        for list in &args.tables {
            choice.tables(list)?;
        }
        Ok(choice)
    }

    fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    fn add(&mut self, tables: impl IntoIterator<Item = Table>, states: StateSet) {
        for table in tables {
            self.members.insert(table);
            self.named.insert(table);
        }
        self.states = self.states.union(states);
    }

    /// TCP and UDP; if the filter can only match other protocols (a path, a protocol's name), those.
    fn defaults(&mut self, protocols: Option<ProtocolSet>) {
        let usual = [Protocol::Tcp, Protocol::Udp];
        let wanted: Vec<Protocol> = protocols.map_or_else(|| usual.to_vec(), |set| set.iter().collect());
        let no_usual_one = !wanted.iter().any(|protocol| usual.contains(protocol));
        for protocol in wanted {
            match protocol {
                Protocol::Unix => self.add(all_unix(), StateSet::ALL),
                protocol if usual.contains(&protocol) || (no_usual_one && INET.contains(&protocol)) => {
                    self.add([Table::Inet(protocol)], StateSet::ALL);
                }
                _ => {}
            }
        }
    }

    fn letters(&mut self, args: &ListArgs) {
        let connected = StateSet::of(State::Established);
        for (chosen, protocol, states) in [
            (args.tcp, Protocol::Tcp, StateSet::CONN),
            (args.mptcp, Protocol::Mptcp, StateSet::CONN),
            (args.udp, Protocol::Udp, connected),
            (args.raw, Protocol::Raw, connected),
        ] {
            if chosen {
                self.add([Table::Inet(protocol)], states);
            }
        }
        if args.unix {
            self.add(all_unix(), StateSet::CONN);
        }
        self.ip_family(args.ipv4, args.ipv6);
    }

    /// A family without any of its tables stands for them all.
    fn ip_family(&mut self, v4: bool, v6: bool) {
        if !v4 && !v6 {
            return;
        }
        self.v4 |= v4;
        self.v6 |= v6;
        self.states = self.states.union(StateSet::CONN);
        if !self.members.iter().any(|table| matches!(table, Table::Inet(_))) {
            self.members.extend(all_inet());
        }
    }

    fn family(&mut self, name: &str) -> Result<(), UsageError> {
        match name {
            "inet" => self.ip_family(true, false),
            "inet6" => self.ip_family(false, true),
            "unix" => self.add(all_unix(), StateSet::CONN),
            "link" | "packet" | "netlink" | "vsock" | "tipc" | "xdp" => {
                return Err(not_there("family", name));
            }
            _ => {
                return Err(UsageError::new(format!(
                    "unknown family '{}'",
                    crate::render::escape::text(name.as_bytes())
                ))
                .with_hint("families: inet, inet6, unix"));
            }
        }
        Ok(())
    }

    fn tables(&mut self, list: &str) -> Result<(), UsageError> {
        for word in list.split(',').filter(|word| !word.is_empty()) {
            let (name, exclude) = word.strip_prefix('!').map_or((word, false), |name| (name, true));
            let tables: Vec<Table> = match name {
                "all" => all_inet().chain(all_unix()).collect(),
                "inet" => all_inet().collect(),
                "unix" => all_unix().collect(),
                "unix_stream" | "u_str" => vec![Table::Unix(SocketType::Stream)],
                "unix_dgram" | "u_dgr" => vec![Table::Unix(SocketType::Dgram)],
                "unix_seqpacket" | "u_seq" => vec![Table::Unix(SocketType::Seqpacket)],
                "packet" | "packet_raw" | "p_raw" | "packet_dgram" | "p_dgr" | "netlink" | "vsock"
                | "vsock_stream" | "v_str" | "vsock_dgram" | "v_dgr" | "xdp" | "tipc" | "sctp" | "dccp" => {
                    return Err(not_there("table", name));
                }
                _ => match Protocol::from_name(name) {
                    Some(protocol) => vec![Table::Inet(protocol)],
                    None => {
                        let name = crate::render::escape::text(name.as_bytes());
                        return Err(UsageError::new(format!("unknown table '{name}'")).with_hint(
                            "tables: all, inet, tcp, mptcp, udp, udplite, raw, icmp, unix, unix_stream, unix_dgram, unix_seqpacket",
                        ));
                    }
                },
            };
            if exclude {
                // "All but this one", unless something was chosen before.
                if self.is_empty() {
                    self.members.extend(all_inet().chain(all_unix()));
                }
                self.excluded.extend(tables);
            } else if matches!(name, "all" | "inet") {
                self.members.extend(tables);
            } else {
                self.add(tables, StateSet::NONE);
            }
            self.states = self.states.union(StateSet::CONN);
        }
        Ok(())
    }
}

fn not_there(what: &str, name: &str) -> UsageError {
    UsageError::new(format!("the {what} '{name}' is not there yet in this version")).with_hint("`ss` has it")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli;

    fn select(line: &str) -> Result<Selection, UsageError> {
        let arguments = std::iter::once("sockstat")
            .chain(line.split_whitespace())
            .map(Into::into)
            .collect();
        Selection::of(&cli::parse(arguments).unwrap().list, None, None)
    }

    fn protocols(line: &str) -> Vec<&'static str> {
        select(line)
            .unwrap()
            .dumps()
            .iter()
            .map(|dump| dump.protocol.name())
            .collect()
    }

    #[test]
    fn nothing_selects_tcp_and_udp_in_every_state() {
        let selection = select("").unwrap();
        assert!(selection.by_default);
        assert_eq!(selection.states, StateSet::ALL);
        assert_eq!(protocols(""), ["udp", "tcp"]);
        assert!(
            select("-p -e").unwrap().by_default,
            "display options select nothing"
        );
    }

    #[test]
    fn defaults_are_those_of_ss() {
        assert_eq!(select("-t").unwrap().states, StateSet::CONN);
        assert_eq!(select("-u").unwrap().states, StateSet::of(State::Established));
        assert_eq!(select("-tu").unwrap().states, StateSet::CONN);
        assert_eq!(select("-tl").unwrap().states, StateSet::LISTENING);
        assert_eq!(select("-tla").unwrap().states, StateSet::ALL);
        assert_eq!(select("-tB").unwrap().states, StateSet::of(State::Bound));
        assert_eq!(
            select("-w").unwrap().dumps()[0].states,
            StateSet::ALL,
            "the kernel ignores states of raw sockets"
        );
    }

    #[test]
    fn families_stand_for_their_tables_unless_one_is_named() {
        assert_eq!(protocols("-4"), ["raw", "icmp", "udp", "udplite", "tcp", "mptcp"]);
        assert_eq!(protocols("-4 -t"), ["tcp"]);
        assert_eq!(protocols("-t -4"), ["tcp"]);
        assert_eq!(protocols("-tx"), ["unix", "tcp"]);
        assert_eq!(protocols("-f unix"), ["unix"]);
        let both = select("-t -4 -6").unwrap();
        assert!(both.v4 && both.v6);
        let one = select("-t6").unwrap();
        assert!(!one.v4 && one.v6);
    }

    #[test]
    fn tables_unite_and_can_be_taken_away() {
        assert_eq!(protocols("-A tcp,udp"), ["udp", "tcp"]);
        assert_eq!(protocols("-t -A udp"), ["udp", "tcp"]);
        assert!(!protocols("-A !tcp").contains(&"tcp"));
        assert!(protocols("-A !tcp").contains(&"unix"));
        let types = |line| select(line).unwrap().dumps()[0].types.clone();
        assert_eq!(types("-A u_str"), [SocketType::Stream]);
        assert!(types("-x").is_empty());
        assert!(select("-A nonsense").is_err());
        assert!(select("-f nonsense").is_err());
        assert!(select("-A tcp,!tcp").is_err());
    }

    #[test]
    fn only_what_was_named_may_make_the_kernel_load_a_module() {
        let named = |line| {
            select(line)
                .unwrap()
                .dumps()
                .into_iter()
                .filter(|dump| dump.named && dump.protocol != Protocol::Unix)
                .map(|dump| dump.protocol.name())
                .collect::<Vec<_>>()
        };
        assert_eq!(named("-M"), ["mptcp"]);
        assert!(named("-a").is_empty());
        assert!(named("-4").is_empty());
    }
}
