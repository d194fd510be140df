//! Reads numbers from TCP structures, by fields whose offsets are known at compile time.

use crate::query::field::FIELDS;
use crate::render::decimal::push_ms;
use crate::render::text::push_number;

/// A raw structure. Older kernels have a shorter one; missing fields are 0 here, as in ss.
#[derive(Clone, Copy)]
pub(super) struct Info<'a>(pub(super) &'a [u8]);

impl Info<'_> {
    /// Returns the value of a field, which is a load at a fixed offset.
    pub(super) fn long<const FIELD: u16>(self) -> u64 {
        let place = const {
            match FIELDS[FIELD as usize].part {
                Some(place) => place,
                None => panic!("this field is not part of a structure"),
            }
        };
        place.raw(self.0).unwrap_or(0)
    }

    /// The same for a number of at most 32 bits.
    pub(super) fn number<const FIELD: u16>(self) -> u32 {
        u32::try_from(self.long::<FIELD>()).unwrap_or(u32::MAX)
    }
}

/// `number!(info, RtoUs)`: its number in a structure.
macro_rules! number {
    ($info:expr, $field:ident) => {
        $info.number::<{ $crate::query::field::Field::$field as u16 }>()
    };
}

/// The same for a 64-bit number.
macro_rules! long {
    ($info:expr, $field:ident) => {
        $info.long::<{ $crate::query::field::Field::$field as u16 }>()
    };
}

/// `count!(out, info, Mss Cwnd)`: each number after its token, unless it is 0.
macro_rules! count {
    ($out:ident, $info:ident, $($field:ident)+) => {
        $( $crate::render::tcp::info::push_count(
            $out,
            $crate::render::token::token!($field),
            $crate::render::tcp::info::long!($info, $field),
        ); )+
    };
}

/// The same for microseconds, shown as milliseconds.
macro_rules! ms {
    ($out:ident, $info:ident, $($field:ident)+) => {
        $( $crate::render::tcp::info::push_ms_token(
            $out,
            $crate::render::token::token!($field),
            $crate::render::tcp::info::number!($info, $field),
        ); )+
    };
}

/// Only the token, for each flag that is set.
macro_rules! flag {
    ($out:ident, $info:ident, $($field:ident)+) => {
        $( if $crate::render::tcp::info::number!($info, $field) != 0 {
            $out.extend_from_slice($crate::render::token::token!($field));
        } )+
    };
}

pub(crate) use {count, flag, long, ms, number};

/// Appends a token and a number. The token's length is part of its type, so that it is copied without a call.
pub(crate) fn push_count<const N: usize>(out: &mut Vec<u8>, token: &[u8; N], number: impl Into<u64>) {
    let number = number.into();
    if number > 0 {
        out.extend_from_slice(token);
        push_number(out, number);
    }
}

pub(crate) fn push_ms_token<const N: usize>(out: &mut Vec<u8>, token: &[u8; N], us: u32) {
    if us > 0 {
        out.extend_from_slice(token);
        push_ms(out, us);
    }
}
