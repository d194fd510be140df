//! IPsec policies, over xfrm netlink (linux 6.18 include/uapi/linux/xfrm.h). Needs `CAP_NET_ADMIN`.

use std::net::IpAddr;
use std::ops::ControlFlow;

use netlink_packet_core::{NLM_F_ACK, NLM_F_DUMP};

use super::message::{address, message};
use crate::model::network::{Ipsec, IpsecPolicy};
use crate::source::disk;
use crate::source::netlink::channel::{Channel, DumpError};

/// `XFRM_MSG_GETPOLICY` and `XFRM_MSG_GETDEFAULT`.
const GET_POLICY: u16 = 0x15;
const GET_DEFAULT: u16 = 0x28;
/// `struct xfrm_userpolicy_id`: selector, index, direction.
const POLICY_ID_BYTES: usize = 64;
/// The offset of the direction in `struct xfrm_userpolicy_info`, which begins with the selector.
const DIRECTION_AT: usize = 160;
/// Directions from this one on belong to policies of single sockets.
const DIRECTIONS: u8 = 3;
/// `XFRM_USERPOLICY_BLOCK`.
const BLOCK: u8 = 1;

/// Reads the policies of the network namespace of this thread. There are none if IPsec is not in use: requesting them
/// would make the kernel load its module.
pub fn read() -> Ipsec {
    let mut ipsec = Ipsec::default();
    match disk::read_to_string("/proc/net/netlink") {
        Ok(sockets) if is_in_use(&sockets) => {}
        // Older programs create policies over PF_KEY.
        Ok(_) => {
            ipsec.read = disk::read_to_string("/proc/net/pfkey").is_err();
            return ipsec;
        }
        Err(_) => return ipsec,
    }
    let mut channel = match Channel::open_xfrm() {
        Ok(channel) => channel,
        Err(error) => {
            ipsec.read = matches!(error, DumpError::Channel(libc::EPROTONOSUPPORT));
            return ipsec;
        }
    };
    let go_on = || ControlFlow::Continue(());
    let mut request = message(GET_POLICY, NLM_F_DUMP, &[0; POLICY_ID_BYTES]);
    let asked = channel.dump(
        &mut request,
        |payload| ipsec.policies.extend(policy(payload)),
        go_on,
    );
    ipsec.read = asked.is_ok();
    // Kernels before 5.14 have no default policy, and do not know the request.
    let mut request = message(GET_DEFAULT, NLM_F_ACK, &[0; 3]);
    let asked = channel.dump(
        &mut request,
        |payload| ipsec.blocks |= payload.iter().take(3).any(|action| *action == BLOCK),
        go_on,
    );
    ipsec.read &= matches!(asked, Ok(()) | Err(DumpError::Kernel(libc::EINVAL)));
    ipsec
}

/// Whether the kernel has its own netlink socket for xfrm (`NETLINK_XFRM`, 6, in the second column).
fn is_in_use(sockets: &str) -> bool {
    sockets
        .lines()
        .any(|line| line.split_whitespace().nth(1) == Some("6"))
}

/// `struct xfrm_selector`: destination, source, ports and their masks, family (u16 at 40), the lengths of the prefixes.
fn policy(payload: &[u8]) -> Option<IpsecPolicy> {
    if *payload.get(DIRECTION_AT)? >= DIRECTIONS {
        return None;
    }
    let family = u16::from_ne_bytes(*payload.get(40..)?.first_chunk()?);
    let is_v4 = family == 2;
    let end = |at: usize| -> Option<IpAddr> {
        let bytes = payload.get(at..at + if is_v4 { 4 } else { 16 })?;
        address(bytes)
    };
    Some(IpsecPolicy {
        destination: (end(0)?, *payload.get(42)?),
        source: (end(16)?, *payload.get(43)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xfrm_is_in_use_if_the_kernel_listens_for_it() {
        let line = "sk               Eth Pid        Groups\n00000000d496c715 NUMBER   6          00000000\n";
        assert!(is_in_use(&line.replace("NUMBER", "6")));
        assert!(!is_in_use(&line.replace("NUMBER", "16")));
    }

    #[test]
    fn a_policy_has_the_addresses_of_its_selector() {
        let mut payload = vec![0; 168];
        payload[..4].copy_from_slice(&[10, 0, 0, 1]);
        payload[16..20].copy_from_slice(&[10, 1, 0, 0]);
        payload[40..42].copy_from_slice(&2u16.to_ne_bytes());
        (payload[42], payload[43]) = (32, 16);
        let found = policy(&payload).unwrap();
        assert_eq!(found.destination, ("10.0.0.1".parse().unwrap(), 32));
        assert_eq!(found.source, ("10.1.0.0".parse().unwrap(), 16));
        payload[DIRECTION_AT] = 4;
        assert_eq!(policy(&payload), None, "the policy of a single socket");
        for length in 0..=DIRECTION_AT {
            assert_eq!(policy(&payload[..length]), None);
        }
    }
}
