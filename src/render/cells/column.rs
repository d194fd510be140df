//! The columns of the table.

use std::borrow::Cow;

use crate::query::field::{Field, Kind};

/// A column of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the headings say it")]
pub enum Column {
    /// The network namespace, if rows come from several.
    Netns,
    Proto,
    State,
    RecvQ,
    SendQ,
    Local,
    Peer,
    Scope,
    AcceptQ,
    SynRecv,
    /// A receive queue and its buffer size.
    RecvBuffer,
    Drops,
    Timer,
    User,
    Inode,
    Cookie,
    Cgroup,
    Process,
    /// The owner's arguments, after its name.
    Command,
    /// A field of the registry, unchanged, because it was requested by name.
    Field(Field),
}

impl Column {
    /// The fields it shows. The column is dropped when all of them are hidden.
    pub fn fields(&self) -> &[Field] {
        match self {
            Self::Netns => &[Field::Netns, Field::NetnsName],
            Self::Proto => &[Field::Protocol],
            Self::State => &[Field::State],
            Self::RecvQ => &[Field::RecvQ],
            Self::SendQ => &[Field::SendQ],
            Self::Local => &[Field::LocalAddress, Field::LocalPort],
            Self::Peer => &[Field::PeerAddress, Field::PeerPort],
            Self::Scope => &[Field::Scope],
            Self::AcceptQ => &[Field::AcceptQ, Field::Backlog],
            Self::SynRecv => &[Field::SynRecv],
            Self::RecvBuffer => &[Field::RecvQPercent],
            Self::Drops => &[Field::Drops],
            Self::Timer => &[Field::Timer, Field::TimerExpiresMs, Field::Retransmits],
            Self::User => &[Field::User],
            Self::Inode => &[Field::Inode],
            Self::Cookie => &[Field::Cookie],
            Self::Cgroup => &[Field::Cgroup],
            Self::Process | Self::Command => &[Field::Process],
            Self::Field(field) => std::slice::from_ref(field),
        }
    }

    /// The heading.
    pub fn heading(self) -> Cow<'static, str> {
        if let Self::Field(field) = self {
            return field.name().to_ascii_uppercase().replace('_', "-").into();
        }
        self.usual_heading().into()
    }

    const fn usual_heading(self) -> &'static str {
        match self {
            Self::Netns => "NETNS",
            Self::Proto => "PROTO",
            Self::State => "STATE",
            Self::RecvQ | Self::RecvBuffer => "RECV-Q",
            Self::SendQ => "SEND-Q",
            Self::Local => "LOCAL",
            Self::Peer => "PEER",
            Self::Scope => "SCOPE",
            Self::AcceptQ => "ACCEPT-Q",
            Self::SynRecv => "SYN-RECV",
            Self::Drops => "DROPS",
            Self::Timer => "TIMER",
            Self::User => "USER",
            Self::Inode => "INODE",
            Self::Cookie => "COOKIE",
            Self::Cgroup => "CGROUP",
            Self::Process => "PROCESS",
            Self::Command | Self::Field(_) => "",
        }
    }

    /// Returns whether it holds numbers, which are compared by their length.
    pub fn is_right_aligned(self) -> bool {
        match self {
            Self::RecvQ
            | Self::SendQ
            | Self::AcceptQ
            | Self::SynRecv
            | Self::RecvBuffer
            | Self::Drops
            | Self::Inode => true,
            Self::Field(field) => field.info().kind == Kind::Integer,
            _ => false,
        }
    }
}
