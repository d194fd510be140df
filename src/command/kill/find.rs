//! Finds the owners that a filter selects.

use std::collections::BTreeMap;
use std::net::Ipv6Addr;
use std::num::NonZeroU32;
use std::ops::ControlFlow;

use crate::command::read::{processes, snapshot};
use crate::diagnose::bind::cure::Reader;
use crate::diagnose::bind::end_holders::{container_stopper, master_stopper, unit_stopper};
use crate::diagnose::bind::owner::{Owner, title};
use crate::diagnose::place::wants_family;
use crate::diagnose::restart::Restart;
use crate::diagnose::stopped::{Member, Stopped};
use crate::diagnose::targets::{Held, Target, ancestors, targets};
use crate::engine::Request;
use crate::engine::{Captured, Sink, stream};
use crate::model::Name;
use crate::model::ownership::Unseen;
use crate::model::request::Dump;
use crate::model::{Context, Holder, OwnerStatus, Owners, Protocol, Socket, State, StateSet};
use crate::plan::KillPlan;
use crate::plan::kill::Goal;
use crate::source::containers::docker::Docker;
use crate::source::process;
use crate::source::signals::may_signal;
use crate::source::systemd::{self, Manager};

/// What a filter selects.
#[derive(Clone, Debug)]
pub struct Found {
    /// The processes to end.
    pub victims: Vec<Victim>,
    /// For each of the other sockets, why it has no owner that could be ended.
    pub ownerless: Vec<OwnerStatus>,
    /// What kept owners from being seen.
    pub unseen: Unseen,
    /// How many sockets were left out because the filter depends on a hidden owner.
    pub left_out: u64,
    /// What the filter targets.
    pub(super) goal: Goal,
}

/// A group of related processes, and what is known about them.
#[derive(Clone, Debug)]
pub struct Victim {
    /// The pids, topmost first.
    pub pids: Vec<u32>,
    /// The name of the topmost.
    pub program: Vec<u8>,
    /// Its arguments, in one line.
    pub command: Option<String>,
    /// Its user.
    pub user: Name,
    /// The systemd service that it runs in.
    pub unit: Option<Name>,
    /// The command that makes systemd stop that service.
    pub stop_unit: Option<String>,
    /// The container it runs in, or forwards to.
    pub container: Option<Name>,
    /// The command that stops that container.
    pub stop_container: Option<String>,
    /// The command that knows the container.
    pub container_tool: &'static str,
    /// Whether it forwards ports for a container.
    pub forwards_for_container: bool,
    /// Whether it includes process 1, this program or one of its ancestors.
    pub is_one_of_us: bool,
    /// Every descriptor of one of the sockets.
    pub holders: Vec<Holder>,
    /// The local addresses of the sockets, as shown to users, and their protocols.
    pub places: Vec<(String, Protocol)>,
    /// The sockets.
    pub sockets: Vec<Socket>,
    /// The other ports on which its processes listen, which will be closed as well.
    pub also: Vec<(String, Protocol)>,
    /// The supervisor that started it, outside systemd: its name and pid.
    pub supervisor: Option<(Vec<u8>, u32)>,
    /// The processes that are stopped, so that only KILL reaches them.
    pub stopped: Option<Stopped>,
    /// The parent that starts them, if it cannot be inspected; it probably holds the sockets too.
    pub master: Option<Owner>,
    /// The command that ends this parent.
    pub stop_master: Option<String>,
    /// Whether systemd starts the service again, or docker the container.
    pub restart: Restart,
}

/// Finds the owners.
///
/// # Errors
/// If /proc cannot be listed.
pub fn find(plan: &KillPlan, reader: Reader<'_>) -> anyhow::Result<Found> {
    let (collected, captured) = stream(&plan.capture, Collected::default())?;
    let mut sockets = collected.sockets;
    sockets.retain(|socket| wants_family(plan.ipv4, plan.ipv6, socket.family));
    let mut found = found(&sockets, &captured, plan, reader);
    add_other_places(&mut found.victims, plan)?;
    Ok(found)
}

/// Finds the other ports on which the victims listen.
fn add_other_places(victims: &mut [Victim], plan: &KillPlan) -> anyhow::Result<()> {
    if victims.is_empty() {
        return Ok(());
    }
    let waits = StateSet::of_all(&[State::Listen, State::Unconnected]);
    let request = Request {
        dumps: [Protocol::Tcp, Protocol::Udp]
            .map(|protocol| Dump::new(protocol, waits))
            .to_vec(),
        owners: true,
        owners_by: plan.capture.owners_by,
        ..Request::default()
    };
    let (collected, captured) = stream(&request, Collected::default())?;
    for victim in victims {
        let known: Vec<_> = victim
            .sockets
            .iter()
            .map(|socket| (socket.inode, socket.cookie))
            .collect();
        let others = collected.sockets.iter().filter(|socket| {
            let holders = captured.owners.of(socket).holders;
            holders.iter().any(|holder| victim.pids.contains(&holder.pid))
                && !known.contains(&(socket.inode, socket.cookie))
        });
        victim.also = others.map(|socket| (place(socket), socket.protocol)).collect();
        victim
            .also
            .sort_unstable_by_key(|(place, protocol)| (protocol.name(), place.len(), place.clone()));
        victim.also.dedup();
        victim.also.retain(|one| !victim.places.contains(one));
    }
    Ok(())
}

#[derive(Default)]
struct Collected {
    sockets: Vec<Socket>,
}

impl Sink for Collected {
    fn take(&mut self, sockets: &mut [Socket], _: &Owners, _: &Context) -> ControlFlow<()> {
        self.sockets.extend_from_slice(sockets);
        ControlFlow::Continue(())
    }
}

fn found(sockets: &[Socket], captured: &Captured, plan: &KillPlan, reader: Reader<'_>) -> Found {
    let mut held = Vec::new();
    let mut ownerless = Vec::new();
    let mut masters = BTreeMap::new();
    for (at, socket) in sockets.iter().enumerate() {
        let ownership = captured.owners.of(socket);
        let mut pids: Vec<u32> = ownership.holders.iter().map(|holder| holder.pid).collect();
        pids.dedup();
        if ownership.status == OwnerStatus::Known {
            let master_of = |pid: &u32| Some((*pid, processes::master_of(*pid, socket, &ownership)?));
            masters.extend(pids.iter().filter_map(master_of));
            held.push(Held { socket: at, pids });
        } else {
            ownerless.push(ownership.status);
        }
    }
    let parents = process::parents_of_all();
    let own = std::process::id();
    let mut us = ancestors(own, &parents);
    us.extend([own, 1]);
    let victims = targets(&held, &parents, &masters)
        .into_iter()
        .map(|target| {
            let of_target: Vec<Socket> = target
                .sockets
                .iter()
                .filter_map(|at| sockets.get(*at))
                .cloned()
                .collect();
            let is_one_of_us = target.pids.iter().any(|pid| us.contains(pid));
            Victim {
                is_one_of_us,
                ..victim(target, of_target, captured, &plan.signal, reader)
            }
        })
        .collect();
    Found {
        victims,
        ownerless,
        unseen: captured.owners.unseen(),
        left_out: captured.undecided[OwnerStatus::Hidden as usize],
        goal: plan.goal,
    }
}

fn victim(
    target: Target,
    sockets: Vec<Socket>,
    captured: &Captured,
    signal: &str,
    reader: Reader<'_>,
) -> Victim {
    let Target { pids, master, .. } = target;
    let top = pids.first().copied().unwrap_or(0);
    let owner = processes::described(top).unwrap_or_default();
    let master = master.and_then(processes::described);
    let holders = sockets
        .iter()
        .flat_map(|socket| captured.owners.of(socket).holders)
        .filter(|holder| pids.contains(&holder.pid))
        .copied()
        .collect();
    let mut places: Vec<_> = sockets
        .iter()
        .map(|socket| (place(socket), socket.protocol))
        .collect();
    places.dedup();
    let unit = owner
        .unit
        .clone()
        .filter(|unit| unit.as_bytes().ends_with(b".service"));
    Victim {
        restart: restart(&owner, unit.as_ref(), signal),
        stopped: stopped(&pids, &owner.program),
        pids,
        command: owner.command_line(),
        stop_master: master
            .as_ref()
            .and_then(|master| master_stopper(master, sockets.first().and_then(port_of), reader)),
        master,
        stop_unit: unit_stopper(&owner, reader),
        stop_container: container_stopper(&owner, reader),
        program: owner.program,
        user: owner.user.unwrap_or_else(|| "?".into()),
        unit,
        container: owner.container,
        container_tool: owner.container_tool,
        forwards_for_container: owner.forwards_for_container,
        is_one_of_us: false,
        holders,
        places,
        sockets,
        also: Vec::new(),
        supervisor: owner
            .parents
            .iter()
            .find(|(name, _)| is_supervisor(name))
            .cloned(),
    }
}

/// Returns which of the processes are stopped; `program` is the name of the first.
pub(super) fn stopped(pids: &[u32], program: &[u8]) -> Option<Stopped> {
    let member = |pid: &u32| {
        Some(Member {
            stop: process::stop_of(*pid)?,
            title: if pids.first() == Some(pid) {
                title(program, *pid)
            } else {
                title(&process::comm_of(*pid), *pid)
            },
            pid: *pid,
            may_signal: may_signal(&[*pid]),
        })
    };
    Stopped::of(pids.iter().filter_map(member).collect(), pids.len())
}

/// Whether the service or container that an owner runs in restarts it.
fn restart(owner: &Owner, unit: Option<&Name>, signal: &str) -> Restart {
    let text = |name: &Name| std::str::from_utf8(name.as_bytes()).map(str::to_owned);
    match (&owner.container, unit) {
        (Some(container), _) if owner.container_tool == "docker" => {
            let policy = text(container)
                .ok()
                .and_then(|name| Docker::default().restart_policy(&name));
            Restart::of_container(policy.as_deref())
        }
        (None, Some(unit)) => {
            let manager = if owner.of_user_manager {
                Manager::User
            } else {
                Manager::System
            };
            let texts = text(unit).map(|unit| systemd::texts_of(&unit, manager));
            Restart::of_service(&texts.unwrap_or_default(), signal)
        }
        _ => Restart::UNKNOWN,
    }
}

/// Programs that restart their children, by `comm`.
const SUPERVISORS: &[&str] = &[
    "supervisord",
    "runsv",
    "s6-supervise",
    "supervise",
    "monit",
    "circusd",
    "pm2",
    "foreman",
    "overmind",
    "nodemon",
    "watchexec",
];

fn is_supervisor(name: &[u8]) -> bool {
    // pm2 calls itself "PM2 v5.3.0: God Daemon".
    SUPERVISORS.iter().any(|one| name == one.as_bytes()) || name.starts_with(b"PM2 ")
}

/// How `sockstat kill` names the port of a socket.
fn port_of(socket: &Socket) -> Option<String> {
    let port = socket.inet()?.local_port;
    let option = if socket.protocol == Protocol::Udp {
        "-u "
    } else {
        ""
    };
    Some(format!("{option}:{port}"))
}

fn place(socket: &Socket) -> String {
    match &socket.endpoints {
        // As in the table: only a dual-stack socket is on every address.
        crate::model::Endpoints::Inet(pair)
            if pair.local_address == Ipv6Addr::UNSPECIFIED && pair.v6only != Some(true) =>
        {
            format!("*:{}", pair.local_port)
        }
        crate::model::Endpoints::Inet(pair) => {
            std::net::SocketAddr::new(pair.local_address, pair.local_port).to_string()
        }
        crate::model::Endpoints::Unix(pair) => {
            crate::diagnose::bind::unix::facts::printable(pair.name.as_deref().unwrap_or_default())
        }
        _ => socket.protocol.name().to_owned(),
    }
}

/// Returns the holders of those sockets that are still the same as when they were shown: same inode, same cookie.
pub fn same_sockets(victim: &Victim) -> Vec<Holder> {
    let same = |socket: &Socket| match socket.inet() {
        Some(pair) => {
            let now = snapshot::read(socket.protocol, pair.local_port, pair.local_port).existing;
            now.iter()
                .any(|one| one.socket.inode == socket.inode && one.socket.cookie == socket.cookie)
        }
        None => true,
    };
    let inodes: Vec<u32> = victim
        .sockets
        .iter()
        .filter(|socket| same(socket))
        .filter_map(|socket| socket.inode.map(NonZeroU32::get))
        .collect();
    let holders = victim.holders.iter().copied();
    holders.filter(|one| inodes.contains(&one.inode)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Endpoints;
    use crate::query::samples::tcp;

    #[test]
    fn only_a_dual_stack_socket_is_on_every_address() {
        let shown = |address: &str, v6only: Option<bool>| {
            let mut socket = tcp(address, 3000, address, 0, State::Listen);
            if let Endpoints::Inet(pair) = &mut socket.endpoints {
                pair.v6only = v6only;
            }
            place(&socket)
        };
        assert_eq!(shown("::", Some(false)), "*:3000");
        assert_eq!(shown("::", Some(true)), "[::]:3000");
        assert_eq!(shown("0.0.0.0", None), "0.0.0.0:3000");
        assert_eq!(shown("127.0.0.1", None), "127.0.0.1:3000");
    }

    #[test]
    fn supervisors_are_recognised_by_name() {
        for name in ["supervisord", "runsv", "PM2 v5.3.0: God"] {
            assert!(is_supervisor(name.as_bytes()), "{name}");
        }
        assert!(!is_supervisor(b"bash") && !is_supervisor(b"systemd"));
    }
}
