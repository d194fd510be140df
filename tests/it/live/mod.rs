//! Real sockets in network namespaces of their own: what `examples/mksock` made is the truth.

mod churn;
mod enter;
mod forms;
mod hostile;
mod machine;
mod normal;
mod order;
mod owners;
mod peers;
mod privilege;
mod recipes;
pub(crate) mod sockets;
mod ss;
mod truth;
