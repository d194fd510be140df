//! Options of `wait`.

use std::time::Duration;

use clap::Args;

use super::KindArgs;

/// Options of `sockstat wait`.
#[derive(Debug, Args)]
#[command(disable_version_flag = true)]
pub struct WaitArgs {
    /// Protocol, family and namespace.
    #[command(flatten)]
    pub kind: KindArgs,
    /// Wait until no such socket is left
    #[arg(long)]
    pub gone: bool,
    /// State to wait for, such as established or time-wait [default: listen]
    #[arg(long, value_name = "STATE")]
    pub state: Option<String>,
    /// Give up after this time, such as 500ms, 10s or 2m
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub timeout: Option<Duration>,
    /// Print one JSON document at the end
    #[arg(short, long)]
    pub json: bool,
    /// Socket to wait for: PORT, PORT/udp, ADDR:PORT (IPv6 in brackets), NAME:PORT, /path, @name
    #[arg(value_name = "WHERE")]
    pub place: String,
}

/// Parses a duration: a number with `ms`, `s`, `m` or `h`, or a number of seconds.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
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
