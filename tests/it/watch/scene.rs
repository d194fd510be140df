//! A small machine: a healthy web server, one whose accept queue is full, a database, UDP.

use std::num::{NonZeroU32, NonZeroU64};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use sockstat::engine::live::{Around, Figures, Look, Traffic};
use sockstat::model::{
    Context, Endpoints, Family, Holder, HolderTable, InetPair, Listener, OwnerStatus, Owners, Process,
    Protocol, Socket, State as TcpState, Store,
};
use sockstat::watch::msg::{News, Part};
use sockstat::watch::state::Setup;
use sockstat::watch::{Effect, Key, Msg, State, update};

/// The sizes that every frame is drawn at.
pub(super) const SIZES: [(u16, u16); 6] = [(120, 40), (80, 24), (40, 12), (80, 10), (20, 5), (1, 1)];

/// A TCP or UDP socket; inode and cookie are the same number, 0 for none.
pub(super) fn socket(
    protocol: Protocol,
    local: (&str, u16),
    peer: (&str, u16),
    state: TcpState,
    number: u32,
) -> Socket {
    let pair = InetPair {
        local_address: local.0.parse().unwrap(),
        local_port: local.1,
        peer_address: peer.0.parse().unwrap(),
        peer_port: peer.1,
        interface: None,
        v6only: None,
    };
    Socket {
        protocol,
        family: if pair.local_address.is_ipv4() {
            Family::Inet
        } else {
            Family::Inet6
        },
        state,
        endpoints: Endpoints::Inet(pair),
        inode: NonZeroU32::new(number),
        cookie: NonZeroU64::new(u64::from(number) + 1000),
        rqueue: Some(0),
        wqueue: Some(0),
        uid: Some(0),
        ..Socket::BLANK
    }
}

pub(super) fn listener(local: (&str, u16), queue: (u32, u32), number: u32) -> Socket {
    let anybody = if local.0.contains(':') { "::" } else { "0.0.0.0" };
    Socket {
        rqueue: Some(queue.0),
        wqueue: Some(queue.1),
        ..socket(Protocol::Tcp, local, (anybody, 0), TcpState::Listen, number)
    }
}

/// The sockets of the machine.
pub(super) fn sockets() -> Vec<Socket> {
    let tcp = |local, peer, state, number| socket(Protocol::Tcp, local, peer, state, number);
    let mut all = vec![
        listener(("::", 22), (0, 128), 1),
        listener(("::", 443), (0, 511), 2),
        listener(("::", 3000), (129, 128), 3),
        listener(("127.0.0.1", 5432), (0, 200), 4),
        listener(("0.0.0.0", 6379), (0, 511), 5),
        socket(
            Protocol::Udp,
            ("127.0.0.53", 53),
            ("0.0.0.0", 0),
            TcpState::Unconnected,
            6,
        ),
        tcp(("10.0.0.5", 22), ("10.0.0.9", 51234), TcpState::Established, 7),
        tcp(
            ("10.0.0.5", 39112),
            ("93.184.216.34", 443),
            TcpState::CloseWait,
            8,
        ),
        tcp(("10.0.0.5", 443), ("2001:db8::7", 60001), TcpState::FinWait1, 0),
    ];
    all[8].cookie = NonZeroU64::new(1009);
    all[7].rqueue = Some(1204);
    for number in 10..40 {
        let port = 51_000 + u16::try_from(number).unwrap();
        let mut one = tcp(
            ("10.0.0.5", 443),
            ("203.0.113.9", port),
            TcpState::Established,
            number,
        );
        one.wqueue = Some(if number == 12 { 340_000 } else { 0 });
        all.push(one);
    }
    all
}

/// The holders of the sockets: pid by inode.
fn holders() -> Vec<Holder> {
    let pid_of = |number: u32| match number {
        1 => Some(812),
        2 | 10..40 => Some(700),
        3 => Some(48_291),
        4 => Some(2010),
        6 => Some(662),
        7 => Some(9120),
        8 => Some(3300),
        _ => None,
    };
    let holder = |number: u32| {
        pid_of(number).map(|pid| Holder {
            inode: number,
            pid,
            fd: 5,
            tid: 0,
        })
    };
    (1..60).filter_map(holder).collect()
}

fn around() -> Arc<Around> {
    let process = |pid: u32, program: &str, arguments: &str| {
        let arguments = arguments.split_whitespace().map(|word| word.as_bytes().into());
        Process {
            pid,
            comm: program.as_bytes().into(),
            program: program.as_bytes().into(),
            cmdline: Some(arguments.collect()),
            ..Process::default()
        }
    };
    let processes = [
        process(812, "sshd", "sshd"),
        process(700, "nginx", "nginx: master"),
        process(48_291, "node", "node vite --port 3000"),
        process(2010, "postgres", "postgres -D /srv/pg"),
        process(662, "systemd-resolved", "systemd-resolved"),
        process(9120, "sshd", "sshd"),
        process(3300, "java", "java -jar api.jar"),
    ];
    let listeners = sockets().iter().filter_map(Listener::of).collect();
    Arc::new(Around {
        owners: Owners::new(
            HolderTable::new(holders()),
            [(5, OwnerStatus::Hidden)].into(),
            listeners,
        ),
        context: Context {
            processes: processes.into_iter().map(|one| (one.pid, one)).collect(),
            ..Context::default()
        },
    })
}

/// The result of a look at these sockets, this many seconds after the start.
pub(super) fn news(sockets: &[Socket], seconds: u64, part: Part, filter: u32) -> Msg {
    let mut sockets = sockets.to_vec();
    for socket in &mut sockets {
        if socket.accept_queue_is_full() {
            socket.drops.get_or_insert(seconds * 7);
        }
    }
    let figures: Vec<(NonZeroU64, Figures)> = sockets
        .iter()
        .filter(|socket| matches!(socket.state, TcpState::Established | TcpState::CloseWait))
        .filter_map(Socket::identity)
        .map(|(_, cookie)| {
            let pace = cookie.get() - 1000;
            let figures = Figures {
                received: pace * 1000 * seconds,
                sent: pace * 90_000 * seconds,
                rtt_us: 12_400 + u32::try_from(pace).unwrap_or(0) * 100,
                retransmits: 0,
            };
            (cookie, figures)
        })
        .collect();
    Msg::News(Box::new(News {
        filter,
        at: Duration::from_secs(seconds),
        clock: SystemTime::UNIX_EPOCH + Duration::from_secs(12 * 3600 + seconds),
        part,
        look: Look {
            sockets: Store::of(&sockets),
            figures: Some(figures),
            chosen: Some(32_768..=60_999),
            ..Look::default()
        },
        rows: Some(Vec::new()),
        freed: Vec::new(),
        unseen: true,
        lost: false,
        around: around(),
        traffic: Traffic {
            listen_overflows: seconds * 7,
            ..Traffic::default()
        },
        total: Some(sockets.len() as u64),
        left_out: None,
        cost: Duration::from_millis(2),
        reads: Duration::from_millis(2),
    }))
}

/// The screen after two looks, between which one socket opened and one closed.
pub(super) fn state(size: (u16, u16)) -> State {
    let setup = Setup {
        sudo: Some("sudo /usr/local/bin/sockstat watch".to_owned()),
        utf8: true,
        colour: true,
        ..Setup::default()
    };
    let mut state = State::new(setup, String::new(), Duration::from_secs(1), size);
    let mut all = sockets();
    let gone = socket(
        Protocol::Tcp,
        ("127.0.0.1", 9000),
        ("0.0.0.0", 0),
        TcpState::Listen,
        50,
    );
    all.push(gone);
    update(&mut state, news(&all, 1, Part::First, 0));
    update(&mut state, second_look());
    state
}

pub(super) fn second_look() -> Msg {
    let mut all = sockets();
    all.push(listener(("0.0.0.0", 8000), (0, 5), 51));
    news(&all, 2, Part::All, 0)
}

/// Presses keys, one after the other, and returns the requested effects.
pub(super) fn press(state: &mut State, keys: &[Key]) -> Vec<Effect> {
    let mut effects = Vec::new();
    for key in keys {
        let at = state.now + Duration::from_secs(1);
        effects.extend(update(state, Msg::Key(*key, at)));
        update(state, Msg::Drawn(at));
    }
    effects
}
