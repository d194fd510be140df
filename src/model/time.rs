//! Points in time: RFC 3339 in UTC, written and read.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Milliseconds of a second, a minute, an hour and a day.
const SECOND: u64 = 1000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A point in time as a field shows it. Times before 1970 are shown as 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Milliseconds since 1970.
    pub ms: u64,
    /// Whether its text has milliseconds.
    pub shows_ms: bool,
}

impl Moment {
    /// With milliseconds.
    pub fn exact(time: SystemTime) -> Self {
        Self {
            ms: since_1970(time),
            shows_ms: true,
        }
    }

    /// In whole seconds.
    pub fn in_seconds(time: SystemTime) -> Self {
        let ms = since_1970(time);
        Self {
            ms: ms - ms % SECOND,
            shows_ms: false,
        }
    }

    /// Its text: `2026-11-30T10:15:00Z`, or `2026-11-30T10:15:00.250Z`.
    pub fn text(self) -> String {
        let (days, of_day) = (self.ms / DAY, self.ms % DAY);
        let (year, month, day) = civil(days);
        let fraction = if self.shows_ms {
            format!(".{:03}", of_day % SECOND)
        } else {
            String::new()
        };
        format!(
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}{fraction}Z",
            of_day / HOUR,
            of_day / MINUTE % 60,
            of_day / SECOND % 60
        )
    }
}

fn since_1970(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Parses a time in UTC as the period that it names, in milliseconds since 1970: `2026-11-30` is a day,
/// `2026-11-30T10:15Z` a minute, `2026-11-30T10:15:00.250Z` a millisecond.
pub fn period(text: &str) -> Option<(u64, u64)> {
    let text = text.strip_suffix(['Z', 'z']).unwrap_or(text);
    let (date, time) = match text.split_once(['T', 't', ' ']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let mut parts = date.split('-');
    let year = number(parts.next()?, 4)?;
    let month = number(parts.next()?, 2)?;
    let day = number(parts.next()?, 2)?;
    if parts.next().is_some() {
        return None;
    }
    let days = days_since_1970(year, month, day)?;
    let (of_day, length) = match time {
        Some(time) => period_of_day(time)?,
        None => (0, DAY),
    };
    let start = days * DAY + of_day;
    Some((start, start + length - 1))
}

/// Parses a time in UTC, and returns the end of the period that it names. Without a date, it is on the day of `near`.
pub fn end_of(text: &str, near: SystemTime) -> Option<SystemTime> {
    let end = match period(text) {
        Some((_, end)) => end,
        None => {
            let text = text.strip_suffix(['Z', 'z']).unwrap_or(text);
            let (start, length) = period_of_day(text)?;
            let near = since_1970(near);
            near - near % DAY + start + length - 1
        }
    };
    UNIX_EPOCH.checked_add(Duration::from_millis(end))
}

fn period_of_day(time: &str) -> Option<(u64, u64)> {
    let mut parts = time.split(':');
    let hour = number(parts.next()?, 2).filter(|hour| *hour < 24)?;
    let minute = number(parts.next()?, 2).filter(|minute| *minute < 60)?;
    let start = hour * HOUR + minute * MINUTE;
    let Some(rest) = parts.next() else {
        return Some((start, MINUTE));
    };
    if parts.next().is_some() {
        return None;
    }
    let (second, fraction) = match rest.split_once('.') {
        Some((second, fraction)) => (second, Some(fraction)),
        None => (rest, None),
    };
    let start = start + number(second, 2).filter(|second| *second < 60)? * SECOND;
    match fraction {
        Some(fraction) => Some((start + number(fraction, 3)?, 1)),
        None => Some((start, SECOND)),
    }
}

/// A number with exactly this many digits.
fn number(text: &str, digits: usize) -> Option<u64> {
    let is_number = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

/// Returns the date of a day counted from 1970-01-01: years are counted from March, in eras of 400 years, so that the
/// leap day comes last.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

/// The inverse; `None` for an invalid date or one before 1970.
fn days_since_1970(year: u64, month: u64, day: u64) -> Option<u64> {
    let year = year.checked_sub(u64::from(month <= 2))?;
    let from_march = (month + 9) % 12;
    let (era, year_of_era) = (year / 400, year % 400);
    let day_of_year = (153 * from_march + 2) / 5 + day.checked_sub(1)?;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = (era * 146_097 + day_of_era).checked_sub(719_468)?;
    let date = (year + u64::from(month <= 2), month, day);
    (civil(days) == date).then_some(days)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn dates_are_right_around_leap_days() {
        let at = |seconds| Moment::in_seconds(UNIX_EPOCH + Duration::from_secs(seconds)).text();
        assert_eq!(at(0), "1970-01-01T00:00:00Z");
        assert_eq!(at(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(at(1_709_251_199), "2024-02-29T23:59:59Z");
        assert_eq!(at(1_709_251_200), "2024-03-01T00:00:00Z");
        assert_eq!(at(4_102_444_799), "2099-12-31T23:59:59Z");
        let exact = Moment::exact(UNIX_EPOCH + Duration::from_millis(1_007));
        assert_eq!(exact.text(), "1970-01-01T00:00:01.007Z");
    }

    #[test]
    fn a_text_names_a_period() {
        assert_eq!(period("1970-01-02"), Some((DAY, 2 * DAY - 1)));
        assert_eq!(period("1970-01-01T00:01Z"), Some((MINUTE, 2 * MINUTE - 1)));
        assert_eq!(period("1970-01-01T00:00:02"), Some((2000, 2999)));
        assert_eq!(period("1970-01-01T00:00:02.005Z"), Some((2005, 2005)));
        for wrong in [
            "",
            "2026",
            "2026-11",
            "2026-02-30",
            "2026-00-10",
            "2026-13-01",
            "2026-11-00",
            "2026-11-31",
            "1969-12-31",
            "2026-11-30T",
            "2026-11-30T24:00",
            "2026-11-30T10",
            "2026-11-30T10:60",
            "2026-11-30T10:00:60",
            "2026-11-30T10:00:00.1",
            "2026-11-30T10:00:00+01:00",
            "2026-1-1",
            "now",
        ] {
            assert_eq!(period(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn formatted_times_are_parsed_again(ms in 0..253_402_300_800_000_u64) {
            let moment = Moment { ms, shows_ms: true };
            prop_assert_eq!(period(&moment.text()), Some((ms, ms)));
        }
    }

    #[test]
    fn a_time_without_a_date_is_on_the_given_day() {
        let near = UNIX_EPOCH + Duration::from_millis(period("2026-11-30T12:00:00Z").unwrap().0);
        let end = |text: &str| end_of(text, near).map(|time| Moment::exact(time).text());
        assert_eq!(end("11:58:02").as_deref(), Some("2026-11-30T11:58:02.999Z"));
        assert_eq!(end("11:58Z").as_deref(), Some("2026-11-30T11:58:59.999Z"));
        assert_eq!(
            end("2026-11-29T23:00:00Z").as_deref(),
            Some("2026-11-29T23:00:00.999Z")
        );
        assert_eq!(end("24:00"), None);
        assert_eq!(end("yesterday"), None);
    }
}
