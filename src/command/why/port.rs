//! `why` for a port.

use super::{How, unseen};
use crate::cli::WhyArgs;
use crate::command::caller::Caller;
use crate::command::read::snapshot::Snapshot;
use crate::command::read::{elsewhere, holders, other_protocol, outside, processes, snapshot};
use crate::command::{losses, out};
use crate::diagnose::bind::cure::typed_by;
use crate::diagnose::bind::cures::cures;
use crate::diagnose::bind::errors::Errno;
use crate::diagnose::bind::holders::Holders;
use crate::diagnose::bind::json::{Rows, port as document};
use crate::diagnose::bind::next_reading::{
    diagnose_all, named, needs_given_ports, needs_options, needs_owners,
};
use crate::diagnose::bind::owner::Owner;
use crate::diagnose::bind::question::Question;
use crate::diagnose::bind::report::{Answer, Report};
use crate::diagnose::bind::systemd::Listen;
use crate::diagnose::bind::verdict::Code;
use crate::diagnose::bind::{Outcome, Verdict, diagnose, free, notes, text};
use crate::diagnose::place::{Host, PortPlace};
use crate::exit::Exit;
use crate::model::Name;
use crate::model::bind::BindAttempt;
use crate::model::gap::{lacks_sockets, missing_sockets};
use crate::model::request::OwnersBy;
use crate::model::system::SystemFacts;
use crate::model::{Context, Ownership};
use crate::model::{Gap, Protocol, State, StateSet};
use crate::source::containers::docker::Docker;
use crate::source::{credentials, hosts, security, system, tape, trial_bind};

/// How many sockets are described with their processes.
const DESCRIBED_MAX: usize = 8;
/// How many nearby ports are read with all their connections, which takes milliseconds each.
const READ_CLOSELY: usize = 2;

/// Reads what is on the port, judges and prints.
pub(super) fn answer(
    args: &WhyArgs,
    how: How,
    caller: &Caller,
    typed: &str,
    place: PortPlace,
) -> anyhow::Result<Exit> {
    match report(args, how, caller, typed, place) {
        Ok((report, snapshot, context)) => print(report, &snapshot, &context, how, caller),
        Err(reason) => out::usage(reason),
    }
}

/// The answer as human-readable text.
///
/// # Errors
/// An invalid place.
#[cfg(feature = "watch")]
pub(super) fn text(
    args: &WhyArgs,
    how: How,
    caller: &Caller,
    typed: &str,
    place: PortPlace,
) -> Result<String, String> {
    let (mut report, ..) = report(args, how, caller, typed, place)?;
    report.gaps.extend(unseen(&report.holders, caller));
    Ok(text::render(&report, caller.text_width()))
}

/// Reads and judges.
fn report(
    args: &WhyArgs,
    how: How,
    caller: &Caller,
    typed: &str,
    place: PortPlace,
) -> Result<(Report, Snapshot, Context), String> {
    let question = question(args, typed, place, how.uid)?;
    let system = system::read();
    let (attempts, mut notes) = question.attempts(&system)?;
    let (from, to) = question.ports(&system);
    let mut snapshot = snapshot::read(question.protocol, from, to);
    let lacks_sockets = lacks_sockets(&snapshot.gaps);
    let mut verdicts = verdicts(&attempts, &mut snapshot, &system, how.owners_by, !args.no_probe);
    if system::is_unrecorded() {
        verdicts = verdicts.into_iter().map(Verdict::with_system_missing).collect();
    } else if lacks_sockets {
        verdicts = despite_missing_sockets(verdicts, &attempts, &snapshot.gaps, !args.no_probe);
    }
    let context = context(&snapshot, &verdicts, question.uid);
    let gap = add_notes(&mut notes, &question, &attempts, &verdicts, &snapshot, &system);
    let stopped = outside::stopped(question.protocol, question.port, &snapshot.existing, &system);
    notes.extend(stopped.map(|stopped| notes::of_closed_port(&stopped)));
    if is_free(&question, &verdicts) {
        let other = other_protocol::clause(question.protocol, question.port, how.owners_by);
        notes.extend(other.map(|other| notes::of_other_protocol(&other)));
    }
    let mut report = Report {
        protocol: question.protocol,
        port: question.port,
        answers: Vec::new(),
        existing: snapshot.existing.clone(),
        holders: all_holders(&snapshot, &verdicts, &context, &question),
        elsewhere: elsewhere(&question, &verdicts, how.owners_by),
        user: processes::user_name(&context, question.uid),
        free_port: free_port(&attempts, &verdicts, &system).filter(|_| !lacks_sockets),
        notes,
        gaps: std::mem::take(&mut snapshot.gaps),
        taken_at: tape::now(),
        sudo: caller.sudo(),
        device: question.device.map(Name::from),
        system,
    };
    report.gaps.extend(gap);
    let answers = attempts.into_iter().zip(verdicts);
    report.answers = answers
        .map(|(attempt, verdict)| Answer {
            attempt,
            verdict,
            cures: Vec::new(),
        })
        .collect();
    let cures: Vec<_> = report
        .answers
        .iter()
        .map(|answer| cures(&report, answer))
        .collect();
    for (answer, mut cures) in report.answers.iter_mut().zip(cures) {
        typed_by(&mut cures, caller.reader());
        answer.cures = cures;
    }
    Ok((report, snapshot, context))
}

/// What was typed, with names resolved.
fn question(args: &WhyArgs, typed: &str, place: PortPlace, uid: u32) -> Result<Question, String> {
    let protocol = match (args.tcp, args.udp, place.protocol) {
        (true, true, _) => return Err("-t and -u cannot be used together: run why once for each".to_owned()),
        (true, _, Some(Protocol::Udp)) | (_, true, Some(Protocol::Tcp)) => {
            return Err(format!("'{typed}' contradicts the protocol option"));
        }
        (_, true, _) | (_, _, Some(Protocol::Udp)) => Protocol::Udp,
        _ => Protocol::Tcp,
    };
    Ok(Question {
        addresses: match place.host {
            Host::Any => None,
            Host::Address(address) => Some(vec![address]),
            Host::Name(name) => Some(hosts::addresses_of(&name)?),
        },
        scope: place.scope,
        port: place.port,
        protocol,
        ipv4: args.ipv4,
        ipv6: args.ipv6,
        v6only: args.v6only,
        reuseaddr: match (args.reuseaddr, args.no_reuseaddr) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        },
        reuseport: args.reuseport,
        device: args.device.clone(),
        uid,
        net_bind_service: uid == 0 && credentials::root_may_bind_low_ports(),
        listen: !args.no_listen,
    })
}

/// Diagnoses, and reads more until the verdicts are certain: how ports were chosen, owners, options, a trial bind.
fn verdicts(
    attempts: &[BindAttempt],
    snapshot: &mut Snapshot,
    system: &SystemFacts,
    by: OwnersBy,
    may_try: bool,
) -> Vec<Verdict> {
    let mut verdicts = diagnose_all(&snapshot.existing, attempts, system);
    if !needs_owners(&verdicts) {
        return verdicts;
    }
    if needs_given_ports(&verdicts) {
        snapshot.read_given_ports();
        verdicts = diagnose_all(&snapshot.existing, attempts, system);
    }
    snapshot.find_owners(by);
    if let Some(states) = needs_options(&verdicts, attempts, &snapshot.existing, system) {
        snapshot.read_options(states);
        verdicts = diagnose_all(&snapshot.existing, attempts, system);
    }
    for (verdict, attempt) in verdicts.iter_mut().zip(attempts) {
        if may_try
            && verdict.bind == Outcome::Undecidable
            && let Some(is_free) = trial_bind::bind_once(attempt)
        {
            let answer = if is_free {
                Outcome::Ok
            } else {
                Outcome::Fails(Errno::Eaddrinuse)
            };
            *verdict = diagnose(&snapshot.existing, attempt, system, Some(answer));
        }
    }
    verdicts
}

/// The verdicts where sockets may be missing: a trial bind shows whether one of them blocks the port.
fn despite_missing_sockets(
    verdicts: Vec<Verdict>,
    attempts: &[BindAttempt],
    gaps: &[Gap],
    may_try: bool,
) -> Vec<Verdict> {
    // Each of these sockets occupies at most one port.
    let enough = |verdict: &Verdict| match (verdict.ports_left, missing_sockets(gaps)) {
        (Some(left), Some(missing)) => left as u64 > missing,
        _ => false,
    };
    let tried: Vec<_> = verdicts
        .iter()
        .zip(attempts)
        .map(|(verdict, attempt)| {
            let open = may_try && verdict.bind == Outcome::Ok;
            open.then(|| trial_bind::bind_once(attempt)).flatten()
        })
        .collect();
    // Whatever blocks a socket with SO_REUSEADDR also blocks one without.
    let refused = |attempt: &BindAttempt| {
        let more = BindAttempt {
            reuseaddr: true,
            ..attempt.clone()
        };
        let mut others = attempts.iter().zip(&tried);
        others.any(|(other, tried)| *tried == Some(false) && *other == more)
    };
    let verdicts = verdicts.into_iter().zip(attempts).zip(&tried);
    verdicts
        .map(|((verdict, attempt), tried)| match tried {
            Some(is_free) => verdict.with_trial(*is_free),
            None if refused(attempt) => verdict.with_trial(false),
            None if enough(&verdict) => verdict,
            None => verdict.with_sockets_missing(),
        })
        .collect()
}

/// Reads the processes that hold the sockets named in the findings.
fn context(snapshot: &Snapshot, verdicts: &[Verdict], uid: u32) -> Context {
    let (mut pids, mut uids) = (Vec::new(), vec![uid]);
    let named = named(verdicts, DESCRIBED_MAX).into_iter();
    for one in named.filter_map(|at| snapshot.existing.get(at)) {
        let holders = snapshot.owners.of(&one.socket).holders;
        pids.extend(holders.iter().map(|holder| holder.pid));
        uids.extend(one.socket.uid);
    }
    processes::read(&pids, &uids)
}

/// The holders of each existing socket, described only for sockets named in the findings.
fn all_holders(
    snapshot: &Snapshot,
    verdicts: &[Verdict],
    context: &Context,
    question: &Question,
) -> Vec<Holders> {
    let mut all = vec![Holders::default(); snapshot.existing.len()];
    let listen = Listen::Port(question.port, question.protocol == Protocol::Udp);
    for at in named(verdicts, DESCRIBED_MAX) {
        if let (Some(one), Some(slot)) = (snapshot.existing.get(at), all.get_mut(at)) {
            let ownership = snapshot.owners.of(&one.socket);
            *slot = holders::of_socket(&one.socket, &ownership, snapshot.owners.unseen(), context, listen);
        }
    }
    all
}

/// Adds notes on whatever else may affect the port, and returns what could not be examined.
fn add_notes(
    all: &mut Vec<String>,
    question: &Question,
    attempts: &[BindAttempt],
    verdicts: &[Verdict],
    snapshot: &Snapshot,
    system: &SystemFacts,
) -> Option<Gap> {
    if !lacks_sockets(&snapshot.gaps) {
        all.extend(notes::of_root(attempts, verdicts, &snapshot.existing, system));
    }
    all.extend(notes::of_unlisted(verdicts));
    all.extend(notes::of_reserved_port(question.port, system));
    let publisher = Docker::default().published_by(question.port, question.protocol == Protocol::Udp);
    all.extend(publisher.map(|container| notes::of_publisher(&container.into(), question.port)));
    let (of_security, gap) = notes::of_security(&security::read());
    all.extend(of_security);
    gap
}

/// Whether the question is about a single port that no socket uses.
fn is_free(question: &Question, verdicts: &[Verdict]) -> bool {
    question.port != 0 && verdicts.iter().all(|verdict| verdict.code == Code::Free)
}

/// Who uses the port in other network namespaces, if it is free here.
fn elsewhere(question: &Question, verdicts: &[Verdict], by: OwnersBy) -> Vec<Owner> {
    if is_free(question, verdicts) {
        elsewhere::owners(question.protocol, question.port, by)
    } else {
        Vec::new()
    }
}

/// The next port that the first failing attempt could bind.
fn free_port(attempts: &[BindAttempt], verdicts: &[Verdict], system: &SystemFacts) -> Option<u16> {
    let mut blocked = verdicts
        .iter()
        .zip(attempts)
        .filter(|(verdict, _)| verdict.bind != Outcome::Ok);
    let (_, attempt) = blocked
        .next()
        .filter(|(verdict, attempt)| attempt.port != 0 && !matches!(verdict.code, Code::Refused(_)))?;
    let near = free::near(attempt)?;
    let states = match attempt.protocol {
        Protocol::Udp => StateSet::ALL,
        _ => StateSet::of(State::Listen),
    };
    let sockets = snapshot::read_states(attempt.protocol, *near.start(), *near.end(), states).existing;
    near.filter(|port| free::works_on(*port, attempt, &sockets, system))
        .take(READ_CLOSELY)
        .find(|port| {
            let all = snapshot::read(attempt.protocol, *port, *port);
            !lacks_sockets(&all.gaps) && free::works_on(*port, attempt, &all.existing, system)
        })
}

fn print(
    mut report: Report,
    snapshot: &Snapshot,
    context: &Context,
    how: How,
    caller: &Caller,
) -> anyhow::Result<Exit> {
    if !how.quiet {
        out::complain(&losses::lines(&report.gaps));
    }
    let unseen = unseen(&report.holders, caller);
    if !how.quiet {
        out::complain(&how.lines(&unseen));
    }
    report.gaps.extend(unseen);
    if how.json {
        let existing = report.existing.iter();
        let ownership: Vec<Ownership<'_>> = existing.map(|one| snapshot.owners.of(&one.socket)).collect();
        let rows = Rows {
            context,
            ownership: &ownership,
        };
        out::print(&document::render(&report, rows, env!("CARGO_PKG_VERSION")))?;
    } else {
        out::print(text::render(&report, caller.text_width()).as_bytes())?;
    }
    let binds: Vec<_> = report.answers.iter().map(|answer| answer.verdict.bind).collect();
    Ok(if binds.iter().any(|bind| matches!(bind, Outcome::Fails(_))) {
        Exit::Failed
    } else if binds.contains(&Outcome::Undecidable) {
        Exit::Incomplete
    } else {
        Exit::Done
    })
}
