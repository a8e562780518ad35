//! A process in a process group (macOS) or a job object (Windows). Compiled for the tests on Linux too; what it does
//! on the other platforms is unverified (`docs/supervision.md`).

use std::path::Path;
use std::time::Duration;

use process_wrap::tokio::{ChildWrapper, CommandWrap};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::{Fate, Pipes, Supervision};
use crate::error::Result;
use crate::process::child::not_started;
use crate::process::{CommandSpec, Exit};

enum Order {
    End(Duration),
    Kill,
}

/// The handle of a group.
#[derive(Debug)]
pub(in crate::process) struct Supervisor {
    orders: mpsc::UnboundedSender<Order>,
    exit: watch::Receiver<Option<Exit>>,
    gone: watch::Receiver<bool>,
}

impl Supervisor {
    pub(in crate::process) fn spawn(
        spec: &CommandSpec,
        program: &Path,
        supervision: &Supervision,
    ) -> Result<(Self, Pipes)> {
        let mut command = CommandWrap::with_new(program, |command| {
            command.args(&spec.args).kill_on_drop(true);
            spec.apply_to(command);
            Pipes::ask_for(command);
        });
        #[cfg(unix)]
        command.wrap(process_wrap::tokio::ProcessGroup::leader());
        #[cfg(windows)]
        command.wrap(process_wrap::tokio::JobObject);
        command.wrap(process_wrap::tokio::KillOnDrop);
        let mut child = command.spawn().map_err(|source| not_started(&program.to_string_lossy(), source))?;
        let pipes = {
            let (mut stdin, mut stdout, mut stderr) =
                (child.stdin().take(), child.stdout().take(), child.stderr().take());
            Pipes::take(&mut stdin, &mut stdout, &mut stderr)?
        };
        let (orders, inbox) = mpsc::unbounded_channel();
        let (tell_exit, exit) = watch::channel(None);
        let (tell_gone, gone) = watch::channel(false);
        let grace = supervision.grace;
        tokio::spawn(async move {
            supervise(&mut *child, inbox, grace, &tell_exit).await;
            let _ = tell_gone.send(true);
        });
        Ok((Self { orders, exit, gone }, pipes))
    }

    /// Waits for the end of the process itself. Cancel safe.
    pub(in crate::process) async fn fate(&mut self) -> Fate {
        match self.exit.wait_for(Option::is_some).await {
            Ok(exit) => exit.map_or(Fate::Lost, Fate::Ended),
            Err(_) => Fate::Lost,
        }
    }

    /// Asks everything to end, and kills after the grace.
    pub(in crate::process) fn end(&self, grace: Duration) {
        let _ = self.orders.send(Order::End(grace));
    }

    /// Kills everything.
    pub(in crate::process) fn kill(&mut self) {
        let _ = self.orders.send(Order::Kill);
    }

    /// Waits until everything has ended. Cancel safe.
    pub(in crate::process) async fn gone(&mut self) {
        let _ = self.gone.wait_for(|gone| *gone).await;
    }
}

/// Waits for the process and then ends its group; obeys orders, and takes the loss of its handle for one.
async fn supervise(
    child: &mut dyn ChildWrapper,
    mut inbox: mpsc::UnboundedReceiver<Order>,
    grace: Duration,
    tell: &watch::Sender<Option<Exit>>,
) {
    let order = tokio::select! {
        status = child.inner_mut().wait() => {
            let exit = status.map_or(Exit { code: None, signal: None }, Exit::from);
            let _ = tell.send(Some(exit));
            Order::End(grace)
        }
        order = inbox.recv() => order.unwrap_or(Order::End(grace)),
    };
    if let Order::End(grace) = order {
        #[cfg(unix)]
        ask_to_end(child);
        let mut deadline = Instant::now() + grace;
        let mut has_handle = true;
        loop {
            tokio::select! {
                _ = child.wait() => break,
                () = sleep_until(deadline) => break,
                order = inbox.recv(), if has_handle => match order {
                    Some(Order::End(grace)) => deadline = deadline.min(Instant::now() + grace),
                    Some(Order::Kill) => break,
                    None => has_handle = false,
                }
            }
        }
    }
    let _ = child.start_kill();
    // It may have left the group.
    let _ = child.inner_mut().start_kill();
    let exit = child.wait().await.map_or(Exit { code: None, signal: None }, Exit::from);
    tell.send_if_modified(|known| {
        known.is_none() && {
            *known = Some(exit);
            true
        }
    });
}

/// Asks everybody in the group to end, and the process itself where it has left the group.
#[cfg(unix)]
fn ask_to_end(child: &dyn ChildWrapper) {
    use rustix::process::{Pid, Signal, getpgid};
    // Fails only when nobody is left.
    let _ = child.signal(Signal::TERM.as_raw());
    let pid = child.id().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
    if pid.is_some() && getpgid(pid).ok() != pid {
        let _ = child.inner().signal(Signal::TERM.as_raw());
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    fn spawn(script: &str, grace: Duration) -> (Supervisor, Pipes) {
        let spec = CommandSpec {
            program: "sh".into(),
            args: vec!["-c".into(), script.into()],
            env: Vec::new(),
            cwd: std::env::temp_dir(),
        };
        let supervision = Supervision { grace, ..Supervision::default() };
        Supervisor::spawn(&spec, Path::new("/bin/sh"), &supervision).unwrap()
    }

    /// Nobody in the group holds the pipe any more.
    async fn closed(mut pipes: Pipes) {
        let mut rest = Vec::new();
        pipes.stdout.read_to_end(&mut rest).await.unwrap();
    }

    #[tokio::test]
    async fn the_group_of_a_process_ends_with_it() {
        let (mut supervisor, pipes) = spawn("sleep 600 & exit 3", Duration::from_secs(5));
        assert!(matches!(supervisor.fate().await, Fate::Ended(Exit { code: Some(3), .. })));
        supervisor.gone().await;
        closed(pipes).await;
    }

    #[tokio::test]
    async fn a_group_that_does_not_heed_is_killed() {
        let (mut supervisor, mut pipes) =
            spawn("trap '' TERM; echo ready; sleep 600; sleep 600", Duration::from_secs(600));
        let mut ready = [0; 6];
        pipes.stdout.read_exact(&mut ready).await.unwrap();
        supervisor.end(Duration::from_millis(50));
        assert!(matches!(supervisor.fate().await, Fate::Ended(Exit { code: None, .. })));
        supervisor.gone().await;
        closed(pipes).await;
    }

    #[tokio::test]
    async fn dropping_the_handle_ends_the_group() {
        let (supervisor, pipes) = spawn("sleep 600 & sleep 600", Duration::from_secs(5));
        drop(supervisor);
        closed(pipes).await;
    }

    #[tokio::test]
    async fn dropping_the_handle_leaves_the_group_its_grace() {
        let (supervisor, mut pipes) =
            spawn("trap 'echo asked; exit' TERM; echo ready; sleep 600 & wait", Duration::from_secs(600));
        let mut ready = [0; 6];
        pipes.stdout.read_exact(&mut ready).await.unwrap();
        drop(supervisor);
        let mut said = String::new();
        pipes.stdout.read_to_string(&mut said).await.unwrap();
        assert_eq!(said, "asked\n");
    }

    #[tokio::test]
    async fn a_process_that_has_left_its_group_is_killed_all_the_same() {
        let (mut supervisor, mut pipes) = spawn(
            r#"exec perl -e 'setpgrp 0, getpgrp getppid; $| = 1; print "ready\n"; sleep 600'"#,
            Duration::from_secs(600),
        );
        let mut ready = [0; 6];
        pipes.stdout.read_exact(&mut ready).await.unwrap();
        supervisor.kill();
        let ended = tokio::time::timeout(Duration::from_secs(20), supervisor.gone()).await;
        assert!(ended.is_ok(), "it lives on");
        closed(pipes).await;
    }

    #[tokio::test]
    async fn an_interpreter_that_is_missing_is_named() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("agent");
        std::fs::write(&script, "#!/no/such/node\n").unwrap();
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
        let spec = CommandSpec {
            program: script.clone().into(),
            args: Vec::new(),
            env: Vec::new(),
            cwd: folder.path().to_owned(),
        };
        let error = Supervisor::spawn(&spec, &script, &Supervision::default()).map(|_| ()).unwrap_err();
        assert!(
            error.report().error.contains(r#"its interpreter "/no/such/node""#),
            "{}",
            error.report().error
        );
    }

    #[tokio::test]
    async fn a_kill_does_not_wait() {
        let (mut supervisor, pipes) = spawn("trap '' TERM; sleep 600", Duration::from_secs(600));
        supervisor.kill();
        supervisor.gone().await;
        closed(pipes).await;
    }
}
