//! Determines which processes a signal would go to, given sockets, their holders and the parents of all processes.
//! Pure.

use std::collections::{BTreeMap, BTreeSet};

/// A socket with the processes that hold it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its index in the caller's list.
    pub socket: usize,
    /// The processes, each once.
    pub pids: Vec<u32>,
}

/// Related processes, and what they hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The topmost process first; the others descend from it. Sorted by pid if the topmost is `master`.
    pub pids: Vec<u32>,
    /// The sockets they hold, by their index in the caller's list.
    pub sockets: Vec<usize>,
    /// The common ancestor that starts them, if it cannot be inspected.
    pub master: Option<u32>,
}

/// Groups holders into targets: holders of one socket that descend from another of them are one target, and so are
/// those with the same master. `masters` gives the master of a holder, if that cannot be inspected. A target that holds
/// several sockets appears once.
pub fn targets(held: &[Held], parents: &BTreeMap<u32, u32>, masters: &BTreeMap<u32, u32>) -> Vec<Target> {
    let mut found: BTreeMap<u32, (BTreeSet<u32>, BTreeSet<usize>)> = BTreeMap::new();
    for one in held {
        for pid in &one.pids {
            let top = topmost(*pid, &one.pids, parents);
            let top = masters.get(&top).copied().unwrap_or(top);
            let (pids, sockets) = found.entry(top).or_default();
            pids.insert(*pid);
            sockets.insert(one.socket);
        }
    }
    found
        .into_iter()
        .map(|(top, (pids, sockets))| {
            let holder = Some(top).filter(|top| pids.contains(top));
            Target {
                pids: holder
                    .into_iter()
                    .chain(pids.into_iter().filter(|pid| *pid != top))
                    .collect(),
                sockets: sockets.into_iter().collect(),
                master: holder.is_none().then_some(top),
            }
        })
        .collect()
}

/// The highest of `pid` and its ancestors that is among `holders`.
fn topmost(pid: u32, holders: &[u32], parents: &BTreeMap<u32, u32>) -> u32 {
    let chain = ancestors(pid, parents);
    chain
        .into_iter()
        .rev()
        .find(|ancestor| holders.contains(ancestor))
        .unwrap_or(pid)
}

/// The ancestors of a process, the nearest first, as far as they are known.
pub fn ancestors(pid: u32, parents: &BTreeMap<u32, u32>) -> Vec<u32> {
    let mut chain = Vec::new();
    let mut next = parents.get(&pid).copied();
    // There can be a loop only if pids were reused while the table was read.
    while let Some(parent) = next.filter(|parent| *parent != 0 && !chain.contains(parent)) {
        chain.push(parent);
        next = parents.get(&parent).copied();
    }
    chain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(socket: usize, pids: &[u32]) -> Held {
        Held {
            socket,
            pids: pids.to_vec(),
        }
    }

    #[test]
    fn workers_belong_to_their_master() {
        let parents = BTreeMap::from([(11, 10), (12, 10), (10, 1), (20, 1)]);
        let found = targets(
            &[held(0, &[11, 12, 10]), held(1, &[10])],
            &parents,
            &BTreeMap::new(),
        );
        assert_eq!(
            found,
            [Target {
                pids: vec![10, 11, 12],
                sockets: vec![0, 1],
                master: None
            }]
        );
    }

    #[test]
    fn workers_of_a_hidden_master_are_one_target() {
        let parents = BTreeMap::from([(11, 10), (12, 10), (13, 12), (10, 1), (20, 1)]);
        let masters = BTreeMap::from([(11, 10), (12, 10)]);
        let found = targets(&[held(0, &[11, 12, 13, 20])], &parents, &masters);
        let of = |pids: &[u32], master| Target {
            pids: pids.to_vec(),
            sockets: vec![0],
            master,
        };
        assert_eq!(found, [of(&[11, 12, 13], Some(10)), of(&[20], None)]);
    }

    #[test]
    fn unrelated_processes_are_separate_targets() {
        let parents = BTreeMap::from([(10, 1), (20, 1)]);
        let found = targets(&[held(0, &[10]), held(1, &[20])], &parents, &BTreeMap::new());
        assert_eq!(found.len(), 2);
        let shared = targets(&[held(0, &[10, 20])], &parents, &BTreeMap::new());
        assert_eq!(shared.len(), 2, "siblings without their parent are unrelated");
    }

    #[test]
    fn a_loop_of_parents_ends() {
        assert_eq!(ancestors(1, &BTreeMap::from([(1, 2), (2, 1)])), [2, 1]);
    }
}
