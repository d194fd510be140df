//! Finds a parent that starts the holders of a socket and probably holds it too, but cannot be inspected.

/// An ancestor of a holder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Above {
    /// Its id.
    pub pid: u32,
    /// The kernel's name for its main thread.
    pub comm: Vec<u8>,
    /// Its user.
    pub uid: Option<u32>,
    /// Whether the kernel refuses to list its descriptors.
    pub is_closed: bool,
}

/// Returns the pid of the process that probably created the socket and then started its holder, such as nginx's master
/// for a user who may inspect only its workers. Among the ancestors that follow each other with the holder's name, it
/// is the topmost that belongs to the creator and cannot be inspected.
///
/// `above` are the ancestors of the holder, the nearest first; `holders` are the holders that were found.
pub fn master(
    comm: &[u8],
    creator: Option<u32>,
    holders: &[u32],
    above: impl IntoIterator<Item = Above>,
) -> Option<u32> {
    above
        .into_iter()
        .take_while(|one| one.pid > 1 && one.comm == comm && !holders.contains(&one.pid))
        .filter(|one| one.is_closed && creator.is_some() && one.uid == creator)
        .last()
        .map(|one| one.pid)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn above(pid: u32, comm: &str, uid: u32) -> Above {
        Above {
            pid,
            comm: comm.as_bytes().to_vec(),
            uid: Some(uid),
            is_closed: true,
        }
    }

    fn of_nginx(holders: &[u32], above: &[Above]) -> Option<u32> {
        master(b"nginx", Some(0), holders, above.iter().cloned())
    }

    #[test]
    fn the_creators_program_of_the_same_name_is_the_master() {
        let top = above(7, "nginx", 0);
        assert_eq!(of_nginx(&[9], &[top.clone(), above(1, "systemd", 0)]), Some(7));
        assert_eq!(of_nginx(&[9], &[above(8, "nginx", 0), top.clone()]), Some(7));
        assert_eq!(of_nginx(&[9], &[above(8, "nginx", 33), top.clone()]), Some(7));
        assert_eq!(
            master(b"nginx", None, &[9], [top]),
            None,
            "the creator is unknown"
        );
    }

    #[test]
    fn any_other_parent_is_not() {
        let open = Above {
            is_closed: false,
            ..above(7, "nginx", 0)
        };
        assert_eq!(of_nginx(&[9], &[open]), None, "it was inspected");
        assert_eq!(of_nginx(&[9], &[above(7, "nginx", 33)]), None, "another user's");
        assert_eq!(of_nginx(&[9], &[above(7, "sh", 0), above(6, "nginx", 0)]), None);
        assert_eq!(of_nginx(&[9, 7], &[above(7, "nginx", 0)]), None, "a known holder");
        assert_eq!(
            of_nginx(&[9], &[above(1, "nginx", 0)]),
            None,
            "process 1 must not be ended"
        );
    }
}
