//! Why an agent says that it failed.

use super::wire::{AuthMethod, ErrorData, RpcError};
use crate::agent::json::CheckedJson;
use crate::agent::lenient::{Text, object, text};
use crate::error::{Error, ErrorKind, Symptoms};

/// ACP's code for an agent that wants a login first.
const AUTH_REQUIRED: i64 = -32000;
/// A method that is not there.
pub(super) const METHOD_NOT_FOUND: i64 = -32601;

/// Messages that say nothing where there are details.
const EMPTY_MESSAGES: &[&str] = &["Internal error", "Server error", "Invalid params", "Unknown error"];

/// The error that a JSON-RPC error amounts to.
pub(super) fn failure(error: &RpcError<'_>) -> Error {
    let data: ErrorData<'_> = error.data.and_then(object).unwrap_or_default();
    let bare: Option<String> = error.data.and_then(|data| serde_json::from_str(data.as_str()).ok());
    let details = bare.as_deref().unwrap_or_else(|| text(data.details.as_ref()));
    let message = error.message.as_deref().unwrap_or_default();
    let message = match (message, details) {
        ("", "") => "the agent reported an error without a message".to_owned(),
        (message, "") => message.to_owned(),
        (message, details) if message.is_empty() || EMPTY_MESSAGES.contains(&message) => details.to_owned(),
        (message, details) if message.contains(details) => message.to_owned(),
        (message, details) => format!("{message}: {details}"),
    };
    let code = error.code.unwrap_or(0);
    let status = data.status.or_else(|| u16::try_from(code).ok()).filter(|status| is_failure(*status));
    let status = status.or_else(|| status_in(&message));
    let word = data.word.as_ref().map(Text::as_str);
    let symptoms = Symptoms { status, word, text: &message };
    let kind = match symptoms.kind() {
        Some(kind) => kind,
        None if code == AUTH_REQUIRED => ErrorKind::Auth,
        None if status.is_some() => ErrorKind::Api,
        None => ErrorKind::AgentError,
    };
    agent_error(kind, message)
}

pub(super) fn agent_error(kind: ErrorKind, message: String) -> Error {
    Error::Agent { kind, message, available: None }
}

/// Why no conversation could be begun: as [`failure`], and how to log in where that is missing.
pub(super) fn refusal(error: &RpcError<'_>, agent: &str, ways: &[String]) -> Error {
    match failure(error) {
        Error::Agent { kind: ErrorKind::Auth, message, available } => {
            let offers =
                if ways.is_empty() { String::new() } else { format!(" (it offers: {})", ways.join(", ")) };
            let message =
                format!("{message}; start {agent} by itself and log in, or give it its key{offers}");
            Error::Agent { kind: ErrorKind::Auth, message, available }
        }
        error => error,
    }
}

/// The names of the ways to log in.
pub(super) fn ways_to_log_in(methods: Option<CheckedJson<'_>>) -> Vec<String> {
    let methods = methods.and_then(CheckedJson::items).into_iter().flatten();
    let name = |method: AuthMethod<'_>| method.name.or(method.id).map(|name| name.as_str().to_owned());
    methods.filter_map(object).filter_map(name).collect()
}

fn is_failure(status: u16) -> bool {
    (400..600).contains(&status)
}

/// A status of HTTP that a message begins with (`429 Too many requests`) or names (`status 429`, `status code: 429`).
fn status_in(message: &str) -> Option<u16> {
    let lower = message.to_ascii_lowercase();
    let named = lower.split("status").skip(1).map(|rest| {
        let rest = rest.trim_start_matches([' ', ':', '=']);
        rest.strip_prefix("code").unwrap_or(rest).trim_start_matches([' ', ':', '='])
    });
    std::iter::once(lower.trim_start()).chain(named).find_map(|rest| {
        let digits =
            rest.split(|char: char| !char.is_ascii_digit()).next().filter(|digits| digits.len() == 3)?;
        digits.parse().ok().filter(|status| is_failure(*status))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(json: &str) -> (ErrorKind, String) {
        let error = failure(&object(CheckedJson::parse(json).unwrap()).unwrap());
        (error.kind(), error.to_string())
    }

    #[test]
    fn the_details_decide_where_the_code_says_nothing() {
        for (json, expected, message) in [
            (
                r#"{"code":-32603,"message":"Internal error","data":{"details":"401 no such key"}}"#,
                ErrorKind::Auth,
                "401 no such key",
            ),
            (
                r#"{"code":-32603,"message":"Internal error: the server said status 429"}"#,
                ErrorKind::RateLimit,
                "Internal error: the server said status 429",
            ),
            (r#"{"code":429,"message":"slow down"}"#, ErrorKind::RateLimit, "slow down"),
            (r#"{"code":500,"message":"oh"}"#, ErrorKind::Overloaded, "oh"),
            (
                r#"{"code":-32000,"message":"Authentication required"}"#,
                ErrorKind::Auth,
                "Authentication required",
            ),
            (r#"{"code":-32000,"message":"oh","data":{"status":503}}"#, ErrorKind::Overloaded, "oh"),
            (
                r#"{"code":-32603,"message":"Internal error","data":"status code: 400"}"#,
                ErrorKind::Api,
                "status code: 400",
            ),
            (
                r#"{"code":-32603,"message":"a","data":{"details":"fetch failed"}}"#,
                ErrorKind::Network,
                "a: fetch failed",
            ),
            (
                r#"{"code":-32603,"message":"a","data":{"type":"rate_limit_error"}}"#,
                ErrorKind::RateLimit,
                "a",
            ),
            (
                r#"{"code":-32602,"message":"Session 4290 not found"}"#,
                ErrorKind::AgentError,
                "Session 4290 not found",
            ),
            ("{}", ErrorKind::AgentError, "the agent reported an error without a message"),
            (
                r#"{"code":"x","message":5,"data":[]}"#,
                ErrorKind::AgentError,
                "the agent reported an error without a message",
            ),
        ] {
            assert_eq!(kind(json), (expected, message.to_owned()), "{json}");
        }
    }

    #[test]
    fn a_missing_login_is_told_with_its_remedy() {
        let json = r#"{"code":-32000,"message":"Authentication required"}"#;
        let methods = r#"[{"id":"oauth","name":"Log in with a browser"},{"id":"key"},5]"#;
        let ways = ways_to_log_in(CheckedJson::parse(methods).ok());
        let error = refusal(&object(CheckedJson::parse(json).unwrap()).unwrap(), "qwen", &ways);
        assert_eq!(error.kind(), ErrorKind::Auth);
        assert_eq!(
            error.to_string(),
            "Authentication required; start qwen by itself and log in, or give it its key (it offers: Log in with a \
             browser, key)"
        );
    }
}
