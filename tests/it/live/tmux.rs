//! A real terminal: a tmux server of its own, in the namespace of some sockets.

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use super::sockets::Sockets;
use crate::run::Ran;

/// A terminal with one program in it; both end when this is dropped.
pub(crate) struct Terminal<'a> {
    sockets: &'a Sockets,
    server: PathBuf,
}

impl<'a> Terminal<'a> {
    /// Starts a program in a terminal of that width and height.
    pub(crate) fn start(sockets: &'a Sockets, size: (usize, usize), script: &str) -> Self {
        /// A server that is about to end would take a new session with it, so each terminal has its own.
        static SERVERS: AtomicU32 = AtomicU32::new(0);
        let number = SERVERS.fetch_add(1, Ordering::Relaxed);
        let terminal = Self {
            sockets,
            server: sockets.directory().join(format!("tmux-{number}")),
        };
        let (width, height) = (size.0.to_string(), size.1.to_string());
        terminal.run(&[
            "new-session",
            "-d",
            "-s",
            "one",
            "-x",
            &width,
            "-y",
            &height,
            "sh",
            "-c",
            script,
        ]);
        terminal
    }

    fn tmux(&self, words: &[&str]) -> Command {
        let mut command = self.sockets.program("tmux");
        command
            .arg("-S")
            .arg(&self.server)
            .args(["-f", "/dev/null"])
            .args(words)
            .env_remove("TMUX")
            .env("TERM", "xterm")
            .env_remove("COLUMNS");
        command
    }

    fn run(&self, words: &[&str]) -> Ran {
        Ran::of(&mut self.tmux(words)).ended_with(0)
    }

    /// The lines of the screen; `more` are options of capture-pane.
    pub(crate) fn lines(&self, more: &[&str]) -> Vec<String> {
        let ran = self.run(&[&["capture-pane", "-p", "-t", "one"], more].concat());
        ran.text().lines().map(str::to_owned).collect()
    }

    /// Whether it shows the alternate screen, and whether it shows a cursor: `1 0` for a program that draws.
    pub(crate) fn flags(&self) -> String {
        let format = "#{alternate_on} #{cursor_flag}";
        let ran = self.run(&["display-message", "-p", "-t", "one", format]);
        ran.text().trim().to_owned()
    }

    /// Gives it another width and height.
    pub(crate) fn resize(&self, (width, height): (usize, usize)) {
        let (width, height) = (width.to_string(), height.to_string());
        self.run(&["resize-window", "-t", "one", "-x", &width, "-y", &height]);
    }

    /// Types a text.
    pub(crate) fn types(&self, text: &str) {
        self.run(&["send-keys", "-t", "one", "-l", text]);
    }

    /// Presses a key, by tmux's name for it.
    pub(crate) fn presses(&self, key: &str) {
        self.run(&["send-keys", "-t", "one", key]);
    }
}

impl Drop for Terminal<'_> {
    fn drop(&mut self) {
        let _ = self.tmux(&["kill-server"]).output();
    }
}
