//! Options of ss that are refused, each with the reason.

use clap::Args;

use super::UsageError;

/// The options, hidden from the help.
#[derive(Clone, Debug, Default, Args)]
pub struct RefusedArgs {
    /// Socket storage of BPF programs.
    #[arg(long, hide = true)]
    pub bpf_maps: bool,
    /// Socket storage of one BPF map.
    #[arg(long, value_name = "ID", hide = true)]
    pub bpf_map_id: Vec<u32>,
}

/// Rejects these options.
///
/// # Errors
/// If one of them is used.
pub fn check(refused: &RefusedArgs) -> Result<(), UsageError> {
    if refused.bpf_maps || !refused.bpf_map_id.is_empty() {
        let reason = "--bpf-maps is not supported: only a BPF program's debug information has the type of what it stores \
            with a socket";
        return Err(UsageError::new(reason)
            .with_hint("run `bpftool map dump id ID`, which prints the map with its types"));
    }
    Ok(())
}
