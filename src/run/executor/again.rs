//! How an attempt at a turn ends: with it the turn, or with another attempt after a pause.

use std::time::Duration;

use tokio::time::Instant;

use super::Executor;
use super::told::status_with;
use crate::agent::TurnEnd;
use crate::error::{Error, ErrorKind};
use crate::event::Fact;
use crate::run::cancel::{Cancellation, StopCause};
use crate::run::retry::{self, CONTINUE, Failure, RetryDecision, RetryPolicy, Way};
use crate::run::turn::{Output, Pause};
use crate::stream::Chunk;

impl Executor {
    /// Ends the attempt under way: with it the turn, unless it failed in a way that another attempt may mend.
    pub(super) fn attempt_ended(&mut self, mut end: TurnEnd) {
        let Some(turn) = &mut self.turn else { return };
        if turn.pause.is_some() {
            // It ended before; this is what its process said on its way out.
            return;
        }
        for question in std::mem::take(&mut turn.questions) {
            self.resolved(&question, "withdrawn", "agent", None);
        }
        if end.agent_session_id.is_some() {
            self.agent_session_id.clone_from(&end.agent_session_id);
        }
        self.dispatcher.turn_ending();
        if end.turns > 0 || end.usage.cost_usd.is_some() {
            self.dispatcher.chunk(Chunk::Usage(std::mem::take(&mut end.usage)));
        }
        end.error = self.outcome(end.error, end.interrupted);
        self.dispatcher.attempt_ended();
        if !self.pause(&mut end) {
            self.settle(end);
        }
    }

    /// Ends the turn under way as cancelled, at whatever stage it is.
    pub(super) fn abandon_turn(&mut self) {
        if let Some(turn) = &mut self.turn {
            turn.pause = None;
            turn.attempts.policy = RetryPolicy::never();
        }
        self.attempt_ended(TurnEnd { error: Some(Error::Cancelled), ..TurnEnd::default() });
    }

    /// What the attempt failed of, if it failed.
    fn outcome(&self, error: Option<Error>, interrupted: bool) -> Option<Error> {
        let turn = self.turn.as_ref()?;
        let (account, used) = (self.account(turn.budget), self.dispatcher.usage());
        let stopped_by_agent = || account.exceeded_for_agent(error.as_ref()?.kind(), used);
        let exceeded = account.exceeded(used).or_else(stopped_by_agent);
        match turn.cancellation.as_ref().map(Cancellation::cause) {
            // Whether or not it could be stopped before its end.
            None => exceeded.map(|exceeded| Error::BudgetExceeded { exceeded }).or(error),
            Some(StopCause::Budget(then)) => {
                Some(Error::BudgetExceeded { exceeded: exceeded.unwrap_or(then) })
            }
            // Done before it could be stopped.
            Some(StopCause::Asked) if error.is_none() && !interrupted => None,
            Some(StopCause::Asked) => Some(Error::Cancelled),
            Some(StopCause::Timeout(kind, after)) => {
                let stderr_tail = error.and_then(|error| error.report().stderr_tail).unwrap_or_default();
                Some(Error::TimedOut { agent: self.agent.name().to_owned(), kind, after, stderr_tail })
            }
        }
    }

    /// Whether the turn is to be tried again; it then waits for that.
    fn pause(&mut self, end: &mut TurnEnd) -> bool {
        let TurnEnd { error: Some(error), .. } = end else { return false };
        let Some(turn) = &mut self.turn else { return false };
        let kind = error.kind();
        if matches!(kind, ErrorKind::Cancelled) {
            return false;
        }
        let attempts = &mut turn.attempts;
        attempts.changed |= turn.output.changed;
        attempts.model_turns += std::mem::take(&mut end.turns);
        let message = error.report().error;
        attempts.context.push(attempts.number, kind, &message, turn.output.last_tool.as_deref());
        let failure = Failure {
            kind,
            available: error.available(),
            tries: end.tries,
            changed: attempts.changed,
            can_continue: self.agent.can_resume() && self.agent_session_id.is_some(),
        };
        let now = self.dispatcher.now();
        let decision = retry::decide(&failure, attempts.progress, &attempts.policy, now, fastrand::f64());
        let (after, way, until) = match decision {
            RetryDecision::Retry { after, tries, way } => {
                attempts.progress.tries = tries;
                (after, way, None)
            }
            RetryDecision::WaitUntil { at, way } => {
                (Duration::from_millis(at.saturating_sub(now)), way, Some(at))
            }
            RetryDecision::Ask => {
                attempts.needs_consent = true;
                return false;
            }
            RetryDecision::Stop => return false,
        };
        attempts.progress.waited += after;
        attempts.number += 1;
        let (attempt, tries) = (attempts.number, attempts.policy.tries);
        turn.cancellation = None;
        turn.pause = Some(Pause { until: Instant::now() + after, way });
        let delay_ms = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
        let how = way.word();
        self.journal.attempt_failed(&turn.run_id, attempt - 1, kind, &message, delay_ms, way);
        self.dispatcher.fact(Fact::RetryScheduled {
            attempt,
            max_tries: tries,
            code: kind.code(),
            message: &message,
            delay_ms,
            until,
            how,
        });
        self.dispatcher.chunk(status_with(
            "retrying",
            &serde_json::json!({
                "attempt": attempt - 1, "maxRetries": tries.saturating_sub(1), "delayMs": delay_ms,
                "code": kind.code(), "error": message, "how": how,
            }),
        ));
        true
    }

    /// The pause is over: tries the turn again.
    pub(super) async fn resume_turn(&mut self) {
        self.dispatcher.tick();
        let ready = self.live.as_ref().is_some_and(|live| live.ready);
        let Some(turn) = &mut self.turn else { return };
        let Some(Pause { way, .. }) = turn.pause.take() else { return };
        let said = std::mem::replace(&mut turn.output, Output { ready, ..Output::default() }).said;
        turn.attempts.said |= said;
        turn.interruptible = ready;
        turn.attempted = Instant::now();
        turn.last_output = Instant::now();
        let prompt = match way {
            // What nobody has answered needs no comment.
            Way::Repeat if !turn.attempts.said => turn.prompt.clone(),
            Way::Repeat => turn.attempts.context.added_to(&turn.prompt),
            Way::Continue => turn.attempts.context.added_to(CONTINUE),
        };
        match way {
            Way::Repeat => {
                turn.may_begin_anew = true;
                if self.live.is_none() {
                    // The conversation as it was before the turn.
                    self.agent_session_id.clone_from(&turn.resumed_from);
                }
            }
            Way::Continue => {
                // To begin anew would be to repeat.
                turn.may_begin_anew = false;
                // The agent has them.
                turn.images = [].into();
            }
        }
        let begun = if self.cancel_waits() { Err(Error::Cancelled) } else { self.start_turn(&prompt).await };
        if let Err(error) = begun {
            self.attempt_ended(TurnEnd { error: Some(error), ..TurnEnd::default() });
        }
    }
}
