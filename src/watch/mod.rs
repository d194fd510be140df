//! The live screen: what is on it ([`State`]), how it changes ([`update()`]), and how it is drawn ([`view()`]). Pure:
//! whatever happens outside arrives as a [`Msg`], and whatever should happen there is returned as an [`Effect`].

mod accepted;
mod areas;
pub mod data;
mod dropped;
mod explain;
pub mod filter_line;
mod findings;
pub mod history;
pub mod items;
mod keys;
pub mod kind;
pub mod level;
pub mod line;
mod looks;
pub mod moment;
pub mod msg;
mod near;
pub mod order;
mod pages;
pub mod ports;
pub mod programs;
pub mod rates;
pub mod state;
mod update;
pub mod view;
mod words;

pub use kind::waits;
pub use msg::{Effect, Key, Msg};
pub use state::State;
pub use update::update;
pub use view::view;
