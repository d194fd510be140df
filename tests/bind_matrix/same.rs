//! The cases of `every.rs`, run with the BPF iterator and with the walk over /proc.

use std::sync::{Arc, Mutex};

use super::every::{CASES, as_json};
use super::netns;
use super::stage::Stage;
use super::ways::Crowd;

fn words(question: &str) -> Vec<String> {
    question.split(' ').map(str::to_owned).collect()
}

#[test]
fn every_case_reads_the_same_whichever_way_finds_holders() {
    let Some(crowd) = Crowd::new() else { return };
    let crowd = Arc::new(crowd);
    let differences = Arc::new(Mutex::new(Vec::new()));
    for case in CASES {
        let (crowd, found) = (Arc::clone(&crowd), Arc::clone(&differences));
        netns::run(move |card| {
            let mut stage = Stage::new(card);
            let Some(asked) = (case.play)(&mut stage) else {
                return;
            };
            let kill = format!("kill --dry-run {}", stage.place());
            let [list, kill] = ["-tuxanp --json", &kill].map(words);
            for question in [list, kill, as_json(&asked.words), asked.words] {
                let difference = crowd.difference(|| stage.command(true, &question));
                found.lock().unwrap().extend(difference);
            }
        });
    }
    let differences = differences.lock().unwrap();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
