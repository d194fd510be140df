//! The network namespaces that a run reads.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::processes::inode_of;
use super::{Keeper, Way, name_of};
use crate::model::{self, Gap, Name};
use crate::source::namespaces;
use crate::source::proc::ProcRoot;

/// One namespace, and how to read it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// Its inode number; `None` if that cannot be read.
    pub inode: Option<u64>,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// Whether it is ours and need not be entered.
    pub is_own: bool,
    /// Files through any of which it can be entered.
    pub ways: Vec<Way>,
    /// A process in it, whose tables are readable without entering.
    pub pid: Option<u32>,
}

/// The namespaces that a run reads; if empty, only the caller's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Views {
    /// The namespaces. Sockets carry their index in this list.
    pub views: Vec<View>,
    /// Namespaces that were found but cannot be read.
    pub gaps: Vec<Gap>,
}

impl Views {
    /// Returns the namespaces that rows refer to. If only ours is read, it is that of `root`, with its name only if
    /// requested.
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
        let mut refused = io::Error::from(ErrorKind::PermissionDenied);
        for way in &self.ways {
            match way.open() {
                Ok(namespace) if Some(namespace.inode) == self.inode => return namespace.enter(),
                // The process ended and its pid was reused.
                Ok(_) => {}
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }

    /// Returns whether its last process has ended and nothing else kept the namespace.
    pub fn is_gone(&self, error: &io::Error) -> bool {
        self.name.is_none() && error.kind() == ErrorKind::NotFound
    }

    /// Returns whether no file leads into it any more.
    pub fn has_no_way(&self) -> bool {
        let link_leads_there = |path: &Path| {
            let link = std::fs::read_link(path).ok();
            link.and_then(|link| inode_of(link.to_str()?)) == self.inode
        };
        let is_socket = |path: &Path| {
            let link = std::fs::read_link(path);
            link.is_ok_and(|link| link.as_os_str().as_encoded_bytes().starts_with(b"socket:["))
        };
        let leads_there = |way: &Way| match (way, way.open()) {
            (Way::Descriptor(path), _) => link_leads_there(path),
            (Way::Socket(path), _) => is_socket(path),
            (_, Ok(namespace)) => Some(namespace.inode) == self.inode,
            // A name that is no longer mounted, or a process that has ended.
            (_, Err(error)) => !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidInput),
        };
        !self.is_own && !self.ways.iter().any(leads_there)
    }

    /// If it was not entered because only a descriptor leads into it, returns what kind of descriptor, and its path.
    pub fn kept_by(&self, error: &io::Error) -> Option<(Keeper, PathBuf)> {
        Some((Keeper::of(error)?, self.ways.first()?.path()))
    }

    /// The name to show.
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
    use super::*;

    #[test]
    fn a_path_that_now_leads_elsewhere_is_not_followed() {
        let elsewhere = View {
            inode: Some(1),
            ways: vec![Path::new("/proc/self/ns/net").into()],
            ..View::default()
        };
        assert!(elsewhere.enter().is_err() && elsewhere.has_no_way());
        let own = View {
            is_own: true,
            ..elsewhere.clone()
        };
        assert!(!own.has_no_way());
        let way = || vec![Path::new("/proc/self/ns/net").into()];
        let inode = super::super::Namespace::open(Path::new("/proc/self/ns/net")).ok();
        let here = View {
            inode: inode.map(|namespace| namespace.inode),
            ways: way(),
            ..View::default()
        };
        assert!(!here.has_no_way());
    }

    #[test]
    fn a_descriptor_is_named_and_not_opened() {
        let own = std::fs::read_link("/proc/self/ns/net").unwrap();
        let path = PathBuf::from("/proc/self/ns/net");
        let kept = View {
            inode: inode_of(own.to_str().unwrap()),
            ways: vec![Way::Descriptor(path.clone())],
            ..View::default()
        };
        let refused = kept.enter().unwrap_err();
        assert_eq!(kept.kept_by(&refused), Some((Keeper::Descriptor, path)));
        assert_eq!(kept.kept_by(&ErrorKind::PermissionDenied.into()), None);
        assert!(!kept.has_no_way());
        let closed = View {
            ways: vec![Way::Descriptor("/proc/self/fd/nothing".into())],
            ..kept
        };
        assert!(closed.has_no_way());
    }

    #[test]
    fn a_socket_is_named_and_not_copied() {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let path = |fd: i32| PathBuf::from(format!("/proc/self/fd/{fd}"));
        let kept = |path: &Path| View {
            inode: Some(7),
            ways: vec![Way::Socket(path.to_owned())],
            ..View::default()
        };
        let held = path(std::os::fd::AsRawFd::as_raw_fd(&socket));
        let refused = kept(&held).enter().unwrap_err();
        assert_eq!(
            kept(&held).kept_by(&refused),
            Some((Keeper::Socket, held.clone()))
        );
        assert!(!kept(&held).has_no_way());
        assert!(kept(Path::new("/proc/self/exe")).has_no_way());
    }
}
