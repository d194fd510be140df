//! What a client meets that tries each address of a name in turn, as most TCP clients do.

use super::found::Answer;
use super::judge::{PathVerdict, Reach};
use super::text::sentence;
use crate::model::Protocol;
use crate::model::system::SystemFacts;

/// Whether a connection arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// It does.
    Yes,
    /// It does not.
    No,
    /// That cannot be known from here.
    Unknown,
}

/// At one address. What was tried decides over what was predicted.
pub fn at(answer: &Answer) -> Arrival {
    match &answer.tried {
        Some((true, _)) => Arrival::Yes,
        Some((false, _)) => Arrival::No,
        None => predicted(answer),
    }
}

/// At one address, as far as can be seen without trying.
pub fn predicted(answer: &Answer) -> Arrival {
    match answer.found.verdict() {
        PathVerdict::Local(Reach::Accepted(_)) => Arrival::Yes,
        PathVerdict::AnotherMachine | PathVerdict::Local(Reach::Unknown) => Arrival::Unknown,
        PathVerdict::Special(special) if special.may_arrive(answer.protocol) => Arrival::Unknown,
        PathVerdict::Local(_) | PathVerdict::NoRoute | PathVerdict::Special(_) => Arrival::No,
    }
}

/// At any of the addresses.
pub fn at_any(answers: &[Answer]) -> Arrival {
    let has = |arrival| answers.iter().any(|one| at(one) == arrival);
    match (has(Arrival::Yes), has(Arrival::Unknown)) {
        (true, _) => Arrival::Yes,
        (false, true) => Arrival::Unknown,
        (false, false) => Arrival::No,
    }
}

/// The answer in one line. `host` is what was typed, `None` for this machine.
pub fn headline(answers: &[Answer], host: Option<&str>, system: &SystemFacts) -> String {
    let Some(first) = answers.first() else {
        return format!("No: {} has no address.", host.unwrap_or("this machine"));
    };
    let of_first = of_one(first, system);
    if answers.iter().all(|one| of_one(one, system) == of_first) {
        return of_first;
    }
    let host = host.unwrap_or("this machine");
    let port = first.port;
    let is_udp = first.protocol == Protocol::Udp;
    let what = if is_udp { "datagrams" } else { "connections" };
    match at_any(answers) {
        Arrival::Unknown => {
            format!("Cannot tell from here whether {host} takes {what} on port {port}.")
        }
        Arrival::No => format!("No: no address of {host} takes {what} on port {port}."),
        Arrival::Yes => {
            let arrives = |one: &&Answer| at(one) == Arrival::Yes;
            let before: Vec<_> = answers.iter().take_while(|one| !arrives(one)).collect();
            let Some(taking) = answers.get(before.len()) else {
                return of_first;
            };
            let place = taking.place();
            if answers.iter().all(|one| arrives(&one)) {
                format!("Yes: every address of {host} takes {what} on port {port}.")
            } else if is_udp {
                format!("Yes, at {place}: a client that uses another address of {host} gets no answer.")
            } else if before.iter().any(|one| hangs(one)) {
                format!("Yes, at {place}: a client tries {host}'s other addresses first, and waits there.")
            } else {
                format!("Yes, at {place}: a client that tries each address of {host} in turn connects.")
            }
        }
    }
}

/// The answer for one address in one line: what was tried where it differs from what was predicted.
pub fn of_one(answer: &Answer, system: &SystemFacts) -> String {
    match &answer.tried {
        Some((made, meaning)) if !is_as_predicted(answer) => {
            let word = if *made { "Yes" } else { "No" };
            format!("{word}: {meaning} (tried).")
        }
        _ => sentence(answer, system),
    }
}

/// Whether a trial connection met what was predicted, or none was made.
pub fn is_as_predicted(answer: &Answer) -> bool {
    at(answer) == predicted(answer)
}

/// Whether a connection to the address gets no answer rather than a refusal, as far as is known.
fn hangs(answer: &Answer) -> bool {
    matches!(
        answer.found.verdict(),
        PathVerdict::Local(Reach::QueueFull(_)) | PathVerdict::AnotherMachine
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::path::found::{Away, Found, Here};
    use crate::diagnose::path::judge::Why;
    use crate::model::OwnerStatus;
    use crate::model::ownership::Unseen;

    fn system() -> SystemFacts {
        crate::diagnose::bind::samples::system()
    }

    fn here(address: &str, reach: Reach) -> Answer {
        let found = Found::Here(Here {
            reach,
            sockets: Vec::new(),
            owners: Vec::new(),
            unseen: Unseen::default(),
            owner_status: OwnerStatus::Kernel,
            user: None,
            elsewhere: Vec::new(),
            gaps: Vec::new(),
        });
        Answer {
            address: address.parse().unwrap(),
            zone: None,
            port: 80,
            protocol: Protocol::Tcp,
            found,
            tried: None,
        }
    }

    fn away(address: &str) -> Answer {
        let source = Some("10.0.0.5".parse().unwrap());
        Answer {
            found: Found::Away(Away {
                source,
                ..Away::default()
            }),
            ..here(address, Reach::Refused(Why::Nothing))
        }
    }

    fn tried(answer: Answer, made: bool) -> Answer {
        let meaning = if made {
            "a connection was accepted"
        } else {
            "refused"
        };
        Answer {
            tried: Some((made, meaning.to_owned())),
            ..answer
        }
    }

    fn said(answers: &[Answer]) -> String {
        headline(answers, Some("db"), &system())
    }

    #[test]
    fn one_address_that_takes_it_is_enough() {
        let (refuses, takes) = (
            here("::1", Reach::Refused(Why::OtherFamily(0))),
            here("127.0.0.1", Reach::Accepted(0)),
        );
        let both = [refuses.clone(), takes.clone()];
        assert_eq!(at_any(&both), Arrival::Yes);
        assert_eq!(
            said(&both),
            "Yes, at 127.0.0.1:80: a client that tries each address of db in turn connects."
        );
        let hanging = [here("::1", Reach::QueueFull(0)), takes.clone()];
        assert_eq!(at_any(&hanging), Arrival::Yes);
        assert!(said(&hanging).contains("waits there"));
        assert_eq!(at_any(std::slice::from_ref(&refuses)), Arrival::No);
        assert_eq!(at_any(&[refuses.clone(), away("10.9.9.9")]), Arrival::Unknown);
        assert_eq!(at_any(&[away("10.9.9.9"), takes]), Arrival::Yes);
    }

    #[test]
    fn addresses_that_are_alike_share_one_sentence() {
        let nothing = |address| here(address, Reach::Refused(Why::Nothing));
        assert_eq!(
            said(&[nothing("::1"), nothing("127.0.0.1")]),
            "No: refused. Nothing listens on port 80."
        );
        let other = here("127.0.0.1", Reach::Refused(Why::OtherFamily(0)));
        assert_eq!(
            said(&[nothing("::1"), other]),
            "No: no address of db takes connections on port 80."
        );
    }

    #[test]
    fn what_was_tried_decides() {
        let made = tried(away("10.9.9.9"), true);
        assert_eq!(at_any(std::slice::from_ref(&made)), Arrival::Yes);
        assert_eq!(said(&[made]), "Yes: a connection was accepted (tried).");
        let refused = tried(here("127.0.0.1", Reach::Accepted(0)), false);
        assert_eq!(at_any(std::slice::from_ref(&refused)), Arrival::No);
        assert_eq!(said(&[refused]), "No: refused (tried).");
        let agrees = tried(here("127.0.0.1", Reach::Accepted(0)), true);
        assert!(is_as_predicted(&agrees) && said(&[agrees]).starts_with("Yes: The kernel itself"));
    }
}
