//! Listeners that are held in unusual ways: shared, in flight, registered, or by another user.

use std::ffi::CString;
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::sync::mpsc;
use std::thread;

use anyhow::{Context as _, Result, anyhow};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use rustix::process::{DumpableBehavior, Pid, Uid, getpid, set_dumpable_behavior};
use rustix::thread::{UnshareFlags, gettid, set_name, set_thread_uid};

use crate::end::{End, Holder};
use crate::fork::{child, child_that_then, die_with, keep_only};
use crate::inet::LOCALHOST;
use crate::made::{Made, Skip};
use crate::spec::Spec;
use crate::state::State;
use crate::{sys, tcp, unix, wait};

fn listener(spec: &Spec) -> Result<OwnedFd> {
    tcp::listener(spec, LOCALHOST, libc::IPPROTO_TCP)
}

fn of_child(pid: Pid, fd: i32) -> Holder {
    let pid = pid.as_raw_nonzero().get();
    Holder { pid, tid: pid, fd }
}

/// `shared-fork`: a listener that a child inherited.
pub(crate) fn shared_by_fork(spec: &Spec, made: &mut Made) -> Result<()> {
    let listener = listener(spec)?;
    let fd = listener.as_raw_fd();
    let mut holders = vec![Holder::in_process(fd)];
    for _ in 0..spec.parsed("children")?.unwrap_or(1) {
        let (pid, _) = child(made, &[fd], || Ok(String::new()))?;
        holders.push(of_child(pid, fd));
    }
    made.add("listener", listener, State::Listen)?.holders = holders;
    Ok(())
}

/// `shared-scm`: a listener that a child got in a message; with `close=1`, only the child holds it.
pub(crate) fn shared_by_message(spec: &Spec, made: &mut Made) -> Result<()> {
    let listener = listener(spec)?;
    let (ours, theirs) = message_pair()?;
    send_descriptor(&ours, &listener)?;
    let (pid, fd) = child(made, &[theirs.as_raw_fd()], || {
        let received = receive_descriptor(&theirs)?;
        let fd = received.as_raw_fd();
        sys::close_number(theirs.as_raw_fd());
        // The descriptor belongs to the child until it is killed.
        std::mem::forget(received);
        Ok(fd.to_string())
    })?;
    let theirs = of_child(pid, fd.parse().context("the child's descriptor")?);
    if spec.is_on("close")? {
        let mut end = End::of(&made.spec, "listener", listener.as_fd(), State::Listen)?;
        end.holders = vec![theirs];
        made.push(end);
    } else {
        made.add("listener", listener, State::Listen)?
            .holders
            .push(theirs);
    }
    Ok(())
}

/// `in-flight`: a listener whose only reference is a message that nobody has received.
pub(crate) fn in_flight(spec: &Spec, made: &mut Made) -> Result<()> {
    let listener = listener(spec)?;
    let (sender, receiver) = message_pair()?;
    send_descriptor(&sender, &listener)?;
    add_without_holders(made, &listener)?;
    unix::add_pair(made, ("sender", sender), ("receiver", receiver))
}

/// `io-uring`: a listener that is registered with a ring, and closed.
pub(crate) fn registered(spec: &Spec, made: &mut Made) -> Result<()> {
    let listener = listener(spec)?;
    let ring = sys::uring_holding(listener.as_fd()).map_err(|error| Skip(format!("no io_uring: {error}")))?;
    made.keep(ring);
    add_without_holders(made, &listener)
}

/// Notes a listener whose descriptor the caller closes.
fn add_without_holders(made: &mut Made, fd: &OwnedFd) -> Result<()> {
    let mut end = End::of(&made.spec, "listener", fd.as_fd(), State::Listen)?;
    end.holders.clear();
    made.push(end);
    Ok(())
}

fn message_pair() -> Result<(OwnedFd, OwnedFd)> {
    socketpair(
        AddressFamily::UNIX,
        SocketType::STREAM,
        SocketFlags::CLOEXEC,
        None,
    )
    .context("socketpair")
}

fn send_descriptor(over: &OwnedFd, fd: &OwnedFd) -> Result<()> {
    let descriptors = [fd.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !control.push(SendAncillaryMessage::ScmRights(&descriptors)) {
        return Err(anyhow!("no room for a descriptor in a message"));
    }
    sendmsg(over, &[IoSlice::new(b"x")], &mut control, SendFlags::empty()).context("sending a descriptor")?;
    Ok(())
}

fn receive_descriptor(over: &OwnedFd) -> Result<OwnedFd> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    recvmsg(
        over,
        &mut [IoSliceMut::new(&mut byte)],
        &mut control,
        RecvFlags::CMSG_CLOEXEC,
    )
    .context("receiving a descriptor")?;
    let mut descriptors = control.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut rights) => rights.next(),
        _ => None,
    });
    descriptors.next().context("a message without a descriptor")
}

/// `thread-table`: a thread with a file table of its own opened the listener; the process's own
/// table does not have it.
pub(crate) fn own_table(spec: &Spec, made: &mut Made) -> Result<()> {
    let (report, reported) = mpsc::channel();
    let text = spec.text.clone();
    let holder = move || {
        let opened = open_in_own_table(&text);
        if report.send(opened).is_ok() {
            park();
        }
    };
    thread::Builder::new()
        .spawn(holder)
        .context("starting a thread")?;
    made.push(reported.recv().context("a thread ended without a word")??);
    Ok(())
}

fn open_in_own_table(text: &str) -> Result<End> {
    sys::unshare(UnshareFlags::FILES).context("unshare(CLONE_FILES)")?;
    keep_only(&[])?;
    let fd = listener(&Spec::parse(text)?)?;
    let mut end = End::of(text, "listener", fd.as_fd(), State::Listen)?;
    for holder in &mut end.holders {
        holder.tid = gettid().as_raw_nonzero().get();
    }
    // The descriptor stays open as long as the thread lives, which is as long as the process.
    std::mem::forget(fd);
    Ok(end)
}

/// `thread-shared`: threads that share the file table of the process, and so its listener.
pub(crate) fn shared_by_threads(spec: &Spec, made: &mut Made) -> Result<()> {
    for _ in 0..spec.parsed("threads")?.unwrap_or(1) {
        thread::Builder::new().spawn(park).context("starting a thread")?;
    }
    made.add("listener", listener(spec)?, State::Listen).map(drop)
}

/// `leader-exited`: a child whose first thread has exited; another thread holds the listener.
pub(crate) fn exited_leader(spec: &Spec, made: &mut Made) -> Result<()> {
    let private_netns = made.private_netns;
    let text = spec.text.clone();
    let body = move || {
        let (report, reported) = mpsc::channel();
        let holder = move || {
            let opened = Spec::parse(&text).and_then(|spec| {
                let fd = listener(&spec)?;
                let mut own = Made::new(text, private_netns);
                own.add("listener", fd, State::Listen)?;
                wait::until_listed(&own.ends)?;
                for holder in own.ends.iter_mut().flat_map(|end| &mut end.holders) {
                    holder.tid = gettid().as_raw_nonzero().get();
                }
                let lines = own.lines().join("\n");
                std::mem::forget(own);
                Ok(lines)
            });
            if report.send(opened).is_ok() {
                park();
            }
        };
        thread::Builder::new()
            .spawn(holder)
            .context("starting a thread")?;
        reported.recv().context("a thread ended without a word")?
    };
    let (pid, lines) = child_that_then(made, &[], body, sys::exit_thread)?;
    wait::until_zombie(pid)?;
    made.child_lines.extend(lines.lines().map(str::to_owned));
    Ok(())
}

fn park() {
    loop {
        thread::park();
    }
}

/// `comm`: a child with this name holds a listener.
pub(crate) fn named_child(spec: &Spec, made: &mut Made) -> Result<()> {
    let name =
        CString::new(spec.bytes("name").unwrap_or(b"mksock-child")).context("a process name has no NUL")?;
    child_listener(spec, made, || set_name(&name).context("PR_SET_NAME"))
}

/// `nondumpable`: a child whose /proc entries are closed even to its own user holds a listener.
pub(crate) fn nondumpable_child(spec: &Spec, made: &mut Made) -> Result<()> {
    child_listener(spec, made, || {
        set_dumpable_behavior(DumpableBehavior::NotDumpable).context("PR_SET_DUMPABLE")
    })
}

/// `uid`: a child of another user made the listener and holds it.
pub(crate) fn child_of_user(spec: &Spec, made: &mut Made) -> Result<()> {
    let uid = spec.parsed("uid")?.unwrap_or(65534);
    let parent = getpid();
    child_listener(spec, made, || {
        set_thread_uid(Uid::from_raw(uid)).map_err(|errno| match errno {
            Errno::PERM | Errno::INVAL => {
                anyhow!(Skip(format!("cannot become user {uid}: {errno}")))
            }
            other => anyhow!(other).context("setuid"),
        })?;
        // The change of user made the process non-dumpable, as no ordinary service is.
        set_dumpable_behavior(DumpableBehavior::Dumpable).context("PR_SET_DUMPABLE")?;
        die_with(parent)
    })
}

/// A child that runs `prepare`, and then creates, checks and holds the listener.
fn child_listener(spec: &Spec, made: &mut Made, prepare: impl FnOnce() -> Result<()>) -> Result<()> {
    let private_netns = made.private_netns;
    let (_, lines) = child(made, &[], || {
        prepare()?;
        let mut own = Made::new(spec.text.clone(), private_netns);
        own.add("listener", listener(spec)?, State::Listen)?;
        wait::until_listed(&own.ends)?;
        let lines = own.lines().join("\n");
        std::mem::forget(own);
        Ok(lines)
    })?;
    made.child_lines.extend(lines.lines().map(str::to_owned));
    Ok(())
}
