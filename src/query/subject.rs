//! Resolves the word on the left of a comparison.

use super::expr::{OwnerField, Reading};
use super::field::{FIELDS, Field, Kind};
use super::nearest::nearest;
use crate::model::End;

/// The left side of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// A fact about the socket.
    Field(Field),
    /// A fact about any owner.
    Owner(OwnerField),
    /// `sport`, `dport`: the port, as ss reads it.
    Port(End),
    /// `src`, `dst`: an address, a port or both, as ss reads them; or the name of a unix socket.
    End(End),
}

/// Words that take an operand without an operator, as in ss.
const KEYWORDS: &[(&str, Subject)] = &[
    ("sport", Subject::Port(End::Local)),
    ("dport", Subject::Port(End::Peer)),
    ("src", Subject::End(End::Local)),
    ("dst", Subject::End(End::Peer)),
    ("dev", Subject::Field(Field::Interface)),
    ("fwmark", Subject::Field(Field::Mark)),
    ("cgroup", Subject::Field(Field::Cgroup)),
];

const ALIASES: &[(&str, Subject)] = &[
    ("laddr", Subject::Field(Field::LocalAddress)),
    ("lport", Subject::Field(Field::LocalPort)),
    ("raddr", Subject::Field(Field::PeerAddress)),
    ("rport", Subject::Field(Field::PeerPort)),
    ("proc", Subject::Owner(OwnerField::Program)),
    ("program", Subject::Owner(OwnerField::Program)),
    ("snd_mss", Subject::Field(Field::Mss)),
    ("snd_cwnd", Subject::Field(Field::Cwnd)),
    ("snd_ssthresh", Subject::Field(Field::Ssthresh)),
    ("ino", Subject::Field(Field::Inode)),
    ("sk", Subject::Field(Field::Cookie)),
];

/// The facts about owners, by names that do not need `owners.` before them.
fn owner_fields() -> impl Iterator<Item = (&'static str, OwnerField)> {
    let named = OwnerField::ALL.into_iter().map(|field| (field.name(), field));
    named.filter(|(name, _)| !name.contains('.'))
}

fn owner_field(name: &str) -> Option<Subject> {
    let found = owner_fields().find(|(own, _)| *own == name);
    found.map(|(_, field)| Subject::Owner(field))
}

impl Subject {
    /// Resolves a name: an ss keyword, an alias, a fact about owners, a field of the registry, or such a field without
    /// its unit (`rtt` for `rtt_us`).
    pub(super) fn from_name(name: &str) -> Option<Self> {
        let keyword = KEYWORDS.iter().chain(ALIASES).find(|(word, _)| *word == name);
        if let Some((_, subject)) = keyword {
            return Some(*subject);
        }
        if let Some(part) = name
            .strip_prefix("owners.")
            .or_else(|| name.strip_prefix("owner."))
        {
            return Self::of_owner(part);
        }
        owner_field(name).or_else(|| field_of(name).map(Self::Field))
    }

    fn of_owner(part: &str) -> Option<Self> {
        match part {
            "user" => Some(Self::Owner(OwnerField::User)),
            "program" => Some(Self::Owner(OwnerField::Program)),
            part => owner_field(part),
        }
    }

    /// Returns whether the word, used alone, is reported as a mistake. Objects and their parts have names that people
    /// use for other things: `tcp`, `lost`, `probes`.
    pub(super) fn is_no_bare_word(self) -> bool {
        match self {
            Self::Field(field) => field.info().part.is_none() && field.info().kind != Kind::Object,
            _ => true,
        }
    }

    /// Returns the subject of a word that needs no operator.
    pub(super) fn from_keyword(word: &str) -> Option<Self> {
        KEYWORDS
            .iter()
            .find(|(keyword, _)| *keyword == word)
            .map(|(_, subject)| *subject)
    }

    /// How this subject treats missing values.
    pub(super) fn reading(self) -> Reading {
        match self {
            Self::Port(_) | Self::End(_) => Reading::Numbers,
            Self::Field(_) | Self::Owner(_) => Reading::Fields,
        }
    }
}

/// Unit suffixes of names.
const UNITS: [&str; 5] = ["_us", "_ms", "_s", "_bytes", "_bytes_per_s"];

/// Returns the field of a name, with or without its unit: `rtt_us`, `rtt`, and for a part also its path, `tcp.rtt_us`.
pub fn field_of(name: &str) -> Option<Field> {
    if let Some((object, key)) = name.split_once('.') {
        let object = Field::from_name(object)?;
        return named(object.parts().iter().map(|part| (part.field, part.key)), key);
    }
    named(FIELDS.iter().map(|info| (info.field, info.name)), name)
}

fn named(fields: impl Iterator<Item = (Field, &'static str)> + Clone, name: &str) -> Option<Field> {
    let exact = fields.clone().find(|(_, own)| *own == name);
    let mut without_unit =
        fields.filter(|(_, own)| UNITS.into_iter().any(|unit| own.strip_suffix(unit) == Some(name)));
    exact.or_else(|| without_unit.next()).map(|(field, _)| field)
}

/// Every word that is valid on the left of a comparison, each once, for hints and completions.
pub fn field_names() -> impl Iterator<Item = &'static str> {
    let words = KEYWORDS.iter().chain(ALIASES).map(|(word, _)| *word);
    let others = words.chain(owner_fields().map(|(name, _)| name));
    FIELDS
        .iter()
        .map(|info| info.name)
        .chain(others.filter(|name| FIELDS.iter().all(|info| info.name != *name)))
}

/// What people call fields that have another name, for a hint.
const SYNONYMS: &[(&str, &str)] = &[
    ("port", "local_port"),
    ("address", "local_address"),
    ("addr", "local_address"),
    ("ip", "local_address"),
    ("peer", "peer_address"),
    ("remote", "peer_address"),
    ("proto", "protocol"),
    ("name", "process"),
    ("command", "cmdline"),
    ("args", "cmdline"),
];

/// The field that a word probably means, for a hint: by another name, by its beginning, or within two edits.
pub fn nearest_field(word: &str) -> Option<&'static str> {
    let word = word.to_ascii_lowercase();
    let synonym = |word: &str| SYNONYMS.iter().find(|(other, _)| *other == word);
    let beginning = || field_names().find(|name| word.len() >= 3 && name.starts_with(&word));
    // Among equally near words, other names come first: `pot` is `port` rather than `pod`.
    let names = || SYNONYMS.iter().map(|(other, _)| *other).chain(field_names());
    let meant = |name| synonym(name).map_or(name, |(_, field)| *field);
    synonym(&word)
        .map(|(_, field)| *field)
        .or_else(beginning)
        .or_else(|| nearest(&word, names()).map(meant))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_and_alias_has_a_subject() {
        for name in field_names() {
            assert!(Subject::from_name(name).is_some(), "{name}");
        }
        assert_eq!(
            Subject::from_name("timer_expires"),
            Some(Subject::Field(Field::TimerExpiresMs))
        );
        for name in ["rtt_us", "rtt", "tcp.rtt", "tcp.rtt_us"] {
            assert_eq!(
                Subject::from_name(name),
                Some(Subject::Field(Field::RttUs)),
                "{name}"
            );
        }
        assert_eq!(
            Subject::from_name("delivery_rate"),
            Some(Subject::Field(Field::DeliveryRateBytesPerS))
        );
        assert_eq!(
            Subject::from_name("memory.backlog"),
            Some(Subject::Field(Field::MemoryBacklog))
        );
        assert_eq!(
            Subject::from_name("backlog"),
            Some(Subject::Field(Field::Backlog))
        );
        assert_eq!(Subject::from_name("memory.rtt"), None);
        assert_eq!(
            Subject::from_name("owners.user"),
            Some(Subject::Owner(OwnerField::User))
        );
        assert_eq!(Subject::from_name("user"), Some(Subject::Field(Field::User)));
        assert_eq!(Subject::from_name("recvq"), None);
        assert_eq!(nearest_field("recvq"), Some("recv_q"));
        assert_eq!(nearest_field("PORT"), Some("local_port"));
        assert_eq!(nearest_field("local"), Some("local_address"));
        assert_eq!(nearest_field("prot"), Some("protocol"));
        assert_eq!(nearest_field("pot"), Some("local_port"));
        for (_, field) in SYNONYMS {
            assert!(Subject::from_name(field).is_some(), "{field}");
        }
    }
}
