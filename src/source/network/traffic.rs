//! What tc has attached to an interface: filters, BPF programs (tcx), and queues that lose packets on purpose.

use netlink_packet_core::NLM_F_DUMP;

use super::dump;
use super::message::{Attributes, message, word};
use crate::model::network::{Attached, DeviceHooks};
use crate::source::bpf;
use crate::source::netlink::channel::DumpError;

/// `RTM_GETQDISC` and `RTM_GETTFILTER` (linux 6.18 include/uapi/linux/rtnetlink.h).
const GET_QUEUES: u16 = 38;
const GET_FILTERS: u16 = 46;
/// `struct tcmsg`: family and pads, interface, handle, parent, info.
const HEADER_BYTES: usize = 20;
/// Where filters can be attached: `TC_H_CLSACT` with `TC_H_MIN_INGRESS` and `TC_H_MIN_EGRESS`, and 0 for the root
/// queue.
const PARENTS: [u32; 3] = [0xffff_fff2, 0xffff_fff3, 0];

/// Reads what handles the packets of an interface, on ingress or egress.
pub fn device_hooks(interface: u32) -> DeviceHooks {
    let filters = PARENTS.map(|parent| filter(interface, parent));
    DeviceHooks {
        filter: worst(filters),
        program: match bpf::device_programs(interface) {
            None => Attached::Unread,
            Some(0) => Attached::No,
            Some(_) => Attached::Yes,
        },
        loss: loss(interface),
    }
}

fn worst<const N: usize>(all: [Attached; N]) -> Attached {
    [Attached::Yes, Attached::Unread]
        .into_iter()
        .find(|one| all.contains(one))
        .unwrap_or_default()
}

fn header(interface: u32, parent: u32) -> [u8; HEADER_BYTES] {
    let mut header = [0; HEADER_BYTES];
    if let Some(field) = header.get_mut(4..8) {
        field.copy_from_slice(&interface.to_ne_bytes());
    }
    if let Some(field) = header.get_mut(12..16) {
        field.copy_from_slice(&parent.to_ne_bytes());
    }
    header
}

fn filter(interface: u32, parent: u32) -> Attached {
    let mut found = Attached::No;
    let asked = dump(
        &mut message(GET_FILTERS, NLM_F_DUMP, &header(interface, parent)),
        |_| found = Attached::Yes,
    );
    match asked {
        // The kernel returns an error if the interface cannot have filters, or if it lacks tc.
        Ok(()) | Err(DumpError::Kernel(_)) => found,
        Err(_) => Attached::Unread,
    }
}

/// Whether packets are lost on purpose by netem.
fn loss(interface: u32) -> Attached {
    let mut found = Attached::No;
    let asked = dump(
        &mut message(GET_QUEUES, NLM_F_DUMP, &header(interface, 0)),
        |payload| {
            if payload.get(4..).map_or(0, word) == interface && is_lossy(payload) {
                found = Attached::Yes;
            }
        },
    );
    match asked {
        Ok(()) | Err(DumpError::Kernel(_)) => found,
        Err(_) => Attached::Unread,
    }
}

fn is_lossy(payload: &[u8]) -> bool {
    let attributes = payload.get(HEADER_BYTES..).unwrap_or_default();
    Attributes(attributes).any(|(kind, value)| kind == 1 && value.starts_with(b"netem\0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_has_none() {
        // Without the privilege to list programs, this is unknown.
        let hooks = device_hooks(1);
        assert_eq!((hooks.filter, hooks.loss), (Attached::No, Attached::No));
    }

    #[test]
    fn a_lossy_queue_is_recognised_by_its_kind() {
        let mut payload = vec![0; HEADER_BYTES];
        payload.extend([10, 0, 1, 0]);
        payload.extend(b"netem\0\0\0");
        assert!(is_lossy(&payload));
        for length in 0..HEADER_BYTES + 10 {
            assert!(!is_lossy(&payload[..length]));
        }
    }

    #[test]
    fn an_existing_hook_outweighs_an_unknown_one() {
        assert_eq!(
            worst([Attached::No, Attached::Unread, Attached::Yes]),
            Attached::Yes
        );
        assert_eq!(worst([Attached::No, Attached::Unread]), Attached::Unread);
    }
}
