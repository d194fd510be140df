//! Tests from command lines to requests and output forms.

use std::ffi::OsString;

use super::{ListPlan, Output, Place};
use crate::cli;
use crate::model::Protocol;
use crate::model::details::kind;
use crate::model::request::{Facts, Parts, Wanted};
use crate::query::{Mode, parse};
use crate::render::cells::Column;
use crate::render::form::Form;
use crate::render::lines::Lines;
use crate::render::table::TableView;

const PIPE: Place = Place {
    is_terminal: false,
    width: None,
    no_color: false,
    force_color: false,
};

const TERMINAL: Place = Place {
    is_terminal: true,
    width: Some(100),
    ..PIPE
};

fn planned(line: &str, place: &Place) -> Result<ListPlan, String> {
    let words = std::iter::once("sockstat").chain(line.split_whitespace());
    let words: Vec<OsString> = words.map(Into::into).collect();
    let args = cli::parse(&words).unwrap().list;
    let filter = parse(&args.filter, Mode::List).unwrap();
    ListPlan::new(&args, filter, place).map_err(|error| error.to_string())
}

fn plan(line: &str) -> ListPlan {
    planned(line, &PIPE).unwrap()
}

fn table(line: &str) -> TableView {
    match planned(line, &TERMINAL).unwrap().output {
        Output::Table(view) => view,
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn owners_are_searched_for_if_something_shows_or_needs_them() {
    for line in [
        "",
        "-tp",
        "-tT",
        "-tZ",
        "-tz",
        "-t pid = 7",
        "-t --columns pid",
        "-t --add process",
        "-t --sort pid",
        "-t --by process",
        "-t --pids",
    ] {
        assert!(plan(line).capture.owners, "{line}");
    }
    for line in [
        "-t",
        "--columns state",
        "--by state",
        "-t sport = :80",
        "-t --json",
    ] {
        assert!(!plan(line).capture.owners, "{line}");
    }
}

#[test]
fn more_than_the_process_name_is_read_if_more_is_shown() {
    let facts = |line| plan(line).capture.facts;
    assert_eq!(facts("-t --columns pid"), Facts::Comm);
    assert_ne!(facts("-t --columns process"), Facts::Comm);
    assert_ne!(
        facts("-t --by pid"),
        Facts::Comm,
        "a group has the parents of its process"
    );
    assert_eq!(facts("-tZ"), Facts::Contexts);
    assert_eq!(facts("-tz"), Facts::Contexts);
    let of_sockets = |line| plan(line).capture.socket_contexts;
    assert!(of_sockets("-tz") && !of_sockets("-tZ"));
}

#[test]
fn time_wait_is_only_counted_if_nothing_was_selected() {
    assert!(plan("").hide_time_wait);
    for line in ["-t", "-a", "sport = :80", "state time-wait"] {
        assert!(!plan(line).hide_time_wait, "{line}");
    }
}

#[test]
fn options_determine_the_form_else_the_terminal_does() {
    let form = |line: &str, place: &Place| match planned(line, place).unwrap().output {
        Output::Lines(Lines::Ss(_)) => "ss",
        Output::Lines(Lines::Json(_) | Lines::JsonWithArguments(_)) => "jsonl",
        Output::Lines(Lines::Csv(_)) => "csv",
        Output::Lines(Lines::Blanks(_)) => "fields",
        Output::Table(_) => "table",
        Output::Json(_) => "json",
        Output::Groups(grouping) => match grouping.form {
            Form::Json => "groups json",
            Form::Jsonl => "groups jsonl",
            Form::Csv => "groups csv",
            Form::Plain => "groups",
            Form::Table => "groups table",
        },
        Output::Pids => "pids",
    };
    for (line, in_pipe, on_terminal) in [
        ("-t", "ss", "table"),
        ("-t --plain", "ss", "ss"),
        ("-t --table", "table", "table"),
        ("-t --columns state", "fields", "table"),
        ("-t --hide state", "fields", "table"),
        ("-t --json", "json", "json"),
        ("-t --jsonl", "jsonl", "jsonl"),
        ("-t --csv", "csv", "csv"),
        ("-t --pids", "pids", "pids"),
        ("-t --by state", "groups", "groups table"),
        ("-t --by state --json", "groups json", "groups json"),
        ("-t --by state --jsonl", "groups jsonl", "groups jsonl"),
        ("-t --by state --csv", "groups csv", "groups csv"),
        ("-t --by state --table", "groups table", "groups table"),
    ] {
        assert_eq!(
            (form(line, &PIPE), form(line, &TERMINAL)),
            (in_pipe, on_terminal),
            "{line}"
        );
    }
}

#[test]
fn options_that_answer_different_questions_are_an_error() {
    for (line, words) in [
        ("--json --pids", "cannot be used together"),
        ("-N all --proc-root /x", "-N and --proc-root"),
        ("--by state --sort pid", "--sort and --by"),
        ("--by state --columns pid", "--by cannot be used with"),
        ("--by state --hide pid", "--by cannot be used with"),
        ("--pids --by state", "--pids cannot be used with"),
        ("--pids --limit 1", "--pids cannot be used with"),
        ("--pids --sort pid", "--pids cannot be used with"),
        ("--pids --add pid", "--pids cannot be used with"),
    ] {
        let error = planned(line, &PIPE).map(|_| ()).unwrap_err();
        assert!(error.contains(words), "{line}: {error}");
    }
    assert!(planned("--by state --limit 3", &PIPE).is_ok());
}

#[test]
fn rows_keep_the_order_of_the_kernel_unless_an_order_is_requested() {
    assert_eq!(plan("-t").sort, None);
    assert_eq!(plan("-t --sort default").sort, Some(vec![]));
    let keys = plan("-t --sort recv_q:desc").sort.unwrap();
    assert!(keys.len() == 1 && keys[0].descending);
}

#[test]
fn only_what_is_shown_is_requested_from_the_kernel() {
    let of_tcp = |line: &str| {
        let plan = plan(line);
        let dump = &plan.capture.dumps[0];
        let of_unix = [
            Parts::UNIX_NAMES,
            Parts::UNIX_PEERS,
            Parts::UNIX_FILES,
            Parts::UNIX_CLIENTS,
            Parts::RINGS,
        ];
        let of_unix = of_unix.into_iter().fold(Parts::NONE, Parts::and);
        (dump.wanted, Parts::from_bits(dump.parts.bits() & !of_unix.bits()))
    };
    let attribute = Parts::attribute;
    let info = attribute(kind::INFO)
        .and(attribute(kind::CONG))
        .and(attribute(kind::VEGASINFO));
    assert_eq!(of_tcp("-t"), (Wanted::Row, Parts::NONE));
    assert_eq!(of_tcp("-te"), (Wanted::Attributes, Parts::NONE));
    assert_eq!(of_tcp("-t --columns mark"), (Wanted::Attributes, Parts::NONE));
    assert_eq!(of_tcp("-t --json"), (Wanted::Attributes, Parts::NONE));
    assert_eq!(of_tcp("-ti"), (Wanted::Details, info));
    assert_eq!(of_tcp("-tm"), (Wanted::Details, Parts::MEMORY));
    assert_eq!(of_tcp("-t rtt > 5"), (Wanted::Details, attribute(kind::INFO)));
    assert_eq!(of_tcp("-t --columns drops"), (Wanted::Attributes, Parts::DROPS));
    let of_unix = |line: &str| plan(line).capture.dumps[0].parts;
    let basic = Parts::UNIX_NAMES.and(Parts::UNIX_PEERS);
    assert_eq!(of_unix("-x"), basic);
    for line in ["-xe", "-x --json", "-x --columns peer_inode"] {
        let more = Parts::UNIX_FILES.and(Parts::UNIX_CLIENTS);
        assert_eq!(
            of_unix(line).bits() & !Parts::RINGS.bits(),
            basic.and(more).bits(),
            "{line}"
        );
    }
}

#[test]
fn a_filter_narrows_the_dumps_and_drops_those_that_cannot_match() {
    let dumps = |line: &str| {
        let dumps = plan(line).capture.dumps;
        dumps
            .into_iter()
            .map(|dump| (dump.protocol, dump.local_port))
            .collect::<Vec<_>>()
    };
    assert_eq!(dumps("-ta sport = :80"), [(Protocol::Tcp, Some(80))]);
    assert_eq!(dumps("-tua protocol = tcp"), [(Protocol::Tcp, None)]);
    assert_eq!(dumps("-tua"), [(Protocol::Udp, None), (Protocol::Tcp, None)]);
}

#[test]
fn descriptors_are_searched_only_if_everything_is_wanted() {
    for line in ["-ap", "-ap inode = 5"] {
        assert!(plan(line).capture.descriptor_only, "{line}");
    }
    for line in ["-a", "-tap", "-p", "-ap sport = :80", "-ap4"] {
        assert!(!plan(line).capture.descriptor_only, "{line}");
    }
}

#[test]
fn other_ends_are_read_if_a_column_shows_them() {
    let peers = |line: &str, place: &Place| {
        let peers = planned(line, place).unwrap().capture.peers;
        (peers.unix, peers.inet)
    };
    assert_eq!(peers("-xt", &PIPE), (false, false));
    assert_eq!(peers("-xt", &TERMINAL), (true, false));
    assert_eq!(peers("-xtp", &TERMINAL), (true, true));
    assert_eq!(
        peers("-tp", &TERMINAL),
        (false, true),
        "no table with unix sockets"
    );
    assert_eq!(peers("-xt --columns peer_inode", &PIPE), (true, true));
}

#[test]
fn listeners_have_columns_of_their_own() {
    use Column::{
        AcceptQ, Command, Cookie, Drops, Inode, Local, Peer, Process, Proto, RecvBuffer, RecvQ, Scope, SendQ,
        State, SynRecv, Timer, User,
    };
    let columns = |line| table(line).columns;
    assert_eq!(columns("-t"), [Proto, State, RecvQ, SendQ, Local, Peer]);
    assert_eq!(columns("-ta"), [Proto, State, RecvQ, SendQ, Local, Peer, AcceptQ]);
    assert_eq!(
        columns("-tl"),
        [Proto, Local, Scope, AcceptQ, SynRecv, RecvBuffer, Drops, User]
    );
    assert_eq!(columns("-tlQ"), [Proto, Local, Scope, User]);
    assert_eq!(columns("-tQp"), [Proto, State, Local, Peer, Process, Command]);
    assert_eq!(columns("-tQo"), [Proto, State, Local, Peer, Timer]);
    let extended = columns("-tQe");
    for column in [Timer, User, Inode, Cookie, Column::Cgroup] {
        assert!(extended.contains(&column), "{column:?}");
    }
    assert_eq!(columns("-tQ --hide state"), [Proto, Local, Peer]);
    assert!(
        columns("-tQ --hide peer_address").contains(&Peer),
        "its port is still shown"
    );
    assert!(columns("-tl").contains(&Drops) && plan("-tl --table").capture.half_open);
    assert!(!plan("-t --table").capture.half_open);
}

#[test]
fn colour_and_width_are_those_of_the_terminal_unless_an_option_overrides_them() {
    let colors = |line: &str, place: &Place| match planned(line, place).unwrap().output {
        Output::Table(view) => view.colors,
        other => panic!("{other:?}"),
    };
    let quiet = Place {
        no_color: true,
        ..TERMINAL
    };
    let forced = Place {
        force_color: true,
        ..PIPE
    };
    assert!(colors("-t", &TERMINAL) && !colors("-t", &quiet));
    assert!(colors("-t --table", &forced) && !colors("-t --table", &PIPE));
    assert!(colors("-t --table --color always", &PIPE) && !colors("-t --color never", &TERMINAL));
    assert_eq!((table("-t").width, table("-t --wide").width), (Some(100), None));
}

#[test]
fn names_are_looked_up_if_they_are_shown() {
    let names = |line: &str| {
        let names = plan(line).capture.names;
        (names.users, names.cgroups, names.namespaces, names.hosts)
    };
    assert_eq!(names("-t"), (false, false, false, false));
    assert_eq!(names("-t --columns user"), (true, false, false, false));
    assert_eq!(names("-te"), (false, true, false, false));
    assert_eq!(names("-t --cgroup"), (false, true, false, false));
    assert_eq!(names("-t --columns netns_name"), (false, false, true, false));
    assert_eq!(names("-tr"), (false, false, false, true));
}
