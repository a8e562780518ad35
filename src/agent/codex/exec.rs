//! Codex by `codex exec --json`, for versions without `app-server`: a process for every turn, which is given its prompt
//! on stdin and says each thing when it is complete. It asks nothing, so nothing is allowed that would have to be asked.

use std::collections::HashMap;
use std::ffi::OsString;

use serde_json::json;

use super::failure::agent_error;
use super::items::Items;
use super::launch::{READ_ONLY_TOOLS, codex};
use super::policy::Policy;
use super::wire::ExecLine;
use crate::agent::json::CheckedJson;
use crate::agent::lenient::{object, text};
use crate::agent::line::{read_objects, status, unparsed};
use crate::agent::{Agent, AgentOptions, Dialect, Signal, Sink, TurnEnd};
use crate::error::{ErrorKind, Result, Symptoms};
use crate::process::CommandSpec;
use crate::stream::json_of;
use crate::usage::{Meter, Usage};

/// Codex, a process for every turn.
#[derive(Debug)]
pub(super) struct CodexExec;

impl Agent for CodexExec {
    fn name(&self) -> &'static str {
        "codex"
    }

    fn command(&self, options: &AgentOptions) -> Result<CommandSpec> {
        let policy = Policy::of(options)?;
        let permissions = &options.permissions;
        let must_ask = policy.approval == "untrusted" && !permissions.allow_all;
        let keeps_files = permissions.denied.iter().any(|tool| tool == "file_change");
        let sandbox = if must_ask || keeps_files { "read-only" } else { policy.sandbox };
        let mut args: Vec<OsString> =
            ["exec", "--json", "--skip-git-repo-check", "--sandbox", sandbox].map(Into::into).into();
        if let Some(model) = &options.model {
            args.push(format!("--model={model}").into());
        }
        let instructions = options.system_prompt.as_deref().map(Into::into);
        let config = policy.config.into_iter();
        let config = config.chain(instructions.map(|prompt| ("developer_instructions".to_owned(), prompt)));
        // What JSON writes down of these, TOML reads.
        args.extend(config.map(|(key, value)| format!("--config={key}={value}").into()));
        args.extend(options.extra_args.iter().cloned());
        if let Some(thread) = &options.resume {
            args.extend(["resume".into(), thread.into()]);
        }
        args.push("-".into());
        Ok(codex(options, args))
    }

    fn is_held_open(&self) -> bool {
        false
    }

    fn images_hint(&self) -> &'static str {
        "this version of codex has no `app-server`; update it"
    }

    fn is_read_only(&self, tool: &str) -> bool {
        READ_ONLY_TOOLS.contains(&tool)
    }

    fn dialect(&self, options: &AgentOptions) -> Result<Box<dyn Dialect>> {
        Ok(Box::new(Exec { resumed: options.resume.clone(), ..Exec::default() }))
    }
}

/// What the processes of `codex exec --json` of one session speak, one after the other.
#[derive(Debug, Default)]
struct Exec {
    thread: Option<String>,
    /// The thread that was there before the first process.
    resumed: Option<String>,
    items: Items,
    threads: HashMap<String, Meter>,
    retries: u32,
}

impl Dialect for Exec {
    fn start_turn(&mut self, prompt: &str) -> Vec<u8> {
        self.items.turn_begins();
        self.retries = 0;
        prompt.as_bytes().to_vec()
    }

    fn decode(&mut self, line: &[u8], now: u64, sink: &mut dyn Sink) {
        read_objects(line, sink, |json, sink| self.line(json, now, sink));
    }
}

impl Exec {
    fn line(&mut self, json: CheckedJson<'_>, now: u64, sink: &mut dyn Sink) {
        let line: ExecLine<'_> = object(json).unwrap_or_default();
        let item = line.item.as_ref();
        match (text(line.kind.as_ref()), item) {
            ("thread.started", _) => {
                self.thread.clone_from(&line.thread_id);
                sink.signal(Signal::Ready { agent_session_id: line.thread_id });
            }
            ("turn.started", _) => {}
            ("item.started" | "item.updated", Some(item)) => self.items.started(item, None, now, sink),
            ("item.completed", Some(item)) => self.items.completed(item, None, now, sink),
            ("turn.completed", _) => {
                let usage = self.used(line.usage.map(|tokens| tokens.usage()));
                self.turn_ended(usage, None, sink);
            }
            ("turn.failed", _) => {
                let message = line.error.and_then(|error| error.message).unwrap_or_default();
                self.turn_ended(Usage::default(), Some(message), sink);
            }
            // Codex goes on after it; only `turn.failed` is the end.
            ("error", _) => self.attempt_failed(text(line.message.as_ref()), sink),
            (kind, _) => unparsed(json.as_str(), &format!("unknown type '{kind}'"), sink),
        }
    }

    /// What the turn used, out of the thread's total. Nothing is known of the first turn after a thread of another
    /// session was resumed: the total tells of all turns before, too.
    fn used(&mut self, total: Option<Usage>) -> Usage {
        let (Some(total), Some(thread)) = (total, &self.thread) else { return Usage::default() };
        if !self.threads.contains_key(thread) && self.resumed.as_ref() == Some(thread) {
            self.threads.insert(thread.clone(), total.into());
            return Usage::default();
        }
        self.threads.entry(thread.clone()).or_default().since(total).unwrap_or_default()
    }

    fn attempt_failed(&mut self, message: &str, sink: &mut dyn Sink) {
        if !message.starts_with("Reconnecting") {
            return;
        }
        self.retries = self.retries.saturating_add(1);
        status("retrying", Some(json_of(&json!({ "attempt": self.retries, "error": message }))), sink);
    }

    fn turn_ended(&mut self, usage: Usage, failure: Option<String>, sink: &mut dyn Sink) {
        let error = failure.map(|message| {
            // There is nothing but the words.
            let symptoms = Symptoms { status: status_in(&message), word: None, text: &message };
            agent_error(symptoms.kind().unwrap_or(ErrorKind::AgentError), message)
        });
        sink.signal(Signal::TurnEnded(TurnEnd {
            content: self.items.take_answer(),
            // It does not say how many requests there were; one at least, if something was used.
            turns: u64::from(!usage.is_nothing()),
            usage,
            agent_session_id: self.thread.clone(),
            error,
            tries: 1 + self.retries,
            ..TurnEnd::default()
        }));
    }
}

/// The status of HTTP that codex writes into its messages: `unexpected status 401 …`, `last status: 429 …`.
fn status_in(message: &str) -> Option<u16> {
    let rest = message.split_once("status")?.1.trim_start_matches([':', ' ']);
    rest.get(..3)?.parse().ok().filter(|status| (100..600).contains(status))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::PermissionPolicy;

    fn arguments(options: &AgentOptions) -> String {
        let args = CodexExec.command(options).unwrap().args;
        args.iter().map(|arg| arg.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_cannot_be_asked_about_is_not_allowed() {
        let of = |allow_all, denied: &[&str], mode: Option<&str>| {
            let denied = denied.iter().map(|tool| (*tool).to_owned()).collect();
            arguments(&AgentOptions {
                permissions: PermissionPolicy { allow_all, denied, ..PermissionPolicy::default() },
                permission_mode: mode.map(Into::into),
                ..AgentOptions::default()
            })
        };
        assert_eq!(of(false, &[], None), "exec --json --skip-git-repo-check --sandbox read-only -");
        assert!(of(true, &[], None).contains("--sandbox danger-full-access"));
        assert!(of(true, &["file_change"], None).contains("--sandbox read-only"));
        assert!(of(true, &["web_search"], None).contains(r#"--config=web_search="disabled""#));
        assert!(of(false, &[], Some("acceptEdits")).contains("--sandbox workspace-write"));
    }

    #[test]
    fn a_thread_is_resumed_behind_all_flags() {
        let options = AgentOptions {
            model: Some("m".into()),
            resume: Some("t".into()),
            extra_args: vec!["--oss".into()],
            system_prompt: Some("be \"kind\"\n".into()),
            ..AgentOptions::default()
        };
        assert_eq!(
            arguments(&options),
            "exec --json --skip-git-repo-check --sandbox read-only --model=m \
             --config=developer_instructions=\"be \\\"kind\\\"\\n\" --oss resume t -"
        );
    }

    #[test]
    fn the_status_is_found_in_the_words() {
        for (message, expected) in [
            ("unexpected status 401 Unauthorized: no", Some(401)),
            ("exceeded retry limit, last status: 429 Too Many Requests", Some(429)),
            ("the status of things", None),
            ("status 99é", None),
            ("", None),
        ] {
            assert_eq!(status_in(message), expected, "{message}");
        }
    }
}
