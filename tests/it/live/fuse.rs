//! A file system that never answers, and a descriptor that alternates between a socket and a file on it.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::container::Cgroup;
use super::enter::is_root;
use super::sockets::{Sockets, example, new_directory};
use crate::run::{Ran, sockstat};
use crate::skip::skip;

/// Opcodes of linux 6.18 include/uapi/linux/fuse.h.
const LOOKUP: u32 = 1;
const GETATTR: u32 = 3;
const OPEN: u32 = 14;
const GETXATTR: u32 = 22;
const INIT: u32 = 26;
const INTERRUPT: u32 = 36;

/// A run that takes longer hangs: it should take milliseconds.
const HANGS_AFTER: Timespec = Timespec {
    tv_sec: 600,
    tv_nsec: 0,
};

/// Whether the process ends in time.
fn ends_within(child: &Child, limit: Timespec) -> bool {
    let pidfd = pidfd_open(Pid::from_child(child), PidfdFlags::empty()).unwrap();
    poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&limit)).unwrap() > 0
}

/// A mounted file that can be opened at once, but never answers requests for its attributes or content.
struct Silent {
    path: PathBuf,
    directory: PathBuf,
    /// Whether an attribute was requested.
    asked: Arc<AtomicBool>,
}

impl Silent {
    #[track_caller]
    fn mount() -> Option<Self> {
        let directory = new_directory();
        Self::mount_below(&directory, Path::new("file"), "100000")
    }

    /// At this path below a new directory, which is removed with it; `mode` is the type of what is there, in octal.
    #[track_caller]
    fn mount_below(directory: &Path, path: &Path, mode: &str) -> Option<Self> {
        if !is_root() {
            skip("only root can mount a FUSE file system");
            return None;
        }
        let connection = match OpenOptions::new().read(true).write(true).open("/dev/fuse") {
            Ok(file) => file,
            Err(error) => {
                skip(&format!("no FUSE file system can be mounted: {error}"));
                return None;
            }
        };
        let path = directory.join(path);
        if !path.exists() {
            File::create(&path).unwrap();
        }
        let options = format!(
            "fd={},rootmode={mode},user_id=0,group_id=0,allow_other",
            connection.as_raw_fd()
        );
        let options = std::ffi::CString::new(options).unwrap();
        if let Err(error) = mount("silent", &path, "fuse", MountFlags::empty(), options.as_c_str()) {
            skip(&format!("no FUSE file system can be mounted: {error}"));
            return None;
        }
        let asked = Arc::new(AtomicBool::new(false));
        let tell = Arc::clone(&asked);
        std::thread::spawn(move || serve(&connection, &tell));
        let directory = directory.to_owned();
        Some(Self {
            path,
            directory,
            asked,
        })
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        // Forced: whoever still waits for an answer gets an error.
        let _ = unmount(&self.path, UnmountFlags::DETACH | UnmountFlags::FORCE);
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

fn serve(mut connection: &File, asked: &AtomicBool) {
    let mut request = vec![0; 1 << 17];
    while let Ok(length) = connection.read(&mut request) {
        let word = |at: usize| u32::from_ne_bytes(request[at..at + 4].try_into().unwrap());
        let mut reply = Vec::new();
        let error: i32 = match word(4) {
            _ if length < 40 => return,
            GETXATTR | GETATTR | LOOKUP => {
                asked.store(true, Ordering::Relaxed);
                continue;
            }
            INTERRUPT => continue,
            INIT => {
                for word in [7u32, 31, 0, 0, 0, 4096, 1, 0] {
                    reply.extend(word.to_ne_bytes());
                }
                reply.resize(64, 0);
                0
            }
            OPEN => {
                reply.resize(16, 0);
                0
            }
            _ => -libc::ENOSYS,
        };
        let mut message = Vec::new();
        message.extend(u32::try_from(16 + reply.len()).unwrap().to_ne_bytes());
        message.extend(error.to_ne_bytes());
        message.extend_from_slice(&request[8..16]);
        message.extend(reply);
        if connection.write_all(&message).is_err() {
            return;
        }
    }
}

#[test]
fn a_descriptor_that_becomes_a_file_without_answers_holds_nobody_up() {
    let Some(silent) = Silent::mount() else { return };
    let file: OwnedFd = File::open(&silent.path).unwrap().into();
    let mut descriptor = rustix::net::socket(
        rustix::net::AddressFamily::INET,
        rustix::net::SocketType::DGRAM,
        None,
    )
    .unwrap();
    // Holders are asked in the order of their descriptors: the one that alternates comes first.
    let socket = rustix::io::fcntl_dupfd_cloexec(&descriptor, 500).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let swapping = std::thread::spawn({
        let stop = Arc::clone(&stop);
        move || {
            while !stop.load(Ordering::Relaxed) {
                rustix::io::dup2(&file, &mut descriptor).unwrap();
                rustix::io::dup2(&socket, &mut descriptor).unwrap();
            }
        }
    });
    let mut is_held_up = false;
    for _ in 0..20 {
        let mut child = sockstat(["-a", "-p", "--jsonl"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        is_held_up = !ends_within(&child, HANGS_AFTER);
        let _ = child.kill();
        child.wait().unwrap();
        if is_held_up {
            break;
        }
    }
    stop.store(true, Ordering::Relaxed);
    let asked = silent.asked.load(Ordering::Relaxed);
    drop(silent);
    swapping.join().unwrap();
    // Other programs that look at every descriptor, such as ss -Z, may request it too, so a request proves nothing.
    assert!(
        !is_held_up,
        "it waits for the file system, which was asked: {asked}"
    );
}

#[test]
fn a_home_that_does_not_answer_holds_nobody_up() {
    const OWNER: u32 = 65534;
    let id = "5ca1ab1e".repeat(8);
    let Some(group) = Cgroup::make(&format!(
        "sockstat-it-home-{}.slice/user-{OWNER}.slice/libpod-{id}.scope",
        std::process::id()
    )) else {
        return;
    };
    let Some(sockets) = Sockets::make_by(&mut group.entering(&example("mksock")), &["tcp-listen:port=4000"])
    else {
        return;
    };
    let list = Path::new("eve/.local/share/containers/storage/overlay-containers/containers.json");
    // A file system on the list of containers, and one on the home.
    for (path, kind) in [(list, "100000"), (Path::new("eve"), "40000")] {
        let homes = new_directory();
        fs::create_dir_all(homes.join(list).parent().unwrap()).unwrap();
        for part in list.ancestors().skip(1).filter(|part| part.starts_with("eve")) {
            chown(homes.join(part), Some(OWNER), Some(OWNER)).unwrap();
        }
        let Some(silent) = Silent::mount_below(&homes, path, kind) else {
            return;
        };
        nobody_waits(&sockets, &homes, &id, silent);
    }
}

/// Runs every command that searches these homes for names of containers.
#[track_caller]
fn nobody_waits(sockets: &Sockets, homes: &Path, id: &str, silent: Silent) {
    for arguments in [&["-tlp", "--json"][..], &["why", "4000"]] {
        let mut command = sockets.program("unshare");
        let script = "mount --rbind \"$0\" /home && exec \"$@\"";
        let mut child = command
            .args(["--mount", "sh", "-c", script])
            .arg(homes)
            .arg(env!("CARGO_BIN_EXE_sockstat"))
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let is_held_up = !ends_within(&child, HANGS_AFTER);
        let _ = child.kill();
        if is_held_up {
            drop(silent);
            child.wait().unwrap();
            panic!("{arguments:?} waits for the file system");
        }
        let ran = Ran::from(child.wait_with_output().unwrap());
        assert!(matches!(ran.status, Some(0..=1)), "{}", ran.stderr);
        assert!(
            ran.text().contains(&id[..12]),
            "without a name it is known by its number: {}",
            ran.text()
        );
    }
}
