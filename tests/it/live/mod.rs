//! Real sockets in network namespaces of their own: what `examples/mksock` made is the truth.

mod churn;
mod destroy;
mod details;
mod documented;
mod enter;
mod families;
mod forms;
mod hostile;
mod jc;
mod load;
mod machine;
mod netns;
mod normal;
mod order;
mod owners;
mod paths;
mod peers;
mod privilege;
mod pushdown;
mod readers;
mod recipes;
pub(crate) mod sockets;
mod ss;
mod summary;
pub(crate) mod tools;
mod truth;
mod within;
