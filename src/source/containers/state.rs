//! Parses the parts of the JSON state files of container runtimes that are used.
//!
//! Unused parts are skipped without being stored. serde_json rejects nesting deeper than 128; the reader limits the
//! size of a file.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};

/// Maximum length of identifiers and names; real ones have 64 digits and at most 253 letters.
const NAME_BYTES_MAX: usize = 256;

/// `data-root` in docker's daemon.json.
pub fn data_root(daemon: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Daemon {
        #[serde(rename = "data-root")]
        data_root: Option<String>,
    }
    serde_json::from_slice::<Daemon>(daemon).ok()?.data_root
}

/// The name of the restart policy in a container's hostconfig.json, by docker.
pub(super) fn restart_policy(host_config: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct HostConfig {
        restart_policy: Policy,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Policy {
        name: String,
    }
    let policy = serde_json::from_slice::<HostConfig>(host_config)
        .ok()?
        .restart_policy;
    Some(policy.name).filter(|name| name.len() <= NAME_BYTES_MAX)
}

/// A container's config.v2.json, by docker.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Config {
    /// With a leading slash.
    name: Option<String>,
    state: Option<State>,
    network_settings: Option<NetworkSettings>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct State {
    running: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct NetworkSettings {
    #[serde(rename = "IPAddress")]
    ip_address: Option<String>,
    networks: Option<BTreeMap<String, Option<Network>>>,
    /// By `PORT/PROTOCOL` inside the container.
    ports: Option<BTreeMap<String, Option<Vec<Binding>>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Network {
    #[serde(rename = "IPAddress")]
    ip_address: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Binding {
    host_port: Option<String>,
}

impl Config {
    /// Parses it; `None` if it is not one.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// Returns the name.
    pub fn name(&self) -> Option<String> {
        let name = self.name.as_ref()?;
        Some(name.trim_start_matches('/').to_owned())
    }

    /// Returns whether the container runs.
    pub fn is_running(&self) -> bool {
        self.state.as_ref().is_some_and(|state| state.running)
    }

    /// Returns whether it has this address in one of docker's networks.
    pub fn has_address(&self, address: &str) -> bool {
        let Some(settings) = &self.network_settings else {
            return false;
        };
        let networks = settings.networks.iter().flat_map(BTreeMap::values).flatten();
        networks
            .map(|network| &network.ip_address)
            .chain([&settings.ip_address])
            .any(|found| found.as_deref() == Some(address))
    }

    /// Returns whether it publishes a port of the host.
    pub fn publishes(&self, port: u16, udp: bool) -> bool {
        let protocol = if udp { "/udp" } else { "/tcp" };
        let port = port.to_string();
        let ports = self.network_settings.iter().flat_map(|settings| &settings.ports);
        ports
            .flatten()
            .filter(|(inside, _)| inside.ends_with(protocol))
            .flat_map(|(_, bindings)| bindings.iter().flatten())
            .any(|binding| binding.host_port.as_ref() == Some(&port))
    }
}

/// Returns the annotations of an OCI bundle's config.json; none if it cannot be parsed.
pub fn annotations(config: &[u8]) -> BTreeMap<String, String> {
    #[derive(Deserialize)]
    struct Bundle {
        #[serde(default)]
        annotations: BTreeMap<String, String>,
    }
    serde_json::from_slice::<Bundle>(config).map_or_else(|_| BTreeMap::new(), |bundle| bundle.annotations)
}

/// Adds the identifiers and names in a containers.json of containers/storage, up to a total. Entries before a syntax
/// error are kept.
pub fn add_stored(containers: &[u8], names: &mut BTreeMap<String, String>, most: usize) {
    let mut json = serde_json::Deserializer::from_slice(containers);
    let _ = json.deserialize_seq(Stored { names, most });
}

struct Stored<'a> {
    names: &'a mut BTreeMap<String, String>,
    most: usize,
}

impl<'de> Visitor<'de> for Stored<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of containers")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut containers: A) -> Result<(), A::Error> {
        #[derive(Deserialize)]
        #[serde(default)]
        #[derive(Default)]
        struct Container {
            id: Option<String>,
            names: First,
        }
        while self.names.len() < self.most
            && let Some(container) = containers.next_element::<Container>()?
        {
            if let (Some(id), First(Some(name))) = (container.id, container.names)
                && id.len().max(name.len()) <= NAME_BYTES_MAX
            {
                self.names.entry(id).or_insert(name);
            }
        }
        Ok(())
    }
}

/// The first string of a list.
#[derive(Debug, Default)]
struct First(Option<String>);

impl<'de> Deserialize<'de> for First {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = First;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list of names")
            }

            fn visit_unit<E>(self) -> Result<First, E> {
                Ok(First(None))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut names: A) -> Result<First, A::Error> {
                let first = names.next_element()?;
                while names.next_element::<IgnoredAny>()?.is_some() {}
                Ok(First(first))
            }
        }
        from.deserialize_any(List)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stored(text: &str) -> Vec<(String, String)> {
        let mut names = BTreeMap::new();
        add_stored(text.as_bytes(), &mut names, 2);
        names.into_iter().collect()
    }

    fn pair(id: &str, name: &str) -> (String, String) {
        (id.to_owned(), name.to_owned())
    }

    #[test]
    fn the_first_name_counts_and_a_truncated_list_is_read_up_to_its_end() {
        let text = r#"[{"id":"a","names":["x","y"],"more":{"names":["no"]}},{"id":"b","names":null},{"id":"c","names":[]},
            {"id":"d","names":["z"]},{"id":"e"#;
        assert_eq!(stored(text), [pair("a", "x"), pair("d", "z")]);
        assert_eq!(stored("{}"), []);
        let three = r#"[{"id":"a","names":["x"]},{"id":"b","names":["x"]},{"id":"c","names":["x"]}]"#;
        assert_eq!(stored(three).len(), 2, "a limit");
        let long = format!(r#"[{{"id":"a","names":["{}"]}}]"#, "x".repeat(NAME_BYTES_MAX + 1));
        assert_eq!(stored(&long), []);
        let deep = format!(
            r#"[{{"id":"a","names":["x"]}},{{"id":"b","x":{}"#,
            "[".repeat(100_000)
        );
        assert_eq!(stored(&deep), [pair("a", "x")]);
    }

    #[test]
    fn a_running_container_has_a_name_ports_and_addresses() {
        let config =
            br#"{"State":{"Running":true},"NetworkSettings":{"Networks":{"bridge":{"IPAddress":"172.17.0.2"},
            "none":null},"Ports":{"80/tcp":[{"HostIp":"","HostPort":"8080"}],"81/tcp":null,
            "53/udp":[{"HostIp":"","HostPort":"53"}]}},"Name":"/web-1"}"#;
        let config = Config::read(config).unwrap();
        assert_eq!(config.name().as_deref(), Some("web-1"));
        assert!(config.is_running());
        assert!(config.publishes(8080, false) && config.publishes(53, true));
        assert!(
            !config.publishes(8080, true) && !config.publishes(53, false) && !config.publishes(80, false)
        );
        assert!(config.has_address("172.17.0.2") && !config.has_address("172.17.0.3"));
        assert!(!Config::read(b"{}").unwrap().is_running());
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in any::<String>(), json in r#"[\[\]{}",:\\u0-9a é]{0,40}"#) {
            for text in [text.as_bytes(), json.as_bytes()] {
                let _ = (stored(&String::from_utf8_lossy(text)), annotations(text), data_root(text), Config::read(text));
            }
        }
    }
}
