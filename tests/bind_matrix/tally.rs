//! Asks the kernel and [`diagnose`] the same question, and counts the answers.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::net;
use sockstat::diagnose::bind::verdict::Code;
use sockstat::diagnose::bind::{self, Existing, Outcome, diagnose};
use sockstat::model::Protocol;
use sockstat::model::bind::BindAttempt;
use sockstat::model::system::SystemFacts;

use super::netns;
use super::sockets::Options;

/// (address, V6ONLY): every address that can be bound here, with and without.
pub(crate) const ADDRESSES: [(&str, bool); 10] = [
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
pub(crate) const FLAGS: [(bool, bool); 4] = [(false, false), (true, false), (false, true), (true, true)];
pub(crate) const UIDS: [u32; 2] = [0, 1000];

/// The facts about the namespace that [`netns::run`] creates.
pub(crate) fn facts(card: u32) -> SystemFacts {
    use sockstat::model::system::{V4Network, V6Address};
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
        kernel: sockstat::source::machine::kernel_version(),
    }
}

pub(crate) fn outcome(result: Result<(), Errno>) -> &'static str {
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
pub(crate) fn ask_kernel(options: &Options, port: u16) -> (&'static str, Option<&'static str>) {
    let fd = options.open();
    let bind = outcome(net::bind(&fd, &SocketAddr::new(options.address, port)));
    let listens = bind == "ok" && options.protocol == Protocol::Tcp;
    (bind, listens.then(|| outcome(net::listen(&fd, 1))))
}

/// Existing sockets on one port.
pub(crate) struct Scene {
    pub(crate) existing: Vec<Existing>,
    pub(crate) port: u16,
    /// What keeps them open.
    pub(crate) sockets_kept: Vec<OwnedFd>,
}

impl Scene {
    pub(crate) fn new(port: u16, sockets: Vec<(Existing, OwnedFd)>) -> Self {
        let (existing, sockets) = sockets.into_iter().unzip();
        Self {
            existing,
            port,
            sockets_kept: sockets,
        }
    }
}

/// A diagnosis that knows every flag may be undecided only where the kernel's memory decides.
pub(crate) fn false_unless_order(existing: &[Existing], attempt: &BindAttempt, system: &SystemFacts) -> bool {
    diagnose(existing, attempt, system, None).code == Code::OrderDependent
}

pub(crate) fn without_flags(existing: &Existing) -> Existing {
    Existing::new(existing.socket.clone())
}

pub(crate) fn brief(existing: &Existing) -> String {
    let flag = |flag: Option<bind::Flag>| flag.map(|flag| flag.set);
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

/// Counts, and collects errors for one report at the end.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) asked: usize,
    order_dependent: usize,
    wrong: Vec<String>,
}

impl Tally {
    /// Tries every new socket against the sockets that `make` creates.
    ///
    /// A socket with `SO_REUSEPORT` that was let in leaves a trace in the kernel's memory of the port, which
    /// lets later ones in: after it, everything is created anew.
    pub(crate) fn compare_all(&mut self, protocol: Protocol, system: &SystemFacts, make: &dyn Fn() -> Scene) {
        let mut scene = make();
        for options in all_options(protocol, &[None, Some(netns::LO)]) {
            let bind = self.compare(&scene, &options, system);
            if options.reuseport && bind == "ok" && protocol == Protocol::Tcp {
                drop(scene);
                scene = make();
            }
        }
    }

    /// Compares one new socket and returns the kernel's answer to its bind.
    fn compare(&mut self, scene: &Scene, options: &Options, system: &SystemFacts) -> &'static str {
        let attempt = options.attempt(scene.port);
        let kernel = ask_kernel(options, scene.port);
        let trial = match kernel.0 {
            "ok" => Outcome::Ok,
            _ => Outcome::Fails(bind::errors::Errno::Eaddrinuse),
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
        // The same with all flags unknown: perhaps undecidable, but never wrong; a trial decides it.
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

    pub(crate) fn finish(self, what: &str, at_least: usize) {
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

/// Every set of options for an existing socket; owners differ only if `SO_REUSEPORT` compares them.
pub(crate) fn all_options(protocol: Protocol, devices: &[Option<u32>]) -> Vec<Options> {
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
pub(crate) fn fits(options: &Options, card: u32) -> bool {
    options.device != Some(card) || options.address != IpAddr::V6(Ipv6Addr::LOCALHOST)
}
