//! Operands of `src` and `dst` for families without IP addresses: `link:ARP:eth0`, `netlink:genl:kernel`,
//! `vsock:3:1024`, as in ss, and `tipc:16781313:77`.

use super::error::FilterError;
use super::expr::{Expr, Predicate, ProtocolSet};
use super::field::Field;
use super::number::plain;
use super::operand::{Operand, Reader};
use super::ranges::Ranges;
use super::unresolved::Purpose;
use crate::model::End;
use crate::model::Protocol;
use crate::model::numbers::{NETLINK_PROTOCOLS, ethertype_from_name};

impl Reader<'_> {
    /// Parses an operand after `link:`, `netlink:`, `vsock:` or `tipc:`.
    pub(super) fn other_end(
        &self,
        end: End,
        family: &str,
        text: &str,
        operand: &Operand,
    ) -> Result<Expr, FilterError> {
        let (first, second) = text.split_once(':').unwrap_or((text, "*"));
        let first = Some(first).filter(|first| !matches!(*first, "" | "*"));
        let second = Some(second).filter(|second| !matches!(*second, "" | "*"));
        let fail = |hint: &str| self.error(operand.span.clone(), self.no_value(text), hint);
        let (protocol, parts) = match family {
            "link" => {
                // A packet socket has only one end; in ss, `dst` matches none.
                if end == End::Peer {
                    return Err(fail(
                        "a packet socket has no other end: src link:ETHERTYPE:INTERFACE",
                    ));
                }
                let ethertype = first.map(|it| {
                    ethertype(it).ok_or_else(|| fail("as in link:arp, link:0x800:eth0 or link:*:eth0"))
                });
                let interface = second.map(|name| match name.parse() {
                    Ok(index) => Expr::Is(Predicate::Interface(index)),
                    Err(_) => self.unresolved_name(name.to_owned(), operand, Purpose::Interface),
                });
                let ethertype = ethertype.transpose()?.map(|number| is(Field::Ethertype, number));
                (Protocol::Packet, [ethertype, interface])
            }
            "netlink" => {
                let hint = "as in netlink:genl, netlink:0:kernel or netlink:rtnl:812";
                let first = first
                    .map(|it| netlink_number(end, it).ok_or_else(|| fail(hint)))
                    .transpose()?;
                let field = if end == End::Local {
                    Field::Portid
                } else {
                    Field::PeerPortid
                };
                let second = second
                    .map(|it| portid(it).ok_or_else(|| fail(hint)))
                    .transpose()?;
                (Protocol::Netlink, [first, second.map(|number| is(field, number))])
            }
            _ => {
                let (protocol, hint, fields) = match (family, end) {
                    ("tipc", End::Local) => (Protocol::Tipc, TIPC, (Field::LocalNode, Field::LocalRef)),
                    ("tipc", End::Peer) => (Protocol::Tipc, TIPC, (Field::PeerNode, Field::PeerRef)),
                    (_, End::Local) => (Protocol::Vsock, VSOCK, (Field::LocalCid, Field::LocalPort)),
                    (_, End::Peer) => (Protocol::Vsock, VSOCK, (Field::PeerCid, Field::PeerPort)),
                };
                let number = |it: &str| plain(it).ok_or_else(|| fail(hint));
                let first = first.map(number).transpose()?;
                let second = second.map(number).transpose()?;
                let parts = [
                    first.map(|number| is(fields.0, number)),
                    second.map(|number| is(fields.1, number)),
                ];
                (protocol, parts)
            }
        };
        let family = Expr::Is(Predicate::Protocols(ProtocolSet::from_iter([protocol])));
        Ok(Expr::and([Some(family)].into_iter().chain(parts).flatten()))
    }
}

const VSOCK: &str = "as in vsock:3:1024 or vsock:*:1024";
const TIPC: &str = "as in tipc:16781313:77 or tipc:*:77";

fn is(field: Field, number: u64) -> Expr {
    Expr::Is(Predicate::Number(field, Ranges::one(number)))
}

fn ethertype(text: &str) -> Option<u64> {
    ethertype_from_name(text).map(u64::from).or_else(|| plain(text))
}

/// The local end is a family, by name or number; the other end is a group.
fn netlink_number(end: End, text: &str) -> Option<Expr> {
    if end == End::Peer {
        return plain(text).map(|number| is(Field::PeerGroup, number));
    }
    let known = NETLINK_PROTOCOLS
        .iter()
        .find(|name| name.eq_ignore_ascii_case(text));
    let word = known.or_else(|| NETLINK_PROTOCOLS.get(usize::try_from(plain(text)?).ok()?))?;
    Some(Expr::Is(Predicate::Word(Field::NetlinkProtocol, vec![word])))
}

/// `kernel`, a number, or a negative number as ss prints them.
fn portid(text: &str) -> Option<u64> {
    match (text, text.parse::<i32>()) {
        ("kernel", _) => Some(0),
        (_, Ok(number)) => Some(number.cast_unsigned().into()),
        _ => plain(text).filter(|number| *number <= u32::MAX.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Mode, parse};

    fn shown(filter: &str) -> String {
        match parse(&[filter.to_owned()], Mode::List) {
            Ok(parsed) => parsed.expr.unwrap().to_string(),
            Err(error) => error.render().lines().next().unwrap_or_default().to_owned(),
        }
    }

    #[test]
    fn families_have_their_own_operands() {
        for (filter, expected) in [
            (
                "src link:arp:3",
                "protocol = packet and ethertype = 2054 and interface = 3",
            ),
            ("src link:0x800", "protocol = packet and ethertype = 2048"),
            ("src link:*:eth0", "protocol = packet and interface = eth0"),
            (
                "src netlink:genl:kernel",
                "protocol = netlink and netlink_protocol = genl and portid = 0",
            ),
            (
                "src netlink:15:-296",
                "protocol = netlink and netlink_protocol = uevent and portid = 4294967000",
            ),
            ("dst netlink:2", "protocol = netlink and peer_group = 2"),
            (
                "src vsock:3:1024",
                "protocol = vsock and local_cid = 3 and local_port = 1024",
            ),
            ("dst vsock:*:70000", "protocol = vsock and peer_port = 70000"),
            (
                "src tipc:9:77",
                "protocol = tipc and local_node = 9 and local_ref = 77",
            ),
            ("dst tipc:*:8", "protocol = tipc and peer_ref = 8"),
        ] {
            assert_eq!(shown(filter), expected, "{filter}");
        }
        for filter in [
            "src link:nonsense",
            "dst link:arp",
            "src netlink:no-such",
            "src vsock:a:b",
            "src tipc:a",
        ] {
            assert!(shown(filter).starts_with("error"), "{filter}: {}", shown(filter));
        }
    }
}
