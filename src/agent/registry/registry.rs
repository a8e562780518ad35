//! The agents of a project: three layers, laid over each other.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::slice;
use std::sync::{Arc, LazyLock};

use serde::Serialize;

use super::consent::Consents;
use super::entry::{Entry, Way};
use super::file::{Layer, Source};
use super::registered::Registered;
use crate::agent::{Agent, AgentOptions};
use crate::error::{Error, Result};
use crate::history::open_private;
use crate::process::CommandSpec;

const EMBEDDED: &str = include_str!("agents.toml");
const FILE: &str = "agents.toml";

/// The longest file that is read, in bytes.
const FILE_LIMIT: u64 = 64 * 1024;

/// How many agents may extend each other in a row.
const LONGEST_CHAIN: usize = 8;

/// The agents that come with this package, or why they cannot be read.
static BUILT_IN: LazyLock<std::result::Result<Layer, String>> = LazyLock::new(|| {
    let source = Source { name: FILE, text: EMBEDDED, in_project: false };
    source.read().map_err(|error| error.to_string())
});

/// Where what is said of an agent comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// This package.
    BuiltIn,
    /// The user's file.
    User,
    /// The project's file.
    Project,
}

/// An agent as it is listed.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    /// What is known of it.
    #[serde(flatten)]
    pub entry: Entry,
    /// The last file that says something of it, or of what it is made of.
    pub origin: Origin,
    /// Whether it may be run: the project's file either says nothing of it or is allowed.
    pub allowed: bool,
}

/// The project's file, where there is one.
#[derive(Debug, Clone)]
pub struct ProjectFile {
    /// Where it is.
    pub path: PathBuf,
    /// What is in it.
    pub text: String,
    /// Whether the user has allowed it.
    pub allowed: bool,
}

/// A layer with the file that it is of.
#[derive(Debug)]
struct Laid {
    layer: Layer,
    origin: Origin,
    file: String,
}

/// The agents that there are.
#[derive(Debug)]
pub struct Registry {
    /// The user's and the project's, in this order; those that come with this package are below them.
    layers: Vec<Laid>,
    project_file: Option<ProjectFile>,
}

impl Registry {
    /// The agents that come with this package.
    pub fn built_in() -> Self {
        Self { layers: Vec::new(), project_file: None }
    }

    /// The agents of a project, with those in the user's folder `config`. `trusted`: the project's file needs no consent.
    pub fn of_project(project: &Path, config: Option<&Path>, trusted: bool) -> Result<Self> {
        let mut registry = Self::built_in();
        if let Some(path) = config.map(|folder| folder.join(FILE)) {
            // The user's own may be a link to where their configuration is kept.
            if let Some(text) = text_of(&path, File::open(&path))? {
                registry.lay(&path, &text, Origin::User)?;
            }
        }
        let path = project.join(".locus").join(FILE);
        let opened = match open_private(&path) {
            // A folder that is missing or forbidden is named by the engine, with its own code.
            Err(_) if !project.is_dir() => return Ok(registry),
            opened => opened,
        };
        if let Some(text) = text_of(&path, opened)? {
            registry.lay(&path, &text, Origin::Project)?;
            let allowed = trusted || Consents::new(config).allowed(&path)?.as_deref() == Some(&*text);
            registry.project_file = Some(ProjectFile { path, text, allowed });
        }
        // What extends nothing, or itself, is told when the file is read, not when the agent is asked for.
        registry.names().iter().try_for_each(|name| registry.entry(name, Origin::Project).map(drop))?;
        Ok(registry)
    }

    fn lay(&mut self, path: &Path, text: &str, origin: Origin) -> Result<()> {
        let file = path.to_string_lossy().into_owned();
        let source = Source { name: &file, text, in_project: origin == Origin::Project };
        self.layers.push(Laid { layer: source.read()?, origin, file });
        Ok(())
    }

    /// The project's file, where there is one.
    pub fn project_file(&self) -> Option<&ProjectFile> {
        self.project_file.as_ref()
    }

    /// The agent of this name. [`Error::AgentNotAllowed`] where the project's file has a say in it that is not allowed.
    pub fn agent(&self, name: &str) -> Result<Arc<dyn Agent>> {
        Ok(Arc::new(self.registered(name)?))
    }

    /// The program of this agent with other arguments than for a turn, to learn something of it; an error as for
    /// [`Registry::agent`].
    pub fn inspection(&self, name: &str, options: &AgentOptions, args: &[&str]) -> Result<CommandSpec> {
        Ok(self.registered(name)?.inspection(options, args))
    }

    fn registered(&self, name: &str) -> Result<Registered> {
        let Some((entry, _)) = self.entry(name, Origin::Project)? else {
            return Err(Error::UnknownProvider { name: name.to_owned(), known: self.names() });
        };
        if let Some(file) = &self.project_file
            && !self.is_allowed(&entry)?
        {
            return Err(Error::AgentNotAllowed { name: name.to_owned(), path: file.path.clone() });
        }
        Registered::of(entry).ok_or(Error::Internal("an entry was read whose dialect is none".into()))
    }

    /// All agents, by their names.
    pub fn list(&self) -> Result<Vec<Listed>> {
        let mut list = Vec::new();
        for name in self.names() {
            if let Some((entry, origin)) = self.entry(&name, Origin::Project)? {
                list.push(Listed { allowed: self.is_allowed(&entry)?, entry, origin });
            }
        }
        Ok(list)
    }

    /// Whether an entry may be run: it is what it would be without the project's file, or that is allowed.
    fn is_allowed(&self, entry: &Entry) -> Result<bool> {
        if self.project_file.as_ref().is_none_or(|file| file.allowed) {
            return Ok(true);
        }
        let below = self.entry(&entry.name, Origin::User)?;
        Ok(below.is_some_and(|(below, _)| below == *entry))
    }

    fn names(&self) -> Vec<String> {
        let built_in = BUILT_IN.iter().flat_map(Layer::keys);
        let mut names: Vec<String> =
            built_in.chain(self.layers.iter().flat_map(|laid| laid.layer.keys())).cloned().collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// What the layers up to `top` say of an agent, and the last that says something.
    fn entry(&self, name: &str, top: Origin) -> Result<Option<(Entry, Origin)>> {
        let Some((mut entry, mut origin)) = self.resolve(name, top, &mut Vec::new())? else {
            return Ok(None);
        };
        let mut path = vec![name.to_owned()];
        let mut next = entry.otherwise.clone();
        while let Some(other) = next {
            let is_circle = path.contains(&other);
            path.push(other);
            let [.., from, other] = path.as_slice() else { break };
            if is_circle {
                let circle = path.join(" → ");
                let problem =
                    format!("it leads back to itself ({circle}); end it with another agent, or none");
                return Err(self.bad_otherwise(&path, top, &problem));
            }
            let Some((way, way_origin)) = self.resolve(other, top, &mut Vec::new())? else {
                let names = self.names().join(", ");
                let problem = format!("there is no agent '{other}'; there are {names}");
                return Err(self.bad_otherwise(slice::from_ref(from), top, &problem));
            };
            let Entry { dialect, args, capabilities, otherwise, .. } = way;
            entry.ways.push(Way { dialect, args, capabilities });
            origin = origin.max(way_origin);
            next = otherwise;
        }
        Ok(Some((entry, origin)))
    }

    /// An error about the last `otherwise` that a file says of one of these agents, or of one that it extends.
    fn bad_otherwise(&self, agents: &[String], top: Origin, problem: &str) -> Error {
        let mut names: Vec<&str> = agents.iter().map(String::as_str).collect();
        while let Some(name) = names.pop() {
            for laid in self.layers.iter().rev().filter(|laid| laid.origin <= top) {
                let Some(change) = laid.layer.get(name) else { continue };
                if change.otherwise.is_some() {
                    let source = Source { name: &laid.file, text: "", in_project: false };
                    return source.bad_at(Some(change.line), &format!("agents.{name}.otherwise"), problem);
                }
                names.extend(change.extends.as_deref());
            }
        }
        Error::Internal(problem.to_owned().into())
    }

    /// What the layers up to `top` say of an agent, but for what its other ways come to; `path` is what led here, each
    /// extending the next.
    fn resolve<'a>(
        &'a self,
        name: &'a str,
        top: Origin,
        path: &mut Vec<&'a str>,
    ) -> Result<Option<(Entry, Origin)>> {
        let built_in = BUILT_IN.as_ref().map_err(|defect| Error::Internal(defect.clone().into()))?;
        let mut found = built_in.get(name).map(|change| {
            let mut entry =
                Entry { name: name.to_owned(), version: vec!["--version".into()], ..Entry::default() };
            change.apply_to(&mut entry);
            (entry, Origin::BuiltIn)
        });
        for Laid { layer, origin, file } in self.layers.iter().filter(|laid| laid.origin <= top) {
            let Some(change) = layer.get(name) else { continue };
            let bad = |key: &str, problem: &str| {
                let source = Source { name: file, text: "", in_project: false };
                Err(source.bad_at(Some(change.line), &format!("agents.{name}{key}"), problem))
            };
            if let Some(base) = &change.extends {
                path.push(name);
                if path.contains(&base.as_str()) {
                    let circle = [path.as_slice(), &[base]].concat().join(" → ");
                    return bad(
                        ".extends",
                        &format!("it leads back to itself ({circle}); extend another agent"),
                    );
                }
                if path.len() > LONGEST_CHAIN {
                    return bad(
                        ".extends",
                        &format!("more than {LONGEST_CHAIN} agents extend each other; make it shorter"),
                    );
                }
                let Some((entry, base_origin)) = self.resolve(base, top, path)? else {
                    let names = self.names().join(", ");
                    return bad(".extends", &format!("there is no agent '{base}'; there are {names}"));
                };
                path.pop();
                found = Some((Entry { name: name.to_owned(), ..entry }, base_origin));
            }
            let (mut entry, below) = match found {
                Some(found) => found,
                None if change.dialect.is_some() => {
                    let programs = vec![name.to_owned()];
                    let version = vec!["--version".to_owned()];
                    (Entry { name: name.to_owned(), programs, version, ..Entry::default() }, *origin)
                }
                None => return bad("", "a new agent needs a `dialect`, or another agent that it `extends`"),
            };
            change.apply_to(&mut entry);
            found = Some((entry, below.max(*origin)));
        }
        Ok(found)
    }
}

/// The agent of this name, of those that come with this package.
pub fn agent_named(name: &str) -> Result<Arc<dyn Agent>> {
    Registry::built_in().agent(name)
}

/// All agents that come with this package, the most used first.
pub fn known_agents() -> Result<Vec<Arc<dyn Agent>>> {
    const MOST_USED: &str = "claude";
    let registry = Registry::built_in();
    let mut names = registry.names();
    names.sort_by_key(|name| name != MOST_USED);
    names.iter().map(|name| registry.agent(name)).collect()
}

/// Whether a file could not be opened because there is none, as far as one may look.
pub(super) fn is_missing(error: &io::Error, path: &Path) -> bool {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => true,
        // Its folder cannot be entered: the home is somebody else's.
        io::ErrorKind::PermissionDenied => path.symlink_metadata().is_err(),
        _ => false,
    }
}

/// The text of a file of agents, if there is one.
fn text_of(path: &Path, opened: io::Result<File>) -> Result<Option<String>> {
    let unusable = |problem: &str| {
        let name = path.to_string_lossy();
        Source { name: &name, text: "", in_project: false }.bad_at(None, "", problem)
    };
    let unreadable = |error: io::Error| unusable(&format!("{error}; make it readable, or remove it"));
    let file = match opened {
        Ok(file) => file,
        Err(error) if is_missing(&error, path) => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    let mut text = String::new();
    file.take(FILE_LIMIT + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > FILE_LIMIT {
        return Err(unusable(&format!("such a file has at most {FILE_LIMIT} bytes; make it shorter")));
    }
    Ok(Some(text))
}
