//! Three machines: a client, the server under test, and one behind it, as network namespaces with links between them.

use std::fs::File;
use std::io::Write as _;
use std::os::fd::AsFd as _;
use std::process::{Child, Command, Stdio};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::skip::skip;

/// The set-up of the server: `ip`, `sysctl` and the like, in its namespace.
const SERVER: &str = "
ip link set lo up
ip link add s0 type veth peer name c0 netns CLIENT
ip link add s1 type veth peer name b0 netns BACKEND
ip addr add 10.77.0.1/24 dev s0
ip addr add fd77::1/64 dev s0 nodad
ip addr add 10.78.0.1/24 dev s1
ip addr add fd78::1/64 dev s1 nodad
ip link set s0 up
ip link set s1 up
sysctl -qw net.ipv4.ip_forward=1
sysctl -qw net.ipv6.conf.all.forwarding=1
sysctl -qw net.ipv4.icmp_ratelimit=0
sysctl -qw net.ipv6.icmp.ratelimit=0
";
const CLIENT: &str = "
ip link set lo up
ip addr add 10.77.0.2/24 dev c0
ip addr add fd77::2/64 dev c0 nodad
ip link set c0 up
ip route add default via 10.77.0.1
ip route add default via fd77::1
sysctl -qw net.ipv4.icmp_ratelimit=0
sysctl -qw net.ipv6.icmp.ratelimit=0
";
const BACKEND: &str = "
ip link set lo up
ip addr add 10.78.0.2/24 dev b0
ip addr add fd78::2/64 dev b0 nodad
ip link set b0 up
ip route add default via 10.78.0.1
ip route add default via fd78::1
sysctl -qw net.ipv4.icmp_ratelimit=0
sysctl -qw net.ipv6.icmp.ratelimit=0
";

/// A network namespace that a sleeping process keeps alive.
pub(crate) struct Machine {
    holder: Child,
}

impl Machine {
    fn make() -> Option<Self> {
        let mut command = Command::new("unshare");
        command.args([
            "--net",
            "--kill-child",
            "sh",
            "-c",
            "echo ready; exec sleep infinity",
        ]);
        let mut holder = command.stdout(Stdio::piped()).stdin(Stdio::null()).spawn().ok()?;
        let mut ready = [0; 6];
        std::io::Read::read_exact(holder.stdout.as_mut()?, &mut ready).ok()?;
        Some(Self { holder })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.holder.id()
    }

    /// Runs a script in it.
    pub(crate) fn run(&self, program: &str, arguments: &[&str], input: &str) -> Result<String, String> {
        let mut command = Command::new("nsenter");
        command
            .arg(format!("--net=/proc/{}/ns/net", self.pid()))
            .arg(program)
            .args(arguments);
        let piped = Stdio::piped;
        let mut child = command
            .stdin(piped())
            .stdout(piped())
            .stderr(piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .map_err(|error| error.to_string())?;
        let output = child.wait_with_output().map_err(|error| error.to_string())?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    /// Runs a shell script in it, which must succeed.
    pub(crate) fn sh(&self, script: &str) {
        self.run("sh", &["-e"], script)
            .unwrap_or_else(|error| panic!("{script}\n{error}"));
    }

    /// Runs a function on a thread in it.
    pub(crate) fn inside<T: Send>(&self, function: impl FnOnce() -> T + Send) -> T {
        let namespace = File::open(format!("/proc/{}/ns/net", self.pid())).unwrap();
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
                function()
            });
            thread.join().unwrap()
        })
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// The three machines.
pub(crate) struct Stage {
    pub(crate) client: Machine,
    pub(crate) server: Machine,
    pub(crate) backend: Machine,
}

impl Stage {
    /// Creates them. If that is not possible here, prints the reason and returns `None`.
    #[track_caller]
    pub(crate) fn make() -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            skip("only root can enter a network namespace alone");
            return None;
        }
        let machines = (Machine::make(), Machine::make(), Machine::make());
        let (Some(client), Some(server), Some(backend)) = machines else {
            skip("no network namespaces of our own");
            return None;
        };
        let ids = [("CLIENT", client.pid()), ("BACKEND", backend.pid())];
        let script = ids.iter().fold(SERVER.to_owned(), |script, (word, pid)| {
            script.replace(word, &pid.to_string())
        });
        server.sh(&script);
        client.sh(CLIENT);
        backend.sh(BACKEND);
        // Rules that drop everything also drop neighbour discovery.
        for (machine, link, others) in [
            (&server, "s0", [(&client, "c0", "10.77.0.2", "fd77::2")]),
            (&server, "s1", [(&backend, "b0", "10.78.0.2", "fd78::2")]),
            (&client, "c0", [(&server, "s0", "10.77.0.1", "fd77::1")]),
            (&backend, "b0", [(&server, "s1", "10.78.0.1", "fd78::1")]),
        ] {
            for (other, device, v4, v6) in others {
                let address = other.run("cat", &[&format!("/sys/class/net/{device}/address")], "");
                // Our mount of sysfs has no files for the devices of another namespace.
                let address = match address {
                    Ok(address) if !address.is_empty() => address,
                    _ => other.run("ip", &["-o", "link", "show", device], "").unwrap(),
                };
                let address = address
                    .split_whitespace()
                    .find(|word| word.matches(':').count() == 5)
                    .unwrap_or_default();
                machine.sh(&format!(
                    "ip neigh replace {v4} dev {link} lladdr {address} nud permanent\n\
                     ip neigh replace {v6} dev {link} lladdr {address} nud permanent"
                ));
            }
        }
        Some(Self {
            client,
            server,
            backend,
        })
    }
}
