//! What the host and the guard say to each other: lines of text.

use std::fmt;
use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// The descriptor under which the runner inherits its end of the link.
pub const LINK_FD: RawFd = 3;

/// The runner's end of the link.
///
/// # Safety
/// To be called once, by a process that was started with [`LINK_FD`] open.
#[expect(unsafe_code, reason = "a descriptor that was inherited has no owner in Rust until it is given one")]
pub unsafe fn inherited_link() -> UnixStream {
    // SAFETY: the caller vouches that the descriptor is open and that nobody else owns it.
    unsafe { OwnedFd::from_raw_fd(LINK_FD) }.into()
}

/// What the host orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// End the tree: ask, and kill after the grace.
    End {
        /// How long to wait between asking and killing.
        grace: Duration,
    },
    /// Kill the tree at once.
    Kill,
}

/// What the guard reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Report {
    /// The agent runs.
    Started {
        /// Its process id.
        pid: u32,
    },
    /// The agent could not be started; the guard ends.
    Failed {
        /// The operating system's error number.
        errno: i32,
    },
    /// The agent itself has ended; what it left behind is being ended.
    Exited {
        /// Its exit code, or the negative number of the signal that ended it.
        status: i32,
    },
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::End { grace } => writeln!(f, "end {}", grace.as_millis()),
            Self::Kill => writeln!(f, "kill"),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started { pid } => writeln!(f, "started {pid}"),
            Self::Failed { errno } => writeln!(f, "failed {errno}"),
            Self::Exited { status } => writeln!(f, "exited {status}"),
        }
    }
}

impl Order {
    /// Reads a line; `None` for one that is no order.
    pub fn parse(line: &str) -> Option<Self> {
        match line.trim_end().split_once(' ') {
            Some(("end", millis)) => Some(Self::End { grace: Duration::from_millis(millis.parse().ok()?) }),
            None if line.trim_end() == "kill" => Some(Self::Kill),
            _ => None,
        }
    }
}

impl Report {
    /// Why the agent could not be started.
    pub(super) fn failed(error: &io::Error) -> Self {
        Self::Failed { errno: error.raw_os_error().unwrap_or(0) }
    }

    /// Reads a line; `None` for one that is no report.
    pub fn parse(line: &str) -> Option<Self> {
        let (word, number) = line.trim_end().split_once(' ')?;
        match word {
            "started" => Some(Self::Started { pid: number.parse().ok()? }),
            "failed" => Some(Self::Failed { errno: number.parse().ok()? }),
            "exited" => Some(Self::Exited { status: number.parse().ok()? }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_understood() {
        for order in [Order::Kill, Order::End { grace: Duration::from_millis(1500) }] {
            assert_eq!(Order::parse(&order.to_string()), Some(order));
        }
        for report in [Report::Started { pid: 7 }, Report::Failed { errno: 2 }, Report::Exited { status: -9 }]
        {
            assert_eq!(Report::parse(&report.to_string()), Some(report));
        }
        for line in ["", "end", "end soon", "kill now", "started x"] {
            assert_eq!(Order::parse(line), None, "{line}");
            assert_eq!(Report::parse(line), None, "{line}");
        }
    }
}
