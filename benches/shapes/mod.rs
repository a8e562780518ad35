//! What claude prints, one shape of line at a time: what the benches and the instruction counts read.

/// Lines of one kind.
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    line: fn() -> String,
}

impl Shape {
    /// The line with its ending.
    pub(crate) fn line(&self) -> Vec<u8> {
        let mut line = (self.line)().into_bytes();
        line.push(b'\n');
        line
    }
}

/// The deltas, nearly all of a stream, and a tool's result, small and large.
pub(crate) const SHAPES: &[Shape] = &[
    Shape { name: "text", line: || text(r"function ") },
    Shape { name: "text-escaped", line: || text(r#"a \"quoted\"\n\tline"#) },
    Shape { name: "text-latin1", line: || text("café, naïve ") },
    Shape { name: "text-utf16", line: || text("日本語 🦀") },
    Shape { name: "thinking", line: || delta("thinking_delta", "thinking", "which ", "null") },
    Shape {
        name: "tool-input",
        line: || delta("input_json_delta", "partial_json", r#"{\"command\":\"ls"#, "null"),
    },
    Shape { name: "subagent", line: || delta("text_delta", "text", "returns ", r#""toolu_1""#) },
    Shape { name: "result-1kb", line: || tool_result(1_000) },
    Shape { name: "result-1mb", line: || tool_result(1_000_000) },
];

fn text(json: &str) -> String {
    delta("text_delta", "text", json, "null")
}

fn delta(kind: &str, field: &str, json: &str, parent: &str) -> String {
    format!(
        r#"{{"type":"stream_event","event":{{"type":"content_block_delta","index":0,"delta":{{"type":"{kind}","{field}":"{json}"}}}},"session_id":"5094d955-665d-4a8d-9cb7-6d98f473b94e","parent_tool_use_id":{parent},"uuid":"00000000-0000-4000-8000-000000000001","api_message_id":"msg_1"}}"#
    )
}

/// The result of a tool, about `length` bytes of code with its newlines escaped.
fn tool_result(length: usize) -> String {
    const CODE: &str = r#"const answer = \"naïve\"\n"#;
    let content = CODE.repeat(length / CODE.len());
    format!(
        r#"{{"type":"user","message":{{"role":"user","content":[{{"type":"tool_result","tool_use_id":"toolu_1","content":"{content}"}}]}},"parent_tool_use_id":null,"session_id":"5094d955-665d-4a8d-9cb7-6d98f473b94e","uuid":"00000000-0000-4000-8000-000000000001"}}"#
    )
}
