//! The cost of each step for one socket, without a kernel: decode, stash, join, filter, sort, and every output format.
//!
//! `cargo bench` prints the time for a batch and, as throughput, sockets per second; `cargo bench -- filter` runs one step.
//! `examples/compare` measures whole runs against other programs.

mod made;

use std::collections::BTreeMap;
use std::hint::black_box;

use clap::Parser as _;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use sockstat::cli::ListArgs;
use sockstat::model::Owners;
use sockstat::model::request::Wanted;
use sockstat::model::{HolderTable, Protocol, Socket, Stash};
use sockstat::plan::{ListPlan, Output, Place};
use sockstat::query::{Match, Mode, parse, sort};
use sockstat::render::{groups::Groups, json, table};
use sockstat::source::netlink::{inet, unix};

use made::{Made, SOCKETS};

fn group<'a>(criterion: &'a mut Criterion, name: &str) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(SOCKETS.into()));
    group
}

fn decode(criterion: &mut Criterion) {
    made::check();
    let mut group = group(criterion, "decode");
    let mut slot = Socket::BLANK;
    let messages = made::inet_messages();
    for (name, wanted) in [("tcp", Wanted::Row), ("tcp with attributes", Wanted::Attributes)] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                for message in &messages {
                    black_box(inet::decode(black_box(message), Protocol::Tcp, wanted, &mut slot));
                }
            });
        });
    }
    let messages = made::unix_messages();
    group.bench_function("unix", |bencher| {
        bencher.iter(|| {
            for message in &messages {
                black_box(unix::decode(black_box(message), &mut slot));
            }
        });
    });
}

fn stash(criterion: &mut Criterion) {
    let made = Made::new();
    let mut group = group(criterion, "stash");
    group.bench_function("pack", |bencher| {
        bencher.iter(|| {
            let mut stash = Stash::default();
            made.sockets
                .iter()
                .for_each(|socket| stash.push(black_box(socket)));
            stash
        });
    });
    let mut stash = Stash::default();
    made.sockets.iter().for_each(|socket| stash.push(socket));
    let mut slot = Socket::BLANK;
    group.bench_function("unpack", |bencher| {
        bencher.iter(|| {
            let mut reader = stash.reader();
            while reader.next_into(&mut slot) {
                black_box(&slot);
            }
        });
    });
}

fn join(criterion: &mut Criterion) {
    let made = Made::new();
    let mut group = group(criterion, "join");
    let holders = made::holders(&made.sockets);
    group.bench_function("owner table", |bencher| {
        bencher.iter(|| Owners::new(HolderTable::new(holders.clone()), BTreeMap::new(), Vec::new()));
    });
    group.bench_function("look up", |bencher| {
        bencher.iter(|| made.rows().map(|row| row.ownership.holders.len()).sum::<usize>());
    });
}

fn filter(criterion: &mut Criterion) {
    let made = Made::new();
    let mut group = group(criterion, "filter");
    for text in [
        "sport = 40007",
        "dst 10.0.0.0/24 or dst 10.0.4.0/22",
        "state established and recv_q gt 1k",
        "peer_port in (22, 80, 443, 8000-8100) and not uid = 0",
        "process like 'work*'",
        "cmdline like /--listen [0-9.]+:443/",
    ] {
        let parsed = parse(&[text.to_owned()], Mode::List).expect("a filter");
        let expr = parsed.expr.expect("a condition");
        group.bench_function(text, |bencher| {
            bencher.iter(|| {
                made.rows()
                    .filter(|row| expr.matches(black_box(row)) == Match::Yes)
                    .count()
            });
        });
    }
}

fn sort_rows(criterion: &mut Criterion) {
    let made = Made::new();
    let mut group = group(criterion, "sort");
    group.bench_function("default", |bencher| {
        bencher.iter(|| {
            let mut rows: Vec<_> = made.sockets.iter().collect();
            rows.sort_by(|a, b| sort::by_default(a, b));
            rows
        });
    });
    let keys = plan("-tan --sort recv_q:desc,local_port")
        .sort
        .unwrap_or_default();
    group.bench_function("recv_q:desc,local_port", |bencher| {
        bencher.iter(|| {
            let mut rows: Vec<_> = made.rows().collect();
            rows.sort_by(|a, b| sort::by_keys(&keys, a, b));
            black_box(rows.len())
        });
    });
}

/// What the program plans for these options.
fn plan(options: &str) -> ListPlan {
    let args = ListArgs::try_parse_from(["sockstat"].into_iter().chain(options.split(' '))).expect("options");
    let filter = parse(&args.filter, Mode::List).expect("a filter");
    ListPlan::new(&args, filter, &Place::default()).expect("a plan")
}

#[allow(
    clippy::match_wildcard_for_single_variants,
    reason = "the formats without rows, however many there will be"
)]
fn render_once(output: &Output, made: &Made, out: &mut Vec<u8>) {
    match output {
        Output::Lines(lines) => made.rows().for_each(|row| lines.push_row(out, &row)),
        Output::Json(fields) => made.rows().for_each(|row| json::push_row(out, &row, fields)),
        Output::Table(view) => out.extend(table::render(made.rows(), view).into_bytes()),
        Output::Groups(grouping) => {
            let mut groups = Groups::new(grouping.keys.clone(), grouping.form);
            made.rows().for_each(|row| groups.add(&row));
            groups.push(out, None, true);
        }
        other => panic!("no rows in {other:?}"),
    }
}

fn render(criterion: &mut Criterion) {
    let made = Made::new();
    let mut group = group(criterion, "render");
    let mut out = Vec::new();
    for options in [
        "-tan",
        "-tanp",
        "-tane",
        "-tan --jsonl",
        "-tanp --jsonl",
        "-tan --csv",
        "-tan --jsonl --columns state,recv_q,send_q,local_address,local_port,peer_address,peer_port",
        "-tan --plain --columns local_address,local_port,peer_address,peer_port",
        "-tan --json",
        "-tanp --table",
        "-tan --by peer_address/24",
    ] {
        let output = plan(options).output;
        group.bench_function(options, |bencher| {
            bencher.iter(|| {
                out.clear();
                render_once(&output, &made, &mut out);
                black_box(out.len())
            });
        });
    }
}

criterion_group!(rows, decode, stash, join, filter, sort_rows, render);
criterion_main!(rows);
