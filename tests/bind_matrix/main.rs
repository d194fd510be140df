//! The rules of `why` against the kernel: every combination of an existing socket and a new one is really bound
//! and listened on, in a private network namespace, and compared with what [`diagnose`] says.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod binary;
mod free_wait;
mod kill;
mod netns;
mod reach;
mod sockets;
mod verdicts;

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::net;
use sockstat::command::why::verdict::Code;
use sockstat::command::why::{self, BindAttempt, Existing, Outcome, SystemFacts, diagnose};
use sockstat::model::{Protocol, State};

use sockets::{Options, accept, fresh_port, local, own, wait_for, wait_for_left_over, way_to};

/// (address, V6ONLY): every way to bind to what this machine has.
const ADDRESSES: [(&str, bool); 10] = [
    ("0.0.0.0", false),
    ("127.0.0.1", false),
    ("127.0.0.2", false),
    ("127.0.0.6", false),
    ("::", false),
    ("::", true),
    ("::1", false),
    ("fd00::5", true),
    ("::ffff:127.0.0.1", false),
    ("::ffff:0.0.0.0", false),
];
const FLAGS: [(bool, bool); 4] = [(false, false), (true, false), (false, true), (true, true)];
const UIDS: [u32; 2] = [0, 1000];

/// What this namespace is, as [`netns::run`] makes it.
fn facts(card: u32) -> SystemFacts {
    use sockstat::command::why::system::{V4Network, V6Address};
    let v4 = |address, prefix| V4Network { address, prefix };
    let v6 = |address, interface| V6Address {
        address,
        interface,
        tentative: false,
    };
    SystemFacts {
        unprivileged_port_start: 1024,
        local_port_range: 32_768..=60_999,
        reserved_ports: Vec::new(),
        nonlocal_bind_v4: false,
        nonlocal_bind_v6: false,
        autobind_reuse: false,
        bindv6only: false,
        ipv6: true,
        local_v4: vec![v4([127, 0, 0, 0].into(), 8), v4(netns::CARD_V4, 32)],
        local_v6: vec![
            v6(Ipv6Addr::LOCALHOST, netns::LO),
            v6(netns::CARD_V6, card),
            v6(netns::CARD_LINK_LOCAL, card),
        ],
        interfaces: [(netns::LO, "lo".into()), (card, "card".into())].into(),
        v4_links: Vec::new(),
    }
}

fn outcome(result: Result<(), Errno>) -> &'static str {
    match result {
        Ok(()) => "ok",
        Err(Errno::ADDRINUSE) => "EADDRINUSE",
        Err(Errno::ADDRNOTAVAIL) => "EADDRNOTAVAIL",
        Err(Errno::ACCESS) => "EACCES",
        Err(Errno::INVAL) => "EINVAL",
        Err(Errno::NODEV) => "ENODEV",
        Err(other) => panic!("unexpected {other:?}"),
    }
}

/// The kernel's own answer: bind, then listen.
fn ask_kernel(options: &Options, port: u16) -> (&'static str, Option<&'static str>) {
    let fd = options.open();
    let bind = outcome(net::bind(&fd, &SocketAddr::new(options.address, port)));
    let listens = bind == "ok" && options.protocol == Protocol::Tcp;
    (bind, listens.then(|| outcome(net::listen(&fd, 1))))
}

/// Existing sockets on one port.
struct Scene {
    existing: Vec<Existing>,
    port: u16,
    /// What keeps them alive.
    sockets_kept: Vec<OwnedFd>,
}

impl Scene {
    fn new(port: u16, sockets: Vec<(Existing, OwnedFd)>) -> Self {
        let (existing, sockets) = sockets.into_iter().unzip();
        Self {
            existing,
            port,
            sockets_kept: sockets,
        }
    }
}

/// Only where the kernel's memory decides may a diagnosis that knows every flag pass.
fn false_unless_order(existing: &[Existing], attempt: &BindAttempt, system: &SystemFacts) -> bool {
    diagnose(existing, attempt, system, None).code == Code::OrderDependent
}

fn without_flags(existing: &Existing) -> Existing {
    Existing::new(existing.socket.clone())
}

fn brief(existing: &Existing) -> String {
    let flag = |flag: Option<why::Flag>| flag.map(|flag| flag.set);
    format!(
        "{:?} {:?} reuseaddr {:?} reuseport {:?} v6only {:?} uid {:?}",
        existing.socket.state,
        existing
            .socket
            .inet()
            .map(|pair| (pair.local_address, pair.local_port, pair.interface)),
        flag(existing.reuseaddr),
        flag(existing.reuseport),
        flag(existing.v6only),
        existing.socket.uid
    )
}

/// Counts, and keeps what went wrong for one report at the end.
#[derive(Default)]
struct Tally {
    asked: usize,
    order_dependent: usize,
    wrong: Vec<String>,
}

impl Tally {
    /// Tries every new socket against what `make` makes.
    ///
    /// A socket with `SO_REUSEPORT` that was let in leaves a trace in the kernel's memory of the port, which
    /// lets later ones in: after it everything is made anew.
    fn compare_all(&mut self, protocol: Protocol, system: &SystemFacts, make: &dyn Fn() -> Scene) {
        let mut scene = make();
        for options in all_options(protocol, &[None, Some(netns::LO)]) {
            let bind = self.compare(&scene, &options, system);
            if options.reuseport && bind == "ok" && protocol == Protocol::Tcp {
                drop(scene);
                scene = make();
            }
        }
    }

    /// Compares one new socket and returns what the kernel says to its bind.
    fn compare(&mut self, scene: &Scene, options: &Options, system: &SystemFacts) -> &'static str {
        let attempt = options.attempt(scene.port);
        let kernel = ask_kernel(options, scene.port);
        let trial = match kernel.0 {
            "ok" => Outcome::Ok,
            _ => Outcome::Fails(why::errors::Errno::Eaddrinuse),
        };
        let trial = Some(trial).filter(|_| options.protocol == Protocol::Tcp);
        let mut check = |existing: &[Existing], trial, may_pass: bool| {
            let verdict = diagnose(existing, &attempt, system, trial);
            let said = (verdict.bind.name(), verdict.listen.map(Outcome::name));
            let passes = may_pass && verdict.bind == Outcome::Undecidable;
            if said != kernel && !passes {
                self.wrong.push(format!(
                    "kernel {kernel:?}, said {said:?} ({}, trial {trial:?})\n  new {options:?}\n  existing {:?}",
                    verdict.code.name(),
                    existing.iter().map(brief).collect::<Vec<_>>()
                ));
            }
            verdict.code
        };
        let code = check(
            &scene.existing,
            None,
            false_unless_order(&scene.existing, &attempt, system),
        );
        // The same with nothing known of the flags: undecidable perhaps, but never wrong; a trial settles it.
        let blind: Vec<_> = scene.existing.iter().map(without_flags).collect();
        check(&blind, None, true);
        check(&blind, trial, trial.is_none() || scene.port == 0);
        self.asked += 1;
        if code == Code::OrderDependent {
            self.order_dependent += 1;
            check(&scene.existing, trial, trial.is_none());
        }
        kernel.0
    }

    fn finish(self, what: &str, at_least: usize) {
        eprintln!(
            "{what}: {} combinations asked, {} order-dependent",
            self.asked, self.order_dependent
        );
        let wrong = self.wrong.len();
        assert!(
            wrong == 0,
            "{wrong} of {} differ, the first:\n{}",
            self.asked,
            self.wrong[..wrong.min(3)].join("\n")
        );
        assert!(
            self.asked >= at_least,
            "only {} combinations were asked",
            self.asked
        );
    }
}

/// Every set of options for an existing socket; owners differ only where `SO_REUSEPORT` looks at them.
fn all_options(protocol: Protocol, devices: &[Option<u32>]) -> Vec<Options> {
    let mut all = Vec::new();
    for (address, v6only) in ADDRESSES {
        for (reuseaddr, reuseport) in FLAGS {
            for device in devices {
                for uid in UIDS.into_iter().take(if reuseport { 2 } else { 1 }) {
                    all.push(Options {
                        protocol,
                        address: address.parse().unwrap(),
                        v6only,
                        reuseaddr,
                        reuseport,
                        device: *device,
                        uid,
                    });
                }
            }
        }
    }
    all
}

/// Whether the address can be bound on the device at all: ::1 lives on lo.
fn fits(options: &Options, card: u32) -> bool {
    options.device != Some(card) || options.address != IpAddr::V6(Ipv6Addr::LOCALHOST)
}

#[test]
fn tcp_sockets_that_are_bound_or_listen() {
    netns::run(|card| {
        let system = facts(card);
        let mut tally = Tally::default();
        for options in all_options(Protocol::Tcp, &[None, Some(netns::LO), Some(card)]) {
            if !fits(&options, card) {
                continue;
            }
            for state in [State::Bound, State::Listen] {
                let port = fresh_port();
                tally.compare_all(Protocol::Tcp, &system, &|| {
                    let fd = match state {
                        State::Listen => options.listening(port),
                        _ => options.bound(port),
                    };
                    Scene::new(port, vec![(options.record(&fd, state), fd)])
                });
            }
        }
        tally.finish("tcp bound and listening", 5000);
    });
}

/// A listener, a client and the accepted socket. For a dual-stack listener the client comes by IPv4 if `v4`.
struct Connection {
    listener: OwnedFd,
    client: OwnedFd,
    server: OwnedFd,
}

fn connect(options: &Options, port: u16, v4: bool) -> Connection {
    let listener = options.listening(port);
    let target = SocketAddr::new(way_to(options.address, v4), port);
    let client = plain(target.ip()).open();
    net::connect(&client, &target).unwrap();
    let server = accept(&listener);
    own(&server, options.uid);
    Connection {
        listener,
        client,
        server,
    }
}

fn plain(address: IpAddr) -> Options {
    Options {
        protocol: Protocol::Tcp,
        address,
        v6only: false,
        reuseaddr: false,
        reuseport: false,
        device: None,
        uid: 0,
    }
}

/// By which families a client reaches a server on the address: IPv6 only or IPv4 only, or both.
fn ways(options: &Options) -> &'static [bool] {
    let dual_stack = options.address == IpAddr::V6(Ipv6Addr::UNSPECIFIED) && !options.v6only;
    if dual_stack { &[false, true] } else { &[false] }
}

/// Makes what is left of a connection to a server with these options on the port; by IPv4 if the flag says so.
type Remains = fn(&Options, u16, bool) -> Scene;

/// What may be left of a connection on the server's port.
const REMAINS: [(&str, Remains); 6] = [
    ("established beside the listener", |options, port, v4| {
        let c = connect(options, port, v4);
        let sockets = vec![
            (options.record(&c.listener, State::Listen), c.listener),
            (options.record(&c.server, State::Established), c.server),
        ];
        keep(Scene::new(port, sockets), c.client)
    }),
    ("established without the listener", |options, port, v4| {
        let c = connect(options, port, v4);
        let record = options.record(&c.server, State::Established);
        keep(Scene::new(port, vec![(record, c.server)]), c.client)
    }),
    ("close-wait", |options, port, v4| {
        let c = connect(options, port, v4);
        net::shutdown(&c.client, net::Shutdown::Write).unwrap();
        wait_for(&c.server, State::CloseWait);
        let record = options.record(&c.server, State::CloseWait);
        keep(Scene::new(port, vec![(record, c.server)]), c.client)
    }),
    ("fin-wait-2", |options, port, v4| {
        let c = connect(options, port, v4);
        net::shutdown(&c.server, net::Shutdown::Write).unwrap();
        wait_for(&c.server, State::FinWait2);
        let record = options.record(&c.server, State::FinWait2);
        keep(Scene::new(port, vec![(record, c.server)]), c.client)
    }),
    ("time-wait", |options, port, v4| {
        let c = connect(options, port, v4);
        let record = options.record(&c.server, State::TimeWait);
        drop(c.listener);
        drop(c.server);
        drop(c.client);
        wait_for_left_over(port, State::TimeWait);
        Scene {
            existing: vec![record],
            ..Scene::new(port, Vec::new())
        }
    }),
    // Closed with data that the client does not read.
    ("fin-wait-1 without its program", |options, port, v4| {
        let c = connect(options, port, v4);
        let block = [0; 1 << 16];
        while net::send(&c.server, &block, net::SendFlags::DONTWAIT).is_ok() {}
        let record = options.record(&c.server, State::FinWait1);
        drop(c.listener);
        drop(c.server);
        wait_for_left_over(port, State::FinWait1);
        let scene = Scene::new(port, Vec::new());
        keep(
            Scene {
                existing: vec![record],
                ..scene
            },
            c.client,
        )
    }),
];

fn keep(mut scene: Scene, fd: OwnedFd) -> Scene {
    scene.sockets_kept.push(fd);
    scene
}

#[test]
fn tcp_connections_that_a_listener_accepted() {
    for (what, make) in REMAINS {
        netns::run(move |card| {
            let system = facts(card);
            let mut tally = Tally::default();
            for options in all_options(Protocol::Tcp, &[None]) {
                for v4 in ways(&options) {
                    tally.compare_all(Protocol::Tcp, &system, &|| make(&options, fresh_port(), *v4));
                }
            }
            tally.finish(what, 1000);
        });
    }
}

#[test]
fn tcp_connections_made_from_here() {
    netns::run(|card| {
        let system = facts(card);
        let mut tally = Tally::default();
        let service = fresh_port();
        let listener = plain(Ipv6Addr::UNSPECIFIED.into()).listening(service);
        for options in all_options(Protocol::Tcp, &[None, Some(netns::LO)]) {
            if options.address == IpAddr::V6(netns::CARD_V6) && options.device.is_some() {
                continue; // That address is the card's.
            }
            for v4 in ways(&options) {
                let target = match (options.address, way_to(options.address, *v4)) {
                    // An IPv6 socket names an IPv4 peer in mapped form.
                    (IpAddr::V6(_), IpAddr::V4(v4)) => v4.to_ipv6_mapped().into(),
                    (_, target) => target,
                };
                // From a port of its own choice, and from one that the kernel chose.
                for chosen in [true, false] {
                    tally.compare_all(Protocol::Tcp, &system, &|| {
                        let client = if chosen {
                            options.bound(fresh_port())
                        } else {
                            options.open()
                        };
                        net::connect(&client, &SocketAddr::new(target, service)).unwrap();
                        drop(accept(&listener));
                        let port = local(&client).port();
                        wait_for(&client, State::CloseWait);
                        let record = options.record(&client, State::CloseWait);
                        Scene::new(port, vec![(record, client)])
                    });
                }
            }
        }
        tally.finish("tcp connected from here", 5000);
    });
}

#[test]
fn udp_sockets_bound_and_connected() {
    netns::run(|card| {
        let system = facts(card);
        let mut tally = Tally::default();
        for options in all_options(Protocol::Udp, &[None, Some(netns::LO), Some(card)]) {
            if !fits(&options, card) {
                continue;
            }
            let port = fresh_port();
            tally.compare_all(Protocol::Udp, &system, &|| {
                let fd = options.bound(port);
                Scene::new(port, vec![(options.record(&fd, State::Unconnected), fd)])
            });
            if options.device == Some(card) || options.address == IpAddr::V6(netns::CARD_V6) {
                continue; // No way to loopback from there.
            }
            tally.compare_all(Protocol::Udp, &system, &|| {
                let fd = options.bound(port);
                let target = match way_to(options.address, false) {
                    IpAddr::V4(v4) if options.address.is_ipv6() => v4.to_ipv6_mapped().into(),
                    address => address,
                };
                net::connect(&fd, &SocketAddr::new(target, 9)).unwrap();
                Scene::new(port, vec![(options.record(&fd, State::Established), fd)])
            });
        }
        tally.finish("udp", 1500);
    });
}

#[test]
fn two_sockets_on_one_port() {
    netns::run(|card| {
        let system = facts(card);
        for (protocol, state) in [(Protocol::Tcp, State::Bound), (Protocol::Udp, State::Unconnected)] {
            let mut tally = Tally::default();
            let wanted = |options: &Options| {
                ["0.0.0.0", "127.0.0.1", "::", "::1"].contains(&options.address.to_string().as_str())
            };
            let all: Vec<_> = all_options(protocol, &[None])
                .into_iter()
                .filter(wanted)
                .collect();
            for first in &all {
                for second in &all {
                    let port = fresh_port();
                    let one = first.bound(port);
                    let two = second.open();
                    let fit = net::bind(&two, &SocketAddr::new(second.address, port)).is_ok();
                    drop((one, two));
                    if fit {
                        tally.compare_all(protocol, &system, &|| {
                            let (one, two) = (first.bound(port), second.bound(port));
                            let one = (first.record(&one, state), one);
                            Scene::new(port, vec![one, (second.record(&two, state), two)])
                        });
                    }
                }
            }
            tally.finish("two on one port", 1500);
        }
    });
}

/// A connection may belong to somebody else than the listener did: root binds, a worker accepts.
#[test]
fn a_worker_that_accepts_under_another_uid() {
    netns::run(|card| {
        let system = facts(card);
        let mut tally = Tally::default();
        for options in all_options(Protocol::Tcp, &[None])
            .into_iter()
            .filter(|o| o.reuseport)
        {
            for listener_stays in [true, false] {
                tally.compare_all(Protocol::Tcp, &system, &|| {
                    let port = fresh_port();
                    let c = connect(&options, port, false);
                    own(&c.server, 33);
                    let worker = Options { uid: 33, ..options };
                    let server = (worker.record(&c.server, State::Established), c.server);
                    let listener = (options.record(&c.listener, State::Listen), c.listener);
                    let mut sockets = vec![server];
                    sockets.extend(listener_stays.then_some(listener));
                    keep(Scene::new(port, sockets), c.client)
                });
            }
        }
        tally.finish("a worker of another uid", 1000);
    });
}

/// The first of two bound sockets with `SO_REUSEADDR` listens; then the second may not.
#[test]
fn listen_is_refused_where_a_second_listener_would_be() {
    netns::run(|card| {
        let options = Options {
            reuseaddr: true,
            ..plain("0.0.0.0".parse().unwrap())
        };
        let port = fresh_port();
        let (one, two) = (options.bound(port), options.bound(port));
        net::listen(&one, 1).unwrap();
        assert_eq!(net::listen(&two, 1), Err(Errno::ADDRINUSE));
        let existing = [options.record(&one, State::Listen)];
        let verdict = diagnose(&existing, &options.attempt(port), &facts(card), None);
        assert_eq!(verdict.bind.name(), "EADDRINUSE");
    });
}

#[test]
fn an_automatic_port_is_found_as_long_as_the_range_has_one() {
    netns::run(|card| {
        std::fs::write("/proc/sys/net/ipv4/ip_local_port_range", "40000 40003").unwrap();
        std::fs::write("/proc/sys/net/ipv4/ip_local_reserved_ports", "40001").unwrap();
        let system = SystemFacts {
            local_port_range: 40_000..=40_003,
            reserved_ports: vec![40_001..=40_001],
            ..facts(card)
        };
        let mut tally = Tally::default();
        for protocol in [Protocol::Tcp, Protocol::Udp] {
            for options in all_options(protocol, &[None, Some(netns::LO)]) {
                let state = match protocol {
                    Protocol::Tcp => State::Bound,
                    _ => State::Unconnected,
                };
                for ports in [&[40_000, 40_002][..], &[40_000, 40_002, 40_003]] {
                    tally.compare_all(protocol, &system, &|| {
                        let taken = ports.iter().map(|port| {
                            let fd = options.bound(*port);
                            (options.record(&fd, state), fd)
                        });
                        Scene::new(0, taken.collect())
                    });
                }
            }
        }
        tally.finish("automatic ports", 1500);
    });
}

/// What is refused whoever has the port, in the kernel's order, with and without the capability.
#[test]
fn refusals_come_in_the_order_of_the_kernel() {
    netns::run(|card| {
        let system = facts(card);
        let addresses = [
            "0.0.0.0",
            "127.0.0.1",
            "10.9.0.5",
            "10.9.0.255",
            "10.9.0.77",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fd00::5",
            "fd00::77",
            "fe80::5",
            "fe80::77",
            "ff02::1",
            "ff05::1",
            "::ffff:127.0.0.1",
            "::ffff:10.9.0.77",
        ];
        let system = SystemFacts {
            local_v4: system
                .local_v4
                .iter()
                .copied()
                .chain([sockstat::command::why::system::V4Network {
                    address: [10, 9, 0, 255].into(),
                    prefix: 32,
                }])
                .collect(),
            ..system
        };
        let taken = plain("::".parse().unwrap());
        let port = 80;
        let fd = taken.listening(port);
        let existing = [taken.record(&fd, State::Listen)];
        let mut asked = 0;
        for net_bind_service in [true, false] {
            if !net_bind_service {
                drop_net_bind_service();
            }
            for address in addresses {
                for (protocol, port) in [
                    (Protocol::Tcp, 80),
                    (Protocol::Tcp, 81),
                    (Protocol::Tcp, 2081),
                    (Protocol::Udp, 80),
                    (Protocol::Udp, 2080),
                ] {
                    for v6only in [false, true] {
                        for device in [None, Some(netns::LO), Some(card)] {
                            for scope in [0, netns::LO, card, 4242] {
                                let options = Options {
                                    protocol,
                                    v6only,
                                    device,
                                    ..plain(address.parse().unwrap())
                                };
                                let attempt = BindAttempt {
                                    net_bind_service,
                                    listen: false,
                                    scope_id: std::num::NonZeroU32::new(scope),
                                    ..options.attempt(port)
                                };
                                let mut target = SocketAddr::new(options.address, port);
                                if let SocketAddr::V6(v6) = &mut target {
                                    v6.set_scope_id(scope);
                                }
                                let kernel = outcome(net::bind(options.open(), &target));
                                let verdict = diagnose(&existing, &attempt, &system, None);
                                assert_eq!(kernel, verdict.bind.name(), "{attempt:?}");
                                asked += 1;
                            }
                        }
                    }
                }
            }
        }
        eprintln!("refusals: {asked} combinations asked");
    });
}

fn drop_net_bind_service() {
    use rustix::thread::{CapabilitySet, capabilities, set_capabilities};
    let mut sets = capabilities(None).unwrap();
    sets.effective.remove(CapabilitySet::NET_BIND_SERVICE);
    set_capabilities(None, sets).unwrap();
}

/// A sample through the program, with and without probing, as root and as somebody else.
#[test]
fn the_program_says_what_the_kernel_does() {
    netns::run(|_| {
        let mut asked = 0;
        let states = [State::Listen, State::Bound, State::TimeWait, State::Unconnected];
        for (at, existing) in all_options(Protocol::Tcp, &[None]).into_iter().enumerate() {
            let state = states[at % states.len()];
            let protocol = if state == State::Unconnected {
                Protocol::Udp
            } else {
                Protocol::Tcp
            };
            let existing = Options { protocol, ..existing };
            let port = fresh_port();
            let _kept = match state {
                State::Listen => Some(existing.listening(port)),
                State::TimeWait => {
                    let c = connect(&existing, port, false);
                    drop((c.listener, c.server, c.client));
                    wait_for_left_over(port, State::TimeWait);
                    None
                }
                _ => Some(existing.bound(port)),
            };
            let news = all_options(protocol, &[None, Some(netns::LO)]);
            // Every seventeenth, from another beginning each time: all options come up.
            for options in news.into_iter().skip(at % 17).step_by(31) {
                let places = [
                    (0, &["--no-probe"][..]),
                    (65_534, &["--no-probe"]),
                    (65_534, &[]),
                    (0, &[]),
                ];
                let said = places.map(|(user, more)| binary::answer(&options, port, more, user));
                let kernel = ask_kernel(&options, port);
                for (said, (user, more)) in said.iter().zip(places) {
                    let what = format!(
                        "user {user} {more:?}: {said}\nkernel {kernel:?}\nnew {options:?}\nexisting {existing:?} {state:?}"
                    );
                    let unsure = said["bind"] == "undecidable";
                    // A closed IPv6 connection may be in the way of 0.0.0.0 or not, and no trial without reuse
                    // flags is made.
                    let shadow = state == State::TimeWait && existing.address.is_ipv6() && !options.reuseaddr;
                    let may_be_unsure = !more.is_empty()
                        || user != 0
                        || protocol == Protocol::Udp
                        || (shadow && !options.reuseport);
                    assert!(may_be_unsure || !unsure, "{what}");
                    assert!(unsure || said["bind"] == kernel.0, "{what}");
                    assert!(unsure || said["listen"].as_str() == kernel.1, "{what}");
                }
                asked += 1;
            }
        }
        eprintln!("through the program: {asked} combinations asked");
        assert!(asked >= 200);
    });
}
