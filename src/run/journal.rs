//! What of a session goes into the log; see [`crate::log`]. Called while the session's subscriber listens.

use tracing::{debug, info, warn};

use super::retry::Way;
use super::turn::Ended;
use crate::error::ErrorKind;
use crate::log::Log;
use crate::process::Exit;

/// Says what happens in one session.
#[derive(Debug)]
pub(super) struct Journal {
    session: String,
    log: Option<Log>,
}

impl Journal {
    pub(super) fn new(session: String, log: Option<Log>) -> Self {
        Self { session, log }
    }

    /// A text from outside, without secrets; empty where nobody listens.
    fn clean(&self, text: &str) -> String {
        self.log.as_ref().map_or_else(String::new, |log| log.clean(text))
    }

    pub(super) fn turn_started(&self, run: &str, turn: u64, provider: &str, model: Option<&str>, warm: bool) {
        info!(session = self.session, run, turn, provider, model, warm, "turn started");
    }

    pub(super) fn process_started(&self, program: &str, resumes: bool) {
        debug!(session = self.session, program = self.clean(program), resumes, "process started");
    }

    pub(super) fn process_ended(&self, exit: Exit) {
        debug!(session = self.session, exit_code = exit.code, signal = exit.signal, "process ended");
    }

    pub(super) fn stopping(&self, cause: &str) {
        debug!(session = self.session, cause, "stopping the turn");
    }

    pub(super) fn permission_resolved(&self, tool: &str, behavior: &str, decided_by: &str) {
        debug!(session = self.session, tool = self.clean(tool), behavior, decided_by, "permission resolved");
    }

    pub(super) fn attempt_failed(
        &self,
        run: &str,
        attempt: u32,
        kind: ErrorKind,
        error: &str,
        delay_ms: u64,
        way: Way,
    ) {
        let (code, how, error) = (kind.code(), way.word(), self.clean(error));
        warn!(session = self.session, run, attempt, code, error, delay_ms, how, "attempt failed");
    }

    pub(super) fn turn_ended(&self, ended: &Ended) {
        let Ended { run_id: run, attempts, duration_ms, turns, usage, error, tools_used, .. } = ended;
        let tools = tools_used.len();
        macro_rules! log {
            ($level:ident, $($more:tt)*) => {
                $level!(
                    session = self.session,
                    run,
                    attempts,
                    success = error.is_none(),
                    duration_ms,
                    model_requests = turns,
                    tools,
                    input = usage.input,
                    output = usage.output,
                    cache_read = usage.cache_read,
                    cache_write = usage.cache_write,
                    cost_usd = usage.cost_usd,
                    $($more)*
                )
            };
        }
        match error {
            None => log!(info, "turn ended"),
            Some(report) => {
                let error = self.clean(&report.error);
                log!(
                    warn,
                    code = report.code,
                    exit_code = report.exit_code,
                    signal = report.signal,
                    error,
                    "turn ended"
                );
            }
        }
    }

    pub(super) fn not_saved(&self, error: &str) {
        warn!(session = self.session, error = self.clean(error), "not saved");
    }

    pub(super) async fn session_ended(&self, turns: u64) {
        if turns > 0 {
            info!(session = self.session, turns, "session ended");
        }
        if self.log.is_some() {
            crate::log::flush().await;
        }
    }
}
