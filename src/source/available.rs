//! Names for completions: users and network namespaces of this machine.

use super::disk;
use super::netns::NAMED;

/// Names and ids of the users in /etc/passwd. Users from a directory server are left out, because there may be
/// thousands.
pub fn users() -> Vec<(String, String)> {
    let text = disk::read_to_string("/etc/passwd").unwrap_or_default();
    let user = |line: &str| {
        let mut parts = line.split(':');
        let (name, uid) = (parts.next()?, parts.nth(1)?);
        Some((name.to_owned(), uid.to_owned()))
    };
    text.lines().filter_map(user).collect()
}

/// Names of network namespaces, as `ip netns` lists them.
pub fn namespaces() -> Vec<String> {
    let names = disk::names_in(NAMED).unwrap_or_default();
    let mut names: Vec<String> = names
        .into_iter()
        .filter_map(|name| name.into_string().ok())
        .collect();
    names.sort_unstable();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_a_user() {
        assert!(users().contains(&("root".to_owned(), "0".to_owned())));
        assert!(namespaces().is_sorted());
    }
}
