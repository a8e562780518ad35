//! Faults 31–50 of the stream, without a process: bytes go through the frame decoder into claude's dialect, and what
//! comes out is compared with what was meant. What only a process can do to the stream (48, 49, and the other halves
//! of 46 and 50) is tested with one.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail by panicking")]

use std::fs;
use std::path::Path;

use locus_exec::agent::{AgentOptions, Dialect, PermissionRequest, Signal, Sink, TurnEnd, agent_named};
use locus_exec::stream::{Chunk, Frame, FrameDecoder};
use serde_json::{Value, json};

/// The limit of a session that sets none.
const LINE_LIMIT: usize = 16 * 1024 * 1024;

/// What was understood.
#[derive(Debug, Default)]
struct Heard {
    /// The chunks as JSON, in order.
    chunks: Vec<String>,
    ready: Vec<Option<String>>,
    questions: Vec<PermissionRequest>,
    replies: Vec<String>,
    ends: Vec<TurnEnd>,
}

impl Sink for Heard {
    fn chunk(&mut self, chunk: Chunk<'_>) {
        self.chunks.push(serde_json::to_string(&chunk).unwrap());
    }

    fn signal(&mut self, signal: Signal) {
        match signal {
            Signal::Ready { agent_session_id } => self.ready.push(agent_session_id),
            Signal::Permission(request) => self.questions.push(request),
            Signal::PermissionWithdrawn(id) => self.chunks.push(format!("withdrawn {id}")),
            Signal::Reply(bytes) => self.replies.push(String::from_utf8(bytes).unwrap()),
            Signal::TurnEnded(end) => self.ends.push(end),
        }
    }
}

impl Heard {
    fn values(&self) -> Vec<Value> {
        self.chunks.iter().map(|chunk| serde_json::from_str(chunk).unwrap()).collect()
    }

    /// The field `name` of all chunks of a type.
    fn all(&self, kind: &str, name: &str) -> Vec<String> {
        let values = self.values();
        let of_kind = values.iter().filter(|chunk| chunk["type"] == kind);
        of_kind.map(|chunk| chunk[name].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// All that was said.
    fn text(&self) -> String {
        self.all("text_delta", "content").concat()
    }

    fn unparsed(&self) -> Vec<String> {
        self.all("unparsed", "line")
    }

    /// The only end of a turn.
    fn end(&self) -> &TurnEnd {
        assert_eq!(self.ends.len(), 1, "one turn ended: {self:?}");
        &self.ends[0]
    }
}

/// Gives the frames to a dialect, as a run does.
fn hear(dialect: &mut dyn Dialect, frame: &Frame<'_>, heard: &mut Heard) {
    match frame {
        Frame::Line(line) => dialect.decode(line, 1000, heard),
        Frame::Oversized { head, length } => heard.chunk(Chunk::Unparsed {
            line: String::from_utf8_lossy(head),
            reason: format!("a line of {length} bytes").into(),
        }),
    }
}

fn heard_in_pieces(stream: &[u8], size: usize) -> Heard {
    let mut dialect = agent_named("claude").unwrap().dialect(&AgentOptions::default()).unwrap();
    let mut decoder = FrameDecoder::new(LINE_LIMIT);
    let mut heard = Heard::default();
    for piece in stream.chunks(size) {
        decoder.buffer().extend_from_slice(piece);
        while let Some(frame) = decoder.next_frame() {
            hear(&mut *dialect, &frame, &mut heard);
        }
    }
    if let Some(frame) = decoder.finish() {
        hear(&mut *dialect, &frame, &mut heard);
    }
    heard
}

fn heard(stream: impl AsRef<[u8]>) -> Heard {
    heard_in_pieces(stream.as_ref(), usize::MAX)
}

/// A line with a text delta, whose text is given as it stands in the line.
fn delta(text: &str) -> String {
    format!(
        r#"{{"type":"stream_event","event":{{"type":"content_block_delta","index":0,"delta":{{"type":"text_delta","text":"{text}"}}}}}}"#
    ) + "\n"
}

/// An `assistant` line with these blocks.
fn assistant(blocks: &str) -> String {
    format!(r#"{{"type":"assistant","message":{{"role":"assistant","content":[{blocks}]}}}}"#) + "\n"
}

/// An `assistant` line with a block of text.
fn whole(text: &str) -> String {
    assistant(&format!(r#"{{"type":"text","text":"{text}"}}"#))
}

fn tool_use(input: &str) -> String {
    assistant(&format!(r#"{{"type":"tool_use","id":"t1","name":"Bash","input":{input}}}"#))
}

fn tool_result(fields: &str) -> String {
    format!(
        r#"{{"type":"user","message":{{"role":"user","content":[{{"type":"tool_result","tool_use_id":"t1",{fields}}}]}}}}"#
    ) + "\n"
}

/// A `result` line with this answer.
fn answer(text: &str) -> String {
    format!(r#"{{"type":"result","subtype":"success","is_error":false,"result":"{text}"}}"#) + "\n"
}

/// A `result` line with more fields, given as they stand in it.
fn result(fields: &str) -> String {
    answer("done").replace("}\n", &format!("{fields}}}\n"))
}

/// The input of the only tool use, as it would cross to JavaScript.
fn parameters(heard: &Heard) -> &str {
    let chunk = heard.chunks.iter().find(|chunk| chunk.contains(r#""type":"tool_parameters""#)).unwrap();
    chunk.split_once(r#""parameters":"#).unwrap().1.strip_suffix('}').unwrap()
}

#[test]
fn fault_31_bytes_that_are_not_utf8_become_replacement_characters() {
    let stream = [delta("caf@"), whole("caf@ au l@it"), answer(r"caf@")].concat();
    let stream: Vec<u8> = stream.bytes().map(|byte| if byte == b'@' { 0xe9 } else { byte }).collect();
    let heard = heard(stream);
    assert_eq!(heard.text(), "caf\u{fffd} au l\u{fffd}it");
    assert_eq!(heard.end().content, "caf\u{fffd}");
    assert_eq!(heard.unparsed(), [""; 0]);
}

#[test]
fn fault_31_a_line_of_other_bytes_is_unparsed() {
    let heard = heard([b"\xff\xfe\x80{\x00\n".as_slice(), delta("on").as_bytes()].concat());
    assert_eq!(heard.unparsed(), ["\u{fffd}\u{fffd}\u{fffd}{\0"]);
    assert_eq!(heard.text(), "on");
}

#[test]
fn fault_32_a_lone_surrogate_spoils_one_character_in_whatever_line() {
    for lone in [r"\ud83d", r"\ud83dx", r"\ude00", r"\uD83D\n", r"\ud83d\ud83d\ude00"] {
        let expected: String =
            char::decode_utf16(unescape(lone)).map(|unit| unit.unwrap_or('\u{fffd}')).collect();
        let text = format!("a{lone}b");
        let error = format!(r#""is_error":true,"content":"{text}""#);
        let heard = heard([whole(&text), tool_use("{}"), tool_result(&error), answer(&text)].concat());
        let expected = format!("a{expected}b");
        assert_eq!(heard.text(), expected, "in an assistant line: {lone}");
        assert_eq!(heard.all("tool_result", "error"), [&*expected], "in a tool's result: {lone}");
        assert_eq!(heard.end().content, expected, "in a result: {lone}");
        assert_eq!(heard_in_pieces(delta(&text).as_bytes(), 9).text(), expected, "in a delta: {lone}");
    }
}

/// The UTF-16 units of a text with `\uXXXX` and `\n` in it.
fn unescape(text: &str) -> Vec<u16> {
    let mut units = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (unit, length) = match rest.get(..2) {
            Some("\\u") => (u16::from_str_radix(&rest[2..6], 16).unwrap(), 6),
            Some("\\n") => (10, 2),
            _ => (u16::try_from(u32::from(first)).unwrap(), 1),
        };
        units.push(unit);
        rest = &rest[length..];
    }
    units
}

#[test]
fn fault_32_a_pair_that_is_cut_between_two_deltas_is_not_said_again() {
    let stream = [delta(r"a\ud83d"), delta(r"\ude00b"), whole("a😀b"), whole("next")].concat();
    let heard = heard(stream);
    assert_eq!(heard.text(), "a\u{fffd}\u{fffd}bnext");
}

#[test]
fn fault_32_the_input_of_a_tool_can_be_parsed_by_everybody() {
    let heard = heard(tool_use(r#"{"command":"echo \ud83d \ud83d\ude00"}"#));
    let input: Value = serde_json::from_str(parameters(&heard)).unwrap();
    assert_eq!(input, json!({ "command": "echo \u{fffd} 😀" }));
}

#[test]
fn fault_33_characters_may_be_cut_between_reads() {
    let stream = [delta("é日本😀e\u{301}"), whole("é日本😀e\u{301}👩‍👩‍👧"), result("")].concat();
    let expected = heard(&stream);
    assert_eq!(expected.text(), "é日本😀e\u{301}👩‍👩‍👧");
    for cut in 0..=stream.len() {
        let (first, second) = stream.as_bytes().split_at(cut);
        let mut dialect = agent_named("claude").unwrap().dialect(&AgentOptions::default()).unwrap();
        let mut decoder = FrameDecoder::new(LINE_LIMIT);
        let mut heard = Heard::default();
        for read in [first, second] {
            decoder.buffer().extend_from_slice(read);
            while let Some(frame) = decoder.next_frame() {
                hear(&mut *dialect, &frame, &mut heard);
            }
        }
        assert_eq!(heard.chunks, expected.chunks, "cut at {cut}");
    }
}

#[test]
fn fault_34_raw_control_characters_in_strings_are_kept() {
    let text = "\u{1b}[31mred\u{1b}[0m\ttab\u{0}\u{1}\u{8}\u{7f}end";
    let heard = heard(
        [
            delta(text),
            whole(&format!("{text} more")),
            tool_use(&format!(r#"{{"command":"{text}"}}"#)),
            tool_result(&format!(r#""is_error":true,"content":"{text}""#)),
            answer(text),
        ]
        .concat(),
    );
    assert_eq!(heard.text(), format!("{text} more"));
    assert_eq!(serde_json::from_str::<Value>(parameters(&heard)).unwrap(), json!({ "command": text }));
    assert_eq!(heard.all("tool_result", "error"), [text]);
    assert_eq!(heard.end().content, text);
    assert_eq!(heard.unparsed(), [""; 0]);
}

#[test]
fn fault_35_escaped_nul_and_escape_are_kept() {
    let stream = [delta(r"a\u0000b\u001b[2Jc\u007f"), answer(r"\u0000\u001b")].concat();
    let heard = heard(stream);
    assert_eq!(heard.text(), "a\0b\u{1b}[2Jc\u{7f}");
    assert_eq!(heard.end().content, "\0\u{1b}");
}

#[test]
fn fault_36_of_a_key_that_is_there_twice_the_last_counts() {
    for (line, expected) in [
        // The line itself.
        (r#"{"type":"result","type":"assistant","message":{"content":[{"type":"text","text":"x"}]}}"#, "x"),
        (r#"{"type":"assistant","message":5,"message":{"content":[{"type":"text","text":"x"}]}}"#, "x"),
        // A streamed event, and what it holds.
        (
            r#"{"type":"stream_event","event":{},"event":{"type":"content_block_delta","delta":{"text":"x"}}}"#,
            "x",
        ),
        (
            r#"{"type":"stream_event","event":{"type":"ping","type":"content_block_delta","delta":{"text":"x"}}}"#,
            "x",
        ),
        (
            r#"{"type":"stream_event","event":{"type":"content_block_delta","delta":{},"delta":{"text":"y","text":"x"}}}"#,
            "x",
        ),
        // A message, and its blocks.
        (r#"{"type":"assistant","message":{"content":[],"content":[{"type":"text","text":"x"}]}}"#, "x"),
        (
            r#"{"type":"assistant","message":{"content":[{"type":"image","text":"y","type":"text","text":"x"}]}}"#,
            "x",
        ),
        // Twice, the last time as nothing.
        (
            r#"{"type":"assistant","error":"unknown","error":null,"message":{"content":[{"type":"text","text":"x"}]}}"#,
            "x",
        ),
    ] {
        let heard = heard(line);
        assert_eq!(heard.text(), expected, "{line}");
        assert_eq!(heard.unparsed(), [""; 0], "{line}");
    }
}

#[test]
fn fault_36_a_result_with_keys_that_are_there_twice_ends_the_turn() {
    let heard = heard(result(
        r#","is_error":true,"is_error":false,"result":"again","num_turns":1,"num_turns":2,
        "usage":{},"usage":{"input_tokens":1,"input_tokens":7},
        "modelUsage":{},"modelUsage":{"m":{"inputTokens":1},"m":{"inputTokens":3,"inputTokens":4,"outputTokens":5}},
        "session_id":"a","session_id":"b","total_cost_usd":1,"total_cost_usd":0.5"#
            .replace('\n', "")
            .as_str(),
    ));
    let end = heard.end();
    assert_eq!((end.content.as_str(), end.turns, end.error.is_none()), ("again", 2, true));
    assert_eq!((end.usage.input, end.usage.output, end.usage.cost_usd), (4, 5, Some(0.5)));
    assert_eq!(end.agent_session_id.as_deref(), Some("b"));
}

#[test]
fn fault_36_questions_and_the_first_line_are_understood_with_keys_twice() {
    let heard = heard(concat!(
        r#"{"type":"system","subtype":"init","session_id":"a","session_id":"b","model":"m","model":"n"}"#,
        "\n",
        r#"{"type":"control_request","request_id":"1","request_id":"2","request":{"subtype":"x","subtype":"can_use_tool","tool_name":"A","tool_name":"B","input":{"a":1,"a":2}}}"#,
    ));
    assert_eq!(heard.ready, [Some("b".to_owned())]);
    assert_eq!(heard.values()[0]["detail"], json!({ "model": "n" }));
    let question = &heard.questions[0];
    assert_eq!((question.id.as_str(), question.tool.as_str()), ("2", "B"));
    assert_eq!(question.parameters.get(), r#"{"a":1,"a":2}"#);
}

#[test]
fn fault_36_keys_that_are_there_twice_cost_nothing_else_its_exactness() {
    let input = format!(r#"{{"b":1,"a":1e999,"b":9007199254740993,"deep":{}}}"#, nested(200));
    let line = tool_use(&input).replace(r#""role":"assistant""#, r#""role":"a","content":1,"role":"b""#);
    let heard = heard(line);
    assert_eq!(parameters(&heard), input);
}

#[test]
fn fault_37_a_byte_order_mark_is_passed_over() {
    let stream =
        format!("\u{feff}{}\u{feff}{}\u{feff}\n\u{feff}\u{feff}{}", delta("a"), delta("b"), delta("c"));
    let heard = heard(stream);
    assert_eq!(heard.text(), "abc");
    assert_eq!(heard.unparsed(), [""; 0]);
}

#[test]
fn fault_38_crlf_ends_a_line_and_a_bare_cr_does_not() {
    let crlf = [delta("a"), "\n".into(), delta("b")].concat().replace('\n', "\r\n");
    let heard_crlf = heard(crlf);
    assert_eq!(heard_crlf.text(), "ab");
    assert_eq!(heard_crlf.unparsed(), [""; 0]);
    // Between tokens a CR is white space, in a string it is a raw control character.
    let bare = delta("x\ry").replace(r#","index""#, ",\r\"index\"");
    assert_eq!(heard(bare).text(), "x\ry");
}

#[test]
fn fault_39_line_separators_of_unicode_do_not_split() {
    let text = "a\u{2028}b\u{2029}c\u{85}d\u{b}e\u{c}f";
    let heard = heard([delta(text), answer(text)].concat());
    assert_eq!(heard.text(), text);
    assert_eq!(heard.end().content, text);
}

#[test]
fn fault_40_a_number_beyond_all_bounds_spoils_nothing_but_itself() {
    let text = delta("x").replace(r#""index":0"#, r#""index":1e999"#);
    assert_eq!(heard(text).text(), "x");
    assert_eq!(parameters(&heard(tool_use(r#"{"n":1e999}"#))), r#"{"n":1e999}"#);
    for field in ["subtype", "is_error", "result", "num_turns", "usage", "modelUsage", "total_cost_usd"]
        .into_iter()
        .chain(["parent_tool_use_id", "event", "message", "isReplay", "session_id", "something_new"])
    {
        for number in ["1e999", "-1e999", "1e-999"] {
            let heard = heard(result(&format!(r#","{field}":{number}"#)));
            assert_eq!(heard.ends.len(), 1, "{field}: {number} ends the turn: {heard:?}");
        }
    }
    let usage = result(r#","usage":{"input_tokens":1e999,"output_tokens":3},"total_cost_usd":1e308"#);
    let heard = heard(usage);
    let usage = &heard.end().usage;
    assert_eq!((usage.input, usage.output, usage.cost_usd), (0, 3, Some(1e308)));
}

#[test]
fn fault_41_whole_numbers_above_2_to_53_stay_exact() {
    let input = r#"{"id":9007199254740993,"huge":123456789012345678901234567890,"zero":-0}"#;
    assert_eq!(parameters(&heard(tool_use(input))), input);
    let heard = heard(result(r#","usage":{"input_tokens":9007199254740993}"#));
    assert_eq!(heard.end().usage.input, 9_007_199_254_740_993);
}

#[test]
fn fault_41_token_counts_at_the_end_of_what_a_number_holds_do_not_overflow() {
    let start = r#"{"type":"stream_event","event":{"type":"message_start","message":{"usage":{"input_tokens":18446744073709551615,"output_tokens":18446744073709551615}}}}"#;
    let stop = r#"{"type":"stream_event","event":{"type":"message_delta","usage":{"output_tokens":18446744073709551615}}}"#;
    let model = r#"{"inputTokens":18446744073709551615}"#;
    let end = result(&format!(r#","modelUsage":{{"a":{model},"b":{model}}}"#));
    let heard = heard(format!("{start}\n{start}\n{stop}\n{end}"));
    assert_eq!(heard.end().usage.input, u64::MAX);
}

#[test]
fn fault_42_a_total_that_is_missing_once_is_not_counted_twice() {
    let turn = |fields: &str| format!(r#"{{"type":"result","is_error":false,{fields}}}"#) + "\n";
    let heard = heard(
        [
            turn(r#""modelUsage":{"m":{"inputTokens":10}},"total_cost_usd":0.5"#),
            turn(r#""modelUsage":null,"usage":{"input_tokens":5},"total_cost_usd":-1"#),
            turn(r#""modelUsage":{"m":{"inputTokens":18}},"total_cost_usd":0.75"#),
        ]
        .concat(),
    );
    let inputs: Vec<u64> = heard.ends.iter().map(|end| end.usage.input).collect();
    let costs: Vec<Option<f64>> = heard.ends.iter().map(|end| end.usage.cost_usd).collect();
    assert_eq!(inputs, [10, 5, 3]);
    assert_eq!(costs, [Some(0.5), None, Some(0.25)]);
}

#[test]
fn a_tool_starts_once_ends_once_and_has_no_duration_before_it_began() {
    let requested = r#"{"type":"stream_event","event":{"type":"content_block_start","content_block":{"type":"tool_use","id":"t1","name":"Bash"}}}"#;
    let never_started = heard(format!("{requested}\n{}", tool_result(r#""content":"x""#)));
    assert_eq!(never_started.values()[1]["duration"], 0);

    let line = tool_use("{}");
    let twice = tool_result(r#""content":"x""#).repeat(2);
    let heard = heard(format!("{line}{requested}\n{line}{twice}{line}"));
    let kinds: Vec<String> =
        heard.values().iter().map(|chunk| chunk["type"].as_str().unwrap().into()).collect();
    assert_eq!(kinds, ["tool_use", "tool_parameters", "tool_result"]);
}

#[test]
fn text_that_never_came_whole_does_not_swallow_what_comes_next() {
    let started = r#"{"type":"stream_event","event":{"type":"message_start","message":{}}}"#;
    for between in [format!("{started}\n"), answer("")] {
        let heard = heard(format!("{}{between}{}", delta("cut off"), whole(" and then this")));
        assert_eq!(heard.text(), "cut off and then this", "with {between} between them");
    }
    // What was streamed otherwise than it came whole is no reason to cut a character in two.
    assert_eq!(heard(format!("{}{}", delta("ab"), whole("😀😀é"))).text(), "ab😀é");
}

/// What may stand where a text, a number, an object or an array is expected.
const ODD_VALUES: &[&str] = &[
    "null",
    "-1",
    "-1.5",
    "1.5",
    "18446744073709551616",
    "true",
    r#""text""#,
    "[]",
    "[1,null]",
    "{}",
    r#"{"a":[]}"#,
];

#[test]
fn fault_42_a_result_ends_the_turn_whatever_its_fields_hold() {
    for field in [
        "subtype",
        "is_error",
        "result",
        "errors",
        "stop_reason",
        "terminal_reason",
        "num_turns",
        "session_id",
        "api_error_status",
        "api_error",
        "total_cost_usd",
        "usage",
        "modelUsage",
        "parent_tool_use_id",
        "event",
        "message",
        "tool_use_result",
        "isReplay",
        "request_id",
        "request",
        "error",
        "abandoned_blocks",
        "uuid",
    ] {
        for odd in ODD_VALUES {
            let line = format!(r#"{{"{field}":{odd},"type":"result"}}"#);
            let heard = heard(&line);
            assert_eq!(heard.ends.len(), 1, "{line} ends the turn: {heard:?}");
            let usage = &heard.ends[0].usage;
            assert!(usage.cost_usd.is_none_or(|cost| cost >= 0.0), "{line}: {usage:?}");
        }
    }
}

#[test]
fn fault_42_what_is_odd_in_a_result_leaves_the_rest_of_it_alone() {
    let heard = heard(result(
        r#","subtype":7,"num_turns":-1,"total_cost_usd":-0.5,"session_id":"s","stop_reason":[],"parent_tool_use_id":0,"modelUsage":{"a":null,"b":{"inputTokens":"x","outputTokens":5}}"#,
    ));
    let end = heard.end();
    assert_eq!((end.content.as_str(), end.turns, end.stop_reason.as_deref()), ("done", 0, None));
    assert_eq!(end.agent_session_id.as_deref(), Some("s"));
    assert_eq!((end.usage.input, end.usage.output, end.usage.cost_usd), (0, 5, None));
}

#[test]
fn fault_42_the_messages_of_a_failure_survive_their_neighbours() {
    let heard = heard(result(r#","is_error":true,"result":null,"errors":[null,"first",5,"second"]"#));
    assert_eq!(heard.end().error.as_ref().unwrap().to_string(), "first; second");
}

#[test]
fn fault_42_odd_values_beside_the_text_do_not_cost_the_text() {
    for odd in ODD_VALUES {
        for line in [
            format!(
                r#"{{"parent_tool_use_id":{odd},"subtype":{odd},"isReplay":{odd},"request_id":{odd},"type":"assistant","message":{{"usage":{odd},"content":[{{"type":"text","text":"x","is_error":{odd},"id":{odd},"input":{odd}}}]}}}}"#
            ),
            format!(
                r#"{{"parent_tool_use_id":{odd},"message":{odd},"type":"stream_event","event":{{"usage":{odd},"message":{odd},"content_block":{odd},"type":"content_block_delta","delta":{{"thinking":null,"text":"x"}}}}}}"#
            ),
        ] {
            let heard = heard(&line);
            assert_eq!(heard.text(), "x", "{line}");
        }
        let result = tool_result(&format!(r#""is_error":{odd},"content":"ok""#));
        assert_eq!(heard(&result).all("tool_result", "id"), ["t1"], "{result}");
    }
}

#[test]
fn fault_42_a_line_without_what_its_type_promises_is_unparsed() {
    for odd in ODD_VALUES {
        for line in [
            format!(r#"{{"type":{odd}}}"#),
            format!(r#"{{"type":"stream_event","event":{odd}}}"#),
            format!(r#"{{"type":"stream_event","event":{{"type":"content_block_delta","delta":{odd}}}}}"#),
            format!(r#"{{"type":"assistant","message":{odd}}}"#),
            format!(r#"{{"type":"assistant","message":{{"content":{odd}}}}}"#).replace(":[]", ":[5]"),
            format!(r#"{{"type":"control_request","request_id":{odd}}}"#),
            format!(r#"{{"type":"system","subtype":{odd}}}"#),
        ] {
            let heard = heard(&line);
            assert_eq!(heard.unparsed(), [&*line], "{heard:?}");
        }
    }
    for (holder, field) in [("text_delta", "text"), ("thinking_delta", "thinking")] {
        for odd in ODD_VALUES.iter().filter(|odd| !odd.starts_with('"')) {
            let line = format!(
                r#"{{"type":"stream_event","event":{{"type":"content_block_delta","delta":{{"type":"{holder}","{field}":{odd}}}}}}}"#
            );
            assert_eq!(heard(&line).unparsed(), [&*line]);
        }
    }
}

#[test]
fn fault_42_every_question_is_answered_whatever_is_asked() {
    for odd in ODD_VALUES {
        for (request, asks) in [
            (format!(r#"{{"subtype":{odd}}}"#), false),
            (format!(r#"{{"subtype":"can_use_tool","tool_name":{odd}}}"#), *odd == r#""text""#),
            (format!(r#"{{"subtype":"can_use_tool","tool_name":"Bash","tool_use_id":{odd}}}"#), true),
        ] {
            let heard =
                heard(format!(r#"{{"type":"control_request","request_id":"1","request":{request}}}"#));
            assert_eq!(
                (heard.questions.len(), heard.replies.len()),
                if asks { (1, 0) } else { (0, 1) },
                "{request}"
            );
        }
    }
}

/// Arrays and objects in each other, to this depth.
fn nested(depth: usize) -> String {
    let (opening, closing) = (r#"{"a":["#.repeat(depth / 2), "]}".repeat(depth / 2));
    format!("{opening}{closing}")
}

#[test]
fn fault_43_depth_overflows_no_stack() {
    for depth in [200, 100_000] {
        let deep = nested(depth);
        let array = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        for line in [&deep, &array, &deep[..deep.len() / 2], &array[..depth]] {
            assert_eq!(heard(line).values().len(), 1, "a line of depth {depth} is unparsed");
        }
        let heard = heard(
            [
                tool_use(&deep),
                tool_result(&format!(r#""content":{array}"#)),
                tool_result(&format!(r#""is_error":true,"content":{deep}"#)),
                format!(r#"{{"type":"control_request","request_id":"1","request":{{"subtype":"can_use_tool","tool_name":"B","input":{deep}}}}}"#) + "\n",
                format!(r#"{{"type":"system","subtype":"init","model":{deep},"session_id":"s"}}"#) + "\n",
                format!(r#"{{"type":"assistant","message":{{"content":[{deep},{{"type":"text","text":"x"}}]}}}}"#) + "\n",
                format!(r#"{{"type":"stream_event","event":{{"type":"content_block_delta","index":{deep},"delta":{{"text":"y"}}}}}}"#) + "\n",
                result(&format!(r#","usage":{deep},"parent_tool_use_id":{array},"subtype":{deep},"errors":{array}"#)),
            ]
            .concat(),
        );
        assert!(parameters_of(&heard.chunks[1], &deep), "the tool's input is whole at depth {depth}");
        assert_eq!(heard.questions[0].parameters.get(), deep);
        assert_eq!(heard.ready, [Some("s".to_owned())]);
        let said = heard.chunks.iter().filter(|chunk| chunk.contains(r#""type":"text_delta""#)).count();
        assert_eq!(said, 2, "depth {depth}");
        assert_eq!(heard.end().content, "done");
    }
}

fn parameters_of(chunk: &str, input: &str) -> bool {
    chunk.contains(r#""type":"tool_parameters""#) && chunk.contains(&format!(r#""parameters":{input}"#))
}

#[test]
fn fault_43_a_key_that_is_there_twice_beside_depth() {
    let line = result(&format!(r#","usage":{},"usage":{{"input_tokens":2}}"#, nested(100_000)));
    assert_eq!(heard(line).end().usage.input, 2);
}

#[test]
fn fault_44_objects_on_one_line_are_all_heard() {
    let glue = |between: &str| [delta("}{ "), whole("}{ a"), result("")].join(between).replace('\n', "");
    for between in ["", " ", "\t", "\r", " \r "] {
        let heard = heard(glue(between));
        assert_eq!(heard.text(), "}{ a", "between them: {between:?}");
        assert_eq!(heard.end().content, "done", "between them: {between:?}");
        assert_eq!(heard.unparsed(), [""; 0]);
    }
    let odd = [delta(r"\ud83d"), delta("raw \u{1b}"), answer(r"x")].concat().replace('\n', "");
    let heard_odd = heard(odd);
    assert_eq!(heard_odd.text(), "\u{fffd}raw \u{1b}");
    assert_eq!(heard_odd.end().content, "x");
    let numbers = heard("12 34 [] {}\n");
    assert_eq!(numbers.unparsed(), ["12 34 [] {}"], "only objects are taken apart");
    assert_eq!(heard("{}".repeat(1_000_000)).chunks.len(), 1, "a few of them");
}

#[test]
fn fault_45_what_is_no_line_of_the_protocol_is_unparsed() {
    let lines = [
        "5",
        "null",
        "true",
        "\"text\"",
        "[]",
        "[\"result\",null,null,null,null,null,false,null,null,null,null]",
        "{}",
        r#"{"type":"from_the_future","x":1}"#,
        r#"{"no":"type"}"#,
        "Debugger attached.",
        "{not json",
        "}",
        "'",
        "(node:123) Warning: something",
        r#"{"type":"assistant""#,
        r#"{"type":"result","result":"cut o"#,
        "\u{1b}[31mred",
        r#"{"type":"system","subtype":"from_the_future"}"#,
    ];
    let stream = format!("\n  \n\t\r\n{}\n\n{}", lines.join("\n\n"), delta("on"));
    let heard = heard(stream);
    assert_eq!(heard.unparsed(), lines);
    assert_eq!(heard.text(), "on");
    assert_eq!(heard.ends.len(), 0);
}

#[test]
fn fault_45_a_long_line_that_is_not_understood_is_capped() {
    let heard = heard(format!("{}\n{}", "é".repeat(100_000), delta("on")));
    assert_eq!(heard.unparsed(), ["é".repeat(2000)]);
    assert_eq!(heard.text(), "on");
}

#[test]
fn fault_46_a_line_of_100_mb_costs_no_more_than_the_limit() {
    const MB: usize = 1024 * 1024;
    let read = vec![b'x'; 64 * 1024];
    let mut decoder = FrameDecoder::new(LINE_LIMIT);
    let mut heard = Heard::default();
    let mut dialect = agent_named("claude").unwrap().dialect(&AgentOptions::default()).unwrap();
    let mut capacity = 0;
    for _ in 0..100 * MB / read.len() {
        decoder.buffer().extend_from_slice(&read);
        capacity = capacity.max(decoder.buffer().capacity());
        assert_eq!(decoder.next_frame(), None);
    }
    assert!(capacity <= 2 * LINE_LIMIT + MB, "the decoder held {capacity} bytes");
    decoder.buffer().extend_from_slice(format!("\n{}", delta("on")).as_bytes());
    while let Some(frame) = decoder.next_frame() {
        hear(&mut *dialect, &frame, &mut heard);
    }
    assert_eq!(heard.all("unparsed", "reason"), ["a line of 104857600 bytes"]);
    assert_eq!(heard.unparsed(), ["x".repeat(1024)]);
    assert_eq!(heard.text(), "on");
    assert!(decoder.buffer().capacity() <= MB, "the memory is given back");
}

#[test]
fn fault_46_a_line_up_to_the_limit_is_understood() {
    let text = "x".repeat(LINE_LIMIT - delta("").len() + 1);
    assert_eq!(heard_in_pieces(delta(&text).as_bytes(), 64 * 1024).text(), text);
}

#[test]
fn fault_47_the_last_line_needs_no_newline() {
    let stream = [delta("a"), result("")].concat();
    for size in [1, 7, usize::MAX] {
        let heard = heard_in_pieces(stream.trim_end().as_bytes(), size);
        assert_eq!(heard.text(), "a");
        assert_eq!(heard.end().content, "done");
    }
}

#[test]
fn fault_50_reads_of_one_byte_change_nothing() {
    let mut transcripts = 0;
    for agent in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/transcripts")).unwrap() {
        let Ok(cases) = fs::read_dir(agent.unwrap().path()) else { continue };
        for file in cases.flat_map(|case| fs::read_dir(case.unwrap().path()).unwrap()) {
            let path = file.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "jsonl") {
                continue;
            }
            let recorded = fs::read_to_string(&path).unwrap();
            let printed: String = recorded
                .split_inclusive('\n')
                .filter(|line| !line.starts_with(">>> "))
                .map(|line| line.strip_prefix("<<< ").unwrap_or(line))
                .collect();
            let whole = format!("{:?}", heard(&printed));
            assert!(whole == format!("{:?}", heard_in_pieces(printed.as_bytes(), 1)), "{}", path.display());
            transcripts += 1;
        }
    }
    assert!(transcripts > 15, "there are transcripts");
}
