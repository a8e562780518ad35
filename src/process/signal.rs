//! Signals, on the platforms that have them.

#![cfg(unix)]

use rustix::process::{Pid, Signal, kill_process_group};

/// The name of a signal by its number, for example `SIGTERM`.
pub(super) fn name(number: i32) -> &'static str {
    match Signal::from_named_raw(number) {
        Some(Signal::HUP) => "SIGHUP",
        Some(Signal::INT) => "SIGINT",
        Some(Signal::QUIT) => "SIGQUIT",
        Some(Signal::ILL) => "SIGILL",
        Some(Signal::TRAP) => "SIGTRAP",
        Some(Signal::ABORT) => "SIGABRT",
        Some(Signal::BUS) => "SIGBUS",
        Some(Signal::FPE) => "SIGFPE",
        Some(Signal::KILL) => "SIGKILL",
        Some(Signal::USR1) => "SIGUSR1",
        Some(Signal::SEGV) => "SIGSEGV",
        Some(Signal::USR2) => "SIGUSR2",
        Some(Signal::PIPE) => "SIGPIPE",
        Some(Signal::ALARM) => "SIGALRM",
        Some(Signal::TERM) => "SIGTERM",
        Some(Signal::XCPU) => "SIGXCPU",
        Some(Signal::XFSZ) => "SIGXFSZ",
        Some(Signal::SYS) => "SIGSYS",
        _ => "an unusual signal",
    }
}

/// Asks the process group of a child, whose leader has not been reaped yet, to end.
pub(super) fn terminate_group(leader: u32) {
    signal_group(leader, Signal::TERM);
}

/// Ends the process group of a child, whose leader has not been reaped yet, at once.
pub(super) fn kill_group(leader: u32) {
    signal_group(leader, Signal::KILL);
}

fn signal_group(leader: u32, signal: Signal) {
    let Some(group) = i32::try_from(leader).ok().and_then(Pid::from_raw) else { return };
    // The only failure of interest is "no such group": then there is nothing left to signal.
    let _ = kill_process_group(group, signal);
}
