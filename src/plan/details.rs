//! Determines which socket details to request from the kernel, for options and for fields that were named.

use crate::cli::ListArgs;
use crate::model::request::{Parts, Wanted};
use crate::query::field::Cost;
use crate::render::facts::Facts;

/// What a table shows after its rows.
pub fn facts(args: &ListArgs) -> Facts {
    let options = args.tos || args.inet_sockopt;
    let lines = args.info || args.memory || args.bpf;
    Facts {
        record: lines || options || args.extended || args.options,
        lines,
        options,
    }
}

/// Returns how much of each reply to read, and what dumps should report. Fields that are `shown` may be filled from
/// attributes that come unrequested. Attributes that make replies longer are requested only for fields that were named.
pub fn of(args: &ListArgs, shown: Cost, by_name: Cost) -> (Wanted, Parts) {
    let parts = by_name
        .and_if(args.memory, Cost::MEMORY)
        .and_if(args.info, Cost::INFO.and(Cost::CONGESTION).and(Cost::MEASURES))
        .and_if(args.tos, Cost::TOS.and(Cost::CLASS))
        .and_if(args.bpf, Cost::FILTERS)
        .parts();
    let attributes = args.extended || args.cgroup || args.inet_sockopt || shown.has(Cost::ATTRIBUTES);
    let wanted = match (parts.attributes(), attributes) {
        (1.., _) => Wanted::Details,
        (0, true) => Wanted::Attributes,
        (0, false) => Wanted::Row,
    };
    (wanted, parts)
}
