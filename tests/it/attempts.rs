//! Comparisons of two looks at something that moves: the kernel's timers and queues, sockets of other programs.

/// More than any comparison has needed, on the busiest machine.
const ATTEMPTS: u32 = 200;

/// Makes attempts until one succeeds; fails with what the last one says.
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
