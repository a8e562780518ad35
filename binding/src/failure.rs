//! What is known of failures, and what is done about them, across the border.

use locus_exec::error::{Available, ErrorKind, Symptoms};
use locus_exec::run::{Failure, Progress, RetryDecision, RetryPolicy, decide};
use napi_derive::napi;

use crate::convert::{NativeRetryPolicy, duration};

/// An error code and what it implies.
#[napi(object)]
pub struct NativeErrorCode {
    /// The code, for example `CLI_NOT_FOUND`.
    pub code: String,
    /// Whether the same turn may succeed when tried again.
    pub retryable: bool,
    /// What a person can do about it.
    pub remedy: String,
}

/// All error codes of the engine.
#[napi]
pub fn error_codes() -> Vec<NativeErrorCode> {
    let code = |kind: &ErrorKind| NativeErrorCode {
        code: kind.code().to_owned(),
        retryable: kind.retryable(),
        remedy: kind.remedy().to_owned(),
    };
    ErrorKind::ALL.iter().map(code).collect()
}

/// The code of a failure of which there is a status of HTTP, a word of a protocol or a system, or a text; null where
/// they do not tell.
#[napi]
pub fn classify(status: Option<u16>, word: Option<String>, text: String) -> Option<&'static str> {
    Symptoms { status, word: word.as_deref(), text: &text }.kind().map(ErrorKind::code)
}

/// How an attempt failed, and what there was before it.
#[napi(object)]
pub struct NativeFailure {
    /// Of what.
    pub code: String,
    /// How long to wait, in milliseconds, where that is known.
    pub retry_after_ms: Option<u32>,
    /// Milliseconds since the epoch.
    pub resets_at: Option<f64>,
    /// Tries that are used up, without this attempt.
    pub tries: u32,
    /// How long was waited between the attempts so far, in milliseconds.
    pub waited_ms: f64,
}

/// That another attempt is made.
#[napi(object)]
pub struct NativeRetry {
    /// Milliseconds until then.
    pub delay_ms: f64,
    /// Tries that are used up by then.
    pub tries: u32,
}

/// Whether there is another attempt; null where there is none. `now` is in milliseconds since the epoch, `chance`
/// between 0 and 1.
#[napi]
pub fn decide_retry(
    failure: NativeFailure,
    policy: NativeRetryPolicy,
    now: f64,
    chance: f64,
) -> Option<NativeRetry> {
    let kind = *ErrorKind::ALL.iter().find(|kind| kind.code() == failure.code)?;
    let available =
        failure.retry_after_ms.map(|ms| Available::After(duration(Some(ms), RetryPolicy::default().delay)));
    let available = available.or(failure.resets_at.map(|time| Available::At(millis(time))));
    let failed = Failure { kind, available, tries: 1, changed: false, can_continue: true };
    let waited = std::time::Duration::from_millis(millis(failure.waited_ms));
    let progress = Progress { tries: failure.tries, waited };
    match decide(&failed, progress, &policy.into(), millis(now), chance) {
        RetryDecision::Retry { after, tries, .. } => {
            Some(NativeRetry { delay_ms: after.as_secs_f64() * 1000.0, tries })
        }
        RetryDecision::WaitUntil { at, .. } => {
            Some(NativeRetry { delay_ms: number(at.saturating_sub(millis(now))), tries: failure.tries })
        }
        RetryDecision::Stop | RetryDecision::Ask => None,
    }
}

/// A number of JavaScript as milliseconds; what is none counts as none.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast saturates, and that is meant"
)]
fn millis(number: f64) -> u64 {
    number as u64
}

#[expect(clippy::cast_precision_loss, reason = "times of this age have 41 bits")]
fn number(millis: u64) -> f64 {
    millis as f64
}
