//! Where the addresses of a name come from, according to the system's files.

use std::net::IpAddr;

use crate::render::escape;

/// What is known about a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lookup {
    /// The name.
    pub name: String,
    /// Its addresses, in the order in which a client tries them.
    pub addresses: Vec<IpAddr>,
    /// The text of /etc/hosts, if it could be read.
    pub hosts: Option<String>,
    /// The text of /etc/nsswitch.conf, if it could be read.
    pub nsswitch: Option<String>,
}

impl Lookup {
    /// One sentence: the addresses in their order, and which source has them.
    pub fn sentence(&self) -> String {
        let name = escape::text(self.name.as_bytes());
        let addresses: Vec<String> = self.addresses.iter().map(IpAddr::to_string).collect();
        let order = if addresses.len() > 1 {
            ", in this order"
        } else {
            ""
        };
        let sources = self.sources();
        let said = sources.as_ref().map_or_else(String::new, |sources| {
            format!(" (nsswitch.conf: {})", escape::text(sources.as_bytes()))
        });
        let from = match self.is_in_hosts() {
            Some(true) => "in /etc/hosts",
            Some(false) => "not in /etc/hosts, so from another source",
            None => "/etc/hosts could not be read",
        };
        format!("{name} is {}{order}; {from}{said}", addresses.join(", "))
    }

    /// Whether a line of the hosts file has the name.
    fn is_in_hosts(&self) -> Option<bool> {
        let hosts = self.hosts.as_ref()?;
        Some(hosts.lines().any(|line| {
            let line = line.split('#').next().unwrap_or_default();
            line.split_whitespace()
                .skip(1)
                .any(|name| name.eq_ignore_ascii_case(&self.name))
        }))
    }

    /// The sources of the line `hosts:`, in their order.
    fn sources(&self) -> Option<String> {
        let mut lines = self.nsswitch.as_ref()?.lines();
        let sources = lines.find_map(|line| {
            let line = line.split('#').next().unwrap_or_default();
            line.trim().strip_prefix("hosts:")
        })?;
        Some(sources.split_whitespace().collect::<Vec<_>>().join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_and_the_order_are_named() {
        let mut lookup = Lookup {
            name: "web".to_owned(),
            addresses: vec!["10.0.0.5".parse().unwrap(), "2001:db8::5".parse().unwrap()],
            hosts: Some("127.0.0.1 localhost\n10.0.0.5\tdb Web # web\n".to_owned()),
            nsswitch: Some("passwd: files\nhosts:   files  dns # usual\n".to_owned()),
        };
        assert_eq!(
            lookup.sentence(),
            "web is 10.0.0.5, 2001:db8::5, in this order; in /etc/hosts (nsswitch.conf: files dns)"
        );
        lookup.hosts = Some("10.0.0.5 db # web\n".to_owned());
        lookup.nsswitch = None;
        lookup.addresses.pop();
        assert_eq!(
            lookup.sentence(),
            "web is 10.0.0.5; not in /etc/hosts, so from another source"
        );
        lookup.hosts = None;
        assert!(lookup.sentence().ends_with("; /etc/hosts could not be read"));
    }
}
