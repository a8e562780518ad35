//! What can be learned of an agent without a turn, across the border.

use std::path::Path;
use std::time::Duration;

use locus_exec::agent::AgentOptions;
use locus_exec::agent::registry::{Registry, config_folder};
use locus_exec::process::{Probed, Supervision, probe};
use locus_exec::usage::PriceTable;
use locus_exec::{Error, Result};
use napi_derive::napi;
use serde_json::json;

use crate::convert::to_napi;

/// How long what is left of a program may take to end.
const GRACE: Duration = Duration::from_millis(500);

/// Whom a question is about.
#[napi(object)]
pub struct NativeProbeOptions {
    /// The agent.
    pub provider: String,
    /// Where it is run.
    pub project_path: String,
    /// The `locus-runner` executable.
    pub runner: String,
    /// Its executable in place of the registry's.
    pub executable: Option<String>,
    /// Whether the project's file of agents needs no consent.
    pub trust_project: bool,
    /// When the program is ended.
    pub limit_ms: u32,
}

impl NativeProbeOptions {
    fn registry(&self) -> Result<Registry> {
        Registry::of_project(Path::new(&self.project_path), config_folder().as_deref(), self.trust_project)
    }

    fn agent(&self) -> AgentOptions {
        AgentOptions {
            cwd: self.project_path.clone().into(),
            runner: self.runner.clone().into(),
            executable: self.executable.clone().map(Into::into),
            ..AgentOptions::default()
        }
    }

    fn supervision(&self) -> Supervision {
        Supervision { runner: self.runner.clone().into(), grace: GRACE }
    }

    fn limit(&self) -> Duration {
        Duration::from_millis(self.limit_ms.into())
    }

    async fn run(&self, args: &[String]) -> Result<String> {
        let registry = self.registry()?;
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let spec = registry.inspection(&self.provider, &self.agent(), &args)?;
        let hint = registry.agent(&self.provider)?;
        let hint = hint.install_hint();
        let Probed { program, exit, stdout, stderr_tail } =
            probe(&spec, &self.supervision(), hint, Vec::new(), None, self.limit()).await?;
        let report = json!({
            "program": program,
            "exitCode": exit.and_then(|exit| exit.code),
            "signal": exit.and_then(|exit| exit.signal),
            "timedOut": exit.is_none(),
            "stdout": stdout,
            "stderr": stderr_tail,
        });
        Ok(report.to_string())
    }

    async fn models(&self) -> Result<Option<String>> {
        let registry = self.registry()?;
        let agent = registry.agent(&self.provider)?;
        let Some(query) = agent.model_query() else { return Ok(None) };
        let spec = registry.inspection(&self.provider, &self.agent(), query.args)?;
        let is_enough = move |output: &[u8]| (query.read)(output).is_some();
        let hint = agent.install_hint();
        let probed =
            probe(&spec, &self.supervision(), hint, query.input, Some(&is_enough), self.limit()).await?;
        (query.read)(probed.stdout.as_bytes()).map(|models| to_json(&models)).transpose()
    }
}

/// Runs an agent's program with these arguments and closed stdin: what it wrote and how it ended, as JSON.
#[napi]
pub async fn probe_agent(options: NativeProbeOptions, args: Vec<String>) -> napi::Result<String> {
    options.run(&args).await.map_err(to_napi)
}

/// The models that an agent itself says it has, as JSON; null where it does not tell.
#[napi]
pub async fn offered_models(options: NativeProbeOptions) -> napi::Result<Option<String>> {
    options.models().await.map_err(to_napi)
}

/// The prices of a project by the ids and aliases of models, as JSON.
#[napi]
pub fn prices(project_path: String) -> napi::Result<String> {
    let prices = || {
        let table = PriceTable::of_project(Path::new(&project_path))?;
        to_json(&table.models().collect::<std::collections::BTreeMap<_, _>>())
    };
    prices().map_err(to_napi)
}

fn to_json(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::Internal(error.to_string().into()))
}
