//! Wrong command lines: one clear line, one hint, exit 2.

use std::fmt;

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Why a command line cannot be used, or the text of `--help` and `--version`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageError {
    message: String,
    hint: Option<String>,
    asked_for: bool,
}

impl UsageError {
    /// An error without a hint.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: None,
            asked_for: false,
        }
    }

    /// The same with a hint.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Whether the text was asked for (`--help`): it goes to stdout, and the exit status is 0.
    pub fn was_asked_for(&self) -> bool {
        self.asked_for
    }

    /// What clap has to say, in our form.
    pub fn from_clap(error: &clap::Error) -> Self {
        let text = |kind| match error.get(kind) {
            Some(ContextValue::String(text)) => Some(text.clone()),
            Some(ContextValue::Strings(texts)) => texts.first().cloned(),
            _ => None,
        };
        let argument = text(ContextKind::InvalidArg).unwrap_or_default();
        match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Self {
                message: error.to_string(),
                hint: None,
                asked_for: true,
            },
            ErrorKind::MissingRequiredArgument => Self::new(format!("{argument} is missing"))
                .with_hint("--help behind the command shows what it takes"),
            ErrorKind::UnknownArgument => {
                let hint = old_sockstat(&argument)
                    .map(str::to_owned)
                    .or_else(|| text(ContextKind::SuggestedArg).map(|near| format!("did you mean '{near}'?")))
                    .unwrap_or_else(|| "sockstat --help lists the options".to_owned());
                Self::new(format!("unknown option '{argument}'")).with_hint(hint)
            }
            ErrorKind::InvalidValue => {
                let value = text(ContextKind::InvalidValue).unwrap_or_default();
                let error_of = |value: &str| format!("'{value}' is no value for {argument}");
                let known = match error.get(ContextKind::ValidValue) {
                    Some(ContextValue::Strings(known)) => known.join(", "),
                    _ => String::new(),
                };
                if value.is_empty() && known.is_empty() {
                    Self::new(format!("{argument} needs a value")).with_hint("sockstat --help says which")
                } else if value.is_empty() {
                    Self::new(format!("{argument} needs a value")).with_hint(format!("one of: {known}"))
                } else {
                    Self::new(error_of(&value)).with_hint(format!("one of: {known}"))
                }
            }
            _ => {
                // clap's first line, without its own prefix and the usage below it.
                let rendered = error.to_string();
                let line = rendered.lines().next().unwrap_or_default();
                Self::new(line.trim_start_matches("error: ")).with_hint("sockstat --help lists the options")
            }
        }
    }
}

/// Options of the older command of the same name (Debian's sockstat, the BSDs).
fn old_sockstat(argument: &str) -> Option<&'static str> {
    match argument {
        "-P" => Some(
            "this sockstat has -t, -u, -w, -x for protocols; -P belongs to an older command of this name",
        ),
        "-c" => Some(
            "this sockstat shows connected sockets with `state connected`; -c belongs to an older command of this name",
        ),
        _ => None,
    }
}

impl fmt::Display for UsageError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.asked_for {
            return formatter.write_str(&self.message);
        }
        writeln!(formatter, "error: {}", self.message)?;
        match &self.hint {
            Some(hint) => writeln!(formatter, "hint: {hint}"),
            None => Ok(()),
        }
    }
}
