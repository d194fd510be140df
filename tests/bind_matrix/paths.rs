//! The rules of `why` for paths against the kernel: a child binds every path and unlinks it again, as root and as an
//! ordinary user, and the result is compared with what the program says.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use super::netns;

/// The words before a command that run it as this ordinary user.
const AS_USER: [&str; 6] = [
    "setpriv",
    "--reuid",
    "65534",
    "--regid",
    "65534",
    "--clear-groups",
];

/// Sets up the mounts in a namespace that only the children see; `$1` is the directory.
const MOUNTS: &str = "
    cd \"$1\" && shift
    mount -t tmpfs -o mode=777 here mounts && cd mounts
    mkdir -m 777 read-only full overlay bound && mkdir -m 777 lower upper
    mount -t tmpfs -o mode=777 some full && mount -o remount,nr_inodes=2 full && : > full/last 2>/dev/null
    mount -t tmpfs -o mode=777 some read-only && : > read-only/file && mount -o remount,ro read-only
    mkdir -m 755 read-only-forbidden; mount --bind read-only-forbidden bound && mount -o remount,ro,bind bound
    mount -t tmpfs -o mode=777 one lower; mount -t tmpfs -o mode=777 two upper && mkdir -m 777 upper/u upper/w
    mount -t overlay -o lowerdir=lower,upperdir=upper/u,workdir=upper/w three overlay
    mkdir -m 777 immutable && chattr +i immutable
    exec \"$@\"
";

/// Binds each path in order, prints what happened, and unlinks what it created.
const BIND: &str = r"
use Socket; use Errno;
for my $path (@ARGV) {
    socket(my $s, AF_UNIX, SOCK_STREAM, 0) or die;
    if (bind($s, pack_sockaddr_un($path))) { print qq(ok\n); unlink $path }
    else { my ($name) = grep { $!{$_} } keys %!; print qq($name\n) }
}";

/// A directory with everything that a path can lead through.
struct Tree {
    at: PathBuf,
    listeners: Vec<UnixListener>,
}

impl Tree {
    fn new() -> Self {
        let at = std::env::temp_dir().join(format!("sp{}", std::process::id() % 100_000));
        let _ = std::fs::remove_dir_all(&at);
        let make = |name: &str, mode| {
            std::fs::create_dir_all(at.join(name)).unwrap();
            std::fs::set_permissions(at.join(name), std::fs::Permissions::from_mode(mode)).unwrap();
        };
        for (name, mode) in [
            ("", 0o755),
            ("mounts", 0o777),
            ("open", 0o777),
            ("sticky", 0o1777),
            ("root", 0o755),
            ("no-write", 0o555),
            ("search-only", 0o711),
            ("no-search", 0o766),
            ("write-only", 0o733),
            ("closed", 0o700),
            ("closed/open", 0o777),
            ("theirs", 0o700),
            ("theirs-no-write", 0o500),
            ("group", 0o775),
        ] {
            make(name, mode);
        }
        for name in ["theirs", "theirs-no-write"] {
            std::os::unix::fs::chown(at.join(name), Some(65_534), Some(65_534)).unwrap();
        }
        std::fs::write(at.join("open/file"), "").unwrap();
        for (to, name) in [
            ("nowhere", "open/dangling"),
            ("loops", "open/loops"),
            ("../closed/open", "open/into-closed"),
            ("../sticky", "open/into-sticky"),
            ("file", "open/into-file"),
        ] {
            symlink(to, at.join(name)).unwrap();
        }
        symlink("x".repeat(300), at.join("open/long")).unwrap();
        symlink(at.join("open"), at.join("open/absolute")).unwrap();
        let listeners = ["open/listens", "root/listens"]
            .map(|name| UnixListener::bind(at.join(name)).unwrap())
            .into();
        drop(UnixListener::bind(at.join("open/stale")).unwrap());
        Self { at, listeners }
    }

    /// Every path to check.
    fn paths(&self) -> Vec<String> {
        let directories = [
            "open",
            "sticky",
            "root",
            "no-write",
            "search-only",
            "no-search",
            "write-only",
            "closed",
            "closed/open",
            "theirs",
            "theirs-no-write",
            "group",
            "missing",
            "missing/more",
            "open/file",
            "open/listens",
            "open/dangling",
            "open/loops",
            "open/into-closed",
            "open/into-sticky",
            "open/into-file",
            "open/long",
            "open/absolute",
            "open/absolute/../sticky",
            "root/../open",
            "closed/..",
            "no-search/..",
            "mounts/full",
            "mounts/read-only",
            "mounts/bound",
            "mounts/overlay",
            "mounts/immutable",
        ];
        let names = ["new", "new/", "new//", ".", "..", "./new", "/new", "."];
        let here = self.at.to_str().unwrap();
        let mut paths: Vec<String> = Vec::new();
        for directory in directories {
            paths.extend(names.map(|name| format!("{here}/{directory}/{name}")));
        }
        for name in [
            "open",
            "open/",
            "open/file",
            "open/file/",
            "open/listens",
            "open/stale",
            "open/stale/",
            "open/dangling",
            "open/dangling/",
            "open/loops",
            "open/loops/",
            "open/long",
            "open/into-closed",
            "root/listens",
            "closed/new",
            "mounts/read-only/file",
            "mounts/full/last",
        ] {
            paths.push(format!("{here}/{name}"));
        }
        let room = 108 - here.len() - "/open/".len();
        paths.push(format!("{here}/open/{}", "l".repeat(room - 1)));
        paths.extend(
            [
                "/",
                "//",
                "/.",
                "/..",
                "/proc/x",
                "/proc/self/x",
                "/proc/self/fd/x",
                "/proc/sys/x",
                "/proc/1/x/y",
                "/proc",
                "/sys/x",
                "/sys/kernel/x",
                "/sys/fs/cgroup/x",
                "/dev/pts/x",
                "/proc/self/comm",
                "/proc/self/comm/x",
                "/sys/",
                "/new-in-root",
                "/root/new",
                "/usr/new",
                "/etc/passwd/x",
            ]
            .map(str::to_owned),
        );
        paths
    }

    /// Runs a command in the mount namespace of the tree.
    fn command(&self, as_root: bool, words: &[&str]) -> Command {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--propagation", "private", "sh", "-c", MOUNTS, "sh"]);
        command.arg(&self.at);
        if !as_root {
            command.args(AS_USER);
        }
        command.args(words).env_remove("SUDO_UID");
        command
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        self.listeners.clear();
        let _ = std::fs::remove_dir_all(&self.at);
    }
}

fn lines(mut command: Command) -> Vec<String> {
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    assert!(!lines.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    lines
}

/// The documents that a command prints, one after another.
fn documents(mut command: Command) -> Vec<Value> {
    let output = command.output().unwrap();
    let read = serde_json::Deserializer::from_slice(&output.stdout).into_iter();
    read.map(Result::unwrap).collect()
}

#[test]
fn predictions_for_paths_agree_with_bind() {
    netns::run(|_| {
        let tree = Tree::new();
        let paths = tree.paths();
        let words: Vec<&str> = paths.iter().map(String::as_str).collect();
        // All paths in one mount namespace.
        let each = "program=$1; shift; for path; do \"$program\" why -j ${uid:+--uid $uid} \"$path\" 2>/dev/null; done";
        let program = env!("CARGO_BIN_EXE_sockstat");
        let (mut asked, mut unsure, mut wrong) = (0, 0, Vec::new());
        for as_root in [true, false] {
            let bound = lines(tree.command(as_root, &[&["perl", "-e", BIND], &words[..]].concat()));
            // As the user, and as root for the user.
            let ways: &[(bool, Option<&str>)] = if as_root {
                &[(true, None)]
            } else {
                &[(false, None), (true, Some("65534"))]
            };
            for (by_root, uid) in ways {
                let mut command = tree.command(
                    *by_root,
                    &[&["sh", "-c", each, "sh", program], &words[..]].concat(),
                );
                command.envs(uid.map(|uid| ("uid", uid)));
                let said = documents(command);
                assert_eq!((said.len(), bound.len()), (paths.len(), paths.len()));
                for ((path, said), bound) in paths.iter().zip(said).zip(&bound) {
                    let answer = &said["answers"][0];
                    asked += 1;
                    unsure += i32::from(answer["bind"] == "undecidable");
                    if answer["bind"] != bound.as_str() && (uid.is_none() || answer["bind"] != "undecidable")
                    {
                        wrong.push(format!(
                            "{path}: root {by_root} uid {uid:?}: kernel {bound}, said {answer}"
                        ));
                    }
                }
            }
        }
        eprintln!("{asked} binds of paths compared, {unsure} undecidable for another user");
        assert!(
            wrong.is_empty(),
            "{} of {asked}:\n{}",
            wrong.len(),
            wrong.join("\n")
        );
    });
}

#[test]
fn a_listener_on_an_overlay_of_two_file_systems_is_found() {
    netns::run(|_| {
        let tree = Tree::new();
        let path = tree.at.join("mounts/overlay/live");
        let (program, path) = (env!("CARGO_BIN_EXE_sockstat"), path.to_str().unwrap());
        let script = "
            use Socket;
            my ($program, $path) = @ARGV;
            socket(my $s, AF_UNIX, SOCK_STREAM, 0) or die;
            bind($s, pack_sockaddr_un($path)) or die qq($!); listen($s, 5) or die;
            print qx($program why -j $path), qx($program reach -j $path), qx($program wait -j --timeout 2 $path);
            close $s;
            print qx($program why -j $path), qx($program reach -j $path);";
        let said = documents(tree.command(true, &["perl", "-e", script, program, path]));
        let verdicts: Vec<_> = said
            .iter()
            .map(|one| one["answers"][0]["verdict"].clone())
            .collect();
        assert_eq!(verdicts[..2], ["unix-listener", "accepted"], "{said:?}");
        assert_eq!(said[2]["reached"], true, "{said:?}");
        assert_eq!(verdicts[3..], ["unix-stale", "refused"], "{said:?}");
    });
}

/// A path is the same in every network namespace.
#[test]
fn a_listener_in_another_network_namespace_is_not_stale() {
    netns::run(|_| {
        let tree = Tree::new();
        let path = tree.at.join("open/listens");
        netns::leave();
        let verdict = |command: &str| {
            let document = super::binary::run(&[command, "-j", path.to_str().unwrap()], 0);
            let answer = document["answers"][0].clone();
            assert!(!answer.to_string().contains("rm "), "{answer}");
            answer["verdict"].clone()
        };
        assert_eq!(verdict("why"), "unix-elsewhere");
        assert_eq!(verdict("reach"), "unseen");
    });
}
