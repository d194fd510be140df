//! The version of the running kernel, where behaviour differs and nothing else tells.

use super::tape;

/// Returns whether the kernel is this version or newer. A release without numbers counts as new.
pub fn is_at_least(major: u32, minor: u32) -> bool {
    let release = tape::fact("kernel", || {
        rustix::system::uname().release().to_string_lossy().into_owned()
    });
    version(&release).is_none_or(|version| version >= (major, minor))
}

/// The first two numbers of a release such as `6.1.0-18-amd64`.
fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release
        .split(|c: char| !c.is_ascii_digit())
        .map_while(|part| part.parse().ok());
    Some((numbers.next()?, numbers.next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_begins_with_its_version() {
        assert_eq!(version("6.1.0-18-amd64"), Some((6, 1)));
        assert_eq!(version("5.10.223"), Some((5, 10)));
        assert_eq!(version("6.18-rc1"), Some((6, 18)));
        assert_eq!(version("next"), None);
        assert!((6, 10) > (6, 8), "not compared as text");
    }
}
