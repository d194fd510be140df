//! Parses numbers as people write them: sizes, durations, hexadecimal.

/// Nanoseconds per unit of a field; `None` if the unit is not a time.
fn unit_ns(unit: &str) -> Option<u64> {
    Some(match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" | "sec" => 1_000_000_000,
        "min" | "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        "d" => 86_400_000_000_000,
        _ => return None,
    })
}

/// The unit of a rate.
const RATE: &str = "bytes/s";

/// The factor of a size suffix: powers of 1024, with or without `i` and `B`.
fn size_factor(suffix: &str) -> Option<u64> {
    let lower = suffix.to_ascii_lowercase();
    let bare = lower.strip_suffix('b').unwrap_or(&lower);
    let letter = bare.strip_suffix('i').unwrap_or(bare);
    let power = match letter {
        "" if bare.is_empty() => 0,
        "k" => 1,
        "m" => 2,
        "g" => 3,
        "t" => 4,
        _ => return None,
    };
    Some(1 << (10 * power))
}

/// The factor and divisor of a rate suffix: bits in powers of 1000, as usual for networks; bytes in powers of 1024, as
/// everywhere else here.
fn rate_factor(suffix: &str) -> Option<(u64, u64)> {
    let lower = suffix.to_ascii_lowercase();
    let bits = ["bit/s", "bits/s", "bps", "bit"]
        .into_iter()
        .find_map(|unit| lower.strip_suffix(unit));
    match bits {
        Some(prefix) => {
            let power = ["", "k", "m", "g", "t"].iter().position(|it| *it == prefix)?;
            Some((1000_u64.pow(u32::try_from(power).ok()?), 8))
        }
        None => size_factor(lower.strip_suffix("/s").unwrap_or(&lower)).map(|factor| (factor, 1)),
    }
}

/// Parses a plain number: decimal, or hexadecimal after `0x`.
pub(super) fn plain(text: &str) -> Option<u64> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => hexadecimal(digits),
        None if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
        None => None,
    }
}

/// Parses a hexadecimal number, with or without `0x`.
pub(super) fn hexadecimal(text: &str) -> Option<u64> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let clean = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    clean.then(|| u64::from_str_radix(digits, 16).ok()).flatten()
}

/// Parses a number in a field's unit: plain, with a decimal point, or with a suffix that fits the unit (`100ms`,
/// `1.5s` for times; `64k`, `1.5M` for everything else that has a unit).
///
/// # Errors
/// What was expected.
pub(super) fn with_unit(text: &str, unit: &str) -> Result<u64, String> {
    if let Some(number) = plain(text) {
        return Ok(number);
    }
    let expected = || match (unit, unit_ns(unit)) {
        ("", _) => "expected a whole number".to_owned(),
        (unit, Some(_)) => format!("expected a duration, as in 100ms or 2s (a plain number is {unit})"),
        (RATE, None) => "expected a rate, as in 10Mbit or 1.5MB (a plain number is bytes/s)".to_owned(),
        (unit, None) => format!("expected a number of {unit}, as in 1500 or 64k"),
    };
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (digits, suffix) = text.split_at(end);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if unit.is_empty() || whole.is_empty() || fraction.len() > 9 || fraction.contains('.') {
        return Err(expected());
    }
    let scales = match unit_ns(unit) {
        Some(own) if suffix.is_empty() => Some((own, own)),
        Some(own) => unit_ns(suffix).map(|factor| (factor, own)),
        None if unit == RATE => rate_factor(suffix),
        None => size_factor(suffix).map(|factor| (factor, 1)),
    };
    let (factor, divisor) = scales.ok_or_else(expected)?;
    let factor = u128::from(factor);
    let whole: u64 = whole.parse().map_err(|_| expected())?;
    let scale = 10_u128.pow(u32::try_from(fraction.len()).unwrap_or(0));
    let fraction: u64 = if fraction.is_empty() {
        0
    } else {
        fraction.parse().map_err(|_| expected())?
    };
    let scaled = (u128::from(whole) * scale + u128::from(fraction)) * factor;
    let divisor = scale * u128::from(divisor);
    if scaled % divisor != 0 {
        return Err(format!("too precise: the field counts whole {unit}"));
    }
    u64::try_from(scaled / divisor).map_err(|_| expected())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_powers_of_1024_and_durations_convert_to_the_unit_of_the_field() {
        for (text, unit, expected) in [
            ("64k", "bytes", 65536),
            ("64K", "bytes", 65536),
            ("64KiB", "bytes", 65536),
            ("64kB", "bytes", 65536),
            ("1.5M", "bytes", 1_572_864),
            ("7B", "bytes", 7),
            ("0x10", "", 16),
            ("100ms", "us", 100_000),
            ("1.5s", "ms", 1500),
            ("2min", "ms", 120_000),
            ("7", "ms", 7),
            ("7.0", "ms", 7),
            ("1h", "s", 3600),
            ("10Mbit", "bytes/s", 1_250_000),
            ("10Mbit/s", "bytes/s", 1_250_000),
            ("1Gbps", "bytes/s", 125_000_000),
            ("1.5MB/s", "bytes/s", 1_572_864),
            ("2k", "bytes/s", 2048),
        ] {
            assert_eq!(with_unit(text, unit), Ok(expected), "{text} {unit}");
        }
        for (text, unit) in [
            ("-1", "bytes"),
            ("k", "bytes"),
            ("1.2.3", "ms"),
            ("", "ms"),
            ("5k", ""),
            ("100us", "ms"),
            ("5q", "bytes"),
            ("5k", "ms"),
            ("0.3", "bytes"),
            ("99999999999999999999", "bytes"),
            ("18446744073709551615T", "bytes"),
            ("1.0000000001s", "us"),
            ("5i", "bytes"),
            ("1bit", "bytes/s"),
            ("5xbit", "bytes/s"),
            ("8bit", "bytes"),
            ("64k/s", "bytes"),
        ] {
            assert!(with_unit(text, unit).is_err(), "{text} {unit}");
        }
    }

    #[test]
    fn cookies_are_hexadecimal() {
        assert_eq!(hexadecimal("5b039"), Some(0x5b039));
        assert_eq!(hexadecimal("0xff"), Some(255));
        assert_eq!(hexadecimal("+f"), None);
        assert_eq!(hexadecimal(""), None);
    }
}
