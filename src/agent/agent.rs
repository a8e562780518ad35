//! What every agent is to the engine.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;

use super::image::Image;
use super::permission::{Decision, PermissionPolicy, PermissionRequest};
use crate::error::{Error, Result};
use crate::process::{CommandSpec, EnvChange};
use crate::stream::{Chunk, Usage};

/// How an agent is to be run; the same for all turns of a session.
#[derive(Debug, Clone, Default)]
pub struct AgentOptions {
    /// The working directory.
    pub cwd: PathBuf,
    /// The model; the agent's own choice where absent.
    pub model: Option<String>,
    /// The agent's executable in place of its usual name.
    pub executable: Option<OsString>,
    /// The command of an agent that has none of its own, words as a shell would split them.
    pub agent_command: Option<String>,
    /// An argv put in front of the agent's own.
    pub wrapper: Vec<OsString>,
    /// Arguments added behind the agent's own.
    pub extra_args: Vec<OsString>,
    /// Changes to the environment.
    pub env: Vec<EnvChange>,
    /// The agent's own permission mode.
    pub permission_mode: Option<String>,
    /// Who may use which tool.
    pub permissions: PermissionPolicy,
    /// Text added to the agent's system prompt.
    pub system_prompt: Option<String>,
    /// The agent's own id of a conversation to resume.
    pub resume: Option<String>,
    /// What the process may cost in US dollars, all its turns together; for agents that have a limit of their own.
    pub max_cost_usd: Option<f64>,
    /// How many model requests of the main agent each of its turns may make; the same.
    pub max_turns: Option<u64>,
    /// The `locus-runner` executable.
    pub runner: PathBuf,
}

/// An agent that the engine can run.
pub trait Agent: fmt::Debug + Send + Sync {
    /// Its name, as in `--provider`.
    fn name(&self) -> &str;

    /// What to do when its executable is missing. The registry knows; this is for what is not in it.
    #[expect(clippy::unnecessary_literal_bound, reason = "the registry's are no literals")]
    fn install_hint(&self) -> &str {
        "install it, or name its executable with the option `executable`"
    }

    /// The model where none is asked for; its own choice where absent.
    fn default_model(&self) -> Option<&str> {
        None
    }

    /// How it is started. An [`Error::InvalidInput`] tells which option it cannot be run with.
    fn command(&self, options: &AgentOptions) -> Result<CommandSpec>;

    /// Another way to speak to it, for versions that do not know this one: they end before they have said anything.
    fn fallback(&self) -> Option<Arc<dyn Agent>> {
        None
    }

    /// Whether one process serves all turns of a session. Otherwise each turn has its own, whose stdin is closed behind
    /// the prompt, and one dialect understands them all.
    fn is_held_open(&self) -> bool {
        true
    }

    /// Whether a process of it can go on with a conversation of another one, by its id.
    fn can_resume(&self) -> bool {
        true
    }

    /// Whether it is started with a limit of model requests, see [`AgentOptions::max_turns`].
    fn limits_turns(&self) -> bool {
        false
    }

    /// Whether it can be given images, as far as is known before it runs, see [`Dialect::start_turn_with`].
    fn takes_images(&self) -> bool {
        false
    }

    /// What to do where it takes no images.
    fn images_hint(&self) -> &'static str {
        "`locus exec agents` shows which do"
    }

    /// Whether a tool of it changes nothing, so that it does no harm to use it twice. What is not known does.
    fn is_read_only(&self, _tool: &str) -> bool {
        false
    }

    /// How it tells which models it has without using any, where it can.
    fn model_query(&self) -> Option<ModelQuery> {
        None
    }

    /// What one process of it speaks. An [`Error::InvalidInput`] tells which option it cannot be run with.
    fn dialect(&self, options: &AgentOptions) -> Result<Box<dyn Dialect>>;
}

/// How an agent is asked which models it has.
#[derive(Debug)]
pub struct ModelQuery {
    /// The arguments that it is started with.
    pub args: &'static [&'static str],
    /// What it is told.
    pub input: Vec<u8>,
    /// The models, once they are in what it has said so far.
    pub read: fn(&[u8]) -> Option<Vec<OfferedModel>>,
}

/// A model that an agent offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OfferedModel {
    /// What it is called in `--model`.
    pub id: String,
    /// Whether it is used where none is asked for.
    pub is_default: bool,
}

/// What one process of an agent speaks.
pub trait Dialect: Send {
    /// What is written as soon as the process runs.
    fn open(&mut self) -> Vec<u8> {
        Vec::new()
    }

    /// A process was started, to go on with a conversation or to begin one. For a dialect that serves many processes.
    fn started(&mut self, _resumes: bool) {}

    /// Begins a turn.
    fn start_turn(&mut self, prompt: &str) -> Vec<u8>;

    /// Begins a turn with images; `None` where the agent takes none.
    fn start_turn_with(&mut self, _prompt: &str, _images: &[Image]) -> Option<Vec<u8>> {
        None
    }

    /// Whether the turn that was begun last can be interrupted before the agent has said anything of it; otherwise it
    /// gives [`Signal::Ready`] when it can.
    fn can_interrupt(&self) -> bool {
        false
    }

    /// Asks the agent to stop the turn, where it can be asked.
    fn interrupt(&mut self) -> Option<Vec<u8>> {
        None
    }

    /// Answers a question for permission, where the agent asks any ([`Signal::Permission`]).
    fn answer(&mut self, _request: &PermissionRequest, _decision: &Decision) -> Vec<u8> {
        Vec::new()
    }

    /// Understands one line. `now` is the time in milliseconds since the epoch.
    fn decode(&mut self, line: &[u8], now: u64, sink: &mut dyn Sink);

    /// The process has ended by itself, with this exit code unless a signal ended it, and all that it said was decoded. An
    /// agent that says in no other way that its turn is over gives [`Signal::TurnEnded`] here.
    fn ended(&mut self, _code: Option<i32>, _sink: &mut dyn Sink) {}

    /// The prompt that a line repeats, for transcripts; a live run knows its prompts.
    fn prompt(&self, _line: &[u8]) -> Option<String> {
        None
    }
}

/// Takes what a dialect understood.
pub trait Sink {
    /// The agent said something.
    fn chunk(&mut self, chunk: Chunk<'_>);

    /// The agent did something that the run must act on.
    fn signal(&mut self, signal: Signal);
}

/// What a run must act on.
#[derive(Debug)]
pub enum Signal {
    /// The agent is ready and can be interrupted from now on.
    Ready {
        /// Its own id of the conversation.
        agent_session_id: Option<String>,
    },
    /// It asks whether it may use a tool.
    Permission(PermissionRequest),
    /// It takes the question with this id back.
    PermissionWithdrawn(String),
    /// It needs this written to its stdin.
    Reply(Vec<u8>),
    /// The turn is over.
    TurnEnded(TurnEnd),
}

/// How an agent says that a turn ended.
#[derive(Debug, Default)]
pub struct TurnEnd {
    /// The final answer.
    pub content: String,
    /// Why it stopped, in the agent's word.
    pub stop_reason: Option<String>,
    /// What this turn used.
    pub usage: Usage,
    /// Model requests made in this turn.
    pub turns: u64,
    /// The agent's own id of the conversation.
    pub agent_session_id: Option<String>,
    /// Why it failed, where it did.
    pub error: Option<Error>,
    /// How often the agent tried its last request by itself; 0 where nothing is known of that.
    pub tries: u32,
    /// Whether it ended because of an interrupt.
    pub interrupted: bool,
}
