//! Turns options into typed requests, given terminal and environment. Pure.

pub mod columns;
pub mod common;
pub mod destroy;
pub mod details;
pub mod events;
pub mod filter;
pub mod kill;
pub mod list;
pub mod metrics;
pub mod output;
pub mod place;
pub mod select;
pub mod snapshot;
pub mod summary;
pub mod tables;
#[cfg(feature = "watch")]
pub mod watch;

pub use common::Common;
pub use destroy::DestroyPlan;
pub use events::EventsPlan;
pub use filter::FilterInput;
pub use kill::KillPlan;
pub use list::ListPlan;
pub use metrics::MetricsPlan;
pub use output::Output;
pub use place::Place;
pub use snapshot::SnapshotPlan;
pub use summary::SummaryPlan;
#[cfg(feature = "watch")]
pub use watch::WatchPlan;

#[cfg(test)]
mod tests;
