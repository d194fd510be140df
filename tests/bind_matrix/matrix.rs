//! Every combination of an existing socket and a new one.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::net;
use sockstat::diagnose::bind::diagnose;
use sockstat::model::bind::BindAttempt;
use sockstat::model::system::SystemFacts;
use sockstat::model::{Protocol, State};

use super::netns;
use super::sockets::{Options, accept, fresh_port, local, own, tcp, wait_for, wait_for_left_over, way_to};
use super::tally::{Scene, Tally, all_options, facts, fits, outcome};

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

/// A listener, a client and the accepted socket. For a dual-stack listener the client connects over IPv4 if `v4`.
pub(crate) struct Connection {
    pub(crate) listener: OwnedFd,
    pub(crate) client: OwnedFd,
    pub(crate) server: OwnedFd,
}

pub(crate) fn connect(options: &Options, port: u16, v4: bool) -> Connection {
    let listener = options.listening(port);
    let target = SocketAddr::new(way_to(options.address, v4), port);
    let client = tcp(target.ip()).open();
    net::connect(&client, &target).unwrap();
    let server = accept(&listener);
    own(&server, options.uid);
    Connection {
        listener,
        client,
        server,
    }
}

/// The families over which a client reaches a server on the address: only IPv6, only IPv4, or both.
fn ways(options: &Options) -> &'static [bool] {
    let dual_stack = options.address == IpAddr::V6(Ipv6Addr::UNSPECIFIED) && !options.v6only;
    if dual_stack { &[false, true] } else { &[false] }
}

/// Creates what is left of a connection to a server with these options on the port; over IPv4 if the flag is set.
type Remains = fn(&Options, u16, bool) -> Scene;

/// What can be left of a connection on the server's port.
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
        let listener = tcp(Ipv6Addr::UNSPECIFIED.into()).listening(service);
        for options in all_options(Protocol::Tcp, &[None, Some(netns::LO)]) {
            if options.address == IpAddr::V6(netns::CARD_V6) && options.device.is_some() {
                continue; // This address belongs to the card.
            }
            for v4 in ways(&options) {
                let target = match (options.address, way_to(options.address, *v4)) {
                    // An IPv6 socket names an IPv4 peer in mapped form.
                    (IpAddr::V6(_), IpAddr::V4(v4)) => v4.to_ipv6_mapped().into(),
                    (_, target) => target,
                };
                // From a port that the client chose, and from one that the kernel chose.
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
                continue; // Loopback cannot be reached from there.
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

/// A connection may belong to another user than the listener did: root binds, a worker accepts.
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
            ..tcp("0.0.0.0".parse().unwrap())
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

/// Binds that are refused no matter who has the port, in the kernel's order, with and without the capability.
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
                .chain([sockstat::model::system::V4Network {
                    address: [10, 9, 0, 255].into(),
                    prefix: 32,
                }])
                .collect(),
            ..system
        };
        let taken = tcp("::".parse().unwrap());
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
                                    ..tcp(address.parse().unwrap())
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
        eprintln!("refusals: {asked} combinations checked");
    });
}

fn drop_net_bind_service() {
    use rustix::thread::{CapabilitySet, capabilities, set_capabilities};
    let mut sets = capabilities(None).unwrap();
    sets.effective.remove(CapabilitySet::NET_BIND_SERVICE);
    set_capabilities(None, sets).unwrap();
}
