//! Usage errors: one line, one hint, exit status 2.

use std::error::Error as _;
use std::fmt;
use std::num::ParseIntError;

use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// A usage error, or the text of `--help` and `--version`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageError {
    message: String,
    hint: Option<String>,
    asked_for: bool,
}

impl UsageError {
    /// Creates an error without a hint.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: None,
            asked_for: false,
        }
    }

    /// Adds a hint.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Returns whether the user requested the text (`--help`): it goes to stdout, with exit status 0.
    pub fn was_asked_for(&self) -> bool {
        self.asked_for
    }

    /// Creates a text that was requested.
    pub fn requested(text: String) -> Self {
        Self {
            message: text,
            hint: None,
            asked_for: true,
        }
    }

    /// Converts an error from clap about the listing, or about a command.
    pub fn from_clap(error: &clap::Error, command: Option<&Command>) -> Self {
        let text = |kind| match error.get(kind) {
            Some(ContextValue::String(text)) => Some(text.clone()),
            Some(ContextValue::Strings(texts)) => texts.first().cloned(),
            _ => None,
        };
        let argument = text(ContextKind::InvalidArg).unwrap_or_default();
        let for_more = |what: &str| match command.map(Command::get_name) {
            Some(name) => format!("`sockstat help {name}` lists {what}"),
            None => format!("`sockstat --help` lists {what}"),
        };
        match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Self::requested(error.to_string()),
            // An option that another one requires; clap does not say which.
            ErrorKind::MissingRequiredArgument if argument.starts_with('-') => Self::new(format!(
                "an option here works only with {argument}, which is missing"
            ))
            .with_hint(for_more("the options")),
            ErrorKind::MissingRequiredArgument => {
                Self::new(format!("missing argument {argument}")).with_hint(for_more("the arguments"))
            }
            ErrorKind::UnknownArgument if !argument.starts_with('-') => {
                let usage = command.map(|command| command.clone().render_usage().to_string());
                let usage = usage.unwrap_or_default().replace("Usage: ", "usage: ");
                Self::new(format!("unexpected word '{argument}'")).with_hint(usage)
            }
            ErrorKind::UnknownArgument => {
                let hint = text(ContextKind::SuggestedArg).map_or_else(
                    || for_more("the options"),
                    |near| format!("did you mean '{near}'?"),
                );
                Self::new(format!("unknown option '{argument}'")).with_hint(hint)
            }
            ErrorKind::InvalidValue => {
                let value = text(ContextKind::InvalidValue).unwrap_or_default();
                let known = match error.get(ContextKind::ValidValue) {
                    Some(ContextValue::Strings(known)) => known.join(", "),
                    _ => String::new(),
                };
                let hint = if known.is_empty() {
                    for_more("the values")
                } else {
                    format!("one of: {known}")
                };
                let message = if value.is_empty() {
                    format!("{argument} needs a value")
                } else {
                    format!("invalid value '{value}' for '{}'", option_of(&argument))
                };
                Self::new(message).with_hint(hint)
            }
            ErrorKind::ValueValidation => {
                let value = text(ContextKind::InvalidValue).unwrap_or_default();
                let expected = match error.source() {
                    Some(source) if source.is::<ParseIntError>() => "expected a number".to_owned(),
                    Some(source) => source.to_string(),
                    None => "cannot parse it".to_owned(),
                };
                Self::new(format!(
                    "invalid value '{value}' for '{}': {expected}",
                    option_of(&argument)
                ))
            }
            _ => {
                // clap's first line, without its own prefix and the usage below it.
                let rendered = error.to_string();
                let line = rendered.lines().next().unwrap_or_default();
                Self::new(line.trim_start_matches("error: ")).with_hint(for_more("the options"))
            }
        }
    }
}

/// Returns `--limit` of `--limit <N>`.
fn option_of(argument: &str) -> &str {
    argument.split(' ').next().unwrap_or(argument)
}

impl fmt::Display for UsageError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.asked_for {
            return formatter.write_str(&self.message);
        }
        // A line break of an argument must not begin a line of its own.
        let line = |text: &str| text.replace('\n', "\\x0a");
        writeln!(formatter, "error: {}", line(&self.message))?;
        match &self.hint {
            Some(hint) => writeln!(formatter, "hint: {}", line(hint)),
            None => Ok(()),
        }
    }
}
