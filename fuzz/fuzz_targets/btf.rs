//! The BTF reader on any bytes: it answers or refuses, and never panics.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sockstat::source::bpf::btf;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(layout) = btf::layout(bytes) {
        assert!(layout.iterator_id > 0);
        assert!(layout.task_pid >= 0 && layout.sk_flags >= 0 && layout.net_inum >= 0);
    }
});
