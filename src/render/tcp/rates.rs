//! Rates, and what limited them.

use std::fmt::Write as _;

use super::info::{Info, long};
use crate::render::text::push_number;
use crate::render::token::token;

/// ` send Rbps`: one window per round trip.
pub(super) fn push_send(out: &mut Vec<u8>, rtt_us: u32, mss: u32, cwnd: u32) {
    if rtt_us == 0 || mss == 0 || cwnd == 0 {
        return;
    }
    out.extend_from_slice(b" send ");
    let bits = u128::from(cwnd) * u128::from(mss) * 8_000_000;
    let rtt_us = u128::from(rtt_us);
    let (whole, rest) = (bits / rtt_us, bits % rtt_us);
    let up = rest * 2 > rtt_us || (rest * 2 == rtt_us && whole % 2 == 1);
    push_number(out, u64::try_from(whole + u128::from(up)).unwrap_or(u64::MAX));
    out.extend_from_slice(b"bps");
}

pub(super) fn push_rates(out: &mut Vec<u8>, info: Info<'_>) {
    let known = |rate: u64| rate != 0 && rate != u64::MAX;
    let (pacing, most) = (
        long!(info, PacingRateBytesPerS),
        long!(info, MaxPacingRateBytesPerS),
    );
    if known(pacing) {
        out.extend_from_slice(token!(PacingRateBytesPerS));
        push_bits(out, pacing);
        if known(most) {
            out.extend_from_slice(token!("" MaxPacingRateBytesPerS));
            push_bits(out, most);
        }
    }
    let delivery = long!(info, DeliveryRateBytesPerS);
    if delivery > 0 {
        out.extend_from_slice(token!(DeliveryRateBytesPerS));
        push_bits(out, delivery);
    }
}

/// ` busy:Nms`, and for how much of that time the receive window or the send buffer was the limit.
pub(super) fn push_busy(out: &mut Vec<u8>, info: Info<'_>) {
    let busy = long!(info, BusyTimeUs);
    if busy == 0 {
        return;
    }
    out.extend_from_slice(token!(BusyTimeUs));
    push_number(out, busy / 1000);
    out.extend_from_slice(b"ms");
    push_limited(out, token!(RwndLimitedUs), long!(info, RwndLimitedUs), busy);
    push_limited(out, token!(SndbufLimitedUs), long!(info, SndbufLimitedUs), busy);
}

fn push_limited(out: &mut Vec<u8>, token: &[u8], limited: u64, busy: u64) {
    if limited > 0 {
        out.extend_from_slice(token);
        push_number(out, limited / 1000);
        out.extend_from_slice(b"ms(");
        push_percent(out, limited, busy);
        out.extend_from_slice(b"%)");
    }
}

/// Rare enough to use the formatting machinery, which rounds as C does.
fn push_percent(out: &mut Vec<u8>, part: u64, whole: u64) {
    #[allow(clippy::cast_precision_loss, reason = "only one decimal is printed")]
    let percent = 100.0 * part as f64 / whole as f64;
    let mut text = String::new();
    let _ = write!(text, "{percent:.1}");
    out.extend_from_slice(text.as_bytes());
}

/// Bytes per second as `Nbps`.
pub(super) fn push_bits(out: &mut Vec<u8>, bytes_per_s: u64) {
    push_number(out, bytes_per_s.saturating_mul(8));
    out.extend_from_slice(b"bps");
}
