//! The text format: families, samples, escaping.

use std::fmt::Write as _;

/// The type of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Gauge,
    Counter,
}

/// The text, family after family.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) text: String,
    /// The name of the current family, and its heading until the first sample: a family without samples is not written.
    family: String,
    heading: String,
}

impl Page {
    /// Begins a family: its name without `sockstat_`.
    pub(super) fn family(&mut self, name: &str, kind: Kind, help: &str) {
        let kind = match kind {
            Kind::Gauge => "gauge",
            Kind::Counter => "counter",
        };
        self.family = format!("sockstat_{name}");
        self.heading = format!("# HELP {0} {help}.\n# TYPE {0} {kind}\n", self.family);
    }

    /// Adds a sample to the family.
    pub(super) fn sample(&mut self, labels: &[(&str, &str)], value: u64) {
        self.sample_text(labels, &value.to_string());
    }

    /// The same, with a value that is already text.
    pub(super) fn sample_text(&mut self, labels: &[(&str, &str)], value: &str) {
        self.text.push_str(&std::mem::take(&mut self.heading));
        self.text.push_str(&self.family);
        for (index, (name, label)) in labels.iter().enumerate() {
            self.text.push(if index == 0 { '{' } else { ',' });
            let _ = write!(self.text, "{name}=\"");
            for c in label.chars() {
                match c {
                    '\\' => self.text.push_str("\\\\"),
                    '"' => self.text.push_str("\\\""),
                    '\n' => self.text.push_str("\\n"),
                    c => self.text.push(c),
                }
            }
            self.text.push('"');
        }
        if !labels.is_empty() {
            self.text.push('}');
        }
        let _ = writeln!(self.text, " {value}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped_and_a_family_without_samples_is_omitted() {
        let mut page = Page::default();
        page.family("nothing", Kind::Gauge, "Nothing");
        page.family("some_total", Kind::Counter, "Some");
        page.sample(&[("a", "x\"y\\z\n"), ("b", "")], 3);
        page.sample(&[], 4);
        assert_eq!(
            page.text,
            "# HELP sockstat_some_total Some.\n# TYPE sockstat_some_total counter\n\
             sockstat_some_total{a=\"x\\\"y\\\\z\\n\",b=\"\"} 3\nsockstat_some_total 4\n"
        );
    }
}
