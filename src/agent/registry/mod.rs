//! Which agents there are: data, not code.
//!
//! An [`Entry`] says how an agent is found and started, which dialect it speaks and what it can do. Entries come from files of
//! one form (`file.rs`) in three layers, each of which changes what those before it say or adds to it: the one of this
//! package (`agents.toml`), the user's (`agents.toml` in the [`config_folder`]) and the project's (`.locus/agents.toml`).
//! [`Registry`] lays them over each other when it is asked for a name; [`Registered`](registered::Registered) makes an
//! [`Agent`](super::Agent) of an entry by putting what it says around the agent of its dialect.
//!
//! A project's file comes with the project, so it may be somebody else's, and it says what is run. Until the user has
//! allowed exactly this text at exactly this place ([`Consents`]), an agent that it would change is refused.

mod consent;
mod entry;
mod file;
mod registered;
#[expect(clippy::module_inception, reason = "a file is named after its main type")]
mod registry;

pub use consent::{Consents, config_folder};
pub use entry::{CAPABILITIES, Entry, Model, Way};
pub use registry::{Listed, Origin, ProjectFile, Registry, agent_named, known_agents};
