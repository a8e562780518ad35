//! How codex tells which models there are: `model/list` of its app-server, which asks nobody and costs nothing.

use serde::Deserialize;
use serde_json::json;

use crate::agent::{ModelQuery, OfferedModel};
use crate::stream::json_of;

/// The id of the request.
const REQUEST: u64 = 2;

#[derive(Deserialize)]
struct Response {
    id: u64,
    result: ModelList,
}

#[derive(Deserialize)]
struct ModelList {
    data: Vec<Model>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Model {
    id: String,
    #[serde(default)]
    hidden: bool,
    #[serde(default)]
    is_default: bool,
}

pub(super) fn query() -> ModelQuery {
    let client = json!({ "name": "locus_exec", "version": env!("CARGO_PKG_VERSION") });
    let lines = [
        json!({ "id": 1, "method": "initialize", "params": { "clientInfo": client } }),
        json!({ "method": "initialized" }),
        json!({ "id": REQUEST, "method": "model/list", "params": {} }),
    ];
    let input = lines.iter().flat_map(|line| [json_of(line).to_string(), "\n".to_owned()]);
    ModelQuery { args: &["app-server"], input: input.collect::<String>().into_bytes(), read }
}

fn read(output: &[u8]) -> Option<Vec<OfferedModel>> {
    let lines = output.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n"));
    let response = lines
        .filter_map(|line| serde_json::from_slice::<Response>(line).ok())
        .find(|response| response.id == REQUEST)?;
    let offered = response.result.data.into_iter().filter(|model| !model.hidden);
    Some(offered.map(|Model { id, is_default, .. }| OfferedModel { id, is_default }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_found_among_other_lines_and_only_when_it_is_complete() {
        let answer = concat!(
            "{\"id\":1,\"result\":{\"userAgent\":\"x\"}}\n{\"method\":\"configWarning\",\"params\":{}}\n",
            "{\"id\":2,\"result\":{\"data\":[{\"id\":\"a\",\"hidden\":false,\"isDefault\":true},{\"id\":\"b\",\"hidden\":true},{\"id\":\"c\"}]}}\n",
        );
        let model = |id: &str, is_default| OfferedModel { id: id.to_owned(), is_default };
        assert_eq!(read(answer.as_bytes()), Some(vec![model("a", true), model("c", false)]));
        assert_eq!(read(&answer.as_bytes()[..answer.len() - 1]), None);
    }

    #[test]
    fn it_is_asked_for_line_by_line() {
        let input = String::from_utf8(query().input).unwrap();
        let methods: Vec<serde_json::Value> = input
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["method"].clone())
            .collect();
        assert_eq!(methods, ["initialize", "initialized", "model/list"]);
    }
}
