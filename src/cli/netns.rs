//! `-N`: which network namespaces a command line names, and how many its command can look into.

use super::{Cli, Subcommand};

impl Cli {
    /// Returns whether it can look into several network namespaces in one run.
    pub fn takes_namespaces(&self) -> bool {
        self.takes_tables_of_processes() || self.follows()
    }

    /// Returns whether the tables of a process inside suffice if its network namespace may not be entered. They have no
    /// cookies to follow sockets by.
    pub fn takes_tables_of_processes(&self) -> bool {
        self.lists() || matches!(self.command, Some(Subcommand::Snapshot(_)))
    }

    fn follows(&self) -> bool {
        match self.command {
            None => self.list.events,
            Some(Subcommand::Events(_)) => true,
            Some(_) => false,
        }
    }

    /// Returns the network namespaces of `-N`, before or after the subcommand.
    pub fn netns(&self) -> Vec<String> {
        let own: &[String] = match &self.command {
            Some(Subcommand::Why(args)) => &args.netns,
            Some(Subcommand::Reach(args)) => &args.kind.netns,
            Some(Subcommand::Free(args)) => &args.kind.netns,
            Some(Subcommand::Wait(args)) => &args.kind.netns,
            Some(Subcommand::Kill(args)) => &args.netns,
            Some(Subcommand::Events(args)) => &args.netns,
            Some(Subcommand::Snapshot(args)) => &args.netns,
            Some(Subcommand::Metrics(args)) => &args.netns,
            #[cfg(feature = "watch")]
            Some(Subcommand::Watch(args)) => &args.netns,
            _ => &[],
        };
        [&self.list.netns, own].concat()
    }
}
