//! Text made of spans, which are truncated or dropped if a column is too narrow.
//!
//! A port, a pid and the word `full` are never truncated, because half a number is a wrong number. Other spans have a
//! rank; those of the highest rank are truncated and then dropped first.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// How a span is truncated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Not at all; it is dropped only together with all spans of its rank.
    Never,
    /// At its end: `systemd-r…`.
    End,
    /// In its middle: `2001:db8:…:7348`.
    Middle,
}

/// A part of a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its text, escaped.
    pub text: String,
    /// How it is truncated.
    pub cut: Cut,
    /// The order in which spans are dropped: rank 3, then 2. Those of rank 1 are truncated last and always stay.
    pub rank: u8,
}

/// The minimum width of a truncated name.
const LEAST_NAME: usize = 8;
/// The same if a column would otherwise have to be dropped.
const TIGHTEST_NAME: usize = 6;
/// The minimum width of a truncated address or path: that of 127.0.0.1.
const LEAST_ADDRESS: usize = 9;
/// The ranks, in the order of dropping.
const RANKS: [u8; 3] = [3, 2, 1];

impl Span {
    /// A span that is never truncated.
    pub fn fixed(text: impl Into<String>) -> Self {
        Self::new(text, Cut::Never, 1)
    }

    /// A span.
    pub fn new(text: impl Into<String>, cut: Cut, rank: u8) -> Self {
        Self {
            text: text.into(),
            cut,
            rank,
        }
    }

    fn width(&self) -> usize {
        self.text.width()
    }

    fn least(&self) -> usize {
        match self.cut {
            Cut::Never => self.width(),
            Cut::End => self.width().min(LEAST_NAME),
            Cut::Middle => self.width().min(LEAST_ADDRESS),
        }
    }

    fn tightest(&self) -> usize {
        match self.cut {
            Cut::End => self.width().min(TIGHTEST_NAME),
            Cut::Never | Cut::Middle => self.least(),
        }
    }

    fn shortened(&self, width: usize) -> String {
        match self.cut {
            Cut::Never => self.text.clone(),
            Cut::End => cut_end(&self.text, width),
            Cut::Middle => cut_middle(&self.text, width),
        }
    }
}

/// The width of all spans.
pub fn width(spans: &[Span]) -> usize {
    spans.iter().map(Span::width).sum()
}

/// The width without the spans of this rank and those dropped before it.
pub fn width_without(spans: &[Span], rank: u8) -> usize {
    spans
        .iter()
        .filter(|span| span.rank < rank)
        .map(Span::width)
        .sum()
}

/// The minimum width at which nothing is truncated that must not be.
pub fn least(spans: &[Span]) -> usize {
    spans.iter().filter(|span| span.rank == 1).map(Span::least).sum()
}

/// The same, with names shorter than desirable.
pub fn tightest(spans: &[Span]) -> usize {
    spans
        .iter()
        .filter(|span| span.rank == 1)
        .map(Span::tightest)
        .sum()
}

/// Returns the text of the spans in at most this many terminal cells. Below [`least`], it is truncated at the end
/// anyway, because nothing may wrap.
pub fn shorten(spans: &[Span], limit: usize) -> String {
    let mut spans = spans.to_vec();
    for rank in RANKS {
        if width(&spans) <= limit {
            break;
        }
        narrow(&mut spans, rank, limit, Span::least);
        if rank > 1 && width(&spans) > limit {
            spans.retain(|span| span.rank < rank);
        }
    }
    if tightest(&spans) <= limit {
        narrow(&mut spans, 1, limit, Span::tightest);
    }
    let text: String = spans.iter().map(|span| span.text.as_str()).collect();
    cut_end(text.trim_end(), limit)
}

/// Truncates the spans of a rank, down to `floor` each, until all spans fit.
fn narrow(spans: &mut [Span], rank: u8, limit: usize, floor: fn(&Span) -> usize) {
    for at in 0..spans.len() {
        let excess = width(spans).saturating_sub(limit);
        let Some(span) = spans.get_mut(at).filter(|span| span.rank == rank) else {
            continue;
        };
        let target = span.width().saturating_sub(excess).max(floor(span));
        if target < span.width() {
            span.text = span.shortened(target);
        }
    }
}

/// Truncates text to a width, with an ellipsis at its end.
pub fn cut_end(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut out = first_cells(text, width.saturating_sub(1));
    out.push('\u{2026}');
    out
}

fn cut_middle(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let kept = width.saturating_sub(1);
    let reversed: String = text.chars().rev().collect();
    let tail: String = first_cells(&reversed, kept / 2).chars().rev().collect();
    let head = first_cells(text, kept - kept / 2);
    format!("{head}\u{2026}{tail}")
}

/// Returns as many leading characters as fit.
fn first_cells(text: &str, cells: usize) -> String {
    let mut used = 0;
    text.chars()
        .take_while(|character| {
            used += character.width().unwrap_or(0);
            used <= cells
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn connection() -> Vec<Span> {
        vec![
            Span::new("postgres", Cut::End, 1),
            Span::fixed(" 2044"),
            Span::new(" in database-primary", Cut::End, 2),
            Span::new(" <> ", Cut::Never, 3),
            Span::new("python-worker", Cut::End, 3),
            Span::new(" 7001", Cut::Never, 3),
        ]
    }

    #[test]
    fn the_other_end_is_dropped_first_and_a_pid_is_never_cut() {
        let shown = |limit| shorten(&connection(), limit);
        assert_eq!(
            shown(60),
            "postgres 2044 in database-primary <> python-worker 7001"
        );
        assert_eq!(
            shown(52),
            "postgres 2044 in database-primary <> python-wo\u{2026} 7001"
        );
        assert_eq!(shown(49), "postgres 2044 in database-primary");
        assert_eq!(shown(25), "postgres 2044 in databas\u{2026}");
        assert_eq!(shown(16), "postgres 2044");
        assert_eq!(least(&connection()), 13);
        assert_eq!(tightest(&connection()), 11);
        assert_eq!(shown(11), "postg\u{2026} 2044");
        assert_eq!(shown(10), "postgres \u{2026}");
    }

    #[test]
    fn an_address_is_cut_in_its_middle_and_keeps_its_port() {
        let address = [
            Span::new("[2001:db8:85a3:8d3:1319:8a2e:370:7348]", Cut::Middle, 1),
            Span::fixed(":52512"),
        ];
        assert_eq!(shorten(&address, 28), "[2001:db8:8\u{2026}:370:7348]:52512");
        assert_eq!(shorten(&address, 15), "[200\u{2026}348]:52512");
    }

    #[test]
    fn text_is_cut_by_its_width_on_the_screen() {
        assert_eq!(cut_end("systemd-resolve", 9), "systemd-\u{2026}");
        assert_eq!(cut_end("short", 5), "short");
        assert_eq!(cut_end("\u{6f22}\u{5b57}\u{6f22}", 4), "\u{6f22}\u{2026}");
        assert_eq!(
            cut_middle("\u{6f22}\u{5b57}\u{6f22}", 5),
            "\u{6f22}\u{2026}\u{6f22}"
        );
    }

    proptest! {
        #[test]
        fn it_fits_and_numbers_stay_whole(name in "[a-z]{1,40}", pid in 1u32..4_194_304, other in "[a-z]{1,40}", limit in 20usize..120) {
            let spans = [
                Span::new(name, Cut::End, 1),
                Span::fixed(format!(" {pid}")),
                Span::new(" <> ", Cut::Never, 3),
                Span::new(other, Cut::End, 3),
                Span::new(" 99999", Cut::Never, 3),
            ];
            let shown = shorten(&spans, limit);
            prop_assert!(shown.width() <= limit);
            let whole = format!(" {pid}");
            prop_assert!(shown.contains(&whole));
            prop_assert_eq!(shown.contains("<>"), shown.ends_with(" 99999"));
        }
    }
}
