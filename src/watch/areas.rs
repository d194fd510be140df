//! Where the parts of the screen are.

use ratatui::layout::Rect;

/// The areas of the parts of the screen. A part without room has no height.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Areas {
    /// The views, the number of sockets, and the age of the data.
    pub(super) header: Rect,
    /// The headings of the columns.
    pub(super) headings: Rect,
    /// Rows.
    pub(super) rows: Rect,
    /// Details of the row with the cursor.
    pub(super) panel: Rect,
    /// The worst finding.
    pub(super) finding: Rect,
    /// What is missing.
    pub(super) loss: Rect,
    /// Keys, or what is being typed.
    pub(super) keys: Rect,
}

/// The minimum size at which anything besides the rows is shown.
const LEAST: (u16, u16) = (20, 5);
/// The most lines of the panel.
const PANEL_ROWS: u16 = 14;

/// Divides the screen.
pub(super) fn areas(size: (u16, u16), has_panel: bool) -> Areas {
    let (width, height) = size;
    let line = |y: u16, rows: u16| Rect::new(0, y, width, rows);
    if width < LEAST.0 || height < LEAST.1 {
        return Areas {
            rows: line(0, height),
            ..Areas::default()
        };
    }
    let has_headings = height > 10;
    let footer: u16 = match height {
        ..=10 => 1,
        11..=16 => 2,
        _ => 3,
    };
    let top = 1 + u16::from(has_headings);
    let body = height - top - footer;
    let panel = if has_panel && body > 6 {
        (body / 2).min(PANEL_ROWS)
    } else {
        0
    };
    let end = height - footer;
    Areas {
        header: line(0, 1),
        headings: line(1, u16::from(has_headings)),
        rows: line(top, body - panel),
        panel: line(end - panel, panel),
        finding: line(end, u16::from(footer > 1)),
        loss: line(height - 2, u16::from(footer > 2)),
        keys: line(height - 1, 1),
    }
}
