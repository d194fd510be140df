//! Properties that hold for any filter and any socket.

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn any_text_is_parsed_or_rejected_with_a_position(text in "\\PC{0,60}") {
        if let Err(error) = parse(std::slice::from_ref(&text), Mode::List) {
            prop_assert!(error.span.end <= text.len());
            error.render();
        }
    }

    #[test]
    fn any_sequence_of_tokens_is_parsed_or_rejected(
        parts in proptest::collection::vec(proptest::sample::select(vec![
            "(", ")", "and", "or", "not", "!", "=", "!=", "<", "~", "/", "in", "like", ",", "sport", "state", "listen", "80", "10/8",
            "nginx", "has", "'", "\\", "src", "::1", "[", "]", ":", "*", "pid", "0x", "-", "5k", "%", "dev", "exclude", "autobound",
        ]), 0..12),
        glue in proptest::sample::select(vec!["", " "]), kill: bool,
    ) {
        let mode = if kill { Mode::Kill } else { Mode::List };
        let text = parts.join(glue);
        match parse(std::slice::from_ref(&text), mode) {
            Err(error) => prop_assert!(error.span.end <= text.len()),
            Ok(parsed) => if let Some(expr) = parsed.expr {
                samples::with_row(&samples::tcp("10.0.0.1", 80, "10.0.0.2", 5, State::Established), |row| expr.matches(row));
            }
        }
    }

    /// Dropping sockets before their owners are known never loses a matching one, whoever owns it.
    #[test]
    fn the_part_without_owners_is_necessary(filter in samples::filter(), socket in samples::inet_socket(), known: bool) {
        let Some(expr) = parse(std::slice::from_ref(&filter), Mode::List).ok().and_then(|parsed| parsed.expr) else { return Ok(()) };
        let expr = expr.resolve(&samples::names()).unwrap();
        let (status, holders) = if known { (OwnerStatus::Known, vec![holder(812, 3)]) } else { (OwnerStatus::Hidden, vec![]) };
        let whole = with_owners(&socket, status, &holders, |row| expr.matches(row));
        if let Some(part) = expr.without_owners() {
            prop_assert!(!part.needs_owners());
            let part = with_owners(&socket, OwnerStatus::NotAsked, &[], |row| part.matches(row));
            prop_assert!(whole == Match::No || part == Match::Yes, "{}", filter);
        }
    }
}
