//! Determines which tables, families and states the options select, by the rules of ss 7.1.
//!
//! As in ss, there is one set of states for all tables: each option adds the states that its table shows by default.
//! docs/ss-differences.md lists the differences: `-4 -6` means both, and options combine regardless of their order.

use std::collections::BTreeSet;

use crate::cli::complete::TABLES;
use crate::cli::{ListArgs, UsageError};
use crate::model::{Family, Protocol, SocketType, State, StateSet};
use crate::query::{Expr, Parsed, ProtocolSet};

use super::tables::{ORDER, Table, all, all_inet, default_states, tables, tables_of_name, types};
use crate::model::request::Dump;

/// The selection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "options of their own")]
pub struct Selection {
    /// The tables.
    pub tables: BTreeSet<Table>,
    /// The tables that were named individually, not as part of a family or of `all`.
    pub named: BTreeSet<Table>,
    /// IPv4 sockets.
    pub v4: bool,
    /// IPv6 sockets.
    pub v6: bool,
    /// The states, for all tables.
    pub states: StateSet,
    /// Whether the states were requested (`-a -l -B`, `state X`), or are the defaults of the tables.
    pub states_asked: bool,
    /// Whether nothing was selected, which means TCP and UDP in every state, with owners.
    pub by_default: bool,
    /// Whether no option selects anything; filter words may.
    pub without_options: bool,
    /// Whether the filter selects the sockets of certain owners.
    of_owners: bool,
}

/// Returns whether the options name a table or a family.
///
/// # Errors
/// An unknown name.
pub fn selects_tables(args: &ListArgs) -> Result<bool, UsageError> {
    let choice = Choice::named(args)?;
    Ok(!choice.is_empty() || !choice.excluded.is_empty() || choice.v4 || choice.v6)
}

impl Selection {
    /// Combines the options with the states and protocols that the filter mentions.
    ///
    /// # Errors
    /// An unknown family or table, or a combination that selects nothing.
    pub fn of(args: &ListArgs, words: Words) -> Result<Self, UsageError> {
        let mut choice = Choice::named(args)?;
        let without_tables = choice.is_empty();
        let asked = if args.all {
            Some(StateSet::ALL)
        } else if args.listening {
            Some(StateSet::LISTENING)
        } else if args.bound {
            Some(StateSet::of(State::Bound))
        } else {
            None
        };
        let without_options = without_tables && asked.is_none();
        let asked = words.states.or(asked);
        let by_default = without_tables && asked.is_none();
        if by_default {
            choice.defaults(words);
        }
        if choice.is_empty() {
            choice.members.extend(all());
        }
        let selection = Self {
            tables: choice.members.difference(&choice.excluded).copied().collect(),
            named: choice.named,
            v4: choice.v4 || !choice.v6,
            v6: choice.v6 || !choice.v4,
            states: asked.unwrap_or(choice.states),
            states_asked: asked.is_some() || by_default,
            by_default,
            without_options,
            of_owners: words.of_owners,
        };
        if selection.tables.is_empty() {
            return Err(UsageError::new("these options select no table")
                .with_hint("sockstat -A all,!tcp selects all tables except TCP"));
        }
        if selection.states.is_empty() {
            return Err(UsageError::new("these words select no state")
                .with_hint("`exclude` removes states from all of them"));
        }
        Ok(selection)
    }

    /// Returns whether a column with the table's name is informative.
    pub fn has_several_tables(&self) -> bool {
        self.tables.len() > 1
    }

    /// Returns whether only waiting sockets can be shown: listeners and unconnected ones.
    pub fn is_listening_view(&self) -> bool {
        self.states.without(StateSet::LISTENING).is_empty()
    }

    /// Returns whether the default states of the tables are selected, and these include no listeners or unconnected
    /// sockets.
    pub fn leaves_out_listeners(&self) -> bool {
        !self.states_asked && self.states.intersection(StateSet::LISTENING).is_empty()
    }

    /// Returns whether every socket is selected, in any table and state.
    pub fn is_everything(&self) -> bool {
        self.v4 && self.v6 && self.states == StateSet::ALL && self.has_every_table()
    }

    /// Returns whether every table is selected.
    pub fn has_every_table(&self) -> bool {
        all().all(|table| self.tables.contains(&table))
    }

    /// Returns the dumps, in the order in which ss prints tables.
    pub fn dumps(&self) -> Vec<Dump> {
        ORDER
            .into_iter()
            .filter_map(|protocol| self.dump(protocol))
            .collect()
    }

    fn dump(&self, protocol: Protocol) -> Option<Dump> {
        let of_it = |table: &&Table| table.protocol() == protocol;
        let tables: Vec<_> = self.tables.iter().filter(of_it).collect();
        if tables.is_empty() {
            return None;
        }
        let mut wanted: Vec<_> = types(protocol)
            .iter()
            .filter(|kind| self.tables.contains(&Table::Typed(protocol, **kind)))
            .copied()
            .collect();
        if wanted.len() == types(protocol).len() {
            wanted.clear();
        } else if protocol == Protocol::Packet && wanted.contains(&SocketType::Dgram) {
            // The obsolete way to open a packet socket, which ss includes here too.
            wanted.push(SocketType::Packet);
        }
        let named = self.named.iter().any(|table| of_it(&table));
        let states = match protocol {
            _ if self.states_asked => self.states,
            // The kernel ignores states of raw sockets, so ss shows them all.
            Protocol::Raw | Protocol::Icmp => StateSet::ALL,
            // `-A netlink` alone would request connected sockets, which do not exist. ss has no filter by program, so
            // `-A all nginx` may include them as well.
            Protocol::Packet | Protocol::Netlink | Protocol::Xdp if named || self.of_owners => {
                default_states(protocol)
            }
            _ => self.states,
        };
        Some(Dump {
            v4: self.v4,
            v6: self.v6,
            types: wanted,
            named,
            ..Dump::new(protocol, states)
        })
    }
}

/// What the filter says about tables and states.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// The states that it mentions.
    pub states: Option<StateSet>,
    /// The protocols that can match, if it mentions any.
    pub protocols: Option<ProtocolSet>,
    /// Whether only sockets of certain owners can match.
    pub of_owners: bool,
}

impl Words {
    /// What a parsed filter says.
    pub fn of(filter: &Parsed) -> Self {
        Self {
            states: filter.states,
            protocols: filter.protocols,
            of_owners: filter.expr.as_ref().is_some_and(Expr::is_about_owners),
        }
    }
}

/// The selection under construction, option by option.
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
    /// Collects what the options name.
    fn named(args: &ListArgs) -> Result<Self, UsageError> {
        let mut choice = Self::default();
        choice.letters(args);
        for family in &args.family {
            choice.family(family)?;
        }
        for list in &args.tables {
            choice.tables(list)?;
        }
        choice.complete_family();
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

    /// Selects TCP and UDP or, if the filter can match only other protocols (a path, a protocol name), those. For a
    /// filter by owner, other tables are added, because programs hold more than TCP and UDP sockets.
    fn defaults(&mut self, words: Words) {
        let usual = [Protocol::Tcp, Protocol::Udp];
        if words.of_owners && words.protocols.is_none() {
            self.members
                .extend(all().filter(|table| table.protocol() != Protocol::Unix));
        }
        let wanted: Vec<Protocol> = words
            .protocols
            .map_or_else(|| usual.to_vec(), |set| set.iter().collect());
        let no_usual_one = !wanted.iter().any(|protocol| usual.contains(protocol));
        for protocol in wanted {
            if protocol == Protocol::Unix || usual.contains(&protocol) || no_usual_one {
                self.add(tables(protocol), StateSet::ALL);
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
            (args.sctp, Protocol::Sctp, StateSet::CONN),
            (args.dccp, Protocol::Dccp, StateSet::CONN),
            (args.unix, Protocol::Unix, StateSet::CONN),
            (args.packet, Protocol::Packet, default_states(Protocol::Packet)),
            (args.vsock, Protocol::Vsock, StateSet::CONN),
            (args.xdp, Protocol::Xdp, default_states(Protocol::Xdp)),
            (args.tipc, Protocol::Tipc, default_states(Protocol::Tipc)),
            (args.smc, Protocol::Smc, StateSet::CONN),
        ] {
            if chosen {
                self.add(tables(protocol), states);
            }
        }
        self.ip_family(args.ipv4, args.ipv6);
    }

    fn ip_family(&mut self, v4: bool, v6: bool) {
        if v4 || v6 {
            self.v4 |= v4;
            self.v6 |= v6;
            self.states = self.states.union(StateSet::CONN);
        }
    }

    /// If no table of a family is named, the family stands for all its tables.
    fn complete_family(&mut self) {
        let has_inet = self.members.iter().any(|table| table.protocol().is_inet());
        if (self.v4 || self.v6) && !has_inet {
            self.members.extend(all_inet());
        }
    }

    fn family(&mut self, name: &str) -> Result<(), UsageError> {
        match (name, Family::from_name(name)) {
            ("inet", _) => self.ip_family(true, false),
            ("inet6", _) => self.ip_family(false, true),
            (_, Some(family)) => {
                for protocol in ORDER
                    .into_iter()
                    .filter(|protocol| protocol.family() == Some(family))
                {
                    self.add(tables(protocol), default_states(protocol));
                }
            }
            (_, None) => {
                return Err(UsageError::new(format!(
                    "unknown family '{}'",
                    crate::render::escape::text(name.as_bytes())
                ))
                .with_hint("families: inet, inet6, unix, link, netlink, vsock, xdp, tipc"));
            }
        }
        Ok(())
    }

    fn tables(&mut self, list: &str) -> Result<(), UsageError> {
        for word in list.split(',').filter(|word| !word.is_empty()) {
            let (name, exclude) = word.strip_prefix('!').map_or((word, false), |name| (name, true));
            let tables = tables_of_name(name).ok_or_else(|| {
                let name = crate::render::escape::text(name.as_bytes());
                UsageError::new(format!("unknown table '{name}'"))
                    .with_hint(format!("tables: {}", TABLES.join(", ")))
            })?;
            if exclude {
                // Means "all but this one", unless something was selected before.
                if self.is_empty() && !self.v4 && !self.v6 {
                    self.members.extend(all());
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli;

    fn select(line: &str) -> Result<Selection, UsageError> {
        let words = std::iter::once("sockstat").chain(line.split_whitespace());
        let arguments: Vec<std::ffi::OsString> = words.map(Into::into).collect();
        Selection::of(&cli::parse(&arguments).unwrap().list, Words::default())
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
    fn a_filter_by_owner_selects_more_than_tcp_and_udp() {
        let of = |line: &str, words: Words| -> Vec<(&'static str, bool)> {
            let arguments = ["sockstat"].into_iter().chain(line.split_whitespace());
            let arguments: Vec<std::ffi::OsString> = arguments.map(Into::into).collect();
            let selection = Selection::of(&cli::parse(&arguments).unwrap().list, words).unwrap();
            let dumps = selection.dumps();
            let has = |dump: &Dump| dump.states.contains(State::Unconnected);
            dumps
                .iter()
                .map(|dump| (dump.protocol.name(), has(dump)))
                .collect()
        };
        let of_owners = Words {
            of_owners: true,
            ..Words::default()
        };
        for name in ["netlink", "packet", "raw", "icmp", "udp", "tcp"] {
            assert!(of("", of_owners).contains(&(name, true)), "{name}");
        }
        assert!(!of("", of_owners).iter().any(|(name, _)| *name == "unix"));
        let tcp_only = Words {
            protocols: Some([Protocol::Tcp].into_iter().collect()),
            ..of_owners
        };
        assert_eq!(of("", tcp_only), [("tcp", true)]);
        assert_eq!(of("-u", of_owners), [("udp", false)]);
        for (words, expected) in [(of_owners, true), (Words::default(), false)] {
            assert!(of("-A all", words).contains(&("packet", expected)));
        }
    }

    #[test]
    fn without_options_tcp_and_udp_are_selected_in_every_state() {
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
        assert_eq!(
            protocols("-4"),
            [
                "raw", "icmp", "udp", "udplite", "tcp", "dccp", "sctp", "mptcp", "smc"
            ]
        );
        assert_eq!(protocols("-4 -t"), ["tcp"]);
        assert_eq!(protocols("-t -4"), ["tcp"]);
        assert_eq!(protocols("-4 -A udp"), ["udp"]);
        assert_eq!(protocols("-f inet -A smc,tcp"), ["tcp", "smc"]);
        let but_tcp = protocols("-4 -A !tcp");
        assert!(but_tcp.contains(&"udp") && !but_tcp.contains(&"tcp") && !but_tcp.contains(&"unix"));
        assert_eq!(protocols("-tx"), ["unix", "tcp"]);
        assert_eq!(protocols("-f unix"), ["unix"]);
        let both = select("-t -4 -6").unwrap();
        assert!(both.v4 && both.v6);
        let one = select("-t6").unwrap();
        assert!(!one.v4 && one.v6);
    }

    #[test]
    fn tables_can_be_combined_and_excluded() {
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
    fn tables_come_in_the_order_of_ss_and_everything_is_everything() {
        let every = [
            "netlink", "packet", "unix", "raw", "icmp", "udp", "udplite", "tcp", "dccp", "sctp", "vsock",
            "tipc", "xdp", "mptcp", "smc",
        ];
        assert_eq!(protocols("-a"), every);
        assert_eq!(protocols("-A all"), every);
        assert_eq!(protocols("-A !netlink"), every[1..]);
        assert_eq!(
            protocols("-0 --vsock --xdp -S -d -t"),
            ["packet", "tcp", "dccp", "sctp", "vsock", "xdp"]
        );
    }

    #[test]
    fn families_with_a_single_state_show_it_if_they_are_named() {
        let unconnected = StateSet::of(State::Unconnected);
        for line in [
            "-0",
            "-f link",
            "-f packet",
            "-A packet",
            "-f netlink",
            "-A netlink",
            "--xdp",
            "-A xdp",
        ] {
            assert_eq!(select(line).unwrap().dumps()[0].states, unconnected, "{line}");
        }
        let states = |line: &str| select(line).unwrap().dumps()[0].states;
        assert_eq!(states("-l -A netlink"), StateSet::LISTENING);
        assert_eq!(states("-A all"), StateSet::CONN, "not named: as in ss");
        assert_eq!(states("--vsock"), StateSet::CONN);
        let of_tipc = StateSet::of_all(&[State::Established, State::Listen, State::Unconnected]);
        assert_eq!([states("--tipc"), states("-f tipc")], [of_tipc; 2]);
    }

    #[test]
    fn types_of_packet_and_vm_sockets_are_tables() {
        let types = |line| select(line).unwrap().dumps()[0].types.clone();
        assert_eq!(types("-A packet_dgram"), [SocketType::Dgram, SocketType::Packet]);
        assert_eq!(types("-A p_raw"), [SocketType::Raw]);
        assert_eq!(types("-A v_str"), [SocketType::Stream]);
        assert!(types("-0").is_empty());
    }

    #[test]
    fn only_named_tables_may_make_the_kernel_load_a_module() {
        let named = |line| {
            select(line)
                .unwrap()
                .dumps()
                .into_iter()
                .filter(|dump| dump.named)
                .map(|dump| dump.protocol.name())
                .collect::<Vec<_>>()
        };
        assert_eq!(named("-M"), ["mptcp"]);
        assert!(named("-a").is_empty());
        assert!(named("-4").is_empty());
    }
}
