//! Fifos between an agent and its test.
//!
//! Opening one waits for the other side, so each is opened by a thread of its own.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::patiently;

/// A fifo that the agent writes to and the test reads.
pub(crate) struct Inbox {
    pub(crate) path: PathBuf,
    lines: UnboundedReceiver<String>,
}

impl Inbox {
    pub(crate) fn new(folder: &Path, name: &str) -> Self {
        let path = make(folder, name);
        let (sender, lines) = unbounded_channel();
        let opened = path.clone();
        thread::spawn(move || {
            let file = File::open(opened).expect("the fifo opens");
            for line in BufReader::new(file).lines() {
                if sender.send(line.expect("a line")).is_err() {
                    return;
                }
            }
        });
        Self { path, lines }
    }

    /// What the agent says next.
    pub(crate) async fn hear(&mut self) -> String {
        patiently("a line from the agent", self.lines.recv()).await.expect("the agent has the fifo open")
    }
}

/// A fifo that the test writes to and the agent reads.
pub(crate) struct Outbox {
    pub(crate) path: PathBuf,
    lines: Sender<&'static str>,
}

impl Outbox {
    pub(crate) fn new(folder: &Path, name: &str) -> Self {
        let path = make(folder, name);
        let (sender, lines) = channel::<&'static str>();
        let opened = path.clone();
        thread::spawn(move || {
            let mut file = OpenOptions::new().write(true).open(opened).expect("the fifo opens");
            for line in lines {
                // An agent that does not listen any more shows in what the test asserts.
                let _ = writeln!(file, "{line}");
            }
        });
        Self { path, lines: sender }
    }

    /// Says a line to the agent, which hears it when it listens.
    pub(crate) fn say(&self, line: &'static str) {
        self.lines.send(line).expect("the thread has the fifo open");
    }
}

fn make(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    let made = Command::new("mkfifo").arg(&path).status().expect("mkfifo runs");
    assert!(made.success(), "mkfifo makes {}", path.display());
    path
}
