//! Sockets that can be found only through a descriptor: no dump and no kernel table lists them.
//!
//! These are TCP and UDP sockets before they are bound and after they are closed, netlink sockets without an address,
//! XDP sockets without a queue, and families without a diag module (ALG, CAN, Bluetooth, KCM …). All that is known
//! about them is their inode, their holders, and the name of their protocol, which sockfs reports as an extended
//! attribute (source/proc/attributes.rs).
//!
//! Sockets of other network namespaces are excluded: by the socket's own namespace if the BPF iterator reports it,
//! otherwise by that of a process that holds it.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use super::Request;
use super::resolve::look_again;
use crate::model::gap::BOUND_UNSEEN;
use crate::model::request::OwnersBy;
use crate::model::{
    Backend, Endpoints, Family, Gap, GapLevel, Holder, HolderTable, Protocol, Socket, SocketType, State,
};
use crate::source::proc::{self, ProcRoot};
use crate::source::{bpf, disk};

/// What the dumps reported.
#[derive(Debug, Default)]
pub(super) struct Dumped {
    inodes: Vec<u32>,
    /// The protocols whose dumps are incomplete; `None` if any protocol may be affected.
    partial: Vec<Option<Protocol>>,
}

impl Dumped {
    /// Remembers these sockets.
    pub(super) fn add(&mut self, sockets: &[Socket]) {
        let inodes = sockets.iter().filter_map(|socket| socket.inode);
        self.inodes.extend(inodes.map(NonZeroU32::get));
    }

    /// Remembers which tables are incomplete. The gap of Linux before 6.8 does not count: it omits only bound sockets,
    /// and these get the right state here.
    pub(super) fn add_losses(&mut self, gaps: &[Gap]) {
        let losses = gaps
            .iter()
            .filter(|gap| gap.level == GapLevel::Loss && gap.code != BOUND_UNSEEN);
        self.partial.extend(losses.map(|gap| gap.protocol));
    }

    /// Whether the dump of this protocol may have missed sockets that it should list.
    fn may_lack(&self, protocol: Protocol) -> bool {
        let concerns = |lost: &Option<Protocol>| lost.is_none_or(|lost| lost == protocol);
        protocol != Protocol::Other && self.partial.iter().any(concerns)
    }
}

/// Returns the sockets of these holders that no dump listed, by inode, and how many did not answer in time.
pub(super) fn find(
    request: &Request,
    root: &ProcRoot,
    mut dumped: Dumped,
    holders: &HolderTable,
) -> (Vec<Socket>, usize) {
    if root.is_given() {
        return (Vec::new(), 0);
    }
    dumped.inodes.sort_unstable();
    let mut places = Places::of(request, root);
    let mut sockets: BTreeMap<u32, Vec<Holder>> = BTreeMap::new();
    for holder in holders.all() {
        if dumped.inodes.binary_search(&holder.inode).is_err() && places.of_process(holder.pid).is_some() {
            sockets.entry(holder.inode).or_default().push(*holder);
        }
    }
    let place_of: BTreeMap<u32, u32> = sockets
        .iter()
        .filter_map(|(inode, holders)| Some((*inode, places.of_process(holders.first()?.pid)?)))
        .collect();
    let names = proc::protocols(root, sockets);
    let described = names.found.iter().filter_map(|(inode, name)| {
        let socket = described(*inode, *place_of.get(inode)?, name)?;
        (!dumped.may_lack(socket.protocol)).then_some((*inode, socket))
    });
    let mut found: BTreeMap<u32, Socket> = described.collect();
    if found.is_empty() {
        return (Vec::new(), names.late);
    }
    places.correct(request, &mut found);
    // A dump is not a snapshot: a socket that one lists now was missed by the first, or was created since.
    let inodes: BTreeSet<u32> = found.keys().copied().collect();
    let dumped_now = look_again(root, &request.views, &request.dumps, &inodes);
    found.retain(|inode, _| !dumped_now.contains(inode));
    (found.into_values().collect(), names.late)
}

/// The network namespaces that were read, and the processes in them.
struct Places<'a> {
    root: &'a ProcRoot,
    /// Inode numbers of the namespaces, by index.
    namespaces: Vec<Option<u64>>,
    /// The namespace of each process that was looked up.
    processes: BTreeMap<u32, Option<u32>>,
}

impl<'a> Places<'a> {
    fn of(request: &Request, root: &'a ProcRoot) -> Self {
        let namespaces = request.views.namespaces(root, false);
        Self {
            root,
            namespaces: namespaces.into_iter().map(|namespace| namespace.inode).collect(),
            processes: BTreeMap::new(),
        }
    }

    /// The index of the namespace with this inode number, if it was read.
    fn of_namespace(&self, inode: u64) -> Option<u32> {
        let place = self.namespaces.iter().position(|read| *read == Some(inode))?;
        u32::try_from(place).ok()
    }

    /// The index of the process's namespace, if it was read.
    fn of_process(&mut self, pid: u32) -> Option<u32> {
        if let Some(known) = self.processes.get(&pid) {
            return *known;
        }
        let link = disk::read_link(self.root.join(format!("{pid}/ns/net"))).ok();
        let inode = link.and_then(|link| {
            let text = link.to_str()?;
            text.strip_prefix("net:[")?.strip_suffix(']')?.parse().ok()
        });
        let place = inode.and_then(|inode| self.of_namespace(inode));
        self.processes.insert(pid, place);
        place
    }

    /// Assigns sockets to the namespaces they report, and drops those of namespaces that were not read.
    fn correct(&self, request: &Request, found: &mut BTreeMap<u32, Socket>) {
        if request.owners_by == OwnersBy::Proc {
            return;
        }
        let wanted = bpf::Wanted {
            facts: true,
            ..bpf::Wanted::default()
        };
        let mut namespaces = BTreeMap::new();
        let asked = bpf::holders(wanted, &mut |record| {
            if let Some(facts) = record.facts
                && found.contains_key(&record.inode)
            {
                namespaces.insert(record.inode, self.of_namespace(facts.netns.into()));
            }
        });
        if asked.is_err() {
            return;
        }
        found.retain(|inode, socket| match namespaces.get(inode) {
            Some(Some(place)) => {
                socket.netns = *place;
                true
            }
            Some(None) => false,
            None => true,
        });
    }
}

/// Builds a row from the protocol's name; `None` for protocols whose dumps list every socket from its creation: a
/// socket that is missing from such a dump belongs to another namespace.
fn described(inode: u32, netns: u32, name: &str) -> Option<Socket> {
    let (stream, dgram, raw) = (SocketType::Stream, SocketType::Dgram, SocketType::Raw);
    let (protocol, family, kind) = match name {
        "" | "UNIX" | "UNIX-STREAM" | "PACKET" | "TIPC" | "SMC" | "SMC6" => return None,
        "TCP" => (Protocol::Tcp, Family::Inet, Some(stream)),
        "TCPv6" => (Protocol::Tcp, Family::Inet6, Some(stream)),
        "MPTCP" => (Protocol::Mptcp, Family::Inet, Some(stream)),
        "MPTCPv6" => (Protocol::Mptcp, Family::Inet6, Some(stream)),
        "SCTP" => (Protocol::Sctp, Family::Inet, None),
        "SCTPv6" => (Protocol::Sctp, Family::Inet6, None),
        "DCCP" => (Protocol::Dccp, Family::Inet, Some(SocketType::Dccp)),
        "DCCPv6" => (Protocol::Dccp, Family::Inet6, Some(SocketType::Dccp)),
        "UDP" => (Protocol::Udp, Family::Inet, Some(dgram)),
        "UDPv6" => (Protocol::Udp, Family::Inet6, Some(dgram)),
        "UDP-Lite" => (Protocol::Udplite, Family::Inet, Some(dgram)),
        "UDPLITEv6" => (Protocol::Udplite, Family::Inet6, Some(dgram)),
        "PING" => (Protocol::Icmp, Family::Inet, Some(dgram)),
        "PINGv6" => (Protocol::Icmp, Family::Inet6, Some(dgram)),
        "RAW" => (Protocol::Raw, Family::Inet, Some(raw)),
        "RAWv6" => (Protocol::Raw, Family::Inet6, Some(raw)),
        "NETLINK" => (Protocol::Netlink, Family::Netlink, None),
        "XDP" => (Protocol::Xdp, Family::Xdp, Some(raw)),
        "AF_VSOCK" => (Protocol::Vsock, Family::Vsock, None),
        _ => (Protocol::Other, Family::Other, None),
    };
    Some(Socket {
        protocol,
        family,
        kind,
        state: State::Unconnected,
        endpoints: Endpoints::ProtocolOnly(name.into()),
        inode: Some(NonZeroU32::new(inode)?),
        backend: Backend::Descriptor,
        netns,
        ..Socket::BLANK
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_table_affects_only_its_own_protocol() {
        let mut dumped = Dumped::default();
        let lost = |protocol| Gap::loss("table-unreadable", "").of(protocol);
        dumped.add_losses(&[
            lost(Protocol::Xdp),
            Gap::loss("bound-unseen", ""),
            Gap::note("proc-fallback", ""),
        ]);
        let may_lack = [Protocol::Xdp, Protocol::Tcp, Protocol::Udp, Protocol::Other];
        assert_eq!(
            may_lack.map(|it| dumped.may_lack(it)),
            [true, false, false, false]
        );
        dumped.add_losses(&[Gap::loss("netns-closed", "")]);
        assert_eq!(may_lack.map(|it| dumped.may_lack(it)), [true, true, true, false]);
    }

    #[test]
    fn the_kernels_protocol_names_map_to_protocols_and_families() {
        let described = |name| {
            let socket = described(7, 2, name)?;
            assert_eq!((socket.inode, socket.netns), (NonZeroU32::new(7), 2));
            Some((socket.protocol.name(), socket.family.name()))
        };
        assert_eq!(described("TCPv6"), Some(("tcp", "inet6")));
        assert_eq!(described("UDP"), Some(("udp", "inet")));
        assert_eq!(described("CAN_RAW"), Some(("other", "other")));
        assert_eq!(described("UNIX-STREAM"), None, "its dump lists all of them");
        assert_eq!(described(""), None);
    }
}
