//! Why a turn of Gemini CLI failed.

use super::wire::{Failure, Refusal, RefusalError};
use crate::agent::json::CheckedJson;
use crate::agent::lenient::{object, text};
use crate::error::{Error, ErrorKind, Symptoms};

/// The error of a `result`. `told` is what was called an error before, which counts where the result says nothing.
pub(super) fn failure(failure: Option<&Failure<'_>>, told: Option<String>) -> Error {
    let message = failure.map(|failure| text(failure.message.as_ref())).unwrap_or_default();
    let refusal = refusal_in(message).unwrap_or_default();
    let word = failure.map(|failure| text(failure.word.as_ref())).unwrap_or_default();
    let message = match refusal.message {
        Some(message) => message,
        None if message.is_empty() => {
            told.unwrap_or_else(|| "gemini reported an error without a message".to_owned())
        }
        None => message.to_owned(),
    };
    let kind = kind_of(word).unwrap_or_else(|| {
        let word = refusal.status.as_deref();
        Symptoms { status: refusal.code, word, text: &message }.api_kind()
    });
    Error::Agent { kind, message, available: None }
}

/// The kind of a failure by its class in Gemini CLI; most are of none that tells.
fn kind_of(class: &str) -> Option<ErrorKind> {
    Some(match class {
        "FatalAuthenticationError" | "UnauthorizedError" => ErrorKind::Auth,
        "FatalTurnLimitedError" => ErrorKind::MaxTurns,
        "FatalInputError" | "FatalConfigError" => ErrorKind::InvalidInput,
        "TerminalQuotaError" | "RetryableQuotaError" => ErrorKind::RateLimit,
        _ => return None,
    })
}

/// What the API answered, out of a message such as `[API Error: {"error":{"code":400,…}}]`.
fn refusal_in(message: &str) -> Option<RefusalError> {
    let json = message.get(message.find('{')?..=message.rfind('}')?)?;
    let error = object::<Refusal>(CheckedJson::parse(json).ok()?)?.error?;
    // A refusal may be told as the message of another one.
    let inner = error.message.as_deref().and_then(refusal_in);
    Some(inner.unwrap_or(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(json: &str, before: Option<&str>) -> (ErrorKind, String) {
        let found: Failure<'_> = object(CheckedJson::parse(json).unwrap()).unwrap();
        let error = failure(Some(&found), before.map(ToOwned::to_owned));
        (error.kind(), error.to_string())
    }

    #[test]
    fn what_the_api_said_decides() {
        for (message, kind, expected) in [
            (
                r#"[API Error: {"error":{"code":400,"message":"bad","status":"INVALID_ARGUMENT"}}]"#,
                ErrorKind::Api,
                "bad",
            ),
            (
                r#"[API Error: {"error":{"code":401,"message":"who?","status":"UNAUTHENTICATED"}}]"#,
                ErrorKind::Auth,
                "who?",
            ),
            (
                r#"[API Error: {"error":{"code":429,"message":"slow"}}]
Possible quota limitations in place"#,
                ErrorKind::RateLimit,
                "slow",
            ),
            (
                r#"[API Error: {"error":{"code":400,"message":"API key not valid. Please pass a valid API key."}}]"#,
                ErrorKind::Auth,
                "API key not valid. Please pass a valid API key.",
            ),
            (
                r#"[API Error: {"error":{"code":500,"message":"{\"error\":{\"code\":503,\"message\":\"in vain\"}}"}}]"#,
                ErrorKind::Overloaded,
                "in vain",
            ),
            (
                "[API Error: exception TypeError: fetch failed sending request]",
                ErrorKind::Network,
                "[API Error: exception TypeError: fetch failed sending request]",
            ),
            ("it } is { odd", ErrorKind::AgentError, "it } is { odd"),
        ] {
            let json = serde_json::json!({ "type": "unknown", "message": message }).to_string();
            assert_eq!(told(&json, Some("before")), (kind, expected.to_owned()));
        }
    }

    #[test]
    fn some_classes_tell_the_kind() {
        for (class, kind) in [
            ("FatalTurnLimitedError", ErrorKind::MaxTurns),
            ("FatalAuthenticationError", ErrorKind::Auth),
            ("TerminalQuotaError", ErrorKind::RateLimit),
            ("Error", ErrorKind::AgentError),
        ] {
            let json = serde_json::json!({ "type": class, "message": "it failed" }).to_string();
            assert_eq!(told(&json, None), (kind, "it failed".to_owned()), "{class}");
        }
    }

    #[test]
    fn a_result_without_a_reason_has_the_one_that_was_told_before() {
        assert_eq!(told("{}", Some("an empty answer")).1, "an empty answer");
        assert_eq!(failure(None, None).to_string(), "gemini reported an error without a message");
    }
}
