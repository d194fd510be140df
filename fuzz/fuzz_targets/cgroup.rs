//! Any text as the path of a cgroup and as /proc/PID/cgroup: the result is part of the text, and can be shown safely.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sockstat::model::Name;
use sockstat::model::cgroup::{Container, Home, Manager};
use sockstat::render::safe::Safe;

fn check(home: &Home, text: &str) {
    let container = home.container.as_ref();
    let parts = [
        home.unit.as_ref().map(Name::as_bytes),
        home.pod.as_ref().map(Name::as_bytes),
        container.map(Container::title),
        container.and_then(|container| container.id.as_deref()).map(str::as_bytes),
    ];
    for part in parts.into_iter().flatten() {
        // A byte that is not UTF-8 after unescaping is shown as U+FFFD, which has three bytes.
        assert!(!part.is_empty() && part.len() <= 3 * text.len());
        let name = Name::from(part);
        let shown = name.to_string();
        assert_eq!(Safe::document(shown.as_bytes()).as_bytes(), shown.as_bytes());
        if let Some(word) = name.in_shell() {
            assert_eq!(Safe::sentences(&word).as_bytes(), word.as_bytes());
            assert!(!word.contains('\n') && !word.starts_with('-'));
        }
    }
    let is_id = |id: &str| id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    assert!(container.and_then(|container| container.id.as_deref()).is_none_or(is_id));
}

fuzz_target!(|text: &str| {
    for line in text.lines() {
        check(&Home::of_path(line), line);
        let manager = Manager::of_path(line);
        assert!(manager.unit.is_none_or(|unit| line.split('/').any(|part| part == unit)));
    }
    let (home, path) = Home::of_cgroups(text);
    check(&home, text);
    assert!(path.is_none_or(|path| text.lines().any(|line| line.ends_with(path))));
    assert!(path.is_some() || home.is_empty(), "nothing comes from nowhere");
});
