//! The system call lock: what a confined program may ask the kernel for (seccomp).
//!
//! Owns: the list of allowed calls. Everything else, sockets first, answers `ENOSYS`, so that a
//! library which tries a newer call falls back to the older one instead of dying.
//!
//! Invariant: no network, no new process, no other process; threads, memory, files and clocks only.

use std::collections::BTreeMap;

#[allow(clippy::wildcard_imports, reason = "a table of a hundred numbers of one crate")]
use libc::*;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};

/// Calls that are allowed whatever their arguments are.
#[rustfmt::skip]
const ALLOWED: &[c_long] = &[
    // Memory.
    SYS_brk, SYS_madvise, SYS_membarrier, SYS_mlock, SYS_mmap, SYS_mprotect, SYS_mremap,
    SYS_munmap, SYS_get_mempolicy, SYS_mbind, SYS_set_mempolicy,
    // Threads and the end of them. `clone` is below; `execve` is how the program starts.
    SYS_execve, SYS_exit, SYS_exit_group, SYS_futex, SYS_get_robust_list, SYS_getcpu, SYS_gettid,
    SYS_rseq, SYS_sched_get_priority_max, SYS_sched_get_priority_min, SYS_sched_getaffinity,
    SYS_sched_getparam, SYS_sched_getscheduler, SYS_sched_setaffinity, SYS_sched_yield,
    SYS_set_robust_list, SYS_set_tid_address,
    // Files that Landlock lets it open, and the pipes that it was given.
    SYS_close, SYS_close_range, SYS_dup, SYS_dup3, SYS_faccessat, SYS_faccessat2, SYS_fadvise64,
    SYS_fcntl, SYS_flock, SYS_fstat, SYS_fstatfs, SYS_getcwd, SYS_getdents64, SYS_lseek,
    SYS_newfstatat, SYS_openat, SYS_pipe2, SYS_pread64, SYS_preadv, SYS_read, SYS_readahead,
    SYS_readlinkat, SYS_readv, SYS_statfs, SYS_statx, SYS_write, SYS_writev,
    // Waiting.
    SYS_clock_nanosleep, SYS_epoll_create1, SYS_epoll_ctl, SYS_epoll_pwait, SYS_eventfd2,
    SYS_nanosleep, SYS_ppoll, SYS_pselect6, SYS_restart_syscall, SYS_timerfd_create,
    SYS_timerfd_settime,
    // Clocks, identity and what there is of the machine.
    SYS_clock_getres, SYS_clock_gettime, SYS_getegid, SYS_geteuid, SYS_getgid, SYS_getgroups,
    SYS_getpgid, SYS_getpid, SYS_getppid, SYS_getpriority, SYS_getrandom, SYS_getresgid,
    SYS_getresuid, SYS_getrusage, SYS_getsid, SYS_gettimeofday, SYS_getuid, SYS_setpriority,
    SYS_sysinfo, SYS_times, SYS_umask, SYS_uname,
    // Its own signals.
    SYS_rt_sigaction, SYS_rt_sigpending, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_rt_sigsuspend,
    SYS_rt_sigtimedwait, SYS_sigaltstack,
];

/// The older names of the same calls, which only x86-64 still has.
#[cfg(target_arch = "x86_64")]
#[rustfmt::skip]
const ALLOWED_HERE: &[c_long] = &[
    SYS_access, SYS_alarm, SYS_arch_prctl, SYS_dup2, SYS_epoll_create, SYS_epoll_wait, SYS_eventfd,
    SYS_getdents, SYS_getpgrp, SYS_getrlimit, SYS_lstat, SYS_open, SYS_pause, SYS_pipe, SYS_poll,
    SYS_readlink, SYS_select, SYS_stat, SYS_time,
];
#[cfg(not(target_arch = "x86_64"))]
const ALLOWED_HERE: &[c_long] = &[];

/// Locks this process in.
pub(super) fn restrict() -> Result<(), String> {
    let program = filter().map_err(|error| format!("seccomp: {error}"))?;
    seccompiler::apply_filter(&program).map_err(|error| format!("seccomp: {error}"))
}

fn filter() -> Result<BpfProgram, seccompiler::Error> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    for call in ALLOWED.iter().chain(ALLOWED_HERE) {
        rules.insert(*call, Vec::new());
    }
    let pid = u64::from(std::process::id());
    let flag = |bit: c_int| u64::from(bit.cast_unsigned());
    use SeccompCmpOp::{Eq, MaskedEq};
    // `clone` makes threads only. `clone3` hides its flags in memory, so glibc falls back to `clone`.
    rules.insert(SYS_clone, vec![when(0, MaskedEq(flag(CLONE_THREAD)), flag(CLONE_THREAD))?]);
    // Signals and limits: of this process alone.
    rules.insert(SYS_tgkill, vec![when(0, Eq, pid)?]);
    rules.insert(SYS_kill, vec![when(0, Eq, pid)?]);
    rules.insert(SYS_prlimit64, vec![when(0, Eq, 0)?, when(0, Eq, pid)?]);
    // Naming a thread. Not `PR_SET_PDEATHSIG`: the program must not outlive its parent.
    rules.insert(SYS_prctl, vec![when(0, Eq, flag(PR_SET_NAME))?, when(0, Eq, flag(PR_GET_NAME))?]);
    // What `isatty` and the C library ask of a descriptor.
    let asks = [TCGETS, FIONREAD, TIOCGWINSZ, FIONBIO, FIOCLEX];
    let asks = asks.into_iter().map(|request| when(1, Eq, request));
    rules.insert(SYS_ioctl, asks.collect::<Result<_, _>>()?);

    let refuse = SeccompAction::Errno(ENOSYS.cast_unsigned());
    let arch = std::env::consts::ARCH.try_into()?;
    Ok(SeccompFilter::new(rules, refuse, SeccompAction::Allow, arch)?.try_into()?)
}

fn when(argument: u8, op: SeccompCmpOp, value: u64) -> Result<SeccompRule, seccompiler::Error> {
    let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, op, value)?;
    Ok(SeccompRule::new(vec![condition])?)
}
