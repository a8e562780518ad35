//! How a turn begins: the conversation is opened on disk, the process is there, the prompt is safe, and only then the agent
//! gets it; and what is done when the agent does not know the conversation that it was to resume.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::told::{resumed, status};
use super::{Executor, Live};
use crate::agent::{Agent, Dialect, Image, TurnEnd};
use crate::error::{Error, ErrorKind, Result};
use crate::event::Fact;
use crate::history::State;
use crate::process::{Exit, Process, Supervision};
use crate::run::session::{Message, SessionOptions, TurnOptions};
use crate::run::turn::{Attempts, Output, Turn, UnderWay};
use crate::stream::{Chunk, FrameDecoder};

impl Executor {
    pub(super) async fn begin(
        &mut self,
        options: TurnOptions,
        images: Vec<Image>,
        done: oneshot::Sender<()>,
    ) {
        self.dispatcher.tick();
        let opened = self.open_record().await;
        let max_turns = options.budget.turns;
        if self.live.as_ref().is_some_and(|live| live.max_turns != max_turns) && self.agent.limits_turns() {
            // It keeps to the limit that it was started with.
            self.end_process(self.options.linger).await;
            self.dispatcher.tick();
        }
        self.turns += 1;
        self.dispatcher.turn_begins(&options.run_id);
        if self.turns == 1 {
            self.dispatcher.fact(Fact::SessionStarted {
                provider: self.agent.name(),
                model: self.options.agent.model.as_deref(),
                project_path: self.options.agent.cwd.to_string_lossy(),
            });
        }
        let shown: Vec<_> = images.iter().map(|image| image.info.clone()).collect();
        self.dispatcher.fact(Fact::PromptSubmitted { prompt: &options.prompt, images: &shown });
        self.end_spent_process().await;
        let warm = self.live.is_some();
        let model = self.options.agent.model.as_deref();
        self.journal.turn_started(&options.run_id, self.turns, self.agent.name(), model, warm);
        self.dispatcher.fact(Fact::TurnStarted { run_id: &options.run_id, turn: self.turns, warm });
        self.options.agent.permissions.can_ask = options.can_ask;
        let TurnOptions { prompt, run_id, timeouts, budget, retold, retry, context, .. } = options;
        let first_prompt = context.added_to(&prompt);
        self.turn = Some(Turn {
            _under_way: UnderWay::begin(),
            run_id,
            started: Instant::now(),
            attempted: Instant::now(),
            last_output: Instant::now(),
            timeouts,
            budget,
            told_blind: false,
            done,
            interruptible: false,
            cancellation: None,
            questions: Vec::new(),
            output: Output { ready: self.live.as_ref().is_some_and(|live| live.ready), ..Output::default() },
            prompt,
            images: images.into(),
            retold: retold.map(|retold| context.added_to(&retold)),
            may_begin_anew: true,
            resumed_from: self.agent_session_id.clone(),
            attempts: Attempts::first(retry, context),
            pause: None,
        });
        let begun = match opened {
            Ok(()) => self.start_turn(&first_prompt).await,
            Err(error) => Err(error),
        };
        if let Err(error) = begun {
            self.attempt_ended(TurnEnd { error: Some(error), ..TurnEnd::default() });
        }
    }

    /// Gives the prompt to the process of the session, as soon as it has been written down.
    pub(super) async fn start_turn(&mut self, prompt: &str) -> Result<()> {
        self.end_spent_process().await;
        let resumes = self.live_process()?.resumes;
        self.read_prices().await?;
        self.prompt_saved().await?;
        if self.cancel_waits() {
            return Err(Error::Cancelled);
        }
        let retold = match &mut self.turn {
            // Kept for the case that the agent does not know the conversation.
            Some(_) if resumes => None,
            Some(turn) if !turn.output.ready => turn.take_retold(),
            _ => None,
        };
        if retold.is_some() {
            self.dispatcher.chunk(resumed("context", None));
        }
        self.give(retold.as_deref().unwrap_or(prompt))
    }

    /// Gives a prompt to the process of the session.
    fn give(&mut self, prompt: &str) -> Result<()> {
        let agent = Arc::clone(&self.agent);
        let images = self.turn.as_ref().map(|turn| Arc::clone(&turn.images)).unwrap_or_default();
        let live = self.live_process()?;
        let request = match &*images {
            [] => Some(live.dialect.start_turn(prompt)),
            images => live.dialect.start_turn_with(prompt, images),
        };
        live.process.write(request.ok_or_else(|| takes_no_images(&*agent))?);
        if !agent.is_held_open() {
            live.process.close_stdin();
        }
        let interruptible = live.dialect.can_interrupt();
        if let Some(turn) = &mut self.turn {
            turn.interruptible |= interruptible;
        }
        Ok(())
    }

    /// Begins the turn under way anew: the agent could not resume the conversation, so it is told of it.
    pub(super) async fn begin_anew(&mut self, retold: &str) {
        self.end_process(Duration::ZERO).await;
        self.agent_session_id = None;
        self.dispatcher.tick();
        if let Some(turn) = &mut self.turn {
            turn.output = Output::default();
            turn.interruptible = false;
            turn.last_output = Instant::now();
            turn.attempted = Instant::now();
        }
        let begun = if self.cancel_waits() { Err(Error::Cancelled) } else { self.give(retold) };
        if let Err(error) = begun {
            self.attempt_ended(TurnEnd { error: Some(error), ..TurnEnd::default() });
        }
    }

    /// Begins the turn under way again with another way to speak to the agent, which does not know the one it was spoken
    /// to.
    pub(super) async fn fall_back(&mut self, agent: Arc<dyn Agent>, reason: &Error) {
        self.agent = agent;
        self.dialect = None;
        self.dispatcher.tick();
        self.dispatcher.chunk(status("fallback", &[("reason", &reason.report().error)]));
        let Some(turn) = &mut self.turn else { return };
        turn.output = Output::default();
        turn.last_output = Instant::now();
        turn.attempted = Instant::now();
        let prompt = turn.attempts.context.added_to(&turn.prompt);
        let begun = if self.cancel_waits() { Err(Error::Cancelled) } else { self.start_turn(&prompt).await };
        if let Err(error) = begun {
            self.attempt_ended(TurnEnd { error: Some(error), ..TurnEnd::default() });
        }
    }

    /// The other way to speak to the agent, if its process ended because it does not know this one: it has said nothing.
    pub(super) fn other_way(&self, exit: Exit, error: &Error) -> Option<Arc<dyn Agent>> {
        let turn = self.turn.as_ref()?;
        let says_nothing = turn.output.lines == 0 && error.kind() == ErrorKind::ExitedBeforeInit;
        let refuses = says_nothing && exit.code.is_some_and(|code| code != 0) && turn.cancellation.is_none();
        self.agent.fallback().filter(|_| refuses)
    }

    /// Whether the turn under way is to be stopped by a message that came while something was waited for.
    pub(super) fn cancel_waits(&mut self) -> bool {
        while let Ok(message) = self.inbox.try_recv() {
            self.waiting.push_back(message);
        }
        // Behind another turn it may be meant for that one.
        self.waiting
            .iter()
            .take_while(|message| !matches!(message, Message::Turn { .. }))
            .any(|message| matches!(message, Message::Cancel { .. } | Message::End { .. }))
    }

    /// Whether the turn under way failed because the agent does not know the conversation that it was to resume. Agents
    /// say that in their own ways; they have in common that they fail before they are ready.
    pub(super) fn must_begin_anew(&mut self, error: Option<&Error>) -> bool {
        let (Some(turn), Some(error)) = (&mut self.turn, error) else { return false };
        if self.restart.is_some() {
            return true;
        }
        if turn.output.ready || turn.cancellation.is_some() {
            return false;
        }
        self.restart = turn.take_retold();
        if self.restart.is_some() {
            self.dispatcher.chunk(resumed("context", Some(&error.to_string())));
        }
        self.restart.is_some()
    }

    pub(super) fn current_agent(&self) -> State {
        State {
            provider: Some(self.agent.name().to_owned()),
            model: self.options.agent.model.clone(),
            ..State::default()
        }
    }

    pub(super) async fn configure(&mut self, agent: Arc<dyn Agent>, options: SessionOptions) -> Result<()> {
        if self.turn.is_some() {
            return Err(Error::SessionBusy);
        }
        self.end_process(self.options.linger).await;
        self.agent = agent;
        self.dialect = None;
        self.agent_session_id.clone_from(&options.agent.resume);
        let record = self.options.record.take();
        self.options = SessionOptions { record, ..options };
        self.priced = false;
        let state = self.current_agent();
        if let Some(recorder) = self.dispatcher.recorder() {
            recorder.state(state);
        }
        Ok(())
    }

    /// Lets the process of the session go, and waits until it is gone.
    async fn end_process(&mut self, linger: Duration) {
        if let Some(live) = self.live.take() {
            live.process.terminate(linger, self.options.cancel.grace).await;
            self.keep_dialect(live.dialect);
        }
    }

    /// A process that has had its turn is no use for another one.
    async fn end_spent_process(&mut self) {
        if !self.agent.is_held_open() {
            self.end_process(self.options.linger).await;
        }
    }

    /// Keeps what the next process of the session speaks, too, and what is known by it.
    pub(super) fn keep_dialect(&mut self, dialect: Box<dyn Dialect>) {
        self.dialect = Some(dialect).filter(|_| !self.agent.is_held_open());
    }

    /// The process of the session, started if there is none.
    fn live_process(&mut self) -> Result<&mut Live> {
        if self.live.is_none() {
            self.dispatcher.chunk(Chunk::Status { status: "starting".into(), detail: None });
            if !self.agent.can_resume() {
                self.agent_session_id = None;
            }
            self.options.agent.resume.clone_from(&self.agent_session_id);
            let budget = self.turn.as_ref().map(|turn| turn.budget).unwrap_or_default();
            self.options.agent.max_turns = budget.turns;
            self.options.agent.max_cost_usd = self.account(budget).left_usd(self.dispatcher.usage());
            let command = self.agent.command(&self.options.agent)?;
            let mut dialect = match self.dialect.take() {
                Some(dialect) => dialect,
                None => self.agent.dialect(&self.options.agent)?,
            };
            let supervision =
                Supervision { runner: self.options.agent.runner.clone(), grace: self.options.cancel.grace };
            let process = Process::spawn(&command, &supervision, self.agent.install_hint())?;
            self.journal.process_started(&command.program.to_string_lossy(), self.agent_session_id.is_some());
            let resumes = self.agent_session_id.is_some();
            dialect.started(resumes);
            process.write(dialect.open());
            let frames = FrameDecoder::new(self.options.line_limit);
            self.live =
                Some(Live { process, dialect, frames, ready: false, resumes, max_turns: budget.turns });
        }
        self.live.as_mut().ok_or(Error::Internal("the process vanished".into()))
    }
}

/// Why an agent, spoken to as it is, cannot be given images.
pub(super) fn takes_no_images(agent: &dyn Agent) -> Error {
    let (name, advice) = (agent.name(), agent.images_hint());
    Error::InvalidInput(format!("the agent '{name}' takes no images; {advice}").into())
}
