//! Reads which programs and policies handle packets besides the rules, each once.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};

use crate::diagnose::path::filter::facts::Facts;
use crate::diagnose::path::opaque::{Passed, Reason, Surroundings, with_lower};
use crate::model::network::{DeviceHooks, Ipsec};
use crate::model::packet_filter::PacketFilter;
use crate::source::{bpf, cgroup, disk, network};

/// What has been read so far.
#[derive(Debug, Default)]
pub struct Opaque {
    devices: BTreeMap<u32, DeviceHooks>,
    ipsec: Option<Ipsec>,
    bridges: Option<([bool; 2], bool)>,
    lookup: OnceCell<Option<u32>>,
    cgroups: Option<Cgroups>,
    /// The number of programs by cgroup directory, and whether those for clients are included.
    programs: BTreeMap<(PathBuf, bool), Option<u32>>,
}

/// Where the cgroup hierarchy is.
#[derive(Debug)]
struct Cgroups {
    mount_point: Option<PathBuf>,
    own: Option<PathBuf>,
    paths: BTreeMap<u64, String>,
}

/// The process or socket whose cgroup counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// This process, as a client.
    OwnClient,
    /// A listener, by the id of its cgroup; `None` if the kernel does not report it.
    Server(Option<NonZeroU64>),
}

impl Opaque {
    /// What makes packets that pass these interfaces unpredictable.
    pub fn on_way(&mut self, facts: &Facts, filter: &PacketFilter, passed: &[Passed]) -> Vec<Reason> {
        let mut reasons: Vec<Reason> = Vec::new();
        for one in passed {
            for index in with_lower(facts, one.interface) {
                self.devices
                    .entry(index)
                    .or_insert_with(|| network::device_hooks(index));
            }
            let (bridges_call_ip, has_ebtables) = *self.bridges.get_or_insert_with(read_bridges);
            let surroundings = Surroundings {
                facts,
                filter,
                devices: &self.devices,
                ipsec: self.ipsec.get_or_insert_with(network::ipsec),
                bridges_call_ip,
                has_ebtables,
            };
            for reason in surroundings.reasons(*one) {
                if !reasons.contains(&reason) {
                    reasons.push(reason);
                }
            }
        }
        reasons
    }

    /// The BPF programs that handle what a socket sends and receives.
    pub fn of_cgroup(&mut self, whose: Whose) -> Option<Reason> {
        let cgroups = self.cgroups.get_or_insert_with(Cgroups::read);
        // Without a cgroup v2 hierarchy, no program can be attached.
        let mount_point = cgroups.mount_point.clone()?;
        let (directory, is_client) = match whose {
            Whose::OwnClient => (cgroups.own.clone(), true),
            Whose::Server(None) => (Some(mount_point), false),
            Whose::Server(Some(id)) => (cgroups.directory(&mount_point, id), false),
        };
        let of = if is_client { "a client's" } else { "the listener's" };
        let programs = match directory {
            Some(directory) => *self
                .programs
                .entry((directory, is_client))
                .or_insert_with_key(|(directory, is_client)| bpf::traffic_programs(directory, *is_client)),
            // The cgroup is gone, or outside the visible part of the hierarchy.
            None => None,
        };
        reason(programs, &format!("BPF programs of {of} cgroup"))
    }

    /// The BPF programs that choose the socket for a packet.
    pub fn of_lookup(&mut self) -> Option<Reason> {
        let programs = *self.lookup.get_or_init(bpf::lookup_programs);
        reason(programs, "BPF programs that pick sockets (sk_lookup)")
    }
}

/// Why these programs make the outcome unknown.
fn reason(programs: Option<u32>, what: &str) -> Option<Reason> {
    match programs {
        Some(0) => None,
        Some(_) => Some(Reason::seen(format!("{what}, which cannot be predicted"))),
        None => Some(Reason::unread(format!(
            "{what}, if there are any: they could not be listed"
        ))),
    }
}

impl Cgroups {
    fn read() -> Self {
        let mount_point = cgroup::mount_point();
        Self {
            own: cgroup::directory_of("self"),
            paths: mount_point
                .as_deref()
                .map(|mount_point| cgroup::read(mount_point).paths)
                .unwrap_or_default(),
            mount_point,
        }
    }

    fn directory(&self, mount_point: &Path, id: NonZeroU64) -> Option<PathBuf> {
        let path = self.paths.get(&id.get())?;
        Some(mount_point.join(path.trim_start_matches('/')))
    }
}

/// Whether bridges call the rules of IPv4 and IPv6, and whether ebtables may have rules of its own.
fn read_bridges() -> ([bool; 2], bool) {
    let calls = ["iptables", "ip6tables"].map(|tool| {
        let path = format!("/proc/sys/net/bridge/bridge-nf-call-{tool}");
        disk::read_to_string(path).is_ok_and(|text| text.trim() != "0")
    });
    let modules = disk::read_to_string("/proc/modules").unwrap_or_default();
    let tables = ["ebtable_filter ", "ebtable_nat ", "ebtable_broute "];
    let has_ebtables = modules
        .lines()
        .any(|line| tables.iter().any(|table| line.starts_with(table)));
    (calls, has_ebtables)
}
