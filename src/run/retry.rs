//! Whether a turn that failed is tried again, when and how; pure.
//!
//! Three rules keep another try from doing harm. A failure that stays fails at once. A turn in which the agent changed
//! something is not repeated: the agent is told to go on where it stopped, or, where it cannot be, somebody is asked. And
//! what the agent tried again by itself counts: three tries are three, whoever made them.
//!
//! Waiting for a limit whose end is known uses up no try; how long that may be is a limit of its own.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::{Available, ErrorKind, FailedAttempt};

/// How often and how patiently a turn is tried.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RetryPolicy {
    /// How many tries there are in all; 1 means that nothing is tried again.
    pub tries: u32,
    /// The longest wait before the second try.
    pub delay: Duration,
    /// By what the longest wait grows from try to try.
    pub factor: f64,
    /// What it grows up to.
    pub max_delay: Duration,
    /// Whether each wait is chosen at random between nothing and the longest, so that those who failed together do not
    /// come back together.
    pub jitter: bool,
    /// For how long a limit may be waited for whose end is known.
    pub max_wait: Duration,
    /// How long all waits of a turn may be together.
    pub max_total: Duration,
    /// What is done when the agent changed something.
    pub after_changes: AfterChanges,
}

/// What is done when a turn failed in which the agent changed something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AfterChanges {
    /// The agent is told to go on where it stopped.
    #[default]
    Continue,
    /// The turn fails, and whoever gets the error decides.
    Ask,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            tries: 3,
            delay: Duration::from_secs(1),
            factor: 2.0,
            max_delay: Duration::from_secs(30),
            jitter: true,
            max_wait: Duration::from_secs(60),
            max_total: Duration::from_secs(15 * 60),
            after_changes: AfterChanges::Continue,
        }
    }
}

impl RetryPolicy {
    /// Nothing is tried again.
    pub fn never() -> Self {
        Self { tries: 1, ..Self::default() }
    }

    /// The longest wait after so many tries, the first wait after one.
    fn longest_delay(&self, tries: u32) -> Duration {
        let factor = self.factor.max(1.0).powf(f64::from(tries.saturating_sub(1)));
        Duration::try_from_secs_f64(self.delay.as_secs_f64() * factor)
            .unwrap_or(Duration::MAX)
            .min(self.max_delay)
    }
}

/// How an attempt failed.
#[derive(Debug, Clone, Copy)]
pub struct Failure {
    /// Of what.
    pub kind: ErrorKind,
    /// When it may be tried again, where that is known.
    pub available: Option<Available>,
    /// How often the agent tried the request that failed.
    pub tries: u32,
    /// Whether the agent had changed something, in this attempt or an earlier one.
    pub changed: bool,
    /// Whether the agent can go on where it stopped.
    pub can_continue: bool,
}

/// What there was before the attempt that failed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Progress {
    /// Tries that are used up.
    pub tries: u32,
    /// How long was waited between the attempts so far.
    pub waited: Duration,
}

/// How a turn is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// With the same prompt.
    Repeat,
    /// The agent is told to go on.
    Continue,
}

impl Way {
    /// As it is called outside Rust.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Repeat => "repeat",
            Self::Continue => "continue",
        }
    }
}

/// What is done about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryDecision {
    /// Try again after a wait; `tries` are then used up.
    Retry {
        /// How long to wait.
        after: Duration,
        /// How many tries are used up by then.
        tries: u32,
        /// How.
        way: Way,
    },
    /// Try again when a limit is reset; no try is used up.
    WaitUntil {
        /// Milliseconds since the epoch.
        at: u64,
        /// How.
        way: Way,
    },
    /// Let it fail.
    Stop,
    /// Let it fail, and let whoever gets the error decide: another try might do twice what was done already.
    Ask,
}

/// Decides. `now` is in milliseconds since the epoch, `chance` between 0 and 1.
pub fn decide(
    failure: &Failure,
    progress: Progress,
    policy: &RetryPolicy,
    now: u64,
    chance: f64,
) -> RetryDecision {
    if policy.tries <= 1 || !failure.kind.retryable() {
        return RetryDecision::Stop;
    }
    let left = policy.max_total.saturating_sub(progress.waited);
    let tries = progress.tries.saturating_add(failure.tries.max(1));
    let wait = failure.available.map(|available| available.wait(now)).map(|wait| match wait {
        Duration::ZERO => wait,
        // What is counted in milliseconds is not to be nothing.
        wait => wait.max(Duration::from_millis(1)),
    });
    let after = match wait {
        Some(wait) if wait > policy.max_wait => return RetryDecision::Stop,
        Some(wait) => wait,
        None if tries >= policy.tries => return RetryDecision::Stop,
        None => {
            let longest = policy.longest_delay(tries);
            if policy.jitter { longest.mul_f64(chance.clamp(0.0, 1.0)) } else { longest }
        }
    };
    // A wait of nothing that uses up no try could be repeated for ever.
    if after > left || left.is_zero() || (wait.is_some() && after.is_zero() && tries >= policy.tries) {
        return RetryDecision::Stop;
    }
    let way = match (failure.changed, failure.can_continue, policy.after_changes) {
        (false, ..) => Way::Repeat,
        (true, true, AfterChanges::Continue) => Way::Continue,
        (true, ..) => return RetryDecision::Ask,
    };
    match wait {
        Some(wait) if !wait.is_zero() => {
            let wait = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            RetryDecision::WaitUntil { at: now.saturating_add(wait), way }
        }
        _ => RetryDecision::Retry { after, tries, way },
    }
}

/// What the agent is told of earlier attempts, as JSON in its prompt.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RetryContext {
    /// What the attempts so far failed of, oldest first.
    pub failures: Vec<FailedAttempt>,
    /// What somebody thinks the reason is, and what to do otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hypothesis: Option<String>,
}

/// The longest message of a failure in a prompt, in characters.
const MESSAGE_LIMIT: usize = 500;

/// The longest hypothesis in a prompt, in characters.
const HYPOTHESIS_LIMIT: usize = 2000;

/// How many failures are told; the last ones count.
const FAILURES_LIMIT: usize = 5;

impl RetryContext {
    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        self.failures.is_empty() && self.hypothesis.is_none()
    }

    /// Takes note of a failure.
    pub fn push(&mut self, attempt: u32, kind: ErrorKind, message: &str, last_tool: Option<&str>) {
        self.failures.push(FailedAttempt {
            attempt,
            code: kind.code().into(),
            message: shortened(message, MESSAGE_LIMIT),
            last_tool: last_tool.map(|tool| shortened(tool, MESSAGE_LIMIT)),
        });
    }

    /// `prompt` with what is to be known of earlier attempts behind it.
    pub fn added_to(&self, prompt: &str) -> String {
        if self.is_empty() {
            return prompt.to_owned();
        }
        let last = self.failures.len().saturating_sub(FAILURES_LIMIT);
        let failures = self.failures[last..].iter().map(|failure| FailedAttempt {
            message: shortened(&failure.message, MESSAGE_LIMIT),
            code: shortened(&failure.code, MESSAGE_LIMIT).into(),
            last_tool: failure.last_tool.as_deref().map(|tool| shortened(tool, MESSAGE_LIMIT)),
            attempt: failure.attempt,
        });
        let bounded = Self {
            failures: failures.collect(),
            hypothesis: self.hypothesis.as_deref().map(|text| shortened(text, HYPOTHESIS_LIMIT)),
        };
        let json = crate::stream::json_of(&bounded);
        format!("{prompt}\n\n<earlier_attempts>\n{}\n</earlier_attempts>", json.get())
    }
}

/// What an agent is told that is to go on where it stopped.
pub(super) const CONTINUE: &str = "Your work on the last request was interrupted before it was done. Go on from where it stopped: look at \
     what is already there, and do not do again what has been done.";

fn shortened(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: u64 = 1_000_000;
    const SECOND: Duration = Duration::from_secs(1);

    fn failure(kind: ErrorKind) -> Failure {
        Failure { kind, available: None, tries: 1, changed: false, can_continue: true }
    }

    fn exact() -> RetryPolicy {
        RetryPolicy { jitter: false, ..RetryPolicy::default() }
    }

    #[test]
    fn three_tries_one_and_two_seconds_apart() {
        let crash = failure(ErrorKind::ProcessCrashed);
        let decide = |tries| decide(&crash, Progress { tries, waited: Duration::ZERO }, &exact(), NOW, 1.0);
        assert_eq!(decide(0), RetryDecision::Retry { after: SECOND, tries: 1, way: Way::Repeat });
        assert_eq!(decide(1), RetryDecision::Retry { after: 2 * SECOND, tries: 2, way: Way::Repeat });
        assert_eq!(decide(2), RetryDecision::Stop);
    }

    #[test]
    fn what_stays_fails_at_once() {
        for kind in ErrorKind::ALL.iter().filter(|kind| !kind.retryable()) {
            let decision = decide(&failure(*kind), Progress::default(), &exact(), NOW, 1.0);
            assert_eq!(decision, RetryDecision::Stop, "{kind:?}");
        }
        let never =
            decide(&failure(ErrorKind::Network), Progress::default(), &RetryPolicy::never(), NOW, 1.0);
        assert_eq!(never, RetryDecision::Stop);
    }

    #[test]
    fn what_the_agent_tried_by_itself_counts() {
        let tried = |tries| Failure { tries, ..failure(ErrorKind::Overloaded) };
        let first = decide(&tried(2), Progress::default(), &exact(), NOW, 1.0);
        assert_eq!(first, RetryDecision::Retry { after: 2 * SECOND, tries: 2, way: Way::Repeat });
        assert_eq!(decide(&tried(3), Progress::default(), &exact(), NOW, 1.0), RetryDecision::Stop);
    }

    #[test]
    fn a_limit_is_waited_for_and_uses_up_no_try() {
        let limited = |available| Failure { available: Some(available), ..failure(ErrorKind::RateLimit) };
        let progress = Progress { tries: 2, waited: Duration::ZERO };
        let soon = limited(Available::After(30 * SECOND));
        let wait = RetryDecision::WaitUntil { at: NOW + 30_000, way: Way::Repeat };
        assert_eq!(decide(&soon, progress, &exact(), NOW, 1.0), wait);
        let at = limited(Available::At(NOW + 30_000));
        assert_eq!(decide(&at, progress, &exact(), NOW, 1.0), wait);
        let late = limited(Available::After(61 * SECOND));
        assert_eq!(decide(&late, progress, &exact(), NOW, 1.0), RetryDecision::Stop);
        let patient = RetryPolicy { max_wait: 3600 * SECOND, max_total: 3600 * SECOND, ..exact() };
        assert!(matches!(decide(&late, progress, &patient, NOW, 1.0), RetryDecision::WaitUntil { .. }));
        // Reset already: it was the clock that was wrong, or the limit another one.
        let past = limited(Available::At(NOW - 1));
        assert_eq!(decide(&past, progress, &exact(), NOW, 1.0), RetryDecision::Stop);
        assert!(matches!(
            decide(&past, Progress::default(), &exact(), NOW, 1.0),
            RetryDecision::Retry { tries: 1, .. }
        ));
    }

    #[test]
    fn what_was_changed_is_not_repeated() {
        let changed = Failure { changed: true, ..failure(ErrorKind::KilledBySignal) };
        let go_on = decide(&changed, Progress::default(), &exact(), NOW, 1.0);
        assert!(matches!(go_on, RetryDecision::Retry { way: Way::Continue, .. }));
        let lost = Failure { can_continue: false, ..changed };
        assert_eq!(decide(&lost, Progress::default(), &exact(), NOW, 1.0), RetryDecision::Ask);
        let careful = RetryPolicy { after_changes: AfterChanges::Ask, ..exact() };
        assert_eq!(decide(&changed, Progress::default(), &careful, NOW, 1.0), RetryDecision::Ask);
    }

    #[test]
    fn a_prompt_tells_of_earlier_attempts() {
        let mut context = RetryContext::default();
        assert_eq!(context.added_to("do it"), "do it");
        context.push(1, ErrorKind::ProcessCrashed, &"é".repeat(600), Some("Bash"));
        context.hypothesis = Some("the disk is full".into());
        let prompt = context.added_to("do it");
        let json = prompt
            .strip_prefix("do it\n\n<earlier_attempts>\n")
            .and_then(|rest| rest.strip_suffix("\n</earlier_attempts>"))
            .expect("it is behind the prompt");
        let told: RetryContext = serde_json::from_str(json).expect("it is JSON");
        assert_eq!(told.failures[0].code, "PROCESS_CRASHED");
        assert_eq!(told.failures[0].last_tool.as_deref(), Some("Bash"));
        assert_eq!(told.failures[0].message, format!("{}…", "é".repeat(500)));
        assert_eq!(told.hypothesis.as_deref(), Some("the disk is full"));
    }

    fn policies() -> impl Strategy<Value = RetryPolicy> {
        let millis = |max: u64| (0..max).prop_map(Duration::from_millis);
        (0..8u32, millis(10_000), 0.0..5.0f64, millis(60_000), any::<bool>(), millis(100_000), millis(20_000))
            .prop_map(|(tries, delay, factor, max_delay, jitter, max_wait, max_total)| RetryPolicy {
                tries,
                delay,
                factor,
                max_delay,
                jitter,
                max_wait,
                max_total,
                after_changes: AfterChanges::Continue,
            })
    }

    fn failures() -> impl Strategy<Value = Failure> {
        let available = prop_oneof![
            Just(None),
            (0..200_000u64).prop_map(|ms| Some(Available::After(Duration::from_millis(ms)))),
            (0..2 * NOW).prop_map(|at| Some(Available::At(at))),
        ];
        let kinds = prop::sample::select(ErrorKind::ALL);
        (kinds, available, 0..5u32, any::<bool>(), any::<bool>()).prop_map(
            |(kind, available, tries, changed, can_continue)| Failure {
                kind,
                available,
                tries,
                changed,
                can_continue,
            },
        )
    }

    proptest! {
        #[test]
        fn waits_are_bounded(policy in policies(), failure in failures(), chance in 0.0..=1.0f64) {
            match decide(&failure, Progress::default(), &policy, NOW, chance) {
                RetryDecision::Retry { after, tries, way } => {
                    prop_assert!(after <= policy.max_delay && after <= policy.max_total);
                    prop_assert!(tries >= 1);
                    prop_assert!(way == Way::Continue || !failure.changed);
                }
                RetryDecision::WaitUntil { at, way } => {
                    prop_assert!(Duration::from_millis(at - NOW) <= policy.max_wait);
                    prop_assert!(way == Way::Continue || !failure.changed);
                }
                RetryDecision::Ask => prop_assert!(failure.changed),
                RetryDecision::Stop => {}
            }
        }

        #[test]
        fn the_longest_wait_grows(policy in policies(), tries in 1..20u32) {
            prop_assert!(policy.longest_delay(tries) <= policy.longest_delay(tries + 1));
        }

        /// However its attempts fail: a turn comes to an end, within the total time.
        #[test]
        fn a_turn_comes_to_an_end(policy in policies(), failures in prop::collection::vec(failures(), 1..10), chance in 0.0..=1.0f64) {
            let (mut progress, mut now) = (Progress::default(), NOW);
            let mut decisions = 0u64;
            for failure in failures.iter().cycle() {
                let wait = match decide(failure, progress, &policy, now, chance) {
                    RetryDecision::Retry { after, tries, .. } => {
                        prop_assert!(tries > progress.tries && tries < policy.tries);
                        progress.tries = tries;
                        after
                    }
                    RetryDecision::WaitUntil { at, .. } => Duration::from_millis(at - now),
                    RetryDecision::Stop | RetryDecision::Ask => break,
                };
                progress.waited += wait;
                now += u64::try_from(wait.as_millis()).expect("it is bounded");
                decisions += 1;
                prop_assert!(progress.waited <= policy.max_total);
                prop_assert!(decisions <= u64::from(policy.tries) + 20_000);
            }
        }

        #[test]
        fn a_prompt_stays_bounded(messages in prop::collection::vec(any::<String>(), 0..20), times in 1..2000usize) {
            let mut context = RetryContext { hypothesis: messages.first().map(|text| text.repeat(times)), ..RetryContext::default() };
            for (attempt, message) in (1..).zip(&messages) {
                context.push(attempt, ErrorKind::Unknown, &message.repeat(times), Some(message));
            }
            // Six bytes for the escape of a character that needs one, twice.
            prop_assert!(context.added_to("").len() < 12 * (FAILURES_LIMIT * 2 * MESSAGE_LIMIT + HYPOTHESIS_LIMIT) + 2000);
        }
    }
}
