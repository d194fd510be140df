//! The names of facts, as an enum.

use super::table::table;

macro_rules! names {
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
        /// The name of a fact. The order is the order of keys in JSON.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u16)]
        pub enum Field {
            $( #[doc = $meaning] $Field, )*
            $($( #[doc = $part_meaning] $Part, )*)*
        }
    };
}

table!(names);
