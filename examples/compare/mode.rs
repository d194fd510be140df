//! The modes: the command line of each program, and the floors that apply. Data only.

use anyhow::{Result, bail};

/// Local port of half the sockets of a TCP load.
pub(crate) const ONE_PORT: u16 = 4433;

/// The load that a mode needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Load {
    /// Nothing: the machine as it is.
    None,
    Tcp,
    Unix,
}

/// One thing to measure: equivalent command lines (empty: that program cannot do it).
#[derive(Debug)]
pub(crate) struct Mode {
    pub(crate) name: &'static str,
    pub(crate) load: Load,
    pub(crate) sockstat: &'static [&'static str],
    pub(crate) ss: &'static [&'static str],
    pub(crate) netstat: &'static [&'static str],
    pub(crate) lsof: &'static [&'static str],
    /// Arguments of the floor programs, see `floor`.
    pub(crate) floors: &'static [&'static [&'static str]],
    /// Whether `ss` searches for owners, for which it needs quadratic time.
    pub(crate) owners: bool,
    /// Lines in the output of sockstat and of ss that are not rows; `None` if the rows cannot be compared.
    pub(crate) header_lines: Option<[u64; 2]>,
}

/// All states that ss asks for with `-a`: numbers 0 to 11 (iproute2 6.1 misc/ss.c).
const ALL: &str = "fff";
/// The same, and bound sockets (bit 13), which sockstat requests too, as ss does since iproute2 6.8. The goals are
/// compared with the shorter dump.
const ALL_AND_BOUND: &str = "2fff";
const LISTEN: &str = "400";
const WALK: &[&str] = &["walk"];

/// The fields that `ss -tane` prints for a socket.
const FACTS_OF_TANE: &str = "state,recv_q,send_q,local_address,local_port,peer_address,peer_port,uid,inode,cookie,cgroup,timer,\
    timer_expires_ms,retransmits";

const NO_MATCH: &[&str] = &["-tan", "sport = :9"];
const HALF: &[&str] = &["-tan", "sport = :4433"];

const BLANK: Mode = Mode {
    name: "",
    load: Load::Tcp,
    sockstat: &[],
    ss: &[],
    netstat: &[],
    lsof: &[],
    floors: &[],
    owners: false,
    header_lines: Some([1, 1]),
};

const PLAIN_DUMPS: &[&[&str]] = &[
    &["tcp18", ALL, "0"],
    &["tcp20", ALL, "0"],
    &["tcp18", ALL_AND_BOUND, "0"],
];
const DUMPS_AND_WALK: &[&[&str]] = &[
    &["tcp18", ALL, "0"],
    &["tcp20", ALL, "0"],
    &["tcp18", ALL_AND_BOUND, "0"],
    WALK,
];
const LISTEN_DUMPS: &[&[&str]] = &[&["tcp18", LISTEN, "0"], &["tcp20", LISTEN, "0"]];
const LISTEN_AND_WALK: &[&[&str]] = &[&["tcp18", LISTEN, "0"], &["tcp20", LISTEN, "0"], WALK];

/// Extension bits of `inet_diag_req_v2` of `linux/inet_diag.h`: `-i` asks for INFO, VEGASINFO
/// and CONG, `-m` for MEMINFO and SKMEMINFO.
const MODES: &[Mode] = &[
    Mode {
        name: "quiet -tulpn",
        load: Load::None,
        sockstat: &["-tulpn"],
        ss: &["-tulpn"],
        netstat: &["-tulpn"],
        lsof: &["-nP", "-i"],
        floors: &[&["tcp20", LISTEN, "0"], WALK],
        owners: true,
        ..BLANK
    },
    Mode {
        name: "-tan",
        sockstat: &["-tan"],
        ss: &["-tan"],
        netstat: &["-tan"],
        floors: PLAIN_DUMPS,
        ..BLANK
    },
    Mode {
        name: "-tanp",
        sockstat: &["-tanp"],
        ss: &["-tanp"],
        netstat: &["-tanp"],
        lsof: &["-nP", "-iTCP"],
        floors: DUMPS_AND_WALK,
        owners: true,
        ..BLANK
    },
    Mode {
        name: "-tanp --owners proc",
        sockstat: &["-tanp", "--owners", "proc"],
        ss: &["-tanp"],
        floors: DUMPS_AND_WALK,
        owners: true,
        ..BLANK
    },
    Mode {
        name: "-tln",
        sockstat: &["-tln"],
        ss: &["-tln"],
        netstat: &["-tln"],
        floors: LISTEN_DUMPS,
        ..BLANK
    },
    Mode {
        name: "-tlnp",
        sockstat: &["-tlnp"],
        ss: &["-tlnp"],
        netstat: &["-tlnp"],
        lsof: &["-nP", "-iTCP", "-sTCP:LISTEN"],
        floors: LISTEN_AND_WALK,
        owners: true,
        ..BLANK
    },
    Mode {
        name: "-tlnp --owners proc",
        sockstat: &["-tlnp", "--owners", "proc"],
        ss: &["-tlnp"],
        floors: LISTEN_AND_WALK,
        owners: true,
        ..BLANK
    },
    Mode {
        name: "-tane",
        sockstat: &["-tane"],
        ss: &["-tane"],
        netstat: &["-tane"],
        floors: PLAIN_DUMPS,
        ..BLANK
    },
    Mode {
        name: "-tani",
        sockstat: &["-tani"],
        ss: &["-tani"],
        floors: &[&["tcp18", ALL, "e"], &["tcp20", ALL, "e"]],
        ..BLANK
    },
    Mode {
        name: "-tanemoi",
        sockstat: &["-tanemoi"],
        ss: &["-tanemoi"],
        floors: &[&["tcp18", ALL, "4f"], &["tcp20", ALL, "4f"]],
        ..BLANK
    },
    Mode {
        name: "one port no match",
        sockstat: NO_MATCH,
        ss: NO_MATCH,
        floors: &[&["tcp18", ALL, "0", "9"], &["tcp20", ALL, "0", "9"]],
        ..BLANK
    },
    Mode {
        name: "one port half",
        sockstat: HALF,
        ss: HALF,
        floors: &[&["tcp18", ALL, "0", "4433"], &["tcp20", ALL, "0", "4433"]],
        ..BLANK
    },
    Mode {
        name: "--jsonl",
        sockstat: &["-tan", "--jsonl"],
        ss: &["-tane"],
        floors: PLAIN_DUMPS,
        header_lines: Some([0, 1]),
        ..BLANK
    },
    Mode {
        name: "--jsonl --columns",
        sockstat: &["-tan", "--jsonl", "--columns", FACTS_OF_TANE],
        ss: &["-tane"],
        floors: PLAIN_DUMPS,
        header_lines: Some([0, 1]),
        ..BLANK
    },
    Mode {
        name: "--csv --columns",
        sockstat: &["-tan", "--csv", "--columns", FACTS_OF_TANE],
        ss: &["-tane"],
        floors: PLAIN_DUMPS,
        ..BLANK
    },
    Mode {
        name: "--json",
        sockstat: &["-tan", "--json"],
        ss: &["-tane"],
        floors: PLAIN_DUMPS,
        header_lines: None,
        ..BLANK
    },
    Mode {
        name: "--by state",
        sockstat: &["-ta", "--by", "state"],
        ss: &["-tan"],
        floors: PLAIN_DUMPS,
        header_lines: None,
        ..BLANK
    },
    Mode {
        name: "-xan",
        load: Load::Unix,
        sockstat: &["-xan"],
        ss: &["-xan"],
        netstat: &["-xan"],
        lsof: &["-U"],
        floors: &[&["unix"]],
        ..BLANK
    },
    Mode {
        name: "-s",
        sockstat: &["-s"],
        ss: &["-s"],
        header_lines: None,
        ..BLANK
    },
];

/// The modes with these names, or all if none is named.
pub(crate) fn choose(names: &[String], quiet_only: bool) -> Result<Vec<&'static Mode>> {
    for name in names {
        if !MODES.iter().any(|mode| mode.name == name) {
            let known: Vec<_> = MODES.iter().map(|mode| mode.name).collect();
            bail!("no mode is called {name:?}; there are: {}", known.join(", "));
        }
    }
    let chosen = |mode: &&Mode| names.is_empty() || names.iter().any(|name| name == mode.name);
    Ok(MODES
        .iter()
        .filter(chosen)
        .filter(|mode| !quiet_only || mode.load == Load::None)
        .collect())
}
