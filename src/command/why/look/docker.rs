//! Containers that take ports of the host, from docker's own state (readable for root).

/// The name of the container whose address a docker-proxy was given (`-container-ip 172.17.0.2`); `None` if the
/// command line names none, or docker's state may not be read.
pub fn container_behind(command: &[u8]) -> Option<String> {
    let command = String::from_utf8_lossy(command);
    let mut words = command.split(' ');
    words.find(|word| *word == "-container-ip")?;
    let address = words.next()?;
    container_with(&format!("\"IPAddress\":\"{address}\""))
}

/// The name of a running container that publishes the port.
pub fn published_by(port: u16) -> Option<String> {
    container_with(&format!("\"HostPort\":\"{port}\""))
}

/// The first running container whose configuration has this text.
fn container_with(text: &str) -> Option<String> {
    let containers = std::fs::read_dir("/var/lib/docker/containers").ok()?;
    containers.filter_map(Result::ok).find_map(|container| {
        let config = std::fs::read_to_string(container.path().join("config.v2.json")).ok()?;
        name_in(&config, text)
    })
}

/// The container's name in its configuration, if it runs and the configuration has this text.
fn name_in(config: &str, text: &str) -> Option<String> {
    (config.contains(text) && config.contains("\"Running\":true")).then_some(())?;
    let (_, rest) = config.split_once("\"Name\":\"/")?;
    let (name, _) = rest.split_once('"')?;
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_running_container_is_found_by_address_or_port() {
        let config = r#"{"State":{"Running":true},"NetworkSettings":{"Ports":{"80/tcp":[{"HostPort":"8080"}]},
            "Networks":{"bridge":{"IPAddress":"172.17.0.2"}}},"Name":"/web-1"}"#;
        let name = |text: &str| name_in(config, text);
        assert_eq!(name("\"IPAddress\":\"172.17.0.2\"").as_deref(), Some("web-1"));
        assert_eq!(name("\"HostPort\":\"8080\"").as_deref(), Some("web-1"));
        assert_eq!(name("\"IPAddress\":\"172.17.0.3\""), None);
        let stopped = config.replace("true", "false");
        assert_eq!(name_in(&stopped, "\"HostPort\":\"8080\""), None);
    }
}
