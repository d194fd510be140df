//! What a listing means: what is captured, and how it is shown.

use super::select::Selection;
use super::{CapturePlan, Facts, NamesWanted};
use crate::cli::{ColorWhen, ListArgs, UsageError};
use crate::model::{Protocol, State, StateSet};
use crate::query::field::{FIELDS, Field};
use crate::query::{self, Expr};
use crate::render::cells::Column;
use crate::render::plain::Plain;
use crate::render::table::TableView;
use crate::source::netlink::unix::{SHOW_BASIC, SHOW_EXTENDED};

/// What is known of the place where a listing is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Whether stdout is a terminal.
    pub is_terminal: bool,
    /// Its width in cells, or that of `COLUMNS`.
    pub width: Option<usize>,
    /// `NO_COLOR`, or a terminal that is dumb.
    pub no_color: bool,
    /// `CLICOLOR_FORCE`.
    pub force_color: bool,
}

/// A listing, ready to be run.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "options of their own")]
pub struct ListPlan {
    /// What is captured.
    pub capture: CapturePlan,
    /// How it is shown.
    pub output: Output,
    /// Sockets in time-wait are counted and not shown.
    pub hide_time_wait: bool,
    /// Every table was asked for, but this version does not have them all.
    pub everything: bool,
    /// `--exit-status`.
    pub exit_status: bool,
    /// `--quiet`.
    pub quiet: bool,
    /// `--explain-plan`.
    pub explain: bool,
    /// Bare words of the filter, for a hint if nothing matches.
    pub bare_words: Vec<String>,
}

/// The form of the output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// The columns of ss, as rows come.
    Plain(Plain),
    /// The table for people.
    Table(TableView),
    /// One JSON document with these keys in each row.
    Json(Vec<Field>),
}

impl ListPlan {
    /// The plan for these options in that place, with the filter already parsed.
    ///
    /// # Errors
    /// See [`Selection::of`].
    pub fn new(args: &ListArgs, filter: query::Parsed, place: &Place) -> Result<Self, UsageError> {
        let selection = Selection::of(args, filter.states, filter.protocols)?;
        let filtered = filter.expr.is_some();
        let hide_time_wait = selection.by_default && !filtered;
        let needs_owners = filter.expr.as_ref().is_some_and(Expr::needs_owners);
        let owners = args.processes || args.threads || selection.by_default || needs_owners;
        let shown = Shown {
            args,
            selection: &selection,
            owners,
            place,
        };
        let output = shown.output();
        let people = !matches!(output, Output::Plain(_));
        let needs_processes = filter.expr.as_ref().is_some_and(Expr::needs_processes);
        let mut dumps = selection.dumps();
        let filter_fields = filter.expr.as_ref().map(Expr::fields).unwrap_or_default();
        let of_attributes = [
            Field::Mark,
            Field::Cgroup,
            Field::Shutdown,
            Field::SocketOptions,
            Field::IpProtocol,
        ];
        let all_attributes = args.extended
            || matches!(output, Output::Json(_))
            || filter_fields.iter().any(|field| of_attributes.contains(field));
        for dump in &mut dumps {
            dump.all_attributes = all_attributes;
        }
        for dump in dumps.iter_mut().filter(|dump| dump.protocol == Protocol::Unix) {
            let extended = args.extended || matches!(output, Output::Json(_));
            dump.extensions = SHOW_BASIC | if extended { SHOW_EXTENDED } else { 0 };
        }
        if let Some(expr) = &filter.expr {
            dumps = dumps.into_iter().filter_map(|dump| dump.narrowed(expr)).collect();
        }
        Ok(Self {
            capture: CapturePlan {
                dumps,
                owners_by: args.owners,
                filter: filter.expr,
                owners,
                facts: if people || needs_processes {
                    Facts::Full
                } else {
                    Facts::Comm
                },
                names: NamesWanted {
                    users: people,
                    cgroups: args.extended || matches!(output, Output::Json(_)),
                    hosts: args.resolve,
                },
                proc_root: args.proc_root.clone(),
            },
            output,
            hide_time_wait,
            everything: selection.everything,
            exit_status: args.exit_status,
            quiet: args.quiet,
            explain: args.explain_plan,
            bare_words: filter.words,
        })
    }
}

/// What decides over columns.
struct Shown<'a> {
    args: &'a ListArgs,
    selection: &'a Selection,
    owners: bool,
    place: &'a Place,
}

impl Shown<'_> {
    fn output(&self) -> Output {
        if self.args.json {
            Output::Json(FIELDS.iter().map(|info| info.field).collect())
        } else if self.args.table || (self.place.is_terminal && !self.args.plain) {
            Output::Table(self.table())
        } else {
            Output::Plain(self.plain())
        }
    }

    fn plain(&self) -> Plain {
        let args = self.args;
        Plain {
            header: !args.no_header,
            netid: self.selection.has_several_tables(),
            state: self.selection.states.len() != 1,
            queues: !args.no_queues,
            processes: self.owners,
            threads: args.threads,
            timer: args.options || args.extended,
            extended: args.extended,
            names: args.resolve,
        }
    }

    fn table(&self) -> TableView {
        let args = self.args;
        let listening = self.selection.is_listening_view();
        let mut columns = vec![Column::Proto];
        if !listening {
            columns.push(Column::State);
        }
        if !args.no_queues {
            columns.extend(if listening {
                &[][..]
            } else {
                &[Column::RecvQ, Column::SendQ]
            });
        }
        columns.push(Column::Local);
        if listening {
            columns.push(Column::Scope);
        } else {
            columns.push(Column::Peer);
        }
        let has_listeners = !self
            .selection
            .states
            .intersection(StateSet::of(State::Listen))
            .is_empty();
        if has_listeners && !args.no_queues {
            columns.push(Column::AcceptQ);
        }
        if args.options || args.extended {
            columns.push(Column::Timer);
        }
        if listening || args.extended {
            columns.push(Column::User);
        }
        if args.extended {
            columns.extend([Column::Inode, Column::Cookie, Column::Cgroup]);
        }
        if self.owners {
            columns.extend([Column::Process, Column::Command]);
        }
        let colors = match args.color {
            ColorWhen::Always => true,
            ColorWhen::Never => false,
            ColorWhen::Auto => self.place.force_color || (self.place.is_terminal && !self.place.no_color),
        };
        TableView {
            columns,
            width: self.place.width,
            colors,
            header: !args.no_header,
            names: args.resolve,
        }
    }
}
