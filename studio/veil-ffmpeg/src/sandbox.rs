//! The child's side of the sandbox: a re-exec of our own binary that locks itself in, then becomes
//! the program.
//!
//! Owns: the command line between supervisor and helper, and the order of the locks. Refuses to
//! know: FFmpeg. It runs between `fork` and `exec` in a process of its own with one thread, so that
//! it may allocate; `pre_exec` in a threaded program may not.
//!
//! Invariant: the program starts with every lock in place, or not at all.

mod landlock;
mod seccomp;

use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;

use rustix::process::{Resource, Rlimit, Signal};
use rustix::thread::CapabilitySet;

pub use landlock::landlock_abi;

/// The first argument that makes the binary a helper.
const VERB: &str = "__sandbox";

/// Exit status of a helper that could not lock itself in, as shells use for "found, but cannot run".
pub(crate) const HELPER_FAILED: i32 = 126;

/// What the helper's own errors begin with on standard error.
pub(crate) const HELPER_PREFIX: &str = "sandbox: ";

/// Most descriptors that a confined program may open; FFmpeg holds one for its source.
const OPEN_FILES_MAX: u64 = 256;

/// How far a confined program steps back behind the gateway and the rest of the machine.
const NICE: i32 = 5;

/// What a child may do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Confinement {
    /// Dies with this process; otherwise free. For our own gateway.
    DeathSignalOnly,
    /// Everything: no network, no children, no file but the system's libraries, [`Jail::read`] and
    /// [`Jail::write`].
    Full(Jail),
}

/// The room that a fully confined child has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jail {
    /// The files that it may read: the source, canonical. Of a folder, everything in it.
    pub read: Vec<PathBuf>,
    /// A file that it may write, which is there already, and the most bytes that it may have.
    pub write: Option<(PathBuf, u64)>,
    /// Address space in bytes. Far above what is resident: a low limit breaks FFmpeg.
    pub address_space_bytes: u64,
    /// Processor time in seconds; `None` where the stall rule watches instead.
    pub cpu_seconds: Option<u64>,
    /// Start without Landlock when the kernel has none. The other locks hold all the same.
    pub landlock_optional: bool,
}

/// Becomes the sandbox helper when the command line asks for it; otherwise returns.
///
/// Call it first in `main`, before any thread and any output.
pub fn enter_if_asked() {
    let mut args = std::env::args_os().skip(1);
    if args.next().as_deref() != Some(OsStr::new(VERB)) {
        return;
    }
    let error = match Order::parse(args) {
        Ok(order) => order.carry_out(),
        Err(error) => error,
    };
    // Straight to the descriptor: the supervisor reads it and makes an error of it.
    let _ = writeln!(std::io::stderr(), "{HELPER_PREFIX}{error}");
    #[expect(
        clippy::exit,
        reason = "the helper has no caller to return to; its parent reads this"
    )]
    std::process::exit(HELPER_FAILED);
}

/// The arguments that make the helper confine and run `program`.
pub(crate) fn arguments(confinement: &Confinement, parent: u32, program: &OsStr) -> Vec<OsString> {
    let mut args: Vec<OsString> = vec![VERB.into(), "--parent".into(), parent.to_string().into()];
    if let Confinement::Full(jail) = confinement {
        args.extend(["--full".into(), "--address-space".into()]);
        args.push(jail.address_space_bytes.to_string().into());
        for path in &jail.read {
            args.extend(["--read".into(), path.into()]);
        }
        if let Some((path, bytes)) = &jail.write {
            args.extend(["--write".into(), bytes.to_string().into(), path.into()]);
        }
        if let Some(seconds) = jail.cpu_seconds {
            args.extend(["--cpu".into(), seconds.to_string().into()]);
        }
        if jail.landlock_optional {
            args.push("--landlock-optional".into());
        }
    }
    args.extend(["--".into(), program.into()]);
    args
}

/// What the helper was told.
#[derive(Debug)]
struct Order {
    parent: i32,
    jail: Option<Jail>,
    program: OsString,
    args: Vec<OsString>,
}

impl Order {
    fn parse(mut args: impl Iterator<Item = OsString>) -> Result<Self, String> {
        let mut parent = None;
        let mut full = false;
        let mut jail = Jail {
            read: Vec::new(),
            write: None,
            address_space_bytes: 0,
            cpu_seconds: None,
            landlock_optional: false,
        };
        loop {
            let flag = args.next().ok_or("no program was given")?;
            let mut number = || {
                let value = args.next().ok_or("a flag has no value")?;
                let value = value.to_str().and_then(|value| value.parse::<u64>().ok());
                value.ok_or_else(|| format!("{} wants a number", flag.display()))
            };
            match flag.as_bytes() {
                b"--" => break,
                b"--parent" => parent = i32::try_from(number()?).ok(),
                b"--full" => full = true,
                b"--address-space" => jail.address_space_bytes = number()?,
                b"--cpu" => jail.cpu_seconds = Some(number()?),
                b"--landlock-optional" => jail.landlock_optional = true,
                b"--write" => {
                    let bytes = number()?;
                    let path = args.next().ok_or("--write has no path")?;
                    jail.write = Some((path.into(), bytes));
                }
                b"--read" => jail.read.push(args.next().ok_or("--read has no value")?.into()),
                _ => return Err(format!("unknown flag {}", flag.display())),
            }
        }
        let program = args.next().ok_or("no program was given")?;
        let parent = parent.ok_or("no parent was given")?;
        Ok(Self { parent, jail: full.then_some(jail), program, args: args.collect() })
    }

    /// Locks in and becomes the program; returns only what went wrong.
    fn carry_out(self) -> String {
        match self.lock() {
            Err(error) => error,
            Ok(()) => {
                let error = Command::new(&self.program).args(&self.args).exec();
                format!("cannot run {}: {error}", self.program.display())
            }
        }
    }

    fn lock(&self) -> Result<(), String> {
        if let Some(jail) = &self.jail {
            drop_privileges().map_err(|error| format!("privileges: {error}"))?;
            limit_resources(jail).map_err(|error| format!("resource limits: {error}"))?;
            landlock::restrict(jail, self.program.as_ref())?;
        }
        die_with_parent(self.parent)?;
        if self.jail.is_some() {
            seccomp::restrict()?;
        }
        Ok(())
    }
}

/// Sets the death signal, then looks whether the parent died before that.
fn die_with_parent(parent: i32) -> Result<(), String> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))
        .map_err(|error| format!("death signal: {error}"))?;
    match rustix::process::getppid() {
        Some(found) if found.as_raw_nonzero().get() == parent => Ok(()),
        _ => Err("the parent is gone".to_owned()),
    }
}

/// Gives up every capability but that of reading (root reads a user's file), and any way back.
fn drop_privileges() -> rustix::io::Result<()> {
    rustix::thread::set_no_new_privs(true)?;
    let mut sets = rustix::thread::capabilities(None)?;
    sets.effective &= CapabilitySet::DAC_READ_SEARCH;
    sets.permitted &= CapabilitySet::DAC_READ_SEARCH;
    sets.inheritable = CapabilitySet::empty();
    rustix::thread::set_capabilities(None, sets)
}

fn limit_resources(jail: &Jail) -> rustix::io::Result<()> {
    let limit = |resource, wanted: u64| {
        // An unprivileged process may only lower its hard limit.
        let ceiling = rustix::process::getrlimit(resource).maximum.unwrap_or(u64::MAX);
        let value = Some(wanted.min(ceiling));
        rustix::process::setrlimit(resource, Rlimit { current: value, maximum: value })
    };
    limit(Resource::Core, 0)?;
    // Pipes are not files: most of what is confined writes to no disk.
    limit(Resource::Fsize, jail.write.as_ref().map_or(0, |(_, bytes)| *bytes))?;
    limit(Resource::Nofile, OPEN_FILES_MAX)?;
    limit(Resource::As, jail.address_space_bytes)?;
    if let Some(seconds) = jail.cpu_seconds {
        limit(Resource::Cpu, seconds)?;
    }
    rustix::process::nice(NICE).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jail() -> Jail {
        Jail {
            read: vec!["/a b".into(), "-c".into()],
            write: Some(("/d".into(), 11)),
            address_space_bytes: 7,
            cpu_seconds: Some(9),
            landlock_optional: true,
        }
    }

    #[test]
    fn the_helper_reads_back_what_the_supervisor_wrote() {
        let args = arguments(&Confinement::Full(jail()), 42, OsStr::new("/bin/x"));
        let order = Order::parse(args.into_iter().skip(1).chain(["-y".into()])).unwrap();
        assert_eq!(order.parent, 42);
        assert_eq!(order.jail, Some(jail()));
        assert_eq!(order.program, "/bin/x");
        assert_eq!(order.args, ["-y"]);
        let args = arguments(&Confinement::DeathSignalOnly, 42, OsStr::new("/bin/x"));
        assert_eq!(Order::parse(args.into_iter().skip(1)).unwrap().jail, None);
    }

    #[test]
    fn an_order_that_is_not_whole_is_refused() {
        let parse = |line: &str| Order::parse(line.split(' ').map(OsString::from)).unwrap_err();
        assert_eq!(parse("--parent 1"), "no program was given");
        assert_eq!(parse("-- /bin/x"), "no parent was given");
        assert_eq!(parse("--parent x -- y"), "--parent wants a number");
        assert_eq!(parse("--cpu"), "a flag has no value");
        assert_eq!(parse("--delete /"), "unknown flag --delete");
        assert_eq!(parse("--write /"), "--write wants a number");
        assert_eq!(parse("--write 1"), "--write has no path");
    }
}
