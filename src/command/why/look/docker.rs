//! Containers that take ports of the host, from docker's own state (readable for root).

use std::path::Path;

use crate::source::disk;

/// Where docker keeps a directory for each container.
const CONTAINERS: &str = "/var/lib/docker/containers";

/// The name of the container whose address a docker-proxy was given (`-container-ip 172.17.0.2`); `None` if the
/// command line names none, or docker's state may not be read.
pub fn container_behind(command: &[u8]) -> Option<String> {
    let command = String::from_utf8_lossy(command);
    let mut words = command.split(' ');
    words.find(|word| *word == "-container-ip")?;
    let address = words.next()?;
    let text = format!("\"IPAddress\":\"{address}\"");
    container_that(|config| config.contains(&text))
}

/// The name of a running container that publishes the port.
pub fn published_by(port: u16, udp: bool) -> Option<String> {
    container_that(|config| publishes(config, port, udp))
}

/// Whether a container's configuration publishes the port: `"80/tcp":[{"HostIp":"","HostPort":"8080"}]`.
fn publishes(config: &str, port: u16, udp: bool) -> bool {
    let key = if udp { "/udp\":" } else { "/tcp\":" };
    let other = if udp { "/tcp\":" } else { "/udp\":" };
    config
        .match_indices(&format!("\"HostPort\":\"{port}\""))
        .filter_map(|(at, _)| config.get(..at))
        .any(|before| before.rfind(key) > before.rfind(other))
}

/// The first running container whose configuration is such.
fn container_that(is_such: impl Fn(&str) -> bool) -> Option<String> {
    let containers = disk::names_in(CONTAINERS).ok()?;
    containers.iter().find_map(|container| {
        let config =
            disk::read_to_string(Path::new(CONTAINERS).join(container).join("config.v2.json")).ok()?;
        is_such(&config).then(|| name_in(&config))?
    })
}

/// The container's name in its configuration, if it runs.
fn name_in(config: &str) -> Option<String> {
    config.contains("\"Running\":true").then_some(())?;
    let (_, rest) = config.split_once("\"Name\":\"/")?;
    let (name, _) = rest.split_once('"')?;
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_running_container_has_a_name_and_ports() {
        let config = r#"{"State":{"Running":true},"NetworkSettings":{"Ports":{"80/tcp":[{"HostIp":"","HostPort":"8080"}],
            "53/udp":[{"HostIp":"","HostPort":"53"}]}},"Name":"/web-1"}"#;
        assert_eq!(name_in(config).as_deref(), Some("web-1"));
        assert_eq!(name_in(&config.replace("true", "false")), None);
        assert!(publishes(config, 8080, false) && publishes(config, 53, true));
        assert!(
            !publishes(config, 8080, true) && !publishes(config, 53, false) && !publishes(config, 80, false)
        );
    }
}
