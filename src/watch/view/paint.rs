//! Puts text on the screen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use unicode_width::UnicodeWidthStr as _;

use crate::render::escape;
use crate::render::span::cut_end;

/// The tone of text. Colour is never the only signal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Tone {
    /// The terminal's default.
    #[default]
    Plain,
    /// Secondary.
    Dim,
    /// A heading.
    Strong,
    /// Worth a look.
    Warn,
    /// Needs action.
    Alarm,
    /// New.
    New,
    /// The row with the cursor.
    Selected,
}

/// A place to draw on.
#[derive(Debug)]
pub(super) struct Canvas<'a> {
    buffer: &'a mut Buffer,
    utf8: bool,
    colour: bool,
}

impl<'a> Canvas<'a> {
    /// Draws into this buffer.
    pub(super) fn new(buffer: &'a mut Buffer, utf8: bool, colour: bool) -> Self {
        Self { buffer, utf8, colour }
    }

    /// The style of a tone, using only the sixteen colours that every terminal has.
    pub(super) fn style(&self, tone: Tone) -> Style {
        let style = Style::new();
        let colour = |style: Style, colour: Color| if self.colour { style.fg(colour) } else { style };
        match tone {
            Tone::Plain => style,
            Tone::Dim if self.colour => style.fg(Color::DarkGray),
            Tone::Dim => style.add_modifier(Modifier::DIM),
            Tone::Strong => style.add_modifier(Modifier::BOLD),
            Tone::Warn => colour(style, Color::Yellow),
            Tone::Alarm => colour(style, Color::Red).add_modifier(Modifier::BOLD),
            Tone::New => colour(style, Color::Green),
            Tone::Selected => style.add_modifier(Modifier::REVERSED),
        }
    }

    /// Puts text at a position, cut to `width` cells or the edge; returns how many cells it took. This is the only way
    /// to draw text: whatever is unsafe in it is escaped, as [`Safe`](crate::render::safe::Safe) does elsewhere.
    pub(super) fn put(&mut self, x: u16, y: u16, width: u16, text: &str, tone: Tone) -> u16 {
        let area = *self.buffer.area();
        if y >= area.bottom() || x >= area.right() {
            return 0;
        }
        let width = width.min(area.right() - x);
        let text = escape::sentences(text);
        let text = cut_end(&text, width.into());
        let text = if self.utf8 {
            text
        } else {
            cut_plain(&plain(&text), width.into())
        };
        let style = self.style(tone);
        let (end, _) = self.buffer.set_stringn(x, y, &text, width.into(), style);
        end - x
    }

    /// Puts text that ends at the right edge of an area.
    pub(super) fn put_right(&mut self, area: Rect, text: &str, tone: Tone) {
        let width = u16::try_from(text.width()).unwrap_or(u16::MAX).min(area.width);
        self.put(area.right() - width, area.y, width, text, tone);
    }

    /// Sets the tone of a line.
    pub(super) fn tone(&mut self, area: Rect, tone: Tone) {
        let style = self.style(tone);
        self.buffer
            .set_style(area.intersection(*self.buffer.area()), style);
    }
}

/// Text for a terminal without UTF-8.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{2026}' => out.push_str("..."),
            '\u{2581}' => out.push('_'),
            '\u{2582}'..='\u{2588}' => out.push('#'),
            c if c.is_ascii() => out.push(c),
            _ => out.push('?'),
        }
    }
    out
}

/// The first cells of plain text, with three dots if text was cut.
fn cut_plain(text: &str, width: usize) -> String {
    if text.len() <= width {
        return text.to_owned();
    }
    let kept = text.get(..width.saturating_sub(3)).unwrap_or_default();
    let kept = kept.trim_end_matches('.');
    format!("{kept}{}", &"..."[..width.min(3)])
}

/// Wraps text into lines of at most this many cells, between words; all but the first are indented.
pub(super) fn wrapped(text: &str, width: usize, indent: usize) -> Vec<String> {
    if text.width() <= width {
        return vec![text.to_owned()];
    }
    let indent = if indent * 2 < width { indent } else { 0 };
    let mut lines = vec![String::new()];
    for word in text.split_inclusive(' ') {
        let used = lines.last().map_or(0, |line| line.width());
        let is_blank = lines.last().is_none_or(|line| line.trim().is_empty());
        if !is_blank && used + word.trim_end().width() > width {
            lines.push(" ".repeat(indent));
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(word);
        }
    }
    lines.iter().map(|line| line.trim_end().to_owned()).collect()
}

/// Cuts text after the last word that fits.
pub(super) fn cut_words(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut lines = wrapped(text, width.saturating_sub(2), 0);
    lines.truncate(1);
    format!("{} \u{2026}", lines.concat())
}

/// Joins as many of the phrases as fit; those of the highest rank are dropped first.
pub(super) fn whole_words(words: &[(String, u8)], width: u16) -> String {
    let mut kept: Vec<&(String, u8)> = words.iter().collect();
    loop {
        let texts: Vec<&str> = kept.iter().map(|(text, _)| text.as_str()).collect();
        let line = texts.join("  ");
        let last = kept.iter().enumerate().max_by_key(|(at, (_, rank))| (*rank, *at));
        match last {
            Some((at, _)) if line.width() > usize::from(width) => drop(kept.remove(at)),
            _ => return line,
        }
    }
}

/// A curve of the last values, one character each, scaled from the lowest to the highest.
pub(super) fn curve(values: &[f64], width: usize) -> String {
    let last = &values[values.len().saturating_sub(width)..];
    curve_to(last, last.iter().copied().fold(0.0, f64::max))
}

/// A curve of all these values, scaled from 0 to `most`.
pub(super) fn curve_to(values: &[f64], most: f64) -> String {
    const STEPS: [char; 8] = [
        '\u{2581}', '\u{2582}', '\u{2583}', '\u{2584}', '\u{2585}', '\u{2586}', '\u{2587}', '\u{2588}',
    ];
    values
        .iter()
        .map(|value| {
            let share = if most > 0.0 { value / most * 7.0 } else { 0.0 };
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "from 0 to 7"
            )]
            let step = share.round().clamp(0.0, 7.0) as usize;
            STEPS[step]
        })
        .collect()
}

/// A rate in bytes per second: at most three digits and a unit; empty for less than one byte.
pub(super) fn rate(bytes: f64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    if bytes < 1.0 {
        return String::new();
    }
    let (mut value, mut unit) = (bytes, 0);
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{:.0} {}", value.max(1.0), UNITS[unit])
}

/// A round-trip time in milliseconds, with two decimals if it is short.
pub(super) fn rtt_ms(us: u32) -> String {
    match us {
        0 => "0 ms".to_owned(),
        1..1000 => format!("0.{:02} ms", (us / 10).max(1)),
        _ => format!("{}.{} ms", us / 1000, us % 1000 / 100),
    }
}

/// A number with separated thousands.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number of sockets in words.
pub(super) fn sockets(number: u64) -> String {
    match number {
        1 => "1 socket".to_owned(),
        _ => format!("{} sockets", count(number)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!(count(0), "0");
        assert_eq!(count(20_058), "20,058");
        assert_eq!(count(1_000_000), "1,000,000");
        assert_eq!(
            (sockets(1), sockets(2_000)),
            ("1 socket".to_owned(), "2,000 sockets".to_owned())
        );
        assert_eq!(rate(0.5), "");
        assert_eq!(
            [12, 4, 999, 12_400].map(rtt_ms),
            ["0.01 ms", "0.01 ms", "0.99 ms", "12.4 ms"]
        );
        assert_eq!(rate(120.0), "120 B");
        assert_eq!(rate(1000.0), "1 kB");
        assert_eq!(rate(11.0 * 1024.0 * 1024.0), "11 MB");
    }

    #[test]
    fn nothing_unsafe_gets_onto_the_screen() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 40, 1));
        let mut canvas = Canvas::new(&mut buffer, true, false);
        canvas.put(0, 0, 40, "a\u{1b}[31m\u{202e}b\nc\u{200b}", Tone::Plain);
        let text: String = (0..40)
            .filter_map(|x| Some(buffer.cell((x, 0))?.symbol()))
            .collect();
        assert_eq!(text.trim_end(), "a\\x1b[31m\\xe2\\x80\\xaebc\\xe2\\x80\\x8b");
    }

    #[test]
    fn wide_text_is_wrapped_or_cut_between_words() {
        assert_eq!(
            wrapped("  label  one two  three", 19, 9),
            ["  label  one two", "         three"]
        );
        assert_eq!(
            wrapped("  label  one two  three", 12, 9),
            ["  label  one", "two  three"]
        );
        assert_eq!(wrapped("abcdef g", 3, 0), ["abcdef", "g"]);
        assert_eq!(wrapped("a b", 3, 0), ["a b"]);
        assert_eq!(cut_words("one two three", 10), "one two \u{2026}");
        assert_eq!(cut_words("one two", 10), "one two");
        let words = [("a one".to_owned(), 0), ("b two".to_owned(), 1)];
        assert_eq!(whole_words(&words, 12), "a one  b two");
        assert_eq!(whole_words(&words, 11), "a one");
    }

    #[test]
    fn a_terminal_without_utf8_gets_ascii() {
        assert_eq!(plain("a\u{2026}\u{2581}\u{2588}\u{e9}"), "a..._#?");
        assert_eq!(cut_plain("abcdef...", 5), "ab...");
        assert_eq!(cut_plain("abc", 2), "..");
        assert_eq!(curve(&[0.0, 1.0, 2.0], 2), "\u{2585}\u{2588}");
        assert_eq!(curve(&[], 9), "");
        assert_eq!(curve_to(&[1.0, 8.0, 9.0], 8.0), "\u{2582}\u{2588}\u{2588}");
    }
}
