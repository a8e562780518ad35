//! A host: a session with a fake agent and a consumer for its events.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use locus_exec::agent::{Agent, agent_named};
use locus_exec::event::EventKind;
use locus_exec::run::{Budget, RetryContext, RetryPolicy, Session, SessionOptions, Timeouts, TurnOptions};
use locus_exec::{Error, Result};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use super::events::Events;
use super::{Turn, agent, patiently};

/// A session with a fake agent, in an empty folder.
pub(crate) struct Host {
    pub(crate) session: Session,
    pub(crate) events: Events,
    pub(crate) folder: TempDir,
}

impl Host {
    /// A host of this fake agent.
    pub(crate) fn of(name: &str) -> Self {
        Self::with(name, |_, _| {})
    }

    /// The same with options that are changed; the change is given the folder, too.
    pub(crate) fn with(name: &str, change: impl FnOnce(&mut SessionOptions, &Path)) -> Self {
        Self::speaking("claude", name, change)
    }

    /// A host of a fake agent that speaks like another one than claude.
    pub(crate) fn speaking(
        provider: &str,
        name: &str,
        change: impl FnOnce(&mut SessionOptions, &Path),
    ) -> Self {
        Self::of_agent(agent_named(provider).expect("the provider is known"), name, change)
    }

    /// A host of a fake agent that is spoken to as this agent.
    pub(crate) fn of_agent(
        provider: Arc<dyn Agent>,
        name: &str,
        change: impl FnOnce(&mut SessionOptions, &Path),
    ) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let mut options = SessionOptions::default();
        options.agent.executable = Some(agent(name).into());
        options.agent.runner = env!("CARGO_BIN_EXE_locus-runner").into();
        folder.path().clone_into(&mut options.agent.cwd);
        change(&mut options, folder.path());
        let (queue, events) = Events::new();
        Self { session: Session::start(provider, options, queue), events, folder }
    }

    /// Begins a turn; the handle is done when the turn is over. `can_ask` is unset.
    pub(crate) fn begin(&self, prompt: impl Into<String>) -> JoinHandle<Result<()>> {
        self.begin_with(turn(prompt))
    }

    /// Begins a turn in which somebody is there to be asked.
    pub(crate) fn begin_attended(&self, prompt: impl Into<String>) -> JoinHandle<Result<()>> {
        self.begin_with(TurnOptions { can_ask: true, ..turn(prompt) })
    }

    /// Begins a turn with options of its own.
    pub(crate) fn begin_with(&self, options: TurnOptions) -> JoinHandle<Result<()>> {
        let session = self.session.clone();
        tokio::spawn(async move { session.run_turn(options).await })
    }

    /// Runs a turn and drains all of its events.
    pub(crate) async fn turn(&mut self, prompt: impl Into<String>) -> Turn {
        let running = self.begin(prompt);
        self.finish(running).await
    }

    /// Drains the rest of the events of a turn that was begun.
    pub(crate) async fn finish(&mut self, running: JoinHandle<Result<()>>) -> Turn {
        let turn = self.events.until(EventKind::TurnCompleted).await;
        over(running).await.expect("the turn could begin");
        turn
    }

    /// Runs a turn that cannot begin.
    pub(crate) async fn refused_turn(&self) -> Error {
        over(self.begin("hi")).await.expect_err("the turn cannot begin")
    }

    /// Returns when the session has acted on everything that it was asked before.
    pub(crate) async fn settle_messages(&self) {
        let deny = locus_exec::agent::Decision::Deny { message: String::new() };
        let known = patiently("an answer of the session", self.session.respond("nothing".into(), deny)).await;
        assert!(!known.expect("the session lives"), "there is no such question");
    }

    pub(crate) async fn cancel(&self) {
        patiently("the end of the cancelled turn", self.session.cancel()).await;
    }

    pub(crate) async fn end(&self) {
        patiently("the end of the session", self.session.end()).await;
    }
}

/// Waits until a turn is over.
async fn over(running: JoinHandle<Result<()>>) -> Result<()> {
    patiently("the end of the turn", running).await.expect("no panic")
}

/// A turn in which nobody is there to be asked, tried once.
pub(crate) fn turn(prompt: impl Into<String>) -> TurnOptions {
    TurnOptions {
        budget: Budget::default(),
        prompt: prompt.into(),
        images: Vec::new(),
        run_id: "run-1".to_owned(),
        can_ask: false,
        timeouts: Timeouts::default(),
        retold: None,
        retry: RetryPolicy::never(),
        context: RetryContext::default(),
    }
}

/// Sets a variable in the agent's environment.
pub(crate) fn set(options: &mut SessionOptions, name: &str, value: impl Into<OsString>) {
    options.agent.env.push((name.into(), Some(value.into())));
}
