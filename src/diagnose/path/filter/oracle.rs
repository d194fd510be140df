//! Answers questions about what cannot be read, from a script of answers, and records the questions asked.

use std::collections::HashMap;

use super::place::RulePlace;

/// How many questions one run may ask.
const QUESTIONS_MAX: usize = 40;

/// A question whose answer is unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Its subject, in words.
    pub about: String,
    /// The rule that depends on it.
    pub rule: Option<RulePlace>,
}

impl Question {
    /// The outcome is unknown because the run takes too long.
    pub const TOO_LONG: &'static str = "more rules than can be followed";

    /// Whether it stands for a run that takes too long.
    pub fn is_limit(&self) -> bool {
        self.about == Self::TOO_LONG
    }
}

/// Answers questions from a script, and with "no" beyond its end.
#[derive(Debug, Default)]
pub struct Oracle {
    script: Vec<bool>,
    /// The questions of this run with their answers, in order.
    pub asked: Vec<(Question, bool)>,
    answers: HashMap<Vec<u8>, bool>,
}

/// The run has asked too many questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany;

impl Oracle {
    /// An oracle with this script.
    pub fn new(script: Vec<bool>) -> Self {
        Self {
            script,
            ..Self::default()
        }
    }

    /// Answers a question. The same `key` always gets the same answer.
    ///
    /// # Errors
    /// If this run has asked too many questions.
    pub fn ask(&mut self, key: Vec<u8>, question: impl FnOnce() -> Question) -> Result<bool, TooMany> {
        if let Some(answer) = self.answers.get(&key) {
            return Ok(*answer);
        }
        if self.asked.len() >= QUESTIONS_MAX {
            return Err(TooMany);
        }
        let answer = self.script.get(self.asked.len()).copied().unwrap_or(false);
        self.asked.push((question(), answer));
        self.answers.insert(key, answer);
        Ok(answer)
    }

    /// The script of the next run, depth first; `None` after the last.
    pub fn next_script(&self) -> Option<Vec<bool>> {
        let mut script: Vec<bool> = self.asked.iter().map(|(_, answer)| *answer).collect();
        while script.last() == Some(&true) {
            script.pop();
        }
        *script.last_mut()? = true;
        Some(script)
    }
}

/// Returns the questions whose answers change the outcome, given the answers and the outcome (as a number) of each run.
pub fn deciding(runs: &[(Vec<(Question, bool)>, usize)]) -> Vec<Question> {
    let mut ends: Vec<(&Question, [Vec<usize>; 2])> = Vec::new();
    for (asked, end) in runs {
        for (question, answer) in asked {
            let at = match ends.iter().position(|(known, _)| *known == question) {
                Some(at) => at,
                None => {
                    ends.push((question, [Vec::new(), Vec::new()]));
                    ends.len() - 1
                }
            };
            if let Some((_, sides)) = ends.get_mut(at)
                && let Some(side) = sides.get_mut(usize::from(*answer))
                && !side.contains(end)
            {
                side.push(*end);
            }
        }
    }
    let same = |one: &[usize], other: &[usize]| {
        one.len() == other.len() && one.iter().all(|end| other.contains(end))
    };
    let all = ends.iter().map(|(question, _)| (*question).clone());
    let deciding: Vec<Question> = ends
        .iter()
        .filter(|(_, [no, yes])| !same(no, yes))
        .map(|(question, _)| (*question).clone())
        .collect();
    // Questions that matter only in combination make no difference one at a time.
    if deciding.is_empty() {
        all.collect()
    } else {
        deciding
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(about: &str) -> Question {
        Question {
            about: about.to_owned(),
            rule: None,
        }
    }

    /// Runs `run` with every script; returns each result with its questions.
    fn every(mut run: impl FnMut(&mut Oracle) -> usize) -> Vec<(Vec<(Question, bool)>, usize)> {
        let mut runs = Vec::new();
        let mut script = Some(Vec::new());
        while let Some(next) = script {
            let mut oracle = Oracle::new(next);
            let end = run(&mut oracle);
            script = oracle.next_script();
            runs.push((oracle.asked, end));
        }
        runs
    }

    fn ask(oracle: &mut Oracle, about: &str) -> bool {
        oracle.ask(about.into(), || question(about)).unwrap()
    }

    #[test]
    fn every_answer_is_tried_once_and_the_same_question_is_asked_once() {
        let runs = every(|oracle| {
            let first = ask(oracle, "a");
            assert_eq!(ask(oracle, "a"), first);
            usize::from(first && ask(oracle, "b"))
        });
        let ends: Vec<usize> = runs.iter().map(|(_, end)| *end).collect();
        assert_eq!(ends, [0, 0, 1]);
        assert_eq!(deciding(&runs), [question("a"), question("b")]);
    }

    #[test]
    fn a_question_that_changes_nothing_is_not_reported() {
        let runs = every(|oracle| {
            ask(oracle, "log");
            usize::from(ask(oracle, "limit"))
        });
        assert_eq!(runs.len(), 4);
        assert_eq!(deciding(&runs), [question("limit")]);
    }

    #[test]
    fn a_run_that_asks_without_end_stops() {
        let mut oracle = Oracle::new(Vec::new());
        let asked = (0..100).find(|number: &u8| oracle.ask(vec![*number], || question("x")).is_err());
        assert_eq!(asked, Some(40));
    }
}
