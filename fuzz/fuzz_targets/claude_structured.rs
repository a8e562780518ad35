//! Sessions as claude might hold them, written as oddly as JSON allows: what is understood is what was meant.
//!
//! A session is made of steps. For each, a scribe writes the lines, and a model takes down what is to be heard: every
//! text once, every tool's start before its end, usage of each turn alone.
#![no_main]

use std::collections::{BTreeMap, BTreeSet};

use arbitrary::{Arbitrary, Unstructured};
use libfuzzer_sys::fuzz_target;
use locus_exec::agent::{Signal, TurnEnd};
use locus_exec_fuzz::{Word, dialect, heard};
use serde_json::{Value, json};

#[derive(Debug, Arbitrary)]
struct Session<'a> {
    steps: Vec<Step<'a>>,
    /// What decides on how the lines are written.
    whims: &'a [u8],
}

#[derive(Debug, Arbitrary)]
enum Step<'a> {
    Message { subagent: Option<bool>, blocks: Vec<Block<'a>>, fate: Fate, tokens: (u16, u16) },
    ToolResult { tool: u8, text: &'a str, failed: bool },
    Question { tool: &'a str },
    UnknownQuestion,
    Result { text: &'a str, failed: bool, tokens: [u16; 4], counted: Counted, cents: Option<u16> },
    ResultOfNobody { tokens: [u16; 4] },
    NextTurn,
    Odd(u8),
}

#[derive(Debug, Arbitrary)]
enum Block<'a> {
    Text(&'a str),
    Thinking(&'a str),
    Tool { name: &'a str, requested: bool, repeated: bool },
}

/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Arbitrary)]
enum Fate {
    Streamed,
    /// So many code units of each block are.
    Partly(u8),
    NotStreamed,
    /// Streamed and then given up, with and without a word of it.
    Abandoned,
    Forgotten,
}

/// What a result says of the turn's usage.
#[derive(Debug, Clone, Copy, PartialEq, Arbitrary)]
enum Counted {
    /// What the process has used.
    InAll,
    /// What the turn has used.
    Alone,
    Not,
}

/// Lines that are none of the protocol.
const ODD: &[&str] = &[
    "Debugger attached.",
    "[1,2]",
    "{}",
    r#"{"type":"from_the_future"}"#,
    r#"{"type":"assistant"}"#,
    r#"{"type":"assistant","message":{"content":"text"}}"#,
    r#"{"type":"stream_event","event":{"type":"content_block_delta","delta":{"type":"text_delta","text":null}}}"#,
    r#"{"type":null}"#,
    r#"{"type":"result","result":"cut of"#,
    "\u{1b}[31m{",
];

/// Values that may stand anywhere without a meaning.
const JUNK: &[&str] = &[
    "null",
    "-1",
    "1e999",
    "1.5",
    "true",
    r#""junk\n""#,
    "[]",
    "{}",
    r#"[1,{"a":[null]}]"#,
    "9007199254740993",
];

/// Writes JSON on a whim.
struct Scribe<'a> {
    whims: Unstructured<'a>,
    stream: String,
}

impl Scribe<'_> {
    /// One of `count` possibilities; the first when the whims have run out.
    fn whim(&mut self, count: usize) -> usize {
        self.whims.int_in_range(0..=count - 1).unwrap_or(0)
    }

    fn junk(&mut self) -> String {
        match self.whim(JUNK.len() + 1) {
            index if index < JUNK.len() => JUNK[index].to_owned(),
            _ => format!("{}{}", "[".repeat(200), "]".repeat(200)),
        }
    }

    fn escaped(&mut self, unit: u16) -> String {
        if self.whim(2) == 0 { format!("\\u{unit:04x}") } else { format!("\\u{unit:04X}") }
    }

    /// A string that stands for these code units, of which some may be alone.
    fn units(&mut self, units: &[u16]) -> String {
        let mut json = "\"".to_owned();
        for char in char::decode_utf16(units.iter().copied()) {
            match char {
                Err(alone) => json += &self.escaped(alone.unpaired_surrogate()),
                Ok('"') => json += "\\\"",
                Ok('\\') => json += "\\\\",
                Ok('\n') => json += "\\n",
                Ok(char @ ('/' | '\t' | '\r' | '\u{8}' | '\u{c}')) if self.whim(4) != 1 => {
                    json += match char {
                        '/' => "\\/",
                        '\t' => "\\t",
                        '\r' => "\\r",
                        '\u{8}' => "\\b",
                        _ => "\\f",
                    };
                }
                Ok(char) => match self.whim(8) {
                    1 => {
                        for unit in char.encode_utf16(&mut [0; 2]).iter() {
                            json += &self.escaped(*unit);
                        }
                    }
                    // Control characters too: raw.
                    _ => json.push(char),
                },
            }
        }
        json + "\""
    }

    fn string(&mut self, text: &str) -> String {
        let units: Vec<u16> = text.encode_utf16().collect();
        self.units(&units)
    }

    fn space(&mut self) -> &'static str {
        ["", "", "", "", " ", "\t", "\r"][self.whim(7)]
    }

    /// An object with these members, in any order, with others that nobody knows, and some with a wrong value first.
    fn object(&mut self, members: &[(&str, String)]) -> String {
        let mut members: Vec<(String, String)> =
            members.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
        let turn = self.whim(members.len().max(1));
        members.rotate_left(turn);
        for _ in 0..self.whim(3) {
            let junk = self.junk();
            let key = match members.get(self.whim(2 * members.len() + 1)) {
                Some((key, _)) => key.clone(),
                None => "news".to_owned(),
            };
            members.insert(0, (key, junk));
        }
        let members: Vec<String> = members
            .into_iter()
            .map(|(key, value)| {
                let key = if self.whim(16) == 1 { self.string(&key) } else { format!("\"{key}\"") };
                let space = [self.space(), self.space(), self.space()];
                format!("{}{key}{}:{}{value}", space[0], space[1], space[2])
            })
            .collect();
        format!("{{{}}}", members.join(","))
    }

    /// A line of the protocol. It may be glued to the one before it.
    fn line(&mut self, kind: &str, members: &[(&str, String)]) {
        let mut members = members.to_vec();
        members.push(("type", format!("\"{kind}\"")));
        let object = self.object(&members);
        if self.stream.ends_with("}\n") && self.whim(16) == 1 {
            self.stream.pop();
        }
        self.stream += &object;
        let end = ["\n", "\n", "\r\n", "\n\n", "\n\u{feff}"][self.whim(5)];
        self.stream += end;
    }

    fn event(&mut self, subagent: Option<&str>, kind: &str, members: &[(&str, String)]) {
        let mut members = members.to_vec();
        members.push(("type", format!("\"{kind}\"")));
        let event = self.object(&members);
        self.line("stream_event", &[("event", event), ("parent_tool_use_id", parent(subagent))]);
    }

    /// A delta, sometimes to the letter as claude writes it.
    fn delta(&mut self, subagent: Option<&str>, kind: &str, units: &[u16]) {
        let text = self.units(units);
        if self.whim(2) == 1 {
            let delta = self.object(&[("type", format!("\"{kind}_delta\"")), (kind, text)]);
            return self.event(subagent, "content_block_delta", &[("delta", delta)]);
        }
        let parent = parent(subagent);
        self.stream += &format!(
            r#"{{"type":"stream_event","event":{{"type":"content_block_delta","index":0,"delta":{{"type":"{kind}_delta","{kind}":{text}}}}},"session_id":"s","parent_tool_use_id":{parent},"uuid":"u"}}"#
        );
        self.stream += "\n";
    }

    fn assistant(&mut self, subagent: Option<&str>, blocks: &[String]) {
        let message =
            self.object(&[("content", format!("[{}]", blocks.join(","))), ("role", "\"assistant\"".into())]);
        self.line("assistant", &[("message", message), ("parent_tool_use_id", parent(subagent))]);
    }

    /// The input of a tool, of which every byte counts.
    fn input(&mut self) -> String {
        let (first, second) = (self.junk(), self.junk());
        let space = self.space();
        format!(r#"{{"a":{first},{space}"a":{second},"b":"é\u00e9\"}}{{"}}"#)
    }
}

fn parent(subagent: Option<&str>) -> String {
    subagent.map_or("null".to_owned(), |id| format!("\"{id}\""))
}

#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Tokens([u64; 4]);

impl Tokens {
    fn plus(self, more: Self) -> Self {
        Self(std::array::from_fn(|at| self.0[at] + more.0[at]))
    }

    fn minus(self, less: Self) -> Self {
        Self(std::array::from_fn(|at| self.0[at] - less.0[at]))
    }

    /// Under the names of `usage` or of `modelUsage`.
    fn under(self, names: [&str; 4]) -> Vec<(&str, String)> {
        names.into_iter().zip(self.0.map(|count| count.to_string())).collect()
    }
}

impl From<[u16; 4]> for Tokens {
    fn from(tokens: [u16; 4]) -> Self {
        Self(tokens.map(u64::from))
    }
}

const OF_TURN: [&str; 4] =
    ["input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"];
const OF_MODEL: [&str; 4] =
    ["inputTokens", "outputTokens", "cacheReadInputTokens", "cacheCreationInputTokens"];

/// What is to be heard.
#[derive(Debug, Default)]
struct Model {
    /// Texts and thoughts, by who says them.
    said: BTreeMap<(String, &'static str), String>,
    tools: Vec<Value>,
    questions: Vec<(String, String)>,
    replies: usize,
    ends: Vec<End>,
    odd: usize,
    usages: Vec<(u64, u64)>,

    /// The tools of the turn, and whether they have ended.
    known: BTreeMap<String, (String, bool)>,
    made: usize,
    /// Who has a message that was begun and never ended.
    open: BTreeSet<Option<String>>,
    used: Tokens,
    told: Tokens,
    running: Tokens,
    cents: u64,
    told_cents: u64,
}

#[derive(Debug)]
struct End {
    content: String,
    failed: bool,
    tokens: Tokens,
    cents: Option<u64>,
}

fn lossy(units: &[u16]) -> String {
    String::from_utf16_lossy(units)
}

impl Model {
    fn say(&mut self, subagent: Option<&str>, kind: &'static str, text: &str) {
        if !text.is_empty() {
            *self.said.entry((subagent.unwrap_or_default().to_owned(), kind)).or_default() += text;
        }
    }

    fn message(
        &mut self,
        scribe: &mut Scribe<'_>,
        subagent: Option<&str>,
        blocks: &[Block<'_>],
        fate: Fate,
        (input, output): (u16, u16),
    ) {
        let streamed = fate != Fate::NotStreamed;
        let whole = !matches!(fate, Fate::Abandoned | Fate::Forgotten);
        if streamed {
            let usage = scribe.object(&[("input_tokens", input.to_string()), ("output_tokens", "1".into())]);
            let message = scribe.object(&[("usage", usage)]);
            scribe.event(subagent, "message_start", &[("message", message)]);
            self.running = self.running.plus(Tokens([input.into(), 1, 0, 0]));
        } else if self.open.contains(&subagent.map(ToOwned::to_owned)) {
            scribe.event(subagent, "message_stop", &[]);
        }
        self.open.remove(&subagent.map(ToOwned::to_owned));

        let at_once = scribe.whim(2) == 1;
        let mut written = Vec::new();
        for block in blocks {
            match block {
                Block::Text(text) => written.extend(self.words(scribe, subagent, "text", text, fate)),
                Block::Thinking(text) => written.extend(self.words(scribe, subagent, "thinking", text, fate)),
                Block::Tool { name, requested, repeated } => {
                    self.tool(scribe, subagent, name, *requested && streamed, *repeated, whole);
                }
            }
            if !at_once || fate != Fate::NotStreamed {
                for block in written.drain(..) {
                    scribe.assistant(subagent, &[block]);
                }
            }
        }
        if !written.is_empty() {
            scribe.assistant(subagent, &written);
        }

        if streamed && whole {
            let usage = scribe.object(&[("output_tokens", output.to_string())]);
            scribe.event(subagent, "message_delta", &[("usage", usage)]);
            self.running = self.running.plus(Tokens([0, u64::from(output).saturating_sub(1), 0, 0]));
            self.usages.push((self.running.0[0], self.running.0[1]));
        }
        match fate {
            Fate::NotStreamed => {}
            Fate::Forgotten => _ = self.open.insert(subagent.map(ToOwned::to_owned)),
            _ => scribe.event(subagent, "message_stop", &[]),
        }
    }

    /// Streams a block of words as far as its fate allows; the block as it comes whole, if it does.
    fn words(
        &mut self,
        scribe: &mut Scribe<'_>,
        subagent: Option<&str>,
        kind: &'static str,
        text: &str,
        fate: Fate,
    ) -> Option<String> {
        let units: Vec<u16> = text.encode_utf16().collect();
        let streamed = match fate {
            Fate::NotStreamed => 0,
            Fate::Partly(count) => units.len().min(count.into()),
            _ => units.len(),
        };
        let mut rest = &units[..streamed];
        while !rest.is_empty() {
            let (piece, tail) = rest.split_at(1 + scribe.whim(rest.len()));
            scribe.delta(subagent, kind, piece);
            self.say(subagent, kind, &lossy(piece));
            rest = tail;
        }
        if matches!(fate, Fate::Abandoned | Fate::Forgotten) {
            return None;
        }
        // A pair of which half was said is not said again.
        let inside = units[streamed..].first().is_some_and(|unit| {
            streamed > 0 && (0xdc00..0xe000).contains(unit) && (0xd800..0xdc00).contains(&units[streamed - 1])
        });
        self.say(subagent, kind, &lossy(&units[streamed + usize::from(inside)..]));
        let text = scribe.string(text);
        Some(scribe.object(&[("type", format!("\"{kind}\"")), (kind, text)]))
    }

    fn tool(
        &mut self,
        scribe: &mut Scribe<'_>,
        subagent: Option<&str>,
        name: &str,
        requested: bool,
        repeated: bool,
        whole: bool,
    ) {
        let id = format!("tool-{}", self.made);
        self.made += 1;
        let [kind, written_id, written_name] = ["tool_use", &id, name].map(|text| scribe.string(text));
        let members = [("type", kind), ("id", written_id), ("name", written_name)];
        if requested {
            let block = scribe.object(&members);
            scribe.event(subagent, "content_block_start", &[("content_block", block)]);
        }
        if whole {
            let input = scribe.input();
            let block = scribe.object(&[members.as_slice(), &[("input", input.clone())]].concat());
            for _ in 0..=usize::from(repeated) {
                scribe.assistant(subagent, std::slice::from_ref(&block));
            }
            self.tools.push(json!(["tool_use", id, name]));
            self.tools.push(json!(["tool_parameters", id, name, input]));
        } else if requested {
            self.tools.push(json!(["tool_use", id, name]));
        } else {
            return;
        }
        self.known.insert(id, (name.to_owned(), false));
    }

    fn tool_result(&mut self, scribe: &mut Scribe<'_>, tool: u8, text: &str, failed: bool) {
        let id = format!("tool-{}", usize::from(tool) % (self.made + 1));
        let content = scribe.string(text);
        let block = scribe.object(&[
            ("type", "\"tool_result\"".into()),
            ("tool_use_id", format!("\"{id}\"")),
            ("is_error", failed.to_string()),
            ("content", content),
        ]);
        let message = scribe.object(&[("content", format!("[{block}]"))]);
        scribe.line("user", &[("message", message)]);
        let name = match self.known.get_mut(&id) {
            Some((_, true)) => return,
            Some((name, ended)) => {
                *ended = true;
                name.as_str()
            }
            None => "unknown",
        };
        let error = if failed { json!(text) } else { Value::Null };
        self.tools.push(json!(["tool_result", id, name, !failed, error]));
    }

    fn usage_of(
        &mut self,
        scribe: &mut Scribe<'_>,
        tokens: Tokens,
        counted: Counted,
    ) -> Vec<(&'static str, String)> {
        self.used = self.used.plus(tokens);
        match counted {
            Counted::InAll => {
                let model = scribe.object(&self.used.under(OF_MODEL));
                vec![("modelUsage", scribe.object(&[("a-model", model), ("another", "null".into())]))]
            }
            Counted::Alone => vec![("usage", scribe.object(&tokens.under(OF_TURN)))],
            Counted::Not => vec![],
        }
    }

    fn result(
        &mut self,
        scribe: &mut Scribe<'_>,
        text: &str,
        failed: bool,
        tokens: Tokens,
        counted: Counted,
        cents: Option<u16>,
    ) {
        let tokens = if counted == Counted::Not { self.running } else { tokens };
        let mut members = self.usage_of(scribe, tokens, counted);
        if let Some(cents) = cents {
            self.cents += u64::from(cents);
            members.push(("total_cost_usd", (self.cents as f64 / 100.0).to_string()));
        }
        members.push(("result", scribe.string(text)));
        members.push(("is_error", failed.to_string()));
        scribe.line("result", &members);
        let told = if counted == Counted::InAll { self.used.minus(self.told) } else { tokens };
        self.told = self.told.plus(told);
        let told_cents = cents.map(|_| self.cents - std::mem::replace(&mut self.told_cents, self.cents));
        self.ends.push(End { content: text.to_owned(), failed, tokens: told, cents: told_cents });
        self.running = Tokens::default();
        self.open.clear();
    }

    fn step(&mut self, scribe: &mut Scribe<'_>, step: &Step<'_>) {
        match step {
            Step::Message { subagent, blocks, fate, tokens } => {
                let subagent = subagent.map(|first| if first { "agent-1" } else { "agent-2" });
                self.message(scribe, subagent, blocks, *fate, *tokens);
            }
            Step::ToolResult { tool, text, failed } => self.tool_result(scribe, *tool, text, *failed),
            Step::Question { tool } => {
                let (name, input) = (scribe.string(tool), scribe.input());
                let request = scribe.object(&[
                    ("subtype", "\"can_use_tool\"".into()),
                    ("tool_name", name),
                    ("input", input.clone()),
                ]);
                scribe.line("control_request", &[("request_id", "\"q\"".into()), ("request", request)]);
                self.questions.push(((*tool).to_owned(), input));
            }
            Step::UnknownQuestion => {
                let request = scribe.object(&[("subtype", "\"hook_callback\"".into())]);
                scribe.line("control_request", &[("request_id", "\"q\"".into()), ("request", request)]);
                self.replies += 1;
            }
            Step::Result { text, failed, tokens, counted, cents } => {
                self.result(scribe, text, *failed, (*tokens).into(), *counted, *cents);
            }
            Step::ResultOfNobody { tokens } => {
                let mut members = self.usage_of(scribe, (*tokens).into(), Counted::InAll);
                members.push(("origin", scribe.object(&[("kind", "\"task\"".into())])));
                scribe.line("result", &members);
                self.open.clear();
            }
            // Nobody hears of it, but it divides what is read before from what comes after; see below.
            Step::NextTurn => self.known.clear(),
            Step::Odd(which) => {
                scribe.stream.push('\n');
                scribe.stream += ODD[usize::from(*which) % ODD.len()];
                scribe.stream += "\n\n";
                self.odd += 1;
            }
        }
    }

    /// Compares with what was understood.
    fn check(mut self, words: Vec<Word>) {
        let mut said = BTreeMap::new();
        let (mut tools, mut usages, mut odd, mut replies) = (Vec::new(), Vec::new(), 0, 0);
        let (mut ends, mut questions) = (Vec::new(), Vec::new());
        for word in words {
            let json = match word {
                Word::Chunk(json) => json,
                Word::Signal(signal) => {
                    match *signal {
                        Signal::TurnEnded(end) => ends.push(end),
                        Signal::Permission(request) => {
                            questions.push((request.tool, request.parameters.get().to_owned()));
                        }
                        Signal::Reply(_) => replies += 1,
                        signal => panic!("{signal:?}"),
                    }
                    continue;
                }
            };
            if json.starts_with(r#"{"type":"tool_parameters""#) {
                // Not by way of a value, which is less exact.
                let (rest, input) = json.split_once(r#","parameters":"#).expect("it has parameters");
                let chunk: Value = serde_json::from_str(&format!("{rest}}}")).expect("JSON");
                let end = input.find(r#","parentToolUseId""#).unwrap_or(input.len() - 1);
                tools.push(json!(["tool_parameters", chunk["id"], chunk["tool"], input[..end]]));
                continue;
            }
            let chunk: Value = serde_json::from_str(&json).expect("JSON");
            let who = chunk["parentToolUseId"].as_str().unwrap_or_default().to_owned();
            let content = chunk["content"].as_str().unwrap_or_default();
            match chunk["type"].as_str().expect("a type") {
                "text_delta" => *said.entry((who, "text")).or_insert_with(String::new) += content,
                "thinking" => *said.entry((who, "thinking")).or_insert_with(String::new) += content,
                "tool_use" => tools.push(json!(["tool_use", chunk["id"], chunk["tool"]])),
                "tool_result" => {
                    assert_eq!(chunk["duration"], 0, "no time passes here");
                    tools.push(json!([
                        "tool_result",
                        chunk["id"],
                        chunk["tool"],
                        chunk["success"],
                        chunk["error"]
                    ]));
                }
                "usage" => usages.push((chunk["input"].as_u64().unwrap(), chunk["output"].as_u64().unwrap())),
                "unparsed" => odd += 1,
                "status" => assert_eq!(chunk["status"], "background_turn"),
                kind => panic!("{kind}"),
            }
        }
        said.retain(|_, text| !text.is_empty());
        assert_eq!(said, self.said, "every text is said once");
        assert_eq!(tools, self.tools, "every tool starts once and then ends once");
        assert_eq!(usages, self.usages, "usage of the turn so far");
        assert_eq!((odd, replies), (self.odd, self.replies));
        assert_eq!(questions, self.questions);
        assert_eq!(ends.len(), self.ends.len(), "every result ends a turn");
        for (end, expected) in ends.into_iter().zip(self.ends.drain(..)) {
            check_end(&end, &expected);
        }
    }
}

fn check_end(end: &TurnEnd, expected: &End) {
    assert_eq!(end.content, expected.content);
    assert_eq!(end.error.is_some(), expected.failed);
    let usage = &end.usage;
    let tokens = Tokens([usage.input, usage.output, usage.cache_read, usage.cache_write]);
    assert_eq!(tokens, expected.tokens, "the usage of this turn alone");
    match (usage.cost_usd, expected.cents) {
        (None, None) => {}
        (Some(cost), Some(cents)) => {
            assert!((cost - cents as f64 / 100.0).abs() < 1e-8, "{cost} USD for {cents} cents");
        }
        costs => panic!("{costs:?}"),
    }
}

fuzz_target!(|session: Session<'_>| {
    let mut scribe = Scribe { whims: Unstructured::new(session.whims), stream: String::new() };
    let mut model = Model::default();
    let mut dialect = dialect();
    let mut words = Vec::new();
    for turn in session.steps.split_inclusive(|step| matches!(step, Step::NextTurn)) {
        dialect.start_turn("a prompt");
        for step in turn {
            model.step(&mut scribe, step);
        }
        let stream = std::mem::take(&mut scribe.stream);
        words.extend(heard(&mut *dialect, [stream.as_bytes()]).0);
    }
    model.check(words);
});
