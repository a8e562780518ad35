//! Why opencode says that a turn failed.

use std::time::Duration;

use super::wire::{Failure, Headers};
use crate::agent::lenient::{Text, text};
use crate::error::{Available, Error, ErrorKind, Symptoms};

/// What opencode calls a turn that was interrupted.
pub(super) const ABORTED: &str = "MessageAbortedError";

/// What it says of failures that are its own, such as a model that it does not know.
const UNEXPECTED: &str = "Unexpected server error";

/// The error that opencode's own amounts to.
pub(super) fn failure(failure: &Failure<'_>) -> Error {
    let name = text(failure.name.as_ref());
    let data = failure.data.as_ref();
    let told = text(data.and_then(|data| data.message.as_ref()));
    let symptoms = Symptoms { status: data.and_then(|data| data.status), word: None, text: told };
    let kind = match name {
        "ProviderAuthError" => ErrorKind::Auth,
        "ContextOverflowError" => ErrorKind::ContextLimit,
        _ => symptoms.api_kind(),
    };
    let message = match (told, name) {
        ("", "") => "opencode reported an error without a message".to_owned(),
        ("", name) => name.to_owned(),
        (told, "ProviderAuthError") => {
            let provider = text(data.and_then(|data| data.provider.as_ref()));
            format!("{told} (provider '{provider}'); run `opencode auth login`")
        }
        (told, _) if told.starts_with(UNEXPECTED) => {
            format!("{told} It may not know the model: `opencode models` lists those that it knows")
        }
        (told, _) => told.to_owned(),
    };
    let headers = data.and_then(|data| data.headers.as_ref());
    let available = headers.filter(|_| kind == ErrorKind::RateLimit).and_then(Headers::available);
    Error::Agent { kind, message, available }
}

impl Headers<'_> {
    /// When the API takes requests again, where it says so as a number.
    fn available(&self) -> Option<Available> {
        let number = |text: &Option<Text<'_>>| {
            text.as_ref()?.as_str().parse().ok().filter(|number: &f64| *number >= 0.0)
        };
        let ms = number(&self.retry_after_ms).or_else(|| Some(number(&self.retry_after)? * 1000.0))?;
        Duration::try_from_secs_f64(ms / 1000.0).ok().map(Available::After)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::json::CheckedJson;
    use crate::agent::lenient::object;

    #[test]
    fn errors_have_their_kinds() {
        for (json, kind, message) in [
            (r#"{"name":"APIError","data":{"message":"no","statusCode":400}}"#, ErrorKind::Api, "no"),
            (r#"{"name":"APIError","data":{"message":"who?","statusCode":401}}"#, ErrorKind::Auth, "who?"),
            (
                r#"{"name":"APIError","data":{"message":"slow","statusCode":429}}"#,
                ErrorKind::RateLimit,
                "slow",
            ),
            (r#"{"name":"APIError","data":{"message":"oh","statusCode":529}}"#, ErrorKind::Overloaded, "oh"),
            (r#"{"name":"ContextOverflowError","data":{"message":"x"}}"#, ErrorKind::ContextLimit, "x"),
            (
                r#"{"name":"ProviderAuthError","data":{"providerID":"p","message":"no key"}}"#,
                ErrorKind::Auth,
                "no key (provider 'p'); run `opencode auth login`",
            ),
            (
                r#"{"name":"UnknownError","data":{"message":"fetch failed"}}"#,
                ErrorKind::Network,
                "fetch failed",
            ),
            (
                r#"{"name":"UnknownError","data":{"message":"Model not found"}}"#,
                ErrorKind::AgentError,
                "Model not found",
            ),
            (
                r#"{"name":"MessageOutputLengthError","data":{}}"#,
                ErrorKind::AgentError,
                "MessageOutputLengthError",
            ),
            (
                r#"{"name":5,"data":[]}"#,
                ErrorKind::AgentError,
                "opencode reported an error without a message",
            ),
        ] {
            let error = failure(&object(CheckedJson::parse(json).unwrap()).unwrap());
            assert_eq!((error.kind(), error.to_string().as_str()), (kind, message), "{json}");
        }
    }

    #[test]
    fn when_a_limit_passes_is_told_as_the_api_told_it() {
        let available = |status: u16, headers: &str| {
            let json = format!(
                r#"{{"name":"APIError","data":{{"message":"m","statusCode":{status},"responseHeaders":{headers}}}}}"#
            );
            failure(&object(CheckedJson::parse(&json).unwrap()).unwrap()).available()
        };
        let after = |ms| Some(Available::After(Duration::from_millis(ms)));
        assert_eq!(available(429, r#"{"retry-after":"3"}"#), after(3000));
        assert_eq!(available(429, r#"{"retry-after":"3","retry-after-ms":"250"}"#), after(250));
        assert_eq!(available(500, r#"{"retry-after":"3"}"#), None);
        for odd in
            [r#"{"retry-after":"soon"}"#, r#"{"retry-after":"-1"}"#, r#"{"retry-after":"1e400"}"#, "{}"]
        {
            assert_eq!(available(429, odd), None, "{odd}");
        }
    }
}
