//! Rules as real programs write them: the defaults of firewalld and ufw, and those of docker for a published port.
//!
//! `rules/firewalld.nft` is what firewalld 1.3.3 makes of its default zone, listed by nft; `rules/ufw.v4` and `ufw.v6` are what ufw
//! 0.36.2 makes of `ufw enable` and `ufw allow 22/tcp`, saved by iptables; both with one interface. Those of docker follow
//! its documentation (packet filtering and firewalls) and its daemon's chains as of version 28.

use std::net::{SocketAddr, TcpListener, TcpStream};

use serde_json::Value;

use crate::compare::{Tally, apply, compare, set_up};
use crate::connect::Servers;
use crate::generate::Rules;
use crate::single::{answer, nft, text};
use crate::stage::Stage;

const FIREWALLD: &str = include_str!("rules/firewalld.nft");
const UFW: [&str; 2] = [include_str!("rules/ufw.v4"), include_str!("rules/ufw.v6")];

/// Compares all connections of the random test under these rules.
#[track_caller]
fn all_agree(stage: &Stage, servers: &[Servers], rules: &Rules) {
    assert!(apply(stage, rules), "{}", rules.text());
    let mut tally = Tally::default();
    compare(stage, servers, rules, &mut tally);
    assert_eq!(tally.wrong, [""; 0]);
    assert_eq!(tally.unknown, 0, "{tally:?}");
    assert!(tally.right > 40, "{tally:?}");
}

fn connects(stage: &Stage, place: &str) -> bool {
    let place: SocketAddr = place.parse().unwrap();
    stage.client.inside(|| TcpStream::connect(place).is_ok())
}

fn from_there(stage: &Stage, place: &str) -> Value {
    let client = if place.starts_with('[') {
        "fd77::2"
    } else {
        "10.77.0.2"
    };
    answer(stage, &["--from", client, place])
}

#[test]
fn firewalld() {
    let Some((stage, servers)) = set_up() else { return };
    let _ssh = stage.server.inside(|| TcpListener::bind(("::", 22)).unwrap());
    let rules = Rules(vec![(
        "nft",
        ["-f", "-"].map(str::to_owned).to_vec(),
        format!("flush ruleset\n{FIREWALLD}"),
    )]);
    all_agree(&stage, &servers, &rules);
    for open in ["10.77.0.1:22", "[fd77::1]:22"] {
        assert_eq!(from_there(&stage, open)["outcome"], "connected", "{open}");
        assert!(connects(&stage, open));
    }
    for closed in ["10.77.0.1:80", "[fd77::1]:80"] {
        let answer = from_there(&stage, closed);
        assert_eq!(answer["outcome"], "unreachable", "{answer:#}");
        let culprit = &answer["culprit"];
        assert_eq!(culprit["table"], "firewalld", "{answer:#}");
        assert_eq!(culprit["chain"], "filter_IN_public", "{answer:#}");
        assert_eq!(
            culprit["rule"], "reject with icmpx admin-prohibited",
            "{answer:#}"
        );
        assert!(!connects(&stage, closed));
    }
    assert_eq!(answer(&stage, &["10.77.0.1:80"])["outcome"], "connected");
}

fn ufw(restore: [&'static str; 2]) {
    let Some((stage, servers)) = set_up() else { return };
    let _ssh = stage.server.inside(|| TcpListener::bind(("::", 22)).unwrap());
    let of = |at: usize| (restore[at], Vec::new(), UFW[at].to_owned());
    let rules = Rules(vec![of(0), of(1)]);
    for (program, arguments, input) in &rules.0 {
        assert!(arguments.is_empty());
        if let Err(error) = stage.server.run(program, &[], input) {
            crate::skip::skip(&format!("{program}: {}", error.trim()));
            return;
        }
    }
    all_agree(&stage, &servers, &Rules(Vec::new()));
    for open in ["10.77.0.1:22", "[fd77::1]:22"] {
        let answer = from_there(&stage, open);
        assert_eq!(answer["outcome"], "connected", "{answer:#}");
        assert!(connects(&stage, open));
    }
    for closed in ["10.77.0.1:80", "[fd77::1]:80"] {
        let answer = from_there(&stage, closed);
        assert_eq!(answer["outcome"], "timeout", "{answer:#}");
        let culprit = &answer["culprit"];
        assert_eq!(culprit["chain"], "INPUT", "{answer:#}");
        let rule = culprit["rule"].as_str().unwrap().to_lowercase();
        assert_eq!(rule, "policy drop", "{answer:#}");
    }
    assert_eq!(answer(&stage, &["10.77.0.1:80"])["outcome"], "connected");
}

#[test]
fn ufw_over_iptables_nft() {
    ufw(["iptables-nft-restore", "ip6tables-nft-restore"]);
}

#[test]
fn ufw_over_iptables_legacy() {
    ufw(["iptables-legacy-restore", "ip6tables-legacy-restore"]);
}

/// A bridge network `docker0` with a container, which is the machine behind.
fn docker(stage: &Stage) -> bool {
    let network = "ip link add docker0 type bridge\n\
                   ip addr del 10.78.0.1/24 dev s1\n\
                   ip link set s1 master docker0\n\
                   ip addr add 10.78.0.1/24 dev docker0\n\
                   ip link set docker0 up";
    match stage.server.run("sh", &["-e"], network) {
        Ok(_) => true,
        Err(error) => {
            crate::skip::skip(&format!("no bridge: {}", error.trim()));
            false
        }
    }
}

/// What docker writes for `--publish 8081:80`.
const PUBLISHED: &str = "*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 10.78.0.0/24 ! -o docker0 -j MASQUERADE
-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8081 -j DNAT --to-destination 10.78.0.2:80
COMMIT
*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:DOCKER - [0:0]
:DOCKER-BRIDGE - [0:0]
:DOCKER-CT - [0:0]
:DOCKER-FORWARD - [0:0]
:DOCKER-ISOLATION-STAGE-1 - [0:0]
:DOCKER-ISOLATION-STAGE-2 - [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-FORWARD
-A DOCKER -d 10.78.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT
-A DOCKER ! -i docker0 -o docker0 -j DROP
-A DOCKER-BRIDGE -o docker0 -j DOCKER
-A DOCKER-CT -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A DOCKER-FORWARD -j DOCKER-CT
-A DOCKER-FORWARD -j DOCKER-ISOLATION-STAGE-1
-A DOCKER-FORWARD -j DOCKER-BRIDGE
-A DOCKER-FORWARD -i docker0 -j ACCEPT
-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
COMMIT
";

#[test]
fn docker_publishes_a_port() {
    for restore in ["iptables-nft-restore", "iptables-legacy-restore"] {
        let Some((stage, _servers)) = set_up() else { return };
        if !docker(&stage) {
            return;
        }
        stage.server.run(restore, &[], PUBLISHED).unwrap();
        let sent = from_there(&stage, "10.77.0.1:8081");
        assert_eq!(sent["outcome"], "forwarded", "{restore}: {sent:#}");
        assert_eq!(sent["forwarded_to"], "10.78.0.2:80");
        assert!(connects(&stage, "10.77.0.1:8081"));
        // From this machine too, but not by its loopback address: that is for docker-proxy, the userland proxy.
        let own = answer(&stage, &["10.77.0.1:8081"]);
        assert_eq!(own["forwarded_to"], "10.78.0.2:80", "{own:#}");
        assert_eq!(answer(&stage, &["127.0.0.1:8081"])["outcome"], "refused");
        let proxy = stage.server.inside(|| TcpListener::bind("0.0.0.0:8081").unwrap());
        assert_eq!(answer(&stage, &["127.0.0.1:8081"])["outcome"], "connected");
        // Clients on other machines do not reach its listener.
        assert_eq!(from_there(&stage, "10.77.0.1:8081")["outcome"], "forwarded");
        drop(proxy);
        // Connections to ports that are not published do not arrive in the container.
        assert_eq!(from_there(&stage, "10.77.0.1:8082")["outcome"], "refused");
    }
}

#[test]
fn docker_isolates_an_internal_network() {
    let Some((stage, _servers)) = set_up() else { return };
    if !docker(&stage) {
        return;
    }
    let isolated = PUBLISHED.replace(
        "-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2\n",
        "-A DOCKER-ISOLATION-STAGE-1 ! -s 10.78.0.0/24 -o docker0 -j DROP\n\
         -A DOCKER-ISOLATION-STAGE-1 ! -d 10.78.0.0/24 -i docker0 -j DROP\n",
    );
    stage.server.run("iptables-nft-restore", &[], &isolated).unwrap();
    let stopped = from_there(&stage, "10.77.0.1:8081");
    assert_eq!(stopped["outcome"], "timeout", "{stopped:#}");
    assert_eq!(
        stopped["culprit"]["chain"], "DOCKER-ISOLATION-STAGE-1",
        "{stopped:#}"
    );
    let said = text(&stage, &["--from", "10.77.0.2", "10.77.0.1:8081"]);
    assert!(
        said.starts_with("No: it would time out, dropped by ip filter DOCKER-ISOLATION-STAGE-1,"),
        "{said}"
    );
    nft(&stage, "");
    assert_eq!(from_there(&stage, "10.77.0.1:8081")["outcome"], "refused");
}
