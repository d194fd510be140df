//! What a connection's path adds to an answer, as text.

use super::filter::journey::Outcome;
use super::found::{Answer, Found};
use super::judge::Reach;
use super::way::Way;
use crate::render::page::Page;

/// The answer if the path decides; `None` if the socket alone does.
pub(super) fn sentence(answer: &Answer, way: &Way) -> Option<String> {
    let stopped = |what: &str| {
        way.stopped
            .as_ref()
            .map(|stopped| format!("No: {what}{stopped}."))
    };
    let accepts = match &answer.found {
        Found::Here(here) => matches!(here.reach, Reach::Accepted(_)),
        Found::Away(_) | Found::Special(_) | Found::Unrecorded => false,
    };
    if let Found::Away(away) = &answer.found {
        match way.outcome {
            // The findings about another machine say more.
            None | Some(Outcome::Away) => return None,
            Some(Outcome::Unreachable) if away.source.is_none() && way.culprit.is_none() => {
                let route = way.steps.iter().find(|step| step.step == "route");
                let why = route.filter(|step| !step.sentence.starts_with("no route"));
                let why = why.map(|step| format!(": {}", step.sentence)).unwrap_or_default();
                return Some(format!("No: there is no route to {}{why}.", answer.address));
            }
            Some(_) => {}
        }
    }
    match (way.outcome, way.lands_at) {
        (Some(Outcome::Connected), Some(to)) => Some(format!(
            "Yes: rules redirect it to {to}, where it would be accepted."
        )),
        (Some(Outcome::Refused), Some(to)) if way.stopped.is_none() => Some(format!(
            "No: refused. Rules redirect it to {to}, where nothing listens."
        )),
        (Some(Outcome::HalfOpen), _) => stopped(""),
        (Some(Outcome::Timeout), _) => stopped("it would time out, "),
        (Some(Outcome::Refused), _) => stopped("refused, "),
        (Some(Outcome::Unreachable), _) => stopped("unreachable, "),
        (Some(Outcome::Forwarded(to)), _) => Some(format!(
            "Cannot tell from here: rules send it to {to}, another machine."
        )),
        (Some(Outcome::Connected | Outcome::Away), _) => None,
        // The text about the listener mentions the doubt.
        (None, _) if accepts || way.not_examined.is_some() => None,
        (None, _) => doubt(way).map(|doubt| format!("Cannot tell: {doubt}.")),
    }
}

/// Why the outcome is unknown.
pub(super) fn doubt(way: &Way) -> Option<String> {
    match (way.outcome, way.not_examined, way.unknown_because.first()) {
        (Some(_), ..) => None,
        (None, Some(why), _) => Some(format!("packet filters were not examined ({why})")),
        (None, None, because) => because.map(|because| format!("it depends on {because}")),
    }
}

/// What the path adds below the answer.
pub(super) fn tell(page: &mut Page, answer: &Answer, way: &Way, all_steps: bool) {
    if let Some(culprit) = &way.culprit {
        if let Some(show) = &culprit.show {
            page.row("see", show);
        }
        if let Some(cure) = &culprit.cure {
            page.row("to let it pass", cure);
        }
    }
    // The first reason is already in the sentence if that is about this machine.
    let told = usize::from(matches!(answer.found, Found::Here(_)));
    let not_examined = |because: &&String| because.starts_with("packet filters not examined");
    for because in way
        .unknown_because
        .iter()
        .skip(told)
        .filter(|because| !not_examined(because))
    {
        page.row("depends on", because);
    }
    for one in &way.elsewhere {
        page.row(
            "from elsewhere",
            &format!(
                "via {} (client {}): {}",
                one.interface,
                one.client,
                one.way.short()
            ),
        );
        if let Some(show) = one.way.culprit.as_ref().and_then(|culprit| culprit.show.as_ref()) {
            page.row("see", show);
        }
        if let Some(cure) = one.way.culprit.as_ref().and_then(|culprit| culprit.cure.as_ref()) {
            page.row("to let it pass", cure);
        }
    }
    if all_steps {
        for step in &way.steps {
            let ok = match step.ok {
                Some(true) => "ok",
                Some(false) => "no",
                None => "?",
            };
            page.row(step.step, &format!("{ok:<3} {}", step.sentence));
        }
    }
}
