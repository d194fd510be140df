//! Random rules: nftables, iptables-nft as docker writes it, iptables-legacy, and mixtures.

use std::fmt::Write as _;

/// Numbers that look random and are the same in every run.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        // xorshift64*.
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from(self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33).unwrap() % limit
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len())]
    }
}

/// What to run on the server, in order: program, arguments, input.
pub(crate) struct Rules(pub(crate) Vec<(&'static str, Vec<String>, String)>);

impl Rules {
    /// As text, for a report.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for (program, arguments, input) in &self.0 {
            let _ = writeln!(text, "{program} {}\n{input}", arguments.join(" "));
        }
        text
    }
}

/// Rules for one case.
pub(crate) fn rules(dice: &mut Dice) -> Rules {
    let mut all = Vec::new();
    match dice.below(10) {
        0..=5 => all.push(nft(dice)),
        6 => all.extend(docker(dice)),
        7 => all.extend(legacy(dice)),
        8 => {
            all.extend(legacy(dice));
            all.push(nft(dice));
        }
        _ => {
            all.extend(docker(dice));
            all.push(nft(dice));
        }
    }
    Rules(all)
}

const PORTS: &[&str] = &["80", "81", "8080", "8081"];
const HOOKS: &[(&str, &[&str])] = &[
    ("prerouting", &["raw", "mangle", "filter", "-250"]),
    ("input", &["mangle", "filter", "filter", "10", "security"]),
    ("output", &["raw", "mangle", "filter", "filter"]),
    ("postrouting", &["mangle", "filter", "150"]),
    ("forward", &["filter", "mangle"]),
];

fn nft(dice: &mut Dice) -> (&'static str, Vec<String>, String) {
    let mut text = String::new();
    for number in 0..=dice.below(3) {
        let family = dice.pick(&["inet", "inet", "ip", "ip6"]);
        let _ = writeln!(text, "table {family} t{number} {{");
        text.push_str("set ports { type inet_service; flags interval; elements = { 81, 8080-8081 } }\n");
        text.push_str(
            "set four { type ipv4_addr; flags interval; elements = { 10.77.0.2, 192.168.0.0/16 } }\n",
        );
        text.push_str(
            "set pairs { type ipv4_addr . inet_service; elements = { 10.77.0.1 . 80, 10.77.0.1 . 8081 } }\n",
        );
        text.push_str("map verdicts { type inet_service : verdict; elements = { 80 : drop, 81 : accept, 8080 : continue } }\n");
        let called = dice.below(3);
        for chain in (0..called).rev() {
            let _ = writeln!(text, "chain u{chain} {{");
            let jumps = if chain + 1 < called { Some(chain + 1) } else { None };
            for _ in 0..=dice.below(3) {
                rule(dice, family, "any", jumps, &mut text);
            }
            text.push_str("}\n");
        }
        for chain in 0..=dice.below(3) {
            let (hook, priorities) = HOOKS[dice.below(HOOKS.len())];
            let priority = dice.pick(priorities);
            let policy = if dice.one_in(6) { "drop" } else { "accept" };
            let kind = if hook == "output" && dice.one_in(4) {
                "route"
            } else {
                "filter"
            };
            let _ = writeln!(
                text,
                "chain b{chain} {{ type {kind} hook {hook} priority {priority}; policy {policy};"
            );
            for _ in 0..=dice.below(5) {
                rule(dice, family, hook, (called > 0).then_some(0), &mut text);
            }
            text.push_str("}\n");
        }
        if dice.one_in(3) {
            nat(dice, family, &mut text);
        }
        text.push_str("}\n");
    }
    ("nft", vec!["-f".to_owned(), "-".to_owned()], text)
}

fn condition(dice: &mut Dice, family: &str, hook: &str) -> String {
    let protocol = dice.pick(&["tcp", "tcp", "udp"]);
    let port = dice.pick(PORTS);
    let v4 = family != "ip6";
    match dice.below(26) {
        0..=4 => format!("{protocol} dport {port}"),
        5 => format!("{protocol} dport {{ {port}, 8080 }}"),
        6 => format!("{protocol} dport != {port}"),
        7 => format!("{protocol} dport @ports"),
        8 => format!("meta l4proto {{ tcp, udp }} th dport {port}"),
        9 if v4 => format!(
            "ip saddr {}",
            dice.pick(&["10.77.0.2", "10.77.0.0/24", "127.0.0.0/8", "!= 10.77.0.2"])
        ),
        10 if v4 => "ip saddr @four".to_owned(),
        11 if v4 => format!("ip daddr . {protocol} dport @pairs"),
        9 | 10 if family != "ip" => format!("ip6 saddr {}", dice.pick(&["fd77::/64", "::1", "fd77::2"])),
        12 => format!(
            "iifname {}",
            dice.pick(&["\"s0\"", "\"lo\"", "\"s*\"", "!= \"lo\""])
        ),
        13 if !matches!(hook, "prerouting" | "input") => {
            format!("oifname {}", dice.pick(&["\"s0\"", "\"lo\"", "!= \"lo\""]))
        }
        14 => format!(
            "ct state {}",
            dice.pick(&[
                "new",
                "established",
                "established,related",
                "invalid",
                "untracked",
                "related"
            ])
        ),
        15 => format!("ct direction {}", dice.pick(&["original", "reply"])),
        16 => "tcp flags & (fin|syn|rst|ack) == syn".to_owned(),
        17 => format!(
            "tcp flags & (syn|ack|rst) {}",
            dice.pick(&["== syn|ack", "== ack", "!= syn"])
        ),
        18 => format!("meta mark {}", dice.pick(&["1", "0", "!= 1", "& 1 == 1"])),
        19 => format!("{protocol} sport {}", dice.pick(&["1024-65535", "80", "< 1024"])),
        20 => format!("fib daddr type {}", dice.pick(&["local", "unicast"])),
        21 => format!("ct mark {}", dice.pick(&["1", "0"])),
        22 if family == "inet" => "meta nfproto ipv4".to_owned(),
        23 => format!("ct status {}", dice.pick(&["dnat", "snat"])),
        24 => format!("{protocol} dport 79-81"),
        _ => format!("meta l4proto {protocol}"),
    }
}

fn rule(dice: &mut Dice, family: &str, hook: &str, jump: Option<usize>, text: &mut String) {
    let mut parts = Vec::new();
    for _ in 0..=dice.below(2) {
        parts.push(condition(dice, family, hook));
    }
    if dice.one_in(60) {
        parts.push("limit rate 10000/second".to_owned());
    }
    if dice.one_in(4) {
        parts.push("counter".to_owned());
    }
    let joined = parts.join(" ");
    let can_reject = hook != "postrouting" && hook != "any";
    let verdict = match dice.below(20) {
        5..=8 => "drop".to_owned(),
        9 if can_reject => "reject".to_owned(),
        10 if can_reject && joined.contains("tcp dport") && !joined.contains("udp") => {
            "reject with tcp reset".to_owned()
        }
        11 if can_reject && family == "inet" => {
            format!(
                "reject with icmpx type {}",
                dice.pick(&[
                    "admin-prohibited",
                    "host-unreachable",
                    "no-route",
                    "port-unreachable"
                ])
            )
        }
        12 => "return".to_owned(),
        13 => "meta mark set 1".to_owned(),
        14 => "ct mark set 1".to_owned(),
        15 if jump.is_some() => format!("jump u{}", jump.unwrap()),
        16 if jump.is_some() => format!("goto u{}", jump.unwrap()),
        17 if matches!(hook, "prerouting" | "output") => "notrack".to_owned(),
        18 => {
            let _ = writeln!(text, "{} dport vmap @verdicts", dice.pick(&["tcp", "udp"]));
            return;
        }
        19 => "meta mark set meta mark | 1".to_owned(),
        _ => "accept".to_owned(),
    };
    let _ = writeln!(text, "{joined} {verdict}");
}

fn nat(dice: &mut Dice, family: &str, text: &mut String) {
    let target = |dice: &mut Dice, hook: &str| {
        let port = dice.pick(PORTS);
        let v6 = family == "ip6";
        let ip = if family == "inet" { "ip " } else { "" };
        match dice.below(4) {
            0 | 1 => format!("redirect to :{port}"),
            2 if hook == "output" => format!("redirect to :{port}"),
            2 => format!(
                "dnat {ip}to {}",
                if v6 {
                    format!("[fd77::1]:{port}")
                } else {
                    format!("10.77.0.1:{port}")
                }
            ),
            _ => format!(
                "dnat {ip}to {}",
                if v6 {
                    format!("[fd78::2]:{port}")
                } else {
                    format!("10.78.0.2:{port}")
                }
            ),
        }
    };
    for hook in ["prerouting", "output"] {
        if dice.one_in(3) {
            continue;
        }
        let _ = writeln!(text, "chain n{hook} {{ type nat hook {hook} priority -100;");
        for _ in 0..=dice.below(2) {
            let protocol = dice.pick(&["tcp", "udp"]);
            let port = dice.pick(PORTS);
            let to = target(dice, hook);
            let _ = writeln!(text, "{protocol} dport {port} {to}");
        }
        text.push_str("}\n");
    }
    if dice.one_in(2) {
        let _ = writeln!(
            text,
            "chain npost {{ type nat hook postrouting priority 100; oifname {} masquerade\n}}",
            dice.pick(&["\"s1\"", "\"s0\""])
        );
    }
}

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

/// The rules that docker makes for a published port and an isolated bridge, with other names.
fn docker(dice: &mut Dice) -> Vec<(&'static str, Vec<String>, String)> {
    let port = dice.pick(PORTS);
    let to = dice.pick(PORTS);
    let mut lines = vec![
        "-t nat -N DOCKER".to_owned(),
        "-t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER".to_owned(),
        "-t nat -A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER".to_owned(),
        "-t nat -A POSTROUTING -s 10.78.0.0/24 ! -o s1 -j MASQUERADE".to_owned(),
        format!(
            "-t nat -A DOCKER ! -i s1 -p tcp -m tcp --dport {port} -j DNAT --to-destination 10.78.0.2:{to}"
        ),
        "-N DOCKER".to_owned(),
        "-N DOCKER-USER".to_owned(),
        "-N DOCKER-ISOLATION".to_owned(),
        "-A FORWARD -j DOCKER-USER".to_owned(),
        "-A FORWARD -j DOCKER-ISOLATION".to_owned(),
        "-A FORWARD -o s1 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT".to_owned(),
        "-A FORWARD -o s1 -j DOCKER".to_owned(),
        "-A FORWARD -i s1 ! -o s1 -j ACCEPT".to_owned(),
        format!("-A DOCKER -d 10.78.0.2/32 ! -i s1 -o s1 -p tcp -m tcp --dport {to} -j ACCEPT"),
        "-A DOCKER-ISOLATION -i s1 ! -o s1 -j RETURN".to_owned(),
        "-P FORWARD DROP".to_owned(),
    ];
    for _ in 0..dice.below(4) {
        lines.push(legacy_rule(dice, false));
    }
    lines
        .into_iter()
        .map(|line| ("iptables-nft", words(&line), String::new()))
        .collect()
}

fn legacy_rule(dice: &mut Dice, v6: bool) -> String {
    let chain = dice.pick(&["INPUT", "INPUT", "OUTPUT", "FORWARD"]);
    let protocol = dice.pick(&["tcp", "tcp", "udp"]);
    let port = dice.pick(PORTS);
    let condition = match dice.below(11) {
        0..=2 => format!("-p {protocol} --dport {port}"),
        3 => format!("-p {protocol} -m multiport --dports {port},8080"),
        4 => "-m conntrack --ctstate ESTABLISHED,RELATED".to_owned(),
        5 if chain == "INPUT" => dice.pick(&["-i lo", "-i s0", "! -i lo", "-i s+"]).to_owned(),
        6 if !v6 => dice
            .pick(&["-s 10.77.0.2", "-s 127.0.0.0/8", "! -s 10.77.0.2"])
            .to_owned(),
        7 => format!("-p tcp {} --dport {port}", dice.pick(&["--syn", "! --syn"])),
        8 => "-m mark --mark 1/1".to_owned(),
        9 => format!("-p {protocol} ! --dport {port}"),
        10 => format!("-m addrtype --dst-type {}", dice.pick(&["LOCAL", "UNICAST"])),
        _ => format!("-p {protocol}"),
    };
    let target = match dice.below(8) {
        0..=2 => "ACCEPT".to_owned(),
        3 | 4 => "DROP".to_owned(),
        5 => "REJECT".to_owned(),
        6 if condition.contains("-p tcp") => "REJECT --reject-with tcp-reset".to_owned(),
        6 if !v6 => "REJECT --reject-with icmp-admin-prohibited".to_owned(),
        _ => "RETURN".to_owned(),
    };
    format!("-A {chain} {condition} -j {target}")
}

fn legacy(dice: &mut Dice) -> Vec<(&'static str, Vec<String>, String)> {
    let mut all = Vec::new();
    let v6 = dice.one_in(3);
    let tool = if v6 { "ip6tables-legacy" } else { "iptables-legacy" };
    let mut lines = vec!["-N mine".to_owned()];
    for _ in 0..=dice.below(4) {
        lines.push(legacy_rule(dice, v6));
    }
    for _ in 0..=dice.below(2) {
        let rule = legacy_rule(dice, v6);
        // Rules in a user chain may match an interface only if the calling chain may.
        let chain = rule.split_whitespace().nth(1).unwrap().to_owned();
        lines.push(
            rule.replacen(&chain, "mine", 1)
                .replace("-i lo", "")
                .replace("-i s0", "")
                .replace("! ", "")
                .replace("-i s+", ""),
        );
        lines.push(format!(
            "-A {chain} -p {} {} mine",
            dice.pick(&["tcp", "udp"]),
            dice.pick(&["-j", "-g"])
        ));
    }
    if dice.one_in(5) {
        lines.push(format!("-P {} DROP", dice.pick(&["INPUT", "OUTPUT"])));
    }
    if dice.one_in(3) {
        lines.push(format!(
            "-t mangle -A PREROUTING -p tcp --dport {} -j MARK --set-mark 1",
            dice.pick(PORTS)
        ));
    }
    if dice.one_in(3) {
        let (port, to) = (dice.pick(PORTS), dice.pick(PORTS));
        lines.push(format!(
            "-t nat -A PREROUTING -p tcp --dport {port} -j REDIRECT --to-ports {to}"
        ));
        if !v6 {
            let (port, to) = (dice.pick(PORTS), dice.pick(PORTS));
            lines.push(format!(
                "-t nat -A PREROUTING -p tcp --dport {port} -j DNAT --to-destination 10.77.0.1:{to}"
            ));
            lines.push(format!(
                "-t nat -A OUTPUT -p tcp --dport {port} -j DNAT --to-destination 10.78.0.2:{to}"
            ));
        }
    }
    if dice.one_in(6) {
        lines.push(format!(
            "-t raw -A PREROUTING -p tcp --dport {} -j CT --notrack",
            dice.pick(PORTS)
        ));
    }
    for line in lines {
        all.push((tool, words(&line), String::new()));
    }
    all
}
