//! `snapshot`: the listing of TCP and UDP with owners, as JSON Lines for a monitoring system.

use super::{ListPlan, Output, Place};
use crate::cli::cmdline::Cmdline;
use crate::cli::{ListArgs, SnapshotArgs, UsageError};
use crate::engine::Request;
use crate::query::Parsed;
use crate::query::field::Field;
use crate::render::lines::Lines;

/// The keys of a row, in this order. `docs/fleet.md` promises them.
pub const FIELDS: &[Field] = &[
    Field::Host,
    Field::MachineId,
    Field::BootId,
    Field::TakenAt,
    Field::Netns,
    Field::NetnsName,
    Field::ContainerId,
    Field::Pod,
    Field::Unit,
    Field::Protocol,
    Field::Family,
    Field::State,
    Field::LocalAddress,
    Field::LocalPort,
    Field::PeerAddress,
    Field::PeerPort,
    Field::Scope,
    Field::RecvQ,
    Field::SendQ,
    Field::AcceptQ,
    Field::Backlog,
    Field::AcceptQueueFull,
    Field::Drops,
    Field::Uid,
    Field::User,
    Field::OwnerStatus,
    Field::Process,
    Field::Pid,
    Field::Exe,
    Field::StartedAt,
    Field::OwnerCount,
    Field::Inode,
    Field::Cookie,
];

/// A snapshot, ready to run.
#[derive(Clone, Debug)]
pub struct SnapshotPlan {
    /// What to capture.
    pub capture: Request,
    /// The lines of rows.
    pub lines: Lines,
    /// `--quiet`.
    pub quiet: bool,
}

impl SnapshotPlan {
    /// The plan for these options; those before the subcommand are in `global`.
    ///
    /// # Errors
    /// As for [`ListPlan::new`].
    pub fn new(
        args: &SnapshotArgs,
        global: &ListArgs,
        parsed: Parsed,
        place: &Place,
    ) -> Result<Self, UsageError> {
        let both = !args.tcp && !args.udp;
        let list = ListArgs {
            tcp: args.tcp || both,
            udp: args.udp || both,
            ipv4: args.ipv4,
            ipv6: args.ipv6,
            all: true,
            processes: true,
            jsonl: true,
            columns: FIELDS.iter().map(|field| field.name().to_owned()).collect(),
            netns: [&global.netns[..], &args.netns].concat(),
            proc_root: global.proc_root.clone(),
            owners: global.owners,
            cmdline: args.cmdline,
            filter: args.filter.clone(),
            ..ListArgs::default()
        };
        let plan = ListPlan::new(&list, parsed, place).and_then(ListPlan::without_reachable)?;
        let lines = match (plan.output, args.cmdline) {
            (Output::Lines(lines), Cmdline::None) => lines,
            (_, Cmdline::None) => Lines::Json(FIELDS.to_vec()),
            _ => Lines::JsonWithArguments(FIELDS.to_vec()),
        };
        Ok(Self {
            capture: Request {
                unordered: true,
                ..plan.capture
            },
            lines,
            quiet: global.quiet,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Printed, Protocol};
    use crate::query::{Mode, parse};

    #[test]
    fn it_is_the_listing_of_tcp_and_udp_with_owners() {
        let args = SnapshotArgs {
            tcp: false,
            udp: false,
            ipv4: false,
            ipv6: false,
            numeric: false,
            netns: Vec::new(),
            cmdline: Cmdline::None,
            json: false,
            filter: Vec::new(),
        };
        let parsed = || parse(&[], Mode::List).unwrap();
        let place = Place::default();
        let plan = SnapshotPlan::new(&args, &ListArgs::default(), parsed(), &place).unwrap();
        assert_eq!(plan.lines, Lines::Json(FIELDS.to_vec()));
        assert!(plan.capture.owners && plan.capture.names.machine && !plan.capture.descriptor_only);
        let of_ip = [Protocol::Tcp, Protocol::Udp];
        assert!(
            plan.capture
                .dumps
                .iter()
                .all(|dump| of_ip.contains(&dump.protocol))
        );
        let full = SnapshotArgs {
            cmdline: Cmdline::Full,
            ..args
        };
        let plan = SnapshotPlan::new(&full, &ListArgs::default(), parsed(), &place).unwrap();
        assert_eq!(plan.lines, Lines::JsonWithArguments(FIELDS.to_vec()));
        assert_eq!(plan.capture.arguments, Printed::Full);
    }
}
