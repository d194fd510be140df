//! `kill`: ends the owner of a port. The owner is shown first and verified again before it is signalled; the port is
//! checked afterwards.

mod end;
pub mod find;
#[cfg(feature = "watch")]
pub(super) mod fixed;
mod json;
mod ports;

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::caller::Caller;
use super::{ask, losses, out};
use crate::exit::Exit;
use crate::model::OwnerStatus;
use crate::plan::KillPlan;
use crate::plan::kill::Goal;
use crate::render::{escape, human};
use crate::source::proc::held::{Held, held};
use crate::source::signals::{may_signal, signal_named};

use end::{Progress, Refused, Target};
use find::{Found, Victim, find};

/// How many other ports of a target are named.
const ALSO_MAX: usize = 8;
/// How long the kernel may take to release a port after its holder has ended.
const PORTS_WITHIN: Duration = Duration::from_secs(2);

/// Exit 0 if the ports that the filter names are free, or for any other filter if every target has ended; 1 if not,
/// 2 for a wrong command line.
///
/// # Errors
/// If /proc cannot be read or the output cannot be written.
pub fn run(plan: &KillPlan, caller: &Caller) -> anyhow::Result<Exit> {
    let Some(signal) = signal_named(&plan.signal) else {
        return out::usage(format!(
            "invalid value '{}' for '--signal': expected TERM, INT, HUP, QUIT, KILL, USR1 or USR2",
            plan.signal
        ));
    };
    if plan.numeric && !plan.dry_run {
        out::complain(
            "-n means numeric addresses, the default; --dry-run shows the targets and ends nothing\n",
        );
    }
    let found = find(plan, caller.reader())?;
    if let Some(line) = left_out(&found, caller) {
        out::complain(&line);
    }
    let too_many = || {
        let targets = unrelated(&found.victims).filter(|_| !plan.all)?;
        Some(format!(
            "{targets}. Use --all to end them all, or name one (pid = N)"
        ))
    };
    if let Some(reason) = refusal(plan, &found, caller).or_else(too_many) {
        out::complain(&format!("{reason}\n"));
        return Ok(Exit::Failed);
    }
    let json = plan.json;
    let shown: String = found.victims.iter().map(shown).collect();
    if json {
        out::complain(&shown);
    } else {
        out::print(shown.as_bytes())?;
    }
    if plan.dry_run {
        let untouched: Vec<_> = found
            .victims
            .iter()
            .map(|victim| (victim, Ending::default()))
            .collect();
        if json {
            out::print(&json::document(plan, &untouched))?;
        }
        out::complain("dry run: no signal was sent\n");
        return Ok(Exit::Done);
    }
    if signal == Signal::KILL {
        out::complain("KILL cannot be caught: nothing is saved, nothing is cleaned up\n");
    }
    if !plan.yes
        && let Some(victim) = found.victims.iter().find(|victim| !may_signal(&victim.pids))
    {
        let refused = refusal_of_signal(&name_of(victim), victim, Refused::Forbidden, caller);
        out::complain(&refused);
        return Ok(Exit::Failed);
    }
    if !plan.yes && !ask::confirmed(&format!("Send {}?", plan.signal)) {
        return Ok(Exit::Failed);
    }
    let mut endings: Vec<(&Victim, Ending)> = Vec::new();
    for victim in &found.victims {
        endings.push((victim, end(plan, victim, found.goal, signal, caller)));
    }
    // Only now, when all servers that shared a port have been signalled.
    let deadline = Instant::now() + PORTS_WITHIN;
    for (victim, ending) in &mut endings {
        let (free, words) = ports::check(victim, deadline);
        ending.ports_free = Some(free);
        if !json {
            out::print(format!("{}; {words}\n", ending.words(&name_of(victim))).as_bytes())?;
        }
    }
    if json {
        out::print(&json::document(plan, &endings))?;
    }
    let done = endings.iter().all(|(_, ending)| match found.goal {
        Goal::Port => ending.ports_free == Some(true),
        Goal::Process => ending.ended_after_ms.is_some(),
    });
    Ok(if done { Exit::Done } else { Exit::Failed })
}

/// What happened to a target.
#[derive(Clone, Debug, Default)]
pub struct Ending {
    /// The processes that were signalled.
    pub signalled: Vec<u32>,
    /// How long it took until all of them had ended; `None` if one still runs, or none was signalled.
    pub ended_after_ms: Option<u64>,
    /// Whether its ports can be bound now; `None` if that was not checked.
    pub ports_free: Option<bool>,
}

impl Ending {
    /// What happened to the processes, as the start of a sentence.
    fn words(&self, name: &str) -> String {
        match (self.signalled.is_empty(), self.ended_after_ms) {
            (false, Some(after_ms)) => format!("{name} ended after {}", human::duration_ms(after_ms)),
            (false, None) => format!("{name} was signalled and still runs"),
            (true, Some(_)) => format!("{name} had ended before it was signalled"),
            // Or it could not be verified, which was already reported.
            (true, None) => format!("{name} was not signalled"),
        }
    }
}

/// Why nothing is signalled at all.
fn refusal(plan: &KillPlan, found: &Found, caller: &Caller) -> Option<String> {
    if found.victims.is_empty() {
        if let Some(reason) = nobody_to_end(found, caller) {
            return Some(reason);
        }
        let pid = plan.number;
        let lives = pid.filter(|pid| std::path::Path::new(&format!("/proc/{pid}/stat")).exists());
        return Some(match lives {
            Some(pid) => format!("no listener on port {pid}; did you mean pid = {pid}?"),
            None => "nothing matches".to_owned(),
        });
    }
    for victim in &found.victims {
        let name = name_of(victim);
        if victim.forwards_for_container {
            let tool = victim.container_tool;
            let stop = victim
                .stop_container
                .clone()
                .unwrap_or_else(|| format!("{tool} ps shows the container, {tool} stop ends it"));
            return Some(format!(
                "{name} forwards ports for a container and must not be ended on its own: {stop}"
            ));
        }
        if victim.is_one_of_us {
            return Some(format!(
                "refused: {name} is process 1, this program or one of its ancestors"
            ));
        }
    }
    None
}

/// A message that names the targets, if there are several.
fn unrelated(victims: &[Victim]) -> Option<String> {
    let names: Vec<_> = victims.iter().map(name_of).collect();
    let count = names.len();
    (count > 1).then(|| format!("{count} unrelated targets: {}", names.join(", ")))
}

/// What would find hidden owners. It is no harmless command: it ends what it finds.
fn more_rights(found: &Found, caller: &Caller) -> String {
    let effect = "finds the owner and ends it (it asks first, unless --yes is given)";
    losses::more_rights_so_that(found.unseen, caller, effect)
}

/// A line about sockets whose hidden owner may also match the filter.
fn left_out(found: &Found, caller: &Caller) -> Option<String> {
    let (count, more) = (found.left_out, more_rights(found, caller));
    let (sockets, their) = if count == 1 {
        ("socket was", "its owner is hidden")
    } else {
        ("sockets were", "their owners are hidden")
    };
    (count > 0).then(|| format!("{count} {sockets} left out, because {their} and may match: {more}\n"))
}

/// Why no process can be ended although sockets match; `None` if no socket matches.
fn nobody_to_end(found: &Found, caller: &Caller) -> Option<String> {
    // The reason that has a remedy comes first.
    let status = [OwnerStatus::Hidden, OwnerStatus::Elsewhere, OwnerStatus::InFlight]
        .into_iter()
        .find(|status| found.ownerless.contains(status))
        .or(found.ownerless.first().copied())?;
    let reason = match status {
        _ if found.unseen.proc_is_empty => {
            format!("/proc shows no process: {}", more_rights(found, caller))
        }
        OwnerStatus::Hidden => {
            format!("the owner is hidden: {}", more_rights(found, caller))
        }
        OwnerStatus::Elsewhere => format!("the owner is in another pid namespace: {}", losses::ELSEWHERE),
        OwnerStatus::InFlight => "no process holds it now: it may be in flight between processes".to_owned(),
        OwnerStatus::Kernel => "the kernel itself holds it".to_owned(),
        OwnerStatus::None => "no process holds it any more".to_owned(),
        OwnerStatus::Queued => "it waits to be accepted, and only its listener has an owner".to_owned(),
        OwnerStatus::Known | OwnerStatus::Unknown | OwnerStatus::NotAsked => "no owner was found".to_owned(),
    };
    Some(match found.ownerless.len() {
        1 => format!("1 socket matches, but {reason}"),
        several => {
            format!("{several} sockets match, but none has an owner to end. For one of them, {reason}")
        }
    })
}

fn name_of(victim: &Victim) -> String {
    let name = format!(
        "{} {}",
        escape::text(&victim.program),
        victim.pids.first().copied().unwrap_or(0)
    );
    match victim.pids.len() {
        0 | 1 => name,
        several => format!("{name} +{}", several - 1),
    }
}

/// What will be ended, on one line, and what may start it again.
fn shown(victim: &Victim) -> String {
    let places: Vec<_> = victim
        .places
        .iter()
        .map(|place| format!("{}/{}", place.0, place.1.name()))
        .collect();
    let mut text = name_of(victim);
    if let Some(command) = &victim.command {
        let short: String = command.chars().take(100).collect();
        let _ = write!(text, "  {short}");
    }
    let _ = writeln!(text, "   {}   user {}", places.join(", "), victim.user);
    text.push_str(&unusual_holders(victim));
    if let Some(stopped) = &victim.stopped {
        let _ = writeln!(text, "{}", stopped.for_signals());
    }
    if !victim.also.is_empty() {
        let also = victim.also.iter().take(ALSO_MAX);
        let also: Vec<_> = also
            .map(|place| format!("{}/{}", place.0, place.1.name()))
            .collect();
        let more = match victim.also.len().saturating_sub(ALSO_MAX) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let _ = writeln!(text, "also holds {}{more}: closed as well", also.join(", "));
    }
    let instead = |stop: Option<String>| stop.map_or_else(String::new, |stop| format!("; instead: {stop}"));
    if let Some(master) = &victim.master {
        let name = master.title();
        let stop = instead(victim.stop_master.clone().filter(|_| victim.unit.is_none()));
        let _ = writeln!(
            text,
            "started by {name}, which you may not inspect: it probably holds the port too, and starts them again{stop}"
        );
    }
    if let Some((name, pid)) = victim.supervisor.as_ref().filter(|_| victim.unit.is_none()) {
        let name = escape::text(name);
        let _ = writeln!(text, "started by {name} {pid}, which may start it again");
    }
    if let Some(container) = &victim.container {
        let tool = victim.container_tool;
        let stop = instead(victim.stop_container.clone());
        let _ = writeln!(
            text,
            "in the container {container}: {tool} {}{stop}",
            victim.restart
        );
    } else if let Some(unit) = &victim.unit {
        let stop = instead(victim.stop_unit.clone());
        let _ = writeln!(text, "in {unit}: systemd {}{stop}", victim.restart);
    }
    text
}

/// Lines about holders that the process's own descriptor list does not show.
fn unusual_holders(victim: &Victim) -> String {
    let mut lines: Vec<String> = Vec::new();
    for holder in &victim.holders {
        let mut line = match held(holder) {
            Held::Ring => format!("  registered with the io_uring of descriptor {}", holder.fd),
            _ if holder.tid != 0 => format!("  held by descriptor {}", holder.fd),
            _ => continue,
        };
        let _ = match holder.tid {
            0 => writeln!(line, " of process {}", holder.pid),
            tid => writeln!(line, " of thread {tid}"),
        };
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines.concat()
}

/// Signals one target and waits for it to end. Failures are printed.
fn end(plan: &KillPlan, victim: &Victim, goal: Goal, first: Signal, caller: &Caller) -> Ending {
    let begun = Instant::now();
    let timeout = plan.timeout;
    let mut ending = Ending::default();
    let name = name_of(victim);
    let mut target = match Target::pin(&victim.pids, &find::same_sockets(victim), goal) {
        Ok(target) => target.of_siblings(victim.master.is_some()),
        Err(refused) => {
            out::complain(&refusal_of_signal(&name, victim, refused, caller));
            return ending;
        }
    };
    let mut signal = first;
    loop {
        let progress = target.signal(signal, Instant::now() + timeout);
        ending.signalled = target.signalled();
        match progress {
            Err(refused) => {
                out::complain(&refusal_of_signal(&name, victim, refused, caller));
                return ending;
            }
            Ok(Progress::Ended) => {
                ending.ended_after_ms = Some(ms(begun.elapsed()));
                return ending;
            }
            Ok(Progress::ClosedSockets) if goal == Goal::Port || ending.signalled.is_empty() => {
                return ending;
            }
            Ok(Progress::ClosedSockets | Progress::Running) => {}
        }
        if signal == Signal::KILL {
            out::complain(&format!("{name} still runs after KILL\n"));
            return ending;
        }
        let closed = match progress {
            Ok(Progress::ClosedSockets) => "; its sockets are closed",
            _ => "",
        };
        let waited = human::duration_ms(ms(timeout));
        let stopped = find::stopped(&victim.pids, &victim.program).map_or_else(String::new, |stopped| {
            let (clause, end) = (stopped.clause(), stopped.end());
            format!("; {clause} and gets {} only after {end}", plan.signal)
        });
        out::complain(&format!("{name} did not end within {waited}{closed}{stopped}\n"));
        if plan.yes || !ask::confirmed("Send KILL?") {
            out::complain("--signal KILL ends it unconditionally\n");
            return ending;
        }
        signal = Signal::KILL;
    }
}

/// Why a process was not signalled, and what to do about it.
fn refusal_of_signal(name: &str, victim: &Victim, refused: Refused, caller: &Caller) -> String {
    match refused {
        Refused::Forbidden => {
            let more = caller.sudo().unwrap_or_else(|| "needs CAP_KILL".to_owned());
            let user = &victim.user;
            format!("{name} belongs to {user}, and you may not signal it: {more}\n")
        }
        Refused::Unverified => {
            let more = caller.sudo().unwrap_or_else(|| "needs CAP_SYS_PTRACE".to_owned());
            format!(
                "{name} may have closed the socket meanwhile, which cannot be checked; not signalled: {more}\n"
            )
        }
        Refused::Failed(errno) => format!("cannot signal {name}: {errno}\n"),
    }
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
