//! A short run of a program to learn something of it: bounded in time and output, and nothing of it is left.

use std::path::PathBuf;
use std::time::Duration;

use tokio::time::timeout;

use super::child::{Activity, Process};
use super::command::CommandSpec;
use super::exit::Exit;
use super::supervisor::Supervision;
use crate::error::Result;

/// How much of its stdout is kept.
const OUTPUT_LIMIT: usize = 1024 * 1024;

/// What a program said and how it ended.
#[derive(Debug)]
pub struct Probed {
    /// The executable that was found.
    pub program: PathBuf,
    /// How it ended; `None` where it had to be ended.
    pub exit: Option<Exit>,
    /// What it wrote to stdout, as much as is kept.
    pub stdout: String,
    /// The last of what it wrote to stderr.
    pub stderr_tail: String,
}

/// Tells from what a program has written so far that nothing more is needed.
pub type IsEnough<'a> = &'a (dyn Fn(&[u8]) -> bool + Sync);

/// Runs a program for at most `limit`. It is given `input`; its stdin stays open where `is_enough` is there to tell from
/// what came so far that nothing more is needed, and is closed otherwise.
pub async fn probe(
    spec: &CommandSpec,
    supervision: &Supervision,
    hint: &str,
    input: Vec<u8>,
    is_enough: Option<IsEnough<'_>>,
    limit: Duration,
) -> Result<Probed> {
    let program = spec.resolve(hint)?;
    let mut process = Process::spawn(spec, supervision, hint)?;
    process.write(input);
    if is_enough.is_none() {
        process.close_stdin();
    }
    let mut output = Vec::with_capacity(8 * 1024);
    let listened = timeout(limit, async {
        loop {
            match process.activity(&mut output, true).await {
                Activity::Output(_) => {
                    if output.len() > OUTPUT_LIMIT || is_enough.is_some_and(|is_enough| is_enough(&output)) {
                        return Ok(None);
                    }
                }
                Activity::NotStarted(error) => return Err(error),
                Activity::Ended(exit) => return Ok(Some(exit)),
            }
        }
    });
    let exit = match listened.await {
        Ok(ended) => ended?,
        Err(_) => None,
    };
    process.ask_to_end(supervision.grace);
    process.gone(supervision.grace).await;
    let stdout = String::from_utf8_lossy(&output).into_owned();
    Ok(Probed { program, exit, stdout, stderr_tail: process.stderr_tail().await })
}
