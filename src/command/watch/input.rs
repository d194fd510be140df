//! Keys and signals, each from a thread of its own.

use std::io;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use ratatui::crossterm::event::{Event as Input, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, read};
use tokio::signal::unix::{SignalKind, signal};

use super::{Event, terminal};
use crate::exit::Exit;
use crate::watch::{Key, Msg};

/// How long the program may take to exit after a terminating signal.
const END_WITHIN: Duration = Duration::from_secs(2);

/// A signal that this program received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signalled {
    /// Terminate: TERM, HUP, INT, QUIT.
    End,
    /// Stop: TSTP.
    Stop,
    /// Continue after a stop: CONT.
    Continued,
}

/// Starts listening.
pub(super) fn start(events: &Sender<Event>, begun: Instant) -> io::Result<()> {
    let to_screen = events.clone();
    std::thread::Builder::new()
        .name("keys".into())
        .spawn(move || keys(&to_screen, begun))?;
    let to_screen = events.clone();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    // Registered before the first frame, so that no signal can end the program before the terminal is restored.
    let mut signals = {
        let _guard = runtime.enter();
        let of = |kind| signal(kind);
        [
            (of(SignalKind::terminate())?, Signalled::End),
            (of(SignalKind::hangup())?, Signalled::End),
            (of(SignalKind::interrupt())?, Signalled::End),
            (of(SignalKind::quit())?, Signalled::End),
            (of(SignalKind::from_raw(libc::SIGTSTP))?, Signalled::Stop),
            (of(SignalKind::from_raw(libc::SIGCONT))?, Signalled::Continued),
        ]
    };
    std::thread::Builder::new()
        .name("signals".into())
        .spawn(move || {
            runtime.block_on(async {
                let [term, hup, int, quit, stop, cont] = &mut signals;
                loop {
                    let meant = tokio::select! {
                        _ = term.0.recv() => term.1,
                        _ = hup.0.recv() => hup.1,
                        _ = int.0.recv() => int.1,
                        _ = quit.0.recv() => quit.1,
                        _ = stop.0.recv() => stop.1,
                        _ = cont.0.recv() => cont.1,
                    };
                    if to_screen.send(Event::Signal(meant)).is_err() {
                        return;
                    }
                    if meant == Signalled::End {
                        // Exits even if the screen is blocked.
                        tokio::time::sleep(END_WITHIN).await;
                        terminal::give_back();
                        std::process::exit(Exit::Done as i32);
                    }
                }
            });
        })?;
    Ok(())
}

fn keys(events: &Sender<Event>, begun: Instant) {
    loop {
        let msg = match read() {
            Ok(Input::Key(event)) => key(event).map(|key| Msg::Key(key, begun.elapsed())),
            Ok(Input::Paste(text)) => Some(Msg::Paste(text)),
            Ok(Input::Resize(columns, rows)) => Some(Msg::Resize(columns, rows)),
            Ok(_) => None,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => None,
            Err(_) => {
                let _ = events.send(Event::Closed);
                return;
            }
        };
        if let Some(msg) = msg
            && events.send(Event::Msg(msg)).is_err()
        {
            return;
        }
    }
}

fn key(event: KeyEvent) -> Option<Key> {
    if event.kind == KeyEventKind::Release {
        return None;
    }
    let is_control = event.modifiers.contains(KeyModifiers::CONTROL);
    Some(match event.code {
        KeyCode::Char(c) if is_control => Key::Ctrl(c.to_ascii_lowercase()),
        KeyCode::Char(c) => Key::Char(c),
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Esc,
        KeyCode::Tab => Key::Tab,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::Left => Key::Left,
        KeyCode::Right => Key::Right,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Delete => Key::Delete,
        KeyCode::F(1) => Key::F1,
        _ => return None,
    })
}
