//! Docker's own state files, readable by root: names of containers, and which container publishes a port of the host.

use std::path::PathBuf;

use super::{Place, state};
use crate::source::disk;

/// Where docker keeps a directory for each container.
#[derive(Clone, Debug)]
pub struct Docker {
    place: Place,
    containers: PathBuf,
}

impl Default for Docker {
    fn default() -> Self {
        Self::of(&Place::default())
    }
}

impl Docker {
    pub(super) fn of(place: &Place) -> Self {
        let daemon = place
            .read(&place.root.join("etc/docker/daemon.json"))
            .unwrap_or_default();
        let root = state::data_root(&daemon).unwrap_or_else(|| "/var/lib/docker".to_owned());
        Self {
            containers: place.root.join(root.trim_start_matches('/')).join("containers"),
            place: place.clone(),
        }
    }

    /// The name of the container with this identifier.
    pub(super) fn name_of(&self, id: &str) -> Option<String> {
        self.config(id.as_ref())?.name()
    }

    /// The name of a running container that has the address in one of docker's networks.
    pub fn container_at(&self, address: &str) -> Option<String> {
        self.running(|config| config.has_address(address))
    }

    /// The name of a running container that publishes the port.
    pub fn published_by(&self, port: u16, udp: bool) -> Option<String> {
        self.running(|config| config.publishes(port, udp))
    }

    /// The restart policy of a container: `always`, `unless-stopped`, `on-failure`, `no`.
    pub fn restart_policy(&self, container: &str) -> Option<String> {
        let ids = disk::names_in(&self.containers).ok()?;
        let is_it = |id: &&std::ffi::OsString| {
            let has_id = container.len() >= 12 && id.as_encoded_bytes().starts_with(container.as_bytes());
            has_id || self.name_of(&id.to_string_lossy()).as_deref() == Some(container)
        };
        let id = ids.iter().find(is_it)?;
        state::restart_policy(
            &self
                .place
                .read(&self.containers.join(id).join("hostconfig.json"))?,
        )
    }

    /// The first running container whose configuration satisfies a condition.
    fn running(&self, is_such: impl Fn(&state::Config) -> bool) -> Option<String> {
        let containers = disk::names_in(&self.containers).ok()?;
        containers.iter().find_map(|id| {
            let config = self.config(id)?;
            (config.is_running() && is_such(&config)).then(|| config.name())?
        })
    }

    fn config(&self, id: &std::ffi::OsStr) -> Option<state::Config> {
        let path = self.containers.join(id).join("config.v2.json");
        state::Config::read(&self.place.read(&path)?)
    }
}
