//! Why codex says that a turn failed.

use super::wire::{ApiRefusal, HttpInfo, TurnError};
use crate::agent::json::CheckedJson;
use crate::agent::lenient::object;
use crate::error::{Available, Error, ErrorKind, Symptoms};

/// The error that codex's own amounts to. `retried` is what the last attempt failed of that it made by itself: where it
/// has no better word in the end, that is the better one. `resets` is when a limit that was reached is reset, in
/// milliseconds since the epoch.
pub(super) fn failure(error: &TurnError<'_>, retried: Option<ErrorKind>, resets: Option<u64>) -> Error {
    let told = error.message.as_deref().unwrap_or_default();
    let refusal =
        CheckedJson::parse(told).ok().and_then(object::<ApiRefusal>).and_then(|body| body.error?.message);
    let kind = kind_of(error).or(retried);
    let kind = kind.unwrap_or(if refusal.is_some() { ErrorKind::Api } else { ErrorKind::AgentError });
    let message = refusal.unwrap_or_else(|| told.to_owned());
    let message = match error.details.as_deref() {
        Some(details) if !details.is_empty() && !message.contains(details) => format!("{message}: {details}"),
        _ if message.is_empty() => "codex reported an error without a message".to_owned(),
        _ => message,
    };
    let available = resets.filter(|_| kind == ErrorKind::RateLimit).map(Available::At);
    Error::Agent { kind, message, available }
}

pub(super) fn agent_error(kind: ErrorKind, message: String) -> Error {
    Error::Agent { kind, message, available: None }
}

/// The kind of a failure, if its facts or its words tell.
pub(super) fn kind_of(error: &TurnError<'_>) -> Option<ErrorKind> {
    let word = word(error);
    let text = error.details.as_deref().or(error.message.as_deref()).unwrap_or_default();
    let status = http_status(error);
    // What was answered was reached, whatever the word.
    let symptoms = Symptoms { status, word: word.as_deref().filter(|_| status.is_none()), text };
    let is_refusal = symptoms.status.is_some()
        || matches!(word.as_deref(), Some("badRequest" | "modelNotFound" | "cyberPolicy"));
    match word.as_deref() {
        Some("rateLimitExceeded") => Some(ErrorKind::RateLimit),
        Some("sessionBudgetExceeded") => Some(ErrorKind::BudgetExceeded),
        _ => symptoms.kind().or(is_refusal.then_some(ErrorKind::Api)),
    }
}

/// Codex's word for a failure: bare, or with facts.
fn word(error: &TurnError<'_>) -> Option<String> {
    let info = error.info?;
    match serde_json::from_str::<String>(info.as_str()) {
        Ok(word) => Some(word),
        Err(_) => Some(info.members()?.next()?.0.into_owned()),
    }
}

/// The status of the model's API, where it gave one.
pub(super) fn http_status(error: &TurnError<'_>) -> Option<u16> {
    let (_, facts) = error.info?.members()?.next()?;
    object::<HttpInfo>(facts)?.status
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(json: &str, retried: Option<ErrorKind>) -> (ErrorKind, String) {
        let error = object(CheckedJson::parse(json).unwrap()).unwrap();
        let error = failure(&error, retried, None);
        (error.kind(), error.to_string())
    }

    #[test]
    fn the_facts_decide_and_not_the_words() {
        for (info, expected) in [
            (r#""unauthorized""#, ErrorKind::Auth),
            (r#"{"httpConnectionFailed":{"httpStatusCode":401}}"#, ErrorKind::Auth),
            (r#"{"responseTooManyFailedAttempts":{"httpStatusCode":429}}"#, ErrorKind::RateLimit),
            (r#""usageLimitExceeded""#, ErrorKind::RateLimit),
            (r#""contextWindowExceeded""#, ErrorKind::ContextLimit),
            (r#""badRequest""#, ErrorKind::Api),
            (r#"{"httpConnectionFailed":{"httpStatusCode":404}}"#, ErrorKind::Api),
            (r#""internalServerError""#, ErrorKind::Overloaded),
            (r#"{"responseStreamDisconnected":{"httpStatusCode":503}}"#, ErrorKind::Overloaded),
            (r#"{"responseStreamDisconnected":{"httpStatusCode":null}}"#, ErrorKind::Network),
            (r#"{"httpConnectionFailed":{}}"#, ErrorKind::Network),
            (r#""somethingNew""#, ErrorKind::AgentError),
            ("{}", ErrorKind::AgentError),
            ("5", ErrorKind::AgentError),
            ("null", ErrorKind::AgentError),
        ] {
            let json = format!(r#"{{"message":"it failed","codexErrorInfo":{info}}}"#);
            assert_eq!(kind(&json, None), (expected, "it failed".to_owned()), "{info}");
        }
    }

    #[test]
    fn what_broke_before_is_what_broke() {
        let json = r#"{"message":"the stream ended","codexErrorInfo":"other"}"#;
        assert_eq!(kind(json, Some(ErrorKind::Network)).0, ErrorKind::Network);
        assert_eq!(kind(json, None).0, ErrorKind::AgentError);
    }

    #[test]
    fn a_refusal_of_the_api_is_told_in_its_words() {
        let json = r#"{"message":"{\"error\":{\"message\":\"bad schema\"}}","codexErrorInfo":"other"}"#;
        assert_eq!(kind(json, None), (ErrorKind::Api, "bad schema".to_owned()));
    }

    #[test]
    fn an_error_always_has_a_message() {
        assert_eq!(kind("{}", None).1, "codex reported an error without a message");
        assert_eq!(kind(r#"{"message":"a","additionalDetails":"b"}"#, None).1, "a: b");
    }
}
