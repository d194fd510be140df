//! The network namespaces that a run looks into.

use std::io;

use super::{Way, name_of};
use crate::model::{self, Gap};
use crate::source::namespaces;
use crate::source::proc::ProcRoot;

/// One namespace, and how it can be looked into.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// Its inode number; `None` if that may not be read.
    pub inode: Option<u64>,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// Whether it is ours, which needs no entering.
    pub is_own: bool,
    /// Files by which it can be entered, any of them.
    pub ways: Vec<Way>,
    /// A process in it, whose tables can be read by one who may not enter.
    pub pid: Option<u32>,
}

/// The namespaces that a run looks into; none for that of the caller alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Views {
    /// The namespaces. Sockets carry the place of theirs in here.
    pub views: Vec<View>,
    /// What was found and cannot be looked into.
    pub gaps: Vec<Gap>,
}

impl Views {
    /// What rows say of their namespaces: of ours alone, seen at `root`, with its name only if that is wanted.
    pub fn namespaces(&self, root: &ProcRoot, named: bool) -> Vec<model::Namespace> {
        if self.views.is_empty() {
            let mut own = namespaces::own_netns(root);
            if named && !root.is_given() {
                own.name = own.inode.and_then(name_of);
            }
            return vec![own];
        }
        let views = self.views.iter();
        views
            .map(|view| model::Namespace {
                inode: view.inode,
                name: view.name.clone(),
            })
            .collect()
    }
}

impl View {
    /// Moves this thread into it, by the first way that still leads there.
    ///
    /// # Errors
    /// The last refusal, if no way leads there.
    pub fn enter(&self) -> io::Result<()> {
        let mut refused = io::Error::from(io::ErrorKind::PermissionDenied);
        for way in &self.ways {
            match way.open() {
                Ok(namespace) if Some(namespace.inode) == self.inode => return namespace.enter(),
                // A process that ended, and another got its number.
                Ok(_) => {}
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }

    /// Whether its last process has ended, and nothing else kept it.
    pub fn is_gone(&self, error: &io::Error) -> bool {
        self.name.is_none() && error.kind() == io::ErrorKind::NotFound
    }

    /// What a person calls it.
    pub fn title(&self) -> String {
        match (&self.name, self.inode) {
            (Some(name), _) => name.clone(),
            (None, Some(inode)) => format!("net:[{inode}]"),
            (None, None) => "?".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_path_that_leads_elsewhere_by_now_is_not_followed() {
        let elsewhere = View {
            inode: Some(1),
            ways: vec![Path::new("/proc/self/ns/net").into()],
            ..View::default()
        };
        assert!(elsewhere.enter().is_err());
    }
}
