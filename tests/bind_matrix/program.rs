//! The same comparison, through the program's JSON.

use sockstat::model::{Protocol, State};

use super::matrix::connect;
use super::sockets::{Options, fresh_port, wait_for_left_over};
use super::tally::{all_options, ask_kernel};
use super::{binary, netns};

/// A sample of the matrix, with and without probing, as root and as an ordinary user.
#[test]
fn the_program_agrees_with_the_kernel() {
    netns::run(|_| {
        let mut asked = 0;
        let states = [State::Listen, State::Bound, State::TimeWait, State::Unconnected];
        for (at, existing) in all_options(Protocol::Tcp, &[None]).into_iter().enumerate() {
            let state = states[at % states.len()];
            let protocol = if state == State::Unconnected {
                Protocol::Udp
            } else {
                Protocol::Tcp
            };
            let existing = Options { protocol, ..existing };
            let port = fresh_port();
            let _kept = match state {
                State::Listen => Some(existing.listening(port)),
                State::TimeWait => {
                    let c = connect(&existing, port, false);
                    drop((c.listener, c.server, c.client));
                    wait_for_left_over(port, State::TimeWait);
                    None
                }
                _ => Some(existing.bound(port)),
            };
            let news = all_options(protocol, &[None, Some(netns::LO)]);
            // Every seventeenth, starting elsewhere each time, so that all options occur.
            for options in news.into_iter().skip(at % 17).step_by(31) {
                let places = [
                    (0, &["--no-probe"][..]),
                    (65_534, &["--no-probe"]),
                    (65_534, &[]),
                    (0, &[]),
                ];
                let said = places.map(|(user, more)| binary::answer(&options, port, more, user));
                let kernel = ask_kernel(&options, port);
                for (said, (user, more)) in said.iter().zip(places) {
                    let what = format!(
                        "user {user} {more:?}: {said}\nkernel {kernel:?}\nnew {options:?}\nexisting {existing:?} {state:?}"
                    );
                    let unsure = said["bind"] == "undecidable";
                    // A closed IPv6 connection may be in the way of 0.0.0.0 or not, and no trial without reuse
                    // flags is made.
                    let shadow = state == State::TimeWait && existing.address.is_ipv6() && !options.reuseaddr;
                    let may_be_unsure = !more.is_empty()
                        || user != 0
                        || protocol == Protocol::Udp
                        || (shadow && !options.reuseport);
                    assert!(may_be_unsure || !unsure, "{what}");
                    assert!(unsure || said["bind"] == kernel.0, "{what}");
                    assert!(unsure || said["listen"].as_str() == kernel.1, "{what}");
                }
                asked += 1;
            }
        }
        eprintln!("through the program: {asked} combinations checked");
        assert!(asked >= 200);
    });
}
