//! Hidden owners, and what can be decided without them.

use super::*;
use crate::model::{Ownership, Row};

#[test]
fn hidden_owners_leave_a_row_undecided_only_where_they_matter() {
    let ssh = tcp("::", 22, "::", 0, State::Listen);
    for (filter, status, expected) in [
        ("nginx", OwnerStatus::Hidden, Match::OwnersUnknown),
        ("pid != 1", OwnerStatus::NotAsked, Match::OwnersUnknown),
        ("not nginx", OwnerStatus::Elsewhere, Match::OwnersUnknown),
        ("nginx", OwnerStatus::Kernel, Match::No),
        ("not nginx", OwnerStatus::None, Match::Yes),
        ("nginx and sport 80", OwnerStatus::Hidden, Match::No),
        ("nginx or sport 22", OwnerStatus::Hidden, Match::Yes),
        ("nginx or sport 80", OwnerStatus::Unknown, Match::OwnersUnknown),
        ("nginx", OwnerStatus::Queued, Match::OwnersUnknown),
        ("owner_status = hidden", OwnerStatus::Hidden, Match::Yes),
        ("mark = 1", OwnerStatus::Hidden, Match::No),
        ("mark != 1", OwnerStatus::Hidden, Match::No),
    ] {
        assert_eq!(
            verdict(filter, &ssh, status, &[]),
            expected,
            "{filter} {status:?}"
        );
    }
    let unread = verdict("nginx", &ssh, OwnerStatus::Known, &[holder(7777, 3)]);
    assert_eq!(
        unread,
        Match::OwnersUnknown,
        "the process vanished before its facts were read"
    );
    assert_eq!(
        verdict("pid = 7777", &ssh, OwnerStatus::Known, &[holder(7777, 3)]),
        Match::Yes
    );
}

#[test]
fn the_part_without_owners_drops_nothing_that_may_match() {
    let without = |filter: &str| {
        let expr = read(filter).expr.unwrap();
        expr.without_owners().map(|expr| format!("{expr:?}"))
    };
    let same = |filter: &str| read(filter).expr.map(|expr| format!("{expr:?}"));
    assert_eq!(without("nginx"), None);
    assert_eq!(without("nginx or sport = 22"), None);
    assert_eq!(without("nginx and sport = 22"), same("sport = 22"));
    assert_eq!(without("not (nginx or sport = 22)"), same("sport != 22"));
    assert_eq!(without("not (nginx and sport = 22)"), None);
    let needs = |filter: &str| {
        let expr = read(filter).expr.unwrap();
        (expr.needs_owners(), expr.needs_processes())
    };
    assert_eq!(needs("sport = 22"), (false, false));
    assert_eq!(needs("pid = 1"), (true, false));
    assert_eq!(needs("has(fd)"), (true, false));
    assert_eq!(needs("owner_status = known"), (true, false));
    assert_eq!(needs("nginx"), (true, true));
    assert_eq!(needs("owners.user = mark"), (true, true));
    assert_eq!(needs("user = mark"), (false, false));
}

#[test]
fn only_a_name_that_is_a_file_requires_the_files_of_sockets() {
    let mut names = samples::names();
    let file = crate::model::unix_path::FileId {
        inode: 1,
        devices: [2, 2],
    };
    names.files.insert("/run/a".into(), file);
    let needs_files = |filter: &str| read(filter).expr.unwrap().resolve(&names).unwrap().needs_files();
    assert!(needs_files("/run/a"));
    assert!(!needs_files("/run/b") && !needs_files("nginx"));
}

/// Two owners were seen, `nginx` (812) and one whose facts were not read (7777); there may be a third.
#[test]
fn one_owner_decides_for_all_and_a_hidden_one_makes_no_a_guess() {
    let socket = tcp("::", 22, "::", 0, State::Listen);
    let asked = |filter: &str, holders: &[Holder], may_be_more: bool| {
        let expr = read(filter).expr.unwrap().resolve(&samples::names()).unwrap();
        with_owners(&socket, OwnerStatus::Known, holders, |row| {
            let ownership = Ownership {
                may_be_more,
                ..row.ownership
            };
            expr.matches(&Row { ownership, ..*row })
        })
    };
    let (nginx, unread) = (holder(812, 6), holder(7777, 3));
    for (filter, holders, all_seen, with_hidden) in [
        // The order of owners does not matter, and what is true of one is true of the socket.
        ("pid = 812", &[nginx, unread][..], Match::Yes, Match::Yes),
        ("pid = 812", &[unread, nginx], Match::Yes, Match::Yes),
        ("not pid = 812", &[unread, nginx], Match::No, Match::No),
        ("nginx", &[unread, nginx], Match::Yes, Match::Yes),
        ("nginx", &[nginx, unread], Match::Yes, Match::Yes),
        // A process that was not read may be an owner.
        (
            "sshd",
            &[nginx, unread],
            Match::OwnersUnknown,
            Match::OwnersUnknown,
        ),
        // Known not to be an owner; a hidden process may be one, so `not` may not keep the row.
        ("pid = 5", &[nginx], Match::No, Match::No),
        ("not pid = 5", &[nginx], Match::Yes, Match::OwnersUnknown),
        ("not pid = 5 and sport = 23", &[nginx], Match::No, Match::No),
        ("not pid = 5 or sport = 22", &[nginx], Match::Yes, Match::Yes),
        ("not (pid = 5 or sport = 22)", &[nginx], Match::No, Match::No),
    ] {
        assert_eq!(asked(filter, holders, false), all_seen, "{filter}");
        assert_eq!(
            asked(filter, holders, true),
            with_hidden,
            "{filter}, with a hidden owner"
        );
    }
}
