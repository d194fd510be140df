//! Which fields a form of output shows when none are named.

use super::field::Field;

/// The columns of a plain listing by fields, before `--add` and `--hide`: the facts that ss shows.
pub const PLAIN_FIELDS: [Field; 8] = [
    Field::Protocol,
    Field::State,
    Field::RecvQ,
    Field::SendQ,
    Field::LocalAddress,
    Field::LocalPort,
    Field::PeerAddress,
    Field::PeerPort,
];

/// Those that come on top with owners.
pub const PLAIN_OWNERS: [Field; 2] = [Field::Process, Field::Pid];
