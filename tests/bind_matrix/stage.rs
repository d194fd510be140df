//! The environment of a case of `every.rs`: programs with well-known names that hold its sockets, and a way to run
//! sockstat next to them.

use std::any::Any;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use rustix::io::{FdFlags, fcntl_setfd};
use rustix::process::{Pid, Signal, kill_process_group};

use super::netns;
use super::sockets::fresh_port;

/// The ordinary user.
const NOBODY: &str = "65534";

/// The stage, which is cleared when this is dropped.
pub(crate) struct Stage {
    /// A new directory.
    pub(crate) directory: PathBuf,
    /// The index of the second network device.
    pub(crate) card: u32,
    /// A port that is not in use.
    pub(crate) port: u16,
    /// The programs on stage, in order.
    children: Vec<Child>,
    /// Sockets, and whatever else must live as long as the stage.
    kept: Vec<Box<dyn Any>>,
    /// The program through which sockstat is run.
    through: Vec<String>,
    /// Whether sockstat is forbidden to create IPv6 sockets.
    without_ipv6: bool,
}

impl Stage {
    pub(crate) fn new(card: u32) -> Self {
        // Not a port that others on this machine may use in their own namespaces: it would be reported.
        let port = 20_000 + u16::try_from(std::process::id() % 9000).unwrap() + fresh_port() % 100;
        let directory = std::env::temp_dir().join(format!("sockstat-every-{}-{port}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        Self {
            directory,
            card,
            port,
            children: Vec::new(),
            kept: Vec::new(),
            through: Vec::new(),
            without_ipv6: false,
        }
    }

    /// The port, as it is typed.
    pub(crate) fn place(&self) -> String {
        self.port.to_string()
    }

    /// Keeps something until the case is over.
    pub(crate) fn keep(&mut self, what: impl Any) {
        self.kept.push(Box::new(what));
    }

    /// A shell under another name.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.copy_of("/bin/sh", name)
    }

    /// A program under another name.
    pub(crate) fn copy_of(&self, program: &str, name: &str) -> PathBuf {
        let path = self.directory.join(name);
        // Written by a separate program: a descriptor of ours that is open for writing would be inherited by any process that
        // another thread starts, and then nobody could run the file.
        let copied = Command::new("cp")
            .args([program.as_ref(), path.as_path()])
            .status();
        assert!(copied.unwrap().success());
        path
    }

    /// Gives the sockets to a program of that name, which holds them and does nothing; returns its pid.
    pub(crate) fn give<const N: usize>(&mut self, name: &str, sockets: [OwnedFd; N]) -> u32 {
        self.give_with(name, &["-c", "read line"], sockets)
    }

    /// The same with arguments.
    pub(crate) fn give_with<const N: usize>(
        &mut self,
        name: &str,
        arguments: &[&str],
        sockets: [OwnedFd; N],
    ) -> u32 {
        for socket in &sockets {
            fcntl_setfd(socket, FdFlags::empty()).unwrap();
        }
        let mut child = Command::new(self.program(name))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap();
        drop(sockets);
        if arguments
            .get(1)
            .is_some_and(|script| script.contains("echo ready"))
        {
            let mut ready = [0; 6];
            std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut ready).unwrap();
        }
        let pid = child.id();
        self.children.push(child);
        pid
    }

    /// Runs sockstat by this script, whose `"$@"` is the command, in a mount namespace of its own.
    pub(crate) fn through_script(&mut self, script: &str) {
        let words = ["unshare", "--mount", "sh", "-c", script, "sh"];
        self.through = words.map(str::to_owned).to_vec();
    }

    /// Runs sockstat through this program.
    pub(crate) fn through<const N: usize>(&mut self, words: [&str; N]) {
        self.through = words.map(str::to_owned).to_vec();
    }

    /// Makes IPv6 sockets fail, as `RestrictAddressFamilies=` of systemd does.
    pub(crate) fn without_ipv6(&mut self) {
        self.without_ipv6 = true;
    }

    /// Moves to another network namespace, without the sockets.
    pub(crate) fn leave(&self) {
        assert!(self.directory.exists());
        netns::leave();
    }

    /// Runs sockstat, as root or as the ordinary user.
    pub(crate) fn ask(&self, as_root: bool, arguments: &[String]) -> Output {
        self.command(as_root, arguments).output().unwrap()
    }

    /// sockstat, to be run as root or as the ordinary user.
    pub(crate) fn command(&self, as_root: bool, arguments: &[String]) -> Command {
        let mut words: Vec<String> = self.through.clone();
        if !as_root {
            words.extend(
                ["setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"].map(str::to_owned),
            );
        }
        words.push(env!("CARGO_BIN_EXE_sockstat").to_owned());
        words.extend_from_slice(arguments);
        let mut command = Command::new(&words[0]);
        command
            .args(&words[1..])
            .env_remove("SUDO_UID")
            .stdin(Stdio::null());
        if self.without_ipv6 {
            // SAFETY: between fork and exec there are two system calls on constants, and no allocation or lock.
            #[allow(unsafe_code, reason = "only pre_exec runs code between fork and exec")]
            unsafe {
                command.pre_exec(super::seccomp::forbid_ipv6);
            }
        }
        command
    }

    /// The path of the case's own directory in the documentation.
    pub(crate) fn is_in(&self) -> &Path {
        &self.directory
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        for child in &mut self.children {
            // Including all that it started.
            if let Ok(pid) = i32::try_from(child.id())
                && let Some(group) = Pid::from_raw(pid)
            {
                let _ = kill_process_group(group, Signal::KILL);
            }
            let _ = child.wait();
        }
        self.kept.clear();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}
