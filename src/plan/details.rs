//! Which socket details to request from the kernel: those of an option, and those of the fields that were named.

use crate::cli::ListArgs;
use crate::engine::show::{
    PACKET_FILTER, PACKET_RINGS, UNIX_BASIC, UNIX_EXTENDED, UNIX_MEMORY, XDP_RINGS, extension,
};
use crate::model::Protocol;
use crate::model::details::kind;
use crate::model::request::Wanted;
use crate::query::field::Cost;
use crate::render::facts::Facts;

/// What a table shows after its rows.
pub fn facts(args: &ListArgs) -> Facts {
    let options = args.tos || args.inet_sockopt;
    let lines = args.info || args.memory || args.bpf;
    Facts {
        record: lines || options || args.extended || args.options,
        lines,
        options,
    }
}

/// `pdiag_show` bits for packet sockets.
pub fn of_packet(filters: bool, rings: bool) -> u32 {
    let asked = [(filters, PACKET_FILTER), (rings, PACKET_RINGS)];
    let bits = asked.iter().filter(|(asked, _)| *asked);
    bits.fold(0, |all, (_, bits)| all | bits)
}

/// The request, as `INET_DIAG_*` extension bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// What is kept in the details of a socket.
    kept: u32,
    /// What has a field in a row.
    read: u32,
    /// Whether attributes that the kernel sends unrequested are kept.
    attributes: bool,
}

impl Details {
    /// Builds the request from these options and fields: all that are `shown` can be filled from unrequested
    /// attributes; attributes that make replies longer are requested only for fields that were named.
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

    /// How much of each reply must be read for this.
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

/// What replies have to contain beyond the socket itself.
pub(super) struct Extensions {
    /// The files of unix sockets, and who waits in their queues.
    pub(super) files: bool,
    /// The rings of packet and XDP sockets.
    pub(super) rings: bool,
    /// The filter programs of packet sockets.
    pub(super) filters: bool,
    /// What is read of the socket itself.
    pub(super) details: Details,
}

impl Extensions {
    /// The bits for a family.
    pub(super) fn of(&self, protocol: Protocol) -> u32 {
        match protocol {
            Protocol::Unix if self.files => UNIX_BASIC | UNIX_EXTENDED | self.details.of_unix(),
            Protocol::Unix => UNIX_BASIC | self.details.of_unix(),
            Protocol::Packet => of_packet(self.filters, self.rings),
            Protocol::Xdp if self.rings => XDP_RINGS,
            // These families always report their memory.
            protocol if !protocol.is_inet() => 0,
            _ => self.details.of_inet(),
        }
    }
}
