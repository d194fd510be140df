//! Plans a listing: what to capture and how to show it.

use std::path::PathBuf;

use super::columns::{self, Choice, needs};
use super::details;
use super::output::{Grouping, form};
use super::select::{Selection, Words};
use super::{Output, Place};
use crate::cli::{ColorWhen, ListArgs, UsageError};
use crate::engine::Request;
use crate::model::request::{Dump, Facts, NamesWanted, Parts, PeerKinds, netns};
use crate::model::{Protocol, State, StateSet};
use crate::query::field::{Cost, Field, plain_fields, usual_fields};
use crate::query::group::GroupKey;
use crate::query::pushdown::narrowed;
use crate::query::sort::SortKey;
use crate::query::{self, Expr};
use crate::render::cells::Column;
use crate::render::form::Form;
use crate::render::lines::{Columns, Lines};
use crate::render::plain::Plain;
use crate::render::table::TableView;
use crate::render::tokens::Users;

/// A listing, ready to run.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "options of their own")]
pub struct ListPlan {
    /// What to capture.
    pub capture: Request,
    /// How to show it.
    pub output: Output,
    /// The order of `--sort`, empty for the default one; `None` for rows as they arrive, in streaming formats.
    pub sort: Option<Vec<SortKey>>,
    /// Maximum number of rows or groups.
    pub limit: Option<usize>,
    /// Whether rows show if clients on other machines can reach them.
    pub reachable: bool,
    /// Whether sockets in time-wait are only counted.
    pub hide_time_wait: bool,
    /// `--exit-status`.
    pub exit_status: bool,
    /// `--quiet`.
    pub quiet: bool,
    /// `--explain-plan`.
    pub explain: bool,
    /// `-D`: the file for raw kernel messages, instead of rows.
    pub diag: Option<PathBuf>,
    /// Bare words of the filter, for a hint if nothing matches.
    pub bare_words: Vec<String>,
    /// The words of the filter as typed.
    pub words: Vec<String>,
    /// Whether the options select only connected sockets, as table options of ss do.
    pub only_connected: bool,
}

impl ListPlan {
    /// Plans a listing for these options and this terminal; the filter is already parsed.
    ///
    /// # Errors
    /// See [`Selection::of`].
    pub fn new(args: &ListArgs, filter: query::Parsed, place: &Place) -> Result<Self, UsageError> {
        let selection = Selection::of(args, Words::of(&filter))?;
        let only_connected = selection.leaves_out_listeners();
        let filtered = filter.expr.is_some();
        let hide_time_wait = selection.by_default && !filtered;
        let needs_owners = filter.expr.as_ref().is_some_and(Expr::needs_owners);
        let choice = Choice::of(&args.columns, &args.add, &args.hide)?;
        let sort = columns::sort_keys(&args.sort)?;
        let by = columns::group_keys(&args.by)?;
        check_together(args)?;
        let others = sort
            .iter()
            .map(|key| key.field)
            .chain(by.iter().map(|key| key.field));
        let of_pids = args.pids.then_some(Field::Pid);
        let named: Vec<Field> = choice.named().chain(others).chain(of_pids).collect();
        // Parents are among the facts about processes.
        let by_pid = by.iter().any(|key| key.field == Field::Pid);
        let needs_processes = by_pid || filter.expr.as_ref().is_some_and(Expr::needs_processes);
        let asked = args.processes
            || args.threads
            || args.context
            || args.contexts
            || ((selection.by_default || (selection.without_options && filter.has_bare_state))
                && choice.only.is_none()
                && by.is_empty());
        let owners = asked || needs_owners || needs(&named).has(Cost::OWNERS);
        let shown = Shown {
            args,
            choice,
            by,
            selection: &selection,
            owners,
            place,
        };
        let output = shown.output();
        let filter_fields = filter.expr.as_ref().map(Expr::fields).unwrap_or_default();
        let needed = needs(&[&output.needed_fields()[..], &filter_fields, &named].concat());
        let mut dumps = selection.dumps();
        let by_name = cost_by_name(args, &filter_fields, &named, &output, filter.expr.as_ref());
        // Details make every reply longer, so they are read only if named.
        let (wanted, parts) = details::of(args, needed, by_name);
        let has_unix = dumps.iter().any(|dump| dump.protocol == Protocol::Unix);
        let peers = output.peers(owners, needed, by_name);
        // Other ends are requested only if some table can have them.
        let peers = PeerKinds {
            unix: peers.unix && has_unix,
            ..peers
        };
        let everywhere = args.extended || matches!(output, Output::Json(_));
        let files = everywhere || peers.unix || filter.expr.as_ref().is_some_and(Expr::needs_files);
        let parts = parts
            .and(Parts::UNIX_NAMES.and(Parts::UNIX_PEERS))
            .and_if(files, Parts::UNIX_FILES.and(Parts::UNIX_CLIENTS))
            .and_if(everywhere, Parts::RINGS);
        for dump in &mut dumps {
            (dump.wanted, dump.parts) = (wanted, parts);
        }
        let everything = owners && selection.is_everything();
        let (dumps, descriptor_only) = narrow(dumps, filter.expr.as_ref(), everything);
        let of_peers = dumps.iter().filter_map(|dump| dump.for_peers(peers));
        let half_open = by_name.has(Cost::HALF_OPEN);
        let opening = dumps.iter().filter(|_| half_open).filter_map(Dump::for_half_open);
        let others = of_peers.chain(opening).collect();
        Ok(Self {
            capture: Request {
                dumps,
                peers,
                half_open,
                descriptor_only,
                others,
                owners_by: args.owners.into(),
                filter: filter.expr,
                owners,
                facts: Facts::of(
                    by_name.has(Cost::CONTEXTS),
                    needed.has(Cost::PROCESSES) || needs_processes,
                ),
                arguments: args.cmdline.into(),
                socket_contexts: by_name.has(Cost::SOCKET_CONTEXTS),
                names: NamesWanted {
                    users: needed.has(Cost::USERS),
                    cgroups: args.extended || args.cgroup || needed.has(Cost::CGROUPS),
                    namespaces: needed.has(Cost::NAMESPACES),
                    hosts: args.resolve,
                    machine: needed.has(Cost::MACHINE),
                },
                proc_root: args.proc_root.clone(),
                ..Request::default()
            },
            output,
            sort: Some(sort).filter(|_| !args.sort.is_empty()),
            limit: args.limit,
            reachable: by_name.has(Cost::REACHABLE),
            hide_time_wait,
            exit_status: args.exit_status,
            quiet: args.quiet,
            explain: args.explain_plan,
            diag: args.diag.clone(),
            bare_words: filter.words,
            only_connected,
            words: words_of(&args.filter),
        })
    }
}

/// Returns the words of a filter, which may be quoted as a whole.
fn words_of(filter: &[String]) -> Vec<String> {
    let words = filter.iter().flat_map(|typed| typed.split_whitespace());
    words.map(str::to_owned).collect()
}

impl ListPlan {
    /// Rejects fields that only the listing can fill.
    ///
    /// # Errors
    /// If `reachable` is a column or in the filter.
    pub(super) fn without_reachable(self) -> Result<Self, UsageError> {
        if self.reachable {
            Err(UsageError::new("'reachable' works only in the listing")
                .with_hint("sockstat -tul --add reachable"))
        } else {
            Ok(self)
        }
    }
}

/// What must be captured for fields named in a filter or elsewhere, and for options that ask for more.
fn cost_by_name(
    args: &ListArgs,
    filtered: &[Field],
    named: &[Field],
    output: &Output,
    filter: Option<&Expr>,
) -> Cost {
    // A table of listeners is short and read by people, so it may show more.
    let shows_load = matches!(output, Output::Table(view) if view.columns.contains(&Column::Drops));
    let filters_contexts = filter.is_some_and(Expr::needs_contexts);
    needs(&[filtered, named].concat())
        .and_if(shows_load, Cost::MEMORY.and(Cost::HALF_OPEN))
        .and_if(args.context || args.contexts || filters_contexts, Cost::CONTEXTS)
        .and_if(args.contexts, Cost::SOCKET_CONTEXTS)
}

/// Returns the dumps that the filter needs and, if `everything` is wanted, whether to include sockets that are missing
/// from every dump.
fn narrow(dumps: Vec<Dump>, filter: Option<&Expr>, everything: bool) -> (Vec<Dump>, bool) {
    let Some(filter) = filter else {
        return (dumps, everything);
    };
    let kept: Vec<Dump> = dumps
        .iter()
        .cloned()
        .filter_map(|dump| narrowed(dump, filter))
        .collect();
    // A filter that excludes only some table, state or address is about sockets in dumps; one that excludes every dump
    // is about the sockets that dumps miss.
    if everything && (kept.is_empty() || kept == dumps) {
        (dumps, true)
    } else {
        (kept, false)
    }
}

/// Rejects options that answer different questions, instead of guessing.
fn check_together(args: &ListArgs) -> Result<(), UsageError> {
    let by = !args.by.is_empty();
    let columns = !(args.columns.is_empty() && args.add.is_empty() && args.hide.is_empty());
    let forms = [args.json, args.jsonl, args.csv, args.pids];
    if forms.into_iter().filter(|form| *form).count() > 1 {
        Err(
            UsageError::new("--json, --jsonl, --csv and --pids cannot be used together")
                .with_hint("choose one"),
        )
    } else if args.proc_root.is_some() && !args.netns.is_empty() {
        Err(UsageError::new("-N and --proc-root cannot be used together")
            .with_hint("the tables below --proc-root belong to one namespace"))
    } else if by && !args.sort.is_empty() {
        Err(UsageError::new("--sort and --by cannot be used together")
            .with_hint("--by prints the largest group first"))
    } else if by && columns {
        Err(
            UsageError::new("--by cannot be used with --columns, --add or --hide")
                .with_hint("a group has the fields of --by, and counts"),
        )
    } else if args.pids && (by || columns || !args.sort.is_empty() || args.limit.is_some()) {
        Err(
            UsageError::new("--pids cannot be used with other output forms, --sort or --limit")
                .with_hint("it prints each owner once, in the order of process ids"),
        )
    } else {
        Ok(())
    }
}

/// What determines the columns.
struct Shown<'a> {
    args: &'a ListArgs,
    choice: Choice,
    by: Vec<GroupKey>,
    selection: &'a Selection,
    owners: bool,
    place: &'a Place,
}

impl Shown<'_> {
    fn output(&self) -> Output {
        let args = self.args;
        let all = || self.choice.applied(usual_fields());
        let header = !args.no_header;
        let form = form(args, self.place);
        if args.pids {
            return Output::Pids;
        }
        if !self.by.is_empty() {
            return Output::Groups(Grouping {
                keys: self.by.clone(),
                form,
                header,
            });
        }
        match form {
            Form::Json => Output::Json(all()),
            Form::Jsonl => Output::Lines(Lines::Json(all())),
            Form::Csv => {
                let fields = all();
                Output::Lines(Lines::Csv(Columns { fields, header }))
            }
            Form::Table => Output::Table(self.table()),
            Form::Plain if self.choice.is_none() => Output::Lines(Lines::Ss(self.plain())),
            Form::Plain => {
                let fields = self.choice.applied(plain_fields(self.owners));
                Output::Lines(Lines::Blanks(Columns { fields, header }))
            }
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
            users: Users {
                threads: args.threads,
                contexts: args.context || args.contexts,
                socket_contexts: args.contexts,
            },
            timer: args.options || args.extended,
            extended: args.extended,
            tos: args.tos,
            tipc: args.tipcinfo,
            cgroup: args.cgroup,
            socket_options: args.inet_sockopt,
            memory: args.memory,
            filters: args.bpf,
            info: args.info,
            names: args.resolve,
            netns: netns::are_several(&args.netns),
        }
    }

    /// The default columns of the table.
    fn usual_table(&self) -> Vec<Column> {
        let args = self.args;
        let listening = self.selection.is_listening_view();
        let queues = !args.no_queues;
        let has_listeners = !self
            .selection
            .states
            .intersection(StateSet::of(State::Listen))
            .is_empty();
        let place = if listening { Column::Scope } else { Column::Peer };
        let parts: [(bool, &[Column]); 13] = [
            (netns::are_several(&args.netns), &[Column::Netns]),
            (true, &[Column::Proto]),
            (!listening, &[Column::State]),
            (!listening && queues, &[Column::RecvQ, Column::SendQ]),
            (true, &[Column::Local, place]),
            (has_listeners && queues, &[Column::AcceptQ]),
            (
                listening && queues,
                &[Column::SynRecv, Column::RecvBuffer, Column::Drops],
            ),
            (args.options || args.extended, &[Column::Timer]),
            (listening || args.extended, &[Column::User]),
            (args.extended, &[Column::Inode, Column::Cookie, Column::Cgroup]),
            (args.context || args.contexts, &[Column::Field(Field::Context)]),
            (args.contexts, &[Column::Field(Field::SocketContext)]),
            (self.owners, &[Column::Process, Column::Command]),
        ];
        let shown = parts.into_iter().filter(|(shown, _)| *shown);
        shown.flat_map(|(_, columns)| columns.iter().copied()).collect()
    }

    fn table(&self) -> TableView {
        let args = self.args;
        let choice = &self.choice;
        let mut columns = if choice.only.is_some() {
            Vec::new()
        } else {
            self.usual_table()
        };
        columns.retain(|column| {
            let fields = column.fields();
            fields.is_empty() || fields.iter().any(|field| !choice.hide.contains(field))
        });
        for field in choice.named() {
            if !columns.iter().any(|column| column.fields() == [field]) {
                columns.push(Column::Field(field));
            }
        }
        let colors = match args.color {
            ColorWhen::Always => true,
            ColorWhen::Never => false,
            ColorWhen::Auto => self.place.force_color || (self.place.is_terminal && !self.place.no_color),
        };
        TableView {
            columns,
            width: self.place.width.filter(|_| !args.wide),
            colors,
            header: !args.no_header,
            names: args.resolve,
            facts: details::facts(args),
        }
    }
}
