//! Formats decimal fractions as C's `%g` does: six significant digits, no trailing zeros.
//!
//! ss prints times and factors this way. They arrive as integers (microseconds, units of 1/256), so integer arithmetic
//! suffices.

use std::cmp::Ordering;

use super::text::push_number;

/// The number of significant digits.
const SIGNIFICANT: u32 = 6;

/// Appends microseconds as milliseconds.
pub fn push_ms(out: &mut Vec<u8>, us: u32) {
    push_g(out, us.into(), 3, || binary_error(us));
}

/// Appends a number in units of 1/256.
pub fn push_256th(out: &mut Vec<u8>, number: u32) {
    // 1/256 is exactly 0.00390625.
    push_g(out, u64::from(number) * 390_625, 8, || Ordering::Equal);
}

/// Compares the nearest binary number with the decimal number. C rounds the binary one, which decides ties.
fn binary_error(us: u32) -> Ordering {
    let ms = f64::from(us) / 1000.0;
    let off = ms.mul_add(1000.0, -f64::from(us));
    off.partial_cmp(&0.0).unwrap_or(Ordering::Equal)
}

/// Appends `number / 10^decimals`. A tie is rounded in the direction of `off`, or to even if `off` is `Equal`.
fn push_g(out: &mut Vec<u8>, number: u64, decimals: u32, off: impl Fn() -> Ordering) {
    if number == 0 {
        out.push(b'0');
        return;
    }
    let digits = number.ilog10() + 1;
    let dropped = digits.saturating_sub(SIGNIFICANT);
    let unit = 10_u64.pow(dropped);
    let mut kept = number / unit;
    let up = match (number % unit * 2).cmp(&unit) {
        Ordering::Equal => match off() {
            Ordering::Equal => kept % 2 == 1,
            off => off == Ordering::Greater,
        },
        order => order == Ordering::Greater,
    };
    kept += u64::from(up && dropped > 0);
    // The value is `kept * 10^(dropped - decimals)`.
    let mut places = i64::from(decimals) - i64::from(dropped);
    while kept.is_multiple_of(10) {
        kept /= 10;
        places -= 1;
    }
    let exponent = i64::from(kept.ilog10()) - places;
    if (-4..i64::from(SIGNIFICANT)).contains(&exponent) {
        push_fixed(out, kept, places);
    } else {
        push_fixed(out, kept, kept.ilog10().into());
        out.extend_from_slice(if exponent < 0 { b"e-" } else { b"e+" });
        let exponent = exponent.unsigned_abs();
        if exponent < 10 {
            out.push(b'0');
        }
        push_number(out, exponent);
    }
}

/// Appends `number / 10^places` with all digits.
fn push_fixed(out: &mut Vec<u8>, number: u64, places: i64) {
    let Ok(places @ 1..) = u32::try_from(places) else {
        push_number(out, number * 10_u64.pow(u32::try_from(-places).unwrap_or(0)));
        return;
    };
    let unit = 10_u64.pow(places);
    push_number(out, number / unit);
    out.push(b'.');
    let mut rest = number % unit;
    let mut unit = unit;
    while rest > 0 {
        unit /= 10;
        out.push(b'0' + (rest / unit).to_le_bytes()[0]);
        rest %= unit;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ms(us: u32) -> String {
        let mut out = Vec::new();
        push_ms(&mut out, us);
        String::from_utf8(out).unwrap()
    }

    /// C's `%g` computed independently: the standard library rounds the binary number to six digits.
    fn g(value: f64) -> String {
        let scientific = format!("{value:.5e}");
        let (digits, exponent) = scientific.split_once('e').unwrap();
        let exponent: i32 = exponent.parse().unwrap();
        let trim = |text: &str| {
            if text.contains('.') {
                text.trim_end_matches('0').trim_end_matches('.').to_owned()
            } else {
                text.to_owned()
            }
        };
        if (-4..6).contains(&exponent) {
            trim(&format!("{value:.*}", usize::try_from(5 - exponent).unwrap()))
        } else {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{}e{sign}{:02}", trim(digits), exponent.abs())
        }
    }

    #[test]
    fn milliseconds_have_six_digits() {
        for (us, text) in [
            (0, "0"),
            (1, "0.001"),
            (31, "0.031"),
            (201_000, "201"),
            (1_234_567, "1234.57"),
            (120_000_000, "120000"),
            (999_999_600, "1e+06"),
            (u32::MAX, "4.29497e+06"),
        ] {
            assert_eq!(ms(us), text);
        }
    }

    proptest! {
        #[test]
        fn they_equal_the_output_of_c(us: u32, small in 0u32..10_000_000, tie in 100_000u32..1_000_000) {
            for us in [us, small, tie * 10 + 5] {
                prop_assert_eq!(ms(us), g(f64::from(us) / 1000.0));
            }
        }

        #[test]
        fn factors_too(number in 0u32..1_000_000, any: u32) {
            for number in [number, any] {
                let mut out = Vec::new();
                push_256th(&mut out, number);
                prop_assert_eq!(String::from_utf8(out).unwrap(), g(f64::from(number) / 256.0));
            }
        }
    }
}
