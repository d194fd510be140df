//! The tokens of `ss -i` for TCP sockets, in the order of iproute2 7.1 (`-n`).
//!
//! Offsets and tokens come from the table of fields. As in ss, most numbers are omitted when they are 0. TCP-MD5 keys
//! are secrets and never printed.

mod congestion;
mod info;
mod rates;
#[cfg(test)]
mod tests;

use self::congestion::{push_bbr, push_congestion, push_dctcp, vegas_rtt};
use self::info::{Info, count, flag, ms, number, push_count, push_ms_token};
use self::rates::{push_busy, push_rates, push_send};
use super::decimal::push_ms;
use super::text::push_number;
use super::token::token;
use super::ulp::push_ulp;
use crate::model::details::kind;
use crate::model::{Socket, State};

/// Appends what `-i` shows for a TCP socket, each token preceded by a blank. `options` are the flags negotiated by the
/// ends, which ss shows only with `-o`.
pub fn push_info(out: &mut Vec<u8>, socket: &Socket, options: bool) {
    let details = &socket.details;
    if let Some(bytes) = details.get(kind::INFO) {
        push_tcp_info(out, Info(bytes), socket, options);
    } else {
        push_congestion(out, details);
    }
    push_ulp(out, details);
}

/// The initial timeout of kernels before 3.1, before any measurement; ss omits it.
const FIRST_RTO_US: u32 = 3_000_000;
/// From this value on, ss considers the slow-start threshold unset.
const SSTHRESH_UNSET: u32 = 0xffff;

fn push_tcp_info(out: &mut Vec<u8>, info: Info<'_>, socket: &Socket, options: bool) {
    let details = &socket.details;
    if options {
        push_options(out, info);
    }
    push_congestion(out, details);
    if number!(info, OptWscale) != 0 {
        out.extend_from_slice(token!(OptWscale));
        push_number(out, number!(info, SndWscale));
        out.push(b',');
        push_number(out, number!(info, RcvWscale));
    }
    let rto = number!(info, RtoUs);
    push_ms_token(out, token!(RtoUs), if rto == FIRST_RTO_US { 0 } else { rto });
    count!(out, info, Backoff);
    let rtt = number!(info, RttUs);
    if rtt > 0 {
        push_ms_token(out, token!(RttUs), rtt);
        out.extend_from_slice(token!("" RttvarUs));
        push_ms(out, number!(info, RttvarUs));
    }
    ms!(out, info, AtoUs);
    let (mss, cwnd) = (number!(info, Mss), number!(info, Cwnd));
    count!(out, info, Mss PmtuBytes RcvMssBytes AdvmssBytes Cwnd);
    let ssthresh = number!(info, Ssthresh);
    push_count(
        out,
        token!(Ssthresh),
        if ssthresh < SSTHRESH_UNSET { ssthresh } else { 0 },
    );
    count!(out, info, BytesSent BytesRetrans BytesAcked BytesReceived);
    count!(out, info, SegsOut SegsIn DataSegsOut DataSegsIn);
    push_dctcp(out, details);
    push_bbr(out, details);
    push_send(out, vegas_rtt(details).unwrap_or(rtt), mss, cwnd);
    count!(out, info, LastDataSentMs LastDataRecvMs LastAckRecvMs);
    push_rates(out, info);
    count!(out, info, Delivered DeliveredCe);
    flag!(out, info, DeliveryRateAppLimited);
    push_busy(out, info);
    push_losses(out, info, socket.state);
    push_rest(out, info);
}

fn push_options(out: &mut Vec<u8>, info: Info<'_>) {
    flag!(out, info, OptTimestamps OptUsecTs OptSack OptEcn OptEcnSeen OptSynData);
}

/// Appends the counts of segments in flight, lost, retransmitted and out of order.
fn push_losses(out: &mut Vec<u8>, info: Info<'_>, state: State) {
    count!(out, info, Unacked);
    let (now, total) = (number!(info, Retrans), number!(info, TotalRetrans));
    if now > 0 || total > 0 {
        out.extend_from_slice(token!(Retrans));
        push_number(out, now);
        out.extend_from_slice(token!("" TotalRetrans));
        push_number(out, total);
    }
    count!(out, info, Lost);
    if state != State::Listen {
        count!(out, info, Sacked);
    }
    count!(out, info, DsackDups Fackets);
    // The initial value of every connection.
    let reordering = number!(info, Reordering);
    if reordering != 3 {
        out.extend_from_slice(token!(Reordering));
        push_number(out, reordering);
    }
    count!(out, info, ReordSeen);
}

/// Appends the receiver's side, and later additions to the structure.
fn push_rest(out: &mut Vec<u8>, info: Info<'_>) {
    ms!(out, info, RcvRttUs);
    count!(out, info, RcvSpaceBytes RcvSsthreshBytes NotsentBytes);
    let min_rtt = number!(info, MinRttUs);
    push_ms_token(
        out,
        token!(MinRttUs),
        if min_rtt == u32::MAX { 0 } else { min_rtt },
    );
    count!(out, info, RcvOoopack SndWndBytes RcvWndBytes Rehash);
}
