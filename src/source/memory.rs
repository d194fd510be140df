//! Ends the program with a message and exit status 1, instead of an abort, when it runs out of memory.
#![allow(
    unsafe_code,
    reason = "GlobalAlloc is an unsafe trait, and the hook for a failed allocation is not stable"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::Write as _;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use rustix::thread::gettid;

/// The system's allocator, except that the program ends if it fails.
#[derive(Clone, Copy, Debug)]
pub struct OrEnd;

/// What to do before the end.
static BEFORE_END: OnceLock<fn()> = OnceLock::new();

/// The thread that ends the program; 0 for none.
static ENDING: AtomicI32 = AtomicI32::new(0);

/// Sets what is done before the program ends because memory ran out, such as restoring the terminal. That must not need
/// any memory.
pub fn before_end(action: fn()) {
    let _ = BEFORE_END.set(action);
}

fn or_end(allocated: *mut u8, bytes: usize) -> *mut u8 {
    if allocated.is_null() {
        end(bytes);
    }
    allocated
}

#[cold]
fn end(bytes: usize) -> ! {
    let own = gettid().as_raw_nonzero().get();
    match ENDING.compare_exchange(0, own, Ordering::SeqCst, Ordering::SeqCst) {
        Ok(_) => {
            if let Some(action) = BEFORE_END.get() {
                action();
            }
            complain(bytes);
        }
        // The action before the end itself ran out of memory.
        Err(other) if other == own => complain(bytes),
        Err(_) => wait(),
    }
    // SAFETY: it may be called at any time; it does not return and runs nothing of ours.
    unsafe { libc::_exit(1) }
}

fn complain(bytes: usize) {
    let mut text = [0; 256];
    let mut rest = text.as_mut_slice();
    let _ = write!(
        rest,
        "error: out of memory: cannot allocate {bytes} bytes\n\
         hint: a filter that selects less needs less; --plain, --jsonl and --csv print rows as they are read\n"
    );
    let unused = rest.len();
    let length = text.len() - unused;
    let _ = rustix::io::write(rustix::stdio::stderr(), text.get(..length).unwrap_or_default());
}

/// Leaves ending the program to another thread.
fn wait() -> ! {
    loop {
        std::thread::sleep(Duration::from_secs(1));
    }
}

// SAFETY: every call goes to the system's allocator as it came; what it returns is returned, unless it is null.
unsafe impl GlobalAlloc for OrEnd {
    // SAFETY: the caller promises what `System` asks for, here and below.
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        or_end(unsafe { System.alloc(layout) }, layout.size())
    }

    // SAFETY: as above.
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        or_end(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    // SAFETY: as above.
    unsafe fn realloc(&self, before: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        // SAFETY: as above.
        or_end(unsafe { System.realloc(before, layout, bytes) }, bytes)
    }

    // SAFETY: as above.
    unsafe fn dealloc(&self, allocated: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(allocated, layout) }
    }
}
