//! The extension bits of each dump request: what it asks for in addition to the row.

pub use crate::source::netlink::inet::extension;
pub use crate::source::netlink::packet::{SHOW_FILTER as PACKET_FILTER, SHOW_RINGS as PACKET_RINGS};
pub use crate::source::netlink::unix::{
    SHOW_BASIC as UNIX_BASIC, SHOW_EXTENDED as UNIX_EXTENDED, SHOW_MEMORY as UNIX_MEMORY,
};
pub use crate::source::netlink::xdp::SHOW_RINGS as XDP_RINGS;
