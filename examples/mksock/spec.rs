//! Parses one word of the command line, `KIND[:KEY=VALUE[,KEY=VALUE]...]`.
//!
//! Values are bytes: `\xHH` is one byte, so names can contain newlines, NULs, commas and invalid UTF-8. A key that the
//! kind does not have is rejected, so that a typo cannot pass as a test.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use anyhow::{Context as _, Result, bail};

use crate::kinds::{self, Kind};

/// A parsed word.
pub(crate) struct Spec {
    /// The word as it was given; it names the sockets in the output.
    pub(crate) text: String,
    pub(crate) kind: &'static Kind,
    values: Vec<(String, Vec<u8>)>,
}

impl Spec {
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let (name, rest) = text.split_once(':').unwrap_or((text, ""));
        let kind = kinds::find(name).with_context(|| format!("no kind `{name}`: see mksock --list"))?;
        let mut values = Vec::new();
        for pair in rest.split(',').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair
                .split_once('=')
                .with_context(|| format!("`{pair}` in `{text}` is not KEY=VALUE"))?;
            if !kind.keys.split(' ').any(|known| known == key) {
                bail!("{name} has no key `{key}`; it has: {}", kind.keys);
            }
            values.push((key.to_owned(), unescape(value)?));
        }
        Ok(Self {
            text: text.to_owned(),
            kind,
            values,
        })
    }

    /// The value of `key`; of several the last one.
    pub(crate) fn bytes(&self, key: &str) -> Option<&[u8]> {
        let pair = self.values.iter().rev().find(|(known, _)| known == key);
        pair.map(|(_, value)| value.as_slice())
    }

    /// The value of `key` parsed, if it was given.
    pub(crate) fn parsed<T>(&self, key: &str) -> Result<Option<T>>
    where
        T: FromStr,
        T::Err: std::error::Error + Send + Sync + 'static,
    {
        let Some(value) = self.bytes(key) else {
            return Ok(None);
        };
        let text = std::str::from_utf8(value).with_context(|| format!("{key} is not text"))?;
        let value = text
            .parse()
            .with_context(|| format!("{key}={text} cannot be read"))?;
        Ok(Some(value))
    }

    /// A count, 0 when not given.
    /// The value of a key as text.
    pub(crate) fn text_of(&self, key: &str) -> Option<String> {
        let value = self.values.iter().find(|(name, _)| name == key)?;
        Some(String::from_utf8_lossy(&value.1).into_owned())
    }

    pub(crate) fn count(&self, key: &str) -> Result<usize> {
        Ok(self.parsed(key)?.unwrap_or(0))
    }

    /// `KEY=1` or `KEY=0`; `None` when not given.
    pub(crate) fn switch(&self, key: &str) -> Result<Option<bool>> {
        match self.bytes(key) {
            None => Ok(None),
            Some(b"1") => Ok(Some(true)),
            Some(b"0") => Ok(Some(false)),
            Some(_) => bail!("{key} is 0 or 1"),
        }
    }

    /// Whether `KEY=1` was given.
    pub(crate) fn is_on(&self, key: &str) -> Result<bool> {
        Ok(self.switch(key)?.unwrap_or(false))
    }

    /// `addr` and `port`, with a default address and port 0 (the kernel chooses).
    pub(crate) fn address(&self, default: IpAddr) -> Result<SocketAddr> {
        let ip = self.parsed("addr")?.unwrap_or(default);
        Ok(SocketAddr::new(ip, self.parsed("port")?.unwrap_or(0)))
    }
}

fn unescape(text: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut parts = text.split('\\');
    bytes.extend_from_slice(parts.next().unwrap_or("").as_bytes());
    for part in parts {
        let code = part
            .strip_prefix('x')
            .and_then(|rest| rest.get(..2))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok())
            .with_context(|| format!("`\\{part}` is not an escape: only \\xHH is"))?;
        bytes.push(code);
        bytes.extend_from_slice(part.as_bytes().get(3..).unwrap_or(&[]));
    }
    Ok(bytes)
}
