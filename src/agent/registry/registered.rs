//! An agent of the registry.

use std::ffi::OsString;
use std::sync::Arc;

use super::entry::Entry;
use crate::agent::acp::Acp;
use crate::agent::claude::Claude;
use crate::agent::codex::Codex;
use crate::agent::demo::Demo;
use crate::agent::gemini::Gemini;
use crate::agent::opencode::Opencode;
use crate::agent::{Agent, AgentOptions, Dialect, ModelQuery};
use crate::error::Result;
use crate::process::CommandSpec;

type Speaker = (&'static str, fn() -> Arc<dyn Agent>);

/// The dialects, by the names that entries give them, each with the agent that speaks it.
const SPEAKERS: [Speaker; 6] = [
    ("acp", || Arc::new(Acp)),
    ("claude", || Arc::new(Claude)),
    ("codex", || Arc::new(Codex)),
    ("demo", || Arc::new(Demo)),
    ("gemini", || Arc::new(Gemini)),
    ("opencode", || Arc::new(Opencode)),
];

/// The names of the dialects.
pub(super) fn dialects() -> [&'static str; SPEAKERS.len()] {
    SPEAKERS.map(|(name, _)| name)
}

/// What an entry says, put around the agent of its dialect.
#[derive(Debug)]
pub(super) struct Registered {
    entry: Entry,
    install_hint: String,
    speaker: Arc<dyn Agent>,
}

impl Registered {
    /// The agent of an entry; `None` where there is no such dialect.
    pub(super) fn of(entry: Entry) -> Option<Self> {
        let (_, speaker) = SPEAKERS.iter().find(|(name, _)| *name == entry.dialect)?;
        Some(Self::speaking(speaker(), entry))
    }

    fn speaking(speaker: Arc<dyn Agent>, entry: Entry) -> Self {
        let install = entry.install.as_deref().unwrap_or("install it");
        let install_hint = format!("{install}, or name its executable with the option `executable`");
        Self { entry, install_hint, speaker }
    }

    /// Whether it can do something as far as its entry says; where that says nothing, its dialect decides.
    fn is_said_to(&self, capability: &str) -> bool {
        let said = self.entry.capabilities.as_ref();
        said.is_none_or(|said| said.iter().any(|can| can == capability))
    }

    /// The options with what the entry says where they say nothing.
    fn completed(&self, options: &AgentOptions) -> AgentOptions {
        let mut options = options.clone();
        let env = self.entry.env.iter();
        let env = env.map(|(name, value)| (OsString::from(name), value.as_ref().map(OsString::from)));
        options.env = env.chain(options.env).collect();
        options.executable = options.executable.take().or_else(|| self.program(&options));
        options
    }

    /// Its program with other arguments, to learn something of it.
    pub(super) fn inspection(&self, options: &AgentOptions, args: &[&str]) -> CommandSpec {
        let options = self.completed(options);
        let command = CommandSpec {
            program: options.executable.clone().unwrap_or_else(|| options.runner.clone().into()),
            args: args.iter().map(OsString::from).collect(),
            env: options.env.clone(),
            cwd: options.cwd.clone(),
        };
        self.wrapped(command, &options)
    }

    /// The registry's wrapper stands inside that of the options.
    fn wrapped(&self, command: CommandSpec, options: &AgentOptions) -> CommandSpec {
        let inner: Vec<OsString> = self.entry.wrapper.iter().map(OsString::from).collect();
        command.wrapped(&inner).wrapped(&options.wrapper)
    }

    /// The executable: the first of its names that is found here. Behind a wrapper it is found elsewhere.
    fn program(&self, options: &AgentOptions) -> Option<OsString> {
        let mut names = self.entry.programs.iter().map(OsString::from);
        let first = names.next()?;
        if !self.entry.wrapper.is_empty() || !options.wrapper.is_empty() || self.entry.programs.len() == 1 {
            return Some(first);
        }
        let is_found = |program: &OsString| {
            let command = CommandSpec {
                program: program.clone(),
                args: Vec::new(),
                env: options.env.clone(),
                cwd: options.cwd.clone(),
            };
            command.resolve("").is_ok()
        };
        if is_found(&first) {
            return Some(first);
        }
        Some(names.find(is_found).unwrap_or(first))
    }
}

// A method that is forgotten here would silently have its default, whatever the agent behind it says.
#[deny(clippy::missing_trait_methods)]
impl Agent for Registered {
    fn name(&self) -> &str {
        &self.entry.name
    }

    fn install_hint(&self) -> &str {
        &self.install_hint
    }

    fn default_model(&self) -> Option<&str> {
        self.entry.model.as_deref()
    }

    fn command(&self, options: &AgentOptions) -> Result<CommandSpec> {
        let options = self.completed(options);
        let mut command = self.speaker.command(&AgentOptions { wrapper: Vec::new(), ..options.clone() })?;
        command.args.splice(0..0, self.entry.args.iter().map(OsString::from));
        Ok(self.wrapped(command, &options))
    }

    fn fallback(&self) -> Option<Arc<dyn Agent>> {
        let other = match self.speaker.fallback() {
            Some(speaker) => Self::speaking(speaker, self.entry.clone()),
            None => Self::of(self.entry.spoken_otherwise()?)?,
        };
        Some(Arc::new(other))
    }

    fn is_held_open(&self) -> bool {
        self.speaker.is_held_open()
    }

    fn can_resume(&self) -> bool {
        self.speaker.can_resume() && self.is_said_to("resume")
    }

    fn limits_turns(&self) -> bool {
        self.speaker.limits_turns()
    }

    fn takes_images(&self) -> bool {
        self.speaker.takes_images() && self.is_said_to("images")
    }

    fn images_hint(&self) -> &'static str {
        self.speaker.images_hint()
    }

    fn is_read_only(&self, tool: &str) -> bool {
        self.speaker.is_read_only(tool)
    }

    fn model_query(&self) -> Option<ModelQuery> {
        self.speaker.model_query()
    }

    fn dialect(&self, options: &AgentOptions) -> Result<Box<dyn Dialect>> {
        self.speaker.dialect(&self.completed(options))
    }
}
