//! Arguments of programs, with secrets masked.
//!
//! No rule finds every secret, so this one errs on the side of masking too much: everything after the name of a secret
//! in the same argument, and the next argument.

use std::borrow::Cow;

/// Which arguments are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arguments {
    /// All, with everything that looks like a secret masked.
    Redacted,
    /// All, unchanged.
    Full,
}

/// Parts of names whose values are secret.
const SECRETS: &[&[u8]] = &[b"pass", b"secret", b"token", b"key", b"credential"];

/// The mask that replaces a value.
const MASK: &[u8] = b"***";

impl Arguments {
    /// Returns the arguments to print.
    pub fn of(self, arguments: &[Box<[u8]>]) -> Vec<Cow<'_, [u8]>> {
        match self {
            Self::Full => arguments.iter().map(|one| Cow::Borrowed(&**one)).collect(),
            Self::Redacted => redacted(arguments),
        }
    }
}

fn redacted(arguments: &[Box<[u8]>]) -> Vec<Cow<'_, [u8]>> {
    // The program's own name does not count: after `keyserver`, the next argument is no secret.
    let mut follows_name = false;
    let mut shown = Vec::with_capacity(arguments.len());
    for (index, argument) in arguments.iter().enumerate() {
        if follows_name {
            shown.push(Cow::Borrowed(MASK));
            follows_name = false;
            continue;
        }
        follows_name = index > 0 && is_name_of_secret(argument);
        shown.push(without_values(argument));
    }
    shown
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// Returns whether the argument consists only of a name, as an option or by itself.
fn is_name_of_secret(argument: &[u8]) -> bool {
    argument.iter().all(|byte| is_name_byte(*byte)) && secret_in(argument).is_some()
}

/// Returns where the first name of a secret ends.
fn secret_in(text: &[u8]) -> Option<usize> {
    let starts_with = |at: usize, word: &[u8]| {
        text.get(at..at + word.len())
            .is_some_and(|found| found.eq_ignore_ascii_case(word))
    };
    let found = (0..text.len()).find(|at| SECRETS.iter().any(|word| starts_with(*at, word)))?;
    let rest = text.get(found..).unwrap_or_default();
    Some(found + rest.iter().take_while(|byte| is_name_byte(**byte)).count())
}

/// Masks everything from the name of a secret to the end of the argument, and the user part of URLs.
fn without_values(argument: &[u8]) -> Cow<'_, [u8]> {
    let end = secret_in(argument).filter(|end| *end < argument.len());
    let kept = argument.get(..end.map_or(argument.len(), |end| end + 1));
    let kept = without_users(kept.unwrap_or_default());
    match end {
        None => kept,
        Some(_) => Cow::Owned([&kept, MASK].concat()),
    }
}

/// Masks the text between `://` and the last `@` of a word.
fn without_users(text: &[u8]) -> Cow<'_, [u8]> {
    const BEFORE: &[u8] = b"://";
    if memchr::memmem::find(text, BEFORE).is_none() || memchr::memchr(b'@', text).is_none() {
        return Cow::Borrowed(text);
    }
    let mut shown = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memmem::find(rest, BEFORE) {
        let (before, after) = rest.split_at(at + BEFORE.len());
        shown.extend_from_slice(before);
        let is_end = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'');
        let word = after.iter().position(is_end).unwrap_or(after.len());
        let (word, _) = after.split_at(word);
        // The next URL of a list is checked separately.
        let word = memchr::memmem::find(word, BEFORE)
            .and_then(|next| word.get(..next))
            .unwrap_or(word);
        rest = after;
        if let Some(user) = memchr::memrchr(b'@', word) {
            shown.extend_from_slice(MASK);
            rest = after.get(user..).unwrap_or_default();
        }
    }
    shown.extend_from_slice(rest);
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(arguments: &[&str]) -> Vec<String> {
        let arguments: Vec<Box<[u8]>> = arguments.iter().map(|one| one.as_bytes().into()).collect();
        let shown = Arguments::Redacted.of(&arguments);
        shown
            .iter()
            .map(|one| String::from_utf8_lossy(one).into_owned())
            .collect()
    }

    #[test]
    fn values_of_secrets_are_masked() {
        for (argument, masked) in [
            ("--password=hunter2", "--password=***"),
            ("DB_PASS=hunter2", "DB_PASS=***"),
            (
                "-Dspring.datasource.password=hunter2",
                "-Dspring.datasource.password=***",
            ),
            ("host=db password=hunter2 user=x", "host=db password=***"),
            (r#"{"apiKey": "hunter2"}"#, r#"{"apiKey"***"#),
            ("X-Token: hunter2", "X-Token:***"),
            ("mysql --password hunter2", "mysql --password ***"),
            (
                "https://h/?access_token=hunter2&x=1",
                "https://h/?access_token=***",
            ),
            ("postgres://app:hunter2@db/shop", "postgres://***@db/shop"),
            ("redis://:hunter2@cache:6379", "redis://***@cache:6379"),
            ("a://u:hunter2@x,b://v:hunter2@y", "a://***@x,b://***@y"),
            ("amqp://u:hun@ter2@mq/", "amqp://***@mq/"),
            ("--port=80", "--port=80"),
            ("user@host:/path", "user@host:/path"),
            ("https://host/path", "https://host/path"),
        ] {
            assert_eq!(shown(&["program", argument]), ["program", masked]);
        }
    }

    #[test]
    fn the_argument_after_a_name_is_masked() {
        assert_eq!(
            shown(&["app", "--db-password", "hunter2", "--port", "80"]),
            ["app", "--db-password", "***", "--port", "80"]
        );
        assert_eq!(shown(&["vault", "token", "hunter2"]), ["vault", "token", "***"]);
        assert_eq!(
            shown(&["keycloak", "start", "--verbose"]),
            ["keycloak", "start", "--verbose"]
        );
    }

    proptest! {
        #[test]
        fn a_value_never_survives_its_name(name in "[a-z_-]{0,8}(password|Secret|TOKEN|api[-_]key|credential)[a-z]{0,4}",
            separator in "[=: ]", value in "[!-~]{1,20}") {
            let joined = format!("{name}{separator}{value}");
            let masked = format!("{name}{separator}***");
            prop_assert_eq!(shown(&["p", &joined]), ["p", &*masked]);
            prop_assert_eq!(shown(&["p", &name, &value]), ["p", &*name, "***"]);
        }

        #[test]
        fn full_arguments_are_unchanged(arguments in prop::collection::vec(any::<Vec<u8>>(), 0..4)) {
            let arguments: Vec<Box<[u8]>> = arguments.into_iter().map(Into::into).collect();
            let full = Arguments::Full.of(&arguments);
            prop_assert!(full.iter().map(|one| &**one).eq(arguments.iter().map(|one| &**one)));
            prop_assert_eq!(Arguments::Redacted.of(&arguments).len(), arguments.len());
        }
    }
}
