//! The thread that writes the lines of all logs.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::{Duration, SystemTime};

use tokio::sync::oneshot;
use tracing_subscriber::fmt::MakeWriter;

use crate::history::{Folder, open_private_append};

/// Of how many days there are logs.
pub const DAYS_KEPT: usize = 7;

/// How many lines may wait to be written.
const WAITING: usize = 1024;

/// How long somebody waits for what is left to be written.
const PATIENCE: Duration = Duration::from_secs(1);

const ENDING: &str = ".jsonl";

enum Job {
    Line(Arc<Folder>, Vec<u8>),
    Flush(oneshot::Sender<()>),
}

static WRITER: LazyLock<Option<SyncSender<Job>>> = LazyLock::new(|| {
    let (jobs, inbox) = sync_channel(WAITING);
    let thread = thread::Builder::new().name("locus-log".into()).spawn(move || work(&inbox));
    thread.ok().map(|_| jobs)
});

/// Returns when the lines so far are written, or soon.
pub async fn flush() {
    let Some(writer) = &*WRITER else { return };
    let (done, written) = oneshot::channel();
    if writer.try_send(Job::Flush(done)).is_ok() {
        // Later than that, they are written by the thread alone.
        let _ = tokio::time::timeout(PATIENCE, written).await;
    }
}

fn work(inbox: &Receiver<Job>) {
    // The day of the file that was written to last: the first line of a day is the time to look for old ones.
    let mut day = String::new();
    for job in inbox {
        match job {
            Job::Line(folder, line) => {
                let today = today();
                let is_new = day != today;
                // A log that cannot be written is no reason to fail, and there is nowhere else to tell.
                let _ = append(&folder, &today, &line, is_new);
                day = today;
            }
            // Whoever waited may have given up.
            Job::Flush(done) => drop(done.send(())),
        }
    }
}

fn append(folder: &Folder, day: &str, line: &[u8], is_new: bool) -> io::Result<()> {
    let path = folder.path().join(format!("{day}{ENDING}"));
    if is_new || !path.exists() {
        folder.create().map_err(io::Error::other)?;
        remove_old(folder.path())?;
    }
    // One write at the end of the file: lines of several processes do not mix.
    open_private_append(&path)?.write_all(line)
}

/// Removes all logs but the newest.
fn remove_old(folder: &Path) -> io::Result<()> {
    let names = fs::read_dir(folder)?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut days: Vec<String> = names.filter(|name| is_log(name)).collect();
    days.sort_unstable();
    let old = days.len().saturating_sub(DAYS_KEPT);
    days.iter().take(old).try_for_each(|name| fs::remove_file(folder.join(name)))
}

/// Whether a file is a log of ours: `2026-11-21.jsonl`.
fn is_log(name: &str) -> bool {
    name.strip_suffix(ENDING).is_some_and(|day| {
        day.len() == 10
            && day.bytes().enumerate().all(|(at, byte)| match at {
                4 | 7 => byte == b'-',
                _ => byte.is_ascii_digit(),
            })
    })
}

/// The day in UTC: `2026-11-21`.
fn today() -> String {
    let time = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    time[..10].to_owned()
}

/// Makes a line of what is written to it, once it is whole.
#[derive(Debug, Clone)]
pub(super) struct Lines {
    folder: Arc<Folder>,
}

impl Lines {
    pub(super) fn to(folder: Arc<Folder>) -> Self {
        Self { folder }
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line { folder: Arc::clone(&self.folder), bytes: Vec::new() }
    }
}

/// A line that is being made.
#[derive(Debug)]
pub(super) struct Line {
    folder: Arc<Folder>,
    bytes: Vec<u8>,
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let (Some(writer), false) = (&*WRITER, self.bytes.is_empty()) {
            // Dropped where the thread cannot keep up.
            let _ = writer.try_send(Job::Line(Arc::clone(&self.folder), std::mem::take(&mut self.bytes)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_logs_are_logs() {
        assert!(is_log(&format!("{}{ENDING}", today())));
        for name in ["2026-11-21.json", "notes.jsonl", "2026-11-2x.jsonl", "2026_11_21.jsonl", ".jsonl"] {
            assert!(!is_log(name), "{name}");
        }
    }

    #[test]
    fn the_newest_logs_stay() {
        let folder = tempfile::tempdir().expect("a folder");
        let days: Vec<String> = (10..20).map(|day| format!("2026-01-{day}{ENDING}")).collect();
        for name in days.iter().map(String::as_str).chain(["notes.jsonl"]) {
            fs::write(folder.path().join(name), "").expect("it can be written");
        }
        remove_old(folder.path()).expect("they can be removed");
        let left = |name: &str| folder.path().join(name).exists();
        assert!(days[..3].iter().all(|name| !left(name)));
        assert!(days[3..].iter().all(|name| left(name)) && left("notes.jsonl"));
    }
}
