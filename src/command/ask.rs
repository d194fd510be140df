//! Questions on the terminal.

use std::io::{BufRead, IsTerminal};

use super::out;

/// Asks for confirmation. Without a terminal, there is nobody to ask and the answer is no.
pub(super) fn confirmed(question: &str) -> bool {
    if !std::io::stdin().is_terminal() {
        out::complain("not on a terminal: --yes skips the question\n");
        return false;
    }
    out::complain(&format!("{question} [y/N] "));
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).is_ok() && matches!(answer.trim(), "y" | "Y" | "yes")
}
