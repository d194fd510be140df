//! The cells of each view, for the rows on the screen.

use std::time::Duration;

use super::paint::{Tone, count, rate, rtt_ms};
use super::table::{Cell, Column, Row};
use crate::engine::follow::Happened;
use crate::model::{Key, OwnerStatus, Protocol, Row as OwnedRow, Socket, State as TcpState};
use crate::render::cells::Column as Usual;
use crate::render::human::{self, duration_ms, rfc3339_ms};
use crate::render::owner;
use crate::render::span::{Cut, Span};
use crate::watch::data::{Data, Dropped};
use crate::watch::explain::unread;
use crate::watch::items::Items;
use crate::watch::kind::Kind;
use crate::watch::level::View;
use crate::watch::ports::Port;
use crate::watch::programs::Group;

const fn column(title: &'static str, usual: usize, rank: u8) -> Column {
    Column {
        title,
        is_right: false,
        usual,
        rank,
        may_be_cut: false,
    }
}

const fn number(title: &'static str, usual: usize, rank: u8) -> Column {
    Column {
        is_right: true,
        ..column(title, usual, rank)
    }
}

const fn cut(title: &'static str, usual: usize, rank: u8) -> Column {
    Column {
        may_be_cut: true,
        ..column(title, usual, rank)
    }
}

const PORTS: &[Column] = &[
    column("PORT", 9, 0),
    cut("SCOPE", 9, 9),
    number("CONNS", 6, 6),
    number("IN/s", 6, 8),
    number("OUT/s", 6, 7),
    number("ACCEPT-Q", 8, 1),
    cut("PROGRAM", 16, 0),
];
const CONNECTIONS: &[Column] = &[
    column("STATE", 10, 2),
    cut("LOCAL", 16, 0),
    cut("PEER", 16, 1),
    number("IN/s", 6, 5),
    number("OUT/s", 6, 3),
    number("RTT", 8, 7),
    number("RECV-Q", 7, 6),
    number("SEND-Q", 7, 4),
    cut("PROGRAM", 16, 0),
];
const PROGRAMS: &[Column] = &[
    cut("PROGRAM", 20, 0),
    number("SOCKETS", 7, 0),
    number("LISTEN", 6, 4),
    number("ESTAB", 6, 2),
    number("C-WAIT", 6, 1),
    number("IN/s", 6, 6),
    number("OUT/s", 6, 5),
    cut("UNIT", 8, 7),
];
const EVENTS: &[Column] = &[
    column("UTC", 8, 2),
    column("EVENT", 14, 0),
    column("PROTO", 5, 3),
    cut("LOCAL", 16, 0),
    cut("PEER", 16, 1),
    cut("PROGRAM", 16, 0),
];

/// The columns of a view.
pub(super) fn columns(view: View) -> &'static [Column] {
    match view {
        View::Ports => PORTS,
        View::Connections => CONNECTIONS,
        View::Programs => PROGRAMS,
        View::Events => EVENTS,
    }
}

/// One row.
pub(super) fn row(items: &Items, at: usize, data: &Data, now: Duration) -> Option<Row> {
    match items {
        Items::Ports(ports) => Some(port(ports.get(at)?, data, now)),
        Items::Sockets(keys) => connection(*keys.get(at)?, data, now),
        Items::Groups(groups) => Some(group(groups.get(at)?, data)),
        Items::Events(numbers) => event(*numbers.get(at)?, data),
    }
}

/// `gone 2 s`, `new`: what happened to a row.
fn life(key: Key, data: &Data, now: Duration) -> (char, Tone, Option<String>) {
    if let Some(since) = data.gone_since(key) {
        let seconds = now.saturating_sub(since).as_secs();
        return ('-', Tone::Dim, Some(format!("  gone {seconds} s")));
    }
    if data.born.contains_key(&key) {
        return ('+', Tone::New, None);
    }
    if data.changed.contains_key(&key) {
        return ('~', Tone::Plain, None);
    }
    (' ', Tone::Plain, None)
}

/// Who holds a socket, and its command line while there is room.
fn program(socket: &Socket, data: &Data, note: Option<String>) -> Cell {
    program_of(&data.row(socket), note)
}

fn program_of(row: &OwnedRow<'_>, note: Option<String>) -> Cell {
    let mut spans = owner::spans(row);
    if let Some(note) = note {
        spans.push(Span::new(note, Cut::Never, 2));
    }
    let command = human::command(row);
    if !command.is_empty() {
        spans.push(Span::new(format!("  {command}"), Cut::End, 3));
    }
    let tone = match row.ownership.status {
        OwnerStatus::Known => Tone::Plain,
        _ => Tone::Dim,
    };
    Cell::of(spans).toned(tone)
}

fn port(port: &Port, data: &Data, now: Duration) -> Row {
    let socket = data.socket(port.first);
    let is_of_many = port.kind.is_of_many_ports();
    let (mut mark, tone, note) = match port.kind {
        Kind::Waiting => life(port.first, data, now),
        Kind::Closed => (' ', Tone::Plain, Some("  listener closed".to_owned())),
        Kind::LeftOut | Kind::Opened | Kind::Unclear => (' ', Tone::Plain, None),
    };
    let is_gone = mark == '-';
    let exposed = socket.as_ref().is_some_and(human::is_exposed);
    let queue = match (port.accept, port.queue_percent) {
        (Some((waiting, limit)), _) => format!("{waiting}/{limit}"),
        (None, Some(percent @ 1..)) => format!("q {percent}%"),
        (None, Some(0)) => "q 0".to_owned(),
        (None, _) => String::new(),
    };
    let is_filling = port.queue_percent.is_some_and(|percent| percent >= 90);
    if !is_gone {
        let is_of_it = |one: &Dropped| (one.key.0, one.port) == (port.protocol, port.port);
        if !is_of_many && data.losing.iter().any(is_of_it) {
            mark = 'X';
        } else if port.is_full() || exposed || is_filling {
            mark = '!';
        }
    }
    let queue_tone = if port.is_full() || is_filling {
        Tone::Alarm
    } else {
        Tone::Plain
    };
    let protocol = port.protocol.name();
    let name = match port.kind {
        Kind::Unclear => format!("?/{protocol}"),
        Kind::Opened if port.protocol.is_inet() => format!("out/{protocol}"),
        Kind::Opened => protocol.to_owned(),
        Kind::Waiting | Kind::LeftOut | Kind::Closed => format!("{}/{protocol}", port.port),
    };
    // The widest scope first, then as many others as there is room for.
    let mut scopes = port.scopes.iter().rev().map(|scope| human::scope(*scope));
    let mut scope: Vec<Span> = scopes.next().map(Span::fixed).into_iter().collect();
    let others: Vec<&str> = scopes.collect();
    if !others.is_empty() {
        scope.push(Span::new(format!(", {}", others.join(", ")), Cut::End, 2));
    }
    let rates = |of: fn((f64, f64)) -> f64| match port.rate {
        _ if is_gone => String::new(),
        Some(_) if port.connections > 0 && !data.counted.is_known() => "?".to_owned(),
        Some(rates) => rate(of(rates)),
        None => "-".to_owned(),
    };
    let connections = match port.connections {
        0 if port.protocol != Protocol::Tcp || is_gone => String::new(),
        0 if data.looked_at_all.is_none() => "?".to_owned(),
        number => count(number as u64),
    };
    let drops = (port.drops > 0).then(|| format!("  drops {}", port.drops));
    let note = match (note, drops) {
        (Some(note), _) => Some(note),
        (None, drops) => drops,
    };
    let program = match &socket {
        Some(socket) if !is_of_many => {
            let mut row = data.row(socket);
            // The others who wait on this port are counted too.
            if port.programs.len() > 1 && row.ownership.status == OwnerStatus::Known {
                row.ownership.holders = &port.holders;
            }
            program_of(&row, note)
        }
        _ => {
            let programs = match port.programs.len() {
                0 => String::new(),
                1 => "1 program".to_owned(),
                number => format!("{} programs", count(number as u64)),
            };
            let words = match (port.protocol.is_inet(), programs.as_str()) {
                (false, _) => programs,
                _ if port.kind == Kind::Unclear && data.lacks_listeners => {
                    "opened or accepted here: the listeners could not be read".to_owned()
                }
                _ if port.kind == Kind::Unclear => "opened or accepted here: no listener".to_owned(),
                (true, "") => "opened from here".to_owned(),
                (true, _) => format!("opened from here by {programs}"),
            };
            Cell::of(vec![Span::new(words, Cut::End, 1)]).toned(Tone::Dim)
        }
    };
    Row {
        mark,
        tone: if mark == 'X' { Tone::Alarm } else { tone },
        cells: vec![
            Cell::fixed(name),
            Cell::of(scope).toned(if exposed { Tone::Warn } else { Tone::Plain }),
            Cell::fixed(connections),
            Cell::fixed(rates(|rates| rates.0)),
            Cell::fixed(rates(|rates| rates.1)),
            Cell::fixed(queue).toned(queue_tone),
            program,
        ],
    }
}

fn connection(key: Key, data: &Data, now: Duration) -> Option<Row> {
    let socket = data.socket(key)?;
    let (mut mark, tone, mut note) = life(key, data, now);
    let is_gone = mark == '-';
    let row = data.row(&socket);
    let is_connected = socket.inet().is_some_and(|pair| pair.peer_port != 0);
    let is_counted = socket.protocol == Protocol::Tcp && is_connected && socket.inode.is_some();
    let shown = |of: fn((f64, f64)) -> f64| match data.rate(key) {
        _ if is_gone => String::new(),
        Some(now) => rate(of(now)),
        None if is_counted => "?".to_owned(),
        None if socket.protocol == Protocol::Tcp => String::new(),
        None => "-".to_owned(),
    };
    let rtt = data.counted.figures(key).map_or(0, |figures| figures.rtt_us);
    let rtt = match rtt {
        0 => String::new(),
        _ if is_gone => String::new(),
        _ => rtt_ms(rtt),
    };
    let retries = socket.timer.map_or(0, |timer| timer.retransmits);
    if !is_gone {
        let is_retrying = socket.state == TcpState::Established && retries > 2;
        if is_retrying || data.losing.iter().any(|one| one.key == key) {
            mark = 'X';
            note = is_retrying.then(|| format!("  retry {retries}"));
        } else if socket.accept_queue_is_full()
            || (socket.state == TcpState::CloseWait && unread(&socket).unwrap_or(0) > 0)
        {
            mark = '!';
        }
    }
    let bytes = |queue: Option<u32>| match queue {
        _ if is_gone => String::new(),
        None | Some(0) => String::new(),
        Some(bytes) => human::bytes(bytes.into()),
    };
    let (recv, send) = if socket.is_listener() {
        let queue = socket.accept_q().zip(socket.backlog());
        let text = queue.map_or_else(String::new, |(waiting, limit)| format!("{waiting}/{limit}"));
        (text, String::new())
    } else {
        (bytes(socket.recv_q()), bytes(socket.send_q()))
    };
    let state = match socket.state {
        TcpState::CloseWait => Tone::Warn,
        _ => Tone::Plain,
    };
    Some(Row {
        mark,
        tone: if mark == 'X' { Tone::Alarm } else { tone },
        cells: vec![
            Cell::fixed(socket.state.ss_name()).toned(state),
            Cell::of(Usual::Local.cell(&row, false).spans),
            Cell::of(Usual::Peer.cell(&row, false).spans),
            Cell::fixed(shown(|rates| rates.0)),
            Cell::fixed(shown(|rates| rates.1)),
            Cell::fixed(rtt),
            Cell::fixed(recv),
            Cell::fixed(send),
            program(&socket, data, note),
        ],
    })
}

fn group(group: &Group, data: &Data) -> Row {
    let [listen, established, close_wait] = group.states;
    let shown = |number: usize| match number {
        0 => String::new(),
        number => count(number as u64),
    };
    let processes = &data.around.context.processes;
    let topmost = group.pids.iter().find(|pid| {
        let parent = processes.get(pid).and_then(|process| process.parent);
        !parent.is_some_and(|parent| group.pids.contains(&parent))
    });
    let mut name = vec![Span::new(group.name.clone(), Cut::End, 1)];
    if let Some(pid) = topmost
        .or_else(|| group.pids.first())
        .filter(|_| group.is_program)
    {
        let more = group.pids.len() - 1;
        let more = if more == 0 {
            String::new()
        } else {
            format!(" +{more}")
        };
        name.push(Span::fixed(format!(" {pid}{more}")));
    }
    let warns = close_wait >= 100;
    let is_unknown = established + close_wait > 0 && !data.counted.is_known();
    let rates = |bytes: f64| if is_unknown { "?".to_owned() } else { rate(bytes) };
    Row {
        mark: if warns { '!' } else { ' ' },
        tone: Tone::Plain,
        cells: vec![
            Cell::of(name),
            Cell::fixed(count(group.sockets as u64)),
            Cell::fixed(shown(listen)),
            Cell::fixed(shown(established)),
            Cell::fixed(shown(close_wait)).toned(if warns { Tone::Warn } else { Tone::Plain }),
            Cell::fixed(rates(group.rate.0)),
            Cell::fixed(rates(group.rate.1)),
            Cell::of(vec![Span::new(group.unit.clone(), Cut::End, 1)]).toned(Tone::Dim),
        ],
    }
}

fn event(number: u64, data: &Data) -> Option<Row> {
    let line = data.event(number)?;
    let socket = &line.event.socket;
    let row = data.row(socket);
    let at = rfc3339_ms(line.clock);
    let (mark, word) = match line.event.happened {
        Happened::Opened if line.by_filter => (' ', "matches again".to_owned()),
        _ if line.by_filter => (' ', "left filter".to_owned()),
        Happened::Opened => ('+', socket.state.ss_name().to_owned()),
        Happened::Changed(from) => ('~', format!("was {}", from.ss_name())),
        Happened::Closed => ('-', format!("closed {}", socket.state.ss_name())),
        Happened::ClosedUnseen => ('-', "closed unseen".to_owned()),
    };
    let program = match line.event.happened {
        Happened::ClosedUnseen => {
            Cell::of(vec![Span::new("? gone before seen", Cut::End, 1)]).toned(Tone::Dim)
        }
        _ => program(socket, data, None),
    };
    Some(Row {
        mark,
        tone: Tone::Plain,
        cells: vec![
            Cell::fixed(at.get(11..19).unwrap_or_default()),
            Cell::fixed(word),
            Cell::fixed(socket.protocol.name()),
            Cell::of(Usual::Local.cell(&row, false).spans),
            Cell::of(Usual::Peer.cell(&row, false).spans),
            program,
        ],
    })
}

/// How long ago something was, in words.
pub(super) fn ago(since: Duration, now: Duration) -> String {
    duration_ms(u64::try_from(now.saturating_sub(since).as_millis()).unwrap_or(u64::MAX))
}
