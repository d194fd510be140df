//! Any bytes as the state files of docker, podman, Kubernetes runtimes and systemd: a file yields a name or nothing,
//! and what is kept of it stays within limits.

#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use sockstat::diagnose::bind::systemd::{Listen, socket_unit};
use sockstat::source::containers::state::{Config, add_stored, annotations, data_root};

/// Fewer than a hostile list may have, so that the limit is reached.
const MOST: usize = 3;

fuzz_target!(|bytes: &[u8]| {
    let _ = (data_root(bytes), annotations(bytes));
    if let Some(config) = Config::read(bytes) {
        assert!(config.name().is_none_or(|name| name.len() <= bytes.len()));
        let _ = config.is_running();
        let _ = (config.publishes(80, false), config.publishes(53, true));
        let _ = config.has_address("172.17.0.2");
    }
    let mut names = BTreeMap::from([("kept".to_owned(), "as it was".to_owned())]);
    add_stored(bytes, &mut names, MOST);
    assert!(names.len() <= MOST);
    assert_eq!(names["kept"], "as it was", "the first of two with one identifier counts");
    let length = |(id, name): (&String, &String)| id.len() + name.len();
    assert!(names.iter().map(length).sum::<usize>() <= bytes.len() + "kept".len() + "as it was".len());
    if let Ok(text) = std::str::from_utf8(bytes) {
        let unit = || std::iter::once(("x.socket".to_owned(), text.to_owned()));
        for listen in [
            Listen::Port(80, false),
            Listen::Port(53, true),
            Listen::Unix("/run/x.sock"),
        ] {
            let found = socket_unit(unit(), listen).is_some();
            assert!(!found || text.contains("Listen"));
        }
    }
});
