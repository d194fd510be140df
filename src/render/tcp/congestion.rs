//! The state of congestion control algorithms.

use super::info::{Info, long, number};
use super::rates::push_bits;
use crate::model::details::{Details, kind};
use crate::render::decimal::{push_256th, push_ms};
use crate::render::escape;
use crate::render::text::push_number;
use crate::render::token::token;

pub(super) fn push_congestion(out: &mut Vec<u8>, details: &Details) {
    if let Some(name) = details.congestion() {
        out.push(b' ');
        escape::push_also(out, name, |c| c == ' ');
    }
}

pub(super) fn push_dctcp(out: &mut Vec<u8>, details: &Details) {
    let Some(info) = details.get(kind::DCTCPINFO).map(Info) else {
        return;
    };
    if number!(info, DctcpEnabled) == 0 {
        out.extend_from_slice(b" dctcp:fallback_mode");
        return;
    }
    out.extend_from_slice(token!(Dctcp));
    out.extend_from_slice(token!("" DctcpCeState));
    push_number(out, number!(info, DctcpCeState));
    out.extend_from_slice(token!("," DctcpAlpha));
    push_number(out, number!(info, DctcpAlpha));
    out.extend_from_slice(token!("," DctcpAbEcn));
    push_number(out, number!(info, DctcpAbEcn));
    out.extend_from_slice(token!("," DctcpAbTot));
    push_number(out, number!(info, DctcpAbTot));
    out.push(b')');
}

pub(super) fn push_bbr(out: &mut Vec<u8>, details: &Details) {
    let Some(info) = details.get(kind::BBRINFO).map(Info) else {
        return;
    };
    out.extend_from_slice(token!(Bbr));
    out.extend_from_slice(token!("" BbrBwBytesPerS));
    push_bits(out, long!(info, BbrBwBytesPerS));
    out.extend_from_slice(token!("," BbrMinRttUs));
    push_ms(out, number!(info, BbrMinRttUs));
    push_gain(out, token!("," BbrPacingGain), number!(info, BbrPacingGain));
    push_gain(out, token!("," BbrCwndGain), number!(info, BbrCwndGain));
    out.push(b')');
}

fn push_gain(out: &mut Vec<u8>, token: &[u8], gain: u32) {
    if gain > 0 {
        out.extend_from_slice(token);
        push_256th(out, gain);
    }
}

/// The round-trip time of Vegas before the first measurement.
const UNMEASURED: u32 = 0x7fff_ffff;

/// The round-trip time measured by Vegas or a related algorithm; if there is one, ss uses it for the rate.
pub(super) fn vegas_rtt(details: &Details) -> Option<u32> {
    let info = Info(details.get(kind::VEGASINFO)?);
    let rtt = number!(info, VegasRttUs);
    (number!(info, VegasEnabled) != 0 && rtt != 0 && rtt != UNMEASURED).then_some(rtt)
}
