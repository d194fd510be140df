//! `-K` and `kill --socket`: which sockets to close, and what to request and show.

use super::{ListPlan, Place};
use crate::cli::{KillArgs, ListArgs, UsageError};
use crate::model::request::Wanted;
use crate::model::{Protocol, State, StateSet};
use crate::query::Parsed;

/// A request to close sockets.
#[derive(Clone, Debug)]
pub struct DestroyPlan {
    /// The listing whose rows are closed.
    pub list: ListPlan,
    /// Whether the options or the filter name states; otherwise only connections are selected.
    pub states_asked: bool,
    /// `--yes`.
    pub yes: bool,
    /// `--dry-run`.
    pub dry_run: bool,
}

impl DestroyPlan {
    /// The plan for `-K`.
    ///
    /// # Errors
    /// As for [`ListPlan::new`], and for options that cannot be combined with `-K`.
    pub fn of_list(args: &ListArgs, parsed: Parsed, place: &Place) -> Result<Self, UsageError> {
        if args.proc_root.is_some() {
            return Err(UsageError::new(
                "-K and --proc-root cannot be used together: sockets can be closed only on this machine",
            ));
        }
        let states_asked = parsed.states.is_some() || args.all || args.listening || args.bound;
        Ok(Self {
            list: listing(args, parsed, states_asked, place)?,
            states_asked,
            yes: args.yes,
            dry_run: args.dry_run,
        })
    }

    /// The plan for `kill --socket`.
    ///
    /// # Errors
    /// As for [`Self::of_list`].
    pub fn of_kill(
        args: &KillArgs,
        global: &ListArgs,
        parsed: Parsed,
        place: &Place,
    ) -> Result<Self, UsageError> {
        let list = ListArgs {
            tcp: args.tcp,
            udp: args.udp,
            ipv4: args.ipv4,
            ipv6: args.ipv6,
            yes: args.yes,
            dry_run: args.dry_run,
            json: args.json || global.json,
            quiet: global.quiet,
            proc_root: global.proc_root.clone(),
            owners: global.owners,
            netns: [&global.netns[..], &args.netns].concat(),
            ..ListArgs::default()
        };
        Self::of_list(&list, parsed, place)
    }
}

/// Returns the listing whose rows are closed: TCP and UDP if no table is named, connections if no state is.
fn listing(
    args: &ListArgs,
    parsed: Parsed,
    states_asked: bool,
    place: &Place,
) -> Result<ListPlan, UsageError> {
    let mut args = args.clone();
    args.processes = true;
    let named = args.tcp || args.udp || args.raw || args.unix || args.mptcp;
    let usual = [Protocol::Tcp, Protocol::Udp];
    let may_be_usual = parsed
        .protocols
        .is_none_or(|protocols| usual.into_iter().any(|usual| protocols.contains(usual)));
    if !named && args.family.is_empty() && args.tables.is_empty() && may_be_usual {
        args.tcp = true;
        args.udp = true;
    }
    let mut plan = ListPlan::new(&args, parsed, place).and_then(ListPlan::without_reachable)?;
    for dump in &mut plan.capture.dumps {
        // The IP protocol of a raw socket is part of the request to close it, and is reported in an attribute.
        dump.wanted = dump.wanted.max(Wanted::Attributes);
        if !states_asked {
            let connections = StateSet::CONN.without(StateSet::of(State::Bound));
            dump.states = dump.states.intersection(connections);
        }
    }
    plan.capture.dumps.retain(|dump| !dump.states.is_empty());
    Ok(plan)
}
