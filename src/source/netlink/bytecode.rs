//! Encodes programs for INET_DIAG_REQ_BYTECODE, the filter that the kernel runs on each IP socket of a dump.
//!
//! A program is a sequence of operations `{ code u8, yes u8, no u16 }`, each followed by its argument. Execution
//! adds `yes` or `no` to the position; a socket passes if the position ends exactly at the end of the program. The
//! kernel audits a program before it runs it: every jump goes forward, and lands on an operation or at most 4
//! bytes after the end, which rejects the socket (linux 6.18 net/ipv4/inet_diag.c, inet_diag_bc_audit,
//! inet_diag_bc_run).

use crate::model::End;
use crate::model::Prefix;
use crate::model::request::{Condition, Question};
use crate::source::uapi::bytecode::{
    AUTO, CGROUP_COND, D_COND, D_EQ, D_GE, D_LE, DEV_COND, JMP, MARK_COND, S_COND, S_EQ, S_GE, S_LE,
};
use crate::source::uapi::{AF_INET, AF_INET6};

/// The auditor checks each jump by walking the program again, so its time grows with the square of the number of
/// operations; a program of this many takes well under a millisecond.
const MAX_OPERATIONS: usize = 1000;

/// The operations that the kernel supports. At first, all are assumed; an operation that the kernel rejects (EINVAL if
/// unknown, EPERM for marks) is removed before the next attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is one operation that a kernel may lack"
)]
pub struct Supported {
    /// `S_EQ` and `D_EQ`, since linux 4.16. Without them a port is compared twice, with `>=` and `<=`.
    pub port_equal: bool,
    /// `DEV_COND`, since linux 4.8.
    pub interface: bool,
    /// `MARK_COND`, since linux 4.9, for those with `CAP_NET_ADMIN`.
    pub mark: bool,
    /// `CGROUP_COND`, since linux 5.8.
    pub cgroup: bool,
}

impl Supported {
    /// What linux 6.18 supports for a caller with `CAP_NET_ADMIN`.
    pub const ALL: Self = Self {
        port_equal: true,
        interface: true,
        mark: true,
        cgroup: true,
    };
    /// What every kernel since 2.6 supports.
    pub const BASIC: Self = Self {
        port_equal: false,
        interface: false,
        mark: false,
        cgroup: false,
    };

    const fn allows(self, question: &Question) -> bool {
        match question {
            Question::Interface(_) => self.interface,
            Question::Mark { .. } => self.mark,
            Question::Cgroup(_) => self.cgroup,
            _ => true,
        }
    }
}

/// Returns the program for a condition, or for a weaker one if not everything is supported. Every socket that satisfies
/// `condition` passes. `None` if there is nothing to check, or if the program would be too long.
pub fn encode(condition: &Condition, supported: Supported) -> Option<Vec<u8>> {
    let weaker = condition.weakened(|question| supported.allows(question));
    if weaker == Condition::Constant(true) {
        return None;
    }
    let mut program = Program::default();
    program.block(&weaker, supported)?;
    (program.operations <= MAX_OPERATIONS).then_some(program.bytes)
}

/// A program under construction. Every block keeps one contract: true falls through at its end, false jumps 4
/// bytes past it. Such a jump is relative to the block's own end, and moves when the block becomes part of a
/// larger one.
#[derive(Default)]
struct Program {
    bytes: Vec<u8>,
    operations: usize,
}

impl Program {
    /// Appends a block; returns the positions of the operations that jump past its end if it is false. `None` if a
    /// jump would be too long.
    fn block(&mut self, condition: &Condition, supported: Supported) -> Option<Vec<usize>> {
        match condition {
            Condition::Constant(true) => Some(Vec::new()),
            Condition::Constant(false) => {
                let at = self.jump();
                self.retarget(&[at])?;
                Some(vec![at])
            }
            Condition::And(parts) => {
                let mut exits = Vec::new();
                for part in parts {
                    exits.extend(self.block(part, supported)?);
                }
                self.retarget(&exits)?;
                Some(exits)
            }
            Condition::Or(parts) => {
                let mut skips = Vec::new();
                let (last, first) = parts.split_last()?;
                for part in first {
                    // False lands after the jump, at the next alternative.
                    self.block(part, supported)?;
                    skips.push(self.jump());
                }
                let exits = self.block(last, supported)?;
                self.land(&skips, 0)?;
                Some(exits)
            }
            Condition::Not(inner) => {
                // True falls through to the jump, which rejects; false lands after it.
                self.block(inner, supported)?;
                let at = self.jump();
                self.retarget(&[at])?;
                Some(vec![at])
            }
            Condition::Is(question) => {
                let exits = self.question(question, supported);
                self.retarget(&exits)?;
                Some(exits)
            }
        }
    }

    /// Points the jumps at these positions 4 bytes past the current end.
    fn retarget(&mut self, jumps: &[usize]) -> Option<()> {
        self.land(jumps, 4)
    }

    /// Points the jumps at these positions `beyond` bytes past the current end.
    fn land(&mut self, jumps: &[usize], beyond: usize) -> Option<()> {
        let target = self.bytes.len() + beyond;
        for at in jumps {
            let distance = u16::try_from(target - at).ok()?;
            self.bytes
                .get_mut(at + 2..at + 4)?
                .copy_from_slice(&distance.to_ne_bytes());
        }
        Some(())
    }

    /// Appends an operation with an open jump; returns its position.
    fn operation(&mut self, code: u8, argument: &[u8]) -> usize {
        let at = self.bytes.len();
        // Arguments are at most 24 bytes long.
        let size = u8::try_from(4 + argument.len()).unwrap_or(u8::MAX);
        self.bytes.extend_from_slice(&[code, size, 0, 0]);
        self.bytes.extend_from_slice(argument);
        self.operations += 1;
        at
    }

    fn jump(&mut self) -> usize {
        self.operation(JMP, &[])
    }

    /// Appends a port comparison. The port is stored where the jump of a second operation would be.
    fn port(&mut self, code: u8, port: u16) -> usize {
        let [low, high] = port.to_ne_bytes();
        self.operation(code, &[0, 0, low, high])
    }

    /// Appends the operations of one test; all of them jump away if it is false.
    fn question(&mut self, question: &Question, supported: Supported) -> Vec<usize> {
        let at = match question {
            Question::PortAtLeast(end, port) => self.port(pick(*end, S_GE, D_GE), *port),
            Question::PortAtMost(end, port) => self.port(pick(*end, S_LE, D_LE), *port),
            Question::PortIs(end, port) if supported.port_equal => self.port(pick(*end, S_EQ, D_EQ), *port),
            Question::PortIs(end, port) => {
                let least = self.port(pick(*end, S_GE, D_GE), *port);
                let most = self.port(pick(*end, S_LE, D_LE), *port);
                return vec![least, most];
            }
            Question::Address(end, prefix, port) => {
                self.operation(pick(*end, S_COND, D_COND), &host_condition(prefix, *port))
            }
            Question::Interface(index) => self.operation(DEV_COND, &index.to_ne_bytes()),
            Question::Mark { value, mask } => {
                let argument = [value.to_ne_bytes(), mask.to_ne_bytes()].concat();
                self.operation(MARK_COND, &argument)
            }
            Question::Cgroup(id) => self.operation(CGROUP_COND, &id.get().to_ne_bytes()),
            Question::Autobound => self.operation(AUTO, &[]),
        };
        vec![at]
    }
}

const fn pick(end: End, local: u8, peer: u8) -> u8 {
    match end {
        End::Local => local,
        End::Peer => peer,
    }
}

/// `struct inet_diag_hostcond`: family, length of the prefix, two bytes of padding, the port in host byte order
/// (-1 for any), the address. A prefix of length 0 still tests the family.
fn host_condition(prefix: &Prefix, port: Option<u16>) -> Vec<u8> {
    let (family, length, address): (u8, u8, Vec<u8>) = match prefix {
        Prefix::V4(network, length) => (AF_INET, *length, network.octets().into()),
        Prefix::V6(network, length) => (AF_INET6, *length, network.octets().into()),
    };
    let mut out = vec![family, length, 0, 0];
    out.extend_from_slice(&port.map_or(-1, i32::from).to_ne_bytes());
    out.extend_from_slice(&address);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Endpoints, Socket, State};
    use crate::query::pushdown::{Dump, pushdown};
    use crate::query::samples;
    use crate::query::{Match, Mode, parse};
    use proptest::prelude::*;
    use std::net::IpAddr;

    /// The kernel's audit, as its documentation and source describe it. Returns why it would refuse a program.
    fn audit(program: &[u8]) -> Result<(), String> {
        if program.len() < 4 {
            return Err("shorter than one operation".to_owned());
        }
        let mut starts = Vec::new();
        let mut at = 0;
        while at < program.len() {
            starts.push(at);
            at += usize::from(program[at + 1]).max(1);
        }
        if at != program.len() {
            return Err(format!("operations end at {at} of {}", program.len()));
        }
        for start in &starts {
            let rest = program.len() - start;
            let code = program[*start];
            let size = match code {
                JMP | AUTO => 4,
                S_GE | S_LE | D_GE | D_LE | S_EQ | D_EQ | DEV_COND => 8,
                MARK_COND | CGROUP_COND => 12,
                S_COND | D_COND => {
                    let (family, length) = (program[start + 4], program[start + 5]);
                    let address = match family {
                        AF_INET => 4,
                        AF_INET6 => 16,
                        _ => return Err(format!("family {family}")),
                    };
                    if usize::from(length) > 8 * address {
                        return Err(format!("prefix length {length}"));
                    }
                    12 + address
                }
                other => return Err(format!("unknown operation {other}")),
            };
            let yes = usize::from(program[start + 1]);
            let no = usize::from(u16::from_ne_bytes([program[start + 2], program[start + 3]]));
            for (jump, name) in [(yes, "yes"), (no, "no")] {
                if jump < size || jump > rest + 4 || jump % 4 != 0 {
                    return Err(format!("{name} {jump} at {start}, {rest} left"));
                }
            }
            if no < rest && !starts.contains(&(start + no)) {
                return Err(format!("no {no} at {start} lands between operations"));
            }
        }
        Ok(())
    }

    /// Runs a program over a socket as the kernel would. Returns whether the socket passes.
    fn run(program: &[u8], socket: &Socket) -> bool {
        let Endpoints::Inet(pair) = &socket.endpoints else {
            panic!("IP sockets only")
        };
        let mut at = 0;
        while at < program.len() {
            let op = &program[at..];
            let word = |from: usize| u32::from_ne_bytes(op[from..from + 4].try_into().unwrap());
            let argument = || u16::from_ne_bytes([op[6], op[7]]);
            let yes = match op[0] {
                JMP => false,
                S_GE => pair.local_port >= argument(),
                S_LE => pair.local_port <= argument(),
                D_GE => pair.peer_port >= argument(),
                D_LE => pair.peer_port <= argument(),
                S_EQ => pair.local_port == argument(),
                D_EQ => pair.peer_port == argument(),
                AUTO => true,
                S_COND => in_host(op, pair.local_address, pair.local_port),
                D_COND => in_host(op, pair.peer_address, pair.peer_port),
                DEV_COND => pair.interface.map_or(0, std::num::NonZeroU32::get) == word(4),
                MARK_COND => socket.mark.unwrap_or(0) & word(8) == word(4),
                CGROUP_COND => {
                    let id = u64::from_ne_bytes(op[4..12].try_into().unwrap());
                    socket.cgroup_id.map_or(0, std::num::NonZeroU64::get) == id
                }
                other => panic!("unknown operation {other}"),
            };
            at += if yes {
                usize::from(op[1])
            } else {
                usize::from(u16::from_ne_bytes([op[2], op[3]]))
            };
        }
        at == program.len()
    }

    /// `inet_diag_bc_run` on a host condition: the port first, then the family, then the bits.
    fn in_host(op: &[u8], address: IpAddr, port: u16) -> bool {
        let wanted = i32::from_ne_bytes(op[8..12].try_into().unwrap());
        if wanted != -1 && wanted != i32::from(port) {
            return false;
        }
        let (family, length) = (op[4], usize::from(op[5]));
        let bytes: Vec<u8> = match (family, address) {
            (AF_INET, IpAddr::V4(v4)) => v4.octets().into(),
            (AF_INET6, IpAddr::V6(v6)) => v6.octets().into(),
            (AF_INET, IpAddr::V6(v6)) if v6.octets()[..12] == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255] => {
                v6.octets()[12..].into()
            }
            _ => return false,
        };
        let bit = |bytes: &[u8], index: usize| bytes[index / 8] >> (7 - index % 8) & 1;
        (0..length).all(|index| bit(&bytes, index) == bit(&op[12..], index))
    }

    fn program(filter: &str, supported: Supported) -> Option<Vec<u8>> {
        let expr = parse(&[filter.to_owned()], Mode::List).unwrap().expr?;
        let expr = expr.resolve(&samples::names()).unwrap();
        let dump = Dump {
            protocol: crate::model::Protocol::Tcp,
            family: None,
        };
        encode(&pushdown(&expr, dump).condition?, supported)
    }

    #[test]
    fn one_port_is_one_operation_or_two_on_old_kernels() {
        let [low, high] = 22_u16.to_ne_bytes();
        let new = program("sport = 22", Supported::ALL).unwrap();
        assert_eq!(new[..2], [S_EQ, 8]);
        assert_eq!(new[4..], [0, 0, low, high]);
        assert_eq!(
            u16::from_ne_bytes([new[2], new[3]]),
            12,
            "false: 4 bytes past the end"
        );
        let old = program("sport = 22", Supported::BASIC).unwrap();
        assert_eq!((old[0], old[8], old.len()), (S_GE, S_LE, 16));
    }

    #[test]
    fn conditions_that_the_kernel_cannot_check_are_left_out_and_not_inverted() {
        assert!(program("fwmark = 5 and sport = 22", Supported::BASIC).is_some());
        assert!(program("fwmark = 5 or sport = 22", Supported::BASIC).is_none());
        assert!(program("not (fwmark = 5 and sport = 22)", Supported::BASIC).is_none());
        assert!(program("not (fwmark = 5 or sport = 22)", Supported::BASIC).is_some());
        assert!(program("nginx", Supported::ALL).is_none());
    }

    #[test]
    fn long_lists_stay_short_enough_for_the_auditor() {
        let list: Vec<String> = (0..5000).map(|index| (index * 7 + 1).to_string()).collect();
        let long = program(&format!("sport in ({})", list.join(",")), Supported::ALL).unwrap();
        audit(&long).unwrap();
        let socket = samples::tcp("10.0.0.1", 7 * 4999 + 1, "0.0.0.0", 0, State::Listen);
        assert!(run(&long, &socket));
        let chain: Vec<String> = (0..3000)
            .map(|index| format!("src 10.0.{}.{}", index / 256, index % 256))
            .collect();
        assert!(program(&chain.join(" or "), Supported::ALL).is_none());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        /// Whatever program the kernel gets, it must not drop a socket that the filter accepts or cannot decide.
        #[test]
        fn the_kernel_never_loses_a_row_that_matches(
            filter in samples::filter(), socket in samples::inet_socket(), supported in any::<[bool; 4]>(),
        ) {
            let [port_equal, interface, mark, cgroup] = supported;
            let supported = Supported { port_equal, interface, mark, cgroup };
            let parsed = parse(std::slice::from_ref(&filter), Mode::List);
            let Some(expr) = parsed.ok().and_then(|parsed| parsed.expr) else { return Ok(()) };
            let expr = expr.resolve(&samples::names()).unwrap();
            let verdict = samples::with_row(&socket, |row| expr.matches(row));
            let mut accepts = true;
            for family in [Some(socket.family), None] {
                let pushed = pushdown(&expr, Dump { protocol: socket.protocol, family });
                if let (Some(condition), Endpoints::Inet(_)) = (&pushed.condition, &socket.endpoints)
                    && let Some(program) = encode(condition, supported)
                {
                    prop_assert_eq!(audit(&program), Ok(()), "{} {}", filter, condition);
                    accepts &= run(&program, &socket);
                }
                let pair = socket.inet().unwrap();
                accepts &= pushed.states.contains(socket.state)
                    && pushed.sport.is_none_or(|port| port == pair.local_port)
                    && pushed.dport.is_none_or(|port| port == pair.peer_port);
                let rest = pushed.residual.map_or(Match::Yes, |rest| samples::with_row(&socket, |row| rest.matches(row)));
                prop_assert_eq!(rest, verdict, "the rest of {} decides as the whole", filter);
            }
            prop_assert!(verdict == Match::No || accepts, "{filter} loses {socket:?}");
        }
    }
}
