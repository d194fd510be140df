//! `--columns`, `--add` and `--hide`: from names to fields, and what a capture has to know to fill them.

use crate::cli::UsageError;
use crate::query::field::Field;
use crate::query::nearest_field;

/// Fields that are read only when all attributes of an answer are.
const OF_ATTRIBUTES: [Field; 6] = [
    Field::Drops,
    Field::Mark,
    Field::Cgroup,
    Field::Shutdown,
    Field::SocketOptions,
    Field::IpProtocol,
];

/// What was said about columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// Exactly these.
    pub only: Option<Vec<Field>>,
    /// And these.
    pub add: Vec<Field>,
    /// But not these.
    pub hide: Vec<Field>,
}

impl Choice {
    /// From the words of the three options.
    ///
    /// # Errors
    /// A name that no field has, with the nearest that one has.
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

    /// Whether nothing was said.
    pub fn is_none(&self) -> bool {
        self.only.is_none() && self.add.is_empty() && self.hide.is_empty()
    }

    /// The columns, where these are the usual ones. Each once, in the order of its first mention.
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

    /// The fields that were asked for by name.
    pub fn named(&self) -> impl Iterator<Item = Field> {
        self.applied([]).into_iter()
    }
}

/// The field of a name.
///
/// # Errors
/// If there is none.
pub fn field(option: &str, name: &str) -> Result<Field, UsageError> {
    Field::from_name(name).ok_or_else(|| {
        let hint = match nearest_field(name) {
            Some(near) if Field::from_name(near).is_some() => format!("did you mean '{near}'?"),
            _ => "`sockstat columns` lists the fields".to_owned(),
        };
        let name = crate::render::escape::text(name.as_bytes());
        UsageError::new(format!("{option}: there is no field '{name}'")).with_hint(hint)
    })
}

fn fields(option: &str, lists: &[String]) -> Result<Vec<Field>, UsageError> {
    let names = lists.iter().flat_map(|list| list.split(',')).map(str::trim);
    names
        .filter(|name| !name.is_empty())
        .map(|name| field(option, name))
        .collect()
}

/// What has to be captured so that fields can be told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each costs something of its own")]
pub struct Needs {
    /// Who holds the sockets.
    pub owners: bool,
    /// More of their processes than the kernel's short name.
    pub processes: bool,
    /// Login names.
    pub users: bool,
    /// Paths of cgroups.
    pub cgroups: bool,
    /// All attributes of an answer.
    pub attributes: bool,
    /// The counter of drops.
    pub drops: bool,
}

impl Needs {
    /// Of these fields.
    pub fn of(fields: &[Field]) -> Self {
        let any = |wanted: &[Field]| fields.iter().any(|field| wanted.contains(field));
        Self {
            owners: fields.iter().any(|field| field.info().of_owner),
            processes: any(&[Field::Process, Field::Owners]),
            users: any(&[Field::User, Field::Owners]),
            cgroups: any(&[Field::Cgroup]),
            attributes: any(&OF_ATTRIBUTES),
            drops: any(&[Field::Drops]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(list: &str) -> Vec<String> {
        vec![list.to_owned()]
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
    fn needs_follow_the_fields() {
        assert_eq!(Needs::of(&[Field::LocalPort, Field::RecvQ]), Needs::default());
        assert!(Needs::of(&[Field::Pid]).owners && !Needs::of(&[Field::Pid]).processes);
        assert!(Needs::of(&[Field::Drops]).drops && Needs::of(&[Field::Drops]).attributes);
    }
}
