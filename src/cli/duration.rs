//! Durations on the command line.

use std::time::Duration;

/// Parses a duration: a number with `ms`, `s`, `m` or `h`, or a number of seconds.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor_ms = match unit {
        "ms" => 1,
        "" | "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(format!("unknown unit '{unit}': expected ms, s, m or h")),
    };
    let number: u64 = number
        .parse()
        .map_err(|_| "expected a duration such as 500ms, 10s or 2m".to_owned())?;
    let ms = number
        .checked_mul(factor_ms)
        .ok_or_else(|| "duration too long".to_owned())?;
    Ok(Duration::from_millis(ms))
}

/// Parses an interval: a duration of at least 10 ms.
pub(super) fn interval(text: &str) -> Result<Duration, String> {
    let interval = duration(text)?;
    if interval < Duration::from_millis(10) {
        return Err("expected at least 10ms".to_owned());
    }
    Ok(interval)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        let ms = |text| duration(text).unwrap().as_millis();
        assert_eq!(
            (ms("500ms"), ms("10s"), ms("10"), ms("2m"), ms("1h")),
            (500, 10_000, 10_000, 120_000, 3_600_000)
        );
        for text in [
            "",
            "s",
            "5x",
            "-1",
            "99999999999999999999",
            "18446744073709551615h",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
