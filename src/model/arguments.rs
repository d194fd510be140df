//! Arguments of programs, as they are and with secrets masked.
//!
//! No rule finds every secret, so this one errs on the side of masking too much: everything after the name of a secret
//! in the same argument, and the next argument.

use std::borrow::Cow;

/// Which arguments of programs are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Printed {
    /// None.
    None,
    /// All, with everything that looks like a secret masked.
    #[default]
    Redacted,
    /// All, unchanged.
    Full,
}

/// The arguments of a program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arguments {
    full: Vec<Box<[u8]>>,
    /// The same with secrets masked; `None` if there are none.
    redacted: Option<Vec<Box<[u8]>>>,
}

/// Parts of names whose values are secret.
const SECRETS: &[&[u8]] = &[
    b"pass",
    b"pwd",
    b"secret",
    b"token",
    b"key",
    b"credential",
    b"auth",
    b"signature",
];

/// The mask that replaces a value.
const MASK: &[u8] = b"***";

impl Arguments {
    /// The arguments themselves: to decide by, not to print.
    pub fn full(&self) -> &[Box<[u8]>] {
        &self.full
    }

    /// The arguments with secrets masked.
    pub fn redacted(&self) -> &[Box<[u8]>] {
        self.redacted.as_ref().unwrap_or(&self.full)
    }

    /// The arguments to print; `None` if none are to be printed.
    pub fn printed(&self, which: Printed) -> Option<&[Box<[u8]>]> {
        match which {
            Printed::None => None,
            Printed::Redacted => Some(self.redacted()),
            Printed::Full => Some(&self.full),
        }
    }
}

impl From<Vec<Box<[u8]>>> for Arguments {
    fn from(full: Vec<Box<[u8]>>) -> Self {
        let redacted = redacted(&full);
        let differs = redacted.iter().any(|argument| matches!(argument, Cow::Owned(_)));
        let redacted = differs.then(|| redacted.into_iter().map(|one| one.into_owned().into()).collect());
        Self { full, redacted }
    }
}

impl FromIterator<Box<[u8]>> for Arguments {
    fn from_iter<I: IntoIterator<Item = Box<[u8]>>>(arguments: I) -> Self {
        arguments.into_iter().collect::<Vec<_>>().into()
    }
}

fn redacted(arguments: &[Box<[u8]>]) -> Vec<Cow<'_, [u8]>> {
    // The program's own name does not count: after `keyserver`, the next argument is no secret.
    let mut follows_name = false;
    let mut shown = Vec::with_capacity(arguments.len());
    for (index, argument) in arguments.iter().enumerate() {
        if follows_name {
            shown.push(Cow::Owned(MASK.to_vec()));
            follows_name = false;
            continue;
        }
        follows_name = index > 0 && is_name_of_secret(argument);
        shown.push(without_secrets(argument));
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
    let starts_with = |rest: &[u8], word: &[u8]| {
        rest.get(..word.len())
            .is_some_and(|found| found.eq_ignore_ascii_case(word))
    };
    let names_secret = |rest: &[u8]| SECRETS.iter().any(|word| starts_with(rest, word));
    let found = (0..text.len()).find(|at| text.get(*at..).is_some_and(names_secret))?;
    let rest = text.get(found..).unwrap_or_default();
    Some(found + rest.iter().take_while(|byte| is_name_byte(**byte)).count())
}

/// Masks everything from the name of a secret to the end of an argument, and the user part of URLs.
pub(super) fn without_secrets(argument: &[u8]) -> Cow<'_, [u8]> {
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
        let arguments: Arguments = arguments.iter().map(|one| one.as_bytes().into()).collect();
        arguments
            .redacted()
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
            ("Authorization: Bearer hunter2", "Authorization:***"),
            ("PGPWD=hunter2", "PGPWD=***"),
            (
                "https://s3/x?X-Amz-Signature=hunter2",
                "https://s3/x?X-Amz-Signature=***",
            ),
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
        fn a_value_never_survives_its_name(name in "[a-z_-]{0,8}(password|Pwd|Secret|TOKEN|api[-_]key|credential|auth|signature)[a-z]{0,4}",
            separator in "[=: ]", value in "[!-~]{1,20}") {
            let joined = format!("{name}{separator}{value}");
            let masked = format!("{name}{separator}***");
            prop_assert_eq!(shown(&["p", &joined]), ["p", &*masked]);
            prop_assert_eq!(shown(&["p", &name, &value]), ["p", &*name, "***"]);
        }

        #[test]
        fn full_arguments_are_unchanged(arguments in prop::collection::vec(any::<Vec<u8>>(), 0..4)) {
            let arguments: Vec<Box<[u8]>> = arguments.into_iter().map(Into::into).collect();
            let both = Arguments::from(arguments.clone());
            prop_assert_eq!(both.printed(Printed::Full), Some(&*arguments));
            prop_assert_eq!(both.printed(Printed::Redacted).map(<[_]>::len), Some(arguments.len()));
            prop_assert_eq!(both.printed(Printed::None), None);
        }
    }
}
