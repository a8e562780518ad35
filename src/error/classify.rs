//! What kind of failure the symptoms of one are.
//!
//! Facts come before words, and words of a protocol before the text that people read: each agent and each API words its
//! failures in its own way and changes the wording, but a status of HTTP stays what it is. The text decides only where
//! there is nothing else, and only by phrases that leave no doubt.

use super::ErrorKind;

/// What is known of a failure.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Symptoms<'a> {
    /// The status of HTTP that the model's API answered with.
    pub status: Option<u16>,
    /// The word that a protocol or a system has for it.
    pub word: Option<&'a str>,
    /// What people are told.
    pub text: &'a str,
}

/// The words of protocols and systems.
const WORDS: &[(&str, ErrorKind)] = &[
    // Claude Code's `error` and `api_error`, and the types of Anthropic's API behind them.
    ("authentication_failed", ErrorKind::Auth),
    ("authentication_error", ErrorKind::Auth),
    ("billing_error", ErrorKind::Auth),
    ("rate_limit", ErrorKind::RateLimit),
    ("rate_limit_error", ErrorKind::RateLimit),
    ("server_error", ErrorKind::Overloaded),
    ("overloaded", ErrorKind::Overloaded),
    ("overloaded_error", ErrorKind::Overloaded),
    ("connection_failed", ErrorKind::Network),
    ("max_output_tokens", ErrorKind::AgentError),
    ("request_too_large", ErrorKind::ContextLimit),
    // Codex's `codexErrorInfo`, and the types of OpenAI's API.
    ("contextWindowExceeded", ErrorKind::ContextLimit),
    ("context_length_exceeded", ErrorKind::ContextLimit),
    ("usageLimitExceeded", ErrorKind::RateLimit),
    ("rate_limit_exceeded", ErrorKind::RateLimit),
    ("insufficient_quota", ErrorKind::Auth),
    ("serverOverloaded", ErrorKind::Overloaded),
    ("internalServerError", ErrorKind::Overloaded),
    ("unauthorized", ErrorKind::Auth),
    ("httpConnectionFailed", ErrorKind::Network),
    ("responseStreamConnectionFailed", ErrorKind::Network),
    ("responseStreamDisconnected", ErrorKind::Network),
    ("responseTooManyFailedAttempts", ErrorKind::Overloaded),
    ("sandboxError", ErrorKind::PermissionDenied),
    // Node's and the system's.
    ("ECONNREFUSED", ErrorKind::Network),
    ("ECONNRESET", ErrorKind::Network),
    ("ECONNABORTED", ErrorKind::Network),
    ("EHOSTUNREACH", ErrorKind::Network),
    ("ENETUNREACH", ErrorKind::Network),
    ("ENETDOWN", ErrorKind::Network),
    ("ENOTFOUND", ErrorKind::Network),
    ("EAI_AGAIN", ErrorKind::Network),
    ("ETIMEDOUT", ErrorKind::Network),
    ("UND_ERR_CONNECT_TIMEOUT", ErrorKind::Network),
    ("UND_ERR_SOCKET", ErrorKind::Network),
    ("EACCES", ErrorKind::PermissionDenied),
    ("EPERM", ErrorKind::PermissionDenied),
    ("EROFS", ErrorKind::PermissionDenied),
    ("MODULE_NOT_FOUND", ErrorKind::Dependency),
    ("ERR_MODULE_NOT_FOUND", ErrorKind::Dependency),
    ("ABORT_ERR", ErrorKind::Cancelled),
];

/// Phrases in lower case. The first that is found counts.
const PHRASES: &[(&str, ErrorKind)] = &[
    ("prompt is too long", ErrorKind::ContextLimit),
    ("context window", ErrorKind::ContextLimit),
    ("maximum context length", ErrorKind::ContextLimit),
    ("context_length_exceeded", ErrorKind::ContextLimit),
    ("rate limit", ErrorKind::RateLimit),
    ("rate_limit", ErrorKind::RateLimit),
    ("rate-limited", ErrorKind::RateLimit),
    ("usage limit", ErrorKind::RateLimit),
    ("too many requests", ErrorKind::RateLimit),
    ("overloaded", ErrorKind::Overloaded),
    ("service unavailable", ErrorKind::Overloaded),
    ("internal server error", ErrorKind::Overloaded),
    ("please run /login", ErrorKind::Auth),
    ("not logged in", ErrorKind::Auth),
    ("invalid api key", ErrorKind::Auth),
    ("invalid x-api-key", ErrorKind::Auth),
    ("incorrect api key", ErrorKind::Auth),
    ("api key not valid", ErrorKind::Auth),
    ("please set an auth method", ErrorKind::Auth),
    ("authentication_error", ErrorKind::Auth),
    ("401 unauthorized", ErrorKind::Auth),
    ("credit balance is too low", ErrorKind::Auth),
    ("econnrefused", ErrorKind::Network),
    ("econnreset", ErrorKind::Network),
    ("enotfound", ErrorKind::Network),
    ("etimedout", ErrorKind::Network),
    ("connection refused", ErrorKind::Network),
    ("connection reset", ErrorKind::Network),
    ("connection error", ErrorKind::Network),
    ("socket hang up", ErrorKind::Network),
    ("fetch failed", ErrorKind::Network),
    ("network error", ErrorKind::Network),
    ("network is unreachable", ErrorKind::Network),
    ("could not resolve host", ErrorKind::Network),
    ("cannot find module", ErrorKind::Dependency),
    ("module not found", ErrorKind::Dependency),
    ("modulenotfounderror", ErrorKind::Dependency),
    ("no module named", ErrorKind::Dependency),
    ("unresolved import", ErrorKind::Dependency),
    ("command not found", ErrorKind::Dependency),
    ("syntaxerror", ErrorKind::Syntax),
    ("syntax error", ErrorKind::Syntax),
    ("unexpected token", ErrorKind::Syntax),
    ("error ts1", ErrorKind::Syntax),
    ("permission denied", ErrorKind::PermissionDenied),
    ("operation not permitted", ErrorKind::PermissionDenied),
    ("eacces", ErrorKind::PermissionDenied),
];

/// How much of a text is looked at, in bytes: the rest is what somebody quotes.
const TEXT_LIMIT: usize = 4096;

impl Symptoms<'_> {
    /// The kind, if the symptoms tell.
    pub fn kind(&self) -> Option<ErrorKind> {
        let by_status = self.status.and_then(|status| match status {
            401..=403 => Some(ErrorKind::Auth),
            408 => Some(ErrorKind::Network),
            413 => Some(ErrorKind::ContextLimit),
            429 => Some(ErrorKind::RateLimit),
            500.. => Some(ErrorKind::Overloaded),
            _ => None,
        });
        let by_word = || self.word.and_then(|word| find(WORDS, |known| known == word));
        by_status.or_else(by_word).or_else(|| self.kind_by_text())
    }

    /// The kind of a failure of which the model's API told something.
    pub fn api_kind(&self) -> ErrorKind {
        let fallback =
            if self.status.is_some() || self.word.is_some() { ErrorKind::Api } else { ErrorKind::AgentError };
        self.kind().unwrap_or(fallback)
    }

    fn kind_by_text(&self) -> Option<ErrorKind> {
        let end = (0..=TEXT_LIMIT.min(self.text.len())).rev().find(|end| self.text.is_char_boundary(*end));
        let text = self.text[..end.unwrap_or(0)].to_ascii_lowercase();
        find(PHRASES, |phrase| text.contains(phrase))
    }
}

fn find(table: &[(&str, ErrorKind)], matches: impl Fn(&str) -> bool) -> Option<ErrorKind> {
    table.iter().find(|(known, _)| matches(known)).map(|(_, kind)| *kind)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn facts_come_before_words_and_words_before_text() {
        use ErrorKind::*;
        for (status, word, text, kind) in [
            (Some(400), Some("invalid_request"), "prompt is too long: 250000 tokens > 200000", ContextLimit),
            (Some(400), Some("invalid_request"), "model: unknown", Api),
            (Some(401), Some("rate_limit"), "", Auth),
            (Some(404), None, "no such model", Api),
            (Some(429), None, "overloaded", RateLimit),
            (Some(529), None, "", Overloaded),
            (Some(500), Some("server_error"), "", Overloaded),
            (None, Some("connection_failed"), "rate limit", Network),
            (None, Some("usageLimitExceeded"), "", RateLimit),
            (None, Some("something new"), "Invalid API key · Please run /login", Auth),
            (None, Some("something new"), "it is odd", Api),
            (None, None, "it is odd", AgentError),
        ] {
            assert_eq!(Symptoms { status, word, text }.api_kind(), kind, "{status:?} {word:?} {text}");
        }
    }

    #[test]
    fn texts_of_other_programs_are_told_apart() {
        use ErrorKind::*;
        for (text, kind) in [
            ("connect ECONNREFUSED 127.0.0.1:443", Some(Network)),
            ("TypeError: fetch failed", Some(Network)),
            ("429 Too Many Requests", Some(RateLimit)),
            ("SyntaxError: Unexpected end of input", Some(Syntax)),
            ("src/a.ts(3,1): error TS1005: ';' expected.", Some(Syntax)),
            ("Error: Cannot find module 'left-pad'", Some(Dependency)),
            ("bash: line 1: foo: command not found", Some(Dependency)),
            ("EACCES: permission denied, open '/etc/shadow'", Some(PermissionDenied)),
            ("Please set an Auth method in your settings.json or specify one of", Some(Auth)),
            ("42 tests failed", None),
            ("", None),
        ] {
            assert_eq!(Symptoms { text, ..Symptoms::default() }.kind(), kind, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_symptoms_can_be_looked_at(status: Option<u16>, word: Option<String>, text: String, times in 0..400usize) {
            let text = text.repeat(times);
            let symptoms = Symptoms { status, word: word.as_deref(), text: &text };
            symptoms.api_kind();
        }
    }
}
