//! Between the shapes of JavaScript and those of the engine.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use locus_exec::Error;
use locus_exec::agent::registry::{Registry, config_folder};
use locus_exec::agent::{Agent, AgentOptions, ImageSource, PermissionPolicy};
use locus_exec::history::{Redactor, Store};
use locus_exec::log::{LevelFilter, Log};
use locus_exec::run::{
    AfterChanges, Budget, CancelTimes, RecordOptions, RetryContext, RetryPolicy, SessionOptions, Timeouts,
    TurnOptions,
};
use locus_exec::usage::Usage;
use napi::bindgen_prelude::Buffer;
use napi_derive::napi;

/// How a session is to be run; what the fields mean is documented on `SessionOptions` in `ts/options.ts`.
#[napi(object)]

pub struct NativeSessionOptions {
    pub provider: String,
    pub project_path: String,
    /// The `locus-runner` executable.
    pub runner: String,
    pub model: Option<String>,
    pub executable: Option<String>,
    pub agent_command: Option<String>,
    pub wrapper: Option<Vec<String>>,
    pub extra_args: Option<Vec<String>>,
    #[napi(ts_type = "Record<string, string | null>")]
    pub env: Option<HashMap<String, Option<String>>>,
    pub permission_mode: Option<String>,
    pub allowed_tools: Option<Vec<String>>,
    pub denied_tools: Option<Vec<String>>,
    /// Whether every question for permission is answered with allow.
    pub allow_all: bool,
    pub system_prompt: Option<String>,
    pub flush_ms: Option<u32>,
    /// Has what is said and thought come as lines of protocol 1 with this session id; see `takeLines`.
    pub json_lines: Option<String>,
    pub settle_ms: Option<u32>,
    pub grace_ms: Option<u32>,
    pub linger_ms: Option<u32>,
    pub line_limit: Option<u32>,
    /// The agent's own id of the conversation to resume.
    pub resume: Option<String>,
    pub record: Option<NativeRecordOptions>,
    /// What of a session that is written down is logged: `off`, `error`, `warn`, `info`, `debug` or `trace`.
    pub log: Option<String>,
    /// What the whole conversation may use.
    pub budget: Option<NativeBudget>,
    /// What the conversation has used before: `Usage` as JSON.
    pub spent: Option<String>,
    /// Whether the project's file of agents needs no consent.
    pub trust_project: Option<bool>,
}

/// The agent of a session, from the registry of its project.
pub(crate) fn agent_of(options: &NativeSessionOptions) -> napi::Result<Arc<dyn Agent>> {
    let trusted = options.trust_project.unwrap_or(false);
    let project = Path::new(&options.project_path);
    Registry::of_project(project, config_folder().as_deref(), trusted)
        .and_then(|registry| registry.agent(&options.provider))
        .map_err(to_napi)
}

/// What may be used; an absent limit is none. Counts are whole and not negative.
#[napi(object)]
#[derive(Default, Clone, Copy)]
pub struct NativeBudget {
    pub cost_usd: Option<f64>,
    pub tokens: Option<f64>,
    pub turns: Option<f64>,
}

impl From<NativeBudget> for Budget {
    fn from(budget: NativeBudget) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole numbers up to 2^53; the cast saturates"
        )]
        let count = |number: f64| number as u64;
        Self { cost_usd: budget.cost_usd, tokens: budget.tokens.map(count), turns: budget.turns.map(count) }
    }
}

/// Where a session is written down.
#[napi(object)]
pub struct NativeRecordOptions {
    pub session_id: String,
    /// Whether the session is there already, to be gone on with.
    pub stored: bool,
    /// The folder of the files, where it is not `.locus/exec-history`; relative to the project.
    pub history_dir: Option<String>,
}

/// An image of a prompt: a file, or its bytes.
#[napi(object)]
pub struct NativeImage {
    pub name: String,
    pub path: Option<String>,
    pub data: Option<Buffer>,
    pub media_type: Option<String>,
}

impl From<NativeImage> for ImageSource {
    fn from(image: NativeImage) -> Self {
        let NativeImage { name, path, data, media_type } = image;
        match path {
            Some(path) => Self::File { path: path.into(), name },
            None => Self::Bytes {
                data: data.map(Into::into).unwrap_or_default(),
                media_type: media_type.unwrap_or_default(),
                name,
            },
        }
    }
}

/// One turn.
#[napi(object)]
pub struct NativeTurnOptions {
    pub prompt: String,
    pub images: Option<Vec<NativeImage>>,
    pub run_id: String,
    /// Whether somebody is there to be asked for permission.
    pub can_ask: bool,
    pub start_ms: Option<u32>,
    pub idle_ms: Option<u32>,
    pub total_ms: Option<u32>,
    /// What the turn may use.
    pub budget: Option<NativeBudget>,
    /// The prompt with the conversation so far in it, for an agent that cannot resume it by itself.
    pub retold: Option<String>,
    pub retry: Option<NativeRetryPolicy>,
    /// What the agent is to know of earlier attempts, a `RetryContext` as JSON.
    pub retry_context: Option<String>,
}

/// What the fields mean is documented on `RetryPolicy` in `ts/retry.ts`.
#[napi(object)]
pub struct NativeRetryPolicy {
    pub tries: Option<u32>,
    pub delay_ms: Option<u32>,
    pub factor: Option<f64>,
    pub max_delay_ms: Option<u32>,
    pub jitter: Option<bool>,
    pub max_wait_ms: Option<u32>,
    pub max_total_ms: Option<u32>,
    /// Whether the turn fails instead of going on where the agent has changed something.
    pub ask_after_changes: Option<bool>,
}

impl From<NativeRetryPolicy> for RetryPolicy {
    fn from(policy: NativeRetryPolicy) -> Self {
        let defaults = Self::default();
        let ask = policy.ask_after_changes.unwrap_or(defaults.after_changes == AfterChanges::Ask);
        Self {
            tries: policy.tries.unwrap_or(defaults.tries),
            delay: duration(policy.delay_ms, defaults.delay),
            factor: policy.factor.unwrap_or(defaults.factor),
            max_delay: duration(policy.max_delay_ms, defaults.max_delay),
            jitter: policy.jitter.unwrap_or(defaults.jitter),
            max_wait: duration(policy.max_wait_ms, defaults.max_wait),
            max_total: duration(policy.max_total_ms, defaults.max_total),
            after_changes: if ask { AfterChanges::Ask } else { AfterChanges::Continue },
        }
    }
}

impl TryFrom<NativeTurnOptions> for TurnOptions {
    type Error = Error;

    fn try_from(options: NativeTurnOptions) -> Result<Self, Error> {
        let defaults = Timeouts::default();
        let context = options.retry_context.as_deref().map(serde_json::from_str::<RetryContext>).transpose();
        let context = context
            .map_err(|error| Error::InvalidInput(format!("option 'retryContext' is none: {error}").into()))?;
        Ok(Self {
            prompt: options.prompt,
            images: options.images.into_iter().flatten().map(Into::into).collect(),
            run_id: options.run_id,
            can_ask: options.can_ask,
            retold: options.retold,
            budget: options.budget.unwrap_or_default().into(),
            timeouts: Timeouts {
                start: duration(options.start_ms, defaults.start),
                idle: duration(options.idle_ms, defaults.idle),
                total: duration(options.total_ms, defaults.total),
            },
            retry: options.retry.map_or_else(RetryPolicy::default, Into::into),
            context: context.unwrap_or_default(),
        })
    }
}

pub(crate) fn duration(milliseconds: Option<u32>, default: Duration) -> Duration {
    milliseconds.map_or(default, |ms| Duration::from_millis(ms.into()))
}

impl TryFrom<NativeSessionOptions> for SessionOptions {
    type Error = napi::Error;

    fn try_from(options: NativeSessionOptions) -> napi::Result<Self> {
        let os = |list: Option<Vec<String>>| list.unwrap_or_default().into_iter().map(Into::into).collect();
        let defaults = Self::default();
        let level = level_of(options.log.as_deref()).map_err(to_napi)?;
        let record = options.record.as_ref().map(|record| record_of(record, &options));
        let log = record.as_ref().filter(|_| level != LevelFilter::OFF).map(|record| {
            let folder = options.record.as_ref().and_then(|record| record.history_dir.as_deref());
            let redactor = record.store.redactor().clone();
            Log::of_project(Path::new(&options.project_path), folder.map(Path::new), level, redactor)
        });
        let spent = options.spent.as_deref().map_or(Ok(Usage::default()), serde_json::from_str);
        let spent = spent.map_err(|error| {
            to_napi(Error::Internal(format!("what was spent is no usage: {error}").into()))
        })?;
        Ok(Self {
            log,
            record,
            budget: options.budget.unwrap_or_default().into(),
            spent,
            agent: AgentOptions {
                cwd: options.project_path.into(),
                model: options.model,
                executable: options.executable.map(Into::into),
                agent_command: options.agent_command,
                wrapper: os(options.wrapper),
                extra_args: os(options.extra_args),
                env: options
                    .env
                    .into_iter()
                    .flatten()
                    .map(|(name, value)| (name.into(), value.map(Into::into)))
                    .collect(),
                permission_mode: options.permission_mode,
                permissions: PermissionPolicy {
                    allow_all: options.allow_all,
                    allowed: options.allowed_tools.unwrap_or_default(),
                    denied: options.denied_tools.unwrap_or_default(),
                    can_ask: false,
                },
                system_prompt: options.system_prompt,
                resume: options.resume,
                max_cost_usd: None,
                max_turns: None,
                runner: options.runner.into(),
            },
            json_lines: options.json_lines,
            flush_window: options.flush_ms.map(|ms| Duration::from_millis(ms.into())),
            cancel: CancelTimes {
                settle: duration(options.settle_ms, defaults.cancel.settle),
                grace: duration(options.grace_ms, defaults.cancel.grace),
            },
            disk: defaults.disk,
            linger: duration(options.linger_ms, defaults.linger),
            line_limit: options.line_limit.map_or(defaults.line_limit, |bytes| bytes as usize),
        })
    }
}

fn level_of(name: Option<&str>) -> Result<LevelFilter, Error> {
    let Some(name) = name else { return Ok(LevelFilter::INFO) };
    name.parse().map_err(|_| {
        let known = "off, error, warn, info, debug and trace";
        Error::InvalidInput(format!("there is no level of logs '{name}'; there are {known}").into())
    })
}

fn record_of(record: &NativeRecordOptions, options: &NativeSessionOptions) -> RecordOptions {
    let given = options.env.iter().flatten().filter_map(|(name, value)| Some((name.clone(), value.clone()?)));
    let folder = record.history_dir.as_deref().map(Path::new);
    let redactor = Redactor::from_env(variables().chain(given));
    RecordOptions {
        store: Arc::new(Store::of_project(Path::new(&options.project_path), folder, redactor)),
        session_id: record.session_id.clone(),
        stored: record.stored,
    }
}

/// The environment, as far as it is text: what is no text holds no secret that could get into one.
pub(crate) fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// An error of the engine as one that N-API can carry: its report as JSON in the message.
pub(crate) fn to_napi(error: Error) -> napi::Error {
    let report = error.report();
    let json = serde_json::to_string(&report).unwrap_or(report.error);
    napi::Error::from_reason(json)
}
