//! A file of agents: TOML, read strictly. What cannot be used is named by file, line and key, with what to do about it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::entry::{Change, Model};
use super::registered::dialects;
use crate::error::{Error, Result};

/// What one file says, by the agents' names.
pub(super) type Layer = BTreeMap<String, Change>;

const KEYS: &[&str] = &[
    "extends",
    "dialect",
    "programs",
    "args",
    "wrapper",
    "env",
    "model",
    "models",
    "capabilities",
    "install",
    "login",
    "version",
    "status",
    "status-since",
    "keys",
    "otherwise",
];

const MODEL_KEYS: &[&str] = &["id", "context"];

/// The longest name of an agent.
const NAME_LIMIT: usize = 32;

/// Whether a text can be the name of an agent.
fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=NAME_LIMIT).contains(&name.len()) && name.bytes().all(fits)
}

/// A file being read.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) name: &'a str,
    pub(super) text: &'a str,
    /// The user's own file belongs to no project: a path in it that is relative would lead into any.
    pub(super) in_project: bool,
}

impl<'a> Source<'a> {
    /// What the file says.
    pub(super) fn read(self) -> Result<Layer> {
        let document = DeTable::parse(self.text)
            .map_err(|error| self.bad(error.span(), "", &format!("it is no TOML: {}", error.message())))?;
        let mut layer = Layer::new();
        for (key, value) in document.get_ref() {
            if key.get_ref() != "agents" {
                return Err(self.unknown(key, key.get_ref(), &["agents"]));
            }
            for (name, value) in self.table("agents", value)? {
                let key = format!("agents.{}", name.get_ref());
                if !is_name(name.get_ref()) {
                    return Err(self.bad(
                        Some(name.span()),
                        &key,
                        &format!("a name has 1 to {NAME_LIMIT} of the characters a-z, 0-9 and -"),
                    ));
                }
                let change = Change { line: self.line(name.span().start), ..self.change(&key, value)? };
                layer.insert(name.get_ref().to_string(), change);
            }
        }
        Ok(layer)
    }

    fn change(self, path: &str, value: &Spanned<DeValue<'a>>) -> Result<Change> {
        let mut change = Change::default();
        for (key, value) in self.table(path, value)? {
            let path = format!("{path}.{}", key.get_ref());
            match &**key.get_ref() {
                "extends" => change.extends = Some(self.text(&path, value)?),
                "dialect" => change.dialect = Some(self.dialect(&path, value)?),
                "programs" => change.programs = Some(self.programs(&path, value)?),
                "args" => change.args = Some(self.texts(&path, value)?),
                "wrapper" => change.wrapper = Some(self.texts(&path, value)?),
                "env" => change.env = self.env(&path, value)?,
                "model" => change.model = Some(self.text(&path, value)?),
                "models" => change.models = Some(self.models(&path, value)?),
                "capabilities" => change.capabilities = Some(self.texts(&path, value)?),
                "install" => change.install = Some(self.text(&path, value)?),
                "login" => change.login = Some(self.text(&path, value)?),
                "version" => change.version = Some(self.texts(&path, value)?),
                "status" => change.status = Some(self.texts(&path, value)?),
                "status-since" => change.status_since = Some(self.text(&path, value)?),
                "keys" => change.keys = Some(self.texts(&path, value)?),
                "otherwise" => change.otherwise = Some(self.text(&path, value)?),
                _ => return Err(self.unknown(key, &path, KEYS)),
            }
        }
        Ok(change)
    }

    #[inline(never)]
    fn dialect(self, path: &str, value: &Spanned<DeValue<'a>>) -> Result<String> {
        let name = self.text(path, value)?;
        let known = dialects();
        if known.contains(&name.as_str()) {
            return Ok(name);
        }
        let near = did_you_mean(&name, &known);
        let problem = format!("there is no dialect '{name}'{near}; there are {}", known.join(", "));
        Err(self.bad(Some(value.span()), path, &problem))
    }

    #[inline(never)]
    fn programs(self, path: &str, value: &Spanned<DeValue<'a>>) -> Result<Vec<String>> {
        let programs = self.texts(path, value)?;
        let is_bad = |program: &&String| {
            let is_path = Path::new(program).components().count() > 1;
            !self.in_project && is_path && !Path::new(program).is_absolute()
        };
        match programs.iter().find(is_bad) {
            Some(program) => Err(self.bad(
                Some(value.span()),
                path,
                &format!(
                    "'{program}' would be another file in every project; give a name or an absolute path"
                ),
            )),
            None => Ok(programs),
        }
    }

    #[inline(never)]
    fn env(self, path: &str, value: &Spanned<DeValue<'a>>) -> Result<BTreeMap<String, Option<String>>> {
        let mut env = BTreeMap::new();
        for (key, value) in self.table(path, value)? {
            let name = key.get_ref().to_string();
            let path = format!("{path}.{name}");
            if name.is_empty() || name.contains(['=', '\0']) {
                return Err(self.bad(Some(key.span()), &path, "no variable can have this name"));
            }
            let value = match value.get_ref() {
                DeValue::Boolean(false) => None,
                DeValue::String(text) if !text.contains('\0') => Some(text.to_string()),
                _ => {
                    let wanted = "it must be a text, or false to remove the variable";
                    return Err(self.bad(Some(value.span()), &path, wanted));
                }
            };
            env.insert(name, value);
        }
        Ok(env)
    }

    #[inline(never)]
    fn models(self, path: &str, value: &Spanned<DeValue<'a>>) -> Result<Vec<Model>> {
        let Some(list) = value.get_ref().as_array() else {
            return Err(self.bad(Some(value.span()), path, "it must be a list of models"));
        };
        list.iter().map(|value| self.model(path, value)).collect()
    }

    fn model(self, path: &str, value: &Spanned<DeValue<'a>>) -> Result<Model> {
        let bad = |problem| Err(self.bad(Some(value.span()), path, problem));
        let Some(model) = value.get_ref().as_table() else {
            return match value.get_ref().as_str() {
                Some(id) if !id.is_empty() => Ok(Model { id: id.to_owned(), context_tokens: None }),
                _ => bad("each model must be a text, or a table with `id` and `context`"),
            };
        };
        if let Some((key, _)) = model.iter().find(|(key, _)| !MODEL_KEYS.contains(&&**key.get_ref())) {
            return Err(self.unknown(key, &format!("{path}.{}", key.get_ref()), MODEL_KEYS));
        }
        let Some(id) = model.get("id").and_then(|id| id.get_ref().as_str()).filter(|id| !id.is_empty())
        else {
            return bad("a model needs an `id`, a text");
        };
        let tokens = |value: &DeValue<'_>| {
            let number = value.as_integer()?;
            u64::from_str_radix(number.as_str(), number.radix()).ok().filter(|tokens| *tokens > 0)
        };
        let context_tokens = match model.get("context") {
            None => None,
            Some(value) => match tokens(value.get_ref()) {
                Some(tokens) => Some(tokens),
                None => return bad("`context` must be a whole number of tokens above 0"),
            },
        };
        Ok(Model { id: id.to_owned(), context_tokens })
    }

    #[inline(never)]
    fn table<'v>(self, path: &str, value: &'v Spanned<DeValue<'a>>) -> Result<&'v DeTable<'a>> {
        value
            .get_ref()
            .as_table()
            .ok_or_else(|| self.bad(Some(value.span()), path, &format!("it must be a table: [{path}]")))
    }

    #[inline(never)]
    fn texts(self, path: &str, value: &Spanned<DeValue<'a>>) -> Result<Vec<String>> {
        let list = value.get_ref().as_array();
        let texts = list.and_then(|list| {
            let text = |value: &Spanned<DeValue<'_>>| value.get_ref().as_str().map(ToOwned::to_owned);
            list.iter().map(text).collect::<Option<Vec<_>>>()
        });
        let texts = texts.filter(|texts| texts.iter().all(|text| !text.is_empty() && !text.contains('\0')));
        texts.ok_or_else(|| {
            self.bad(Some(value.span()), path, "it must be a list of texts that are not empty")
        })
    }

    #[inline(never)]
    fn text(self, path: &str, value: &Spanned<DeValue<'a>>) -> Result<String> {
        match value.get_ref().as_str() {
            Some(text) if !text.is_empty() && !text.contains('\0') => Ok(text.to_owned()),
            _ => Err(self.bad(Some(value.span()), path, "it must be a text that is not empty")),
        }
    }

    #[inline(never)]
    fn unknown(self, key: &Spanned<DeString<'a>>, path: &str, known: &[&str]) -> Error {
        let near = did_you_mean(key.get_ref(), known);
        self.bad(Some(key.span()), path, &format!("it is not known{near}; there are {}", known.join(", ")))
    }

    fn bad(self, span: Option<Range<usize>>, path: &str, problem: &str) -> Error {
        self.bad_at(span.map(|span| self.line(span.start)), path, problem)
    }

    /// An error about a place in the file.
    #[inline(never)]
    pub(super) fn bad_at(self, line: Option<usize>, path: &str, problem: &str) -> Error {
        let line = line.map(|line| format!(", line {line}")).unwrap_or_default();
        let key = if path.is_empty() { String::new() } else { format!(" `{path}`:") };
        Error::InvalidInput(
            format!("the agents in '{}'{line} cannot be used:{key} {problem}", self.name).into(),
        )
    }

    fn line(self, offset: usize) -> usize {
        1 + self.text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
    }
}

/// The known word that was probably meant, as a question.
fn did_you_mean(word: &str, known: &[&str]) -> String {
    let distance = |name: &str| strsim::osa_distance(word, name);
    let nearest = known.iter().min_by_key(|name| distance(name));
    match nearest {
        Some(name) if distance(name) <= 1.max(name.len() / 3) => format!(" (did you mean `{name}`?)"),
        _ => String::new(),
    }
}
