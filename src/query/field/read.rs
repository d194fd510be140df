//! Reads the value of each field from a row, as defined by the table.

use std::num::{NonZeroU32, NonZeroU64};

use super::list::List;
use super::name::Field;
use super::objects::whole;
use super::options::shutdown_word;
use super::table::table;
use super::value::{Value, bytes, hex, integer, object, part_value, text, texts, word};
use super::{ends, home, objects, origin, other_ends, owners, queues};
use crate::model::Row;
use crate::model::details::kind;
use crate::model::details::sctp::Association;
use crate::model::reachable::Reachable;
use crate::model::{Scope, SocketType};

macro_rules! values {
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
        impl Field {
            /// Returns the field's value in a row.
            pub fn value<'a>(self, $row: &Row<'a>) -> Value<'a> {
                let $socket = $row.socket;
                match self {
                    $( Self::$Field => $value, )*
                    $( $(Self::$Part)|* => part(self, &Self::$Object.value($row)), )*
                }
            }
        }
    };
}

table!(values);

/// Returns the value of a part, given the value of its `object`.
fn part(part: Field, object: &Value<'_>) -> Value<'static> {
    match object {
        Value::Struct(structure) => part_value(part.info(), structure),
        _ => Value::Null,
    }
}
