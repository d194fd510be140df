//! Options of `wait`.

use std::time::Duration;

use clap::Args;

use super::KindArgs;

/// What is waited for.
#[derive(Debug, Args)]
#[command(disable_version_flag = true)]
pub struct WaitArgs {
    /// Of which kind
    #[command(flatten)]
    pub kind: KindArgs,
    /// Until nothing is there any more
    #[arg(long)]
    pub gone: bool,
    /// Another state than listening: established, time-wait
    #[arg(long, value_name = "STATE")]
    pub state: Option<String>,
    /// No longer than this: 500ms, 10s, 2m
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub timeout: Option<Duration>,
    /// One JSON document when it is over
    #[arg(short, long)]
    pub json: bool,
    /// Where: PORT, PORT/udp, ADDR:PORT (IPv6 in brackets), NAME:PORT, /path, @name
    #[arg(value_name = "WHERE")]
    pub place: String,
}

/// A number with `ms`, `s`, `m` or `h`; seconds without one.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor_ms = match unit {
        "ms" => 1,
        "" | "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(format!("'{unit}' is no unit of time: ms, s, m, h")),
    };
    let number: u64 = number
        .parse()
        .map_err(|_| format!("'{text}' is no duration: 500ms, 10s, 2m"))?;
    let ms = number
        .checked_mul(factor_ms)
        .ok_or_else(|| format!("'{text}' is too long"))?;
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
