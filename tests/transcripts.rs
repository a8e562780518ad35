//! What the parser makes of every recording in `fixtures/transcripts`: a snapshot beside each, and what must hold for
//! all of them.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use locus_exec::agent::{
    AgentOptions, Decision, Dialect, PermissionRequest, Signal, Sink, TurnEnd, agent_named,
};
use locus_exec::stream::{Chunk, Frame, FrameDecoder, Usage};
use serde_json::{Value, json};

/// The clock of these tests: every line comes this much after the one before it.
const STEP_MS: u64 = 10;

/// Longer than any line that was recorded.
const LINE_LIMIT: usize = 1024 * 1024;

/// A recording.
struct Transcript {
    path: PathBuf,
    /// What the agent printed.
    stdout: Vec<u8>,
    /// What the host wrote, each line with the number of lines that the agent had printed by then.
    stdin: Vec<(usize, Value)>,
}

/// What was understood of a line.
#[derive(Debug)]
enum Heard {
    Chunk(String),
    Signal(Box<Signal>),
}

#[derive(Default)]
struct Ear(Vec<Heard>);

impl Sink for Ear {
    fn chunk(&mut self, chunk: Chunk<'_>) {
        self.0.push(Heard::Chunk(serde_json::to_string(&chunk).unwrap()));
    }

    fn signal(&mut self, signal: Signal) {
        self.0.push(Heard::Signal(Box::new(signal)));
    }
}

impl Transcript {
    fn read(path: &Path) -> Self {
        let recorded = fs::read(path).unwrap();
        let both_ways = path.ends_with("both-ways.jsonl");
        let (mut stdout, mut stdin, mut printed) = (Vec::new(), Vec::new(), 0);
        for line in recorded.split_inclusive(|byte| *byte == b'\n') {
            match line.strip_prefix(b">>> ") {
                Some(line) if both_ways => stdin.push((printed, serde_json::from_slice(line).unwrap())),
                _ => {
                    stdout.extend_from_slice(if both_ways {
                        line.strip_prefix(b"<<< ").unwrap_or(&[])
                    } else {
                        line
                    });
                    printed += 1;
                }
            }
        }
        Self { path: path.to_owned(), stdout, stdin }
    }

    /// All recordings of all agents.
    fn all() -> impl Iterator<Item = Self> {
        agents("").into_iter().flat_map(|agent| Self::all_of(&agent))
    }

    /// All recordings of an agent.
    fn all_of(agent: &str) -> Vec<Self> {
        let mut all: Vec<Self> = fs::read_dir(fixtures().join(agent))
            .unwrap()
            .flat_map(|case| fs::read_dir(case.unwrap().path()).unwrap())
            .map(|file| file.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"))
            .map(|path| Self::read(&path))
            .collect();
        all.sort_by(|a, b| a.path.cmp(&b.path));
        assert!(!all.is_empty(), "there are recordings of {agent}");
        all
    }

    /// The folder of its agent.
    fn agent(&self) -> &str {
        self.path.ancestors().nth(2).unwrap().file_name().unwrap().to_str().unwrap()
    }

    /// Whether it speaks JSON-RPC.
    fn is_asked_by_numbers(&self) -> bool {
        self.agent() == "codex" || self.agent().starts_with("acp-")
    }

    /// What its agent speaks, spoken to so far as to have begun a turn.
    fn dialect(&self) -> Box<dyn Dialect> {
        let case = self.path.parent().unwrap();
        let name = self.agent();
        let mut agent = agent_named(name.trim_start_matches("acp-")).unwrap();
        if case.file_name().unwrap().to_str().unwrap().starts_with("exec-") {
            agent = agent.fallback().unwrap();
        }
        // It is asked for by its id; its answer does not name it.
        let resumed = |method: &str| matches!(method, "session/resume" | "session/load");
        let mut lines = self.stdin.iter();
        let resume = lines
            .find(|(_, line)| line["method"].as_str().is_some_and(resumed))
            .map(|(_, line)| word(&line["params"]["sessionId"]));
        let mut dialect = agent.dialect(&AgentOptions { resume, ..AgentOptions::default() }).unwrap();
        if self.is_asked_by_numbers() {
            dialect.open();
            dialect.start_turn("the first prompt");
        }
        dialect
    }

    /// Does to the dialect what the host did when the agent had printed so many lines: it is asked by numbers, so what it
    /// answers means nothing to who has not asked. The first turn is begun already.
    fn act_as_host(&self, printed: usize, dialect: &mut dyn Dialect, asked: Option<&PermissionRequest>) {
        let turns = self
            .stdin
            .iter()
            .filter(|(_, line)| line["method"] == "turn/start" || line["method"] == "session/prompt");
        let first = turns.map(|(at, _)| *at).next();
        for (_, line) in self.stdin.iter().filter(|(at, _)| *at == printed) {
            match (line["method"].as_str(), asked) {
                (Some("turn/start"), _) if Some(printed) != first => {
                    dialect.start_turn(line["params"]["input"][0]["text"].as_str().unwrap());
                }
                (Some("session/prompt"), _) if Some(printed) != first => {
                    let begun = dialect.start_turn(line["params"]["prompt"][0]["text"].as_str().unwrap());
                    assert_eq!(serde_json::from_slice::<Value>(&begun).unwrap()["id"], line["id"]);
                }
                (Some("turn/interrupt" | "session/cancel"), _) => drop(dialect.interrupt()),
                // What nobody is asked about is refused by the dialect itself.
                (None, _) if line.get("error").is_some() => {}
                (None, Some(request)) => {
                    let answer = line["result"]["decision"].as_str().or(line["result"]["action"].as_str());
                    let option = line["result"]["outcome"]["optionId"].as_str();
                    let decision = match answer.or(option) {
                        Some("accept" | "proceed_once" | "once") => Decision::Allow { updated_input: None },
                        _ => Decision::Deny { message: "no".to_owned() },
                    };
                    let answered: Value =
                        serde_json::from_slice(&dialect.answer(request, &decision)).unwrap();
                    assert_eq!(answered, *line, "{}", self.path.display());
                }
                _ => {}
            }
        }
    }

    /// Its lines with what was understood of each, when its bytes arrive in pieces of this size.
    fn heard_in_pieces(&self, size: usize) -> Vec<(Vec<u8>, Vec<Heard>)> {
        let mut dialect = self.dialect();
        let mut decoder = FrameDecoder::new(LINE_LIMIT);
        let mut heard = Vec::new();
        for piece in self.stdout.chunks(size) {
            decoder.buffer().extend_from_slice(piece);
            while let Some(frame) = decoder.next_frame() {
                let Frame::Line(line) = frame else { panic!("a recorded line is above the limit") };
                let now = heard.len() as u64 * STEP_MS;
                if self.is_asked_by_numbers() {
                    self.act_as_host(heard.len(), &mut *dialect, last_question(&heard));
                }
                heard.push((line.to_vec(), hear(&mut *dialect, line, now)));
            }
        }
        assert_eq!(decoder.finish(), None, "every recorded line is whole");
        let mut ear = Ear::default();
        dialect.ended(Some(0), &mut ear);
        if let Some((_, last)) = heard.last_mut() {
            last.extend(ear.0);
        }
        heard
    }

    fn heard(&self) -> Vec<(Vec<u8>, Vec<Heard>)> {
        self.heard_in_pieces(usize::MAX)
    }

    /// The chunks of it, in order.
    fn chunks(&self) -> Vec<Value> {
        let chunk = |heard| match heard {
            Heard::Chunk(json) => Some(serde_json::from_str(&json).unwrap()),
            Heard::Signal(_) => None,
        };
        self.heard().into_iter().flat_map(|(_, heard)| heard).filter_map(chunk).collect()
    }

    /// The ends of its turns, in order.
    fn turn_ends(&self) -> Vec<TurnEnd> {
        let end = |heard| match heard {
            Heard::Signal(signal) => match *signal {
                Signal::TurnEnded(end) => Some(end),
                _ => None,
            },
            Heard::Chunk(_) => None,
        };
        self.heard().into_iter().flat_map(|(_, heard)| heard).filter_map(end).collect()
    }

    /// What is to be read by people: one line for each chunk and each signal.
    fn rendered(&self, heard: &[(Vec<u8>, Vec<Heard>)]) -> String {
        let lines: Vec<String> = heard.iter().flat_map(|(_, heard)| heard).map(render).collect();
        assert!(!lines.is_empty(), "{} says something", self.path.display());
        lines.join("\n")
    }

    /// Its lines as JSON, of one type.
    fn lines(&self, kind: &str) -> Vec<Value> {
        let lines = self.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let values = lines.map(|line| serde_json::from_slice::<Value>(line).unwrap());
        values.filter(|line| line["type"] == kind).collect()
    }
}

/// The agents of which there are recordings, of those whose names begin so.
fn agents(prefix: &str) -> Vec<String> {
    let folders = fs::read_dir(fixtures()).unwrap().map(|entry| entry.unwrap());
    let folders = folders.filter(|entry| entry.file_type().unwrap().is_dir());
    let mut names: Vec<String> = folders.map(|folder| folder.file_name().into_string().unwrap()).collect();
    names.retain(|name| name.starts_with(prefix));
    names.sort();
    names
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/transcripts")
}

fn hear(dialect: &mut dyn Dialect, line: &[u8], now: u64) -> Vec<Heard> {
    let mut ear = Ear::default();
    dialect.decode(line, now, &mut ear);
    ear.0
}

fn last_question(heard: &[(Vec<u8>, Vec<Heard>)]) -> Option<&PermissionRequest> {
    heard.iter().flat_map(|(_, heard)| heard).rev().find_map(|heard| match heard {
        Heard::Signal(signal) => match &**signal {
            Signal::Permission(request) => Some(request),
            _ => None,
        },
        Heard::Chunk(_) => None,
    })
}

fn render(heard: &Heard) -> String {
    match heard {
        Heard::Chunk(json) => json.clone(),
        Heard::Signal(signal) => match &**signal {
            Signal::Ready { agent_session_id } => format!("! ready {agent_session_id:?}"),
            Signal::Permission(request) => format!("! permission {}", render_question(request)),
            Signal::PermissionWithdrawn(id) => format!("! permission withdrawn {id:?}"),
            Signal::Reply(bytes) => format!("! reply {}", String::from_utf8_lossy(bytes).trim_end()),
            Signal::TurnEnded(end) => format!("! turn ended {}", render_end(end)),
        },
    }
}

fn render_question(request: &PermissionRequest) -> Value {
    json!({
        "id": request.id,
        "tool": request.tool,
        "parameters": request.parameters,
        "toolUseId": request.tool_use_id,
        "suggestions": request.suggestions,
    })
}

fn render_end(end: &TurnEnd) -> Value {
    json!({
        "content": end.content,
        "stopReason": end.stop_reason,
        "usage": end.usage,
        "turns": end.turns,
        "agentSessionId": end.agent_session_id,
        "interrupted": end.interrupted,
        "error": end.error.as_ref().map(locus_exec::Error::report),
    })
}

#[test]
fn every_recording_is_understood_as_its_snapshot_says() {
    insta::glob!("../fixtures/transcripts", "*/*/*.jsonl", |path| {
        let transcript = Transcript::read(path);
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(path.parent().unwrap());
        settings.set_prepend_module_to_snapshot(false);
        settings.remove_snapshot_suffix();
        settings.set_omit_expression(true);
        settings.remove_input_file();
        settings.bind(|| {
            insta::assert_snapshot!("events", transcript.rendered(&transcript.heard()));
        });
    });
}

#[test]
fn the_same_is_understood_when_the_bytes_come_one_by_one() {
    for transcript in Transcript::all() {
        let whole = transcript.rendered(&transcript.heard());
        assert_eq!(
            transcript.rendered(&transcript.heard_in_pieces(1)),
            whole,
            "{}",
            transcript.path.display()
        );
    }
}

// A dialect sees nothing but frames, so equal frames are an equal understanding. Only the lines around a cut can be
// affected by it; those before are gone when the second read comes, and those after have not been looked at.
#[test]
fn no_cut_between_two_reads_changes_a_frame() {
    for transcript in Transcript::all() {
        let lines: Vec<&[u8]> = transcript.stdout.split_inclusive(|byte| *byte == b'\n').collect();
        for (index, line) in lines.iter().enumerate() {
            let around = &lines[index.saturating_sub(1)..(index + 2).min(lines.len())];
            let bytes = around.concat();
            let begin = if index == 0 { 0 } else { around[0].len() };
            for cut in begin..=begin + line.len() {
                assert_frames(&bytes, cut, around);
            }
        }
    }
}

fn assert_frames(bytes: &[u8], cut: usize, lines: &[&[u8]]) {
    let mut expected = lines.iter();
    let mut decoder = FrameDecoder::new(LINE_LIMIT);
    for read in [&bytes[..cut], &bytes[cut..]] {
        decoder.buffer().extend_from_slice(read);
        while let Some(frame) = decoder.next_frame() {
            let line = expected.next().and_then(|line| line.strip_suffix(b"\n"));
            assert!(
                Some(frame) == line.map(Frame::Line),
                "cut at {cut} of {}",
                String::from_utf8_lossy(bytes)
            );
        }
    }
    assert!(expected.next().is_none() && decoder.finish().is_none(), "cut at {cut}: a frame is missing");
}

/// What is said in a message, by whom (the tool use id of a subagent), in which message, as which kind of block.
type Words = BTreeMap<(String, String, &'static str), String>;

/// The words as the lines that repeat a message whole have them, without those that stand for a failure of the API.
fn words_of_lines(transcript: &Transcript) -> Words {
    let mut words = Words::new();
    for line in transcript.lines("assistant").iter().filter(|line| line["error"].is_null()) {
        for block in line["message"]["content"].as_array().unwrap() {
            for kind in ["text", "thinking"].into_iter().filter(|kind| block["type"] == *kind) {
                let (parent, id) = (word(&line["parent_tool_use_id"]), word(&line["message"]["id"]));
                words.entry((parent, id, kind)).or_default().push_str(block[kind].as_str().unwrap());
            }
        }
    }
    words
}

/// The words as they were understood.
fn words_of_chunks(transcript: &Transcript) -> Words {
    let mut words = Words::new();
    let mut streaming = BTreeMap::new();
    for (line, heard) in transcript.heard() {
        let line: Value = serde_json::from_slice(&line).unwrap();
        let parent = word(&line["parent_tool_use_id"]);
        if line["event"]["type"] == "message_start" {
            streaming.insert(parent.clone(), word(&line["event"]["message"]["id"]));
        }
        for heard in heard {
            let Heard::Chunk(json) = heard else { continue };
            let chunk: Value = serde_json::from_str(&json).unwrap();
            let kind = match chunk["type"].as_str().unwrap() {
                "text_delta" => "text",
                "thinking" if !chunk["content"].is_null() => "thinking",
                _ => continue,
            };
            let id = line["message"]["id"].as_str().map_or_else(|| streaming[&parent].clone(), str::to_owned);
            let said_by = word(&chunk["parentToolUseId"]);
            words.entry((said_by, id, kind)).or_default().push_str(&word(&chunk["content"]));
        }
    }
    words
}

fn word(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[test]
fn every_word_is_said_once_and_none_is_lost() {
    let mut said = 0;
    for transcript in Transcript::all_of("claude") {
        let words = words_of_chunks(&transcript);
        assert_eq!(words, words_of_lines(&transcript), "{}", transcript.path.display());
        said += words.len();
    }
    assert!(said > 20, "the recordings have texts");
}

#[test]
fn every_tool_use_has_its_parameters_once_and_then_its_result() {
    let mut tools = 0;
    for transcript in Transcript::all() {
        let chunks = transcript.chunks();
        let place = |kind: &str, id: &Value| -> Vec<usize> {
            let is = |(_, chunk): &(usize, &Value)| chunk["type"] == kind && chunk["id"] == *id;
            chunks.iter().enumerate().filter(is).map(|(index, _)| index).collect()
        };
        let about_tools = ["tool_use", "tool_parameters", "tool_result"];
        for chunk in chunks.iter().filter(|chunk| about_tools.iter().any(|kind| chunk["type"] == *kind)) {
            let [use_at, parameters_at, result_at] = about_tools.map(|kind| place(kind, &chunk["id"]));
            let what = format!("{} in {}", chunk["id"], transcript.path.display());
            // Who is interrupted may say no more of it.
            let is_cut = transcript
                .stdin
                .iter()
                .any(|(_, line)| line["method"] == "turn/interrupt" || line["method"] == "session/cancel");
            let results = if is_cut { result_at.len().min(1) } else { 1 };
            assert_eq!([use_at.len(), parameters_at.len(), result_at.len()], [1, 1, results], "{what}");
            let places: Vec<usize> = [use_at, parameters_at, result_at].concat();
            assert!(places.is_sorted(), "{what}");
            assert!(places.iter().all(|at| chunks[*at]["tool"] == chunk["tool"]), "{what} has one name");
            tools += usize::from(chunk["type"] == "tool_use");
        }
    }
    assert!(tools > 8, "the recordings have tools");
}

#[test]
fn the_usage_of_the_turns_adds_up_to_what_the_process_counted() {
    let mut turns = 0;
    for transcript in Transcript::all_of("claude") {
        let path = transcript.path.display();
        let ends = transcript.turn_ends();
        let results = transcript.lines("result");
        assert_eq!(ends.len(), results.len(), "each result ends a turn in {path}");
        let last = results.last().unwrap();

        let sum = ends.iter().fold(Usage::default(), |sum, TurnEnd { usage, .. }| sum.plus(usage));
        let counted = |name: &str| -> u64 {
            let models = last["modelUsage"].as_object().unwrap();
            models.values().map(|model| model[name].as_u64().unwrap()).sum()
        };
        assert_eq!(
            [sum.input, sum.output, sum.cache_read, sum.cache_write],
            ["inputTokens", "outputTokens", "cacheReadInputTokens", "cacheCreationInputTokens"].map(counted),
            "{path}"
        );
        let cost = last["total_cost_usd"].as_f64().unwrap();
        assert!((sum.cost_usd.unwrap() - cost).abs() < 1e-9, "{:?} is not {cost} in {path}", sum.cost_usd);
        turns += ends.len();
    }
    assert!(turns > 25, "the recordings have turns");
}

#[test]
fn nothing_that_claude_prints_is_left_unparsed() {
    for transcript in Transcript::all_of("claude") {
        let unparsed = transcript.chunks().into_iter().find(|chunk| chunk["type"] == "unparsed");
        assert_eq!(unparsed, None, "{}", transcript.path.display());
    }
}

#[test]
fn nothing_that_codex_prints_is_left_unparsed() {
    for transcript in Transcript::all_of("codex") {
        let unparsed = transcript.chunks().into_iter().find(|chunk| chunk["type"] == "unparsed");
        assert_eq!(unparsed, None, "{}", transcript.path.display());
    }
}

#[test]
fn nothing_that_agents_print_by_acp_is_left_unparsed() {
    for transcript in agents("acp-").iter().flat_map(|agent| Transcript::all_of(agent)) {
        let unparsed = transcript.chunks().into_iter().find(|chunk| chunk["type"] == "unparsed");
        assert_eq!(unparsed, None, "{}", transcript.path.display());
    }
}

#[test]
fn nothing_that_opencode_prints_is_left_unparsed_and_each_process_ends_its_turn() {
    for transcript in Transcript::all_of("opencode-json") {
        let path = transcript.path.display();
        let unparsed = transcript.chunks().into_iter().find(|chunk| chunk["type"] == "unparsed");
        assert_eq!(unparsed, None, "{path}");
        let [end] = &transcript.turn_ends()[..] else { panic!("one turn in {path}") };
        let steps: Vec<Value> =
            transcript.lines("step_finish").iter().map(|line| line["part"]["tokens"].clone()).collect();
        let told =
            |of: fn(&Value) -> &Value| steps.iter().map(|step| of(step).as_u64().unwrap()).sum::<u64>();
        let usage = [end.usage.input, end.usage.output, end.usage.cache_read, end.usage.requests];
        let counted = [
            told(|step| &step["input"]),
            told(|step| &step["output"]) + told(|step| &step["reasoning"]),
            told(|step| &step["cache"]["read"]),
            steps.len() as u64,
        ];
        assert_eq!(usage, counted, "{path}");
    }
}

#[test]
fn every_prompt_by_acp_ends_once_and_with_what_was_said_last() {
    let mut turns = 0;
    for transcript in agents("acp-").iter().flat_map(|agent| Transcript::all_of(agent)) {
        let path = transcript.path.display();
        let ends = transcript.turn_ends();
        let asked = transcript.stdin.iter().filter(|(_, line)| line["method"] == "session/prompt").count();
        assert_eq!(ends.len(), asked.max(1), "each turn ends once in {path}");
        let chunks = transcript.chunks();
        let texts = chunks.iter().filter(|chunk| chunk["type"] == "text_delta");
        let text: String = texts.map(|chunk| word(&chunk["content"])).collect();
        for end in ends.iter().filter(|end| end.error.is_none()) {
            assert!(text.contains(&end.content), "{:?} in {path}", end.content);
        }
        let told = |kind: &str| chunks.iter().filter(|chunk| chunk["type"] == kind).count();
        assert!(told("tool_use") >= told("tool_result"), "no tool ends that did not begin in {path}");
        turns += ends.len();
    }
    assert!(turns > 15, "the recordings have turns");
}

#[test]
fn every_turn_that_codex_ends_ends_once_and_with_what_it_said_last() {
    let mut turns = 0;
    for transcript in Transcript::all_of("codex") {
        let path = transcript.path.display();
        let ends = transcript.turn_ends();
        let ours: Vec<Value> = transcript.stdin.iter().map(|(_, line)| line.clone()).collect();
        let begun = ours.iter().filter(|line| line["method"] == "turn/start").count();
        if begun > 0 {
            assert_eq!(ends.len(), begun, "each turn ends once in {path}");
        }
        let text: String = transcript
            .chunks()
            .iter()
            .filter(|chunk| chunk["type"] == "text_delta")
            .map(|chunk| word(&chunk["content"]))
            .collect();
        for end in ends.iter().filter(|end| end.error.is_none()) {
            assert!(!end.content.is_empty() && text.contains(&end.content), "{:?} in {path}", end.content);
        }
        turns += ends.len();
    }
    assert!(turns > 20, "the recordings have turns");
}

#[test]
fn the_usage_of_codex_s_turns_adds_up_to_the_threads_total() {
    for transcript in Transcript::all_of("codex") {
        let path = transcript.path.display();
        let lines = transcript.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let mut before = None;
        let mut totals = BTreeMap::new();
        for line in lines.map(|line| serde_json::from_slice::<Value>(line).unwrap()) {
            let params = &line["params"];
            if line["method"] == "thread/tokenUsage/updated" {
                let total = params["tokenUsage"]["total"].clone();
                // A thread that was resumed says first what it had used before.
                if totals.is_empty()
                    && transcript.stdin.iter().any(|(_, line)| line["method"] == "thread/resume")
                {
                    before = Some(total.clone());
                }
                totals.insert(word(&params["threadId"]), total);
            }
        }
        let ends = transcript.turn_ends();
        let sum = ends.iter().fold(Usage::default(), |sum, end| sum.plus(&end.usage));
        let counted = |name: &str| -> u64 {
            let now: u64 = totals.values().map(|total| total[name].as_u64().unwrap()).sum();
            now - before.as_ref().map_or(0, |total| total[name].as_u64().unwrap())
        };
        if totals.is_empty() {
            continue;
        }
        assert_eq!(sum.input + sum.cache_read + sum.cache_write, counted("inputTokens"), "{path}");
        assert_eq!(sum.output, counted("outputTokens"), "{path}");
        assert_eq!(sum.cache_read, counted("cachedInputTokens"), "{path}");
    }
}

/// What every turn of every recording ended with: the code of its failure, or nothing.
#[test]
fn every_failure_that_was_recorded_has_its_code() {
    let told: Vec<String> = Transcript::all()
        .map(|transcript| {
            let ends: Vec<&str> = transcript
                .turn_ends()
                .iter()
                .map(|end| end.error.as_ref().map_or("-", |error| error.kind().code()))
                .collect();
            let path = transcript.path.strip_prefix(fixtures()).unwrap();
            format!("{}: {}", path.display(), ends.join(" "))
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}
