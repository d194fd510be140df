//! Retries comparisons of two views of something that changes: kernel timers and queues, sockets of other programs.

/// More than any comparison has needed, on the busiest machine.
const ATTEMPTS: u32 = 200;

/// Makes attempts until one succeeds; fails with the message of the last one.
#[track_caller]
pub(crate) fn eventually(mut attempt: impl FnMut() -> Result<(), String>) {
    let mut said = String::new();
    for _ in 0..ATTEMPTS {
        match attempt() {
            Ok(()) => return,
            Err(why) => said = why,
        }
    }
    panic!("{ATTEMPTS} attempts, and at last: {said}");
}

/// What would make a test depend on the speed of the machine.
const CLOCKS: [&str; 3] = ["thread::sleep", "Instant::now", ".elapsed()"];

#[test]
fn tests_never_sleep_and_never_measure_time() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    // Two name what they look for. Silence, which the third must tell from an answer, is nothing but time that passes.
    let exempt = [
        "tests/it/attempts.rs",
        "tests/it/architecture.rs",
        "tests/reach/connect.rs",
    ];
    let exempt = exempt.map(|file| root.join(file));
    let mut directories = vec![root.join("tests"), root.join("examples/mksock")];
    let mut found = Vec::new();
    let mut files = 0;
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") && !exempt.contains(&path) {
                files += 1;
                let text = std::fs::read_to_string(&path).unwrap();
                let clocks = CLOCKS.iter().filter(|clock| text.contains(**clock));
                found.extend(clocks.map(|clock| format!("{}: {clock}", path.display())));
            }
        }
    }
    assert!(files > 50, "{files} files");
    assert_eq!(found, Vec::<String>::new());
}
