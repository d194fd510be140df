//! Any text as a filter: parsed, split for every dump and turned into the kernel's bytecode, or refused with an
//! error that can be shown.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sockstat::model::{Family, Protocol};
use sockstat::query::pushdown::{Dump, pushdown};
use sockstat::query::{Expr, Mode, parse};
use sockstat::model::request::ResolvedNames;
use sockstat::source::netlink::bytecode::{Supported, encode};

/// The kernel reads a program in words of four bytes, and jumps are 16 bits wide.
fn check_program(program: &[u8]) {
    assert!(!program.is_empty() && program.len() % 4 == 0);
    assert!(program.len() <= usize::from(u16::MAX));
}

fn push(expr: &Expr) {
    for protocol in [
        Protocol::Tcp,
        Protocol::Udp,
        Protocol::Raw,
        Protocol::Mptcp,
        Protocol::Unix,
    ] {
        for family in [None, Some(Family::Inet), Some(Family::Inet6)] {
            let split = pushdown(expr, Dump { protocol, family });
            let Some(condition) = split.condition else {
                continue;
            };
            for supported in [Supported::ALL, Supported::BASIC] {
                if let Some(program) = encode(&condition, supported) {
                    check_program(&program);
                }
            }
        }
    }
}

fuzz_target!(|text: &str| {
    let words: Vec<String> = text.split('\n').map(str::to_owned).collect();
    for mode in [Mode::List, Mode::Kill] {
        match parse(&words, mode) {
            Err(error) => {
                let shown = error.render();
                assert!(!shown.is_empty() && !shown.contains('\x1b'));
            }
            Ok(parsed) => {
                let Some(expr) = parsed.expr else { continue };
                let _ = (expr.to_string(), expr.needs_owners(), expr.needs_processes());
                push(&expr);
                // With nothing found, a name is an error and anything else stays as it is.
                if let Ok(resolved) = expr.resolve(&ResolvedNames::default()) {
                    push(&resolved);
                }
            }
        }
    }
});
