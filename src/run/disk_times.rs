//! How long a session waits for its disk.

use std::time::Duration;

/// How long a session waits for what is to be written down, or read, of it. A disk that works needs milliseconds; one
/// that hangs (a network file system whose server is gone) would hold everything for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskTimes {
    /// While nobody asks the session to stop.
    pub patience: Duration,
    /// When somebody does: for the end of a turn that is written down. Nothing else is waited for then.
    pub hurry: Duration,
}

impl Default for DiskTimes {
    fn default() -> Self {
        Self { patience: Duration::from_secs(30), hurry: Duration::from_secs(3) }
    }
}
