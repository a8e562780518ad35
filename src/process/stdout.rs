//! The reading end of a process's stdout.

#[cfg(unix)]
pub(super) use watched::Stdout;

/// Elsewhere there is nothing to be saved.
#[cfg(not(unix))]
#[derive(Debug)]
pub(super) struct Stdout(tokio::process::ChildStdout);

#[cfg(not(unix))]
impl Stdout {
    pub(super) fn new(stdout: tokio::process::ChildStdout) -> std::io::Result<Self> {
        Ok(Self(stdout))
    }

    pub(super) async fn read(&mut self, buffer: &mut Vec<u8>) -> std::io::Result<usize> {
        tokio::io::AsyncReadExt::read_buf(&mut self.0, buffer).await
    }

    pub(super) fn unwatch(&mut self) {}
}

#[cfg(unix)]
mod watched {
    use std::io;
    use std::os::fd::OwnedFd;

    use rustix::buffer::spare_capacity;
    use tokio::io::AsyncReadExt;
    use tokio::net::unix::pipe::Receiver;
    use tokio::process::ChildStdout;

    /// A pipe that is watched only while somebody waits for it. Watching wakes the runtime for everything that is
    /// written; many streams that are read at intervals would wake it for nothing most of the time.
    #[derive(Debug)]
    pub(crate) struct Stdout(Option<Pipe>);

    #[derive(Debug)]
    enum Pipe {
        Watched(Receiver),
        Unwatched(OwnedFd),
    }

    impl Stdout {
        pub(crate) fn new(stdout: ChildStdout) -> io::Result<Self> {
            // Becomes non-blocking by this, and stays so.
            Ok(Self(Some(Pipe::Watched(Receiver::from_owned_fd(stdout.into_owned_fd()?)?))))
        }

        /// Reads what there is, waiting for something; 0 at the end. Cancel safe.
        pub(crate) async fn read(&mut self, buffer: &mut Vec<u8>) -> io::Result<usize> {
            if let Some(Pipe::Unwatched(pipe)) = &self.0 {
                match rustix::io::read(pipe, spare_capacity(buffer)) {
                    Err(rustix::io::Errno::AGAIN) => {}
                    read => return Ok(read?),
                }
                if let Some(Pipe::Unwatched(pipe)) = self.0.take() {
                    self.0 = Some(Pipe::Watched(Receiver::from_owned_fd(pipe)?));
                }
            }
            match &mut self.0 {
                Some(Pipe::Watched(pipe)) => pipe.read_buf(buffer).await,
                // It could not be watched.
                _ => Ok(0),
            }
        }

        /// Ends the watching until the next [`Self::read`] that has to wait.
        pub(crate) fn unwatch(&mut self) {
            self.0 = match self.0.take() {
                Some(Pipe::Watched(pipe)) => pipe.into_nonblocking_fd().ok().map(Pipe::Unwatched),
                other => other,
            };
        }
    }
}
