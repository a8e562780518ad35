//! Why codex says that a turn failed.

use super::wire::{ApiRefusal, HttpInfo, TurnError};
use crate::agent::json::CheckedJson;
use crate::agent::lenient::object;
use crate::error::{Error, ErrorKind};

/// The error that codex's own amounts to. `retried` is what it told of the last attempt before it gave up: where it has
/// no better word in the end than `other`, that is the better word.
pub(super) fn failure(error: &TurnError<'_>, retried: Option<ErrorKind>) -> Error {
    let told = error.message.as_deref().unwrap_or_default();
    let refusal =
        CheckedJson::parse(told).ok().and_then(object::<ApiRefusal>).and_then(|body| body.error?.message);
    let kind = match kind_of(error) {
        Some(kind) => kind,
        None if refusal.is_some() => ErrorKind::Api,
        None => retried.unwrap_or(ErrorKind::AgentError),
    };
    let message = refusal.unwrap_or_else(|| told.to_owned());
    let message = match error.details.as_deref() {
        Some(details) if !details.is_empty() && !message.contains(details) => format!("{message}: {details}"),
        _ if message.is_empty() => "codex reported an error without a message".to_owned(),
        _ => message,
    };
    agent_error(kind, message)
}

pub(super) fn agent_error(kind: ErrorKind, message: String) -> Error {
    Error::Agent { kind, message, retry_after: None }
}

/// The status of the model's API, where it gave one.
pub(super) fn http_status(error: &TurnError<'_>) -> Option<u16> {
    let (_, facts) = error.info?.members()?.next()?;
    object::<HttpInfo>(facts)?.status
}

/// `None` where codex has no word for it.
pub(super) fn kind_of(error: &TurnError<'_>) -> Option<ErrorKind> {
    let info = error.info?;
    let word = match serde_json::from_str::<String>(info.as_str()) {
        Ok(word) => word,
        Err(_) => info.members()?.next()?.0.into_owned(),
    };
    if let Some(status) = http_status(error) {
        return Some(match status {
            401 | 403 => ErrorKind::Auth,
            429 => ErrorKind::RateLimit,
            500.. => ErrorKind::Overloaded,
            _ => ErrorKind::Api,
        });
    }
    match word.as_str() {
        "unauthorized" => Some(ErrorKind::Auth),
        "usageLimitExceeded" | "rateLimitExceeded" => Some(ErrorKind::RateLimit),
        "serverOverloaded" | "internalServerError" | "responseTooManyFailedAttempts" | "flexUnavailable" => {
            Some(ErrorKind::Overloaded)
        }
        "httpConnectionFailed" | "responseStreamConnectionFailed" | "responseStreamDisconnected" => {
            Some(ErrorKind::Network)
        }
        "sessionBudgetExceeded" => Some(ErrorKind::BudgetExceeded),
        "badRequest"
        | "contextWindowExceeded"
        | "modelNotFound"
        | "cyberPolicy"
        | "misalignmentPolicyViolation" => Some(ErrorKind::Api),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(json: &str, retried: Option<ErrorKind>) -> (ErrorKind, String) {
        let error = object(CheckedJson::parse(json).unwrap()).unwrap();
        let error = failure(&error, retried);
        (error.kind(), error.to_string())
    }

    #[test]
    fn the_facts_decide_and_not_the_words() {
        for (info, expected) in [
            (r#""unauthorized""#, ErrorKind::Auth),
            (r#"{"httpConnectionFailed":{"httpStatusCode":401}}"#, ErrorKind::Auth),
            (r#"{"responseTooManyFailedAttempts":{"httpStatusCode":429}}"#, ErrorKind::RateLimit),
            (r#""usageLimitExceeded""#, ErrorKind::RateLimit),
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
        let json = r#"{"message":"stream disconnected","codexErrorInfo":"other"}"#;
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
