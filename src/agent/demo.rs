//! The demo agent: what a newcomer sees first, offline and free.
//!
//! It is a real child process, the subcommand `demo-agent` of `locus-runner`, and speaks Claude's protocol at a
//! model's pace: it thinks, uses two tools (it really looks at the working directory, read-only), and answers in
//! Markdown. It holds a conversation and can be interrupted.

use std::fs;
use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use uuid::Uuid;

use super::claude::{ClaudeDialect, common_args};
use super::{Agent, AgentOptions, Dialect};
use crate::error::Result;
use crate::process::CommandSpec;

/// The demo agent.
#[derive(Debug)]
pub(super) struct Demo;

impl Agent for Demo {
    fn name(&self) -> &'static str {
        "demo"
    }

    fn command(&self, options: &AgentOptions) -> Result<CommandSpec> {
        let command = CommandSpec {
            program: options.executable.clone().unwrap_or_else(|| options.runner.clone().into()),
            args: ["demo-agent".into()]
                .into_iter()
                .chain(common_args(options))
                .chain(options.extra_args.iter().cloned())
                .collect(),
            env: options.env.clone(),
            cwd: options.cwd.clone(),
        };
        Ok(command.wrapped(&options.wrapper))
    }

    fn can_resume(&self) -> bool {
        false
    }

    fn dialect(&self, _: &AgentOptions) -> Result<Box<dyn Dialect>> {
        Ok(Box::new(ClaudeDialect::new()))
    }
}

/// The pace and the model's name of a demo.
#[derive(Debug, Clone)]
pub struct DemoScript {
    /// Multiplies all pauses: 1 is a model's pace, 0 is at once.
    pub pace: f64,
    /// The model that it says it is.
    pub model: String,
}

impl DemoScript {
    /// Reads the arguments of `locus-runner demo-agent`: `--pace=<factor>` and `--model=<name>`; others are for
    /// agents that have more to decide and are passed over.
    pub fn from_args(args: impl Iterator<Item = String>) -> Self {
        let mut script = Self { pace: 1.0, model: "demo-1".to_owned() };
        for arg in args {
            match arg.split_once('=') {
                Some(("--pace", value)) => script.pace = value.parse().unwrap_or(1.0_f64).clamp(0.0, 100.0),
                Some(("--model", value)) => value.clone_into(&mut script.model),
                _ => {}
            }
        }
        script
    }
}

/// Runs the demo agent over stdin and stdout until stdin ends.
pub fn run_demo(script: DemoScript) -> io::Result<()> {
    let (sender, inbox) = channel();
    thread::spawn(move || {
        for line in io::stdin().lock().lines() {
            let Ok(line) = line else { return };
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    let directory = std::env::current_dir()?;
    DemoAgent {
        script,
        directory,
        inbox,
        out: io::stdout(),
        session: Uuid::new_v4().to_string(),
        history: Vec::new(),
    }
    .run()
}

struct DemoAgent<W> {
    script: DemoScript,
    directory: PathBuf,
    inbox: Receiver<String>,
    out: W,
    session: String,
    /// The prompts of the conversation so far.
    history: Vec<String>,
}

/// Why a turn stops before its end.
enum Stop {
    Interrupted,
    HostGone,
    Broken(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Broken(error)
    }
}

impl<W: Write> DemoAgent<W> {
    fn run(mut self) -> io::Result<()> {
        while let Ok(line) = self.inbox.recv() {
            let message: Value = match serde_json::from_str(&line) {
                Ok(message) => message,
                Err(error) => return Err(io::Error::other(format!("stdin: {error}"))),
            };
            match message["type"].as_str() {
                Some("user") => {
                    let prompt = message["message"]["content"].as_str().unwrap_or_default().to_owned();
                    match self.turn(prompt) {
                        Ok(()) => {}
                        Err(Stop::HostGone) => return Ok(()),
                        Err(Stop::Interrupted) => self.result("", "aborted_streaming", Instant::now())?,
                        Err(Stop::Broken(error)) => return Err(error),
                    }
                }
                Some("control_request") => self.acknowledge(&message)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn say(&mut self, mut line: Value) -> io::Result<()> {
        line["session_id"] = json!(self.session);
        let mut bytes = line.to_string();
        bytes.push('\n');
        self.out.write_all(bytes.as_bytes())?;
        self.out.flush()
    }

    fn event(&mut self, event: &Value) -> io::Result<()> {
        self.say(json!({ "type": "stream_event", "event": event, "parent_tool_use_id": null }))
    }

    fn acknowledge(&mut self, request: &Value) -> io::Result<()> {
        let response = json!({ "subtype": "success", "request_id": request["request_id"], "response": {} });
        self.say(json!({ "type": "control_response", "response": response }))
    }

    /// Lets time pass as a model would, while listening for an interrupt.
    fn pause(&mut self, milliseconds: f64) -> Result<(), Stop> {
        let end = Instant::now() + Duration::from_secs_f64(milliseconds * self.script.pace / 1000.0);
        loop {
            let line = match self.inbox.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => line,
                Err(RecvTimeoutError::Timeout) => return Ok(()),
                Err(RecvTimeoutError::Disconnected) => return Err(Stop::HostGone),
            };
            let message: Value = serde_json::from_str(&line).unwrap_or_default();
            if message["type"] == "control_request" {
                self.acknowledge(&message)?;
                if message["request"]["subtype"] == "interrupt" {
                    return Err(Stop::Interrupted);
                }
            }
        }
    }

    fn turn(&mut self, prompt: String) -> Result<(), Stop> {
        let started = Instant::now();
        self.say(json!({
            "type": "system", "subtype": "init", "cwd": self.directory, "model": self.script.model,
            "permissionMode": "default", "claude_code_version": env!("CARGO_PKG_VERSION"),
        }))?;
        self.say(json!({ "type": "system", "subtype": "status", "status": "requesting" }))?;
        self.pause(350.0)?;
        let answer = if self.history.is_empty() {
            self.message(
                "thinking",
                "The user wants to see what this does. I will look around first, then explain.",
            )?;
            let entries = list(&self.directory);
            self.tool(
                "Glob",
                &json!({ "pattern": "*" }),
                180.0,
                &json!({ "filenames": entries, "numFiles": entries.len() }),
            )?;
            let is_file = |name: &&String| !name.ends_with('/');
            let readme = entries.iter().find(|name| name.eq_ignore_ascii_case("readme.md"));
            let file = readme.or_else(|| entries.iter().find(is_file));
            let lines = match file {
                Some(name) => {
                    let text = fs::read_to_string(self.directory.join(name)).unwrap_or_default();
                    let count = text.lines().count();
                    let result = json!({ "type": "text", "file": { "filePath": name, "numLines": count } });
                    self.tool("Read", &json!({ "file_path": name }), 120.0, &result)?;
                    Some((name.clone(), count))
                }
                None => None,
            };
            first_answer(&prompt, &self.directory, entries.len(), lines)
        } else {
            self.message("thinking", "A follow-up: the conversation is still in my context.")?;
            later_answer(&prompt, &self.history)
        };
        self.history.push(prompt);
        self.message("text", &answer)?;
        self.result(&answer, "completed", started)?;
        Ok(())
    }

    /// Streams a message of one block, word by word, and repeats it whole as claude does.
    fn message(&mut self, kind: &str, text: &str) -> Result<(), Stop> {
        let id = format!("msg_{}", Uuid::new_v4().simple());
        self.event(
            &json!({ "type": "message_start", "message": { "id": id, "usage": usage(&self.history, 1) } }),
        )?;
        self.event(&json!({ "type": "content_block_start", "index": 0, "content_block": { "type": kind, kind: "" } }))?;
        for word in text.split_inclusive([' ', '\n']) {
            let delta = json!({ "type": format!("{kind}_delta"), kind: word });
            self.event(&json!({ "type": "content_block_delta", "index": 0, "delta": delta }))?;
            self.pause(18.0)?;
        }
        self.say(json!({
            "type": "assistant", "parent_tool_use_id": null,
            "message": { "id": id, "role": "assistant", "content": [{ "type": kind, kind: text }] },
        }))?;
        self.event(&json!({ "type": "content_block_stop", "index": 0 }))?;
        self.event(&json!({ "type": "message_delta", "usage": { "output_tokens": words(text) } }))?;
        self.event(&json!({ "type": "message_stop" }))?;
        Ok(())
    }

    fn tool(&mut self, name: &str, input: &Value, milliseconds: f64, result: &Value) -> Result<(), Stop> {
        let id = format!("toolu_{}", Uuid::new_v4().simple());
        let block = json!({ "type": "tool_use", "id": id, "name": name, "input": {} });
        self.event(&json!({ "type": "content_block_start", "index": 0, "content_block": block }))?;
        self.pause(150.0)?;
        self.say(json!({
            "type": "assistant", "parent_tool_use_id": null,
            "message": { "role": "assistant", "content": [{ "type": "tool_use", "id": id, "name": name, "input": input }] },
        }))?;
        self.pause(milliseconds)?;
        self.say(json!({
            "type": "user", "parent_tool_use_id": null, "tool_use_result": result,
            "message": { "role": "user", "content": [{ "type": "tool_result", "tool_use_id": id, "content": "done", "is_error": false }] },
        }))?;
        Ok(())
    }

    fn result(&mut self, answer: &str, reason: &str, started: Instant) -> io::Result<()> {
        self.say(json!({
            "type": "result", "subtype": "success", "is_error": reason != "completed", "terminal_reason": reason,
            "stop_reason": "end_turn", "result": answer, "num_turns": 1, "total_cost_usd": 0.0,
            "duration_ms": u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            "usage": usage(&self.history, words(answer)),
        }))
    }
}

/// The entries of a directory in order, folders with a trailing slash, hidden ones left out.
fn list(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .map(|entry| {
            let slash = if entry.path().is_dir() { "/" } else { "" };
            format!("{}{slash}", entry.file_name().to_string_lossy())
        })
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    names
}

fn words(text: &str) -> usize {
    text.split_whitespace().count()
}

fn usage(history: &[String], output: usize) -> Value {
    let input: usize = history.iter().map(|prompt| words(prompt)).sum();
    json!({ "input_tokens": input, "output_tokens": output, "cache_read_input_tokens": 0 })
}

fn first_answer(prompt: &str, directory: &Path, entries: usize, file: Option<(String, usize)>) -> String {
    let folder = directory.file_name().map_or_else(|| "/".into(), |name| name.to_string_lossy());
    let read = file.map_or_else(
        || "There was no file to read".to_owned(),
        |(name, lines)| format!("I opened `{name}`, which has {lines} lines"),
    );
    format!(
        "## Hello from the demo agent

You asked: *{prompt}*

I am not a model. I am a small program inside `locus-runner` that speaks the same protocol as a real agent, at about \
a real agent's pace, so that you can see the whole engine work without an account, a key or a network. What you have \
just watched was real all the same:

1. **A process was started** and held open; it will answer your next prompt without starting again.
2. **I thought**, and you saw a sign of it while it happened.
3. **I used two tools.** I looked into `{folder}` and found {entries} entries. {read}.
4. **Every word came alone**: it was framed, parsed, given a sequence number, packed with its neighbours and drawn.

### What to try next

- `locus exec \"explain this project\"` runs Claude Code in the current folder, if you have it installed.
- `locus exec --json-stream --provider demo hi` prints every event as one line of JSON.
- `echo \"what changed?\" | locus exec -` takes the prompt from a pipe.
- In a script, iterate over the very same stream:

```ts
import {{ ExecSession }} from '@locus/exec-native'

const session = await ExecSession.create({{ provider: 'demo' }})
for await (const chunk of session.executeStreaming('hi')) {{
  if (chunk.type === 'text_delta') process.stdout.write(chunk.content)
}}
await session.end()
```

Press Ctrl+C at any time: the turn stops, and nothing is left behind.
"
    )
}

fn later_answer(prompt: &str, history: &[String]) -> String {
    let asked: Vec<String> = history.iter().map(|prompt| format!("- *{prompt}*")).collect();
    format!(
        "You now ask: *{prompt}*\n\nThis is the same process as before, so I still know what you said earlier:\n\n{}\n\n\
         A real agent keeps its whole context in the same way, which is why the second turn begins so much sooner \
         than the first.\n",
        asked.join("\n")
    )
}
