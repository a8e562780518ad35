//! What is known of an agent, and how one file's word of it is laid over another's.

use std::collections::BTreeMap;

use serde::Serialize;

/// What an agent can do, as far as that has a name here.
pub const CAPABILITIES: &[&str] = &["deltas", "resume", "interrupt", "permissions", "cost", "images"];

/// An agent as data.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Its name, as in `--provider`.
    pub name: String,
    /// What it speaks: the name of a dialect.
    pub dialect: String,
    /// Its executable's possible names and paths; the first that is found is used. None where the dialect has its own.
    pub programs: Vec<String>,
    /// Arguments that come first.
    pub args: Vec<String>,
    /// An argv in front of the executable.
    pub wrapper: Vec<String>,
    /// Variables that are set, or removed (`None`). Their values stay here: they may be secrets.
    #[serde(serialize_with = "names_only")]
    pub env: BTreeMap<String, Option<String>>,
    /// The model where none is asked for; the agent's own choice where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Models that it is known to have.
    pub models: Vec<Model>,
    /// What it can do, in the words of [`CAPABILITIES`] and any others; `None` where nothing is said of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<Vec<String>>,
    /// What to do where it is not installed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub install: Option<String>,
    /// What to do where it is not logged in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login: Option<String>,
    /// Arguments that make it print its version.
    pub version: Vec<String>,
    /// Arguments that make it end with 0 where it is logged in and with another code where not, without using a token.
    pub status: Vec<String>,
    /// The first version that knows these arguments; an older one might take them for a prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_since: Option<String>,
    /// Variables of the environment any of which is enough to be logged in.
    pub keys: Vec<String>,
    /// The agent whose way to be spoken to is tried where a version does not know this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<String>,
    /// What that comes to: the ways that are left, the next one first.
    #[serde(skip)]
    pub ways: Vec<Way>,
}

impl Entry {
    /// The same agent where its version does not know this way to speak to it: spoken to in the next one, and in all else
    /// as it was, so that it stays in its wrapper.
    pub(super) fn spoken_otherwise(&self) -> Option<Self> {
        let (next, rest) = self.ways.split_first()?;
        let Way { dialect, args, capabilities } = next.clone();
        Some(Self { dialect, args, capabilities, ways: rest.to_vec(), ..self.clone() })
    }
}

/// How an agent is spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// The name of a dialect.
    pub dialect: String,
    /// Arguments that come first.
    pub args: Vec<String>,
    /// What can be done so, see [`Entry::capabilities`].
    pub capabilities: Option<Vec<String>>,
}

/// A model of an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Model {
    /// What it is called in `--model`.
    pub id: String,
    /// How many tokens fit into a conversation, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_tokens: Option<u64>,
}

fn names_only<S: serde::Serializer>(
    env: &BTreeMap<String, Option<String>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(env.keys())
}

/// What a file says of an agent; what is absent stays as it was.
#[derive(Debug, Clone, Default)]
pub(super) struct Change {
    /// The line where it begins.
    pub(super) line: usize,
    pub(super) extends: Option<String>,
    pub(super) dialect: Option<String>,
    pub(super) programs: Option<Vec<String>>,
    pub(super) args: Option<Vec<String>>,
    pub(super) wrapper: Option<Vec<String>>,
    pub(super) env: BTreeMap<String, Option<String>>,
    pub(super) model: Option<String>,
    pub(super) models: Option<Vec<Model>>,
    pub(super) capabilities: Option<Vec<String>>,
    pub(super) install: Option<String>,
    pub(super) login: Option<String>,
    pub(super) version: Option<Vec<String>>,
    pub(super) status: Option<Vec<String>>,
    pub(super) status_since: Option<String>,
    pub(super) keys: Option<Vec<String>>,
    pub(super) otherwise: Option<String>,
}

impl Change {
    /// Lays it over an entry.
    pub(super) fn apply_to(&self, entry: &mut Entry) {
        fn put<T: Clone>(slot: &mut T, said: Option<&T>) {
            if let Some(said) = said {
                slot.clone_from(said);
            }
        }
        put(&mut entry.dialect, self.dialect.as_ref());
        put(&mut entry.programs, self.programs.as_ref());
        put(&mut entry.args, self.args.as_ref());
        put(&mut entry.wrapper, self.wrapper.as_ref());
        put(&mut entry.models, self.models.as_ref());
        put(&mut entry.version, self.version.as_ref());
        put(&mut entry.status, self.status.as_ref());
        put(&mut entry.keys, self.keys.as_ref());
        entry.env.extend(self.env.clone());
        let texts = [
            (&mut entry.model, &self.model),
            (&mut entry.install, &self.install),
            (&mut entry.login, &self.login),
            (&mut entry.status_since, &self.status_since),
            (&mut entry.otherwise, &self.otherwise),
        ];
        for (slot, said) in texts {
            *slot = said.clone().or(slot.take());
        }
        entry.capabilities = self.capabilities.clone().or(entry.capabilities.take());
    }
}
