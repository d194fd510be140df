//! The columns of the table.

use std::borrow::Cow;

use crate::query::field::{Field, Kind};

macro_rules! columns {
    ($($(#[$doc:meta])* $Column:ident $heading:literal $right:literal [$($field:ident),+];)*) => {
        /// A column of the table.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "the headings say it")]
        pub enum Column {
            $($(#[$doc])* $Column,)*
            /// A field of the registry, unchanged, because it was requested by name.
            Field(Field),
        }

        impl Column {
            /// The fields it shows. The column is dropped when all of them are hidden.
            pub fn fields(&self) -> &[Field] {
                match self {
                    $(Self::$Column => &[$(Field::$field),+],)*
                    Self::Field(field) => std::slice::from_ref(field),
                }
            }

            /// The heading.
            pub fn heading(self) -> Cow<'static, str> {
                match self {
                    $(Self::$Column => $heading.into(),)*
                    Self::Field(field) => field.name().to_ascii_uppercase().replace('_', "-").into(),
                }
            }

            /// Returns whether it holds numbers, which are right-aligned so that they can be compared.
            pub fn is_right_aligned(self) -> bool {
                match self {
                    $(Self::$Column => $right,)*
                    Self::Field(field) => field.info().kind == Kind::Integer,
                }
            }
        }
    };
}

// Each line: the heading, whether the column holds numbers, and the fields that it shows.
columns! {
    /// The network namespace, if rows come from several.
    Netns      "NETNS"    false [Netns, NetnsName];
    Proto      "PROTO"    false [Protocol];
    State      "STATE"    false [State];
    RecvQ      "RECV-Q"   true  [RecvQ];
    SendQ      "SEND-Q"   true  [SendQ];
    Local      "LOCAL"    false [LocalAddress, LocalPort];
    Peer       "PEER"     false [PeerAddress, PeerPort];
    Scope      "SCOPE"    false [Scope];
    AcceptQ    "ACCEPT-Q" true  [AcceptQ, Backlog];
    SynRecv    "SYN-RECV" true  [SynRecv];
    /// A receive queue and its buffer size.
    RecvBuffer "RECV-Q"   true  [RecvQPercent];
    Drops      "DROPS"    true  [Drops];
    Timer      "TIMER"    false [Timer, TimerExpiresMs, Retransmits];
    User       "USER"     false [User];
    Inode      "INODE"    true  [Inode];
    Cookie     "COOKIE"   false [Cookie];
    Cgroup     "CGROUP"   false [Cgroup];
    Process    "PROCESS"  false [Process];
    /// The owner's arguments, after its name.
    Command    ""         false [Process];
}
