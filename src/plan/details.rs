//! Which details of sockets the kernel is asked for: by an option, or because a field of theirs was named.

use crate::cli::ListArgs;
use crate::engine::show::{PACKET_FILTER, PACKET_RINGS, UNIX_MEMORY, extension};
use crate::model::details::kind;
use crate::model::request::Wanted;
use crate::query::field::Cost;
use crate::render::facts::Facts;

/// What a table tells behind its rows.
pub fn facts(args: &ListArgs) -> Facts {
    let options = args.tos || args.inet_sockopt;
    let lines = args.info || args.memory || args.bpf;
    Facts {
        record: lines || options || args.extended || args.options,
        lines,
        options,
    }
}

/// What packet sockets are asked for: `pdiag_show` bits.
pub fn of_packet(filters: bool, rings: bool) -> u32 {
    let asked = [(filters, PACKET_FILTER), (rings, PACKET_RINGS)];
    let bits = asked.iter().filter(|(asked, _)| *asked);
    bits.fold(0, |all, (_, bits)| all | bits)
}

/// What is asked, as `INET_DIAG_*` extension bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// What goes into the details of a socket.
    kept: u32,
    /// What a row has a field for.
    read: u32,
    /// Whether the attributes that come unasked are wanted.
    attributes: bool,
}

impl Details {
    /// By these options, or because of fields: all that are `shown` can be filled with what comes unasked; what makes
    /// answers longer is for those that were asked for by name.
    pub fn of(args: &ListArgs, shown: Cost, by_name: Cost) -> Self {
        let asked = by_name
            .and_if(args.memory, Cost::MEMORY)
            .and_if(args.info, Cost::INFO.and(Cost::CONGESTION).and(Cost::MEASURES))
            .and_if(args.tos, Cost::TOS.and(Cost::CLASS));
        Self {
            kept: asked.extensions(),
            read: if by_name.has(Cost::DROPS) {
                extension(kind::SKMEMINFO)
            } else {
                0
            },
            attributes: args.extended || args.cgroup || args.inet_sockopt || shown.has(Cost::ATTRIBUTES),
        }
    }

    /// How much of each answer is read because of this.
    pub fn wanted(self) -> Wanted {
        match (self.kept, self.attributes) {
            (1.., _) => Wanted::Details,
            (0, true) => Wanted::Attributes,
            (0, false) => Wanted::Row,
        }
    }

    /// `INET_DIAG_*` extension bits.
    pub fn of_inet(self) -> u32 {
        self.kept | self.read
    }

    /// `UDIAG_SHOW_*` bits.
    pub fn of_unix(self) -> u32 {
        if self.kept & extension(kind::SKMEMINFO) == 0 {
            0
        } else {
            UNIX_MEMORY
        }
    }
}
