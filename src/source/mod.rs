//! Where facts come from: the only input and output of the library.

pub mod netlink;
