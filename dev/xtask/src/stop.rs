//! Asking to stop: Ctrl-C and the signals like it become a value that a command waits for.
//!
//! Children are started in groups of their own, so a Ctrl-C on the terminal reaches xtask alone, and xtask ends them in
//! order. A second Ctrl-C is not needed: every wait after the first has a limit.

use std::process::ExitStatus;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use veil_testkit::Spawned;

use crate::console::duration;
use crate::failure::{During, Outcome, fail};

/// How often a wait looks at its child.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Receives one message per Ctrl-C, SIGTERM or SIGHUP.
pub(crate) struct Stop(Receiver<()>);

/// Why a wait ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// The child ended by itself.
    Child(ExitStatus),
    /// Someone asked us to stop.
    Asked,
}

impl Stop {
    /// From now on signals don't end xtask but are received here.
    pub(crate) fn listen() -> Outcome<Self> {
        let mut signals =
            Signals::new([SIGINT, SIGTERM, SIGHUP]).during("listening for signals")?;
        let (sender, asked) = channel();
        thread::spawn(move || signals.forever().try_for_each(|_| sender.send(())));
        Ok(Self(asked))
    }

    /// Waits until `child` ends or someone asks.
    pub(crate) fn wait(&self, child: &mut Spawned) -> Outcome<Ended> {
        loop {
            if let Some(ended) = self.look(child)? {
                return Ok(ended);
            }
        }
    }

    /// Waits as [`Stop::wait`] does, at most `limit`.
    pub(crate) fn wait_within(&self, child: &mut Spawned, limit: Duration) -> Outcome<Ended> {
        let end = Instant::now() + limit;
        while Instant::now() < end {
            if let Some(ended) = self.look(child)? {
                return Ok(ended);
            }
        }
        Err(fail(format!("a program still ran after {}", duration(limit))))
    }

    fn look(&self, child: &mut Spawned) -> Outcome<Option<Ended>> {
        if let Some(status) = child.try_wait().during("waiting for a child")? {
            return Ok(Some(Ended::Child(status)));
        }
        match self.0.recv_timeout(LOOK_EVERY) {
            Ok(()) => Ok(Some(Ended::Asked)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(fail("the signal listener has ended")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn a_signal_ends_a_wait_and_a_child_that_ends_does_too() {
        let stop = Stop::listen().unwrap();
        let mut short = Spawned::start(Command::new("sh").args(["-c", "exit 3"])).unwrap();
        let Ended::Child(status) = stop.wait(&mut short).unwrap() else { panic!("nobody asked") };
        assert_eq!(status.code(), Some(3));

        let mut long = Spawned::start(Command::new("sleep").arg("60")).unwrap();
        let error = stop.wait_within(&mut long, Duration::from_millis(60)).unwrap_err();
        assert!(error.to_string().contains("still ran after 0.06 s"), "{error}");

        let me = rustix::process::getpid();
        rustix::process::kill_process(me, rustix::process::Signal::TERM).unwrap();
        assert!(matches!(stop.wait(&mut long).unwrap(), Ended::Asked));
    }
}
