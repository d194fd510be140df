//! Options of ss that are refused for good, each with the reason.

use clap::Args;

use super::UsageError;

/// The options, hidden from the help.
#[derive(Clone, Debug, Default, Args)]
pub struct RefusedArgs {
    /// What BPF programs keep with a socket.
    #[arg(long, hide = true)]
    pub bpf_maps: bool,
    /// The same, of one map.
    #[arg(long, value_name = "ID", hide = true)]
    pub bpf_map_id: Vec<u32>,
}

/// Says why, if one of them is used.
///
/// # Errors
/// Always, for any of them.
pub fn check(refused: &RefusedArgs) -> Result<(), UsageError> {
    if refused.bpf_maps || !refused.bpf_map_id.is_empty() {
        let reason = "--bpf-maps is not shown: what a BPF program keeps with a socket has a type of its own, which only \
            the program's debug information tells";
        return Err(
            UsageError::new(reason).with_hint("`bpftool map dump id ID` prints such a map with its types")
        );
    }
    Ok(())
}
