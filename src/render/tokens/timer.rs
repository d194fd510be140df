//! The running timer (`-o`).

use crate::model::Timer;
use crate::render::text::push_number;
use crate::render::token::token;

/// ` timer:(NAME,TIME,RETRANSMITS)`; empty without a timer.
pub fn push_timer(out: &mut Vec<u8>, timer: Option<Timer>) {
    let Some(timer) = timer else { return };
    out.extend_from_slice(token!(Timer));
    out.extend_from_slice(timer.kind.name().as_bytes());
    out.push(b',');
    push_timer_time(out, timer.expires_ms.unwrap_or(0));
    out.push(b',');
    push_number(out, timer.retransmits);
    out.push(b')');
}

/// Formats a time as ss does: `119min`, `1min30sec`, `12sec`, `9.501sec`, `003ms`, and nothing for 0.
fn push_timer_time(out: &mut Vec<u8>, ms: u32) {
    let (minutes, seconds, rest) = (ms / 60_000, ms / 1000 % 60, ms % 1000);
    if minutes > 0 {
        push_number(out, minutes);
        out.extend_from_slice(b"min");
        if minutes <= 9 && seconds > 0 {
            push_number(out, seconds);
            out.extend_from_slice(b"sec");
        }
    } else if seconds > 0 {
        push_number(out, seconds);
        if seconds <= 9 && rest > 0 {
            out.push(b'.');
            push_three_digits(out, rest);
        }
        out.extend_from_slice(b"sec");
    } else if rest > 0 {
        push_three_digits(out, rest);
        out.extend_from_slice(b"ms");
    }
}

fn push_three_digits(out: &mut Vec<u8>, number: u32) {
    for unit in [100, 10, 1] {
        push_number(out, number / unit % 10);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TimerKind;

    #[test]
    fn timers_are_written_as_in_ss() {
        let timer = |ms| {
            let mut out = Vec::new();
            push_timer(
                &mut out,
                Some(Timer {
                    kind: TimerKind::Keepalive,
                    expires_ms: Some(ms),
                    retransmits: 2,
                }),
            );
            String::from_utf8(out).unwrap()
        };
        for (ms, text) in [
            (119 * 60_000, "119min"),
            (90_000, "1min30sec"),
            (120_000, "2min"),
            (600_000 + 5000, "10min"),
            (12_345, "12sec"),
            (9_501, "9.501sec"),
            (9_000, "9sec"),
            (3, "003ms"),
            (0, ""),
        ] {
            assert_eq!(timer(ms), format!(" timer:(keepalive,{text},2)"));
        }
    }
}
