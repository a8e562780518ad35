//! How a conversation is begun: what is asked of the agent before it gets a prompt.

use serde_json::{Value, json};

use super::wire::{Answer, Choice, ConfigOption};
use crate::agent::AgentOptions;
use crate::agent::json::CheckedJson;
use crate::agent::lenient::{Text, object};
use crate::error::{Error, Result};

/// What an agent can do.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "it can do each of these or not, whatever the others")]
pub(super) struct Abilities {
    /// What people call it.
    pub(super) title: String,
    pub(super) version: Option<String>,
    pub(super) resumes: bool,
    pub(super) loads: bool,
    pub(super) takes_images: bool,
    pub(super) takes_system_prompt: bool,
    pub(super) ways_to_log_in: Vec<String>,
}

/// How a conversation is to be.
#[derive(Debug)]
pub(super) struct Wishes {
    cwd: String,
    pub(super) system_prompt: Option<String>,
    model: Option<String>,
    mode: Option<String>,
}

/// A request with which something is chosen.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) method: &'static str,
    pub(super) params: Value,
    /// What is chosen, for people.
    pub(super) what: String,
    /// The model, if that is what is chosen.
    pub(super) model: Option<String>,
}

impl Wishes {
    pub(super) fn of(options: &AgentOptions) -> Self {
        Self {
            cwd: options.cwd.to_string_lossy().into_owned(),
            system_prompt: options.system_prompt.clone(),
            model: options.model.clone(),
            mode: options.permission_mode.clone(),
        }
    }

    /// What the opening of a conversation says.
    pub(super) fn params(&self, session: Option<&str>, abilities: &Abilities) -> Value {
        let mut params = json!({ "cwd": self.cwd, "mcpServers": [] });
        match (session, &self.system_prompt) {
            (Some(session), _) => params["sessionId"] = session.into(),
            (None, Some(prompt)) if abilities.takes_system_prompt => {
                params["systemPrompt"] =
                    json!({ "mode": "append", "content": [{ "type": "text", "text": prompt }] });
            }
            (None, _) => {}
        }
        params
    }

    /// The requests that choose the model and the permission mode, where the conversation has them to choose from.
    pub(super) fn settings(&self, session: &str, opened: &Answer<'_>, agent: &str) -> Result<Vec<Setting>> {
        let models = opened.models.as_ref().and_then(|models| models.available);
        let offered = opened.modes.as_ref().and_then(|offered| offered.available);
        let wishes = [
            ("model", &self.model, models, "session/set_model", "modelId"),
            ("mode", &self.mode, offered, "session/set_mode", "modeId"),
        ];
        let mut settings = Vec::new();
        for (what, wish, available, method, key) in wishes {
            let Some(wish) = wish else { continue };
            let option = option_of(opened.config_options, what);
            let offered = option.as_ref().map_or(available, |option| option.options);
            let choices = choices(offered);
            let Some(id) = chosen(&choices, wish) else {
                return Err(not_offered(agent, what, wish, &choices));
            };
            let (method, params) = match option.and_then(|option| option.id) {
                Some(option) => (
                    "session/set_config_option",
                    json!({ "sessionId": session, "configId": option, "value": id }),
                ),
                None => (method, json!({ "sessionId": session, key: id })),
            };
            let model = (what == "model").then(|| id.to_owned());
            settings.push(Setting { method, params, what: format!("the {what} '{wish}'"), model });
        }
        Ok(settings)
    }
}

/// The model that a conversation has by itself.
pub(super) fn current_model(opened: &Answer<'_>) -> Option<String> {
    let option = option_of(opened.config_options, "model").and_then(|option| option.current);
    option.or_else(|| opened.models.as_ref()?.current.clone())
}

/// The permission mode that it has.
pub(super) fn current_mode(opened: &Answer<'_>) -> Option<String> {
    let option = option_of(opened.config_options, "mode").and_then(|option| option.current);
    option.or_else(|| opened.modes.as_ref()?.current.clone())
}

fn option_of<'de>(options: Option<CheckedJson<'de>>, what: &str) -> Option<ConfigOption<'de>> {
    let mut options = options?.items()?.filter_map(object::<ConfigOption<'_>>);
    options.find(|option| {
        let category = option.category.as_ref().map(Text::as_str);
        option.options.is_some() && category.or(option.id.as_deref()) == Some(what)
    })
}

/// What is offered: ids with names, those of groups included.
fn choices(offered: Option<CheckedJson<'_>>) -> Vec<(String, String)> {
    let choices = offered.and_then(CheckedJson::items).into_iter().flatten().filter_map(object::<Choice<'_>>);
    let flat = choices.flat_map(|choice| match choice.options.and_then(CheckedJson::items) {
        Some(group) => group.filter_map(object::<Choice<'_>>).collect(),
        None => vec![choice],
    });
    flat.filter_map(|choice| Some((choice.id?, choice.name.unwrap_or_default()))).collect()
}

fn chosen<'a>(choices: &'a [(String, String)], wish: &str) -> Option<&'a str> {
    let by_id = choices.iter().find(|(id, _)| id == wish);
    by_id.or_else(|| choices.iter().find(|(_, name)| name == wish)).map(|(id, _)| id.as_str())
}

fn not_offered(agent: &str, what: &str, wish: &str, choices: &[(String, String)]) -> Error {
    let known: Vec<&str> = choices.iter().map(|(id, _)| id.as_str()).collect();
    let known = match known.as_slice() {
        [] => format!("it lets nobody choose a {what}"),
        known => format!("it has {}", known.join(", ")),
    };
    Error::InvalidInput(format!("{agent} has no {what} '{wish}'; {known}").into())
}
