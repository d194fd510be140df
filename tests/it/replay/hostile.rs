//! Recordings that are damaged or malicious: a clear error, or a replay without what cannot be decoded.

use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};

use sockstat::source::tape::load;

use crate::run::{Ran, sockstat};

struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("sockstat-tape-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn record(path: &str) -> Vec<u8> {
    let ran = Ran::of(&mut sockstat(["--record", path, "-tuanpe", "--json"])).ended_with(0);
    assert!(ran.stderr.contains("command lines"), "{}", ran.stderr);
    std::fs::read(path).unwrap()
}

#[test]
fn a_recording_is_for_its_owner_alone() {
    let place = Place::new("mode");
    let path = place.file("r");
    record(&path);
    assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
    let link = place.file("link");
    symlink(&path, &link).unwrap();
    let before = std::fs::read(&path).unwrap();
    let ran = Ran::of(&mut sockstat(["--record", &link, "-t"])).ended_with(1);
    assert!(ran.stderr.contains("symbolic link"), "{}", ran.stderr);
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn a_recording_that_is_cut_says_where() {
    let place = Place::new("cut");
    let path = place.file("r");
    let whole = record(&path);
    for length in (0..whole.len()).step_by(whole.len() / 200 + 1) {
        assert!(load(&whole[..length]).is_err(), "cut at {length}");
    }
    let length = whole.len() - 3;
    std::fs::write(&path, &whole[..length]).unwrap();
    let ran = Ran::of(&mut sockstat(["--replay", &path, "-t"])).ended_with(1);
    assert!(
        ran.stderr.contains(&format!("truncated at byte {length}")),
        "{}",
        ran.stderr
    );
    assert!(ran.stdout.is_empty());
}

#[test]
fn bytes_that_were_changed_cost_no_more_than_an_error() {
    let place = Place::new("changed");
    let path = place.file("r");
    let whole = record(&path);
    // A prime step visits headers, keys and values.
    for (round, at) in (18..whole.len()).step_by(whole.len() / 40 + 1).enumerate() {
        let mut changed = whole.clone();
        changed[at] ^= [0x01, 0x80, 0xff][round % 3];
        std::fs::write(&path, &changed).unwrap();
        let ran = Ran::of(&mut sockstat(["--replay", &path, "-tuanpe", "--json"]));
        assert!(
            matches!(ran.status, Some(0 | 1)),
            "byte {at}: {:?} {}",
            ran.status,
            ran.stderr
        );
    }
}

#[test]
fn a_file_that_is_no_recording_is_refused() {
    let place = Place::new("other");
    let path = place.file("r");
    let damaged: [(&[u8], &str); 5] = [
        (b"", "neither a recording"),
        (b"hello, world\n", "neither a recording"),
        (&[0xff; 400], "neither a recording"),
        (b"sockstat-recording", "truncated at byte 18"),
        (b"sockstat-recordingL\0\x07\0", "version 7"),
    ];
    for (bytes, said) in damaged {
        std::fs::write(&path, bytes).unwrap();
        let ran = Ran::of(&mut sockstat(["--replay", &path])).ended_with(1);
        assert!(ran.stderr.contains(said), "{bytes:?}: {}", ran.stderr);
    }
    let mut dump = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tcp.dump")).unwrap();
    dump.pop();
    std::fs::write(&path, &dump).unwrap();
    let ran = Ran::of(&mut sockstat(["--replay", &path])).ended_with(1);
    assert!(
        ran.stderr.contains("inside the message at byte"),
        "{}",
        ran.stderr
    );
    assert!(!Path::new(&place.file("none")).exists());
    Ran::of(&mut sockstat(["--replay", &place.file("none")])).ended_with(1);
}

#[test]
fn commands_that_act_on_the_machine_are_refused() {
    let dump = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tcp.dump");
    for words in [
        &["kill", "22"][..],
        &["wait", "22"],
        &["events"],
        &["-E"],
        &["-K", "sport = 22"],
        &["--record", "x", "-t"],
    ] {
        let ran = Ran::of(sockstat(["--replay", dump]).args(words)).ended_with(2);
        assert!(ran.stderr.contains("cannot be "), "{words:?}: {}", ran.stderr);
    }
}
