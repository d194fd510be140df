//! The examples of docs/reach.md are the command's output, word for word except for numbers that differ between runs:
//! process ids and handles. `SOCKSTAT_BLESS=1` rewrites them.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::compare::set_up;
use crate::single::{SOCKSTAT, nft};
use crate::stage::Stage;

/// The listeners, the rules, and whether to run without privilege.
struct Scene {
    listeners: &'static [(&'static str, &'static str)],
    rules: &'static str,
    may_read_rules: bool,
}

const CLOSED: &str = "table inet filter { chain input { type filter hook input priority 0; iifname \"lo\" accept; \
                      tcp dport 3000 drop comment \"closed\"; }; }";
const LIMITED: &str = "table inet filter { chain input { type filter hook input priority 0; \
                       tcp dport 22 limit rate 10/minute accept; tcp dport 22 drop; }; }";

/// The scenes of the examples, in order.
const SCENES: [Scene; 6] = [
    Scene {
        listeners: &[("node", "0.0.0.0:3000")],
        rules: CLOSED,
        may_read_rules: true,
    },
    Scene {
        listeners: &[("node", "127.0.0.1:3000")],
        rules: "",
        may_read_rules: true,
    },
    Scene {
        listeners: &[("node", "0.0.0.0:3000")],
        rules: CLOSED,
        may_read_rules: true,
    },
    Scene {
        listeners: &[
            ("sshd", "0.0.0.0:22"),
            ("node", "0.0.0.0:3000"),
            ("postgres", "127.0.0.1:5432"),
        ],
        rules: CLOSED,
        may_read_rules: true,
    },
    Scene {
        listeners: &[("sshd", "0.0.0.0:22")],
        rules: LIMITED,
        may_read_rules: true,
    },
    Scene {
        listeners: &[("node", "0.0.0.0:3000")],
        rules: "",
        may_read_rules: false,
    },
];

/// The process ids in the documentation.
const PIDS: [(&str, &str); 2] = [("node", "48291"), ("sshd", "812")];

/// A process with this name that listens until its input ends.
struct Program(Child, PathBuf);

impl Program {
    fn start(stage: &Stage, name: &str, place: &str) -> Self {
        let directory =
            PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("reach-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let file = directory.join(name);
        let _ = std::fs::remove_file(&file);
        std::fs::hard_link(std::env::current_exe().unwrap(), &file).unwrap();
        let mut child = Command::new("nsenter")
            .arg(format!("--net=/proc/{}/ns/net", stage.server.pid()))
            .arg(&file)
            .args([
                "--exact",
                "documented::listens_until_its_input_ends",
                "--ignored",
                "--nocapture",
            ])
            .env("SOCKSTAT_LISTEN", place)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        while !said.contains("listening") {
            let mut byte = [0];
            child.stdout.as_mut().unwrap().read_exact(&mut byte).unwrap();
            said.push(char::from(byte[0]));
        }
        Self(child, file)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
        let _ = std::fs::remove_file(&self.1);
        let _ = self.1.parent().map(std::fs::remove_dir);
    }
}

#[test]
#[ignore = "a process of another test"]
fn listens_until_its_input_ends() {
    let _listener = TcpListener::bind(std::env::var("SOCKSTAT_LISTEN").unwrap()).unwrap();
    println!("listening");
    std::io::stdout().flush().unwrap();
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

/// Replaces numbers after a word.
fn with_numbers(text: &str, before: &str, number: &str) -> String {
    let mut parts = text.split(before);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(before);
        let rest = part.trim_start_matches(|letter: char| letter.is_ascii_digit());
        out.push_str(if rest.len() == part.len() { "" } else { number });
        out.push_str(rest);
    }
    out
}

/// The same for every number that differs between runs.
fn normal(text: &str, shown: &str) -> String {
    let mut text = text.to_owned();
    for (program, pid) in PIDS {
        text = with_numbers(&text, &format!("{program} "), pid);
    }
    for word in ["rule handle ", "position "] {
        let number = shown.split(word).nth(1).unwrap_or_default();
        let number: String = number.chars().take_while(char::is_ascii_digit).collect();
        if !number.is_empty() {
            text = with_numbers(&text, word, &number);
        }
    }
    text
}

/// The examples of a page: where the output begins and ends, and the command.
fn examples(page: &str) -> Vec<(std::ops::Range<usize>, String)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = page[at..].find("```console\n$ ") {
        let command_at = at + start + "```console\n$ ".len();
        let output_at = command_at + page[command_at..].find('\n').unwrap() + 1;
        let end = output_at + page[output_at..].find("```").unwrap();
        found.push((output_at..end, page[command_at..output_at - 1].to_owned()));
        at = end + 3;
    }
    found
}

fn run(stage: &Stage, scene: &Scene, command: &str) -> String {
    let command = command
        .trim_start_matches("sudo ")
        .replacen("sockstat", "\"$0\"", 1);
    let rights = if scene.may_read_rules {
        ""
    } else {
        "setpriv --bounding-set=-net_admin --inh-caps=-net_admin "
    };
    let script = format!("{rights}{command} || true");
    stage.server.run("sh", &["-c", &script, SOCKSTAT], "").unwrap()
}

#[test]
fn the_page_shows_the_real_output() {
    let Some((stage, servers)) = set_up() else { return };
    // The scenes have no other listeners.
    drop(servers);
    stage.server.sh(
        "ip link set s1 down\nip link set s0 down\nip link set s0 name eth0\nip addr flush dev eth0\n\
         ip addr add 192.168.1.10/24 dev eth0\nip addr add 10.0.0.5/24 dev eth0\nip link set eth0 up",
    );
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reach.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let examples = examples(&page);
    assert_eq!(examples.len(), SCENES.len());
    let mut written = page.clone();
    for (scene, (range, command)) in SCENES.iter().zip(&examples).rev() {
        nft(&stage, scene.rules);
        let programs: Vec<Program> = scene
            .listeners
            .iter()
            .map(|(name, place)| Program::start(&stage, name, place))
            .collect();
        let shown = &page[range.clone()];
        let said = normal(&run(&stage, scene, command), shown);
        drop(programs);
        if std::env::var_os("SOCKSTAT_BLESS").is_some() {
            written.replace_range(range.clone(), &said);
        } else {
            assert_eq!(said, shown, "{command}");
        }
    }
    if written != page {
        std::fs::write(path, written).unwrap();
    }
}
