//! The verdict on a name as text.

use std::time::SystemTime;

use super::facts::UnixFacts;
use super::verdict::UnixVerdict;
use crate::diagnose::bind::cure;
use crate::diagnose::bind::describe::{self, Clients};
use crate::render::page::Page;

/// Renders the text, ending in a newline. `width` is that of the terminal, if there is one.
pub fn render(
    facts: &UnixFacts,
    verdict: &UnixVerdict,
    now: SystemTime,
    sudo: Option<&str>,
    width: Option<usize>,
) -> String {
    let mut page = Page::new(width, describe::LABELS);
    page.prose(&verdict.sentence);
    if let Some((_, holders)) = verdict.socket.and_then(|at| facts.sockets.get(at)) {
        page.prose(&holders.hidden(sudo));
        describe::rows(&mut page, holders, now, Clients::default());
    }
    cure::write_rows(&mut page, &verdict.cures);
    page.finish()
}
