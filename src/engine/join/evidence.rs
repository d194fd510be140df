//! Determines why a socket has no holder, from what was observed.

use crate::model::OwnerStatus;

/// What is known about the scan when a socket has an inode but no holder was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is one observation, and all are looked at together"
)]
pub struct Evidence {
    /// The socket was still there after the walk.
    pub still_there: bool,
    /// A second walk was made for the sockets without a holder.
    pub walked_again: bool,
    /// Processes whose descriptors we were not allowed to list.
    pub processes_refused: u32,
    /// /proc hides the processes of other users.
    pub hidepid: bool,
    /// Some unix socket has descriptors in flight (`scm_fds`), or this could not be read.
    pub descriptors_in_flight: bool,
    /// The registered files of every io_uring were read.
    pub io_uring_read: bool,
    /// /proc shows no process, not even this one.
    pub proc_is_empty: bool,
    /// /proc shows the initial pid namespace.
    pub initial_pid_namespace: bool,
    /// We are in the initial user namespace.
    pub initial_user_namespace: bool,
}

impl Evidence {
    /// Returns the status of a socket without a holder. `kernel` is the last resort, used only when every other
    /// explanation has been ruled out.
    pub fn status(&self) -> OwnerStatus {
        if !self.still_there {
            OwnerStatus::Unknown
        } else if self.processes_refused > 0 || self.hidepid {
            OwnerStatus::Hidden
        } else if self.proc_is_empty {
            OwnerStatus::Unknown
        } else if self.descriptors_in_flight {
            OwnerStatus::InFlight
        } else if !self.initial_pid_namespace {
            OwnerStatus::Elsewhere
        } else if self.initial_user_namespace && self.io_uring_read && self.walked_again {
            OwnerStatus::Kernel
        } else {
            OwnerStatus::Unknown
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_is_kernel_only_when_everything_else_is_ruled_out() {
        let sure = Evidence {
            still_there: true,
            walked_again: true,
            processes_refused: 0,
            hidepid: false,
            proc_is_empty: false,
            descriptors_in_flight: false,
            io_uring_read: true,
            initial_pid_namespace: true,
            initial_user_namespace: true,
        };
        assert_eq!(sure.status(), OwnerStatus::Kernel);
        let doubts = [
            (
                Evidence {
                    still_there: false,
                    ..sure
                },
                OwnerStatus::Unknown,
            ),
            (
                Evidence {
                    walked_again: false,
                    ..sure
                },
                OwnerStatus::Unknown,
            ),
            (
                Evidence {
                    processes_refused: 1,
                    ..sure
                },
                OwnerStatus::Hidden,
            ),
            (
                Evidence {
                    hidepid: true,
                    ..sure
                },
                OwnerStatus::Hidden,
            ),
            (
                Evidence {
                    descriptors_in_flight: true,
                    ..sure
                },
                OwnerStatus::InFlight,
            ),
            (
                Evidence {
                    io_uring_read: false,
                    ..sure
                },
                OwnerStatus::Unknown,
            ),
            (
                Evidence {
                    initial_pid_namespace: false,
                    ..sure
                },
                OwnerStatus::Elsewhere,
            ),
            (
                Evidence {
                    proc_is_empty: true,
                    initial_pid_namespace: false,
                    ..sure
                },
                OwnerStatus::Unknown,
            ),
            (
                Evidence {
                    initial_user_namespace: false,
                    ..sure
                },
                OwnerStatus::Unknown,
            ),
        ];
        for (evidence, status) in doubts {
            assert_eq!(evidence.status(), status, "{evidence:?}");
        }
    }
}
