//! `metrics`: counts TCP and UDP sockets in every state, with owners, drops and half-open connections.

use std::path::PathBuf;

use super::{ListPlan, Place};
use crate::cli::{ListArgs, MetricsArgs, UsageError};
use crate::engine::Request;
use crate::query::Parsed;
use crate::query::field::Field;
use crate::render::metrics::Limits;

/// What is counted.
const FIELDS: [Field; 7] = [
    Field::Protocol,
    Field::Process,
    Field::Drops,
    Field::SynRecv,
    Field::User,
    Field::Unit,
    Field::Container,
];

/// Metrics, ready to be counted.
#[derive(Clone, Debug)]
pub struct MetricsPlan {
    /// What to capture.
    pub capture: Request,
    /// How many programs and listeners get series of their own.
    pub limits: Limits,
    /// The file to replace; `None` for standard output.
    pub output: Option<PathBuf>,
    /// `--quiet`.
    pub quiet: bool,
}

impl MetricsPlan {
    /// The plan for these options; those before the subcommand are in `global`. There is no filter.
    ///
    /// # Errors
    /// As for [`ListPlan::new`].
    pub fn new(args: &MetricsArgs, global: &ListArgs, parsed: Parsed) -> Result<Self, UsageError> {
        let list = ListArgs {
            tcp: true,
            udp: true,
            all: true,
            processes: true,
            jsonl: true,
            columns: FIELDS.iter().map(|field| field.name().to_owned()).collect(),
            netns: [&global.netns[..], &args.netns].concat(),
            proc_root: global.proc_root.clone(),
            owners: global.owners,
            ..ListArgs::default()
        };
        let plan = ListPlan::new(&list, parsed, &Place::default())?;
        Ok(Self {
            capture: plan.capture,
            limits: Limits {
                programs: args.top,
                listeners: args.max_listeners,
            },
            output: args.output.clone(),
            quiet: global.quiet,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::request::Parts;
    use crate::query::{Mode, parse};

    #[test]
    fn half_open_connections_and_drops_are_requested() {
        let args = MetricsArgs {
            output: None,
            top: 1,
            max_listeners: 2,
            netns: Vec::new(),
        };
        let plan = MetricsPlan::new(&args, &ListArgs::default(), parse(&[], Mode::List).unwrap()).unwrap();
        assert!(plan.capture.owners && plan.capture.half_open && plan.capture.names.users);
        assert!(
            plan.capture.dumps.iter().all(|dump| dump.parts.has(Parts::DROPS)),
            "drops are requested"
        );
        assert_eq!((plan.limits.programs, plan.limits.listeners), (1, 2));
    }
}
