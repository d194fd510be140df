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
    /// As the terminal has it.
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

    /// The style of a tone: one of the sixteen colours of any terminal, or none.
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

    /// Puts text at a place, cut to `width` cells or the edge; returns how many it took. The only way onto the
    /// screen: what is unsafe in the text is escaped, as [`Safe`](crate::render::safe::Safe) does elsewhere.
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

    /// Gives a line another tone.
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

/// The first cells of plain text, with three dots if there are more.
fn cut_plain(text: &str, width: usize) -> String {
    if text.len() <= width {
        return text.to_owned();
    }
    let kept = text.get(..width.saturating_sub(3)).unwrap_or_default();
    let kept = kept.trim_end_matches('.');
    format!("{kept}{}", &"..."[..width.min(3)])
}

/// A curve: one character for each of the last values, from the lowest to the highest.
pub(super) fn curve(values: &[f64], width: usize) -> String {
    const STEPS: [char; 8] = [
        '\u{2581}', '\u{2582}', '\u{2583}', '\u{2584}', '\u{2585}', '\u{2586}', '\u{2587}', '\u{2588}',
    ];
    let last = &values[values.len().saturating_sub(width)..];
    let most = last.iter().copied().fold(0.0, f64::max);
    last.iter()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!(count(0), "0");
        assert_eq!(count(20_058), "20,058");
        assert_eq!(count(1_000_000), "1,000,000");
        assert_eq!(rate(0.5), "");
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
    fn a_terminal_without_utf8_gets_ascii() {
        assert_eq!(plain("a\u{2026}\u{2581}\u{2588}\u{e9}"), "a..._#?");
        assert_eq!(cut_plain("abcdef...", 5), "ab...");
        assert_eq!(cut_plain("abc", 2), "..");
        assert_eq!(curve(&[0.0, 1.0, 2.0], 2), "\u{2585}\u{2588}");
        assert_eq!(curve(&[], 9), "");
    }
}
