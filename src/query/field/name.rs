//! The names of fields, as an enum.

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
        /// The name of a field. The order is that of the keys in JSON.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u16)]
        pub enum Field {
            $( #[doc = $meaning] $Field, )*
            $($( #[doc = $part_meaning] $Part, )*)*
        }
    };
}

table!(names);
