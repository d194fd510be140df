//! How many sockets there are, by the kernel's own counts.

use crate::model::Protocol;
use crate::model::request::Dump;
use crate::model::summary::Figure;

/// The counts whose sum is the number of sockets of these tables; `None` if the kernel does not count one of them.
pub(super) fn figures(dumps: &[Dump]) -> Option<Vec<Figure>> {
    let has = |protocol| dumps.iter().any(|dump: &Dump| dump.protocol == protocol);
    // A filter of states selects every table.
    if [Protocol::Unix, Protocol::Netlink, Protocol::Packet]
        .into_iter()
        .all(has)
    {
        return Some(vec![Figure::SocketsUsed]);
    }
    let mut figures = Vec::new();
    for dump in dumps {
        let of_it = match dump.protocol {
            Protocol::Tcp => [Figure::TcpInUse, Figure::Tcp6InUse],
            Protocol::Udp => [Figure::UdpInUse, Figure::Udp6InUse],
            Protocol::Udplite => [Figure::UdpliteInUse, Figure::Udplite6InUse],
            Protocol::Raw => [Figure::RawInUse, Figure::Raw6InUse],
            _ => return None,
        };
        let families = [dump.v4, dump.v6];
        let wanted = of_it.into_iter().zip(families).filter(|(_, wanted)| *wanted);
        figures.extend(wanted.map(|(figure, _)| figure));
    }
    figures.sort_unstable();
    figures.dedup();
    Some(figures)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::StateSet;

    fn dumps(protocols: &[Protocol]) -> Vec<Dump> {
        let dump = |protocol: &Protocol| Dump::new(*protocol, StateSet::ALL);
        protocols.iter().map(dump).collect()
    }

    #[test]
    fn only_what_the_kernel_counts_has_a_total() {
        let of = |protocols: &[Protocol]| figures(&dumps(protocols));
        let tcp = [Figure::TcpInUse, Figure::Tcp6InUse];
        assert_eq!(of(&[Protocol::Tcp]), Some(tcp.to_vec()));
        assert_eq!(of(&[Protocol::Tcp, Protocol::Udp]).unwrap().len(), 4);
        assert_eq!(of(&[Protocol::Tcp, Protocol::Unix]), None);
        let all = [Protocol::Tcp, Protocol::Unix, Protocol::Netlink, Protocol::Packet];
        assert_eq!(of(&all), Some(vec![Figure::SocketsUsed]));
        let mut v4 = dumps(&[Protocol::Udp]);
        v4[0].v6 = false;
        assert_eq!(figures(&v4), Some(vec![Figure::UdpInUse]));
    }
}
