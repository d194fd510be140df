//! `--explain-plan`: which tables were read, what the kernel filtered, what remained, how owners were found.

use std::fmt::Write as _;

use crate::engine::Captured;
use crate::engine::How;
use crate::model::request::Dump;
use crate::model::{Gap, State, StateSet};
use crate::plan::ListPlan;
use crate::render::escape;

/// Returns the explanation, one fact per line.
pub fn text(plan: &ListPlan, captured: &Captured, rows: u64, gaps: &[Gap]) -> String {
    let mut text = String::new();
    if plan.capture.dumps.is_empty() {
        text.push_str("read      nothing: no table can have a match\n");
    }
    for dump in &plan.capture.dumps {
        let _ = writeln!(text, "read      {}", describe(dump));
        if let Some(condition) = &dump.condition {
            let _ = writeln!(
                text,
                "  kernel  {}",
                escape::text(condition.to_string().as_bytes())
            );
        }
    }
    for dump in &plan.capture.others {
        let _ = writeln!(
            text,
            "read      {}, for facts about other sockets",
            describe(dump)
        );
    }
    if let Some(filter) = &plan.capture.filter {
        let _ = writeln!(text, "filter    {}", escape::text(filter.to_string().as_bytes()));
    }
    let how = match &captured.owners_by {
        How::NotLooked if plan.capture.owners => "no search: no row has a holder".to_owned(),
        How::NotLooked => "not requested".to_owned(),
        How::Bpf(set_up, records) => {
            format!(
                "by the BPF iterator: {records} records, set-up {:.1} ms",
                set_up.as_secs_f64() * 1000.0
            )
        }
        How::Walk(why) => format!("by walking over /proc ({why})"),
    };
    let _ = writeln!(text, "owners    {how}");
    let _ = writeln!(text, "rows      {rows}");
    for gap in gaps {
        let _ = writeln!(
            text,
            "{:<9} {}",
            gap.level.name(),
            escape::text(gap.message.as_bytes())
        );
    }
    text
}

fn describe(dump: &Dump) -> String {
    let family = match (dump.protocol.is_inet(), dump.v4, dump.v6) {
        (true, true, false) => " over IPv4",
        (true, false, true) => " over IPv6",
        _ => "",
    };
    let states = dump.requested_states();
    let states = if states == StateSet::ALL.intersection(states) && states.len() >= 11 {
        "in every state".to_owned()
    } else {
        let names: Vec<_> = State::ALL
            .into_iter()
            .filter(|state| states.contains(*state))
            .map(State::name)
            .collect();
        format!("in {}", names.join(", "))
    };
    format!("{}{family} {states}", dump.protocol.name())
}
