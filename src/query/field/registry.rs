//! The registry: looks up what the table says about each field.

use super::cost::Cost;
use super::info::Shown::{Column, IfNamed, Nowhere, Owners, Token};
use super::info::{FieldInfo, Kind, Shown, with_costs};
use super::name::Field;
use super::place::{Place, present_at, u8_at, u16_at, u32_at, u64_at};
use super::table::table;
use super::words::{
    CA_STATES, CIPHERS, CONFIGURATIONS, FANOUTS, FASTOPEN_FAILS, SMC_MODES, SMC_ROLES, SMC_STATES, VERSIONS,
};
use crate::model::details::kind;

const NOTHING: Cost = Cost::NOTHING;
const ATTRIBUTES: Cost = Cost::ATTRIBUTES;
const DROPS: Cost = Cost::DROPS;
const MEMORY: Cost = Cost::MEMORY;
const INFO: Cost = Cost::INFO;
const CONGESTION: Cost = Cost::CONGESTION;
const MEASURES: Cost = Cost::MEASURES;
const TOS: Cost = Cost::TOS;
const CLASS: Cost = Cost::CLASS;
const FILTERS: Cost = Cost::FILTERS;
const RINGS: Cost = Cost::RINGS;
const OWNERS: Cost = Cost::OWNERS;
const PROCESSES: Cost = Cost::PROCESSES;
const CONTEXTS: Cost = Cost::CONTEXTS;
const SOCKET_CONTEXTS: Cost = Cost::SOCKET_CONTEXTS;
const USERS: Cost = Cost::USERS;
const CGROUPS: Cost = Cost::CGROUPS;
const NAMESPACES: Cost = Cost::NAMESPACES;
const PEERS: Cost = Cost::PEERS;
const HALF_OPEN: Cost = Cost::HALF_OPEN;
const MACHINE: Cost = Cost::MACHINE;
const REACHABLE: Cost = Cost::REACHABLE;
/// The owners of the other end.
const PEER_OWNERS: Cost = PEERS.and(OWNERS).and(Cost::PEER_OWNERS);
/// Facts from the cgroup of the socket's creator, or of an owner.
const HOME: Cost = ATTRIBUTES.and(CGROUPS).and(OWNERS).and(PROCESSES);

/// Numbers that the kernel uses for an unknown value or no limit.
const UNKNOWN_32: u64 = u32::MAX as u64;
const UNKNOWN_64: u64 = u64::MAX;
const INFINITE: u64 = 0x7fff_ffff;

macro_rules! registry {
    (
        |$row:ident, $socket:ident|
        $(
            $Field:ident, $name:literal, $kind:ident, $unit:literal, $shown:expr, $cost:expr, $value:expr,
            $meaning:literal;
        )*
        $( [parts of $Object:ident, $prefix:literal] { $(
            $Part:ident, $part:literal, $part_unit:literal, $token:literal, $place:expr, $part_meaning:literal;
        )* } )*
    ) => {
        /// The lines of the table, in the order of [`Field`].
        pub const FIELDS: &[FieldInfo] = &with_costs([
            $( FieldInfo {
                field: Field::$Field,
                name: $name,
                key: $name,
                kind: Kind::$kind,
                unit: $unit,
                shown: $shown,
                cost: $cost,
                meaning: $meaning,
                part: None,
            }, )*
            $($( FieldInfo::part(
                Field::$Part, $part, $part_unit, $token, $place.of(Field::$Object), $prefix, $part_meaning,
            ), )*)*
        ]);
    };
}

table!(registry);

/// The range of each object's parts; empty for other fields.
static PARTS: [(usize, usize); FIELDS.len()] = {
    let mut parts = [(0, 0); FIELDS.len()];
    let mut index = 0;
    while index < FIELDS.len() {
        if let Some(place) = FIELDS[index].part {
            let (start, end) = &mut parts[place.object as usize];
            if *end == 0 {
                *start = index;
            }
            *end = index + 1;
        }
        index += 1;
    }
    parts
};

impl Field {
    /// Its line in the table.
    pub const fn info(self) -> &'static FieldInfo {
        &FIELDS[self as usize]
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        self.info().name
    }

    /// The token of ss; empty if it has none.
    pub const fn token(self) -> &'static str {
        self.info().token()
    }

    /// Its location in the structure of its object.
    ///
    /// # Panics
    /// Panics if the field is not part of an object; for use at compile time.
    pub const fn place(self) -> Place {
        match self.info().part {
            Some(place) => place,
            None => panic!("this field is not part of an object"),
        }
    }

    /// Returns the field of that name. The parser handles aliases.
    pub fn from_name(name: &str) -> Option<Self> {
        FIELDS
            .iter()
            .find(|info| info.name == name)
            .map(|info| info.field)
    }

    /// The parts of an object; empty for other fields.
    pub fn parts(self) -> &'static [FieldInfo] {
        let (start, end) = PARTS[self as usize];
        FIELDS.get(start..end).unwrap_or_default()
    }
}

/// The fields of a row if no columns are named.
pub fn usual_fields() -> impl Iterator<Item = Field> {
    let whole = FIELDS
        .iter()
        .filter(|info| info.part.is_none() && info.shown != Shown::IfNamed);
    whole.map(|info| info.field)
}

/// The columns of a plain listing by fields: what ss shows, in its order; owners only if they are shown.
pub fn plain_fields(owners: bool) -> Vec<Field> {
    let column = |info: &FieldInfo| match info.shown {
        Shown::Column(number) => Some((number, info.field)),
        Shown::Owners(number) if owners => Some((number, info.field)),
        _ => None,
    };
    let mut columns: Vec<_> = FIELDS.iter().filter_map(column).collect();
    columns.sort_unstable();
    columns.into_iter().map(|(_, field)| field).collect()
}
