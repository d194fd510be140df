//! Stopped holders of a socket: the kernel still completes connections for them, but nothing answers.

use super::bind::owner::Owner;
use crate::model::process::Stop;

/// One stopped process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its program and pid, as text.
    pub title: String,
    /// Its id.
    pub pid: u32,
    /// What stopped it.
    pub stop: Stop,
    /// Whether the reader may signal it without more privileges.
    pub may_signal: bool,
}

/// The stopped processes among the holders of a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stopped {
    members: Vec<Member>,
    are_all: bool,
    creator_is_unseen: bool,
}

impl Stopped {
    /// The stopped processes among the holders; `None` if all of them run. `reader` is the user id of the reader of the
    /// answer. If no holder belongs to the user who created the socket, another process probably holds it too
    /// ([`crate::model::Row::creator_is_unseen`]).
    pub fn among(holders: &[Owner], reader: u32, creator_is_unseen: bool) -> Option<Self> {
        let stopped = holders.iter().filter_map(|owner| {
            Some(Member {
                title: owner.title(),
                pid: owner.pid,
                stop: owner.stop?,
                may_signal: reader == 0 || owner.uid == Some(reader),
            })
        });
        let stopped = Self::of(stopped.collect(), holders.len())?;
        Some(Self {
            creator_is_unseen,
            ..stopped
        })
    }

    /// The same, given the stopped ones and the number of all holders.
    pub fn of(members: Vec<Member>, holders: usize) -> Option<Self> {
        let are_all = members.len() == holders;
        (!members.is_empty()).then_some(Self {
            members,
            are_all,
            creator_is_unseen: false,
        })
    }

    /// Whether all known holders are stopped.
    pub fn are_all(&self) -> bool {
        self.are_all
    }

    /// Their ids.
    pub fn pids(&self) -> Vec<u32> {
        self.members.iter().map(|member| member.pid).collect()
    }

    /// Who is stopped, as a clause: `nginx 7 is stopped (state T)`.
    pub fn clause(&self) -> String {
        let states: &str = match (self.has(Stop::Signal), self.has(Stop::Tracer)) {
            (true, true) => "T or t",
            (_, true) => "t",
            _ => "T",
        };
        let who = match self.members.as_slice() {
            [one] => format!("{} is", one.title),
            [one, two] => format!("{} and {} are", one.title, two.title),
            several if self.are_all => format!("all {} holders are", several.len()),
            several => format!("{} of its holders are", several.len()),
        };
        format!("{who} stopped (state {states})")
    }

    /// What makes them run again, as text after "until" or "after".
    pub fn end(&self) -> String {
        let them = if self.members.len() == 1 { "it" } else { "them" };
        if self.has(Stop::Tracer) {
            return format!("the debugger continues {them}");
        }
        let sudo = if self.members.iter().all(|member| member.may_signal) {
            ""
        } else {
            "sudo "
        };
        let pids: Vec<_> = self.members.iter().map(|member| member.pid.to_string()).collect();
        format!("`{sudo}kill -CONT {}`", pids.join(" "))
    }

    /// What that means for clients, as a clause.
    pub fn for_clients(&self) -> String {
        let (clause, end) = (self.clause(), self.end());
        if self.are_all && self.creator_is_unseen {
            format!("{clause}: unless a process that you may not inspect answers, nothing will until {end}")
        } else if self.are_all {
            format!("{clause}: nothing will answer until {end}")
        } else {
            format!("{clause} until {end}; other holders run")
        }
    }

    /// What that means for signals, as a clause.
    pub fn for_signals(&self) -> String {
        let takes = if self.members.len() == 1 { "takes" } else { "take" };
        format!(
            "{} and {takes} no signal but KILL until {}",
            self.clause(),
            self.end()
        )
    }

    fn has(&self, stop: Stop) -> bool {
        self.members.iter().any(|member| member.stop == stop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(pid: u32, stop: Option<Stop>) -> Owner {
        Owner {
            pid,
            program: b"nginx".to_vec(),
            uid: Some(33),
            stop,
            ..Owner::default()
        }
    }

    fn said(stops: &[Option<Stop>], reader: u32) -> Option<String> {
        let holders: Vec<_> = (7..).zip(stops).map(|(pid, stop)| holder(pid, *stop)).collect();
        Some(Stopped::among(&holders, reader, false)?.for_clients())
    }

    #[test]
    fn clients_get_no_answer_if_no_holder_runs() {
        let (stopped, traced) = (Some(Stop::Signal), Some(Stop::Tracer));
        let is = |text: &str| Some(text.to_owned());
        assert_eq!(said(&[None, None], 0), None);
        assert_eq!(said(&[], 0), None);
        assert_eq!(
            said(&[stopped], 33),
            is("nginx 7 is stopped (state T): nothing will answer until `kill -CONT 7`")
        );
        assert_eq!(
            said(&[stopped, stopped], 1000),
            is("nginx 7 and nginx 8 are stopped (state T): nothing will answer until `sudo kill -CONT 7 8`")
        );
        assert_eq!(
            said(&[stopped; 3], 0),
            is("all 3 holders are stopped (state T): nothing will answer until `kill -CONT 7 8 9`")
        );
        assert_eq!(
            said(&[stopped, None], 0),
            is("nginx 7 is stopped (state T) until `kill -CONT 7`; other holders run")
        );
        assert_eq!(
            said(&[traced], 0),
            is("nginx 7 is stopped (state t): nothing will answer until the debugger continues it")
        );
        assert_eq!(
            said(&[stopped, traced, stopped, None], 0),
            is(
                "3 of its holders are stopped (state T or t) until the debugger continues them; other holders run"
            )
        );
    }

    #[test]
    fn if_the_creators_process_is_hidden_it_may_answer() {
        let stopped = Stopped::among(&[holder(7, Some(Stop::Signal))], 33, true).unwrap();
        assert_eq!(
            stopped.for_clients(),
            "nginx 7 is stopped (state T): unless a process that you may not inspect answers, nothing will until \
             `kill -CONT 7`"
        );
    }

    #[test]
    fn only_kill_reaches_a_stopped_process() {
        let stopped = Stopped::among(&[holder(7, Some(Stop::Signal))], 0, false).unwrap();
        assert_eq!(
            stopped.for_signals(),
            "nginx 7 is stopped (state T) and takes no signal but KILL until `kill -CONT 7`"
        );
        assert_eq!((stopped.pids(), stopped.are_all()), (vec![7], true));
    }
}
