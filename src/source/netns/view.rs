//! The network namespaces that a run reads.

use std::io;

use super::{Way, name_of};
use crate::model::{self, Gap, Name};
use crate::source::namespaces;
use crate::source::proc::ProcRoot;

/// One namespace, and how to read it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// Its inode number; `None` if not readable.
    pub inode: Option<u64>,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// Whether it is ours and need not be entered.
    pub is_own: bool,
    /// Files through which it can be entered, any of them.
    pub ways: Vec<Way>,
    /// A process in it, whose tables are readable without entering.
    pub pid: Option<u32>,
}

/// The namespaces that a run reads; empty for only the caller's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Views {
    /// The namespaces. Sockets carry their index in this list.
    pub views: Vec<View>,
    /// Namespaces that were found but cannot be read.
    pub gaps: Vec<Gap>,
}

impl Views {
    /// Returns how rows identify their namespaces: only ours, seen at `root`, with its name only if requested.
    pub fn namespaces(&self, root: &ProcRoot, named: bool) -> Vec<model::Namespace> {
        if self.views.is_empty() {
            let mut own = namespaces::own_netns(root);
            if named && !root.is_given() {
                own.name = own.inode.and_then(name_of).map(Name::from);
            }
            return vec![own];
        }
        let views = self.views.iter();
        views
            .map(|view| model::Namespace {
                inode: view.inode,
                name: view.name.clone().map(Name::from),
            })
            .collect()
    }
}

impl View {
    /// Moves this thread into the namespace, through the first file that still leads there.
    ///
    /// # Errors
    /// The last error, if no file leads there.
    pub fn enter(&self) -> io::Result<()> {
        let mut refused = io::Error::from(io::ErrorKind::PermissionDenied);
        for way in &self.ways {
            match way.open() {
                Ok(namespace) if Some(namespace.inode) == self.inode => return namespace.enter(),
                // A process that ended and whose number was reused.
                Ok(_) => {}
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }

    /// Returns whether its last process has ended, and nothing else kept it.
    pub fn is_gone(&self, error: &io::Error) -> bool {
        self.name.is_none() && error.kind() == io::ErrorKind::NotFound
    }

    /// Its name for people.
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
