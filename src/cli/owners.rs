//! The values of `--owners`.

use clap::ValueEnum;

use crate::model::request;

/// How to find owners: the values of `--owners`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum OwnersBy {
    /// BPF iterator where permitted and faster, else /proc
    #[default]
    Auto,
    /// BPF iterator; /proc if the kernel refuses it
    Bpf,
    /// Walk over /proc
    Proc,
}

impl From<OwnersBy> for request::OwnersBy {
    fn from(by: OwnersBy) -> Self {
        match by {
            OwnersBy::Auto => Self::Auto,
            OwnersBy::Bpf => Self::Bpf,
            OwnersBy::Proc => Self::Proc,
        }
    }
}
