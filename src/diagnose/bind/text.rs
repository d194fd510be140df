//! Renders a report as text: the answer, then the evidence, then the cures.

use crate::render::page::Page;

use super::cure;
use super::describe::{self, Clients};
use super::headline::headline;
use super::report::{Answer, Report};
use super::role::Role;
use super::sentence::sentence;
use super::verdict::{Effect, Outcome};

/// How many sockets are described in a sentence each.
const SOCKETS_DESCRIBED: usize = 4;

/// Renders the whole text, ending in a newline. `width` is that of the terminal, if there is one.
pub fn render(report: &Report, width: Option<usize>) -> String {
    let mut page = Page::new(width, describe::LABELS);
    page.prose(&headline(report));
    if let Some(answer) = worst(report) {
        evidence(&mut page, report, answer);
        cure::write_rows(&mut page, &answer.cures);
    }
    if !report.notes.is_empty() && report.answers.iter().any(|answer| !answer.cures.is_empty()) {
        page.gap();
    }
    for note in &report.notes {
        page.prose(&format!("({note})"));
    }
    page.finish()
}

/// The answer that the text is about: the first that fails, else the first undecidable one, else the first.
fn worst(report: &Report) -> Option<&Answer> {
    let rank = |answer: &&Answer| match answer.verdict.bind {
        Outcome::Fails(_) => 0,
        Outcome::Undecidable => 1,
        Outcome::Ok => 2,
    };
    report.answers.iter().min_by_key(rank)
}

/// Writes the sockets that block, the most important first, and the owner of the first.
fn evidence(page: &mut Page, report: &Report, answer: &Answer) {
    let mut blocking =
        answer.verdict.findings.iter().filter(|finding| {
            !matches!(finding.effect, Effect::Shares { .. }) && finding.role != Role::TimeWait
        });
    let Some(first) = blocking.next() else { return };
    page.gap();
    let rest: Vec<_> = blocking.collect();
    let others = rest
        .iter()
        .filter(|finding| finding.role <= Role::Ephemeral)
        .copied();
    let mut sentences: Vec<String> = Vec::new();
    // Several sockets of one program on the same address and port, as with SO_REUSEPORT, are mentioned once.
    for sentence in std::iter::once(first)
        .chain(others)
        .map(|finding| sentence(report, finding))
    {
        if !sentences.contains(&sentence) {
            sentences.push(sentence);
        }
    }
    for sentence in sentences.iter().take(SOCKETS_DESCRIBED) {
        page.prose(sentence);
    }
    if let Some(holders) = report.holders.get(first.socket) {
        page.prose(&holders.hidden(report.sudo.as_deref()));
        let count = |test: fn(Role) -> bool| rest.iter().filter(|finding| test(finding.role)).count();
        let clients = Clients {
            queued: count(|role| role == Role::Queued),
            accepted: count(|role| role > Role::Queued),
        };
        describe::rows(page, holders, report.taken_at, clients);
    }
}
