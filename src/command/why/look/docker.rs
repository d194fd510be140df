//! Which container a docker-proxy or rootlessport forwards to, from docker's own state.

/// The name of the container whose address docker-proxy was given (`-container-ip 172.17.0.2`); without access
/// to docker's state the address itself.
pub fn container_behind(command: &[u8]) -> Option<String> {
    let command = String::from_utf8_lossy(command);
    let mut words = command.split(' ');
    words.find(|word| *word == "-container-ip")?;
    let address = words.next()?;
    let name = std::fs::read_dir("/var/lib/docker/containers")
        .ok()
        .and_then(|containers| {
            containers.filter_map(Result::ok).find_map(|container| {
                let config = std::fs::read_to_string(container.path().join("config.v2.json")).ok()?;
                name_in(&config, address)
            })
        });
    Some(name.unwrap_or_else(|| format!("the one at {address}")))
}

/// The container's name in its configuration, if it has this address.
fn name_in(config: &str, address: &str) -> Option<String> {
    config
        .contains(&format!("\"IPAddress\":\"{address}\""))
        .then_some(())?;
    let (_, rest) = config.split_once("\"Name\":\"/")?;
    let (name, _) = rest.split_once('"')?;
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_found_by_the_address() {
        let config = r#"{"ID":"x","NetworkSettings":{"Networks":{"bridge":{"IPAddress":"172.17.0.2"}}},"Name":"/web-1"}"#;
        assert_eq!(name_in(config, "172.17.0.2").as_deref(), Some("web-1"));
        assert_eq!(name_in(config, "172.17.0.3"), None);
    }

    #[test]
    fn other_commands_are_no_proxies() {
        assert_eq!(container_behind(b"node server.js"), None);
        let proxy = b"/usr/bin/docker-proxy -proto tcp -host-ip 0.0.0.0 -host-port 8080 -container-ip 192.0.2.9 -container-port 80";
        assert!(container_behind(proxy).is_some());
    }
}
