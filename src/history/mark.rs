//! The mark of an open session: the file `<id>.open`, locked (shared) by every process that has the session open.
//!
//! Who would remove, compress, decompress or convert a session's file takes the mark for itself alone, or leaves the
//! session be. The kernel unlocks a mark when its process dies; the file is only a name to lock, and the last to leave
//! removes it.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::folder::{open_append, open_read};

/// A session that this process has open, or for itself alone.
#[derive(Debug)]
pub(super) struct OpenMark {
    file: File,
    path: PathBuf,
}

impl OpenMark {
    /// Marks the session as open. Waits while another has it for itself alone, which is never long.
    pub(super) fn shared(path: &Path) -> io::Result<Self> {
        loop {
            let mark = Self { file: open_append(path)?, path: path.to_owned() };
            locked(|| mark.file.lock_shared())?;
            if mark.is_current() {
                return Ok(mark);
            }
        }
    }

    /// Takes the session for this process alone, and waits until nobody else has it open.
    pub(super) fn alone(path: &Path) -> io::Result<Self> {
        loop {
            let mark = Self { file: open_append(path)?, path: path.to_owned() };
            locked(|| mark.file.lock())?;
            if mark.is_current() {
                return Ok(mark);
            }
        }
    }

    /// Takes the session for this process alone, unless anybody has it open.
    pub(super) fn try_alone(path: &Path) -> io::Result<Option<Self>> {
        loop {
            let mark = Self { file: open_append(path)?, path: path.to_owned() };
            match mark.file.try_lock() {
                Ok(()) if mark.is_current() => return Ok(Some(mark)),
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
    }

    /// Whether anybody has the session open.
    pub(super) fn is_held(path: &Path) -> bool {
        open_read(path).is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
    }

    /// Whether the locked file is the one that others find under its name.
    fn is_current(&self) -> bool {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            let here = self.file.metadata().map(|file| (file.dev(), file.ino()));
            let there = std::fs::metadata(&self.path).map(|file| (file.dev(), file.ino()));
            matches!((here, there), (Ok(here), Ok(there)) if here == there)
        }
        #[cfg(not(unix))]
        true
    }
}

impl Drop for OpenMark {
    fn drop(&mut self) {
        // A mark that stays behind is only a name: whatever fails here does no harm.
        let _ = self.file.unlock();
        if self.file.try_lock().is_ok() && self.is_current() {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Locks, however often a signal gets in between.
pub(super) fn locked(lock: impl Fn() -> io::Result<()>) -> io::Result<()> {
    loop {
        match lock() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}
