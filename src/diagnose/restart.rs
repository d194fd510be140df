//! Whether a program is restarted after it ends, according to the settings of systemd and docker.

use std::fmt;

/// Whether a manager starts a program again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// It does.
    Yes,
    /// It does not.
    No,
    /// It does if the program ends with an error.
    AfterError,
    /// Its settings are unknown.
    Unknown,
}

/// What a manager does when the program ends, and the setting that determines it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restart {
    /// Whether it starts the program again.
    pub again: Again,
    /// The setting, as its file has it.
    pub setting: Option<String>,
}

impl Restart {
    /// Nothing is known.
    pub const UNKNOWN: Self = Self {
        again: Again::Unknown,
        setting: None,
    };

    /// The behaviour of a service that `signal` ends, according to `Restart=`. `texts` are its unit file and drop-ins
    /// in order; the last setting counts, and the default is `no` (systemd.service(5), systemd 257).
    pub fn of_service(texts: &[String], signal: &str) -> Self {
        if texts.is_empty() {
            return Self::UNKNOWN;
        }
        let settings = texts.iter().flat_map(|text| settings_of_service(text));
        let policy = settings
            .filter(|(key, value)| *key == "Restart" && !value.is_empty())
            .last()
            .map_or("no", |(_, value)| value);
        // A service may also catch these and end with an error.
        let is_clean = matches!(signal, "TERM" | "INT" | "HUP" | "PIPE");
        let again = match (policy, is_clean) {
            ("always", _) | ("on-success", true) | ("on-failure" | "on-abnormal" | "on-abort", false) => {
                Again::Yes
            }
            ("on-failure", true) => Again::AfterError,
            ("no" | "on-success" | "on-abnormal" | "on-abort" | "on-watchdog", _) => Again::No,
            _ => Again::Unknown,
        };
        Self {
            again,
            setting: Some(format!("Restart={policy}")),
        }
    }

    /// The behaviour of a docker container, according to its restart policy.
    pub fn of_container(policy: Option<&str>) -> Self {
        let Some(policy) = policy else {
            return Self::UNKNOWN;
        };
        Self {
            again: match policy {
                "always" | "unless-stopped" => Again::Yes,
                "on-failure" => Again::AfterError,
                "no" | "" => Again::No,
                _ => Again::Unknown,
            },
            setting: Some(format!(
                "restart policy {}",
                if policy.is_empty() { "no" } else { policy }
            )),
        }
    }
}

/// The behaviour, as the end of a sentence: `starts it again (Restart=always)`.
impl fmt::Display for Restart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.again {
            Again::Yes => "starts it again",
            Again::No => "does not start it again",
            Again::AfterError => "starts it again if it ends with an error",
            Again::Unknown => "may start it again",
        })?;
        match &self.setting {
            Some(setting) => write!(f, " ({setting})"),
            None => Ok(()),
        }
    }
}

/// The settings in the section `[Service]` of a unit file.
fn settings_of_service(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut in_service = false;
    text.lines().filter_map(move |line| {
        let line = line.trim();
        if line.starts_with('[') {
            in_service = line == "[Service]";
        }
        let (key, value) = line.split_once('=').filter(|_| in_service)?;
        Some((key.trim_end(), value.trim_start()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(texts: &[&str], signal: &str) -> String {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        Restart::of_service(&texts, signal).to_string()
    }

    #[test]
    fn the_last_setting_of_the_service_counts() {
        let unit = "[Unit]\nRestart=always\n[Service]\nExecStart=/bin/a\nRestart = on-failure\n";
        assert_eq!(
            of(&[unit], "TERM"),
            "starts it again if it ends with an error (Restart=on-failure)"
        );
        assert_eq!(of(&[unit], "KILL"), "starts it again (Restart=on-failure)");
        let drop_in = "[Service]\nRestart=always\n";
        assert_eq!(of(&[unit, drop_in], "TERM"), "starts it again (Restart=always)");
        assert_eq!(
            of(&["[Service]\n#Restart=always"], "TERM"),
            "does not start it again (Restart=no)"
        );
        assert_eq!(
            of(&["[Service]\nRestart=on-abnormal"], "TERM"),
            "does not start it again (Restart=on-abnormal)"
        );
        assert_eq!(
            of(&["[Service]\nRestart=soon"], "TERM"),
            "may start it again (Restart=soon)"
        );
        assert_eq!(of(&[], "TERM"), "may start it again");
    }

    #[test]
    fn docker_has_policies() {
        let of = |policy| Restart::of_container(policy).to_string();
        assert_eq!(
            of(Some("unless-stopped")),
            "starts it again (restart policy unless-stopped)"
        );
        assert_eq!(of(Some("")), "does not start it again (restart policy no)");
        assert_eq!(
            of(Some("on-failure")),
            "starts it again if it ends with an error (restart policy on-failure)"
        );
        assert_eq!(of(None), "may start it again");
    }
}
