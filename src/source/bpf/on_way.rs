//! BPF programs that handle the packets of a connection. A count is `None` if the kernel does not report it, usually
//! for lack of `CAP_NET_ADMIN` in the initial user namespace, and 0 if the kernel does not support such programs.

use std::fs::File;
use std::io;
use std::path::Path;

use super::sys;
use crate::source::tape;
use crate::source::uapi::bpf as uapi;

/// Returns how many tcx programs are attached to an interface.
pub fn device_programs(interface: u32) -> Option<u32> {
    tape::fact(&format!("programs of interface {interface}"), || {
        let count = |hook| sys::count_device_programs(interface, hook);
        sum([uapi::TCX_INGRESS, uapi::TCX_EGRESS], count)
    })
}

/// Returns how many programs of this network namespace choose the socket for a packet.
pub fn lookup_programs() -> Option<u32> {
    tape::fact("programs that pick sockets", || {
        let namespace = File::open("/proc/thread-self/ns/net").ok()?;
        sum([uapi::SK_LOOKUP], |hook| {
            sys::count_namespace_programs(&namespace, hook)
        })
    })
}

/// Returns how many programs handle what sockets of the cgroup with this directory send and receive; for a client, those
/// that handle its connect(2) and UDP sendmsg(2) calls are included.
pub fn traffic_programs(cgroup: &Path, is_client: bool) -> Option<u32> {
    let role = if is_client { "clients" } else { "servers" };
    tape::fact(&format!("programs of {role} in {}", cgroup.display()), || {
        let directory = File::open(cgroup).ok()?;
        let count = |hook| sys::count_cgroup_programs(&directory, hook);
        let traffic = sum([uapi::CGROUP_INET_INGRESS, uapi::CGROUP_INET_EGRESS], count)?;
        let of_client = [
            uapi::CGROUP_INET4_CONNECT,
            uapi::CGROUP_INET6_CONNECT,
            uapi::CGROUP_UDP4_SENDMSG,
            uapi::CGROUP_UDP6_SENDMSG,
        ];
        Some(traffic + if is_client { sum(of_client, count)? } else { 0 })
    })
}

fn sum<const N: usize>(hooks: [u32; N], count: impl Fn(u32) -> io::Result<u32>) -> Option<u32> {
    hooks.into_iter().try_fold(0, |sum, hook| match count(hook) {
        Ok(count) => Some(sum + count),
        // ENOENT: nothing is attached. The others: this kernel has no such hook, or no BPF.
        Err(error) => match error.raw_os_error() {
            Some(libc::ENOENT | libc::EINVAL | libc::ENOSYS | libc::EOPNOTSUPP) => Some(sum),
            _ => None,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hook_that_the_kernel_lacks_has_no_programs_and_a_refusal_is_unknown() {
        let answer = |errno: i32| {
            sum([1, 2], |hook| {
                if hook == 1 {
                    Ok(3)
                } else {
                    Err(io::Error::from_raw_os_error(errno))
                }
            })
        };
        for errno in [libc::ENOENT, libc::EINVAL, libc::ENOSYS] {
            assert_eq!(answer(errno), Some(3));
        }
        assert_eq!(answer(libc::EPERM), None);
        assert_eq!(sum([1], |_| Ok(0)), Some(0));
    }
}
