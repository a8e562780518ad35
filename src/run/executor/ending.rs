//! How a turn ends, in one order for every ending, and how the session does.

use std::time::Duration;

use tokio::time::Instant;

use super::Executor;
use super::told::status;
use crate::agent::TurnEnd;
use crate::error::{Error, ErrorKind, ErrorReport, Result, Symptoms};
use crate::event::Fact;
use crate::process::Exit;
use crate::run::turn::{Ended, Output};
use crate::stream::FrameDecoder;

impl Executor {
    /// The process has ended by itself, or because the cancellation came to that.
    pub(super) async fn process_ended(&mut self, exit: Exit) {
        let Some(mut live) = self.live.take() else { return };
        self.journal.process_ended(exit);
        self.decode(&mut live, FrameDecoder::next_frame, false).await;
        self.decode(&mut live, FrameDecoder::finish, false).await;
        let mut sink = self.sink(false);
        live.dialect.ended(exit.code, &mut sink);
        let heard = sink.heard();
        self.act_on_all(heard, &mut live).await;
        if let Some(turn) = &self.turn {
            if turn.cancellation.is_some() {
                // Whoever cancelled is told when nothing is left.
                live.process.gone(self.options.cancel.grace).await;
            }
            let stderr_tail = live.process.stderr_tail().await;
            let error = ending(self.agent.name(), &turn.output, exit, stderr_tail);
            if let Some(agent) = self.other_way(exit, &error) {
                return self.fall_back(agent, &error).await;
            }
            if !self.must_begin_anew(Some(&error)) {
                self.attempt_ended(TurnEnd { error: Some(error), ..TurnEnd::default() });
            }
        }
        self.keep_dialect(live.dialect);
        self.conclude().await;
        self.dispatcher.publish();
    }

    /// Ends the turn under way with all that belongs to its end, in one order for every ending.
    pub(super) fn settle(&mut self, end: TurnEnd) {
        let Some(turn) = self.turn.take() else { return };
        let usage = self.dispatcher.usage().clone();
        self.spent = self.spent.plus(&usage);
        let keeps_content = matches!(end.error, None | Some(Error::BudgetExceeded { .. }));
        let stop_reason = match &end.error {
            Some(Error::Cancelled) => "cancelled".into(),
            Some(_) => "error".into(),
            None => end.stop_reason.map_or("end_turn".into(), Into::into),
        };
        self.ended = Some(Ended {
            done: turn.done,
            run_id: turn.run_id,
            content: if keeps_content { end.content } else { String::new() },
            attempts: turn.attempts.number,
            error: end.error.map(|error| ErrorReport {
                needs_consent: turn.attempts.needs_consent,
                changed: turn.attempts.changed || turn.output.changed,
                attempts: if turn.attempts.number > 1 { turn.attempts.context.failures } else { Vec::new() },
                ..error.report()
            }),
            stop_reason,
            usage,
            duration_ms: u64::try_from(turn.started.elapsed().as_millis()).unwrap_or(u64::MAX),
            turns: turn.attempts.model_turns + end.turns,
            tools_used: self.dispatcher.take_tools_used(),
            agent_session_id: self.agent_session_id.clone(),
        });
    }

    /// Tells that the turn is over, when that has been written down.
    pub(super) async fn conclude(&mut self) {
        let Some(ended) = self.ended.take() else { return };
        self.journal.turn_ended(&ended);
        for payload in ended.payloads() {
            self.dispatcher.write_down(payload);
        }
        let patience = self.patience_at_end();
        let began = Instant::now();
        self.begin_to_count(&ended);
        let saved = self.end_saved(patience).await;
        let counted = self.counted(began, patience).await;
        for error in [saved, counted].into_iter().filter_map(Result::err) {
            self.journal.not_saved(&error.report().error);
            self.dispatcher.chunk(status("not_saved", &[("message", &error.report().error)]));
        }
        for payload in ended.payloads() {
            self.dispatcher.tell(payload);
        }
        self.dispatcher.publish();
        // Those who wait may have given up.
        let _ = ended.done.send(());
        for done in self.cancelled.drain(..) {
            let _ = done.send(());
        }
    }

    /// Ends the session: the turn as cancelled, then the process.
    pub(super) async fn end(&mut self) {
        self.dispatcher.tick();
        if let Some(live) = self.live.take() {
            let grace = self.options.cancel.grace;
            // A process in the middle of a turn would go on with it; it is asked to end at once.
            let linger = if self.turn.is_some() { Duration::ZERO } else { self.options.linger };
            live.process.terminate(linger, grace).await;
        }
        self.dispatcher.tick();
        self.abandon_turn();
        // Whoever ends a session waits for it.
        self.options.disk.patience = self.options.disk.hurry;
        self.conclude().await;
        if let Err(error) = self.close_record().await {
            self.dispatcher.chunk(status("not_saved", &[("message", &error.report().error)]));
        }
        if self.turns > 0 {
            self.dispatcher.fact(Fact::SessionEnded { turns: self.turns });
        }
        self.dispatcher.publish();
        self.journal.session_ended(self.turns).await;
    }
}

/// What the end of a process without a result is called.
fn ending(agent: &str, output: &Output, exit: Exit, stderr_tail: String) -> Error {
    match output.verdict(exit.code) {
        ErrorKind::Protocol => Error::Protocol {
            agent: agent.to_owned(),
            lines: output.lines,
            sample: output.sample.clone(),
            exit,
            stderr_tail,
        },
        kind => Error::Exited {
            agent: agent.to_owned(),
            kind,
            reason: said_reason(kind, &stderr_tail),
            exit,
            stderr_tail,
        },
    }
}

/// What an agent that left by itself said of the reason, where that leaves no doubt.
fn said_reason(ending: ErrorKind, stderr_tail: &str) -> Option<ErrorKind> {
    let left = matches!(ending, ErrorKind::ExitedBeforeInit | ErrorKind::ProcessCrashed);
    let reason = Symptoms { text: stderr_tail, ..Symptoms::default() }.kind();
    let telling = [ErrorKind::Auth, ErrorKind::RateLimit, ErrorKind::Network, ErrorKind::ContextLimit];
    reason.filter(|kind| left && telling.contains(kind))
}
