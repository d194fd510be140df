//! The keywords of a field.

use super::field::{Field, Form, SOCKET_OPTION_NAMES, TIPC_CONGESTION};
use crate::model::details::sctp::Association;
use crate::model::numbers::NETLINK_PROTOCOLS;
use crate::model::reachable::Reachable;
use crate::model::{Family, OwnerStatus, Protocol, Scope, SocketType, State, TimerKind};

/// Returns the keywords of a field; empty for a field without a fixed list.
pub fn words(field: Field) -> Vec<&'static str> {
    match field {
        Field::Protocol => Protocol::ALL.map(Protocol::name).to_vec(),
        Field::Family => Family::ALL.map(Family::name).to_vec(),
        Field::Type => SocketType::ALL.map(SocketType::name).to_vec(),
        Field::NetlinkProtocol => NETLINK_PROTOCOLS.to_vec(),
        Field::Reachable => Reachable::ALL.map(Reachable::name).to_vec(),
        Field::Scope => Scope::ALL.map(Scope::name).to_vec(),
        Field::OwnerStatus => OwnerStatus::ALL.map(OwnerStatus::name).to_vec(),
        Field::Shutdown => vec!["none", "receive", "send", "both"],
        Field::SocketOptions => SOCKET_OPTION_NAMES.to_vec(),
        Field::Timer => TimerKind::ALL.map(TimerKind::name).to_vec(),
        Field::Association => Association::all().collect(),
        Field::TipcCongestion => TIPC_CONGESTION.to_vec(),
        Field::State => State::ALL.map(State::name).to_vec(),
        _ => match field.info().part.map(|place| place.form) {
            Some(Form::Word(words)) => words.iter().map(|(_, word)| *word).collect(),
            _ => Vec::new(),
        },
    }
}

/// Returns every word that is valid after `state`, in our spelling.
pub(super) fn state_words() -> impl Iterator<Item = &'static str> {
    let groups = ["all", "connected", "synchronized", "bucket", "big"];
    State::ALL.into_iter().map(State::name).chain(groups)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::field::{FIELDS, Kind};

    #[test]
    fn every_keyword_field_has_a_list() {
        for info in FIELDS {
            let listed = matches!(info.kind, Kind::Word | Kind::Words);
            assert_eq!(words(info.field).is_empty(), !listed, "{}", info.name);
        }
    }
}
