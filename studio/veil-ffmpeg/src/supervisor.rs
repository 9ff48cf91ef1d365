//! The one thread that starts every child.
//!
//! Owns: the spawn. A death signal is tied to the *thread* that spawned, so a thread of a pool that
//! ends after a pause would take its children with it; this one lives as long as the process. It
//! also is the only place where a descriptor is inheritable, and only during one spawn.
//!
//! Invariant: a child that nobody waits for any more is killed and reaped.

use std::os::fd::OwnedFd;
use std::process::Command;
use std::sync::OnceLock;
use std::sync::mpsc;

use rustix::io::FdFlags;
use tokio::process::Child;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// What the thread is asked to start.
struct Order {
    command: Command,
    /// Descriptors that the child keeps under their numbers; ours are closed after the spawn.
    inherited: Vec<OwnedFd>,
    runtime: Handle,
    reply: oneshot::Sender<std::io::Result<Child>>,
}

/// Starts `command` on the supervisor thread; `inherited` stay open in the child alone.
pub(crate) async fn spawn(command: Command, inherited: Vec<OwnedFd>) -> std::io::Result<Child> {
    let (reply, answer) = oneshot::channel();
    let order = Order { command, inherited, runtime: Handle::current(), reply };
    thread()?.send(order).map_err(|_| gone())?;
    answer.await.map_err(|_| gone())?
}

fn gone() -> std::io::Error {
    std::io::Error::other("the supervisor thread has ended")
}

fn thread() -> std::io::Result<&'static mpsc::Sender<Order>> {
    static THREAD: OnceLock<Result<mpsc::Sender<Order>, std::io::ErrorKind>> = OnceLock::new();
    let start = || {
        let (sender, orders) = mpsc::channel();
        std::thread::Builder::new()
            .name("veil-supervisor".to_owned())
            .spawn(move || serve(&orders))
            .map(|_| sender)
            .map_err(|error| error.kind())
    };
    THREAD.get_or_init(start).as_ref().map_err(|kind| (*kind).into())
}

fn serve(orders: &mpsc::Receiver<Order>) {
    while let Ok(Order { command, inherited, runtime, reply }) = orders.recv() {
        let _context = runtime.enter();
        // A reply that nobody takes drops the child, and that kills it.
        let _ = reply.send(start(command, &inherited));
    }
}

fn start(command: Command, inherited: &[OwnedFd]) -> std::io::Result<Child> {
    for descriptor in inherited {
        rustix::io::fcntl_setfd(descriptor, FdFlags::empty())?;
    }
    tokio::process::Command::from(command).kill_on_drop(true).spawn()
}
