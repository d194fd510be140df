//! Looks up names for the ids in sockets, as the sockets arrive.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::cgroup::{self, Cgroups};
use super::proc::{ProcRoot, mounts::Mounts};
use super::tape;
use super::{containers, interfaces, nss};
use crate::model::cgroup::Home;
use crate::model::request::NamesWanted;
use crate::model::{Gap, Name, Names, Processes, Socket};
use crate::source::disk;

/// How long all lookups of one kind together may take.
const WITHIN: Duration = Duration::from_secs(2);

/// Collects ids and finds their names.
#[derive(Debug)]
pub struct Learner {
    wanted: NamesWanted,
    root: ProcRoot,
    /// The cgroups of the machine, read on first use.
    cgroups: Option<Cgroups>,
    containers: containers::Names,
    /// Uids that were looked up, found or not.
    uids_asked: BTreeSet<u32>,
    /// The last uid seen: most sockets have the same uid as the previous one.
    last_uid: Option<u32>,
    /// The time left for user names.
    users_within: Duration,
    /// The names found so far.
    pub names: Names,
    /// The names that could not be found in time.
    pub gaps: Vec<Gap>,
}

impl Learner {
    /// Creates an empty collection.
    pub fn new(wanted: NamesWanted, root: ProcRoot) -> Self {
        Self {
            wanted,
            root,
            cgroups: None,
            containers: containers::Names::default(),
            uids_asked: BTreeSet::new(),
            last_uid: None,
            users_within: WITHIN,
            names: Names::default(),
            gaps: Vec::new(),
        }
    }

    /// Returns whether names can be looked up only after the whole capture, because single lookups would be slow.
    pub fn wants_all_at_once(&self) -> bool {
        self.wanted.hosts
    }

    /// Looks up the names that are available quickly: interfaces, cgroups and users. This thread must be in the
    /// sockets' network namespace.
    pub fn learn(&mut self, sockets: &[Socket]) {
        let mut uids = Vec::new();
        for socket in sockets {
            self.learn_one(socket);
            if self.wanted.users && socket.uid != self.last_uid {
                uids.extend(socket.uid);
                self.last_uid = socket.uid;
            }
        }
        if !uids.is_empty() {
            self.learn_users(uids);
        }
    }

    /// Looks up the names of these users, unless they were looked up before.
    pub fn learn_users(&mut self, mut uids: Vec<u32>) {
        uids.retain(|uid| self.wanted.users && self.uids_asked.insert(*uid));
        if uids.is_empty() {
            return;
        }
        let begun = Instant::now();
        let found = nss::users(uids, self.users_within);
        self.users_within = self.users_within.saturating_sub(begun.elapsed());
        self.late(found.late, "user");
        self.names.users.extend(named(found.found));
    }

    fn learn_one(&mut self, socket: &Socket) {
        if let Some(index) = socket.interface()
            && !self.root.is_given()
            && !self.names.interfaces.contains_key(&(socket.netns, index.get()))
        {
            // An interface that no longer exists is named by its number, as in ss.
            let name = interface_name(index.get()).unwrap_or_else(|| format!("if{index}"));
            let key = (socket.netns, index.get());
            self.names.interfaces.insert(key, name.into());
        }
        if let Some(id) = socket.cgroup_id.filter(|_| self.wanted.cgroups) {
            self.learn_cgroup(id.get(), socket.uid);
        }
    }

    fn learn_cgroup(&mut self, id: u64, uid: Option<u32>) {
        if self.names.cgroups.contains_key(&id) {
            return;
        }
        if self.cgroups.is_none() {
            self.cgroups = Some(self.read_cgroups());
        }
        let Some(cgroups) = &mut self.cgroups else { return };
        let Some(path) = cgroups.paths.get(&id) else {
            // The gap is reported only once.
            if std::mem::take(&mut cgroups.is_cut) {
                let message = "there are too many cgroups to read: some are not named";
                self.gaps.push(Gap::loss("cgroups-cut", message));
            }
            return;
        };
        if path != "/" {
            let mut home = Home::of_path(path);
            if !self.root.is_given() {
                self.containers.add(&mut home, path, uid);
            }
            self.names.homes.insert(id, home);
        }
        self.names.cgroups.insert(id, path.as_str().into());
    }

    /// Adds the names of the containers in which processes run.
    pub fn name_containers(&mut self, processes: &mut Processes) {
        // With another root, the processes may belong to another machine.
        for process in processes.values_mut().filter(|_| !self.root.is_given()) {
            let path = String::from_utf8_lossy(process.cgroup.as_deref().unwrap_or_default());
            self.containers.add(&mut process.home, &path, process.uid);
        }
    }

    fn read_cgroups(&self) -> Cgroups {
        let mountinfo = disk::read_to_string(self.root.join("self/mountinfo")).unwrap_or_default();
        let mounts = Mounts::parse(&mountinfo, &self.root.path().to_string_lossy());
        mounts
            .cgroup2
            .map(|mount_point| cgroup::read(&mount_point))
            .unwrap_or_default()
    }

    /// Looks up the names of everything that was collected.
    pub fn look_up(&mut self, numbers: Numbers) {
        if self.wanted.hosts {
            let found = nss::hosts(numbers.addresses.into_iter().collect(), WITHIN);
            self.late(found.late, "host");
            self.names.hosts = named(found.found);
            let found = nss::services(numbers.ports.into_iter().collect(), WITHIN);
            self.late(found.late, "service");
            self.names.services = named(found.found);
        }
    }

    fn late(&mut self, count: usize, what: &str) {
        if count > 0 {
            let seconds = WITHIN.as_secs();
            let message =
                format!("{count} {what} names were not resolved within {seconds} s: showing numbers");
            self.gaps
                .push(Gap::loss("names-late", message).with_count(count as u64));
        }
    }
}

/// Returns the same as names.
pub fn named<K: Ord>(found: BTreeMap<K, String>) -> BTreeMap<K, Name> {
    let names = found.into_iter();
    names.map(|(key, name)| (key, Name::from(name))).collect()
}

/// Opens a socket of our network namespace for the lookup and closes it at once, because a later dump would list it.
fn interface_name(index: u32) -> Option<String> {
    tape::fact(&format!("interface {index}"), || interfaces::name_of(index))
}

/// Numbers to look up, each once.
#[derive(Clone, Debug, Default)]
pub struct Numbers {
    /// Addresses that are not wildcards.
    pub addresses: BTreeSet<IpAddr>,
    /// (port, is UDP).
    pub ports: BTreeSet<(u16, bool)>,
}

impl Numbers {
    /// Adds the numbers of one socket.
    pub fn add(&mut self, socket: &Socket) {
        if let Some(pair) = socket.inet() {
            let addresses = [pair.local_address, pair.peer_address];
            self.addresses
                .extend(addresses.into_iter().filter(|address| !address.is_unspecified()));
            let udp = socket.kind == Some(crate::model::SocketType::Dgram);
            self.ports.extend(
                [pair.local_port, pair.peer_port]
                    .into_iter()
                    .filter(|port| *port != 0)
                    .map(|port| (port, udp)),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::{SocketType, State};
    use crate::query::samples::tcp;

    const EVERYTHING: NamesWanted = NamesWanted {
        users: true,
        cgroups: true,
        namespaces: true,
        hosts: true,
        machine: true,
    };

    fn elsewhere() -> ProcRoot {
        ProcRoot::given("/nonexistent".into())
    }

    #[test]
    fn addresses_and_ports_are_looked_up_once_and_wildcards_are_not() {
        let mut numbers = Numbers::default();
        let listener = tcp("0.0.0.0", 80, "0.0.0.0", 0, State::Listen);
        let datagram = Socket {
            kind: Some(SocketType::Dgram),
            ..tcp("10.0.0.1", 53, "10.0.0.2", 80, State::Established)
        };
        for socket in [
            &listener,
            &datagram,
            &datagram,
            &crate::query::samples::unix(b"/x"),
        ] {
            numbers.add(socket);
        }
        let addresses: Vec<IpAddr> = vec![[10, 0, 0, 1].into(), [10, 0, 0, 2].into()];
        assert!(numbers.addresses.iter().eq(&addresses));
        assert!(numbers.ports.iter().eq(&[(53, true), (80, false), (80, true)]));
    }

    #[test]
    fn each_user_is_looked_up_once_and_only_if_wanted() {
        let root_user = tcp("::1", 80, "::", 0, State::Listen);
        let nobody_knows = Socket {
            uid: Some(4_000_000_001),
            ..root_user.clone()
        };
        let mut learner = Learner::new(EVERYTHING, elsewhere());
        learner.learn(&[root_user.clone(), root_user.clone(), nobody_knows]);
        learner.learn_users(vec![0]);
        assert!(learner.uids_asked.iter().eq(&[0, 4_000_000_001]));
        assert_eq!(learner.names.users.get(&0), Some(&"root".into()));
        assert_eq!(
            (learner.names.users.len(), learner.last_uid),
            (1, Some(4_000_000_001))
        );
        let mut learner = Learner::new(NamesWanted::default(), elsewhere());
        learner.learn(std::slice::from_ref(&root_user));
        learner.learn_users(vec![0]);
        assert!(learner.names.users.is_empty() && learner.uids_asked.is_empty());
    }

    #[test]
    fn names_that_are_late_are_a_loss_with_their_count() {
        let mut learner = Learner::new(EVERYTHING, elsewhere());
        learner.late(0, "host");
        assert_eq!(learner.gaps, []);
        learner.late(3, "host");
        let [gap] = learner.gaps.as_slice() else {
            panic!("{:?}", learner.gaps)
        };
        assert_eq!((gap.code, gap.count), ("names-late", Some(3)));
        assert_eq!(
            gap.message,
            "3 host names were not resolved within 2 s: showing numbers"
        );
    }

    #[test]
    fn cgroups_without_a_path_have_no_name_and_the_root_has_no_unit() {
        let mut learner = Learner::new(EVERYTHING, elsewhere());
        let service = "/system.slice/nginx.service";
        learner.cgroups = Some(Cgroups {
            paths: BTreeMap::from([(1, "/".to_owned()), (2, service.to_owned())]),
            is_cut: true,
        });
        for id in [1, 2, 3, 4] {
            learner.learn_cgroup(id, None);
        }
        let codes: Vec<_> = learner.gaps.iter().map(|gap| gap.code).collect();
        assert_eq!(codes, ["cgroups-cut"], "reported once");
        assert_eq!(
            learner.names.cgroups,
            BTreeMap::from([(1, "/".into()), (2, service.into())])
        );
        let homes: Vec<_> = learner.names.homes.iter().collect();
        let [(2, home)] = homes.as_slice() else {
            panic!("{homes:?}")
        };
        assert_eq!(home.unit, Some("nginx.service".into()));
        // The interfaces of another machine have no names here.
        assert!(learner.names.interfaces.is_empty());
    }

    #[test]
    fn the_loopback_has_its_name_and_an_interface_that_is_gone_its_number() {
        assert_eq!(interface_name(1).as_deref(), Some("lo"));
        assert_eq!(interface_name(0), None);
    }
}
