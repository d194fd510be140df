//! `--columns`, `--add` and `--hide`: resolves names to fields, and determines what a capture must read to fill them.

use crate::cli::UsageError;
use crate::query::field::{Cost, Field, Kind};
use crate::query::group::GroupKey;
use crate::query::sort::SortKey;
use crate::query::{field_of, nearest_field};

/// The columns that the options name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// Show exactly these.
    pub only: Option<Vec<Field>>,
    /// Add these.
    pub add: Vec<Field>,
    /// Hide these.
    pub hide: Vec<Field>,
}

impl Choice {
    /// Parses the words of the three options.
    ///
    /// # Errors
    /// An unknown field name, with the nearest known one.
    pub fn of(only: &[String], add: &[String], hide: &[String]) -> Result<Self, UsageError> {
        Ok(Self {
            only: if only.is_empty() {
                None
            } else {
                Some(fields("--columns", only)?)
            },
            add: fields("--add", add)?,
            hide: fields("--hide", hide)?,
        })
    }

    /// Returns whether none of the options was used.
    pub fn is_none(&self) -> bool {
        self.only.is_none() && self.add.is_empty() && self.hide.is_empty()
    }

    /// Returns the columns, given the default ones. Each occurs once, in the order of first mention.
    pub fn applied(&self, usual: impl IntoIterator<Item = Field>) -> Vec<Field> {
        let mut chosen = Vec::new();
        let base = match &self.only {
            Some(only) => only.clone(),
            None => usual.into_iter().collect(),
        };
        for field in base.into_iter().chain(self.add.iter().copied()) {
            if !chosen.contains(&field) && !self.hide.contains(&field) {
                chosen.push(field);
            }
        }
        chosen
    }

    /// The fields that were named.
    pub fn named(&self) -> impl Iterator<Item = Field> {
        self.applied([]).into_iter()
    }
}

/// Returns the field with this name.
///
/// # Errors
/// If there is none.
pub fn field(option: &str, name: &str) -> Result<Field, UsageError> {
    field_of(name).ok_or_else(|| {
        let hint = match nearest_field(name) {
            Some(near) if Field::from_name(near).is_some() => format!("did you mean '{near}'?"),
            _ => "run `sockstat columns` for the fields".to_owned(),
        };
        let name = crate::render::escape::text(name.as_bytes());
        UsageError::new(format!("unknown field '{name}' in {option}")).with_hint(hint)
    })
}

/// Parses the keys of `--sort`; empty for `default`, the default order, which also breaks ties in every other order.
///
/// # Errors
/// An unknown field name, or an order other than `asc` and `desc`.
pub fn sort_keys(lists: &[String]) -> Result<Vec<SortKey>, UsageError> {
    words(lists)
        .filter(|word| *word != "default")
        .map(|word| {
            let (name, order) = word.split_once(':').unwrap_or((word, "asc"));
            let descending = match order {
                "asc" => false,
                "desc" => true,
                _ => {
                    return Err(UsageError::new(format!(
                        "unknown order '{}' in --sort: expected asc or desc",
                        crate::render::escape::text(order.as_bytes())
                    ))
                    .with_hint(format!("{name}:desc sorts the largest first")));
                }
            };
            Ok(SortKey {
                field: field("--sort", name)?,
                descending,
            })
        })
        .collect()
}

/// Parses the keys of `--by`.
///
/// # Errors
/// A name that is unknown or repeated, a queue, or a prefix that is not a valid length or does not follow an address.
pub fn group_keys(lists: &[String]) -> Result<Vec<GroupKey>, UsageError> {
    let keys: Vec<GroupKey> = words(lists).map(group_key).collect::<Result<_, _>>()?;
    for (index, key) in keys.iter().enumerate() {
        let name = key.field.name();
        if matches!(key.field, Field::RecvQ | Field::SendQ | Field::AcceptQ) {
            return Err(
                UsageError::new(format!("cannot group by {name}: --by sums it for each group"))
                    .with_hint("to find full queues, use --sort recv_q:desc"),
            );
        }
        if keys.iter().take(index).any(|other| other.field == key.field) {
            return Err(UsageError::new(format!("{name} occurs twice in --by")));
        }
    }
    Ok(keys)
}

fn group_key(word: &str) -> Result<GroupKey, UsageError> {
    let Some((name, prefix)) = word.split_once('/') else {
        let field = field("--by", word)?;
        return Ok(GroupKey { field, prefix: None });
    };
    let field = field("--by", name)?;
    match prefix.parse() {
        Ok(length @ 0..=128) if field.info().kind == Kind::Address => Ok(GroupKey {
            field,
            prefix: Some(length),
        }),
        _ => Err(UsageError::new(format!(
            "invalid prefix '{}' in --by",
            crate::render::escape::text(word.as_bytes())
        ))
        .with_hint("expected peer_address/24 for IPv4, peer_address/64 for IPv6")),
    }
}

fn words(lists: &[String]) -> impl Iterator<Item = &str> {
    let words = lists.iter().flat_map(|list| list.split(',')).map(str::trim);
    words.filter(|word| !word.is_empty())
}

fn fields(option: &str, lists: &[String]) -> Result<Vec<Field>, UsageError> {
    words(lists).map(|name| field(option, name)).collect()
}

/// Returns what must be captured for these fields.
pub fn needs(fields: &[Field]) -> Cost {
    fields.iter().map(|field| field.info().cost).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(list: &str) -> Vec<String> {
        vec![list.to_owned()]
    }

    #[test]
    fn orders_and_prefixes_are_read() {
        let keys = sort_keys(&words("recv_q:desc,local_port")).unwrap();
        assert_eq!(
            keys.iter().map(|key| key.descending).collect::<Vec<_>>(),
            [true, false]
        );
        assert_eq!(sort_keys(&words("default")).unwrap(), []);
        assert!(sort_keys(&words("recv_q:up")).is_err() && sort_keys(&words("nothing")).is_err());
        assert_eq!(group_keys(&words("peer_address/24")).unwrap()[0].prefix, Some(24));
        for wrong in ["state/24", "peer_address/129", "peer_address/", "peer_adress"] {
            assert!(group_keys(&words(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn columns_are_named_once_added_and_hidden() {
        let choice = Choice::of(&[], &words("pid,state"), &words("protocol")).unwrap();
        assert_eq!(
            choice.applied([Field::Protocol, Field::State]),
            [Field::State, Field::Pid]
        );
        let only = Choice::of(&words("pid, pid,local_port"), &[], &[]).unwrap();
        assert_eq!(only.applied([Field::Protocol]), [Field::Pid, Field::LocalPort]);
    }

    #[test]
    fn an_unknown_name_is_an_error_with_the_nearest() {
        let error = Choice::of(&words("recvq"), &[], &[]).unwrap_err().to_string();
        assert!(
            error.contains("recvq") && error.contains("did you mean 'recv_q'?"),
            "{error}"
        );
    }

    #[test]
    fn needs_are_those_of_the_fields() {
        assert_eq!(needs(&[Field::LocalPort, Field::RecvQ]), Cost::NOTHING);
        let pid = needs(&[Field::Pid]);
        assert!(pid.has(Cost::OWNERS) && !pid.has(Cost::PROCESSES));
        let drops = needs(&[Field::RecvQ, Field::Drops]);
        assert!(drops.has(Cost::DROPS) && drops.has(Cost::ATTRIBUTES));
        assert!(
            needs(&[Field::RttUs]).has(Cost::INFO),
            "a part costs what its object costs"
        );
    }
}
